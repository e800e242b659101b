//! What is published: one immutable set per name, read by workers without waiting for anybody.

use super::names::{Facts, FaultKind};
use super::report::{Finding, NameReport};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::Instant;

/// How often the use of a name is told to the background. Much shorter than the time after which it falls asleep.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// The newest set of every name that was ever resolved and not forgotten.
#[derive(Debug)]
pub(super) struct Table {
    start: Instant,
    /// Bounded by the names that are held in the background.
    names: RwLock<HashMap<Arc<str>, Arc<Known>>>,
}

/// One name.
#[derive(Debug)]
pub(super) struct Known {
    /// In the order in which to try them.
    pub(super) addresses: Arc<[IpAddr]>,
    facts: Facts,
    /// Milliseconds after the start at which its use was last told.
    told_ms: AtomicU64,
}

impl Default for Table {
    fn default() -> Self {
        Self { start: Instant::now(), names: RwLock::default() }
    }
}

impl Table {
    /// Time since the table was made: the clock of everything that is known about names.
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// What is known about `host`.
    pub(super) fn get(&self, host: &str) -> Option<Arc<Known>> {
        self.names.read().unwrap_or_else(PoisonError::into_inner).get(host).cloned()
    }

    /// Puts a new set in the place of the old one.
    pub(super) fn publish(&self, host: &Arc<str>, addresses: Arc<[IpAddr]>, facts: Facts) {
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        let told = names.get(host).map_or(0, |known| known.told_ms.load(Ordering::Relaxed));
        names.insert(host.clone(), Arc::new(Known { addresses, facts, told_ms: AtomicU64::new(told) }));
    }

    pub(super) fn forget(&self, host: &str) {
        self.names.write().unwrap_or_else(PoisonError::into_inner).remove(host);
    }

    /// Whether the use of this name should be told now; says so to one caller per interval.
    pub(super) fn tell_use(&self, known: &Known) -> bool {
        let now_ms = u64::try_from(self.now().as_millis()).unwrap_or(u64::MAX);
        let told = known.told_ms.load(Ordering::Relaxed);
        let every = u64::try_from(TOLD_EVERY.as_millis()).unwrap_or(u64::MAX);
        (told == 0 || now_ms.saturating_sub(told) >= every)
            && known
                .told_ms
                .compare_exchange(told, now_ms.max(1), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// The evidence, sorted by name.
    pub(super) fn report(&self) -> Vec<NameReport> {
        let now = self.now();
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        let mut report: Vec<_> = names.iter().map(|(host, known)| known.report(host, now)).collect();
        report.sort_unstable_by(|a, b| a.host.cmp(&b.host));
        report
    }
}

impl Known {
    fn report(&self, host: &str, now: Duration) -> NameReport {
        let facts = &self.facts;
        let finding = match &facts.fault {
            None => None,
            Some(_) if !facts.is_empty() => Some(Finding::FailedStaleKept),
            Some(fault) => Some(match fault.kind {
                FaultKind::NoSuchName => Finding::NoSuchName,
                FaultKind::Empty => Finding::NoAddress,
                FaultKind::Failed => Finding::Failed,
            }),
        };
        NameReport {
            host: host.to_owned(),
            addresses: self.addresses.to_vec(),
            last_good_age: facts.good_at.map(|at| now.saturating_sub(at)),
            answered_by: facts.good_from,
            failing_for: facts.failing_since.map(|at| now.saturating_sub(at)),
            last_error: facts.fault.as_ref().map(|fault| fault.text.clone()),
            finding,
            partly_refused: Vec::new(),
        }
    }
}
