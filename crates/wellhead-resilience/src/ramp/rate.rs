//! How many requests a second are usual: a fading mean over about twenty seconds.

use crate::{Nanos, SECOND};

/// Seconds in the mean.
const SECONDS: u64 = 20;
/// After this many seconds without a request nothing is left of the mean.
const SILENT_SECONDS_MAX: u64 = 200;

/// A rate.
#[derive(Debug, Clone, Default)]
pub(super) struct Rate {
    /// In thousandths of a request per second.
    mean: u64,
    /// Seconds in the mean so far, at most [`SECONDS`].
    seconds: u64,
    began: Option<Nanos>,
    count: u64,
}

impl Rate {
    /// A request came.
    pub(super) fn count(&mut self, now: Nanos) {
        let began = *self.began.get_or_insert(now);
        let passed = now.saturating_sub(began) / SECOND;
        if passed > 0 {
            for _ in 0..passed.min(SILENT_SECONDS_MAX) {
                self.fold();
            }
            self.began = Some(began + passed * SECOND);
        }
        self.count += 1;
    }

    /// In thousandths of a request per second.
    pub(super) fn per_second(&self) -> u64 {
        // Before the first second is over it is all there is.
        if self.seconds == 0 { self.count * 1_000 } else { self.mean }
    }

    /// What has been learnt stays; the time since then was not usual.
    pub(super) fn restart(&mut self, now: Nanos) {
        if self.seconds > 0 {
            (self.began, self.count) = (Some(now), 0);
        }
    }

    /// It has been counted elsewhere.
    pub(super) const fn set(&mut self, per_second: u64) {
        (self.mean, self.seconds) = (per_second, SECONDS);
    }

    fn fold(&mut self) {
        self.seconds = (self.seconds + 1).min(SECONDS);
        let second = std::mem::take(&mut self.count) * 1_000;
        self.mean = (self.mean * (self.seconds - 1) + second) / self.seconds;
    }
}
