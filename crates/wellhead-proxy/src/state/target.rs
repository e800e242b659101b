//! The health of one target, shared by all workers: atomics to read, a short mutex to change.

use crate::clock::Entropy;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use wellhead_resilience::rest::Rest;
use wellhead_resilience::{Nanos, Rng};
use wellhead_types::Cause;

/// Longest pause that an upstream can ask for.
const AWAY_MAX: Nanos = wellhead_resilience::key_rest::LIMITED_MAX;

/// What is known of one target.
#[derive(Debug, Default)]
pub(crate) struct TargetState {
    pub(crate) in_flight: AtomicU64,
    pub(crate) successes: AtomicU64,
    pub(crate) failures: AtomicU64,
    /// 0: never.
    pub(crate) last_success: AtomicU64,
    /// 0: does not rest.
    rests_until: AtomicU64,
    failures_in_a_row: AtomicU32,
    /// The upstream asked not to be asked before; 0: it did not.
    away_until: AtomicU64,
    rest: Mutex<Rest>,
    last_failure: Mutex<Option<(Cause, Nanos)>>,
}

impl TargetState {
    /// When its rest is over; `None` when it does not rest.
    pub(crate) fn rests_until(&self) -> Option<Nanos> {
        Some(self.rests_until.load(Relaxed)).filter(|at| *at != 0)
    }

    /// Until when the upstream asked to be left alone (`Retry-After` on anything but a rate limit).
    pub(crate) fn away_until(&self, now: Nanos) -> Option<Nanos> {
        Some(self.away_until.load(Relaxed)).filter(|at| *at > now)
    }

    /// The upstream asked to be left alone for a while. A later, shorter wish never shortens it.
    pub(crate) fn leave_alone(&self, wish: Duration, now: Nanos) {
        let length = crate::clock::nanos(wish).min(AWAY_MAX);
        self.away_until.fetch_max(now.saturating_add(length), Relaxed);
    }

    /// May this request be sent now? Only a target whose rest is just over says no: to all but one.
    pub(crate) fn may_send(&self, now: Nanos, entropy: &Entropy) -> bool {
        match self.rests_until() {
            Some(until) if until <= now => {
                let mut mine = false;
                self.change(|rest| mine = rest.try_probe(now, &mut Rng::new(entropy.next())));
                mine
            }
            _ => true,
        }
    }

    /// An answer has begun.
    pub(crate) fn on_answering(&self) {
        if self.rests_until.load(Relaxed) != 0 {
            self.change(Rest::on_answering);
        }
    }

    /// An answer has come to its end.
    pub(crate) fn on_success(&self, now: Nanos) {
        self.successes.fetch_add(1, Relaxed);
        self.last_success.store(now, Relaxed);
        if self.rests_until.load(Relaxed) != 0 || self.failures_in_a_row() > 0 {
            self.change(Rest::on_success);
        }
    }

    /// `counts`: the failure says something about the target's health.
    pub(crate) fn on_failure(&self, cause: Cause, counts: bool, now: Nanos, entropy: &Entropy) {
        self.failures.fetch_add(1, Relaxed);
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some((cause, now));
        if counts {
            self.change(|rest| {
                rest.on_failure(now, &mut Rng::new(entropy.next()));
            });
        }
    }

    pub(crate) fn failures_in_a_row(&self) -> u32 {
        self.failures_in_a_row.load(Relaxed)
    }

    pub(crate) fn last_failure(&self) -> Option<(Cause, Nanos)> {
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The copies that are read without the lock are written under it.
    fn change(&self, change: impl FnOnce(&mut Rest)) {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut rest);
        self.rests_until.store(rest.until().unwrap_or(0), Relaxed);
        self.failures_in_a_row.store(rest.failures_in_a_row(), Relaxed);
    }
}
