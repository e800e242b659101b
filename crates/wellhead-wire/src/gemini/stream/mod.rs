//! Streamed answers: every chunk is an answer of its own, with what is new since the one before.

mod decoder;
mod encoder;

pub use decoder::StreamDecoder;
pub use encoder::StreamEncoder;
