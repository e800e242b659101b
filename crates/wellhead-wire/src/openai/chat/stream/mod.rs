//! Streamed answers.

mod calls;
mod decode;
mod encode;
mod speaker;

pub use decode::StreamDecoder;
pub use encode::StreamEncoder;
