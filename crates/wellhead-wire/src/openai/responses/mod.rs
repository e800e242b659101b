//! OpenAI Responses and the canonical chat model: requests, answers, streams and errors, both ways.
//!
//! A client's body that stays within the dialect keeps its bytes and never comes here. What lives at one vendor only
//! (earlier answers by their id, conversations, prompt templates) cannot be said to another one and is refused by name.

mod answer;
mod echo;
mod error;
mod names;
mod proof;
mod read;
mod stop;
mod stream;
mod usage;
mod write;

#[cfg(test)]
mod tests;

use crate::chat::{Dialect, members};

pub use answer::{decode_answer, encode_answer, encode_answer_for};
pub use echo::Echo;
pub use error::{encode_error, error_event};
pub use read::{decode_request, decode_request_and_echo};
pub use stream::{StreamDecoder, StreamEncoder};
pub use usage::read_usage;
pub use write::encode_request;

const DIALECT: Dialect = Dialect::Responses;

/// The words for service classes. Others are other vendors', and clients of strict types refuse them.
const TIERS: [&str; 7] = ["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"];

/// Most items and most parts of one answer: far above what models write.
const PARTS_MAX: usize = 1024;
