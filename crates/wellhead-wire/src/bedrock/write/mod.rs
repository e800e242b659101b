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

pub use body::encode_request;

pub(super) use answer::{blocks, redacted};
