//! Whole answers.

mod decode;
mod encode;

pub use decode::decode_answer;
pub(super) use decode::{image as read_image, piece, vendors};
pub(super) use encode::{audio, image};
pub use encode::{encode_answer, encode_answer_for};
