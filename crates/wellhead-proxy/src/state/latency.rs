//! How long a target takes, learnt from all that it answers and shared by all workers (decision 10). Requests read
//! copies, without a lock; whoever has something to add takes the lock if nobody else has it at that moment.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, TryLockError};
use wellhead_resilience::Nanos;
use wellhead_resilience::latency::{Known, Latency};

/// What has been learnt of one target.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    /// Of unstreamed and of streamed answers. A target that is never compared with another one has neither.
    kinds: [OnceLock<Box<Learnt>>; 2],
    /// It has been seen thinking.
    thinks: AtomicBool,
}

#[derive(Debug, Default)]
struct Learnt {
    latency: Mutex<Latency>,
    /// p50, p95, p99, silence; 0 is unknown.
    copies: [AtomicU64; 4],
}

impl Latencies {
    /// What is known of its streamed or unstreamed answers.
    pub(crate) fn known(&self, streamed: bool) -> Known {
        let Some(learnt) = self.kinds[usize::from(streamed)].get() else { return Known::default() };
        let [p50, p95, p99, silence] =
            learnt.copies.each_ref().map(|copy| Some(copy.load(Relaxed)).filter(|value| *value != 0));
        Known { p50, p95, p99, silence }
    }

    /// Adds what an attempt has shown. One sample in a crowd makes no difference: nobody waits for the lock.
    pub(crate) fn learn(&self, streamed: bool, sample: impl FnOnce(&mut Latency)) {
        let learnt = self.kinds[usize::from(streamed)].get_or_init(Box::default);
        let mut latency = match learnt.latency.try_lock() {
            Ok(latency) => latency,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        sample(&mut latency);
        let Known { p50, p95, p99, silence } = latency.known();
        for (copy, value) in learnt.copies.iter().zip([p50, p95, p99, silence]) {
            let value: Nanos = value.unwrap_or(0);
            // Other workers read them with every request: written only when they change.
            if copy.load(Relaxed) != value {
                copy.store(value, Relaxed);
            }
        }
    }

    /// Whether it has been seen thinking: it may be silent for long, before its first word and between two.
    pub(crate) fn thinks(&self) -> bool {
        self.thinks.load(Relaxed)
    }

    /// It has been seen thinking.
    pub(crate) fn saw_thinking(&self) {
        if !self.thinks() {
            self.thinks.store(true, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Latencies;
    use wellhead_resilience::SECOND;
    use wellhead_resilience::latency::{Known, SAMPLES_MIN};

    #[test]
    fn what_is_learnt_of_streams_says_nothing_of_whole_answers() {
        let latencies = Latencies::default();
        (0..SAMPLES_MIN - 1).for_each(|_| latencies.learn(true, |latency| latency.on_first(SECOND, 0)));
        assert_eq!(latencies.known(true), Known::default(), "too few to know");
        latencies.learn(true, |latency| latency.on_first(SECOND, 0));
        let known = latencies.known(true);
        assert!(known.p50.is_some_and(|p50| (SECOND..2 * SECOND).contains(&p50)), "{known:?}");
        assert_eq!(latencies.known(false), Known::default());
        // After a day of silence nothing is known any more.
        latencies.learn(true, |latency| latency.on_first(SECOND, 86_400 * SECOND));
        assert_eq!(latencies.known(true), Known::default());
    }

    #[test]
    fn a_sample_never_waits_for_another_worker() {
        let latencies = Latencies::default();
        latencies.learn(false, |_| {
            // The lock is held here.
            (0..100).for_each(|_| latencies.learn(false, |latency| latency.on_first(SECOND, 0)));
        });
        assert_eq!(latencies.known(false), Known::default());
    }
}
