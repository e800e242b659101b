//! HTTP/1.1 towards targets without I/O (RFC 9112): request heads written, response heads read, bodies unframed.
//!
//! Small on purpose. Neither pipelining nor upgrades exist here, so whatever a target sends beyond its one answer means
//! that its connection is not used again.

mod body;
mod chunked;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use body::Unframe;
pub use request::write_request;
pub use response::{FIELDS_MAX, Framing, HEAD_BYTES_MAX, ResponseHead, read_response};

use std::fmt;

/// Why a response cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// Not a status line and fields.
    Head(httparse::Error),
    /// The head is larger than [`HEAD_BYTES_MAX`].
    HeadTooLarge,
    /// The status is not a number from 100 to 999.
    Status,
    /// A field holds what no field may hold.
    Field,
    /// The fields contradict each other about where the body ends.
    Framing(&'static str),
    /// The answer goes beyond what the request asked for.
    Unasked(&'static str),
    /// A chunk's frame is broken.
    Chunk(&'static str),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(error) => write!(f, "the response's head is malformed: {error}"),
            Self::HeadTooLarge => {
                write!(f, "the response's head is larger than {HEAD_BYTES_MAX} bytes")
            }
            Self::Status => f.write_str("the response's status is not a number from 100 to 999"),
            Self::Field => f.write_str("a field of the response's head holds a forbidden character"),
            Self::Framing(what) => write!(f, "the response's length is unclear: {what}"),
            Self::Unasked(what) => write!(f, "the target sent what nobody asked for: {what}"),
            Self::Chunk(what) => write!(f, "the response's chunked body is malformed: {what}"),
        }
    }
}

impl std::error::Error for Malformed {}
