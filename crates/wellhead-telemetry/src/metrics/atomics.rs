//! Numbers that one worker writes and a scrape adds up.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Copies of every number. Workers are at most 8 by default; more share.
const SHARDS: usize = 8;

/// One copy of `T` per worker, made when the worker first needs it: most routes are busy on few workers or none.
#[derive(Debug)]
pub(crate) struct Sharded<T> {
    shards: [OnceLock<Box<T>>; SHARDS],
}

impl<T> Default for Sharded<T> {
    fn default() -> Self {
        Self { shards: [const { OnceLock::new() }; SHARDS] }
    }
}

impl<T: Default> Sharded<T> {
    pub(crate) fn get(&self, worker: usize) -> &T {
        self.shards[worker % SHARDS].get_or_init(Box::default)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.shards.iter().filter_map(|shard| shard.get()).map(|shard| &**shard)
    }
}

/// A histogram of durations over `N` upper bounds, kept as integers: a bucket and a sum of nanoseconds per
/// observation.
#[derive(Debug)]
pub(crate) struct Histogram<const N: usize> {
    /// How many observations were at most the bound of the same index, and above the one before.
    within: [AtomicU64; N],
    above: AtomicU64,
    sum_ns: AtomicU64,
}

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Self { within: [const { AtomicU64::new(0) }; N], above: AtomicU64::new(0), sum_ns: AtomicU64::new(0) }
    }
}

impl<const N: usize> Histogram<N> {
    /// Whether anything has been counted.
    pub(crate) fn is_used(&self) -> bool {
        self.above.load(Relaxed) > 0 || self.within.iter().any(|bucket| bucket.load(Relaxed) > 0)
    }

    /// Counts one duration; `bounds_ms` are the upper bounds in milliseconds, ascending.
    pub(crate) fn observe(&self, bounds_ms: &[u64; N], duration: Duration) {
        let index = bounds_ms.partition_point(|bound| Duration::from_millis(*bound) < duration);
        self.within.get(index).unwrap_or(&self.above).fetch_add(1, Relaxed);
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.sum_ns.fetch_add(ns, Relaxed);
    }
}

/// The sum of several histograms, ready to be encoded.
#[derive(Debug)]
pub(crate) struct Totals {
    pub(crate) sum_s: f64,
    pub(crate) count: u64,
    /// Upper bound in seconds and the observations within it that are in no smaller one.
    pub(crate) buckets: Vec<(f64, u64)>,
}

impl Totals {
    pub(crate) fn of<'a, const N: usize>(
        bounds_ms: &[u64; N],
        parts: impl Iterator<Item = &'a Histogram<N>>,
    ) -> Self {
        let mut buckets: Vec<(f64, u64)> = bounds_ms.iter().map(|ms| (seconds_of_ms(*ms), 0)).collect();
        let (mut above, mut sum_ns) = (0, 0_u64);
        for part in parts {
            for (bucket, count) in buckets.iter_mut().zip(&part.within) {
                bucket.1 += count.load(Relaxed);
            }
            above += part.above.load(Relaxed);
            sum_ns = sum_ns.saturating_add(part.sum_ns.load(Relaxed));
        }
        buckets.push((f64::INFINITY, above));
        // Counted from the buckets, so that a scrape in the middle of an observation is consistent with itself.
        let count = buckets.iter().map(|(_, n)| n).sum();
        Self { sum_s: Duration::from_nanos(sum_ns).as_secs_f64(), count, buckets }
    }
}

fn seconds_of_ms(ms: u64) -> f64 {
    Duration::from_millis(ms).as_secs_f64()
}
