#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
//! Promises of the ladder, checked over thousands of seeded histories.

use super::{Effect, End, Event, Ladder, TargetView};
use crate::{Nanos, Rng, SECOND};
use wellhead_types::{Cause, Failure, Retry, Rung, Scope, Side, Stage};

fn failure(cause: Cause, scope: Scope, retry: Retry) -> Failure {
    Failure { side: Side::Provider, scope, retry, ..Failure::endpoint(Stage::Headers, cause, "") }
}

fn refused() -> Failure {
    Failure::endpoint(Stage::Connect, Cause::ConnectionRefused, "")
}

const FREE: TargetView = TargetView {
    tier: 0,
    weight: 1,
    key_free_at: None,
    key_limited: false,
    keyless: false,
    rests_until: None,
};

#[test]
fn a_working_target_of_a_lower_tier_is_used_when_the_upper_tier_refuses() {
    let view = |i: usize| TargetView { tier: u8::from(i == 1), ..FREE };
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    assert_eq!(ladder.step(Event::Start, 2, &view, 0), Effect::Send(0));
    assert_eq!(ladder.rung(), Rung::Direct);
    assert_eq!(ladder.step(Event::Failed(0, &refused()), 2, &view, 1), Effect::Send(1));
    assert_eq!(ladder.rung(), Rung::FailedOver);
}

#[test]
fn weights_are_shares() {
    let view = |i: usize| TargetView { weight: if i == 0 { 3 } else { 1 }, ..FREE };
    let first = (0..4_000)
        .filter(|seed| Ladder::new(0, SECOND, 6, *seed).step(Event::Start, 2, &view, 0) == Effect::Send(0))
        .count();
    assert!((2_850..3_150).contains(&first), "{first} of 4000 went to the target with weight 3 of 4");
}

#[test]
fn the_last_target_is_asked_even_while_it_rests() {
    let view = |_: usize| TargetView { rests_until: Some(10 * SECOND), ..FREE };
    assert_eq!(Ladder::new(0, 60 * SECOND, 6, 1).step(Event::Start, 1, &view, 0), Effect::Send(0));
}

#[test]
fn a_resting_upper_tier_loses_to_a_ready_lower_one() {
    let view =
        |i: usize| TargetView { tier: u8::from(i == 1), rests_until: (i == 0).then_some(SECOND), ..FREE };
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    assert_eq!(ladder.step(Event::Start, 2, &view, 0), Effect::Send(1));
    assert_eq!(ladder.rung(), Rung::FailedOver);
}

#[test]
fn a_key_failure_with_another_key_free_stays_on_the_target() {
    let view = |_: usize| FREE;
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    ladder.step(Event::Start, 1, &view, 0);
    let limited = failure(Cause::RateLimited, Scope::KeyModel, Retry::Elsewhere);
    assert_eq!(ladder.step(Event::Failed(0, &limited), 1, &view, 1), Effect::Send(0));
    assert_eq!(ladder.rung(), Rung::Retried);
}

#[test]
fn a_keyless_target_that_is_limited_is_left_for_the_next_one() {
    let view = |i: usize| TargetView { tier: u8::from(i == 1), keyless: true, ..FREE };
    for (cause, scope) in [(Cause::RateLimited, Scope::KeyModel), (Cause::KeyRejected, Scope::Key)] {
        let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
        ladder.step(Event::Start, 2, &view, 0);
        let failed = failure(cause, scope, Retry::Elsewhere);
        assert_eq!(ladder.step(Event::Failed(0, &failed), 2, &view, 1), Effect::Send(1), "{cause:?}");
    }
}

#[test]
fn keys_that_were_rejected_are_no_rate_limit() {
    let view = |_: usize| TargetView { key_free_at: Some(40 * SECOND), ..FREE };
    let end = Ladder::new(0, 60 * SECOND, 6, 1).step(Event::Start, 1, &view, 0);
    assert_eq!(end, Effect::GiveUp(End::NoHealthyUpstream { recovery: Some(40 * SECOND) }));
}

#[test]
fn a_probe_that_somebody_else_took_is_no_attempt() {
    let view = |i: usize| TargetView { tier: u8::from(i == 1), ..FREE };
    let mut ladder = Ladder::new(0, 60 * SECOND, 1, 1);
    assert_eq!(ladder.step(Event::Start, 2, &view, 0), Effect::Send(0));
    assert_eq!(ladder.step(Event::Unavailable(0), 2, &view, 0), Effect::Send(1));
    assert_eq!(ladder.attempts(), 1);
}

#[test]
fn a_short_rate_limit_without_alternative_is_waited_for_and_a_long_one_is_not() {
    for (free_at, waits) in [(2 * SECOND, true), (40 * SECOND, false)] {
        let view = move |_: usize| TargetView { key_free_at: Some(free_at), key_limited: true, ..FREE };
        let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
        let effect = ladder.step(Event::Start, 1, &view, 0);
        let end = Effect::GiveUp(End::RateLimited { recovery: Some(free_at) });
        assert_eq!(effect, if waits { Effect::Wait(free_at) } else { end });
        if waits {
            assert_eq!(ladder.step(Event::Waited, 1, &|_| FREE, free_at), Effect::Send(0));
            assert_eq!(ladder.rung(), Rung::Held);
        }
    }
}

#[test]
fn a_fault_of_the_request_is_passed_on_at_once() {
    let bad = failure(Cause::BadRequest, Scope::Request, Retry::Never);
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    ladder.step(Event::Start, 3, &|_| FREE, 0);
    assert_eq!(ladder.step(Event::Failed(0, &bad), 3, &|_| FREE, 1), Effect::GiveUp(End::PassOn));
}

#[test]
fn the_end_names_what_all_attempts_had_in_common() {
    let cases = [
        (Cause::RateLimited, Scope::KeyModel, "limited"),
        (Cause::FirstTokenTimeout, Scope::Endpoint, "timeout"),
        (Cause::ConnectionRefused, Scope::Endpoint, "other"),
    ];
    for (cause, scope, word) in cases {
        let mut ladder = Ladder::new(0, 60 * SECOND, 1, 1);
        ladder.step(Event::Start, 1, &|_| FREE, 0);
        let end = ladder.step(Event::Failed(0, &failure(cause, scope, Retry::Elsewhere)), 1, &|_| FREE, 1);
        let found = match end {
            Effect::GiveUp(End::RateLimited { .. }) => "limited",
            Effect::GiveUp(End::TimedOut { .. }) => "timeout",
            Effect::GiveUp(End::NoHealthyUpstream { .. }) => "other",
            _ => "none",
        };
        assert_eq!(found, word, "{cause:?}");
    }
}

/// Random worlds: whatever fails, the loop ends before its deadline with at most `attempts_max` attempts, never asks a
/// silent or unfit target twice, and never gives up before every free, unexcluded target has been asked.
#[test]
fn every_history_ends_in_time_and_leaves_no_willing_target_unasked() {
    for seed in 0..20_000_u64 {
        history(seed);
    }
}

fn history(seed: u64) {
    let mut rng = Rng::new(seed ^ 0xabcd);
    let targets = 1 + usize::try_from(rng.below(5)).unwrap();
    let deadline = SECOND / 10 + rng.below(60 * SECOND);
    let tiers: Vec<u8> = (0..targets).map(|_| u8::try_from(rng.below(3)).unwrap()).collect();
    let mut keys: Vec<Option<Nanos>> =
        (0..targets).map(|_| (rng.below(4) == 0).then_some(rng.below(9 * SECOND))).collect();
    let rests: Vec<Option<Nanos>> =
        (0..targets).map(|_| (rng.below(3) == 0).then_some(rng.below(9 * SECOND))).collect();
    let mut ladder = Ladder::new(0, deadline, 12, seed);
    let (mut now, mut asked, mut banned) = (0, vec![0_u32; targets], vec![false; targets]);
    let mut kept: Option<(usize, Failure)> = None;
    for step in 0..200 {
        let event = match &kept {
            None if step == 0 => Event::Start,
            None => Event::Waited,
            Some((target, failure)) => Event::Failed(*target, failure),
        };
        let view = |i: usize| TargetView {
            tier: tiers[i],
            key_free_at: keys[i],
            key_limited: true,
            rests_until: rests[i],
            ..FREE
        };
        match ladder.step(event, targets, &view, now) {
            Effect::Send(i) => {
                assert!(
                    !banned[i],
                    "seed {seed}: target {i} was asked again although it was silent or unfit"
                );
                assert!(keys[i].is_none_or(|at| at <= now), "seed {seed}: sent without a key");
                asked[i] += 1;
                now += rng.below(SECOND / 2);
                let (cause, scope) = match rng.below(4) {
                    0 => (Cause::FirstTokenTimeout, Scope::Endpoint),
                    1 => (Cause::RateLimited, Scope::KeyModel),
                    2 => (Cause::ModelUnknown, Scope::TargetModel),
                    _ => (Cause::Status5xx, Scope::Endpoint),
                };
                banned[i] = matches!(cause, Cause::FirstTokenTimeout | Cause::ModelUnknown);
                if cause == Cause::RateLimited {
                    keys[i] = Some(now + rng.below(8 * SECOND));
                }
                kept = Some((i, failure(cause, scope, Retry::Elsewhere)));
            }
            Effect::Wait(until) => {
                assert!(
                    until > now && until < deadline,
                    "seed {seed}: waits from {now} until {until} of {deadline}"
                );
                now = until;
                kept = None;
            }
            Effect::GiveUp(_) => {
                let in_time = now + SECOND / 20 < deadline;
                let willing =
                    (0..targets).any(|i| asked[i] == 0 && !banned[i] && keys[i].is_none_or(|at| at <= now));
                assert!(
                    !(in_time && willing && ladder.attempts() < 12),
                    "seed {seed}: gave up with a willing target"
                );
                return;
            }
        }
        assert!(ladder.attempts() <= 12, "seed {seed}");
    }
    panic!("seed {seed}: no end after 200 steps");
}
