//! Whole answers.

mod decode;
mod encode;

pub use decode::decode_answer;
pub(super) use decode::{arguments, parts_of};
pub use encode::{encode_answer, encode_answer_for};
pub(super) use encode::{image_item, item_prefix, token};
