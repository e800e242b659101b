//! Request bodies towards upstreams: kept whole for replay, shared by reference, never copied per attempt.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A body that is one shared piece of memory, or nothing.
#[derive(Debug, Clone, Default)]
pub struct OutBody(Option<Bytes>);

impl OutBody {
    /// No body.
    pub const fn empty() -> Self {
        Self(None)
    }

    /// This body; cloning it copies nothing.
    pub fn full(bytes: Bytes) -> Self {
        Self((!bytes.is_empty()).then_some(bytes))
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
        let Some(rest) = self.0.as_mut() else { return Poll::Ready(None) };
        let piece = if rest.len() > PIECE_BYTES_MAX {
            rest.split_to(PIECE_BYTES_MAX)
        } else {
            self.0.take().unwrap_or_default()
        };
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |b| b.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::{OutBody, PIECE_BYTES_MAX};
    use bytes::Bytes;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn a_body_arrives_whole_in_bounded_pieces_and_can_be_sent_twice() {
        let bytes = Bytes::from(
            (0..PIECE_BYTES_MAX * 2 + 7)
                .map(|i| u8::try_from(i % 251).unwrap_or_default())
                .collect::<Vec<_>>(),
        );
        let body = OutBody::full(bytes.clone());
        for mut copy in [body.clone(), body] {
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
