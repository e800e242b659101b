//! Client connections: HTTP/1.1 and HTTP/2 with prior knowledge on one port, told apart by their first bytes.

use crate::cut::Cuttable;
use crate::drain::{Drain, DrainPhase};
use crate::listen::tune;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Limits of client connections.
#[derive(Debug, Clone)]
pub struct ServeLimits {
    /// Connections per process; beyond it new ones wait in the kernel's queue.
    pub connections_max: usize,
    /// Time for a client to send its headers, the idle time between two requests included.
    pub header_timeout: Duration,
    /// Request line and headers.
    pub header_bytes_max: usize,
    /// HTTP/2 streams per connection.
    pub streams_max: u32,
}

/// HTTP/1.1 buffers of a client connection.
const BUFFER_BYTES_MAX: usize = 128 * 1024;
/// HTTP/2 windows: see the connector for why the connection's is large.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// A client that acknowledges nothing for this long is gone; one that reads slowly still acknowledges.
const CLIENT_SILENT_MAX: Duration = Duration::from_secs(120);
/// What one HTTP/2 stream may have waiting for a slow reader.
const SEND_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Pause after the kernel refused a connection (out of descriptors): without it the loop would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts until the drain says stop; then waits until the last connection is closed. `handle` is called per request;
/// dropping its future (the client went away) cancels the request.
pub async fn serve_connections<H, F, B>(
    listener: TcpListener,
    limits: ServeLimits,
    drain: Drain,
    open: Arc<AtomicUsize>,
    handle: H,
) where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (builders, header_timeout) = (Arc::new(Builders::new(&limits)), limits.header_timeout);
    let mut tasks = tokio::task::JoinSet::new();
    let mut closing = std::pin::pin!(drain.reached(DrainPhase::Closing));
    loop {
        tokio::select! {
            biased;
            Some(_ended) = tasks.join_next(), if !tasks.is_empty() => {}
            () = &mut closing => break,
            accepted = listener.accept(), if open.load(Ordering::Relaxed) < limits.connections_max => match accepted {
                Ok((stream, peer)) => {
                    let guard = OpenGuard::new(open.clone());
                    let (builders, handle, drain) = (builders.clone(), handle.clone(), drain.clone());
                    tasks.spawn(async move {
                        connection(stream, peer, &builders, header_timeout, drain, handle).await;
                        drop(guard);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            () = tokio::time::sleep(ACCEPT_PAUSE), if open.load(Ordering::Relaxed) >= limits.connections_max => {}
        }
    }
    drop(listener);
    let all_closed = async { while tasks.join_next().await.is_some() {} };
    tokio::select! {
        () = all_closed => {}
        () = drain.reached(DrainPhase::Now) => {}
    }
}

/// How connections of either version are served.
struct Builders {
    h1: http1::Builder,
    h2: http2::Builder<TokioExecutor>,
}

impl Builders {
    fn new(limits: &ServeLimits) -> Self {
        let (mut h1, mut h2) = (http1::Builder::new(), http2::Builder::new(TokioExecutor::new()));
        h1.timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size(BUFFER_BYTES_MAX.max(limits.header_bytes_max));
        h2.timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams_max)
            .max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(SEND_BUFFER_BYTES_MAX)
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(20));
        Self { h1, h2 }
    }
}

async fn connection<H, F, B>(
    stream: TcpStream,
    peer: SocketAddr,
    builders: &Builders,
    header_timeout: Duration,
    drain: Drain,
    handle: H,
) where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    tune(&stream, CLIENT_SILENT_MAX);
    let Some(version) = speaks(&stream, header_timeout).await else { return };
    let (stream, cut) = Cuttable::new(stream);
    let version_of = cut.clone();
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        version_of.on_request(request.version());
        // In its own place at once: hyper would copy it whole, several times over.
        let answer = Box::pin(handle(request, peer));
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let io = TokioIo::new(stream);
    let closing = drain.reached(DrainPhase::Closing);
    match version {
        Spoken::H1 => {
            let mut connection = std::pin::pin!(builders.h1.serve_connection(io, service));
            let ended = tokio::select! {
                biased;
                outcome = connection.as_mut() => Some(outcome),
                () = closing => None,
            };
            let outcome = match ended {
                Some(outcome) => outcome,
                None => {
                    connection.as_mut().graceful_shutdown();
                    connection.as_mut().await
                }
            };
            if outcome.as_ref().is_err_and(hyper::Error::is_user) {
                cut.on_broken();
            }
            log_end(outcome);
        }
        // Boxed: few clients speak it, and its state is several times that of HTTP/1.1.
        Spoken::H2 => {
            let mut connection = Box::pin(builders.h2.serve_connection(io, service));
            tokio::select! {
                biased;
                outcome = connection.as_mut() => return log_end(outcome),
                () = closing => connection.as_mut().graceful_shutdown(),
            }
            log_end(connection.await);
        }
    }
}

/// The version that a client speaks.
enum Spoken {
    H1,
    H2,
}

/// Waits until the client has said enough to tell HTTP/1.1 from HTTP/2 (RFC 9113 section 3.4). Whoever connects and
/// says nothing, or only the start of the HTTP/2 preface, is let go: from then on hyper's own limit counts.
async fn speaks(stream: &TcpStream, limit: Duration) -> Option<Spoken> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    /// Between two looks at a preface that is not complete yet.
    const LOOK_AGAIN: Duration = Duration::from_millis(10);
    let enough = async {
        let mut seen = [0; PREFACE.len()];
        loop {
            match stream.peek(&mut seen).await {
                Ok(0) | Err(_) => return None,
                Ok(n) if seen[..n] != PREFACE[..n] => return Some(Spoken::H1),
                Ok(n) if n == PREFACE.len() => return Some(Spoken::H2),
                Ok(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    };
    tokio::time::timeout(limit, enough).await.unwrap_or(None)
}

/// Clients come and go; only who debugs wants to know.
fn log_end(outcome: Result<(), hyper::Error>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "client connection ended");
    }
}

/// Counts one open connection for as long as it lives.
struct OpenGuard(Arc<AtomicUsize>);

impl OpenGuard {
    fn new(open: Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open)
    }
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Builders, ServeLimits, connection};
    use crate::drain::Drain;
    use http_body_util::Full;
    use std::time::Duration;

    /// Thousands of streams are thousands of these: the bound keeps a layer from being added unnoticed.
    #[tokio::test]
    async fn a_connection_is_small() -> std::io::Result<()> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let stream = tokio::net::TcpStream::connect(listener.local_addr()?).await?;
        let peer = stream.local_addr()?;
        let limits = ServeLimits {
            connections_max: 1,
            header_timeout: Duration::from_secs(1),
            header_bytes_max: 1024,
            streams_max: 1,
        };
        let builders = Builders::new(&limits);
        let handle = |_, _| async { http::Response::new(Full::new(bytes::Bytes::new())) };
        let size = size_of_val(&connection(
            stream,
            peer,
            &builders,
            limits.header_timeout,
            Drain::default(),
            handle,
        ));
        assert!(size <= SIZE_MAX, "a connection's future has {size} bytes; the bound is {SIZE_MAX}");
        Ok(())
    }

    /// Measured 2,192 when this was written.
    const SIZE_MAX: usize = 2_560;
}
