//! The only place of the data plane that reads a clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;
use wellhead_resilience::Nanos;

/// Monotonic nanoseconds since the process started, and what the wall said then.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
    wall_at_origin: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        Self::starting_at(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

impl Clock {
    /// A clock whose wall says this now, counted from 1970. On a runtime whose time is paused it goes with that.
    pub fn starting_at(wall: Duration) -> Self {
        Self { origin: Instant::now(), wall_at_origin: wall }
    }

    /// Now, in nanoseconds since the origin. Begins at one second, so that 0 can mean "never".
    pub fn now(&self) -> Nanos {
        nanos(self.origin.elapsed()) + wellhead_resilience::SECOND
    }

    /// The instant at which [`Clock::now`] will give `at`, for timers.
    pub fn instant(&self, at: Nanos) -> Instant {
        let since = Duration::from_nanos(at.saturating_sub(wellhead_resilience::SECOND));
        self.origin + since
    }

    /// Wall clock of a monotonic reading, in nanoseconds since 1970. Derived, so that it never jumps within a process.
    pub fn wall_ns(&self, at: Nanos) -> u64 {
        nanos(self.wall_at_origin).saturating_add(at.saturating_sub(wellhead_resilience::SECOND))
    }
}

/// A duration in nanoseconds; 584 years are enough.
pub(crate) fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Numbers for jitter, weights and ids: SplitMix64 over a shared counter, seeded once from the system. Lock-free.
#[derive(Debug)]
pub struct Entropy(AtomicU64);

impl Entropy {
    /// Starts from a seed.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next 64 bits.
    pub fn next(&self) -> u64 {
        wellhead_resilience::Rng::new(self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)).next_u64()
    }
}
