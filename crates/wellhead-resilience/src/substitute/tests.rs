#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{Declared, Ended, Next, Step, Substitution};
use crate::ladder::End;
use crate::{MILLI, Rng, SECOND};
use wellhead_types::Cause;

const ALL: Declared = Declared { cached: true, smaller: true, text: true, larger: true };
const DOWN: End = End::NoHealthyUpstream { recovery: None };

fn substitution(declared: Declared) -> Substitution {
    Substitution::new(declared, 0, 60 * SECOND, 6)
}

fn ended(end: End, cause: Cause) -> Ended {
    Ended { end, cause: Some(cause), attempts: 1 }
}

/// The steps that are tried if each ends like this.
fn steps(declared: Declared, end: Ended) -> (Vec<Step>, Next) {
    let mut substitution = substitution(declared);
    let mut steps = Vec::new();
    loop {
        match substitution.next(end, SECOND) {
            Next::Try { step, .. } => steps.push(step),
            last => return (steps, last),
        }
    }
}

#[test]
fn an_outage_goes_through_all_that_is_declared_in_order_and_back_to_the_model_itself() {
    let down = ended(DOWN, Cause::Status5xx);
    assert_eq!(steps(ALL, down), (vec![Step::Cached, Step::Smaller, Step::Text, Step::Again], Next::Latest));
    for end in [End::RateLimited { recovery: None }, End::TimedOut { recovery: Some(SECOND) }] {
        assert_eq!(steps(ALL, Ended { end, cause: None, attempts: 0 }).0.len(), 4, "{end:?}");
    }
    let text = Declared { text: true, ..Declared::default() };
    assert_eq!(steps(text, down).0, [Step::Text, Step::Again]);
    let larger = Declared { larger: true, ..Declared::default() };
    assert_eq!(steps(larger, down), (vec![], Next::First), "a larger model is no stand-in");
    assert_eq!(steps(Declared::default(), down), (vec![], Next::First));
}

#[test]
fn an_error_of_the_request_is_passed_on_but_for_one_that_is_too_long() {
    for cause in [Cause::BadRequest, Cause::ContentFiltered] {
        assert_eq!(steps(ALL, ended(End::PassOn, cause)), (vec![], Next::Latest));
    }
    let too_long = ended(End::PassOn, Cause::ContextLength);
    assert_eq!(steps(ALL, too_long), (vec![Step::Larger], Next::First), "once");
    let smaller = Declared { larger: false, ..ALL };
    assert_eq!(steps(smaller, too_long), (vec![], Next::Latest));
}

#[test]
fn a_larger_model_that_fails_leaves_the_truth_about_the_request() {
    for (end, cause, next) in [
        (DOWN, Cause::Status5xx, Next::First),
        (End::PassOn, Cause::BadRequest, Next::First),
        (End::PassOn, Cause::ContentFiltered, Next::Latest),
    ] {
        let mut substitution = substitution(ALL);
        assert!(matches!(
            substitution.next(ended(End::PassOn, Cause::ContextLength), SECOND),
            Next::Try { step: Step::Larger, .. }
        ));
        assert_eq!(substitution.next(ended(end, cause), SECOND), next);
    }
}

#[test]
fn a_smaller_model_that_refuses_is_no_answer_unless_its_filter_says_so() {
    let smaller = Declared { smaller: true, text: true, ..Declared::default() };
    for (cause, next) in [
        (Cause::ContextLength, Some(Step::Text)),
        (Cause::BadRequest, Some(Step::Text)),
        (Cause::ContentFiltered, None),
    ] {
        let mut substitution = substitution(smaller);
        substitution.next(ended(DOWN, Cause::Status5xx), SECOND);
        assert!(substitution.is_degraded());
        match substitution.next(ended(End::PassOn, cause), SECOND) {
            Next::Try { step, .. } => assert_eq!(Some(step), next),
            other => assert_eq!((other, next), (Next::Latest, None)),
        }
    }
}

#[test]
fn time_and_an_attempt_are_kept_for_what_stands_in() {
    let of = |declared| Substitution::new(declared, 0, 60 * SECOND, 6);
    let (none, text) = (Declared::default(), Declared { text: true, ..Declared::default() });
    assert_eq!(of(none).first_deadline(), 60 * SECOND);
    assert_eq!(of(text).first_deadline(), 60 * SECOND - 250 * MILLI);
    assert_eq!(of(ALL).first_deadline(), 50 * SECOND);
    assert_eq!(Substitution::new(ALL, 0, SECOND, 6).first_deadline(), 750 * MILLI);
    assert_eq!((of(none).first_attempts_max(), of(text).first_attempts_max()), (6, 6));
    assert_eq!(of(ALL).first_attempts_max(), 5);
    assert_eq!(Substitution::new(ALL, 0, SECOND, 1).first_attempts_max(), 1);
}

#[test]
fn without_time_only_what_is_at_hand_is_tried() {
    let mut substitution = substitution(ALL);
    let late = 60 * SECOND - 20 * MILLI;
    let down = ended(End::TimedOut { recovery: None }, Cause::DeadlineExceeded);
    let mut tried = Vec::new();
    while let Next::Try { step, .. } = substitution.next(down, late) {
        tried.push(step);
    }
    assert_eq!(tried, [Step::Cached, Step::Text]);
}

#[test]
fn waits_are_cut_short_only_while_something_else_can_be_had() {
    let mut substitution = substitution(ALL);
    assert!(substitution.is_hurried());
    let mut hurried = Vec::new();
    while let Next::Try { .. } = substitution.next(ended(DOWN, Cause::Status5xx), SECOND) {
        hurried.push(substitution.is_hurried());
    }
    assert_eq!(hurried, [true, true, false, false]);
    let larger = Declared { larger: true, ..Declared::default() };
    assert!(!Substitution::new(larger, 0, SECOND, 6).is_hurried());
}

const CAUSES: [Cause; 5] =
    [Cause::Status5xx, Cause::RateLimited, Cause::ContextLength, Cause::ContentFiltered, Cause::BadRequest];

#[test]
fn whatever_happens_each_step_comes_once_in_time_and_within_the_attempts() {
    for seed in 0..20_000 {
        let mut rng = Rng::new(seed);
        let declared = Declared {
            cached: rng.below(2) == 0,
            smaller: rng.below(2) == 0,
            text: rng.below(2) == 0,
            larger: rng.below(2) == 0,
        };
        let (deadline, attempts_max) = (1 + rng.below(20 * SECOND), 2 + u32::try_from(rng.below(6)).unwrap());
        let mut substitution = Substitution::new(declared, 0, deadline, attempts_max);
        assert!(substitution.first_deadline() <= deadline && substitution.first_deadline() >= deadline / 2);
        let mut attempts =
            1 + u32::try_from(rng.below(u64::from(substitution.first_attempts_max()))).unwrap();
        let (mut now, mut seen) = (rng.below(deadline), Vec::new());
        loop {
            let cause = CAUSES[usize::try_from(rng.below(5)).unwrap()];
            let end = if rng.below(2) == 0 { End::PassOn } else { DOWN };
            let next = substitution.next(Ended { end, cause: Some(cause), attempts }, now);
            let Next::Try { step, deadline: until, attempts_max: most } = next else {
                let own = end == End::PassOn && seen.is_empty();
                assert!(!own || next == Next::Latest, "seed {seed}: what is the request's fault is told");
                break;
            };
            assert!(!seen.contains(&step), "seed {seed}: {step:?} twice");
            assert!(until <= deadline, "seed {seed}");
            seen.push(step);
            let asks = !matches!(step, Step::Cached | Step::Text);
            assert!(!asks || now < until, "seed {seed}: {step:?} has no time");
            attempts += if asks { 1 + u32::try_from(rng.below(u64::from(most))).unwrap() } else { 0 };
            assert!(attempts <= attempts_max, "seed {seed}: {attempts} of {attempts_max}");
            now += rng.below(deadline - now + 1);
        }
        let smaller = seen.iter().position(|step| *step == Step::Smaller);
        let text = seen.iter().position(|step| *step == Step::Text);
        assert!(smaller.is_none() || text.is_none() || smaller < text, "seed {seed}: {seen:?}");
    }
}
