//! `application/vnd.amazon.eventstream`: the binary framing of Amazon's streams (`ConverseStream`,
//! `InvokeModelWithResponseStream`).
//!
//! ```text
//! total length   u32  ─┐
//! headers length u32   │ prelude
//! CRC-32 of both u32  ─┘
//! headers             name, type, value; one after another
//! payload             what is left
//! CRC-32 of all  u32   of everything before it, the prelude's own included
//! ```
//!
//! All numbers are big-endian. [`Decoder`] takes bytes as they come and gives whole messages whose sums are right, or
//! the one error that ends the stream: nothing tells where the next message would begin.

mod decode;
mod encode;
mod header;
mod message;

#[cfg(test)]
mod tests;

pub use decode::{DecodeError, Decoder, Tail};
pub use encode::{TooLarge, encode};
pub use header::{HeaderError, Headers, Value};
pub use message::{Kind, Message};

/// Longest message in bytes, as the format has it: 16 MiB. A decoder may allow less.
pub const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// Longest headers of a message in bytes, as the format has it: 128 KiB.
pub const HEADERS_BYTES_MAX: usize = 128 << 10;
/// The two lengths and their sum.
const PRELUDE_BYTES: usize = 12;
/// The sum at the end.
const SUM_BYTES: usize = 4;
/// A message without headers and payload.
const EMPTY_BYTES: usize = PRELUDE_BYTES + SUM_BYTES;

/// The big-endian number at the beginning of these bytes, if there are four.
fn u32_of(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().map(|number| u32::from_be_bytes(*number))
}
