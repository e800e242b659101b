//! When the next deferred request of a model may be sent. After an outage many are waiting, and what has just come back
//! must not be trampled: it begins with one at a time, each answer allows one more, a failure begins anew after a pause.

use crate::{Nanos, Rng, SECOND};

/// The pause after the first failure; doubled with each further one in a row ...
const PAUSE: Nanos = SECOND;
/// ... up to this: whoever waits for hours does not mind a minute.
const PAUSE_MAX: Nanos = 60 * SECOND;

/// The pace of one model.
#[derive(Debug, Clone)]
pub struct Lane {
    /// Requests that may be under way at once.
    wide: u32,
    running: u32,
    failures: u32,
    until: Nanos,
}

impl Default for Lane {
    fn default() -> Self {
        Self { wide: 1, running: 0, failures: 0, until: 0 }
    }
}

impl Lane {
    /// Whether one more may be sent, if at most `at_once_max` may be under way.
    pub fn may_start(&self, now: Nanos, at_once_max: u32) -> bool {
        now >= self.until && self.running < self.wide.min(at_once_max.max(1))
    }

    /// When it may be worth asking again, if it is a matter of time.
    pub fn opens_at(&self, now: Nanos) -> Option<Nanos> {
        (self.until > now).then_some(self.until)
    }

    /// Requests under way.
    pub const fn running(&self) -> u32 {
        self.running
    }

    /// One was sent.
    pub const fn on_started(&mut self) {
        self.running += 1;
    }

    /// One has ended, and the targets are no worse for it.
    pub const fn on_answered(&mut self) {
        self.running = self.running.saturating_sub(1);
        self.failures = 0;
        self.wide = self.wide.saturating_add(1);
    }

    /// One has failed through a target's fault.
    pub fn on_failed(&mut self, now: Nanos, rng: &mut Rng) {
        self.running = self.running.saturating_sub(1);
        self.failures = self.failures.saturating_add(1);
        self.wide = 1;
        let pause = (PAUSE << self.failures.saturating_sub(1).min(16)).min(PAUSE_MAX);
        // Half of it at least, so that many gateways do not come back together.
        self.until = now.saturating_add(pause / 2 + rng.below(pause / 2));
    }

    /// One was not sent after all: nobody can be asked before `until`.
    pub fn on_unready(&mut self, until: Nanos) {
        self.running = self.running.saturating_sub(1);
        self.wide = 1;
        self.until = self.until.max(until);
    }

    /// Something has changed for the better: no need to wait any longer.
    pub const fn wake(&mut self) {
        self.until = 0;
    }
}
