//! Requests in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A limit on what runs at the same time. Clones share it.
#[derive(Debug, Clone)]
pub struct Concurrency {
    shared: Arc<Shared>,
}

/// Its own cache line, for the same reason as in `Gcra`.
#[derive(Debug)]
#[repr(align(64))]
struct Shared {
    in_flight: AtomicU64,
    max: AtomicU64,
}

/// One of the places. Dropping it, by whatever way the request ends, gives the place back.
#[derive(Debug)]
#[must_use = "the place is given back at once when the permit is dropped"]
pub struct Permit {
    shared: Arc<Shared>,
}

impl Concurrency {
    /// A limit of `max` at the same time. 0 admits nothing; `u64::MAX` only counts.
    pub fn new(max: u64) -> Self {
        Self { shared: Arc::new(Shared { in_flight: AtomicU64::new(0), max: AtomicU64::new(max) }) }
    }

    /// Takes a place if there is one.
    pub fn try_acquire(&self) -> Option<Permit> {
        let max = self.shared.max.load(Relaxed);
        // Not an addition with a check afterwards: that would refuse neighbours while it is being taken back.
        let taken = self.shared.in_flight.fetch_update(Relaxed, Relaxed, |n| (n < max).then(|| n + 1));
        taken.ok().map(|_| Permit { shared: Arc::clone(&self.shared) })
    }

    /// Places taken now.
    pub fn in_flight(&self) -> u64 {
        self.shared.in_flight.load(Relaxed)
    }

    /// The limit.
    pub fn max(&self) -> u64 {
        self.shared.max.load(Relaxed)
    }

    /// Changes the limit. Whoever has a place keeps it, even if there are now more than `max`.
    pub fn set_max(&self, max: u64) {
        self.shared.max.store(max, Relaxed);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shared.in_flight.fetch_sub(1, Relaxed);
    }
}
