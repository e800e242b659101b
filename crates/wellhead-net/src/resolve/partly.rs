//! Names of which one address answers while others refuse: survived, but worth a word. Connections report it, status
//! pages show it.

use super::report::{Finding, NameReport, PartlyRefused};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Names and ports that are remembered: far more than anybody looks at. The oldest makes room.
const SEEN_MAX: usize = 256;
/// Idle connections are used for a minute at most; whatever is still so has been seen again by then.
const SHOWN_FOR: Duration = Duration::from_secs(600);

/// What connections have met.
#[derive(Debug, Default)]
pub(super) struct Partly(Mutex<HashMap<(String, u16), Seen>>);

#[derive(Debug)]
struct Seen {
    refusing: Vec<IpAddr>,
    answering: IpAddr,
    at: Instant,
}

impl Partly {
    /// These addresses of `host` refused before one answered.
    pub(super) fn saw(&self, now: Instant, host: &str, port: u16, refusing: Vec<IpAddr>, answering: IpAddr) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (host.to_ascii_lowercase(), port);
        if all.len() >= SEEN_MAX && !all.contains_key(&key) {
            let oldest = all.iter().min_by_key(|(_, seen)| seen.at).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| all.remove(&oldest));
        }
        all.insert(key, Seen { refusing, answering, at: now });
    }

    /// Adds what was seen lately to the evidence about names.
    pub(super) fn add_to(&self, now: Instant, report: &mut Vec<NameReport>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, seen| now.saturating_duration_since(seen.at) < SHOWN_FOR);
        let mut seen: Vec<_> = all.iter().collect();
        seen.sort_unstable_by_key(|(key, _)| *key);
        for ((host, port), seen) in seen {
            let partly = PartlyRefused {
                port: *port,
                refusing: seen.refusing.clone(),
                answering: seen.answering,
                seen_ago: now.saturating_duration_since(seen.at),
            };
            let place =
                report.binary_search_by(|known| known.host.as_str().cmp(host)).unwrap_or_else(|place| {
                    report.insert(place, NameReport::unasked(host, seen));
                    place
                });
            if let Some(known) = report.get_mut(place) {
                known.finding.get_or_insert(Finding::PartlyRefused);
                known.partly_refused.push(partly);
            }
        }
    }
}

impl NameReport {
    /// For a name that no server is ever asked for.
    fn unasked(host: &str, seen: &Seen) -> Self {
        Self {
            host: host.to_owned(),
            addresses: seen.refusing.iter().copied().chain([seen.answering]).collect(),
            last_good_age: None,
            answered_by: None,
            failing_for: None,
            last_error: None,
            finding: None,
            partly_refused: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    fn shown(partly: &Partly, now: Instant) -> Vec<NameReport> {
        let mut report = Vec::new();
        partly.add_to(now, &mut report);
        report
    }

    #[test]
    fn what_was_seen_is_shown_for_a_while() {
        let (partly, start) = (Partly::default(), Instant::now());
        partly.saw(start, "LocalHost", 8080, vec![V4], V6);
        partly.saw(start, "localhost", 9090, vec![V6], V4);
        let report = shown(&partly, start + Duration::from_secs(60));
        assert_eq!((report.len(), report[0].host.as_str()), (1, "localhost"));
        assert_eq!(report[0].finding.unwrap().as_str(), "DUAL_LOCALHOST");
        let first = PartlyRefused {
            port: 8080,
            refusing: vec![V4],
            answering: V6,
            seen_ago: Duration::from_secs(60),
        };
        assert_eq!(report[0].partly_refused[0], first);
        assert_eq!(report[0].partly_refused[1].port, 9090);
        assert_eq!(shown(&partly, start + SHOWN_FOR), []);
    }

    #[test]
    fn another_fault_of_the_name_comes_first() {
        let (partly, now) = (Partly::default(), Instant::now());
        partly.saw(now, "b.example", 443, vec![V4], V6);
        let seen = Seen { refusing: Vec::new(), answering: V6, at: now };
        let mut report =
            ["a.example", "b.example", "c.example"].map(|host| NameReport::unasked(host, &seen)).to_vec();
        report[1].finding = Some(Finding::FailedStaleKept);
        partly.add_to(now, &mut report);
        assert_eq!(report.iter().map(|known| known.partly_refused.len()).collect::<Vec<_>>(), [0, 1, 0]);
        assert_eq!(report[1].finding, Some(Finding::FailedStaleKept));
    }

    #[test]
    fn the_oldest_makes_room() {
        let (partly, start) = (Partly::default(), Instant::now());
        for n in 0..=SEEN_MAX {
            partly.saw(start + Duration::from_millis(n as u64), &format!("h{n}.example"), 443, vec![V4], V6);
        }
        let report = shown(&partly, start + Duration::from_secs(1));
        assert_eq!(report.len(), SEEN_MAX);
        assert!(report.iter().all(|known| known.host != "h0.example"));
    }
}
