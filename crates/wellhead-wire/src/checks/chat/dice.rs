//! Chance by seed.

/// SplitMix64: small, and good enough to choose test data.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The same seed throws the same numbers.
    pub const fn new(seed: u64) -> Self {
        Self(seed ^ 0x5ee0_d1ce)
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.word() % u64::try_from(bound.max(1)).expect("64 bits")).expect("below a usize")
    }

    /// From `low` up to `high`, both included.
    pub fn number(&mut self, low: u64, high: u64) -> u64 {
        low + self.word() % (high - low + 1)
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }

    /// The value, now and then, if the dialect has a place for it.
    pub fn maybe<T>(&mut self, can: bool, n: usize, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        // The number is thrown anyway, so that one ability less does not change everything after it.
        let hit = self.one_in(n);
        (hit && can).then(|| value(self))
    }
}
