//! What is known about names, and what to ask next. Pure: `now` is the time since some beginning, chance is a seed.
//!
//! The promise: a set of addresses that worked is replaced by a successful, non-empty answer or taken away by a denial
//! that was confirmed, and by nothing else. A and AAAA are two records with a life of their own, because servers fail
//! for one and answer for the other.

mod record;
#[cfg(test)]
mod tests;

use record::Record;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Names held. Twice the routes that a configuration can have; an entry with its addresses takes about 1 KiB.
pub(super) const NAMES_MAX: usize = 20_000;
/// Look-ups at once: a server that is asked thousands of questions in one moment drops most of them.
pub(super) const LOOKUPS_MAX: usize = 64;
/// A name that requests asked for is refreshed in the background for this long after the last of them.
const USED_FOR: Duration = Duration::from_secs(300);
/// The last good addresses of a name that nobody asks for and no configuration names are held for this long. Those of
/// a name in use are held for as long as nothing better is known.
const HELD_FOR: Duration = Duration::from_secs(24 * 3600);

/// A or AAAA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Family {
    /// IPv4, from A records.
    V4,
    /// IPv6, from AAAA records.
    V6,
}

/// How a look-up of one family ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// At least one address, good for so long.
    Addresses { addresses: Vec<IpAddr>, ttl: Duration },
    /// What the hosts file says about the name; this family may be absent from it.
    Local(Vec<IpAddr>),
    /// The name exists and has no address of this family (NOERROR without one).
    Empty,
    /// NXDOMAIN.
    NoSuchName,
    /// No answer, or an answer that says nothing about the name.
    Failed(String),
}

/// An answer, and who gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) server: Option<SocketAddr>,
    pub(super) answer: Answer,
}

/// A question that is to be asked now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) host: Arc<str>,
    pub(super) family: Family,
    /// This server denied the name last time: another one's word is worth more, where there is another.
    pub(super) avoid: Option<SocketAddr>,
}

/// Why the newest look-up of a record brought no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FaultKind {
    /// NOERROR without an address.
    Empty,
    /// NXDOMAIN.
    NoSuchName,
    /// No usable answer.
    Failed,
}

/// A fault with its text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    pub(super) text: String,
}

/// What may be said to somebody who wants to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There are addresses.
    Ready,
    /// A look-up is on its way.
    Pending,
    /// No address, and it is too early to ask again.
    Refused(Fault),
}

/// Everything known about one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) v4: Arc<[IpAddr]>,
    pub(super) v6: Arc<[IpAddr]>,
    /// The newest look-up of this family did not confirm its addresses.
    pub(super) v4_stale: bool,
    pub(super) v6_stale: bool,
    /// When the addresses were last confirmed: the older of the families that have any.
    pub(super) good_at: Option<Duration>,
    /// Who confirmed them last; `None`: the hosts file, or nobody yet.
    pub(super) good_from: Option<SocketAddr>,
    /// Since when look-ups that matter have not brought an address.
    pub(super) failing_since: Option<Duration>,
    pub(super) fault: Option<Fault>,
}

impl Facts {
    /// Whether there is no address.
    pub(super) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

/// All names of a process.
#[derive(Debug)]
pub(super) struct Names {
    names: HashMap<Arc<str>, Entry>,
    servers: usize,
    seed: u64,
    in_flight: usize,
    /// Nothing is due before this: spares a walk through all names with every event.
    soonest: Option<Duration>,
}

#[derive(Debug, Default)]
struct Entry {
    v4: Record,
    v6: Record,
    configured: bool,
    asked_at: Option<Duration>,
}

impl Entry {
    fn record(&mut self, family: Family) -> &mut Record {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }

    const fn records(&self) -> [&Record; 2] {
        [&self.v4, &self.v6]
    }

    const fn both(&mut self) -> [&mut Record; 2] {
        [&mut self.v4, &mut self.v6]
    }

    fn is_empty(&self) -> bool {
        self.records().iter().all(|record| record.addresses.is_empty())
    }

    fn due_at(&self) -> Option<Duration> {
        earlier(self.v4.due_at(), self.v6.due_at())
    }

    fn in_use(&self, now: Duration) -> bool {
        self.configured || self.asked_at.is_some_and(|at| now.saturating_sub(at) < USED_FOR)
    }

    /// Both records matter to a name without addresses; to others, those that have some. Nothing is wrong with a name
    /// that is still being looked up for the first time.
    fn facts(&self) -> Facts {
        let empty = self.is_empty();
        let young = empty && self.records().iter().any(|record| record.fault.is_none());
        let records = self.records();
        let matter = || records.iter().filter(|record| empty || !record.addresses.is_empty());
        let troubled = || matter().filter(|_| !young);
        let since = || troubled().filter_map(|record| record.failing_since);
        Facts {
            v4: self.v4.addresses.clone(),
            v6: self.v6.addresses.clone(),
            v4_stale: self.v4.fault.is_some(),
            v6_stale: self.v6.fault.is_some(),
            good_from: matter().max_by_key(|record| record.good_at).and_then(|record| record.good_from),
            good_at: matter().filter_map(|record| record.good_at).min(),
            // Without addresses it counts since when neither has been of use.
            failing_since: if empty { since().max() } else { since().min() },
            fault: troubled()
                .filter_map(|record| record.fault.as_ref())
                .max_by_key(|fault| fault.kind)
                .cloned(),
        }
    }

    fn verdict(&self, now: Duration) -> Verdict {
        if !self.is_empty() {
            return Verdict::Ready;
        }
        if self.records().iter().any(|record| record.is_pending(now)) {
            return Verdict::Pending;
        }
        let fault =
            self.records().iter().filter_map(|record| record.fault.as_ref()).max_by_key(|fault| fault.kind);
        fault.map_or(Verdict::Pending, |fault| Verdict::Refused(fault.clone()))
    }
}

/// The earlier of two times, where `None` is never.
fn earlier(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    a.into_iter().chain(b).min()
}

impl Names {
    /// No names; `seed` spreads look-ups in time.
    pub(super) fn new(seed: u64) -> Self {
        Self { names: HashMap::new(), servers: 0, seed, in_flight: 0, soonest: None }
    }

    /// The configuration names these hosts, and so many servers can be asked. Denials count afresh and everything is
    /// asked again: other servers may know better. Returns how many names found no room.
    pub(super) fn configure(&mut self, now: Duration, hosts: &[Arc<str>], servers: usize) -> usize {
        self.servers = servers;
        self.soonest = Some(now);
        for entry in self.names.values_mut() {
            if std::mem::take(&mut entry.configured) {
                entry.asked_at = Some(now);
            }
            let in_use = entry.in_use(now);
            entry.both().into_iter().for_each(|record| record.servers_changed(now, in_use));
        }
        let mut left_out = 0;
        for host in hosts {
            match self.entry(now, host) {
                Some(entry) => {
                    entry.configured = true;
                    entry.both().into_iter().for_each(|record| record.wake(now));
                }
                None => left_out += 1,
            }
        }
        left_out
    }

    /// Somebody wants to connect to `host`. What is to be asked because of that comes from [`Self::due`].
    pub(super) fn want(&mut self, now: Duration, host: &str) -> Verdict {
        let Some(entry) = self.entry(now, host) else {
            let text = format!("more than {NAMES_MAX} names are in use");
            return Verdict::Refused(Fault { kind: FaultKind::Failed, text });
        };
        entry.asked_at = Some(now);
        let empty = entry.is_empty();
        for record in entry.both() {
            if empty { record.ask_again(now) } else { record.wake(now) }
        }
        let (verdict, due) = (entry.verdict(now), entry.due_at());
        self.expect(due);
        verdict
    }

    /// What may be said about `host` now, without wanting anything.
    pub(super) fn verdict(&self, now: Duration, host: &str) -> Option<Verdict> {
        self.names.get(host).map(|entry| entry.verdict(now))
    }

    /// No address of `host` could be connected to: it may have moved. Asks early, at most once per second.
    pub(super) fn doubt(&mut self, now: Duration, host: &str) {
        if let Some(entry) = self.names.get_mut(host) {
            entry.both().into_iter().for_each(|record| record.hurry(now));
            let due = entry.due_at();
            self.expect(due);
        }
    }

    /// The questions to ask now, those of names without addresses first. Each has to be answered.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Ask> {
        let room = LOOKUPS_MAX.saturating_sub(self.in_flight);
        if room == 0 || self.soonest.is_none_or(|soonest| soonest > now) {
            return Vec::new();
        }
        let (mut due, mut soonest) = (Vec::new(), None);
        for (host, entry) in &self.names {
            for (family, record) in [(Family::V4, &entry.v4), (Family::V6, &entry.v6)] {
                match record.due_at() {
                    Some(at) if at <= now => due.push((!entry.is_empty(), at, host.clone(), family)),
                    later => soonest = earlier(soonest, later),
                }
            }
        }
        due.sort_unstable_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
        self.soonest = earlier(soonest, due.get(room).map(|_| now));
        due.truncate(room);
        self.in_flight += due.len();
        let ask = |(_, _, host, family): (bool, Duration, Arc<str>, Family)| {
            let avoid = self.names.get_mut(&host).and_then(|entry| entry.record(family).start(now));
            Ask { host, family, avoid }
        };
        due.into_iter().map(ask).collect()
    }

    /// When [`Self::due`] has something to say next, if nothing happens before.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.soonest.filter(|_| self.in_flight < LOOKUPS_MAX)
    }

    fn expect(&mut self, due: Option<Duration>) {
        self.soonest = earlier(self.soonest, due);
    }

    /// A question of [`Self::due`] was answered. Returns what was known before and what is known now.
    pub(super) fn answered(
        &mut self,
        now: Duration,
        host: &str,
        family: Family,
        told: Told,
    ) -> Option<(Facts, Facts)> {
        self.in_flight = self.in_flight.saturating_sub(1);
        let (chance, servers) = (self.chance(), self.servers);
        let entry = self.names.get_mut(host)?;
        let before = entry.facts();
        let in_use = entry.in_use(now);
        let other = match family {
            Family::V4 => &entry.v6,
            Family::V6 => &entry.v4,
        };
        let rule = record::Rule { servers, other_is_good: other.is_good(), in_use, chance };
        entry.record(family).answered(now, told, &rule);
        let (after, due) = (entry.facts(), entry.due_at());
        self.expect(due);
        Some((before, after))
    }

    /// What is known about `host`.
    #[cfg(test)]
    pub(super) fn facts(&self, host: &str) -> Option<Facts> {
        self.names.get(host).map(Entry::facts)
    }

    /// Forgets names that nobody has used for a day, and says which.
    pub(super) fn sweep(&mut self, now: Duration) -> Vec<Arc<str>> {
        let old = |entry: &Entry| {
            !entry.configured
                && entry.asked_at.is_none_or(|at| now.saturating_sub(at) >= HELD_FOR)
                && !entry.records().iter().any(|record| record.in_flight)
        };
        let gone: Vec<_> =
            self.names.iter().filter(|(_, entry)| old(entry)).map(|(host, _)| host.clone()).collect();
        gone.iter().for_each(|host| drop(self.names.remove(host)));
        gone
    }

    /// The entry of `host`, made if there is room: when full, the name unused for longest has to go.
    fn entry(&mut self, now: Duration, host: &str) -> Option<&mut Entry> {
        if !self.names.contains_key(host) {
            if self.names.len() >= NAMES_MAX {
                let idle = |entry: &Entry| {
                    !entry.in_use(now) && !entry.records().iter().any(|record| record.in_flight)
                };
                let unused = self.names.iter().filter(|(_, entry)| idle(entry));
                let oldest = unused.min_by_key(|(_, entry)| entry.asked_at)?.0.clone();
                self.names.remove(&oldest);
            }
            let mut entry = Entry::default();
            entry.both().into_iter().for_each(|record| record.wake(now));
            self.names.insert(host.into(), entry);
        }
        self.names.get_mut(host)
    }

    /// The next number between 0 and 1 (SplitMix64).
    fn chance(&mut self) -> f64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
    }
}
