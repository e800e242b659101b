#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]
//! Promises of the learnt limits.

use super::{
    FIRST_FLOOR, FIRST_THINKING, FIRST_THINKING_MAX, FirstAsk, Latency, Quantile, SAMPLES_MIN, Sketch,
};
use crate::{MILLI, Nanos, Rng, SECOND};

const STREAM: FirstAsk = FirstAsk {
    streamed: true,
    alternative: true,
    thinking: false,
    configured: None,
    remaining: 600 * SECOND,
};

fn learnt(first: Nanos, samples: u32) -> Latency {
    let mut latency = Latency::default();
    (0..samples).for_each(|_| latency.on_first(first, 0));
    latency
}

#[test]
fn before_fifty_samples_the_default_counts() {
    let alone = FirstAsk { alternative: false, ..STREAM };
    let whole = FirstAsk { streamed: false, ..STREAM };
    let latency = learnt(4 * SECOND, SAMPLES_MIN - 1);
    assert_eq!(latency.known().first_limit(STREAM), Some(12 * SECOND));
    assert_eq!(latency.known().first_limit(FirstAsk { configured: Some(SECOND), ..STREAM }), Some(SECOND));
    assert_eq!(latency.known().first_limit(alone), None);
    assert_eq!(latency.known().first_limit(whole), None);
    assert_eq!((latency.known().p50, latency.known().p95), (None, None));

    let latency = learnt(4 * SECOND, SAMPLES_MIN);
    let limit = latency.known().first_limit(STREAM).unwrap();
    assert!((6 * SECOND..7 * SECOND).contains(&limit), "1.5 × 4 s, not {limit}");
    assert_eq!(latency.known().first_limit(alone), None);
    assert_eq!(latency.known().first_limit(whole), Some(30 * SECOND));
}

#[test]
fn a_learnt_limit_has_a_floor_and_is_never_above_the_configured_one() {
    assert_eq!(learnt(20 * MILLI, 100).known().first_limit(STREAM), Some(FIRST_FLOOR));
    assert_eq!(learnt(40 * SECOND, 100).known().first_limit(STREAM), Some(12 * SECOND));
    let short = FirstAsk { configured: Some(SECOND), ..STREAM };
    assert_eq!(learnt(20 * MILLI, 100).known().first_limit(short), Some(SECOND));
    let patient = FirstAsk { configured: Some(120 * SECOND), ..STREAM };
    assert!(learnt(40 * SECOND, 100).known().first_limit(patient).unwrap() >= 60 * SECOND);
    let whole = FirstAsk { streamed: false, configured: Some(90 * SECOND), ..STREAM };
    assert_eq!(learnt(80 * SECOND, 100).known().first_limit(whole), Some(90 * SECOND));
}

#[test]
fn a_whole_answer_leaves_half_of_a_short_deadline_to_the_standby() {
    let known = learnt(2 * SECOND, 100).known();
    let limit =
        |remaining| known.first_limit(FirstAsk { streamed: false, remaining, ..STREAM }).unwrap_or_default();
    assert_eq!(limit(600 * SECOND), 30 * SECOND);
    assert_eq!(limit(60 * SECOND), 30 * SECOND);
    assert_eq!(limit(20 * SECOND), 10 * SECOND);
    // Never below what one in a hundred healthy answers takes, and half as much again (decision 10).
    for remaining in [5 * SECOND, SECOND, 0] {
        assert!((3 * SECOND..4 * SECOND).contains(&limit(remaining)), "{remaining}: {}", limit(remaining));
    }
}

#[test]
fn a_model_that_thinks_has_more_time_unless_it_is_configured() {
    let thinking = FirstAsk { thinking: true, ..STREAM };
    assert_eq!(Latency::default().known().first_limit(thinking), Some(FIRST_THINKING));
    let limit = learnt(40 * SECOND, 100).known().first_limit(thinking).unwrap();
    assert!((60 * SECOND..70 * SECOND).contains(&limit), "1.5 × 40 s, not {limit}");
    assert_eq!(learnt(900 * SECOND, 100).known().first_limit(thinking), Some(FIRST_THINKING_MAX));
    let own = FirstAsk { configured: Some(8 * SECOND), ..thinking };
    assert_eq!(Latency::default().known().first_limit(own), Some(8 * SECOND));
    assert_eq!(learnt(40 * SECOND, 100).known().first_limit(own), Some(8 * SECOND));
}

#[test]
fn the_configured_idle_limit_counts_until_the_pauses_are_known() {
    let mut latency = Latency::default();
    for configured in [SECOND, 30 * SECOND, 60 * SECOND] {
        assert_eq!(latency.known().idle_limit(false, configured), configured);
        assert_eq!(latency.known().idle_limit(true, configured), configured);
    }
    (0..100).for_each(|_| latency.on_silence(100 * MILLI, 0));
    assert_eq!(latency.known().idle_limit(false, 60 * SECOND), 5 * SECOND);
    assert_eq!(latency.known().idle_limit(true, 60 * SECOND), 20 * SECOND);
    assert_eq!(latency.known().idle_limit(false, SECOND), SECOND, "never above what is configured");
    // One stream of a hundred pauses for eight seconds: that is no stall.
    latency.on_silence(8 * SECOND, 0);
    (0..20).for_each(|_| latency.on_silence(100 * MILLI, 0));
    assert!((24 * SECOND..28 * SECOND).contains(&latency.known().idle_limit(false, 60 * SECOND)));
}

#[test]
fn a_key_takes_less_than_a_kibibyte() {
    assert!(size_of::<Latency>() < 1_024, "{}", size_of::<Latency>());
}

/// The exact quantile of all samples lies below the estimate, by at most one bucket.
#[test]
fn quantiles_are_right_within_an_eighth() {
    for seed in 0..2_000 {
        let mut rng = Rng::new(seed);
        let scale = 1 << rng.below(20);
        let spread = 1 + rng.below(1_000_000);
        let mut sketch = Sketch::default();
        // A multiple of the samples between two passes, below the number at which it begins to forget.
        let mut all: Vec<Nanos> =
            (0..16 * (4 + rng.below(60))).map(|_| 131_072 + (1 + rng.below(spread)) * scale).collect();
        all.iter().for_each(|sample| sketch.record(*sample, seed));
        // The last pass was at sample 50 + 16 n.
        all.truncate(50 + (all.len() - 50) / 16 * 16);
        all.sort_unstable();
        let cases =
            [(Quantile::P50, 5_000), (Quantile::P95, 9_500), (Quantile::P99, 9_900), (Quantile::P999, 9_990)];
        for (quantile, share) in cases {
            let rank = (all.len() * share).div_ceil(10_000) - 1;
            let (exact, found) = (all[rank], sketch.quantile(quantile).unwrap());
            assert!(
                found > exact && found <= exact + exact / 8 + 1,
                "seed {seed} {quantile:?}: {found}, not {exact}"
            );
        }
    }
}

#[test]
fn extremes_do_no_harm() {
    for seed in 0..200 {
        let (mut rng, mut latency) = (Rng::new(seed), Latency::default());
        for _ in 0..3_000 {
            let extreme = [0, 1, Nanos::MAX, rng.next_u64(), rng.next_u64() >> rng.below(64)];
            let (value, now) = (extreme[rng.below(5) as usize], extreme[rng.below(5) as usize]);
            match rng.below(4) {
                0 => latency.on_first(value, now),
                1 => latency.on_first_missed(value, now),
                2 => latency.on_cancelled(value, now),
                _ => latency.on_silence(value, now),
            }
            let limit = latency.known().first_limit(STREAM).unwrap();
            assert!((FIRST_FLOOR..=12 * SECOND).contains(&limit), "seed {seed}: {limit}");
            let idle = latency.known().idle_limit(false, 60 * SECOND);
            assert!((5 * SECOND..=60 * SECOND).contains(&idle), "seed {seed}: {idle}");
        }
    }
}

/// A target gets slower than its learnt limit: its attempts are cut at the limit, and the limit follows until they
/// succeed again.
#[test]
fn a_target_that_got_slower_is_not_exiled() {
    let mut latency = learnt(SECOND, 2_000);
    assert_eq!(latency.known().first_limit(STREAM), Some(FIRST_FLOOR));
    let mut cut = 0;
    for _ in 0..5_000 {
        let limit = latency.known().first_limit(STREAM).unwrap();
        if limit > 6 * SECOND {
            break;
        }
        latency.on_first_missed(limit, 0);
        cut += 1;
    }
    assert!(cut < 200, "{cut} attempts were cut");
}

#[test]
fn what_is_long_past_is_forgotten() {
    let mut latency = learnt(10 * SECOND, 2_000);
    (0..12_000).for_each(|_| latency.on_first(SECOND, 0));
    assert_eq!(
        latency.known().first_limit(STREAM),
        Some(FIRST_FLOOR),
        "twelve thousand quick ones outweigh the slow past"
    );
    // After a day of silence nothing is known.
    latency.on_first(SECOND, 86_400 * SECOND);
    assert_eq!(latency.known().first_limit(STREAM), Some(12 * SECOND));
    // One request per minute is enough to know.
    let mut latency = Latency::default();
    (0..500).for_each(|minute| latency.on_first(4 * SECOND, minute * 60 * SECOND));
    assert!(latency.known().p95.is_some());
}

#[test]
fn a_cancelled_attempt_counts_only_when_it_was_long() {
    let mut latency = learnt(SECOND, 1_000);
    (0..1_000).for_each(|_| latency.on_cancelled(MILLI, 0));
    assert!(latency.known().p50.unwrap() >= SECOND);
    // Hedges win against every slow one: without their losers the tail would vanish.
    let mut latency = learnt(SECOND, 100);
    (0..20).for_each(|_| latency.on_cancelled(3 * SECOND, 0));
    assert!(latency.known().p95.unwrap() >= 3 * SECOND);
}
