//! Streams: from a target's events to the canonical ones, and from those to a client's.

mod decoder;
mod encoder;
mod open;
mod relay;
mod wire;

pub use decoder::{StreamDecoder, TOOL_INPUT_BYTES_MAX};
pub use encoder::{HELD_BYTES_MAX, StreamEncoder};
