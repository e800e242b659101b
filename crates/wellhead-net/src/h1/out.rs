//! Sending one request.

use super::Socket;
use crate::OutBody;
use bytes::Bytes;
use http::Request;
use http_body::Body;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use wellhead_http::http1::write_request;

/// A first piece up to this goes into one buffer with the head: copying it is cheaper than a second slice.
const TOGETHER_BYTES_MAX: usize = 16 * 1024;

/// Why a request could not be sent whole.
#[derive(Debug)]
pub(super) enum Unsent {
    /// Its own body failed: the target waits for what will never come.
    Body(io::Error),
    /// The connection did. The target may have said why before it closed.
    Socket(io::Error),
}

/// What is left to send.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// The head, perhaps with the first piece; empty when it has been written.
    head: Vec<u8>,
    /// How much of the head has been written.
    written: usize,
    piece: Bytes,
    body: OutBody,
    /// Bytes of the body that the head announced and that have not been taken from `body`.
    unread: u64,
    done: bool,
}

impl Outgoing {
    pub(super) fn new(request: Request<OutBody>) -> Self {
        let (parts, body) = request.into_parts();
        let unread = body.size_hint().exact().unwrap_or(0);
        let more = usize::try_from(unread).ok().filter(|bytes| *bytes <= TOGETHER_BYTES_MAX).unwrap_or(0);
        let head = write_request(&parts.method, &parts.uri, &parts.headers, unread, more);
        Self { head, written: 0, piece: Bytes::new(), body, unread, done: false }
    }

    /// The body could be sent only once, and has been begun.
    pub(super) fn is_spent(&self) -> bool {
        self.body.is_spent()
    }

    /// Everything has been sent.
    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    /// Sends as much as the socket takes. Ready when everything is sent.
    pub(super) fn poll(&mut self, socket: &mut Socket, cx: &mut Context<'_>) -> Poll<Result<(), Unsent>> {
        while !self.done {
            if self.piece.is_empty() && self.unread > 0 {
                match self.poll_piece(cx) {
                    Poll::Ready(read) => read.map_err(Unsent::Body)?,
                    // The head need not wait for the body's first piece.
                    Poll::Pending if self.head.is_empty() => return Poll::Pending,
                    Poll::Pending => {}
                }
            }
            if self.head.is_empty() && self.piece.is_empty() {
                std::task::ready!(socket.poll_flush(cx)).map_err(Unsent::Socket)?;
                self.done = true;
                break;
            }
            let slices = [IoSlice::new(&self.head[self.written..]), IoSlice::new(&self.piece)];
            let slices = if self.head.is_empty() { &slices[1..] } else { &slices[..] };
            match std::task::ready!(socket.poll_write(cx, slices)).map_err(Unsent::Socket)? {
                0 => return Poll::Ready(Err(Unsent::Socket(io::ErrorKind::WriteZero.into()))),
                sent => self.advance(sent),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        let piece = match frame {
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
            None => Bytes::new(),
        };
        let bytes = piece.len() as u64;
        if bytes == 0 || bytes > self.unread {
            // The head has said how much follows; anything else would be taken for the next request.
            return Poll::Ready(Err(io::Error::other(
                "the request's body has not the length that it announced",
            )));
        }
        self.unread -= bytes;
        if self.written == 0 && !self.head.is_empty() && piece.len() <= self.head.capacity() - self.head.len()
        {
            self.head.extend_from_slice(&piece);
        } else {
            self.piece = piece;
        }
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, mut sent: usize) {
        if !self.head.is_empty() {
            let of_head = sent.min(self.head.len() - self.written);
            self.written += of_head;
            sent -= of_head;
            if self.written == self.head.len() {
                self.head = Vec::new();
                self.written = 0;
            }
        }
        drop(self.piece.split_to(sent.min(self.piece.len())));
    }
}
