//! Where connections go: everything that makes two connections interchangeable.

use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

/// HTTP version to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Protocol {
    /// ALPN decides over TLS; HTTP/1.1 in clear text.
    #[default]
    Auto,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only, with prior knowledge in clear text (RFC 9113 section 3.3).
    Http2,
}

/// TLS towards an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TlsOptions {
    /// PEM bundle that replaces the platform's roots.
    pub ca_file: Option<PathBuf>,
    /// Name to expect and to send as SNI instead of the host.
    pub server_name: Option<String>,
}

/// One upstream address as configured. Two providers with equal endpoints share connections.
#[derive(Debug, Clone, Eq)]
pub struct Endpoint {
    /// Host name or IP address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS settings; `None` is clear text.
    pub tls: Option<TlsOptions>,
    /// HTTP version.
    pub protocol: Protocol,
    /// Time for resolution, TCP and TLS together.
    pub connect_timeout: Duration,
}

impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        (&self.host, self.port, &self.tls, self.protocol)
            == (&other.host, other.port, &other.tls, other.protocol)
    }
}

impl Hash for Endpoint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.host, self.port, &self.tls, self.protocol).hash(state);
    }
}
