//! Amazon Bedrock's `Converse` and `ConverseStream`: what targets that speak it are asked and say, and the other side of
//! it for whoever plays such a target (wire.md, sections 1a and 2; the names are those of Amazon's own service model).
//!
//! One form for the models of many vendors, each of which takes a part of it: [`Family`] says which. Streams are
//! messages of [`crate::eventstream`]. The model and whether it streams stand in the path: [`Call`].

mod answer;
mod error;
mod family;
mod media;
mod path;
mod read;
mod stop;
mod stream;
mod usage;
mod wire;
mod write;

#[cfg(test)]
mod tests;

pub use answer::{decode_answer, encode_answer};
pub use error::{encode_error, error_event, exception_of};
pub use family::{Family, Options};
pub use path::Call;
pub use read::decode_request;
pub use stream::{StreamDecoder, StreamEncoder, TOOL_INPUT_BYTES_MAX};
pub use usage::read_usage;
pub use write::encode_request;

use crate::chat::Dialect;

const DIALECT: Dialect = Dialect::Bedrock;

/// The media type of streams.
pub const STREAM_MEDIA_TYPE: &str = "application/vnd.amazon.eventstream";

/// Errors under a success have this status.
const STATUS: u16 = 200;
