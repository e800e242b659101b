#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
//! Promises of the balancer (survival.md section 2 and R2), by example and over thousands of seeds.

mod affinity;
mod pool;

use super::ewma::{DECAY, DEFAULT, PENALTY, PENALTY_MAX};
use super::{PeakEwma, SLOW_START, View, below_bound, explore, hash, p2c, prefix};
use crate::breaker::Class;
use crate::{MILLI, Rng, SECOND};

const IDLE: View =
    View { id: 0, class: Class::Ok, weight: 1, estimate: SECOND, in_flight: 0, recovered_at: None };

/// So many picks by place.
fn picks(views: &[View], excluded: u64, picks: usize) -> Vec<usize> {
    let mut counts = vec![0; views.len()];
    let mut rng = Rng::new(99);
    for _ in 0..picks {
        counts[p2c::pick(views, excluded, 0, &mut rng).unwrap()] += 1;
    }
    counts
}

fn any_views(rng: &mut Rng) -> Vec<View> {
    (0..1 + rng.below(64))
        .map(|id| View {
            id,
            class: [Class::Ok, Class::Unknown, Class::Suspect, Class::Due, Class::Open]
                [usize::try_from(rng.below(5)).unwrap()],
            weight: u32::try_from(rng.below(5)).unwrap(),
            estimate: rng.below(6 * SECOND),
            in_flight: u32::try_from(rng.below(20)).unwrap(),
            recovered_at: (rng.below(4) == 0).then(|| rng.below(60 * SECOND)),
        })
        .collect()
}

#[test]
fn an_estimate_jumps_up_and_comes_down_slowly() {
    let mut ewma = PeakEwma::new(0);
    assert_eq!(ewma.read(0), DEFAULT);
    ewma.on_start();
    ewma.on_answer(3 * SECOND, 0);
    assert_eq!(ewma.read(0), 3 * SECOND, "a peak counts at once");
    ewma.on_start();
    ewma.on_answer(SECOND, DECAY);
    let blended = 3.0 * (-1.0_f64).exp() + 1.0 - (-1.0_f64).exp();
    assert!((ewma.read(DECAY) as f64 / SECOND as f64 - blended).abs() < 1e-6, "{}", ewma.read(DECAY));
}

#[test]
fn an_idle_target_is_forgotten_but_not_while_somebody_waits_for_it() {
    let mut ewma = PeakEwma::new(0);
    ewma.on_start();
    ewma.on_failure(None, 0);
    assert!(ewma.read(6 * DECAY) < 20 * MILLI, "5 s · e⁻⁶");
    ewma.on_start();
    assert_eq!(ewma.read(6 * DECAY), PENALTY, "one tries, the others see what was known");
    ewma.on_answer(MILLI, 6 * DECAY);
    assert!(ewma.read(6 * DECAY) < 20 * MILLI);
}

#[test]
fn a_failure_counts_as_a_slow_answer_and_a_cancelled_one_as_at_least_so_slow() {
    let failed = |retry_after, before| {
        let mut ewma = PeakEwma::new(0);
        ewma.on_start();
        ewma.on_answer(before, 0);
        ewma.on_start();
        ewma.on_failure(retry_after, 0);
        ewma.read(0)
    };
    assert_eq!(failed(None, MILLI), PENALTY);
    assert_eq!(failed(Some(SECOND), MILLI), PENALTY);
    assert_eq!(failed(Some(20 * SECOND), MILLI), 20 * SECOND);
    assert_eq!(failed(Some(u64::MAX), MILLI), PENALTY_MAX);
    assert_eq!(failed(None, 8 * SECOND), 8 * SECOND, "the estimate, when that is worse");

    let mut ewma = PeakEwma::new(0);
    ewma.on_start();
    ewma.on_cancelled(SECOND / 2, SECOND / 2);
    assert_eq!(ewma.read(0), DEFAULT, "half a second says nothing when one is expected");
    ewma.on_start();
    ewma.on_cancelled(4 * SECOND, 4 * SECOND);
    assert_eq!(ewma.read(4 * SECOND), 4 * SECOND);
}

#[test]
fn a_request_that_got_stuck_before_others_were_answered_says_nothing_about_now() {
    let mut ewma = PeakEwma::new(0);
    ewma.on_start();
    let sent = 10 * SECOND;
    ewma.on_start();
    ewma.on_answer(MILLI, sent + MILLI);
    let before = ewma.read(sent + MILLI);
    ewma.on_cancelled(600 * SECOND, 600 * SECOND);
    assert!(ewma.read(600 * SECOND) <= before, "sent at 0, before the one that was answered");
    // One that was sent since is news.
    ewma.on_start();
    ewma.on_cancelled(4 * SECOND, 604 * SECOND);
    assert_eq!(ewma.read(604 * SECOND), 4 * SECOND);
}

/// Forty seconds of waiting in vain take 56 s to be forgotten, where others take an eighth of a second.
#[test]
fn one_that_answers_after_it_was_waited_for_in_vain_has_lost_a_request_and_is_not_slow() {
    let mut ewma = PeakEwma::new(0);
    ewma.on_start();
    ewma.on_cancelled(40 * SECOND, 40 * SECOND);
    assert_eq!(ewma.read(40 * SECOND), 40 * SECOND, "it would have taken at least as long");
    ewma.on_start();
    ewma.on_answer(SECOND / 2, 41 * SECOND);
    let read = |at| ewma.read(at * SECOND);
    assert!(read(41) > 4 * SECOND, "as after any failure: {}", read(41));
    assert!(read(71) < SECOND / 3, "{}", read(71));
    // What was slow and answered is slow.
    ewma.on_start();
    ewma.on_answer(40 * SECOND, 120 * SECOND);
    ewma.on_start();
    ewma.on_answer(SECOND / 2, 121 * SECOND);
    assert!(ewma.read(121 * SECOND) > 30 * SECOND);
}

#[test]
fn the_lighter_of_two_is_taken() {
    let busy = View { in_flight: 3, ..IDLE };
    let slow = View { estimate: 3 * SECOND, ..IDLE };
    assert_eq!(picks(&[busy, IDLE], 0, 100), [0, 100]);
    assert_eq!(picks(&[slow, IDLE], 0, 100), [0, 100]);
    assert_eq!(picks(&[slow, View { in_flight: 3, ..IDLE }], 0, 100), [100, 0], "3 s · 1 < 1 s · 4");
    // Ten, the i-th with i in flight: the i-th is the lightest of two different ones with probability (9 - i) / 45.
    let ten: Vec<_> = (0..10).map(|i| View { in_flight: i, ..IDLE }).collect();
    for (i, count) in picks(&ten, 0, 90_000).into_iter().enumerate() {
        let expected = (9 - i) * 2_000;
        assert!(count.abs_diff(expected) < 500, "{i}: {count} instead of {expected}");
    }
    // Equals are drawn alike.
    for count in picks(&[IDLE; 8], 0, 80_000) {
        assert!(count.abs_diff(10_000) < 500, "{count}");
    }
}

#[test]
fn weights_are_shares_of_the_idle_and_of_the_busy() {
    let views = [View { weight: 3, ..IDLE }, IDLE];
    let counts = picks(&views, 0, 40_000);
    assert!(counts[0].abs_diff(30_000) < 500, "{counts:?}");
    // A faster one may take more than its share, but not everything.
    let faster = View { estimate: SECOND / 4, ..IDLE };
    let counts = picks(&[View { weight: 3, ..IDLE }, faster], 0, 40_000);
    assert!(counts[1].abs_diff(17_500) < 500, "1 - (3/4)² = 7/16: {counts:?}");
    // And one that is hardly faster no more than its share.
    let hardly = View { estimate: SECOND / 10 * 9, ..IDLE };
    let counts = picks(&[View { weight: 3, ..IDLE }, hardly], 0, 40_000);
    assert!(counts[0].abs_diff(30_000) < 500, "{counts:?}");
    // Requests that never end pile up by weight.
    let (mut views, mut rng) = ([View { weight: 3, ..IDLE }, IDLE], Rng::new(1));
    for _ in 0..4_000 {
        views[p2c::pick(&views, 0, 0, &mut rng).unwrap()].in_flight += 1;
    }
    assert!(views[0].in_flight.abs_diff(3_000) < 150, "{}", views[0].in_flight);
}

#[test]
fn one_that_came_back_gets_its_share_little_by_little() {
    let back = View { recovered_at: Some(0), ..IDLE };
    let load_that_it_beats = |now| {
        (0..20).find(|in_flight| {
            let other = View { in_flight: *in_flight, ..IDLE };
            (0..50).all(|seed| p2c::pick(&[back, other], 0, now, &mut Rng::new(seed)) == Some(0))
        })
    };
    assert_eq!(load_that_it_beats(0), Some(10), "at 10 % it costs ten times as much");
    assert_eq!(load_that_it_beats(SLOW_START / 2), Some(1), "1 / 0.55");
    assert_eq!(load_that_it_beats(SLOW_START), Some(1));
    assert_eq!(picks(&[View { recovered_at: Some(0), ..IDLE }; 2], 0, 1_000).iter().sum::<usize>(), 1_000);
}

#[test]
fn class_comes_first_and_a_set_that_is_not_empty_yields_a_member() {
    for seed in 0..20_000 {
        let mut rng = Rng::new(seed);
        let views = any_views(&mut rng);
        let excluded = rng.next_u64() & if rng.below(4) == 0 { u64::MAX } else { rng.next_u64() };
        let left: Vec<_> = (0..views.len()).filter(|i| excluded & (1 << i) == 0).collect();
        let best = left.iter().map(|i| views[*i].class).min();
        let check = |name: &str, picked: Option<usize>, routable: bool| {
            assert_eq!(picked.is_some(), best.is_some(), "seed {seed}: {name}");
            let Some(i) = picked else { return };
            assert!(left.contains(&i), "seed {seed}: {name} picked {i}, which is excluded");
            let best = best.unwrap();
            let fits = views[i].class == best || routable && views[i].class.max(best) <= Class::Unknown;
            assert!(fits, "seed {seed}: {name} picked {:?} although there is {best:?}", views[i].class);
        };
        check("p2c", p2c::pick(&views, excluded, 30 * SECOND, &mut rng), false);
        check("hash", hash::pick(rng.next_u64(), &views, excluded), true);
        if let Some(i) = explore(&views, excluded, &mut rng) {
            assert!(left.contains(&i), "seed {seed}");
            assert!(best < Some(Class::Due), "seed {seed}: nothing better, nothing to explore");
            assert!(matches!(views[i].class, Class::Due | Class::Unknown), "seed {seed}");
        }
    }
    assert_eq!(p2c::pick(&[], 0, 0, &mut Rng::new(1)), None);
}

#[test]
fn the_due_and_the_unknown_are_tried_by_one_request_at_a_time() {
    let due = View { class: Class::Due, ..IDLE };
    let unknown = View { class: Class::Unknown, ..IDLE };
    let explored = |views: &[View]| explore(views, 0, &mut Rng::new(1));
    assert_eq!(explored(&[IDLE, due]), Some(1));
    assert_eq!(explored(&[IDLE, unknown]), Some(1));
    assert_eq!(explored(&[IDLE, View { in_flight: 1, ..unknown }]), None, "it is being tried");
    assert_eq!(explored(&[IDLE, View { class: Class::Suspect, ..IDLE }]), None);
    assert_eq!(explored(&[unknown, unknown]), None, "equals: the load decides");
    assert_eq!(explored(&[due]), None);
    assert_eq!(explored(&[due, View { class: Class::Open, ..IDLE }]), None, "no better one: picked anyway");
}
