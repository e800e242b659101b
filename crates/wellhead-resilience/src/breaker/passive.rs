//! What live traffic says of one target. Successes are the common case and take no lock: they are counted here, and
//! the breaker behind its mutex reads the counts when a failure makes it look.

use super::ring::{Kind, Ring, Sums};
use crate::{Nanos, SECOND};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Below this share of successes a target opens (survival.md R3). Percent.
pub const SUCCESS_RATE_PERCENT_MIN: u64 = 80;
/// Requests in the window before its rate means anything: with fewer, two unlucky ones decide.
pub const RATE_REQUESTS_MIN: u64 = 10;
/// A success of live traffic this recent outranks a failed check.
pub const PASSIVE_FRESH: Nanos = 10 * SECOND;

/// Successes and failures of the last ten seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests that succeeded.
    pub succeeded: u64,
    /// All requests that say something about the target.
    pub of: u64,
}

impl Rate {
    /// Whether the success rate is too low; an exact quotient, no rounding.
    pub const fn is_low(self) -> bool {
        self.of >= RATE_REQUESTS_MIN && self.succeeded * 100 < self.of * SUCCESS_RATE_PERCENT_MIN
    }
}

/// Counters of one target, shared by all threads.
#[derive(Debug, Default)]
pub struct Passive {
    ring: Ring,
    successes: AtomicU64,
    /// 0: never.
    last_success: AtomicU64,
}

impl Passive {
    /// A request came to its good end. Takes no lock; called for every one.
    pub fn on_success(&self, now: Nanos) {
        self.ring.add(Kind::First, now);
        self.successes.fetch_add(1, Relaxed);
        self.last_success.store(now.max(1), Relaxed);
    }

    /// A request failed through the target's fault; the breaker calls this.
    pub(super) fn on_failure(&self, now: Nanos) {
        self.ring.add(Kind::Second, now);
    }

    /// Forgets the window: the target has recovered, and what it did before says nothing about it.
    pub(super) fn clear(&self) {
        self.ring.clear();
    }

    /// The window that ends now.
    pub fn rate(&self, now: Nanos) -> Rate {
        let Sums { first, second } = self.ring.sums(now);
        Rate { succeeded: first, of: first + second }
    }

    /// Successes since the start.
    pub fn successes(&self) -> u64 {
        self.successes.load(Relaxed)
    }

    /// When a request last came to its good end.
    pub fn last_success(&self) -> Option<Nanos> {
        Some(self.last_success.load(Relaxed)).filter(|at| *at != 0)
    }

    /// Whether live traffic has succeeded so recently that a failed check does not count.
    pub fn is_fresh(&self, now: Nanos) -> bool {
        self.last_success().is_some_and(|at| now.saturating_sub(at) < PASSIVE_FRESH)
    }
}
