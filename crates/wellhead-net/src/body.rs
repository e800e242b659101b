//! Request bodies towards upstreams: shared by reference and never copied per attempt, whether they are in memory, in
//! a file, or can be sent only once.

mod file;
mod once;
mod part;
#[cfg(test)]
mod tests;

pub use file::BodyFile;
pub use once::OnceBytes;
pub use part::Part;

use bytes::Bytes;
use file::FileReader;
use http_body::{Body, Frame, SizeHint};
use once::OnceReader;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A body, from its first byte. A clone begins where the original stands.
#[derive(Debug, Clone)]
pub struct OutBody(Source);

#[derive(Debug, Clone)]
enum Source {
    Memory {
        now: Option<Bytes>,
        /// What follows, last piece first.
        later: Vec<Bytes>,
        /// Taken from what is to be sent once.
        once: bool,
    },
    // Boxed: bodies are moved about a lot, and nearly all of them are in memory.
    File(Box<FileReader>),
    Once(Box<OnceReader>),
}

impl OutBody {
    /// No body.
    pub const fn empty() -> Self {
        Self(Source::Memory { now: None, later: Vec::new(), once: false })
    }

    /// This body; cloning it copies nothing.
    pub fn full(bytes: Bytes) -> Self {
        Self(Source::Memory { now: (!bytes.is_empty()).then_some(bytes), later: Vec::new(), once: false })
    }

    /// These pieces, one after another.
    pub fn pieces(pieces: Vec<Bytes>) -> Self {
        Self(Source::memory(pieces, false))
    }

    /// What the parts make of a file. It is read as it is sent, at most one piece ahead. Must be polled within a Tokio
    /// runtime, on whose blocking pool the reads run; a read that fails ends the body with an error.
    pub fn file(file: Arc<BodyFile>, parts: Arc<[Part]>) -> Self {
        Self(Source::File(Box::new(FileReader::new(file, parts))))
    }

    /// What the parts make of bytes that are not kept: the first poll of this body, or of any other one over the same
    /// bytes, takes them, and they are gone when the last piece is. To whoever comes second the body is an error.
    pub fn once(bytes: Arc<OnceBytes>, parts: Arc<[Part]>) -> Self {
        Self(Source::Once(Box::new(OnceReader::new(bytes, parts))))
    }

    /// Its pieces, where they are in memory: looking at them sends nothing.
    pub fn in_memory(&self) -> Option<Vec<Bytes>> {
        match &self.0 {
            Source::Memory { now, later, .. } => {
                Some(now.iter().chain(later.iter().rev()).cloned().collect())
            }
            Source::File(_) => None,
            Source::Once(once) => once.peek(),
        }
    }

    /// Whether it was to be sent once and has been: there is no use in a further connection for it.
    pub fn is_spent(&self) -> bool {
        match &self.0 {
            Source::Memory { once, .. } => *once,
            Source::File(_) => false,
            Source::Once(once) => once.is_spent(),
        }
    }
}

impl Source {
    fn memory(mut pieces: Vec<Bytes>, once: bool) -> Self {
        pieces.retain(|piece| !piece.is_empty());
        pieces.reverse();
        Self::Memory { now: pieces.pop(), later: pieces, once }
    }
}

impl Default for OutBody {
    fn default() -> Self {
        Self::empty()
    }
}

/// Largest piece handed to a connection at once. Large enough to be written in one call, small enough that a slow
/// target cannot make the connection queue a 32 MiB body a second time.
const PIECE_BYTES_MAX: usize = 256 * 1024;

impl Body for OutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Source::Once(once) = &self.0 {
            match once.take() {
                Some(pieces) => self.0 = Source::memory(pieces, true),
                None => return Poll::Ready(Some(Err(once::spent()))),
            }
        }
        let piece = match &mut self.0 {
            Source::Memory { now, later, .. } => Poll::Ready(next(now, later).map(Ok)),
            Source::File(reader) => reader.poll(cx),
            Source::Once(_) => Poll::Ready(None),
        };
        piece.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Memory { now, .. } => now.is_none(),
            Source::File(reader) => reader.left() == 0,
            Source::Once(reader) => reader.length() == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match &self.0 {
            Source::Memory { now, later, .. } => {
                now.iter().chain(later).map(|piece| piece.len() as u64).sum()
            }
            Source::File(reader) => reader.left(),
            Source::Once(reader) => reader.length(),
        })
    }
}

/// The next piece of what is in memory.
fn next(now: &mut Option<Bytes>, later: &mut Vec<Bytes>) -> Option<Bytes> {
    match now {
        Some(rest) if rest.len() > PIECE_BYTES_MAX => Some(rest.split_to(PIECE_BYTES_MAX)),
        _ => std::mem::replace(now, later.pop()),
    }
}
