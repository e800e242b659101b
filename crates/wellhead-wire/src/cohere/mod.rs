//! Cohere's own dialect, `v2/chat`, and the canonical chat model: requests, answers and streams, both ways.
//!
//! Messages look like OpenAI's, with three differences: thoughts are blocks of a content, what a model says before it
//! calls tools is its `tool_plan`, and results are text or documents. A stream ends with `message-end`, whose reason may
//! be that it failed; `data: [DONE]` behind it says nothing more.

mod answer;
mod error;
mod logprobs;
mod read;
mod stop;
mod stream;
mod usage;
mod write;

#[cfg(test)]
mod tests;

pub use answer::{decode_answer, encode_answer};
pub use error::{encode_error, error_event};
pub use read::decode_request;
pub use stream::{StreamDecoder, StreamEncoder};
pub use usage::read_usage;
pub use write::encode_request;

use crate::chat::Dialect;

const DIALECT: Dialect = Dialect::Cohere;

/// Most parts of one answer: far above what models write.
const PARTS_MAX: usize = 1024;
