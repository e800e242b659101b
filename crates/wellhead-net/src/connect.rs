//! From an endpoint to a connection that speaks HTTP.

use crate::endpoint::{Endpoint, Protocol};
use crate::resolve::Resolver;
use crate::tls::{TlsRegistry, server_name};
use crate::{OutBody, SendError};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use wellhead_types::{Cause, Stage};

/// Read and write buffer of an HTTP/1.1 connection. Headers must fit; answers are relayed in pieces of at most this.
const BUFFER_BYTES_MAX: usize = 128 * 1024;
/// HTTP/2: per stream. Bounds what a slow reader can make us hold.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
/// HTTP/2: per connection. Large, because h2 derives its budget for small frames from it, and token streams are small
/// frames only.
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// HTTP/2: a dead peer is noticed after this and the next.
const PING_EVERY: Duration = Duration::from_secs(20);
/// HTTP/2: time for the answer to a ping.
const PING_MAX: Duration = Duration::from_secs(10);

/// A connection just made.
pub(crate) enum Connection {
    H1(http1::SendRequest<OutBody>),
    H2(http2::SendRequest<OutBody>),
}

/// Makes connections; shared by all workers of a process.
#[derive(Debug, Clone, Default)]
pub struct Connector {
    resolver: Resolver,
    tls: Arc<TlsRegistry>,
}

impl Connector {
    /// The TLS configurations, to be forgotten at a reload.
    pub fn tls(&self) -> &TlsRegistry {
        &self.tls
    }

    /// Resolves, connects, shakes hands; all within the endpoint's connect timeout. The connection's own task runs on
    /// the calling worker and ends when the last user of the connection is gone.
    pub(crate) async fn connect(&self, endpoint: &Endpoint) -> Result<Connection, SendError> {
        match tokio::time::timeout(endpoint.connect_timeout, self.connect_inner(endpoint)).await {
            Ok(made) => made,
            Err(_) => Err(SendError::new(
                Stage::Connect,
                Cause::ConnectTimeout,
                format!("no connection to {}:{} within {:?}", endpoint.host, endpoint.port, endpoint.connect_timeout),
            )),
        }
    }

    async fn connect_inner(&self, endpoint: &Endpoint) -> Result<Connection, SendError> {
        let addresses = self.resolver.resolve(&endpoint.host, endpoint.port).await?;
        let tcp = connect_first(&addresses).await?;
        let Some(options) = &endpoint.tls else {
            return handshake(tcp, endpoint.protocol == Protocol::Http2).await;
        };
        let config = self
            .tls
            .config(options, endpoint.protocol)
            .map_err(|e| SendError::new(Stage::Tls, Cause::TlsError, e.to_string()))?;
        let name = server_name(options, &endpoint.host)?;
        let stream =
            tokio_rustls::TlsConnector::from(config).connect(name, tcp).await.map_err(|e| SendError::from_tls(&e))?;
        let h2 = match stream.get_ref().1.alpn_protocol() {
            Some(protocol) => protocol == b"h2",
            None => endpoint.protocol == Protocol::Http2,
        };
        handshake(stream, h2).await
    }
}

/// Tries the addresses one after another; a further one starts when the one before fails or is silent for a while
/// (RFC 8305 in its simplest form), so that `localhost` with one dead address costs no failure.
async fn connect_first(addresses: &[SocketAddr]) -> Result<TcpStream, SendError> {
    const HEAD_START: Duration = Duration::from_millis(250);
    let mut last = None;
    for (i, address) in addresses.iter().enumerate() {
        let connecting = TcpStream::connect(address);
        let outcome = if i + 1 < addresses.len() {
            tokio::time::timeout(HEAD_START, connecting)
                .await
                .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
        } else {
            connecting.await
        };
        match outcome {
            Ok(stream) => {
                // Tokens are small writes: without this, each waits for the acknowledgement of the one before.
                let _best_effort = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = Some(SendError::from_connect(&error, *address)),
        }
    }
    Err(last.unwrap_or_else(|| SendError::new(Stage::Resolve, Cause::DnsError, "no address")))
}

async fn handshake<S>(stream: S, h2: bool) -> Result<Connection, SendError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream);
    if h2 {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_MAX)
            .handshake(io)
            .await
            .map_err(|e| SendError::from_hyper(&e))?;
        tokio::spawn(async move { log_end(connection.await) });
        return Ok(Connection::H2(sender));
    }
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(BUFFER_BYTES_MAX)
        .handshake(io)
        .await
        .map_err(|e| SendError::from_hyper(&e))?;
    tokio::spawn(async move { log_end(connection.await) });
    Ok(Connection::H1(sender))
}

/// The user of the connection learns of its end through its own call; this is for whoever debugs.
fn log_end(outcome: Result<(), hyper::Error>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "upstream connection ended");
    }
}
