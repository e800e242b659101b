//! From an endpoint to a connection that speaks HTTP.

mod tried;

use crate::endpoint::{Endpoint, Protocol, TlsOptions};
use crate::h1::Socket;
use crate::network::{Network, Stream};
use crate::resolve::Resolver;
use crate::tls::{TlsRegistry, server_name, shake_hands};
use crate::{OutBody, SendError};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;
use tried::Tried;
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
    /// In the place of the machine's own network.
    network: Option<Arc<dyn Network>>,
}

impl Connector {
    /// With names from this resolver.
    pub fn new(resolver: Resolver) -> Self {
        Self { resolver, tls: Arc::default(), network: None }
    }

    /// Connections and names of a network that is made up, in clear text only. To be used within the runtime that the
    /// connections run on; `seed` is for the jitter of look-ups.
    pub fn over(network: Arc<dyn Network>, seed: u64) -> Self {
        Self { resolver: Resolver::over(network.clone(), seed), tls: Arc::default(), network: Some(network) }
    }

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
        let Endpoint { host, port, connect_timeout, .. } = endpoint;
        let deadline = Instant::now() + *connect_timeout;
        let late = |stage: Stage, cause: Cause, what: &str| {
            SendError::new(stage, cause, format!("{host}:{port}: {what} within {connect_timeout:?}"))
        };
        let addresses = timeout_at(deadline, self.resolver.resolve(host, *port)).await.map_err(|_| {
            late(Stage::Resolve, Cause::DnsError, "no name server has told the address of this name")
        })??;
        let moved = |_: &SendError| self.resolver.unreachable(host);
        if let Some(network) = &self.network {
            let connect = |address| network.connect(address);
            let reached = connect_first(&addresses, deadline, connect).await.inspect_err(moved)?;
            return made_up(reached.tcp, endpoint).await;
        }
        let Reached { tcp, address, refusing } =
            connect_first(&addresses, deadline, connect_one).await.inspect_err(moved)?;
        if !refusing.is_empty() {
            self.resolver.partly_refused(host, *port, refusing, address.ip());
        }
        let spoken = timeout_at(deadline, self.begin(tcp, endpoint)).await;
        spoken.unwrap_or_else(|_| {
            Err(late(Stage::Tls, Cause::ConnectTimeout, "the TLS handshake was not answered"))
                .inspect_err(moved)
        })
    }

    /// From a connected socket to one that speaks HTTP.
    async fn begin(&self, tcp: TcpStream, endpoint: &Endpoint) -> Result<Connection, SendError> {
        let Some(options) = &endpoint.tls else {
            return match endpoint.protocol {
                Protocol::Http2 => handshake_h2(tcp).await,
                Protocol::Auto | Protocol::Http1 => Ok(Connection::H1(Socket::Clear(tcp))),
            };
        };
        let stream = self.encrypt(tcp, options, endpoint).await?;
        let h2 = match stream.get_ref().1.alpn_protocol() {
            Some(protocol) => protocol == b"h2",
            None => endpoint.protocol == Protocol::Http2,
        };
        if h2 { handshake_h2(stream).await } else { Ok(Connection::H1(Socket::Tls(Box::new(stream)))) }
    }

    /// Shakes hands with the options of the endpoint.
    pub(crate) async fn encrypt(
        &self,
        tcp: TcpStream,
        options: &TlsOptions,
        endpoint: &Endpoint,
    ) -> Result<TlsStream<TcpStream>, SendError> {
        let config = self
            .tls
            .config(options, endpoint.protocol)
            .map_err(|e| SendError::new(Stage::Tls, Cause::TlsError, e.to_string()))?;
        shake_hands(tcp, config, server_name(options, &endpoint.host)?).await
    }
}

/// A connected socket, and what was met on the way to it.
struct Reached<T> {
    tcp: T,
    address: SocketAddr,
    /// Addresses that were tried before, and refused.
    refusing: Vec<IpAddr>,
}

/// Tries the addresses one after another; a further one starts when the one before fails or is silent for a while
/// (RFC 8305 in its simplest form), so that `localhost` with one dead address costs no failure.
async fn connect_first<T, F>(
    addresses: &[SocketAddr],
    deadline: Instant,
    connect: impl Fn(SocketAddr) -> F,
) -> Result<Reached<T>, SendError>
where
    T: Send + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    const HEAD_START: Duration = Duration::from_millis(250);
    let mut running = tokio::task::JoinSet::new();
    let mut waiting = addresses.iter().copied();
    let mut tried = Tried::default();
    loop {
        let next = waiting.next();
        if let Some(address) = next {
            tried.silent.push(address);
            let connecting = connect(address);
            running.spawn(async move { (address, connecting.await) });
        }
        // Earlier attempts go on while a further one begins; the first to succeed wins, the rest are dropped.
        let patience = next.map_or(deadline, |_| deadline.min(Instant::now() + HEAD_START));
        match timeout_at(patience, running.join_next()).await {
            Ok(Some(Ok((address, Ok(tcp))))) => {
                return Ok(Reached { tcp, address, refusing: tried.refusing() });
            }
            Ok(Some(Ok((address, Err(error))))) => tried.failed(address, error),
            Ok(None) => return Err(tried.sum()),
            Err(_) if Instant::now() >= deadline => return Err(tried.sum()),
            Ok(Some(Err(_))) | Err(_) => {}
        }
    }
}

pub(crate) async fn connect_one(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    crate::listen::tune(&stream, PEER_SILENT_MAX);
    Ok(stream)
}

/// From a connection of a network that is made up to one that speaks HTTP.
async fn made_up(stream: Box<dyn Stream>, endpoint: &Endpoint) -> Result<Connection, SendError> {
    match (&endpoint.tls, endpoint.protocol) {
        (Some(_), _) => Err(SendError::new(Stage::Tls, Cause::TlsError, "a made-up network has no TLS")),
        (None, Protocol::Http2) => handshake_h2(stream).await,
        (None, Protocol::Auto | Protocol::Http1) => Ok(Connection::H1(Socket::Made(stream))),
    }
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
