//! The body of an answer, read piece by piece as its reader asks for it.

use super::Socket;
use super::out::Outgoing;
use crate::SendError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use wellhead_http::http1::{Malformed, Unframe};
use wellhead_types::{Cause, Stage};

/// An answer's body and the connection that it comes from.
#[derive(Debug)]
pub(crate) struct H1Body {
    /// Gone when the body is complete and the connection may be used again, or when it broke.
    socket: Option<Socket>,
    /// What is left of the request, where the answer came before its end.
    out: Option<Box<Outgoing>>,
    unframe: Unframe,
    /// Came together with the head.
    first: Option<Bytes>,
    /// Why nothing follows; what came before it is delivered first.
    malformed: Option<Malformed>,
    reusable: bool,
}

impl H1Body {
    pub(super) fn new(
        socket: Socket,
        out: Outgoing,
        unframe: Unframe,
        reusable: bool,
        first: Vec<u8>,
    ) -> Self {
        let out = (!out.is_done()).then(|| Box::new(out));
        let first = (!first.is_empty()).then(|| first.into());
        Self { socket: Some(socket), out, unframe, first, malformed: None, reusable }
    }

    /// The connection, once the body is complete and if it may be used again.
    pub(crate) fn recycle(&mut self) -> Option<Socket> {
        if !self.unframe.is_done() {
            return None;
        }
        let socket = self.socket.take();
        socket.filter(|_| self.reusable && self.out.is_none())
    }

    /// Takes what was read out of its frame. What is sound is delivered before the error that follows it.
    fn take(&mut self, bytes: &[u8]) -> (Option<Bytes>, Result<(), Malformed>) {
        let mut data = Vec::with_capacity(bytes.len());
        let used = self.unframe.push(bytes, &mut data);
        if matches!(used, Ok(used) if used < bytes.len()) {
            self.reusable = false;
        }
        ((!data.is_empty()).then(|| data.into()), used.map(drop))
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, SendError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        self.poll_rest(cx);
        while !self.unframe.is_done() {
            if let Some(malformed) = self.malformed.take() {
                let error = SendError::new(Stage::Stream, Cause::ProtocolError, malformed.to_string());
                return Poll::Ready(Some(Err(error)));
            }
            let Some(mut socket) = self.socket.take() else {
                return Poll::Ready(Some(Err(broken(None))));
            };
            let read = match socket.poll_read(cx, |bytes| self.take(bytes)) {
                Poll::Pending => {
                    self.socket = Some(socket);
                    return Poll::Pending;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(broken(Some(&error))))),
                Poll::Ready(Ok(read)) => read,
            };
            match read {
                None if self.unframe.close() => {}
                None => return Poll::Ready(Some(Err(broken(None)))),
                Some((data, sound)) => {
                    self.malformed = sound.err();
                    self.socket = Some(socket).filter(|_| self.malformed.is_none());
                    if let Some(data) = data {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
        Poll::Ready(None)
    }

    /// Goes on sending a request whose answer has begun already. Whether it arrives is told by the answer.
    fn poll_rest(&mut self, cx: &mut Context<'_>) {
        let (Some(out), Some(socket)) = (&mut self.out, &mut self.socket) else { return };
        match out.poll(socket, cx) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => self.out = None,
            Poll::Ready(Err(_)) => {
                self.out = None;
                self.reusable = false;
            }
        }
    }
}

fn broken(error: Option<&io::Error>) -> SendError {
    let detail = match error {
        Some(error) => format!("the answer broke off: {error}"),
        None => "the target closed the connection within its answer".to_owned(),
    };
    SendError::new(Stage::Stream, Cause::ResponseIncomplete, detail)
}

impl Body for H1Body {
    type Data = Bytes;
    type Error = SendError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SendError>>> {
        self.poll_data(cx).map(|data| data.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.unframe.is_done()
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().map_or(0, |bytes| bytes.len() as u64);
        match self.unframe.left() {
            Some(left) => SizeHint::with_exact(first + left),
            None if self.unframe.is_done() => SizeHint::with_exact(first),
            None => SizeHint::default(),
        }
    }
}
