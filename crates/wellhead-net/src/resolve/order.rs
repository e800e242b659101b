//! In which order the addresses of a name are tried.

use super::names::Facts;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

/// Confirmed before stale, reachable before unreachable, and families in turn, IPv6 first (RFC 8305 section 4), so that
/// a family that is broken on the way costs one attempt and not all of them.
pub(super) fn ordered(facts: &Facts, has_route: impl Fn(IpAddr) -> bool) -> Arc<[IpAddr]> {
    let rank = |family: &[IpAddr], stale: bool| {
        let routed = family.first().is_some_and(|address| has_route(*address));
        (stale, !routed)
    };
    let (v6, v4) =
        ((&facts.v6, rank(&facts.v6, facts.v6_stale)), (&facts.v4, rank(&facts.v4, facts.v4_stale)));
    match v6.1.cmp(&v4.1) {
        std::cmp::Ordering::Less => v6.0.iter().chain(v4.0.iter()).copied().collect(),
        std::cmp::Ordering::Greater => v4.0.iter().chain(v6.0.iter()).copied().collect(),
        std::cmp::Ordering::Equal => in_turn(v6.0, v4.0),
    }
}

fn in_turn(first: &[IpAddr], second: &[IpAddr]) -> Arc<[IpAddr]> {
    let longest = first.len().max(second.len());
    (0..longest).flat_map(|i| [first.get(i), second.get(i)]).flatten().copied().collect()
}

/// Whether this machine knows a way to the address. Connecting a UDP socket looks into the routing table and sends
/// nothing.
pub(super) fn has_route(address: IpAddr) -> bool {
    let unbound: SocketAddr = match address {
        IpAddr::V4(_) => (std::net::Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    // The port does not matter; 9 is "discard".
    UdpSocket::bind(unbound).is_ok_and(|socket| socket.connect((address, 9)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(v4: &[&str], v6: &[&str], v4_stale: bool, v6_stale: bool) -> Facts {
        let parsed = |list: &[&str]| list.iter().map(|text| text.parse::<IpAddr>().unwrap()).collect();
        let (v4, v6) = (parsed(v4), parsed(v6));
        Facts { v4, v6, v4_stale, v6_stale, good_at: None, good_from: None, failing_since: None, fault: None }
    }

    fn order(facts: &Facts, has_route: impl Fn(IpAddr) -> bool) -> Vec<String> {
        ordered(facts, has_route).iter().map(IpAddr::to_string).collect()
    }

    #[test]
    fn families_take_turns_and_ipv6_begins() {
        let both = facts(&["192.0.2.1", "192.0.2.2", "192.0.2.3"], &["2001:db8::1"], false, false);
        assert_eq!(order(&both, |_| true), ["2001:db8::1", "192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    }

    #[test]
    fn a_family_without_a_route_comes_last() {
        let both = facts(&["192.0.2.1"], &["2001:db8::1", "2001:db8::2"], false, false);
        assert_eq!(order(&both, |address| address.is_ipv4()), ["192.0.2.1", "2001:db8::1", "2001:db8::2"]);
    }

    #[test]
    fn a_family_that_was_not_confirmed_comes_last_even_with_a_route() {
        let both = facts(&["192.0.2.1"], &["2001:db8::1"], false, true);
        assert_eq!(order(&both, |_| true), ["192.0.2.1", "2001:db8::1"]);
    }

    #[test]
    fn nothing_is_lost_or_said_twice() {
        let both = facts(&["192.0.2.1", "192.0.2.2"], &["2001:db8::1", "2001:db8::2"], true, false);
        for route in [false, true] {
            assert_eq!(order(&both, |_| route).len(), 4);
        }
    }

    #[test]
    fn loopback_always_has_a_route() {
        assert!(has_route(IpAddr::from([127, 0, 0, 1])));
    }
}
