//! From the canonical members to the wire's: requests for targets, and the blocks of answers for clients.

mod answer;
mod body;
mod config;
mod ids;
mod media;
mod part;
mod thinking;
mod tools;
mod turns;
mod wire;

pub use body::encode_request;
pub use thinking::Thinking;

pub(super) use answer::{answer_block, extra_text, previous_text};
pub(super) use body::encode;
pub(super) use wire::Block;

use super::version::{Envelope, Version};

/// What is known of a target beside [`crate::chat::Target`], because it is this dialect's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The version that is named to the target.
    pub version: Version,
    /// Whose endpoint it is.
    pub envelope: Envelope,
    /// How the model wants to be asked to think.
    pub thinking: Thinking,
}
