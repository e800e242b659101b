//! Everything that looks like chance. Numbers are either drawn in order ([`Dice`]), while the scenario is written, or
//! belong to a thing ([`of`]), while it is played: the latency of a request must not depend on who drew before it.

use std::time::Duration;
use wellhead_resilience::Rng;

/// Numbers in order.
#[derive(Debug)]
pub(crate) struct Dice(Rng);

impl Dice {
    /// Starts from a seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(Rng::new(seed ^ 0x05ee_d0fa_0b1d))
    }

    /// From `least` to `most`, both included.
    pub(crate) const fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.0.below(most - least + 1)
    }

    /// True so many times in a hundred.
    pub(crate) const fn chance(&mut self, percent: u64) -> bool {
        self.0.below(100) < percent
    }

    /// One of several, none of them more likely.
    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.0.below(of.len() as u64)).unwrap_or(0)].clone()
    }

    /// An index below `count`.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.0.below(count as u64)).unwrap_or(0)
    }

    /// Milliseconds to the next of events that come `per_second` on average (Poisson), ten seconds at most.
    pub(crate) fn pause_ms(&mut self, per_second: f64) -> u64 {
        let uniform = (self.0.below(1 << 32) as f64 + 1.0) / (1_u64 << 32) as f64;
        let pause = Duration::from_secs_f64((-uniform.ln() / per_second).min(10.0));
        u64::try_from(pause.as_millis()).unwrap_or(0)
    }
}

/// The number that belongs to these things under this seed.
pub(crate) fn of(seed: u64, things: &[u64]) -> u64 {
    things.iter().fold(Rng::new(seed).next_u64(), |hash, thing| Rng::new(hash ^ *thing).next_u64())
}
