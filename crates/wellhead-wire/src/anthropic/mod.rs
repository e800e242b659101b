//! Anthropic Messages, in both API versions: what clients of it ask and are told, and what targets that speak it are
//! asked and say (wire.md, sections 0.1, 1a and 2).
//!
//! Headers are the proxy's: [`Version`] reads and names the one that matters here. Every function is pure.

mod answer;
mod count;
mod error;
mod read;
mod request;
mod stop;
mod stream;
mod usage;
mod version;
mod write;

#[cfg(test)]
mod tests;

pub use answer::{decode_answer, encode_answer};
pub use count::{decode_count, decode_count_answer, encode_count, encode_count_answer};
pub use error::{encode_error, error_event, error_type};
pub(crate) use read::FOR_PREVIOUS;
pub(crate) use read::thinking as read_thinking;
pub use request::decode_request;
pub use stream::{HELD_BYTES_MAX, StreamDecoder, StreamEncoder, TOOL_INPUT_BYTES_MAX};
pub use usage::read_usage;
pub use version::{Envelope, Version};
pub use write::{Options, Thinking, encode_request};
pub(crate) use write::{generation, thinking};
