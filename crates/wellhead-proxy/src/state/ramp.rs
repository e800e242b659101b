//! The admission ramp of one route (survival.md R6): asked by nobody but after an outage.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use wellhead_resilience::Nanos;
use wellhead_resilience::ramp::{Admit, Permit, Ramp};

/// The ramp, and whether it has to be asked.
#[derive(Debug, Default)]
pub(crate) struct RouteRamp {
    asked: AtomicBool,
    ramp: Mutex<Ramp>,
}

impl RouteRamp {
    /// Nothing that works is left. `per_second` is what was usual until now, in thousandths of a request.
    pub(crate) fn on_down(&self, per_second: u64, now: Nanos) {
        let mut ramp = self.lock();
        ramp.learn(per_second);
        ramp.on_down(now);
        self.asked.store(ramp.is_asked(), Relaxed);
    }

    /// Asks for admission; `None` when everybody is let in and nothing has to be told.
    pub(crate) fn admit(&self, now: Nanos) -> Option<Admit> {
        if !self.asked.load(Relaxed) {
            return None;
        }
        let mut ramp = self.lock();
        let admit = ramp.admit(now);
        self.asked.store(ramp.is_asked(), Relaxed);
        Some(admit)
    }

    /// Somebody answers.
    pub(crate) fn on_answer(&self, permit: Option<Permit>, now: Nanos) {
        if self.asked.load(Relaxed) {
            let mut ramp = self.lock();
            ramp.on_up(now);
            if let Some(permit) = permit {
                ramp.on_outcome(permit, true, now);
            }
            self.asked.store(ramp.is_asked(), Relaxed);
        }
    }

    /// An admitted attempt failed through its target's fault.
    pub(crate) fn on_failure(&self, permit: Permit, now: Nanos) {
        let mut ramp = self.lock();
        ramp.on_outcome(permit, false, now);
        self.asked.store(ramp.is_asked(), Relaxed);
    }

    /// What is let in, in thousandths of a request per second; `None` when everybody is.
    pub(crate) fn rate(&self) -> Option<u64> {
        if self.asked.load(Relaxed) { self.lock().rate() } else { None }
    }

    fn lock(&self) -> MutexGuard<'_, Ramp> {
        self.ramp.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
