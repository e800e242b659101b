//! Two counters per second over the last ten seconds, shared between threads without a lock: a second is one word, so
//! its stamp and its counters can never disagree.

use crate::{Nanos, SECOND};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Seconds that are remembered, the current one included.
pub(crate) const SECONDS: u64 = SLOTS as u64;

/// One slot per second.
const SLOTS: usize = 10;

/// Bits of one counter: a million events a second and target; more are not counted.
const COUNT_BITS: u32 = 20;
/// Most that one counter of one second holds.
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;
/// The stamp has the remaining 24 bits. With ten slots it repeats after 970 days: a slot that nobody touched for
/// exactly that long would be taken for fresh, once, for ten seconds.
const STAMP_MASK: u64 = (1 << (64 - 2 * COUNT_BITS)) - 1;

/// Sums over the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sums {
    /// Events of the first kind.
    pub(crate) first: u64,
    /// Events of the second kind.
    pub(crate) second: u64,
}

/// Which counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    First,
    Second,
}

/// The ring. All operations are sequentially consistent: whoever adds first and reads then cannot overlook another
/// who does the same in another second ([`crate::budget`] relies on it).
#[derive(Debug, Default)]
pub(crate) struct Ring {
    slots: [AtomicU64; SLOTS],
}

impl Ring {
    /// Counts one event.
    pub(crate) fn add(&self, kind: Kind, now: Nanos) {
        let second = now / SECOND;
        let _ = self.slot(second).fetch_update(SeqCst, SeqCst, |word| {
            let (mut first, mut later) =
                if stamp(word) == second & STAMP_MASK { counts(word) } else { (0, 0) };
            match kind {
                Kind::First => first = (first + 1).min(COUNT_MAX),
                Kind::Second => later = (later + 1).min(COUNT_MAX),
            }
            Some(word_of(second, first, later))
        });
    }

    /// Takes back one event that was counted with the same `now`; nothing happens if its second is already forgotten.
    pub(crate) fn take_back(&self, kind: Kind, now: Nanos) {
        let second = now / SECOND;
        let _ = self.slot(second).fetch_update(SeqCst, SeqCst, |word| {
            if stamp(word) != second & STAMP_MASK {
                return None;
            }
            let (first, later) = counts(word);
            Some(match kind {
                Kind::First => word_of(second, first.saturating_sub(1), later),
                Kind::Second => word_of(second, first, later.saturating_sub(1)),
            })
        });
    }

    /// What was counted in the current second and the nine before it, and by threads whose clock reading is already one
    /// second ahead.
    pub(crate) fn sums(&self, now: Nanos) -> Sums {
        let current = now / SECOND;
        self.slots.iter().fold(Sums::default(), |sums, slot| {
            let word = slot.load(SeqCst);
            let age = current.wrapping_sub(stamp(word)) & STAMP_MASK;
            if age >= SECONDS && age != STAMP_MASK {
                return sums;
            }
            let (first, second) = counts(word);
            Sums { first: sums.first + first, second: sums.second + second }
        })
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        for slot in &self.slots {
            slot.store(0, SeqCst);
        }
    }

    fn slot(&self, second: u64) -> &AtomicU64 {
        &self.slots[usize::try_from(second % SECONDS).unwrap_or(0)]
    }
}

const fn stamp(word: u64) -> u64 {
    word >> (2 * COUNT_BITS)
}

const fn counts(word: u64) -> (u64, u64) {
    ((word >> COUNT_BITS) & COUNT_MAX, word & COUNT_MAX)
}

const fn word_of(second: u64, first: u64, later: u64) -> u64 {
    (second & STAMP_MASK) << (2 * COUNT_BITS) | first << COUNT_BITS | later
}

#[cfg(test)]
mod tests {
    use super::{COUNT_MAX, Kind, Ring, SECONDS, Sums};
    use crate::{Nanos, Rng, SECOND};

    #[test]
    fn the_sums_equal_those_of_a_list_of_all_events() {
        for seed in 0..2_000 {
            let (ring, mut rng) = (Ring::default(), Rng::new(seed));
            let mut now: Nanos = rng.below(1_000 * SECOND);
            let mut all: Vec<(Nanos, Kind)> = Vec::new();
            for _ in 0..200 {
                now += match rng.below(10) {
                    0 => rng.below(15 * SECOND),
                    1..4 => rng.below(SECOND),
                    _ => rng.below(SECOND / 100),
                };
                // Some readings come long after the last event.
                match rng.below(40) {
                    0 => {
                        ring.clear();
                        all.clear();
                    }
                    1..30 => {
                        let kind = if rng.below(3) == 0 { Kind::Second } else { Kind::First };
                        ring.add(kind, now);
                        all.push((now, kind));
                        if rng.below(5) == 0 {
                            ring.take_back(kind, now);
                            all.pop();
                        }
                    }
                    _ => {}
                }
                let count = |wanted| {
                    all.iter()
                        .filter(|(at, kind)| *kind == wanted && now / SECOND - at / SECOND < SECONDS)
                        .count() as u64
                };
                let naive = Sums { first: count(Kind::First), second: count(Kind::Second) };
                assert_eq!(ring.sums(now), naive, "seed {seed}");
            }
        }
    }

    #[test]
    fn a_full_second_stops_counting_and_disturbs_nothing() {
        let ring = Ring::default();
        for _ in 0..COUNT_MAX + 5 {
            ring.add(Kind::Second, 7 * SECOND);
        }
        ring.add(Kind::First, 7 * SECOND);
        assert_eq!(ring.sums(7 * SECOND), Sums { first: 1, second: COUNT_MAX });
    }

    #[test]
    fn threads_lose_no_event() {
        let ring = Ring::default();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let ring = &ring;
                scope.spawn(move || {
                    for i in 0..10_000_u64 {
                        ring.add(if thread % 2 == 0 { Kind::First } else { Kind::Second }, (i % 7) * SECOND);
                    }
                });
            }
        });
        assert_eq!(ring.sums(6 * SECOND), Sums { first: 20_000, second: 20_000 });
    }
}
