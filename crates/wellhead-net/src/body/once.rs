//! A body that can be sent once, because nobody may keep it.

use super::part::{Part, length};
use bytes::Bytes;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that wait for the one who sends them.
#[derive(Debug)]
pub struct OnceBytes(Mutex<Option<Bytes>>);

impl OnceBytes {
    /// Bytes to be sent once. Whoever makes them has to let go of its own handle, or nothing is released.
    pub const fn new(bytes: Bytes) -> Self {
        Self(Mutex::new(Some(bytes)))
    }

    /// Whether a body over them has been begun. If not, nothing of them was sent, and they may still be.
    pub fn is_spent(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// The bytes, while nothing of them was sent.
    pub fn peek(&self) -> Option<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take(&self) -> Option<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A body over them that has not been begun.
#[derive(Debug, Clone)]
pub(super) struct OnceReader {
    bytes: Arc<OnceBytes>,
    parts: Arc<[Part]>,
}

impl OnceReader {
    pub(super) const fn new(bytes: Arc<OnceBytes>, parts: Arc<[Part]>) -> Self {
        Self { bytes, parts }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.bytes.is_spent()
    }

    pub(super) fn length(&self) -> u64 {
        length(&self.parts)
    }

    /// The pieces, for the first who asks.
    pub(super) fn take(&self) -> Option<Vec<Bytes>> {
        Some(self.pieces(&self.bytes.take()?))
    }

    /// The pieces, which stay where they are.
    pub(super) fn peek(&self) -> Option<Vec<Bytes>> {
        Some(self.pieces(&self.bytes.peek()?))
    }

    fn pieces(&self, bytes: &Bytes) -> Vec<Bytes> {
        let piece = |part: &Part| match part {
            Part::Kept(range) => {
                let bound = |at: u64| usize::try_from(at).map_or(bytes.len(), |at| at.min(bytes.len()));
                bytes.slice(bound(range.start)..bound(range.end).max(bound(range.start)))
            }
            Part::New(new) => new.clone(),
        };
        self.parts.iter().map(piece).collect()
    }
}

/// What the second one gets.
pub(super) fn spent() -> io::Error {
    io::Error::other("the request's body was not kept, and has been sent to another connection already")
}
