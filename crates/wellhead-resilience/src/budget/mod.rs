//! How many repetitions a route may afford: a fifth of the requests of the last ten seconds, and one per second on top,
//! so that retries never become the load that keeps an upstream down (survival.md R4).
//!
//! In every ten seconds there are at most `ratio · requests + 10 · per_second` retries, and therefore at any time
//! `attempts ≤ requests · (1 + ratio) + per_second · (t + 10 s)`: the last ten seconds are the reserve that a fresh
//! budget starts with, so that the very first request can be saved too.

#[cfg(test)]
mod tests;

use crate::Nanos;
use crate::breaker::ring::{Kind, Ring, SECONDS};
use wellhead_types::planted::{self, Planted};

/// Retries per hundred requests.
pub const RETRY_PERCENT: u32 = 20;
/// Retries per second that are granted without any request.
pub const RETRIES_PER_SECOND_MIN: u32 = 1;
/// How long a request counts, in seconds.
pub const TTL_SECONDS: u64 = SECONDS;

/// The budget of one route, shared by all threads without a lock: every request deposits, so a mutex would be on the hot
/// path. A retry is booked first and taken back if it was one too many: two at once can both be refused, never
/// both be granted for the last place.
#[derive(Debug)]
pub struct RetryBudget {
    /// First: requests. Second: retries.
    ring: Ring,
    percent: u32,
    per_second: u32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(RETRY_PERCENT, RETRIES_PER_SECOND_MIN)
    }
}

impl RetryBudget {
    /// `percent` retries per hundred requests, and `per_second` more. Both 0: no retries.
    pub fn new(percent: u32, per_second: u32) -> Self {
        Self { ring: Ring::default(), percent, per_second }
    }

    /// A request has arrived; its retries do not count as requests.
    pub fn on_request(&self, now: Nanos) {
        self.ring.add(Kind::First, now);
    }

    /// Requests per second, in thousandths: the mean of the last ten seconds.
    pub fn requests_per_second(&self, now: Nanos) -> u64 {
        self.ring.sums(now).first.saturating_mul(1_000) / TTL_SECONDS
    }

    /// Takes one retry out of the budget; false if there is none left.
    pub fn try_retry(&self, now: Nanos) -> bool {
        self.ring.add(Kind::Second, now);
        let sums = self.ring.sums(now);
        let granted = sums.second.saturating_mul(100) <= self.hundredths(sums.first)
            || planted::has(Planted::BudgetNeverRefuses);
        if !granted {
            self.ring.take_back(Kind::Second, now);
        }
        granted
    }

    /// Gives back a retry that was granted with the same `now` and not sent after all.
    pub fn give_back(&self, granted_at: Nanos) {
        self.ring.take_back(Kind::Second, granted_at);
    }

    /// Retries that are left now.
    pub fn left(&self, now: Nanos) -> u64 {
        let sums = self.ring.sums(now);
        (self.hundredths(sums.first) / 100).saturating_sub(sums.second)
    }

    /// Retries allowed in ten seconds with so many requests, times a hundred.
    const fn hundredths(&self, requests: u64) -> u64 {
        requests * self.percent as u64 + 100 * self.per_second as u64 * TTL_SECONDS
    }
}
