//! The bytes beneath: clear or encrypted, with one buffer per thread for everything that is read.

use crate::network::Stream;
use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::unconstrained;
use tokio_rustls::client::TlsStream;

/// What one call reads at most; each thread has one buffer. As much as a TLS record: what a reader who has stopped leaves
/// behind is a few pieces of this size.
const READ_BYTES_MAX: usize = 16 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES_MAX].into_boxed_slice());
}

/// A connection's socket.
#[derive(Debug)]
pub(crate) enum Socket {
    Clear(TcpStream),
    /// Boxed: its state is a hundred times that of a socket.
    Tls(Box<TlsStream<TcpStream>>),
    /// Of a network that is made up.
    Made(Box<dyn Stream>),
}

impl Socket {
    /// Reads once, and hands what was read to `take`; `None` is the end. The bytes are the thread's, not the socket's:
    /// whoever waits for a slow target holds no buffer meanwhile.
    pub(super) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<Option<T>>> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            let read = match self {
                Self::Clear(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
                Self::Tls(stream) => Pin::new(&mut **stream).poll_read(cx, &mut buffer),
                Self::Made(stream) => Pin::new(&mut **stream).poll_read(cx, &mut buffer),
            };
            std::task::ready!(read)?;
            let bytes = buffer.filled();
            Poll::Ready(Ok((!bytes.is_empty()).then(|| take(bytes))))
        })
    }

    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Clear(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write_vectored(cx, slices),
            Self::Made(stream) => Pin::new(&mut **stream).poll_write_vectored(cx, slices),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Clear(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_flush(cx),
            Self::Made(stream) => Pin::new(&mut **stream).poll_flush(cx),
        }
    }

    /// Whether an idle connection may carry another request: open, and nothing has been said on it. Costs a system call
    /// only when something happened.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        // Outside the task's budget: once that is used up every connection would look quiet.
        let read = unconstrained(std::future::poll_fn(|cx| self.poll_read(cx, |_| ())));
        std::pin::pin!(read).poll(&mut cx).is_pending()
    }
}
