//! One family of one name: its last good addresses, the denials against them, and when to ask next.

use super::{Answer, Fault, FaultKind, Told};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use wellhead_types::planted::{self, Planted};

/// A TTL below this would be a query per request.
const TTL_MIN: Duration = Duration::from_secs(1);
/// A moved name is followed within five minutes, whatever its TTL says.
const TTL_MAX: Duration = Duration::from_secs(300);
/// The hosts file has no TTL; looking at it costs one system call.
const LOCAL_EVERY: Duration = Duration::from_secs(10);
/// Back-off after the first failure; it doubles with every further one.
const BACK_OFF_MIN: Duration = Duration::from_secs(1);
/// Back-off after many failures: a server that is back is found within half a minute.
const BACK_OFF_MAX: Duration = Duration::from_secs(30);
/// Between two looks at a record that the name never had: most names have no AAAA, and adding one is no emergency.
const EMPTY_EVERY: Duration = Duration::from_secs(60);
/// Denials that it takes.
const DENIALS_MIN: u32 = 3;
/// From the first denial to the one that counts, at least: longer than a zone is broken by a reload.
const DENIED_FOR_MIN: Duration = Duration::from_secs(30);
/// Between two looks at a record that was denied, so that three span the time above.
const CONFIRM_EVERY: Duration = Duration::from_secs(15);
/// Requests make the resolver ask again at most this often, whatever they suffer from.
const EARLY_EVERY: Duration = Duration::from_secs(1);
/// How long "no such name" and "no address" are repeated to requests without asking again.
const NEGATIVE_FOR: Duration = Duration::from_secs(5);

/// What a record has to know of its surroundings.
pub(super) struct Rule {
    /// Servers that can be asked.
    pub(super) servers: usize,
    /// The other family has addresses that its newest look-up confirmed.
    pub(super) other_is_good: bool,
    /// Somebody needs the name: it is refreshed in the background.
    pub(super) in_use: bool,
    /// Between 0 and 1.
    pub(super) chance: f64,
}

/// A or AAAA of a name.
#[derive(Debug)]
pub(super) struct Record {
    /// The last good ones.
    pub(super) addresses: Arc<[IpAddr]>,
    /// When they were last confirmed.
    pub(super) good_at: Option<Duration>,
    /// Who confirmed them; `None`: the hosts file.
    pub(super) good_from: Option<SocketAddr>,
    /// Since when look-ups have brought no address.
    pub(super) failing_since: Option<Duration>,
    /// Why the newest look-up brought none; `None` after one that did.
    pub(super) fault: Option<Fault>,
    pub(super) in_flight: bool,
    /// `None`: asleep until somebody wants the name.
    due: Option<Duration>,
    tried_at: Option<Duration>,
    failures: u32,
    denial: Option<Denial>,
}

/// Answers that agree that a record with addresses is no more.
#[derive(Debug)]
struct Denial {
    kind: FaultKind,
    first_at: Duration,
    count: u32,
    first_server: Option<SocketAddr>,
    last_server: Option<SocketAddr>,
    second_opinion: bool,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            addresses: Arc::new([]),
            good_at: None,
            good_from: None,
            failing_since: None,
            fault: None,
            in_flight: false,
            due: None,
            tried_at: None,
            failures: 0,
            denial: None,
        }
    }
}

impl Record {
    /// Has addresses, and the newest look-up confirmed them.
    pub(super) fn is_good(&self) -> bool {
        !self.addresses.is_empty() && self.fault.is_none()
    }

    /// A look-up is on its way or about to be.
    pub(super) fn is_pending(&self, now: Duration) -> bool {
        self.in_flight || self.due.is_some_and(|due| due <= now)
    }

    /// When to ask, unless that has been done.
    pub(super) fn due_at(&self) -> Option<Duration> {
        self.due.filter(|_| !self.in_flight)
    }

    /// The question goes out. Returns the server whose word needs another one's.
    pub(super) fn start(&mut self, now: Duration) -> Option<SocketAddr> {
        self.in_flight = true;
        self.tried_at = Some(now);
        self.denial.as_ref().and_then(|denial| denial.last_server)
    }

    /// Somebody needs the name: if the record was asleep, it is looked at now.
    pub(super) fn wake(&mut self, now: Duration) {
        self.due.get_or_insert(now);
    }

    /// A request finds no address at all: asks again, unless the answer is very young.
    pub(super) fn ask_again(&mut self, now: Duration) {
        let silence = match self.fault.as_ref().map(|fault| fault.kind) {
            Some(FaultKind::Empty | FaultKind::NoSuchName) => NEGATIVE_FOR,
            Some(FaultKind::Failed) | None => EARLY_EVERY,
        };
        if self.tried_at.is_none_or(|at| now.saturating_sub(at) >= silence) {
            self.bring_forward(now);
        } else {
            self.wake(now + silence);
        }
    }

    /// The addresses did not work: asks again as soon as is decent.
    pub(super) fn hurry(&mut self, now: Duration) {
        self.bring_forward(self.tried_at.map_or(now, |at| now.max(at + EARLY_EVERY)));
    }

    /// Other servers are asked from now on.
    pub(super) fn servers_changed(&mut self, now: Duration, in_use: bool) {
        self.denial = None;
        self.failures = 0;
        if in_use {
            self.bring_forward(now);
        }
    }

    fn bring_forward(&mut self, to: Duration) {
        self.due = Some(self.due.map_or(to, |due| due.min(to)));
    }

    /// Takes an answer in, and decides when to ask next.
    pub(super) fn answered(&mut self, now: Duration, told: Told, rule: &Rule) {
        self.in_flight = false;
        let wait = match told.answer {
            Answer::Addresses { addresses, ttl } if !addresses.is_empty() => {
                self.confirmed(now, addresses.into(), told.server);
                let ttl = ttl.clamp(TTL_MIN, TTL_MAX);
                // A little early, so that names that were asked together drift apart.
                ttl.mul_f64(1.0 - rule.chance / 10.0).max(TTL_MIN)
            }
            Answer::Local(addresses) if !addresses.is_empty() => {
                self.confirmed(now, addresses.into(), None);
                LOCAL_EVERY
            }
            // The hosts file names the other family only; what was known of this one goes once that one is known.
            Answer::Local(_) => {
                if rule.other_is_good {
                    self.addresses = Arc::new([]);
                }
                self.note(now, FaultKind::Empty, told.server);
                LOCAL_EVERY
            }
            Answer::Addresses { .. } | Answer::Empty => self.denied(now, FaultKind::Empty, told.server, rule),
            Answer::NoSuchName => self.denied(now, FaultKind::NoSuchName, told.server, rule),
            Answer::Failed(text) => {
                self.fault = Some(Fault { kind: FaultKind::Failed, text });
                self.failing_since.get_or_insert(now);
                self.back_off(rule.chance)
            }
        };
        self.due = rule.in_use.then(|| now + wait);
    }

    fn confirmed(&mut self, now: Duration, addresses: Arc<[IpAddr]>, from: Option<SocketAddr>) {
        // An equal set stays the same one: nobody has to be told.
        if self.addresses != addresses {
            self.addresses = addresses;
        }
        self.good_at = Some(now);
        self.good_from = from;
        self.failing_since = None;
        self.fault = None;
        self.failures = 0;
        self.denial = None;
    }

    fn note(&mut self, now: Duration, kind: FaultKind, server: Option<SocketAddr>) {
        let by = server.map_or_else(String::new, |server| format!("{server}: "));
        let text = match kind {
            FaultKind::NoSuchName => format!("{by}the name does not exist (NXDOMAIN)"),
            FaultKind::Empty | FaultKind::Failed => {
                format!("{by}the name has no such address (empty answer)")
            }
        };
        self.fault = Some(Fault { kind, text });
        self.failing_since.get_or_insert(now);
    }

    /// A server says that the record is not there. Returns when to ask again.
    fn denied(
        &mut self,
        now: Duration,
        kind: FaultKind,
        server: Option<SocketAddr>,
        rule: &Rule,
    ) -> Duration {
        self.note(now, kind, server);
        if self.addresses.is_empty() {
            self.denial = None;
            return match kind {
                FaultKind::Empty => EMPTY_EVERY,
                FaultKind::NoSuchName | FaultKind::Failed => self.back_off(rule.chance),
            };
        }
        let mut denial = self.denial.take().filter(|denial| denial.kind == kind).unwrap_or(Denial {
            kind,
            first_at: now,
            count: 0,
            first_server: server,
            last_server: server,
            second_opinion: false,
        });
        denial.count += 1;
        denial.last_server = server;
        denial.second_opinion |= server != denial.first_server;
        if denial.is_confirmed(now, rule) || planted::has(Planted::NamesBelieveAnEmptyAnswer) {
            self.addresses = Arc::new([]);
        } else {
            self.denial = Some(denial);
        }
        CONFIRM_EVERY.mul_f64(1.0 + rule.chance / 10.0)
    }

    fn back_off(&mut self, chance: f64) -> Duration {
        let doubled = BACK_OFF_MIN.saturating_mul(1 << self.failures.min(5)).min(BACK_OFF_MAX);
        self.failures = self.failures.saturating_add(1);
        // The jitter lengthens the short ones, which must not come more often, and shortens the long ones.
        if doubled < BACK_OFF_MAX {
            doubled.mul_f64(1.0 + chance / 2.0)
        } else {
            doubled.mul_f64(1.0 - chance / 2.0)
        }
    }
}

impl Denial {
    /// Often enough, for long enough, and by two servers where there are two. An empty answer says less than NXDOMAIN:
    /// it takes one family away only while the other one is known to be good, so never the last address.
    fn is_confirmed(&self, now: Duration, rule: &Rule) -> bool {
        self.count >= DENIALS_MIN
            && now.saturating_sub(self.first_at) >= DENIED_FOR_MIN
            && (rule.servers < 2 || self.second_opinion)
            && (self.kind == FaultKind::NoSuchName || rule.other_is_good)
    }
}
