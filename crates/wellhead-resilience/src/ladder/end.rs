//! What a request ends with when nothing is left to try: one documented rule instead of "the last error wins".

use crate::Nanos;
use wellhead_types::{Cause, Failure};

/// The honest no (contract.md 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The upstream said that the request itself is at fault: its answer is passed on as it is.
    PassOn,
    /// Everybody who could answer is rate limited: 429.
    RateLimited {
        /// When the first one recovers.
        recovery: Option<Nanos>,
    },
    /// Everybody was silent, or the deadline is over: 504.
    TimedOut {
        /// When the first one recovers.
        recovery: Option<Nanos>,
    },
    /// The targets work, and have no room for the request within its time: 503.
    Overloaded {
        /// When it would have had its turn.
        recovery: Option<Nanos>,
    },
    /// Anything else: 503.
    NoHealthyUpstream {
        /// When the first one recovers.
        recovery: Option<Nanos>,
    },
}

/// Failures of one request by kind.
#[derive(Debug, Default)]
pub(super) struct Tally {
    limited: u32,
    /// The shortest wait that was asked for, if every failure asked for one.
    told: Option<Nanos>,
    timed_out: u32,
    other: u32,
}

impl Tally {
    pub(super) fn count(&mut self, failure: &Failure) {
        let told = failure.retry_after.map(|after| u64::try_from(after.as_nanos()).unwrap_or(Nanos::MAX));
        self.told = if self.limited + self.timed_out + self.other == 0 {
            told
        } else {
            self.told.zip(told).map(|(a, b)| a.min(b))
        };
        match failure.cause {
            Cause::RateLimited => self.limited += 1,
            cause if cause.is_timeout() => self.timed_out += 1,
            _ => self.other += 1,
        }
    }

    /// All limited: 429. All silent, or time is over: 504. Everything else: 503. With no attempt at all every key
    /// rests: a rate limit if that is what all of them wait for (`limited`).
    pub(super) fn end(
        &self,
        attempts: u32,
        now: Nanos,
        recovery: Option<Nanos>,
        limited: bool,
        late: bool,
    ) -> End {
        // A rest is bounded, what the vendors said is the truth (decision 18).
        let recovery = recovery.max(self.told.map(|told| now.saturating_add(told)));
        if self.other == 0 && self.timed_out == 0 && (self.limited > 0 || (attempts == 0 && limited)) {
            End::RateLimited { recovery }
        } else if self.other == 0 && self.limited == 0 && (self.timed_out > 0 || late) {
            End::TimedOut { recovery }
        } else {
            End::NoHealthyUpstream { recovery }
        }
    }
}
