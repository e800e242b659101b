#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
//! Without evidence there is no limit; with it there is, and it goes away.

use super::{Load, Slots};
use std::sync::Arc;
use wellhead_resilience::concurrency::Limits;
use wellhead_resilience::{MILLI, Nanos, SECOND};

/// A second of answers: `rate` of them, each after `took`, with `waiting` others there.
fn second(load: &Load, rate: u64, took: Nanos, waiting: u64, now: &mut Nanos) {
    for _ in 0..rate {
        *now += SECOND / rate;
        load.on_start();
        load.on_answer(true, took, waiting, *now);
    }
}

#[test]
fn five_hundred_at_once_are_not_held_back() {
    let (load, mut now) = (Load::default(), SECOND);
    (0..500).for_each(|_| load.on_start());
    for i in 0..120 {
        // The machine is busy: answers take what they take, but nobody waits for half a second.
        second(&load, 200, (5 + i % 400) * MILLI, 500, &mut now);
        assert!(!load.is_full(5_000, now));
    }
    assert_eq!(load.limits(), Limits::default());
}

#[test]
fn a_standing_queue_is_evidence_and_is_forgotten_a_minute_after_its_end() {
    let (load, mut now) = (Load::default(), SECOND);
    (0..30).for_each(|_| second(&load, 50, 200 * MILLI, 10, &mut now));
    (0..300).for_each(|_| load.on_start());
    (0..30).for_each(|_| second(&load, 50, 6 * SECOND, 300, &mut now));
    let limits = load.limits();
    assert!(limits.waiting.is_some_and(|max| max < 100), "{limits:?}");
    assert!(limits.in_flight.is_none() && load.is_full(1, now), "{limits:?}");
    (0..300).for_each(|_| load.on_end());
    assert!(!load.is_full(1, now));
    (0..62).for_each(|_| second(&load, 50, 200 * MILLI, 10, &mut now));
    assert_eq!(load.limits(), Limits::default());
}

#[test]
fn a_refusal_says_how_much_is_taken() {
    let load = Load::default();
    load.on_start();
    load.on_answer(false, SECOND, 40, SECOND);
    // Forty were sent at once, and all but eight come back.
    let reduced: Vec<bool> = (8..40).rev().map(|others| load.on_refusal(others, SECOND)).collect();
    assert!(reduced.iter().all(|can_be_fewer| *can_be_fewer));
    assert!(load.limits().in_flight.is_some_and(|max| (8..=20).contains(&max)), "{:?}", load.limits());
    assert!(
        !load.on_refusal(40, 9 * SECOND),
        "it has answered nothing for long: that is no question of load"
    );
    let load = Load::default();
    load.on_start();
    load.on_answer(false, SECOND, 1, SECOND);
    assert!(!load.on_refusal(0, SECOND), "nor is it if it has nothing to do");
    assert_eq!(load.limits(), Limits::default(), "and nobody is held back for it");
}

#[test]
fn there_are_never_more_than_the_slots() {
    let slots = Arc::new(Slots::default());
    let most = std::thread::scope(|scope| {
        let work = || {
            let mut most = 0;
            for _ in 0..20_000 {
                if let Some(_slot) = slots.take(4) {
                    most = most.max(slots.taken());
                }
            }
            most
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).max()
    });
    assert!(most.is_some_and(|most| (1..=4).contains(&most)), "{most:?}");
    assert_eq!(slots.taken(), 0);
    assert!(slots.take(0).is_none());
}
