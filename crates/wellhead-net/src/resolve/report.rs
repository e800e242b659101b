//! Evidence about names, for status pages and for whoever has to mend them. Names addresses: not for clients.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// What is known about one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameReport {
    /// The name, in lower case.
    pub host: String,
    /// The addresses in use, in the order in which they are tried.
    pub addresses: Vec<IpAddr>,
    /// Time since a server last confirmed them; of two families, the older. `None`: never.
    pub last_good_age: Option<Duration>,
    /// The server that confirmed them last. `None`: the hosts file, or nobody.
    pub answered_by: Option<SocketAddr>,
    /// Since when look-ups have not brought an address. `None`: the newest one has.
    pub failing_for: Option<Duration>,
    /// What the newest look-up that failed said, with the server that said it.
    pub last_error: Option<String>,
    /// What is wrong, if anything is.
    pub finding: Option<Finding>,
    /// Ports at which some of the addresses refuse connections while another one answers. Kept for ten minutes after
    /// it was last seen.
    pub partly_refused: Vec<PartlyRefused>,
}

/// Some addresses of one name refuse connections, and another one answers. Requests survive that; it costs each new
/// connection an attempt, and clients that take one address only would fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartlyRefused {
    /// The port at which it was seen.
    pub port: u16,
    /// The addresses that refused.
    pub refusing: Vec<IpAddr>,
    /// The address that answered.
    pub answering: IpAddr,
    /// Time since it was last seen.
    pub seen_ago: Duration,
}

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Look-ups fail or contradict what worked; the last good addresses stay in use.
    FailedStaleKept,
    /// No server has answered yet, so there is no address.
    Failed,
    /// The name does not exist.
    NoSuchName,
    /// The name exists, but has no address.
    NoAddress,
    /// Some addresses refuse connections and another one answers.
    PartlyRefused,
}

impl Finding {
    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FailedStaleKept => "DNS_FAILED_STALE_KEPT",
            Self::Failed => "DNS_FAILED",
            Self::NoSuchName => "DNS_NXDOMAIN",
            Self::NoAddress => "DNS_NO_ADDRESS",
            Self::PartlyRefused => "DUAL_LOCALHOST",
        }
    }
}
