//! Request bodies towards upstreams: kept whole for replay, shared by reference, never copied per attempt.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A body in shared pieces of memory, or nothing.
#[derive(Debug, Clone, Default)]
pub struct OutBody {
    now: Option<Bytes>,
    /// What follows, last piece first.
    later: Vec<Bytes>,
}

impl OutBody {
    /// No body.
    pub const fn empty() -> Self {
        Self { now: None, later: Vec::new() }
    }

    /// This body; cloning it copies nothing.
    pub fn full(bytes: Bytes) -> Self {
        Self { now: (!bytes.is_empty()).then_some(bytes), later: Vec::new() }
    }

    /// These pieces, one after another.
    pub fn pieces(mut pieces: Vec<Bytes>) -> Self {
        pieces.retain(|piece| !piece.is_empty());
        pieces.reverse();
        Self { now: pieces.pop(), later: pieces }
    }
}

/// Largest piece handed to a connection at once. Large enough to be written in one call, small enough that a slow
/// target cannot make the connection queue a 32 MiB body a second time.
const PIECE_BYTES_MAX: usize = 256 * 1024;

impl Body for OutBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(rest) = self.now.as_mut() else { return Poll::Ready(None) };
        let piece = if rest.len() > PIECE_BYTES_MAX {
            rest.split_to(PIECE_BYTES_MAX)
        } else {
            let next = self.later.pop();
            std::mem::replace(&mut self.now, next).unwrap_or_default()
        };
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.now.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.now.iter().chain(&self.later).map(|piece| piece.len() as u64).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::{OutBody, PIECE_BYTES_MAX};
    use bytes::Bytes;
    use http_body::Body;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn a_body_arrives_whole_in_bounded_pieces_and_can_be_sent_twice() {
        let bytes = Bytes::from(
            (0..PIECE_BYTES_MAX * 2 + 7)
                .map(|i| u8::try_from(i % 251).unwrap_or_default())
                .collect::<Vec<_>>(),
        );
        let body = OutBody::full(bytes.clone());
        let cut = [0..7, 7..7, 7..bytes.len()].map(|range| bytes.slice(range)).to_vec();
        for mut copy in [body.clone(), body, OutBody::pieces(cut)] {
            assert_eq!(copy.size_hint().exact(), Some(bytes.len() as u64));
            let mut got = Vec::new();
            while let Some(Ok(frame)) = copy.frame().await {
                let data = frame.into_data().unwrap_or_default();
                assert!(data.len() <= PIECE_BYTES_MAX);
                got.extend_from_slice(&data);
            }
            assert_eq!(got, bytes);
        }
    }
}
