//! OpenAI Chat Completions and the canonical chat model: requests, answers, streams and errors, both ways.
//!
//! Bodies that stay within the dialect keep their bytes and never come here (but for [`without_foreign_thoughts`]). Where vendors depart from the dialect, they
//! do so in [`Options`]; what they send back is read in every form that is in use, without being told whose it is.

mod answer;
mod call;
mod decode;
mod encode;
mod error;
mod foreign;
mod media;
mod options;
mod params;
mod stop;
mod stream;
mod thought;
mod usage;

#[cfg(test)]
mod tests;

use crate::chat::members;

pub use answer::{decode_answer, encode_answer, encode_answer_for};
pub use decode::decode_request;
pub use encode::encode_request;
pub use error::{encode_error, error_event};
pub use foreign::without_foreign_thoughts;
pub use options::{Options, PrefillMark, ReasoningBack, Style, ThinkingForm};
pub use params::{Param, Params};
pub use stream::{StreamDecoder, StreamEncoder};
pub use usage::read_usage;

pub(crate) use encode::{effort_of, short_id};
pub(crate) use media::{audio_format, data_uri, from_data_uri};

/// Most answers to one request; OpenAI's own limit on `n`.
const CANDIDATES_MAX: usize = 128;

/// Numbers of answers above this are a vendor's mistake.
const CANDIDATE_INDEX_MAX: u32 = 4096;

/// Most parts of one answer and most parts of one message that the model named: far above what models write.
const PARTS_MAX: usize = 1024;
