//! The Gemini dialect: `generateContent` and its relatives, as AI Studio and Vertex AI speak it.
//!
//! Both services read proto3 JSON: members may be written in camelCase or in `snake_case`, whole numbers may be texts,
//! and a list of one may be given without its brackets. Clients get the same leniency here; what is written is always
//! camelCase. Sources: Google's API reference for both services, the types of the official SDK (google-genai 3.4), and
//! wire.md for what they do in practice.

pub mod embed;

mod answer;
mod calls;
mod config;
mod contents;
mod count;
mod error;
mod logprobs;
mod media;
mod options;
mod parts;
mod path;
mod pieces;
mod proto;
mod request;
mod result;
mod schema;
mod sign;
mod stop;
mod stream;
mod thinking;
mod tools;
mod usage;
mod when;
mod written;

#[cfg(test)]
mod tests;

pub use answer::{decode_answer, encode_answer};
pub use count::{decode_count, decode_count_request, encode_count, encode_count_request};
pub use error::{encode_error, encode_error_after, error_event};
pub use options::{Options, Service, Thinking};
pub(crate) use path::decode as percent_decoded;
pub use path::{Call, Framing, Method};
pub use request::{decode_request, encode_request};
pub(crate) use sign::{UNCHECKED, from_client as unmarked, to_client as marked};
pub use stream::{StreamDecoder, StreamEncoder};
pub use usage::read_usage;

use crate::chat::Dialect;

const GEMINI: Dialect = Dialect::Gemini;

/// Most bytes of one call's arguments: above what any model writes in one answer.
const ARGUMENTS_BYTES_MAX: usize = 1024 * 1024;

/// Most candidates of an answer; Google's own limit is 8.
const CANDIDATES_MAX: usize = 64;
