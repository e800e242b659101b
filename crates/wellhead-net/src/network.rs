//! What lies beneath connections and names. In production that is the machine's own network, and nobody asks this
//! module anything; a simulation puts a network of its own in its place, so that the same pool, the same resolver and
//! the same codec run on virtual time.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// Both directions of a connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug> Stream for T {}

/// What a made-up network promises for later.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A network that is made up.
pub trait Network: Send + Sync + fmt::Debug {
    /// Connects to an address. A future that is dropped has given up.
    ///
    /// # Errors
    /// The future's result is that of `connect(2)`.
    fn connect(&self, to: SocketAddr) -> Later<io::Result<Box<dyn Stream>>>;

    /// Asks a name server for the addresses of one family: those of IPv6, or of IPv4.
    fn look_up(&self, server: Option<SocketAddr>, host: &str, v6: bool) -> Later<NameAnswer>;
}

/// What a name server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameAnswer {
    /// These addresses, for so long.
    Addresses {
        /// Of the family that was asked for.
        addresses: Vec<IpAddr>,
        /// How long they may be believed.
        ttl: Duration,
    },
    /// The name exists and has no such address.
    Empty,
    /// The name does not exist.
    NoSuchName,
    /// No answer, or one that is none.
    Failed(String),
}
