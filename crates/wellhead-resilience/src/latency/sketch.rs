//! Quantiles of durations in a few hundred bytes: a histogram whose buckets grow with the value (eight per doubling,
//! so a quantile is at most 12.5 % too high), and which forgets by halving. No allocation; recording is O(1), but for
//! one pass over the buckets every few samples.

use crate::{Nanos, SECOND};

/// Samples before a quantile is believed (decision 10).
pub const SAMPLES_MIN: u32 = 50;
/// After this many samples half of the past is forgotten: a changed target is relearnt within some hundred requests.
const SAMPLES_MAX: u32 = 2_048;
/// Half of the past is forgotten after this time, too. One request a minute must still reach [`SAMPLES_MIN`].
const HALF_LIFE: Nanos = 3_600 * SECOND;
/// Samples between two passes over the buckets.
const PASS_SAMPLES: u8 = 16;
/// What one sample counts, so that halving does not lose the rare slow ones at once.
const WEIGHT: u16 = 16;

/// 2¹⁷ ns = 131 µs: everything quicker is one bucket.
const OCTAVE_FIRST: u32 = 17;
/// Up to 2⁴⁰ ns = 1,100 s: everything slower is one bucket.
const OCTAVES: usize = 23;
/// Buckets within a doubling: the three bits after the highest.
const STEPS: usize = 8;
const BUCKETS: usize = OCTAVES * STEPS + 2;

/// The quantiles that are kept, in ten-thousandths.
const QUANTILES: [u32; 4] = [5_000, 9_500, 9_900, 9_990];

/// A quantile that a sketch knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantile {
    /// The median.
    P50,
    /// One in twenty is slower.
    P95,
    /// One in a hundred is slower.
    P99,
    /// One in a thousand is slower.
    P999,
}

/// What is remembered of a series of durations.
#[derive(Debug, Clone)]
pub struct Sketch {
    counts: [u16; BUCKETS],
    total: u32,
    since_pass: u8,
    halved: Nanos,
    known: [Nanos; QUANTILES.len()],
}

impl Default for Sketch {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], total: 0, since_pass: 0, halved: 0, known: [0; QUANTILES.len()] }
    }
}

impl Sketch {
    /// Adds a duration.
    pub fn record(&mut self, duration: Nanos, now: Nanos) {
        if self.total == 0 {
            self.halved = now;
        }
        let knew = self.is_known();
        self.forget(now);
        if let Some(count) = self.counts.get_mut(bucket(duration)) {
            *count = count.saturating_add(WEIGHT);
            self.total += u32::from(WEIGHT);
        }
        self.since_pass = self.since_pass.saturating_add(1);
        if self.is_known() && (!knew || self.since_pass >= PASS_SAMPLES) {
            self.pass();
        }
    }

    /// A quantile, rounded up to the end of its bucket and at most 16 samples old. `None` before [`SAMPLES_MIN`]
    /// samples.
    pub fn quantile(&self, quantile: Quantile) -> Option<Nanos> {
        let i = match quantile {
            Quantile::P50 => 0,
            Quantile::P95 => 1,
            Quantile::P99 => 2,
            Quantile::P999 => 3,
        };
        self.is_known().then_some(self.known[i])
    }

    /// Samples that are remembered; the old ones count less.
    pub const fn samples(&self) -> u32 {
        self.total / WEIGHT as u32
    }

    const fn is_known(&self) -> bool {
        self.samples() >= SAMPLES_MIN
    }

    fn forget(&mut self, now: Nanos) {
        let full = u32::from(self.total >= SAMPLES_MAX * u32::from(WEIGHT));
        let halvings = u32::try_from(now.saturating_sub(self.halved) / HALF_LIFE).unwrap_or(u32::MAX);
        if halvings > 0 {
            self.halved = now;
        }
        let by = full.saturating_add(halvings);
        if by == 0 {
            return;
        }
        self.total = 0;
        for count in &mut self.counts {
            *count = count.checked_shr(by).unwrap_or(0);
            self.total += u32::from(*count);
        }
    }

    fn pass(&mut self) {
        self.since_pass = 0;
        let (mut below, mut found) = (0, 0);
        for (bucket, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            below += u32::from(*count);
            while let Some(quantile) = QUANTILES.get(found)
                && u64::from(below) * 10_000 >= u64::from(self.total) * u64::from(*quantile)
            {
                self.known[found] = end(bucket);
                found += 1;
            }
        }
    }
}

const fn bucket(duration: Nanos) -> usize {
    let octave = match duration.checked_ilog2() {
        Some(octave) if octave >= OCTAVE_FIRST => octave,
        _ => return 0,
    };
    let from_first = (octave - OCTAVE_FIRST) as usize;
    if from_first >= OCTAVES {
        return BUCKETS - 1;
    }
    1 + from_first * STEPS + ((duration >> (octave - 3)) & 7) as usize
}

/// The first duration beyond a bucket; for the last bucket its beginning.
const fn end(bucket: usize) -> Nanos {
    if bucket == 0 {
        return 1 << OCTAVE_FIRST;
    }
    let (octave, step) = ((bucket - 1) / STEPS, (bucket - 1) % STEPS);
    if octave >= OCTAVES {
        return 1 << (OCTAVE_FIRST as usize + OCTAVES);
    }
    ((STEPS + step + 1) as u64) << (OCTAVE_FIRST as usize + octave - 3)
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, bucket, end};

    #[test]
    fn every_duration_lies_in_a_bucket_at_most_an_eighth_wide() {
        for shift in 0..64 {
            for nudge in [0, 1, 2] {
                let duration = ((1_u64 << shift) - 1).saturating_add(nudge);
                let i = bucket(duration);
                assert!(i < BUCKETS, "{duration}");
                if i > 0 && i < BUCKETS - 1 {
                    assert!(duration < end(i) && end(i) - duration <= duration / 8 + 1, "{duration} in {i}");
                }
                assert!(i == BUCKETS - 1 || duration < end(i), "{duration} in {i}");
            }
        }
        assert!((1..BUCKETS - 1).all(|i| bucket(end(i) - 1) == i && bucket(end(i)) == i + 1));
    }
}
