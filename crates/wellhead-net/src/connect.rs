//! From an endpoint to a connection that speaks HTTP.

use crate::endpoint::{Endpoint, Protocol};
use crate::h1::Socket;
use crate::resolve::Resolver;
use crate::tls::{TlsRegistry, server_name};
use crate::{OutBody, SendError};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use wellhead_types::{Cause, Stage};

/// HTTP/2: per stream. Bounds what a slow reader can make us hold.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
/// HTTP/2: per connection. Large, because h2 derives its budget for small frames from it, and token streams are small
/// frames only.
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// HTTP/2: a dead peer is noticed after this and the next.
const PING_EVERY: Duration = Duration::from_secs(20);
/// HTTP/2: time for the answer to a ping.
const PING_MAX: Duration = Duration::from_secs(10);

/// A peer that acknowledges nothing for this long is gone.
const PEER_SILENT_MAX: Duration = Duration::from_secs(30);

/// A connection just made.
pub(crate) enum Connection {
    H1(Socket),
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

    /// Names and their addresses.
    pub const fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    /// Resolves, connects, shakes hands; all within the endpoint's connect timeout. The connection's own task runs on
    /// the calling worker and ends when the last user of the connection is gone.
    pub(crate) async fn connect(&self, endpoint: &Endpoint) -> Result<Connection, SendError> {
        match tokio::time::timeout(endpoint.connect_timeout, self.connect_inner(endpoint)).await {
            Ok(made) => made,
            Err(_) => {
                self.resolver.unreachable(&endpoint.host);
                Err(SendError::new(
                    Stage::Connect,
                    Cause::ConnectTimeout,
                    format!(
                        "no connection to {}:{} within {:?}",
                        endpoint.host, endpoint.port, endpoint.connect_timeout
                    ),
                ))
            }
        }
    }

    async fn connect_inner(&self, endpoint: &Endpoint) -> Result<Connection, SendError> {
        let addresses = self.resolver.resolve(&endpoint.host, endpoint.port).await?;
        let moved = |_: &SendError| self.resolver.unreachable(&endpoint.host);
        let tcp = connect_first(&addresses).await.inspect_err(moved)?;
        let Some(options) = &endpoint.tls else {
            return match endpoint.protocol {
                Protocol::Http2 => handshake_h2(tcp).await,
                Protocol::Auto | Protocol::Http1 => Ok(Connection::H1(Socket::Clear(tcp))),
            };
        };
        let config = self
            .tls
            .config(options, endpoint.protocol)
            .map_err(|e| SendError::new(Stage::Tls, Cause::TlsError, e.to_string()))?;
        let name = server_name(options, &endpoint.host)?;
        let stream = tokio_rustls::TlsConnector::from(config)
            .connect(name, tcp)
            .await
            .map_err(|e| SendError::from_tls(&e))?;
        let h2 = match stream.get_ref().1.alpn_protocol() {
            Some(protocol) => protocol == b"h2",
            None => endpoint.protocol == Protocol::Http2,
        };
        if h2 { handshake_h2(stream).await } else { Ok(Connection::H1(Socket::Tls(Box::new(stream)))) }
    }
}

/// Tries the addresses one after another; a further one starts when the one before fails or is silent for a while
/// (RFC 8305 in its simplest form), so that `localhost` with one dead address costs no failure.
async fn connect_first(addresses: &[SocketAddr]) -> Result<TcpStream, SendError> {
    const HEAD_START: Duration = Duration::from_millis(250);
    if let [only] = addresses {
        return connect_one(*only).await;
    }
    let mut running = tokio::task::JoinSet::new();
    let mut waiting = addresses.iter().copied();
    let mut last = SendError::new(Stage::Resolve, Cause::DnsError, "no address");
    loop {
        let next = waiting.next();
        if let Some(address) = next {
            running.spawn(connect_one(address));
        }
        // Earlier attempts go on while a further one begins; the first to succeed wins, the rest are dropped.
        let patience = if next.is_some() { HEAD_START } else { Duration::MAX };
        match tokio::time::timeout(patience, running.join_next()).await {
            Ok(Some(Ok(Ok(stream)))) => return Ok(stream),
            Ok(Some(Ok(Err(error)))) => last = error,
            Ok(Some(Err(_))) | Err(_) => {}
            Ok(None) => return Err(last),
        }
    }
}

async fn connect_one(address: SocketAddr) -> Result<TcpStream, SendError> {
    let stream =
        TcpStream::connect(address).await.map_err(|error| SendError::from_connect(&error, address))?;
    crate::listen::tune(&stream, PEER_SILENT_MAX);
    Ok(stream)
}

async fn handshake_h2<S>(stream: S) -> Result<Connection, SendError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|e| SendError::from_hyper(&e))?;
    tokio::spawn(async move { log_end(connection.await) });
    Ok(Connection::H2(sender))
}

/// The user of the connection learns of its end through its own call; this is for whoever debugs.
fn log_end(outcome: Result<(), hyper::Error>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "upstream connection ended");
    }
}
