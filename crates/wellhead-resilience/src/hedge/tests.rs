#![allow(clippy::unwrap_used, reason = "tests")]
//! Promises of hedging.

use super::{Ask, Budget, Effect, Event, PROBE_PATIENCE, Race, Runner, SAVED_HEDGES_MAX, when};
use crate::latency::{Known, Latency};
use crate::{MILLI, Rng, SECOND};

const ASK: Ask = Ask {
    started: SECOND,
    ends: 13 * SECOND,
    streamed: true,
    committed: false,
    alternative: true,
    probe: false,
};

fn rich() -> Budget {
    let budget = Budget::default();
    (0..50).for_each(|_| budget.on_stream());
    budget
}

fn learnt() -> Known {
    let mut latency = Latency::default();
    (0..90).for_each(|_| latency.on_first(400 * MILLI, 0));
    (0..10).for_each(|_| latency.on_first(800 * MILLI, 0));
    latency.known()
}

#[test]
fn a_stream_is_hedged_after_the_p95() {
    let at = when(&ASK, &learnt(), &rich()).unwrap() - SECOND;
    assert!((800 * MILLI..=900 * MILLI).contains(&at), "{at}");
    for never in [
        Ask { streamed: false, ..ASK },
        Ask { committed: true, ..ASK },
        Ask { alternative: false, ..ASK },
        Ask { ends: SECOND + 500 * MILLI, ..ASK },
    ] {
        assert_eq!(when(&never, &learnt(), &rich()), None, "{never:?}");
    }
    assert_eq!(when(&ASK, &Known::default(), &rich()), None, "nothing is known yet");
    assert_eq!(when(&ASK, &learnt(), &Budget::default()), None, "the budget is empty");
}

#[test]
fn the_user_of_a_probe_does_not_pay_for_it() {
    let probe = Ask { probe: true, ..ASK };
    assert_eq!(when(&probe, &Known::default(), &Budget::default()), Some(SECOND + PROBE_PATIENCE));
    assert!(when(&probe, &learnt(), &Budget::default()).unwrap() < SECOND + PROBE_PATIENCE);
    let mut race = Race::new(true);
    assert_eq!(race.step(Event::Due, &Budget::default()), Effect::SendSecond);
}

#[test]
fn the_winner_is_taken_and_the_loser_cancelled() {
    for winner in [Runner::First, Runner::Second] {
        let (mut race, budget) = (Race::new(false), rich());
        assert_eq!(race.step(Event::Due, &budget), Effect::SendSecond);
        assert_eq!(race.step(Event::Due, &budget), Effect::Nothing, "one hedge per request");
        let take = Effect::Take { winner, cancel: Some(winner.other()) };
        assert_eq!(race.step(Event::Content(winner), &budget), take);
        assert_eq!(race.step(Event::Content(winner.other()), &budget), Effect::Nothing);
        assert_eq!(race.step(Event::Failed(winner.other()), &budget), Effect::Nothing);
    }
    let (mut race, budget) = (Race::new(false), rich());
    let take = Effect::Take { winner: Runner::First, cancel: None };
    assert_eq!(race.step(Event::Content(Runner::First), &budget), take);
    assert_eq!(race.step(Event::Due, &budget), Effect::Nothing);
}

#[test]
fn a_failure_ends_the_race_only_when_nobody_runs() {
    let (mut race, budget) = (Race::new(false), rich());
    assert_eq!(race.step(Event::Due, &budget), Effect::SendSecond);
    assert_eq!(race.step(Event::Failed(Runner::First), &budget), Effect::GoOn);
    assert_eq!(race.step(Event::Failed(Runner::First), &budget), Effect::Nothing);
    assert_eq!(race.step(Event::Failed(Runner::Second), &budget), Effect::Lost);

    let (mut race, budget) = (Race::new(false), rich());
    assert_eq!(race.step(Event::Failed(Runner::First), &budget), Effect::Lost);

    let (mut race, budget) = (Race::new(false), rich());
    assert_eq!(race.step(Event::Due, &budget), Effect::SendSecond);
    assert!(!budget.has_hedge());
    assert_eq!(race.step(Event::Unsent, &budget), Effect::GoOn);
    assert!(budget.has_hedge(), "what was not sent is not paid");
}

/// Whatever the traffic does, at no moment have more than 2 % of the streams been hedged.
#[test]
fn hedges_stay_below_two_percent() {
    let mut hedges_all = 0;
    for seed in 0..2_000 {
        let (mut rng, budget) = (Rng::new(seed), Budget::default());
        let (mut streams, mut hedges) = (0_u32, 0_u32);
        let wish = 1 + rng.below(100);
        for _ in 0..2_000 {
            budget.on_stream();
            streams += 1;
            let mut race = Race::new(false);
            if rng.below(100) < wish && race.step(Event::Due, &budget) == Effect::SendSecond {
                hedges += 1;
                if rng.below(10) == 0 && race.step(Event::Unsent, &budget) == Effect::GoOn {
                    hedges -= 1;
                }
            }
            assert!(hedges * 50 <= streams, "seed {seed}: {hedges} of {streams}");
        }
        hedges_all += hedges;
    }
    assert!(hedges_all > 2_000 * 30, "the budget is hardly used: {hedges_all}");
}

#[test]
fn a_quiet_night_does_not_pay_for_a_slow_morning() {
    let budget = Budget::default();
    (0..100_000).for_each(|_| budget.on_stream());
    assert_eq!((0..1_000).filter(|_| budget.try_take()).count(), SAVED_HEDGES_MAX as usize);
}

/// Every sequence of events: at most one winner, a loser is cancelled exactly if it ran, `Lost` only when both are gone.
#[test]
fn every_race_has_one_end() {
    for seed in 0..20_000 {
        let (mut rng, budget) = (Rng::new(seed), rich());
        let mut race = Race::new(false);
        let (mut running, mut ended) = ([true, false], false);
        for _ in 0..12 {
            let runner = if rng.below(2) == 0 { Runner::First } else { Runner::Second };
            let ran = running[usize::from(runner == Runner::Second)];
            let event = match rng.below(4) {
                0 => Event::Due,
                1 => Event::Unsent,
                2 => Event::Content(runner),
                _ => Event::Failed(runner),
            };
            match race.step(event, &budget) {
                Effect::SendSecond => {
                    assert!(!ended && running == [true, false], "seed {seed}");
                    running[1] = true;
                }
                Effect::Take { winner, cancel } => {
                    assert!(!ended && ran && winner == runner, "seed {seed}");
                    let other = running[usize::from(runner == Runner::First)];
                    assert_eq!(cancel, other.then_some(runner.other()), "seed {seed}");
                    (running, ended) = ([false, false], true);
                }
                effect @ (Effect::GoOn | Effect::Lost) => {
                    let gone = usize::from(event == Event::Unsent || runner == Runner::Second);
                    assert!(!ended && running[gone], "seed {seed}");
                    running[gone] = false;
                    ended = running == [false, false];
                    assert_eq!(effect == Effect::Lost, ended, "seed {seed}");
                }
                Effect::Nothing => {}
            }
        }
    }
}
