#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
//! One probe at a time over all threads, and no lock where all is well.

use super::{Changed, Entry, TargetState, Unavailable};
use std::sync::atomic::Ordering::Relaxed;
use wellhead_resilience::breaker::{Attempt, Blow, Class, Kind, Phase, Pool};
use wellhead_resilience::tiers::last_light::PAUSE;
use wellhead_resilience::{MILLI, Nanos, Rng, SECOND};
use wellhead_types::Cause;

const MANY: Pool = Pool { sole: false, may_open_by_rate: false };

fn fail(state: &TargetState, now: Nanos, entry: Entry) -> Changed {
    let blow = Blow { kind: Kind::Fault, cause: Cause::Status5xx, retry_after: None };
    state.on_failure(Attempt { began: now - 1, now }, blow, MANY, entry, &mut Rng::new(now))
}

/// A target that has just opened, and when its wait is over.
fn opened() -> (TargetState, Nanos) {
    let state = TargetState::default();
    for n in 0..7 {
        fail(&state, SECOND + n * MILLI, Entry::default());
    }
    let look = state.look(SECOND + 7 * MILLI);
    assert_eq!(look.class, Class::Open);
    (state, look.rests_until.unwrap())
}

#[test]
fn a_calm_target_is_asked_without_its_lock_and_a_failure_ends_that() {
    let state = TargetState::default();
    let mut entry = state.enter(SECOND, false).unwrap().0;
    state.on_answering(Attempt { began: SECOND, now: SECOND + 1 }, &mut entry);
    state.on_success(Attempt { began: SECOND, now: SECOND + 2 }, entry);
    assert!(state.calm.load(Relaxed));
    let locked = state.health.lock().unwrap();
    assert_eq!(state.look(SECOND + 3).class, Class::Ok);
    let (entry, _) = state.enter(SECOND + 3, false).unwrap();
    state.on_success(Attempt { began: SECOND + 3, now: SECOND + 4 }, entry);
    drop(locked);
    fail(&state, SECOND + 5, Entry::default());
    assert_eq!((state.look(SECOND + 6).class, state.calm.load(Relaxed)), (Class::Suspect, false));
}

#[test]
fn an_open_target_is_looked_at_without_its_lock_until_its_wait_is_over() {
    let (state, until) = opened();
    let locked = state.health.lock().unwrap();
    let look = state.look(until - 1);
    assert_eq!((look.class, look.rests_until), (Class::Open, Some(until)));
    drop(locked);
    assert_eq!(state.look(until).class, Class::Due);
}

#[test]
fn what_is_seen_without_the_lock_is_what_is_true() {
    let mut unlocked = [0, 0];
    for seed in 0..2_000 {
        let (mut rng, state) = (Rng::new(seed), TargetState::default());
        let (mut now, mut under_way) = (SECOND, Vec::new());
        for step in 0..60 {
            now += rng.below(SECOND);
            if rng.below(3) > 0
                && let Ok((entry, _)) = state.enter(now, rng.below(4) == 0)
            {
                under_way.push((now, entry));
            }
            if !under_way.is_empty() && rng.below(3) > 0 {
                let chosen = rng.below(under_way.len() as u64);
                let (began, mut entry) = under_way.swap_remove(usize::try_from(chosen).unwrap());
                now += 1;
                let attempt = Attempt { began, now };
                let retry_after = (rng.below(8) == 0).then(|| rng.below(5 * SECOND));
                let blow = Blow { kind: Kind::Fault, cause: Cause::Status5xx, retry_after };
                match rng.below(8) {
                    0 => drop(state.on_answering(attempt, &mut entry)),
                    1 => drop(state.on_success(attempt, entry)),
                    2 => drop(state.on_given_up(attempt, entry)),
                    _ => drop(state.on_failure(attempt, blow, MANY, entry, &mut rng)),
                }
            }
            for later in [0, 1, rng.below(30 * SECOND)] {
                let at = now + later;
                assert_eq!(state.look(at), state.look_closely(at), "seed {seed}, step {step}, {later} later");
                unlocked[0] += usize::from(state.calm.load(Relaxed));
                unlocked[1] += usize::from(state.open_until.load(Relaxed) > at);
            }
        }
    }
    assert!(unlocked.iter().all(|times| *times > 1_000), "{unlocked:?}: nothing was compared");
}

#[test]
fn of_many_threads_one_probes() {
    let (state, until) = opened();
    let probes = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| state.enter(until, false).is_ok())).collect();
        threads.into_iter().map(|t| t.join().unwrap()).filter(|probes| *probes).count()
    });
    assert_eq!(probes, 1);
    let look = state.look(until + 1);
    assert_eq!((look.class, look.room_at), (Class::Open, Some(until + 1 + PAUSE)));
    assert!(matches!(state.enter(until + 1, true), Err(Unavailable)), "the probe is the one that may ask");
}

#[test]
fn a_probe_that_answers_brings_it_back_for_everybody() {
    let (state, until) = opened();
    let (mut entry, probe) = state.enter(until, false).unwrap();
    assert_eq!(probe.unwrap().to, Phase::Probing);
    let changed = state.on_answering(Attempt { began: until, now: until + 1 }, &mut entry);
    assert!(changed.is_back, "those who wait are called");
    assert!(state.enter(until + 2, false).is_ok() && state.enter(until + 2, false).is_ok());
    state.on_success(Attempt { began: until, now: until + 3 }, entry);
    assert_eq!((state.look(until + 4).class, state.recovered_at()), (Class::Ok, Some(until + 1)));
}

#[test]
fn the_last_light_lets_one_in_then_twice_as_many_and_none_for_a_while_after_a_failure() {
    let (state, _) = opened();
    let now = SECOND + 10 * MILLI;
    assert!(state.enter(now, false).is_err(), "it rests");
    let (entry, _) = state.enter(now, true).unwrap();
    assert!(state.enter(now, true).is_err());
    fail(&state, now + 2, entry);
    assert!(state.enter(now + 3, true).is_err());
    assert_eq!(state.look(now + 3).room_at, Some(now + 2 + PAUSE));
    let later = now + 2 + PAUSE;
    let (mut entry, _) = state.enter(later, true).unwrap();
    let changed = state.on_answering(Attempt { began: later, now: later + 1 }, &mut entry);
    assert!(changed.makes_room && changed.is_back);
    let inside = (0..10).filter(|_| state.enter(later + 2, false).is_ok()).count();
    assert_eq!(inside, 2, "it is back, and the crowd comes slowly");
}

#[test]
fn a_request_that_vanishes_gives_its_place_back() {
    let (state, until) = opened();
    let (entry, _) = state.enter(until, false).unwrap();
    state.on_given_up(Attempt { began: until, now: until + 1 }, entry);
    let again = state.look(until + 2).rests_until.unwrap();
    assert!(again <= until + 1 + SECOND, "another one may probe soon");
    assert!(state.enter(again, false).is_ok());
}
