//! One HTTP/1.1 connection: requests one after the other, answers as the faults want them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::body;
use super::head::{self, HeadError};
use super::io::Io;
use super::wire::{AnswerHead, Gone, Wire};
use crate::core::Core;
use crate::options::READ_AHEAD_BYTES_MAX;
use crate::reply;

/// How long the rest of a refused request is read.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(2);

/// Serves `io` until one of both sides closes it. `buf` holds what was read already.
pub(crate) async fn serve(core: &Arc<Core>, io: &mut Io, buf: &mut BytesMut, connection: u64) {
    loop {
        match request(core, io, buf, connection).await {
            Ok(Next::Request) => {}
            Ok(Next::Close) => break,
            // No goodbye: dropping the socket is what sends the reset.
            Ok(Next::Reset) | Err(HeadError::Gone) => return,
            Err(HeadError::Wrong(status, message)) => {
                complain(io, buf, status, &message).await;
                let _ = io.shutdown().await;
                // Closing with unread bytes would reset the connection and destroy the answer on its way.
                let _ = tokio::time::timeout(DRAIN_TIME_MAX, drain(io, buf)).await;
                return;
            }
        }
    }
    // A FIN, and a TLS close notification where there is TLS; a client that is gone does not need it.
    let _ = io.shutdown().await;
}

/// What becomes of a connection behind an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Request,
    Close,
    Reset,
}

/// One request and its answer.
async fn request(
    core: &Arc<Core>,
    io: &mut Io,
    buf: &mut BytesMut,
    connection: u64,
) -> Result<Next, HeadError> {
    let mut head = head::read(io, buf).await?;
    if head.expects && buf.is_empty() {
        io.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.map_err(|_| HeadError::Gone)?;
    }
    head.request.body = body::read(io, buf, head.framing).await?;
    head.request.connection = connection;
    let answer = H1::new(io, buf, head.keep_alive, head.old, head.request.method == "HEAD");
    let mut wire = Wire::H1(answer);
    core.handle(head.request, &mut wire).await?;
    match wire {
        Wire::H1(answer) => Ok(answer.next),
        Wire::H2(_) => Ok(Next::Close),
    }
}

async fn drain(io: &mut Io, buf: &mut BytesMut) {
    buf.clear();
    while let Ok(1..) = io.read_buf(buf).await {
        buf.clear();
    }
}

async fn complain(io: &mut Io, buf: &mut BytesMut, status: u16, message: &str) {
    let reply = reply::error(status, "invalid_request_error", None, None, message);
    let mut answer = H1::new(io, buf, false, false, false);
    if let reply::Body::Whole { bytes, .. } = reply.body {
        let head = AnswerHead { status, headers: reply.headers, length: Some(bytes.len()) };
        let _ = async {
            answer.head(&head, None).await?;
            answer.send(&bytes).await?;
            answer.finish().await
        }
        .await;
    }
}

/// An answer on an HTTP/1.1 connection.
pub(crate) struct H1<'a> {
    io: &'a mut Io,
    buf: &'a mut BytesMut,
    next: Next,
    old: bool,
    /// The answer to HEAD has no body.
    bodiless: bool,
    chunked: bool,
    out: Vec<u8>,
}

impl<'a> H1<'a> {
    fn new(io: &'a mut Io, buf: &'a mut BytesMut, keep_alive: bool, old: bool, bodiless: bool) -> Self {
        let next = if keep_alive { Next::Request } else { Next::Close };
        Self { io, buf, next, old, bodiless, chunked: false, out: Vec::with_capacity(1024) }
    }

    pub(super) async fn head(&mut self, head: &AnswerHead, drip: Option<Duration>) -> Result<(), Gone> {
        let reason = http::StatusCode::from_u16(head.status).ok().and_then(|code| code.canonical_reason());
        let mut text = format!("HTTP/1.1 {} {}\r\n", head.status, reason.unwrap_or("Status"));
        for (name, value) in &head.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let empty = matches!(head.status, 204 | 304);
        match head.length {
            Some(_) if empty => {}
            Some(length) => {
                let _ = write!(text, "content-length: {length}\r\n");
            }
            // HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
            None if self.old => {}
            None => {
                self.chunked = true;
                text.push_str("transfer-encoding: chunked\r\n");
            }
        }
        self.bodiless |= empty;
        text.push_str(if self.next == Next::Request { "\r\n" } else { "connection: close\r\n\r\n" });
        let Some(pause) = drip else { return self.write(text.as_bytes()).await };
        for byte in text.as_bytes() {
            self.write(std::slice::from_ref(byte)).await?;
            self.sleep(pause).await?;
        }
        Ok(())
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        if self.bodiless || bytes.is_empty() {
            return Ok(());
        }
        if !self.chunked {
            return self.write(bytes).await;
        }
        // Size, bytes and line end in one write: one event is one segment on the wire.
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        let _ = write!(out, "{:x}\r\n", bytes.len());
        out.extend_from_slice(bytes);
        out.extend_from_slice(b"\r\n");
        let sent = self.write(&out).await;
        self.out = out;
        sent
    }

    pub(super) async fn finish(&mut self) -> Result<(), Gone> {
        if self.chunked && !self.bodiless { self.write(b"0\r\n\r\n").await } else { Ok(()) }
    }

    pub(super) const fn cut(&mut self) {
        self.next = Next::Close;
    }

    pub(super) fn reset(&mut self) {
        self.next = Next::Reset;
        self.io.reset_on_close();
    }

    pub(super) async fn sleep(&mut self, time: Duration) -> Result<(), Gone> {
        if time.is_zero() {
            return Ok(());
        }
        tokio::select! {
            biased;
            Gone = gone(self.io, self.buf) => Err(Gone),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    pub(super) async fn silence(&mut self) -> Gone {
        gone(self.io, self.buf).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        self.io.write_all(bytes).await.map_err(|_| Gone)?;
        // Only TLS holds bytes back; for a plain socket this does nothing.
        self.io.flush().await.map_err(|_| Gone)
    }
}

/// Reads ahead until the client closes. A client that half-closes counts as gone, as it does for most servers.
async fn gone(io: &mut Io, buf: &mut BytesMut) -> Gone {
    loop {
        if buf.len() >= READ_AHEAD_BYTES_MAX {
            return std::future::pending().await;
        }
        match io.read_buf(buf).await {
            Ok(0) | Err(_) => return Gone,
            Ok(_) => {}
        }
    }
}
