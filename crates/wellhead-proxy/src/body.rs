//! What clients get as a body: something small and whole, an upstream's body passed on, or a stream that is watched.

use crate::answer::Relay;
use crate::stream::ClientStream;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use wellhead_wire::translate::Outbound;

/// The body of an answer.
#[derive(Debug)]
pub enum GatewayBody {
    /// All of it, or nothing more.
    Whole(Option<Bytes>),
    /// An upstream's body, byte for byte.
    Relay(RelayBody),
    /// A stream of events.
    Stream(StreamBody),
    /// The same in the dialect of a client who does not speak ours.
    Translated(Box<TranslatedBody>),
}

/// A stream that is translated as it goes out.
#[derive(Debug)]
pub struct TranslatedBody {
    pub(crate) inner: GatewayBody,
    pub(crate) outbound: Outbound,
    pub(crate) closed: bool,
}

impl TranslatedBody {
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        while !self.closed {
            let frame = std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx));
            let out = match frame {
                Some(Ok(frame)) => {
                    frame.into_data().map_or_else(|_| Bytes::new(), |data| self.outbound.push(data))
                }
                Some(Err(error)) => {
                    self.closed = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    self.closed = true;
                    self.outbound.close()
                }
            };
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(out)));
            }
        }
        Poll::Ready(None)
    }
}

/// Keeps the relay's inner types private.
#[derive(Debug)]
pub struct RelayBody(pub(crate) Box<Relay>);

/// Keeps the stream's inner types private.
#[derive(Debug)]
pub struct StreamBody(pub(crate) Pin<Box<ClientStream>>);

/// An answer that broke off. The connection is closed without a proper end, so that nobody takes it for complete.
#[derive(Debug)]
pub struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the upstream's answer broke off")
    }
}

impl std::error::Error for BrokenOff {}

impl GatewayBody {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()).filter(|b| !b.is_empty()))
    }
}

impl Body for GatewayBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Relay(relay) => relay.0.poll_data(cx).map(|data| data.map(|d| d.map(Frame::data))),
            Self::Translated(body) => body.poll_data(cx).map(|data| data.map(|d| d.map(Frame::data))),
            Self::Stream(stream) => {
                stream.0.as_mut().poll_data(cx).map(|data| data.map(|d| Ok(Frame::data(d))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Relay(relay) => relay.0.size_hint(),
            Self::Stream(_) | Self::Translated(_) => SizeHint::default(),
        }
    }
}
