//! Peak EWMA: the expected time to answer of one target. It jumps up with the first slow answer and comes down slowly;
//! a fast failure counts as a slow answer, because otherwise whoever fails fastest would attract all traffic.

use crate::{Nanos, SECOND};

/// Time constant of forgetting (survival.md R2).
pub const DECAY: Nanos = 10 * SECOND;
/// What a target is expected to take before anything is known.
pub const DEFAULT: Nanos = SECOND;
/// A failure counts as at least so slow an answer.
pub const PENALTY: Nanos = 5 * SECOND;
/// Longest `Retry-After` that counts as time to answer.
pub const PENALTY_MAX: Nanos = 300 * SECOND;

/// The estimate for one target, kept per core: no lock, no atomics.
#[derive(Debug, Clone, Copy)]
pub struct PeakEwma {
    /// Nanoseconds.
    estimate: f64,
    at: Nanos,
    /// Requests that have been sent and have said nothing yet.
    waiting: u32,
    /// When the newest of the requests that were answered was sent.
    answered_from: Nanos,
    /// The estimate is how long a request was waited for in vain, and nobody has answered since.
    in_vain: bool,
}

impl PeakEwma {
    /// Nothing is known.
    pub const fn new(now: Nanos) -> Self {
        Self { estimate: DEFAULT as f64, at: now, waiting: 0, answered_from: 0, in_vain: false }
    }

    /// A request was sent. Exactly one of the other `on_` functions must follow for it.
    pub const fn on_start(&mut self) {
        self.waiting = self.waiting.saturating_add(1);
    }

    /// It answered after this time (first content, or headers). Then one that was waited for in vain was lost, and not slow:
    /// it counts as a failure does. An hour's wait would keep the target from being asked for minutes otherwise, however
    /// well it answers.
    pub fn on_answer(&mut self, took: Nanos, now: Nanos) {
        if std::mem::take(&mut self.in_vain) {
            self.estimate = self.estimate.min(PENALTY as f64);
        }
        self.waiting = self.waiting.saturating_sub(1);
        self.answered_from = self.answered_from.max(now.saturating_sub(took));
        let took = took as f64;
        if took > self.estimate {
            self.estimate = took;
        } else {
            let kept = kept(now.saturating_sub(self.at));
            self.estimate = self.estimate * kept + took * (1.0 - kept);
        }
        self.at = self.at.max(now);
    }

    /// It failed through the target's fault.
    pub fn on_failure(&mut self, retry_after: Option<Nanos>, now: Nanos) {
        let penalty = PENALTY.max(retry_after.unwrap_or(0).min(PENALTY_MAX));
        self.raise(penalty, now);
    }

    /// It was given up after this time without an answer: the answer would have taken at least as long. A shorter time
    /// than is expected anyway says nothing, and neither does a request that got stuck before others were answered: one of
    /// minutes would keep a target that is well since long from being asked.
    pub fn on_cancelled(&mut self, elapsed: Nanos, now: Nanos) {
        let is_news = now.saturating_sub(elapsed) >= self.answered_from;
        if is_news && elapsed as f64 > self.estimate {
            self.raise(elapsed, now);
            self.in_vain = true;
        } else {
            self.waiting = self.waiting.saturating_sub(1);
        }
    }

    /// It has come back and answered after this time: what it took before says nothing about it.
    pub fn on_recovery(&mut self, took: Nanos, now: Nanos) {
        self.in_vain = false;
        self.estimate = took as f64;
        self.at = self.at.max(now);
        self.answered_from = self.answered_from.max(now.saturating_sub(took));
    }

    /// The estimate now. It sinks towards 0 while nobody is asked, so that a target that was slow is tried again; while
    /// a request waits for its answer it does not, so that only one tries.
    pub fn read(&self, now: Nanos) -> Nanos {
        let kept = if self.waiting > 0 { 1.0 } else { kept(now.saturating_sub(self.at)) };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "never negative, and saturating"
        )]
        let estimate = (self.estimate * kept) as Nanos;
        estimate
    }

    fn raise(&mut self, to: Nanos, now: Nanos) {
        self.waiting = self.waiting.saturating_sub(1);
        self.estimate = self.estimate.max(to as f64);
        self.at = self.at.max(now);
    }
}

/// The part of an estimate that is left after this time.
fn kept(passed: Nanos) -> f64 {
    (-(passed as f64) / DECAY as f64).exp()
}
