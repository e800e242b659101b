//! A client's socket that can be cut instead of closed. To an HTTP/1.0 client the end of the connection is the end of a
//! body whose length it was not told (RFC 9112 section 6.3): an answer that broke off has to end with a reset, or it
//! would look finished.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The socket.
pub(crate) struct Cuttable {
    stream: TcpStream,
    cut: Arc<Cut>,
}

/// What is known of the connection.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    /// The client speaks HTTP/1.0.
    old: AtomicBool,
    broken: AtomicBool,
}

impl Cut {
    /// A request has come.
    pub(crate) fn on_request(&self, version: http::Version) {
        if version < http::Version::HTTP_11 {
            self.old.store(true, Relaxed);
        }
    }

    /// The answer broke off.
    pub(crate) fn on_broken(&self) {
        self.broken.store(true, Relaxed);
    }
}

impl Cuttable {
    pub(crate) fn new(stream: TcpStream) -> (Self, Arc<Cut>) {
        let cut = Arc::<Cut>::default();
        (Self { stream, cut: cut.clone() }, cut)
    }
}

impl Drop for Cuttable {
    fn drop(&mut self) {
        if self.cut.old.load(Relaxed) && self.cut.broken.load(Relaxed) {
            // Without lingering, closing is a reset.
            let outcome = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
            if let Err(error) = outcome {
                tracing::debug!(%error, "a connection could not be cut");
            }
        }
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
