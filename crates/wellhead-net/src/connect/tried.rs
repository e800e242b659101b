//! What came of the addresses of one endpoint, and what that amounts to.

use crate::SendError;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use wellhead_types::{Cause, Stage};

/// The addresses that were tried and did not connect.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// Neither yes nor no.
    pub(super) silent: Vec<SocketAddr>,
    failed: Vec<(SocketAddr, io::Error)>,
}

impl Tried {
    /// An attempt is over.
    pub(super) fn failed(&mut self, address: SocketAddr, error: io::Error) {
        self.silent.retain(|other| *other != address);
        self.failed.push((address, error));
    }

    /// The addresses that refused.
    pub(super) fn refusing(&self) -> Vec<IpAddr> {
        let refused = self.failed.iter().filter(|(_, error)| error.kind() == ErrorKind::ConnectionRefused);
        refused.map(|(address, _)| address.ip()).collect()
    }

    /// Why there is no connection. "Refused" is said only when every address says so that can be asked from here: an
    /// address that is silent may be where the service is.
    pub(super) fn sum(self) -> SendError {
        let is = |kind: ErrorKind| move |(_, error): &&(SocketAddr, io::Error)| error.kind() == kind;
        let mut asked = self.failed.iter().filter(|(_, error)| !is_unroutable(error)).peekable();
        let cause =
            if !self.silent.is_empty() || self.failed.iter().any(|tried| is(ErrorKind::TimedOut)(&tried)) {
                Cause::ConnectTimeout
            } else if asked.peek().is_some() && asked.all(|tried| is(ErrorKind::ConnectionRefused)(&tried)) {
                Cause::ConnectionRefused
            } else if self.failed.is_empty() {
                return SendError::new(Stage::Resolve, Cause::DnsError, "no address");
            } else {
                Cause::ConnectionReset
            };
        let failed = self.failed.iter().map(|(address, error)| format!("{address}: {error}"));
        let silent = self.silent.iter().map(|address| format!("{address}: no answer"));
        let all: Vec<_> = failed.chain(silent).collect();
        SendError::new(Stage::Connect, cause, format!("connect to {}", all.join("; ")))
    }
}

/// This machine has no way to the address, so that the target has said nothing: most often IPv6 without a route.
fn is_unroutable(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(failed: &[(&str, ErrorKind)], silent: &[&str]) -> SendError {
        let parsed = |text: &str| text.parse::<SocketAddr>().unwrap();
        let mut tried = Tried::default();
        tried.silent.extend(failed.iter().map(|(address, _)| parsed(address)));
        tried.silent.extend(silent.iter().map(|address| parsed(address)));
        for (address, kind) in failed {
            tried.failed(parsed(address), (*kind).into());
        }
        tried.sum()
    }

    #[test]
    fn refused_is_said_when_everybody_refuses_who_can_be_asked() {
        const V4: &str = "127.0.0.1:80";
        const V6: &str = "[::1]:80";
        use ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut};
        for (failed, silent, cause) in [
            (&[(V4, ConnectionRefused)][..], &[][..], Cause::ConnectionRefused),
            (&[(V4, ConnectionRefused), (V6, ConnectionRefused)], &[], Cause::ConnectionRefused),
            (&[(V4, ConnectionRefused), (V6, NetworkUnreachable)], &[], Cause::ConnectionRefused),
            (&[(V6, AddrNotAvailable), (V4, ConnectionRefused)], &[], Cause::ConnectionRefused),
            (&[(V4, ConnectionRefused), (V6, HostUnreachable)], &[], Cause::ConnectionReset),
            (&[(V4, NetworkUnreachable), (V6, NetworkUnreachable)], &[], Cause::ConnectionReset),
            (&[(V4, ConnectionRefused)], &[V6], Cause::ConnectTimeout),
            (&[(V4, ConnectionRefused), (V6, TimedOut)], &[], Cause::ConnectTimeout),
            (&[], &[V4, V6], Cause::ConnectTimeout),
        ] {
            let error = sum(failed, silent);
            assert_eq!((error.stage, error.cause), (Stage::Connect, cause), "{}", error.detail);
            assert!(failed.iter().all(|(address, _)| error.detail.contains(address)), "{}", error.detail);
            assert!(silent.iter().all(|address| error.detail.contains(&format!("{address}: no answer"))));
        }
    }

    #[test]
    fn without_an_address_nobody_was_asked() {
        assert_eq!(sum(&[], &[]).cause, Cause::DnsError);
    }
}
