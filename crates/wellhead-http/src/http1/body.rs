//! Taking a body out of its frame.

use super::chunked::Chunked;
use super::{Framing, Malformed};

/// A reader of one body, whatever its framing.
#[derive(Debug, Clone)]
pub struct Unframe(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    Closed,
}

impl Unframe {
    /// A reader at the start of a body.
    pub const fn new(framing: Framing) -> Self {
        Self(match framing {
            Framing::Length(bytes) => Kind::Length(bytes),
            Framing::Chunked => Kind::Chunked(Chunked::new()),
            Framing::UntilClose => Kind::UntilClose,
        })
    }

    /// Appends the body's share of `input` to `out`. Returns how much of `input` belongs to this answer: less than all
    /// of it means that the target sent something that nobody asked for.
    ///
    /// # Errors
    ///
    /// `Malformed`; what was appended before is sound.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, Malformed> {
        match &mut self.0 {
            Kind::Length(left) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                out.extend_from_slice(&input[..take]);
                *left -= take as u64;
                Ok(take)
            }
            Kind::Chunked(chunked) => chunked.push(input, out),
            Kind::UntilClose => {
                out.extend_from_slice(input);
                Ok(input.len())
            }
            Kind::Closed => Ok(0),
        }
    }

    /// The target has closed the connection. Returns whether that is a proper end.
    pub fn close(&mut self) -> bool {
        if matches!(self.0, Kind::UntilClose) {
            self.0 = Kind::Closed;
        }
        self.is_done()
    }

    /// The body is complete.
    pub fn is_done(&self) -> bool {
        match &self.0 {
            Kind::Length(left) => *left == 0,
            Kind::Chunked(chunked) => chunked.is_done(),
            Kind::UntilClose => false,
            Kind::Closed => true,
        }
    }

    /// Bytes that are still to come, where the head said so.
    pub const fn left(&self) -> Option<u64> {
        match &self.0 {
            Kind::Length(left) => Some(*left),
            Kind::Chunked(_) | Kind::UntilClose | Kind::Closed => None,
        }
    }
}
