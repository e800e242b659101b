//! Full-jitter exponential back-off (survival.md section 3): `U(0, min(cap, base · 2ⁿ))`.

use crate::{MILLI, Nanos, Rng};
use wellhead_types::planted::{self, Planted};

/// First step for AI calls: a model server that fails at once rarely recovers within less.
pub const BASE: Nanos = 250 * MILLI;
/// Ten times the base, as in Envoy.
pub const CAP: Nanos = 10 * BASE;

/// The wait before retry number `retry` (0 is the first).
pub fn full_jitter(retry: u32, rng: &mut Rng) -> Nanos {
    if planted::has(Planted::BackoffIsZero) {
        return 0;
    }
    let shift = if retry > 16 { 16 } else { retry };
    let ceiling = BASE << shift;
    rng.below(if ceiling > CAP { CAP } else { ceiling })
}

#[cfg(test)]
mod tests {
    use super::{CAP, full_jitter};
    use crate::Rng;

    #[test]
    fn waits_stay_below_the_ceiling_and_spread() {
        for seed in 0..2_000 {
            let mut rng = Rng::new(seed);
            for retry in [0, 1, 2, 3, 10, 63, u32::MAX] {
                assert!(full_jitter(retry, &mut rng) < CAP, "seed {seed} retry {retry}");
            }
        }
        let mean = (0..2_000).map(|s| full_jitter(0, &mut Rng::new(s))).sum::<u64>() / 2_000;
        assert!((100_000_000..150_000_000).contains(&mean), "{mean}");
    }
}
