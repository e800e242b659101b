//! An endpoint looked at layer by layer: name, every address, handshake. With the resolver, the sockets and the TLS
//! settings that requests use, so that what is found is what they meet. Nothing is sent beyond the handshake.

use crate::connect::{Connector, connect_one};
use crate::resolve::Addresses;
use crate::tls::CertificateFacts;
use crate::{Endpoint, SendError};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use wellhead_types::{Cause, Stage};

/// Something, and how long it took.
#[derive(Debug, Clone)]
pub struct Timed<T> {
    /// From the first byte to the last, or to the end of patience.
    pub took: Duration,
    /// What came.
    pub value: T,
}

/// What came of each layer. A layer below one that failed was not reached.
#[derive(Debug)]
pub struct Examination {
    /// The addresses of the host.
    pub name: Timed<Result<Addresses, SendError>>,
    /// Each of them, in the order in which requests try them.
    pub addresses: Vec<(SocketAddr, Timed<AddressState>)>,
    /// The handshake with the first that connected; `None` in clear text, or if none did.
    pub tls: Option<Timed<Result<TlsFacts, SendError>>>,
}

/// What one address says to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressState {
    /// It connects.
    Connected,
    /// It refuses: nobody listens at that port.
    Refused,
    /// Neither yes nor no within the connect timeout.
    Silent,
    /// This machine knows no way to it.
    Unroutable,
    /// Something else, in the words of the system.
    Failed(String),
}

/// What was agreed in a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLS 1.3`.
    pub version: &'static str,
    /// The application protocol, if one was agreed: `h2`.
    pub alpn: Option<String>,
    /// What the server's certificate says.
    pub certificate: Option<CertificateFacts>,
}

impl Connector {
    /// Looks at an endpoint. Each layer has the endpoint's connect timeout, so the whole takes three of them at most.
    pub async fn examine(&self, endpoint: &Endpoint) -> Examination {
        let limit = endpoint.connect_timeout;
        let name = timed(async {
            match timeout(limit, self.resolver().resolve(&endpoint.host, endpoint.port)).await {
                Ok(resolved) => resolved,
                Err(_) => Err(SendError::new(
                    Stage::Resolve,
                    Cause::DnsError,
                    format!("resolve {}: no name server has answered within {limit:?}", endpoint.host),
                )),
            }
        })
        .await;
        let found: &[SocketAddr] = name.value.as_ref().map_or(&[], |addresses| addresses);
        let (addresses, tcp) = connect_all(found, limit).await;
        let tls = match (&endpoint.tls, tcp) {
            (Some(options), Some(tcp)) => Some(
                timed(async {
                    let made = timeout(limit, self.encrypt(tcp, options, endpoint)).await;
                    let stream = made.unwrap_or_else(|_| {
                        let text = format!("the TLS handshake was not answered within {limit:?}");
                        Err(SendError::new(Stage::Tls, Cause::ConnectTimeout, text))
                    })?;
                    Ok(facts(stream.get_ref().1))
                })
                .await,
            ),
            _ => None,
        };
        Examination { name, addresses, tls }
    }
}

async fn timed<T>(what: impl Future<Output = T>) -> Timed<T> {
    let start = Instant::now();
    let value = what.await;
    Timed { took: start.elapsed(), value }
}

/// Connects to all at once, of which there are a few dozen at most, and keeps the first connection in their order.
async fn connect_all(
    addresses: &[SocketAddr],
    limit: Duration,
) -> (Vec<(SocketAddr, Timed<AddressState>)>, Option<TcpStream>) {
    let mut running = JoinSet::new();
    for (place, address) in addresses.iter().copied().enumerate() {
        let connect = async move { timeout(limit, connect_one(address)).await };
        running.spawn(async move { (place, address, timed(connect).await) });
    }
    let mut all = running.join_all().await;
    all.sort_unstable_by_key(|(place, ..)| *place);
    let (mut states, mut first) = (Vec::new(), None);
    for (_, address, Timed { took, value }) in all {
        let state = match value {
            Ok(Ok(tcp)) => {
                first.get_or_insert(tcp);
                AddressState::Connected
            }
            Ok(Err(error)) => match error.kind() {
                ErrorKind::ConnectionRefused => AddressState::Refused,
                ErrorKind::TimedOut => AddressState::Silent,
                ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable => AddressState::Unroutable,
                _ => AddressState::Failed(error.to_string()),
            },
            Err(_) => AddressState::Silent,
        };
        states.push((address, Timed { took, value: state }));
    }
    (states, first)
}

fn facts(session: &rustls::ClientConnection) -> TlsFacts {
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    };
    let alpn = session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
    let leaf = session.peer_certificates().and_then(|chain| chain.first());
    TlsFacts { version, alpn, certificate: leaf.and_then(|leaf| CertificateFacts::read(leaf)) }
}
