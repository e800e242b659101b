//! How much a target has to do, and whether it is given more. A target that is not limited, which is nearly every one
//! nearly always, costs a few additions to atomics and no lock; what it takes for evidence of too much load is collected
//! beside them, and looked at every ten seconds ([`Gate`]).

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wellhead_resilience::concurrency::{Gate, IN_FLIGHT_LIMIT_MIN, INTERVAL, Interval, Limits};
use wellhead_resilience::{Nanos, SECOND};

/// Both limits in one word; this is none.
const NONE: u64 = u64::MAX;
/// A target that has answered nothing for so long, or for twice the time that it usually takes, does not answer.
const ANSWERS: Nanos = SECOND / 2;
/// Weight of the newest answer in what is usual, as a divisor.
const USUAL_SHARE: u64 = 64;

/// The load of one target.
#[derive(Debug)]
pub(crate) struct Load {
    /// Attempts that wait for their first content.
    waiting: AtomicU32,
    /// In flight in the upper half, waiting in the lower one; all ones in a half is no limit.
    limits: AtomicU64,
    /// When somebody last found no room.
    bound_at: AtomicU64,
    /// When an answer last began.
    answered_at: AtomicU64,
    /// Of unstreamed and of streamed calls.
    seen: [Seen; 2],
    gate: Mutex<Gate>,
}

/// What is seen of one kind of calls in ten seconds. Threads overwrite each other's additions now and then, which costs
/// an answer of many.
#[derive(Debug)]
struct Seen {
    usual: AtomicU64,
    quickest: AtomicU64,
    answers: AtomicU32,
    ends: AtomicU64,
}

impl Default for Load {
    fn default() -> Self {
        let seen = || Seen {
            usual: AtomicU64::new(0),
            quickest: AtomicU64::new(Nanos::MAX),
            answers: AtomicU32::new(0),
            ends: AtomicU64::new(0),
        };
        Self {
            waiting: AtomicU32::new(0),
            limits: AtomicU64::new(NONE),
            bound_at: AtomicU64::new(0),
            answered_at: AtomicU64::new(0),
            seen: [seen(), seen()],
            gate: Mutex::default(),
        }
    }
}

impl Load {
    /// Whether the target is not to be given more, with `in_flight` attempts there.
    pub(crate) fn is_full(&self, in_flight: u64, now: Nanos) -> bool {
        let limits = self.limits.load(Relaxed);
        if limits == NONE {
            return false;
        }
        let (in_flight_max, waiting_max) = halves(limits);
        let full = in_flight >= u64::from(in_flight_max) || self.waiting.load(Relaxed) >= waiting_max;
        if full {
            self.bound_at.store(now, Relaxed);
        }
        full
    }

    /// An attempt has been sent.
    pub(crate) fn on_start(&self) {
        self.waiting.fetch_add(1, Relaxed);
    }

    /// Its answer has begun after `took`. Returns whether that makes room.
    pub(crate) fn on_answer(&self, streamed: bool, took: Nanos, in_flight: u64, now: Nanos) -> bool {
        let waiting = self.waiting.fetch_sub(1, Relaxed);
        self.answered_at.store(now, Relaxed);
        self.seen[usize::from(streamed)].note(took);
        if now >= self.seen[usize::from(streamed)].ends.load(Relaxed) {
            self.close(streamed, waiting, now);
        }
        if self.limits.load(Relaxed) == NONE {
            return false;
        }
        let in_flight = u32::try_from(in_flight).unwrap_or(u32::MAX);
        let mut gate = self.gate();
        gate.on_answer(streamed, took, (in_flight, waiting), self.bound_at.load(Relaxed), now);
        self.copy(&gate);
        true
    }

    /// It ended without an answer.
    pub(crate) fn on_end(&self) {
        self.waiting.fetch_sub(1, Relaxed);
    }

    /// The target has refused an attempt because it has too much to do; `others` are with it still. Returns whether
    /// fewer attempts can be the answer to that: a target that refuses although it has nothing to do, or has stopped to
    /// answer anything, is not well.
    pub(crate) fn on_refusal(&self, others: u64, now: Nanos) -> bool {
        let others = u32::try_from(others).unwrap_or(u32::MAX);
        let usual = self.seen.iter().map(|seen| seen.usual.load(Relaxed)).max().unwrap_or(0);
        let answers = now.saturating_sub(self.answered_at.load(Relaxed)) <= ANSWERS.max(2 * usual);
        let is_load = answers && others >= IN_FLIGHT_LIMIT_MIN;
        let mut gate = self.gate();
        if is_load {
            gate.on_refusal(others, now);
        } else if !answers {
            gate.forget();
        }
        self.copy(&gate);
        is_load
    }

    /// The target is left alone: what it refused was refused by an outage, and says nothing about what it takes when it
    /// is back.
    pub(crate) fn forget(&self) {
        if self.limits.load(Relaxed) != NONE {
            let mut gate = self.gate();
            gate.forget();
            self.copy(&gate);
        }
    }

    /// The limits in force.
    pub(crate) fn limits(&self) -> Limits {
        let (in_flight, waiting) = halves(self.limits.load(Relaxed));
        let number = |max: u32| Some(max).filter(|max| *max != u32::MAX);
        Limits { in_flight: number(in_flight), waiting: number(waiting) }
    }

    /// Attempts that wait for their first content.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(Relaxed)
    }

    /// An interval is over. Of several threads that see it, one closes it.
    fn close(&self, streamed: bool, waiting: u32, now: Nanos) {
        let seen = &self.seen[usize::from(streamed)];
        let mut gate = self.gate();
        if now < seen.ends.load(Relaxed) {
            return;
        }
        let is_first = seen.ends.swap(now.saturating_add(INTERVAL), Relaxed) == 0;
        let answers = seen.answers.swap(0, Relaxed);
        let quickest = seen.quickest.swap(Nanos::MAX, Relaxed);
        if is_first {
            // The interval begins with the first answer, and that one belongs to it.
            seen.answers.store(answers, Relaxed);
            seen.quickest.store(quickest, Relaxed);
            return;
        }
        let usual = seen.usual.load(Relaxed);
        gate.on_interval(Interval { streamed, answers, quickest, usual, waiting }, now);
        self.copy(&gate);
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The copy that is read without the lock is written under it.
    fn copy(&self, gate: &Gate) {
        let Limits { in_flight, waiting } = gate.limits();
        let half = |max: Option<u32>| u64::from(max.unwrap_or(u32::MAX));
        self.limits.store(half(in_flight) << 32 | half(waiting), Relaxed);
    }
}

impl Seen {
    fn note(&self, took: Nanos) {
        let usual = self.usual.load(Relaxed);
        let next = if usual == 0 { took } else { usual - usual / USUAL_SHARE + took / USUAL_SHARE };
        self.usual.store(next, Relaxed);
        if took < self.quickest.load(Relaxed) {
            self.quickest.store(took, Relaxed);
        }
        self.answers.store(self.answers.load(Relaxed).saturating_add(1), Relaxed);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of a word")]
const fn halves(limits: u64) -> (u32, u32) {
    ((limits >> 32) as u32, limits as u32)
}

/// The slots of a provider for which a maximum is configured, over all its targets.
#[derive(Debug, Default)]
pub(crate) struct Slots(AtomicU32);

impl Slots {
    pub(crate) fn taken(&self) -> u32 {
        self.0.load(Relaxed)
    }

    /// Takes a slot if fewer than `max` are taken. Never is there more than that, however many threads ask at once.
    pub(crate) fn take(self: &Arc<Self>, max: u32) -> Option<Slot> {
        let more = |taken: u32| (taken < max).then_some(taken + 1);
        self.0.fetch_update(Relaxed, Relaxed, more).ok().map(|_| Slot(self.clone()))
    }
}

/// A slot that is taken; dropped, it is free.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Slots>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests;
