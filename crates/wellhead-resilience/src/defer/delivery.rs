//! When a webhook is tried again: the schedule of Standard Webhooks.

use crate::Rng;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// Pauses after each try that failed, in milliseconds.
const PAUSES_MS: [u64; 9] = [
    5 * SECOND_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
];

/// The pause after `tries` tries that have failed, in milliseconds, up to a tenth longer by chance; `None` when it is
/// given up. `Retry-After` of the receiver, in milliseconds, makes it longer.
pub fn pause_ms(tries: u32, retry_after_ms: Option<u64>, rng: &mut Rng) -> Option<u64> {
    let index = usize::try_from(tries.checked_sub(1)?).ok()?;
    let pause = *PAUSES_MS.get(index)?;
    let pause = pause.max(retry_after_ms.unwrap_or(0).min(PAUSES_MS[PAUSES_MS.len() - 1]));
    Some(pause + rng.below(pause / 10))
}

#[cfg(test)]
mod tests {
    use super::pause_ms;
    use crate::Rng;

    #[test]
    fn the_schedule_is_that_of_standard_webhooks_with_a_tenth_of_jitter() {
        let minutes = [0.0833, 5.0, 30.0, 120.0, 300.0, 600.0, 840.0, 1200.0, 1440.0];
        for seed in 0..200 {
            let mut rng = Rng::new(seed);
            for (tries, expected) in (1..).zip(minutes) {
                let pause = pause_ms(tries, None, &mut rng).map_or(0.0, |ms| ms as f64 / 60_000.0);
                assert!(
                    pause >= expected * 0.99 && pause <= expected * 1.11,
                    "seed {seed}: {tries}: {pause}"
                );
            }
            assert_eq!(pause_ms(10, None, &mut rng), None);
            assert_eq!(pause_ms(0, None, &mut rng), None);
            assert!(pause_ms(1, Some(90_000), &mut rng).is_some_and(|ms| (90_000..100_000).contains(&ms)));
        }
    }
}
