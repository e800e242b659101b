//! A body as what is kept of the client's and what is new.

use bytes::Bytes;
use std::ops::Range;

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// These bytes of what the client sent.
    Kept(Range<u64>),
    /// These bytes instead.
    New(Bytes),
}

impl Part {
    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Kept(range) => range.end.saturating_sub(range.start),
            Self::New(bytes) => bytes.len() as u64,
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What all of them make, in bytes.
pub(super) fn length(parts: &[Part]) -> u64 {
    parts.iter().map(Part::len).sum()
}
