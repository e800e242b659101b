//! Ollama's own dialect, `/api/chat`, and the canonical chat model: requests, answers and streams, both ways.
//!
//! A stream is lines of JSON ([`Lines`] cuts it), the last of which says `done`. Contents are one text with images
//! beside it; arguments of calls are objects; an answer has no id.

mod answer;
mod decode;
mod encode;
mod error;
mod lines;
mod stream;
mod time;

#[cfg(test)]
mod tests;

pub use answer::{decode_answer, encode_answer, read_usage};
pub use decode::decode_request;
pub use encode::{Options, encode_request};
pub use error::{encode_error, error_line};
pub use lines::{LINE_BYTES_MAX, LineTooLong, Lines};
pub use stream::{StreamDecoder, StreamEncoder};

/// Most parts of one answer: far above what models write.
const PARTS_MAX: usize = 1024;
