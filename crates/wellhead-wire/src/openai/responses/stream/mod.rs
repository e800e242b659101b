//! Streams.

mod decode;
mod encode;
mod item;
mod open;

pub use decode::StreamDecoder;
pub use encode::StreamEncoder;
