//! Streamed answers: named events.

mod decoder;
mod encoder;

pub use decoder::StreamDecoder;
pub use encoder::StreamEncoder;
