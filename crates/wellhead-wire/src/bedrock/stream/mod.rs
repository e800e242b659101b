//! Streams: from a target's messages to the canonical events, and from those to a client's messages.

mod decoder;
mod encoder;
mod open;

pub use decoder::StreamDecoder;
pub use encoder::StreamEncoder;
pub use open::TOOL_INPUT_BYTES_MAX;
