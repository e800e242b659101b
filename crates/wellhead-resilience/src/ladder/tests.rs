#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
//! Promises of the ladder, checked over thousands of seeded histories.

mod beside;
mod late;

use super::{Effect, End, Event, Ladder, TargetView};
use crate::breaker::Class;
use crate::hold::{self, Hold, RoomView};
use crate::{MILLI, Nanos, Rng, SECOND};
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
    class: Class::Ok,
    rests_until: None,
    room_at: None,
    full: false,
    estimate: SECOND,
    in_flight: 0,
    recovered_at: None,
};

/// Open until then.
const fn open(until: Nanos) -> TargetView {
    TargetView { class: Class::Open, rests_until: Some(until), ..FREE }
}

#[test]
fn a_working_target_of_a_lower_tier_is_used_when_the_upper_tier_refuses() {
    let view = |i: usize| TargetView { tier: u8::from(i == 1), ..FREE };
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    assert_eq!(ladder.step(Event::Start, 2, &view, 0), Effect::Send(0));
    assert_eq!(ladder.rung(), Rung::Direct);
    assert_eq!(ladder.step(Event::Failed(0, &refused()), 2, &view, 1), Effect::Send(1));
    assert_eq!(ladder.rung(), Rung::FailedOver);
}

/// Its other key would have to be paid for, and the standby would not.
#[test]
fn when_a_target_is_too_dear_somebody_else_is_asked_or_nobody() {
    let limited = failure(Cause::RateLimited, Scope::KeyModel, Retry::Elsewhere);
    let view = |i: usize| TargetView { tier: u8::from(i == 1), ..FREE };
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    assert_eq!(ladder.step(Event::Start, 2, &view, 0), Effect::Send(0));
    assert_eq!(ladder.step(Event::Failed(0, &limited), 2, &view, 1), Effect::Send(0), "with another key");
    assert_eq!(ladder.step(Event::TooDear(0), 2, &view, 1), Effect::Send(1));
    assert_eq!((ladder.rung(), ladder.attempts()), (Rung::FailedOver, 2));
    let end = ladder.step(Event::TooDear(1), 2, &view, 1);
    assert!(matches!(end, Effect::GiveUp(_)), "what cannot be afforded is not waited for: {end:?}");
    let alone = |i: usize| if i == 0 { FREE } else { open(9 * SECOND) };
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    assert_eq!(ladder.step(Event::Start, 2, &alone, 0), Effect::Send(0));
    assert_eq!(ladder.step(Event::Failed(0, &limited), 2, &alone, 1), Effect::Send(0));
    let end = ladder.step(Event::TooDear(0), 2, &alone, 1);
    assert!(matches!(end, Effect::GiveUp(End::RateLimited { .. })), "nobody else works: {end:?}");
}

/// However long its own pause would be after the fourth failure: those behind it in the line are to be called then.
#[test]
fn one_that_was_called_and_is_limited_again_goes_back_until_the_end_of_that_rest() {
    let limited = failure(Cause::RateLimited, Scope::KeyModel, Retry::Elsewhere);
    for seed in 0..200 {
        let mut ladder = Ladder::new(0, 60 * SECOND, 8, seed);
        let resting = |until| move |_: usize| TargetView { key_free_at: Some(until), ..FREE };
        assert_eq!(ladder.step(Event::Start, 1, &resting(SECOND), 0), Effect::Hold { recovery: SECOND });
        let mut now = SECOND;
        for _ in 0..5 {
            assert_eq!(ladder.step(Event::Waited, 1, &|_| FREE, now), Effect::Send(0));
            let until = now + SECOND;
            let effect = ladder.step(Event::Failed(0, &limited), 1, &resting(until), now);
            assert_eq!(effect, Effect::Hold { recovery: until }, "seed {seed}");
            now = until;
        }
    }
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
fn when_everybody_is_open_the_one_nearest_to_its_return_is_asked_by_the_last_light() {
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    assert_eq!(ladder.step(Event::Start, 1, &|_| open(10 * SECOND), 0), Effect::LastLight(0));
    let view = |i: usize| TargetView { tier: u8::from(i == 1), ..open(if i == 0 { 9 } else { 5 } * SECOND) };
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    assert_eq!(ladder.step(Event::Start, 2, &view, 0), Effect::LastLight(1));
    assert_eq!(ladder.step(Event::Failed(1, &refused()), 2, &view, 1), Effect::LastLight(0));
    let held = Effect::Hold { recovery: 5 * SECOND };
    assert_eq!(ladder.step(Event::Failed(0, &refused()), 2, &view, 2), held, "then for the first return");
    assert_eq!(ladder.step(Event::Waited, 2, &view, SECOND), held, "the last light is for each request once");
    let due = |i: usize| if i == 1 { TargetView { class: Class::Due, ..view(1) } } else { view(0) };
    assert_eq!(ladder.step(Event::Waited, 2, &due, 5 * SECOND), Effect::Send(1));
    assert_eq!(ladder.rung(), Rung::FailedOver);
}

#[test]
fn an_open_upper_tier_loses_to_a_willing_lower_one() {
    let view = |i: usize| if i == 0 { open(SECOND) } else { TargetView { tier: 1, ..FREE } };
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    assert_eq!(ladder.step(Event::Start, 2, &view, 0), Effect::Send(1));
    assert_eq!(ladder.rung(), Rung::FailedOver);
}

#[test]
fn nothing_spills_to_a_later_tier_while_one_target_of_the_earlier_one_works() {
    for seed in 0..1_000 {
        let view = |i: usize| match i {
            0 => TargetView { class: Class::Suspect, ..FREE },
            1 | 2 => open(SECOND),
            _ => TargetView { tier: 1, ..FREE },
        };
        assert_eq!(Ladder::new(0, SECOND, 6, seed).step(Event::Start, 4, &view, 0), Effect::Send(0));
    }
}

#[test]
fn a_target_that_is_due_gets_its_probe_from_a_first_attempt_and_only_from_one() {
    let view = |i: usize| TargetView { class: if i == 2 { Class::Due } else { Class::Ok }, ..FREE };
    for seed in 0..1_000 {
        let mut ladder = Ladder::new(0, 60 * SECOND, 6, seed);
        assert_eq!(ladder.step(Event::Start, 3, &view, 0), Effect::Send(2));
        assert_ne!(ladder.step(Event::Failed(2, &refused()), 3, &view, 1), Effect::Send(2));
        let mut careful = Ladder::new(0, 60 * SECOND, 6, seed);
        careful.explore_nothing();
        assert_ne!(careful.step(Event::Start, 3, &view, 0), Effect::Send(2), "it has one chance only");
        let mut second = Ladder::new(0, 60 * SECOND, 6, seed);
        let first = |i: usize| TargetView { class: Class::Ok, ..view(i) };
        let Effect::Send(asked) = second.step(Event::Start, 3, &first, 0) else { panic!("seed {seed}") };
        if asked != 2 {
            let next = second.step(Event::Failed(asked, &refused()), 3, &view, 1);
            assert_ne!(next, Effect::Send(2), "seed {seed}: a second attempt goes where it is answered");
        }
    }
}

#[test]
fn a_standby_that_is_due_is_left_alone_while_it_is_not_needed() {
    let view = |i: usize| match i {
        0 => FREE,
        _ => TargetView { tier: 1, class: Class::Due, rests_until: Some(0), ..FREE },
    };
    for seed in 0..100 {
        assert_eq!(Ladder::new(0, SECOND, 6, seed).step(Event::Start, 2, &view, 9), Effect::Send(0));
    }
}

#[test]
fn among_equals_the_lighter_one_is_asked_and_the_worse_class_is_not() {
    for seed in 0..1_000 {
        let view = |i: usize| TargetView { in_flight: if i == 0 { 8 } else { 1 }, ..FREE };
        assert_eq!(Ladder::new(0, SECOND, 6, seed).step(Event::Start, 2, &view, 0), Effect::Send(1));
        let view = |i: usize| match i {
            0 => TargetView { in_flight: 8, ..FREE },
            _ => TargetView { class: Class::Suspect, ..FREE },
        };
        assert_eq!(Ladder::new(0, SECOND, 6, seed).step(Event::Start, 2, &view, 0), Effect::Send(0));
    }
}

#[test]
fn whoever_queued_first_chooses_anew_and_has_used_no_attempt() {
    let view = |i: usize| if i == 0 { open(SECOND) } else { TargetView { tier: 1, ..FREE } };
    let mut ladder = Ladder::new(0, 60 * SECOND, 1, 1);
    assert_eq!(ladder.step(Event::Start, 2, &view, 0), Effect::Send(1));
    let back = |i: usize| if i == 0 { FREE } else { view(1) };
    assert_eq!(ladder.step(Event::Queued(1), 2, &back, 1), Effect::Send(0));
    assert_eq!((ladder.rung(), ladder.attempts()), (Rung::Held, 1));
}

#[test]
fn a_full_last_light_is_waited_for() {
    let full = |_: usize| TargetView { room_at: Some(SECOND), ..open(9 * SECOND) };
    let held = Effect::Hold { recovery: SECOND };
    assert_eq!(Ladder::new(0, 60 * SECOND, 6, 1).step(Event::Start, 2, &full, 0), held);
    // It answers again, and others are in front.
    let ramping = |_: usize| TargetView { room_at: Some(SECOND), class: Class::Suspect, ..FREE };
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    assert_eq!(ladder.step(Event::Start, 1, &ramping, 0), held);
    assert_eq!(ladder.step(Event::Waited, 1, &|_| FREE, 10), Effect::Send(0));
    assert_eq!(ladder.rung(), Rung::Held);
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
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    assert_eq!(ladder.step(Event::Start, 1, &view, 0), Effect::Hold { recovery: 40 * SECOND });
    let end = ladder.step(Event::Refused, 1, &view, 0);
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
fn a_rate_limit_without_alternative_is_waited_for_or_told_truly() {
    for free_at in [2 * SECOND, 40 * SECOND] {
        let view = move |_: usize| TargetView { key_free_at: Some(free_at), key_limited: true, ..FREE };
        let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
        assert_eq!(ladder.step(Event::Start, 1, &view, 0), Effect::Hold { recovery: free_at });
        assert_eq!(ladder.step(Event::Waited, 1, &|_| FREE, free_at), Effect::Send(0));
        assert_eq!(ladder.rung(), Rung::Held);
        let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
        ladder.step(Event::Start, 1, &view, 0);
        let end = Effect::GiveUp(End::RateLimited { recovery: Some(free_at) });
        assert_eq!(ladder.step(Event::Refused, 1, &view, 0), end);
    }
}

#[test]
fn a_target_that_failed_is_tried_again_after_a_pause_and_that_is_no_hold() {
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    ladder.step(Event::Start, 1, &|_| FREE, 0);
    let suspect = |_: usize| TargetView { class: Class::Suspect, ..FREE };
    let Effect::Wait(until) = ladder.step(Event::Failed(0, &refused()), 1, &suspect, 5) else {
        panic!("no pause")
    };
    assert!(until > 5 && until <= 5 + SECOND / 4);
    assert_eq!(ladder.step(Event::Waited, 1, &suspect, until), Effect::Send(0));
    assert_eq!(ladder.rung(), Rung::Retried);
}

#[test]
fn only_what_can_answer_is_fit() {
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    assert_eq!((ladder.fit(1), ladder.fit(3), ladder.fit(64)), (1, 0b111, u64::MAX));
    ladder.exclude(1);
    assert_eq!(ladder.fit(3), 0b101);
}

#[test]
fn who_is_known_to_be_down_or_limited_for_too_long_is_no_alternative() {
    let ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    let with = |other: TargetView| ladder.has_alternative(2, 1, &|i| if i == 0 { other } else { FREE });
    let limited = |until: Nanos| TargetView { key_free_at: Some(until), key_limited: true, ..FREE };
    assert!(with(FREE));
    assert!(with(TargetView { class: Class::Suspect, ..FREE }), "it failed once");
    assert!(with(limited(30 * SECOND)), "it is waited for");
    assert!(!with(open(30 * SECOND)));
    assert!(!with(TargetView { class: Class::Due, ..open(0) }), "nobody knows yet whether it is back");
    assert!(!with(limited(60 * SECOND)), "it is free when nobody waits any more");
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
/// silent or unfit target twice, asks an open one only when nobody else is willing, and never gives up before every
/// willing target has been asked.
#[test]
fn every_history_ends_in_time_and_leaves_no_willing_target_unasked() {
    for seed in 0..20_000_u64 {
        World::new(seed).run();
    }
}

const ATTEMPTS_MAX: u32 = 12;

struct World {
    seed: u64,
    rng: Rng,
    now: Nanos,
    deadline: Nanos,
    targets: Vec<TargetView>,
    /// Asked since the last wait.
    asked: Vec<bool>,
    /// Asked by others since then.
    missed: Vec<bool>,
    banned: Vec<bool>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0xabcd);
        let deadline = SECOND / 10 + rng.below(60 * SECOND);
        let count = 1 + usize::try_from(rng.below(5)).unwrap();
        let targets = (0..count).map(|_| TargetView {
            tier: u8::try_from(rng.below(3)).unwrap(),
            key_free_at: (rng.below(4) == 0).then(|| rng.below(9 * SECOND)),
            key_limited: true,
            rests_until: (rng.below(3) == 0).then(|| rng.below(9 * SECOND)),
            room_at: (rng.below(4) == 0).then(|| rng.below(3 * SECOND)),
            class: [Class::Ok, Class::Unknown, Class::Suspect][usize::try_from(rng.below(3)).unwrap()],
            ..FREE
        });
        let targets: Vec<_> = targets.collect();
        let none = vec![false; count];
        Self { seed, now: 0, deadline, asked: none.clone(), missed: none.clone(), banned: none, targets, rng }
    }

    /// Target `i` as it is now.
    fn view(&self, i: usize) -> TargetView {
        let now = self.now;
        let mut view = self.targets[i];
        view.room_at = view.room_at.filter(|at| *at > now);
        view.class = match view.rests_until {
            Some(until) if until > now => Class::Open,
            Some(_) => Class::Due,
            None => view.class,
        };
        view
    }

    fn willing(&self, i: usize, open: bool) -> bool {
        let view = self.view(i);
        let out = self.asked[i] || self.missed[i] || self.banned[i];
        !out && view.is_free(self.now) && (view.class == Class::Open) == open
    }

    fn any_willing(&self, open: bool) -> bool {
        (0..self.targets.len()).any(|i| self.willing(i, open))
    }

    fn run(mut self) {
        let (seed, count) = (self.seed, self.targets.len());
        let mut ladder = Ladder::new(0, self.deadline, ATTEMPTS_MAX, seed);
        let mut failed: Option<(usize, Failure)> = None;
        let mut effect = ladder.step(Event::Start, count, &|i| self.view(i), 0);
        let mut refused = false;
        for _ in 0..300 {
            let event = match effect {
                Effect::Send(i) if self.rng.below(12) == 0 => {
                    // Somebody else was quicker.
                    self.missed[i] = true;
                    self.targets[i].room_at = Some(self.now + self.rng.below(SECOND));
                    Event::Unavailable(i)
                }
                Effect::Send(i) | Effect::LastLight(i) => {
                    let last_light = matches!(effect, Effect::LastLight(_));
                    assert!(self.willing(i, last_light), "seed {seed}: target {i} was not to be asked");
                    assert!(
                        !(last_light && self.any_willing(false)),
                        "seed {seed}: the open target {i} was asked, and another one was willing"
                    );
                    let i = if last_light { i } else { self.two_at_once(&mut ladder, i) };
                    let (i, failure) = failed.insert((i, self.attempt(i)));
                    Event::Failed(*i, failure)
                }
                Effect::Wait(until) => {
                    assert!(until > self.now && until < self.deadline, "seed {seed}: until {until}");
                    self.pass(until);
                    Event::Waited
                }
                Effect::Hold { recovery } => {
                    assert!(recovery > self.now, "seed {seed}: somebody could be asked at once");
                    let place = RoomView { has_place: true };
                    let (now, deadline) = (self.now, self.deadline);
                    match hold::decide(now, 0, deadline, 30 * SECOND, Some(recovery), place) {
                        Hold::Wait { until } => {
                            self.pass(until.min(recovery));
                            Event::Waited
                        }
                        _ => {
                            refused = true;
                            Event::Refused
                        }
                    }
                }
                Effect::GiveUp(_) => {
                    let spent = ladder.attempts() >= ATTEMPTS_MAX || ladder.probes >= super::PROBES_MAX;
                    return self.gave_up(spent, refused);
                }
            };
            effect = ladder.step(event, count, &|i| self.view(i), self.now);
            assert!(ladder.attempts() <= ATTEMPTS_MAX && ladder.probes <= super::PROBES_MAX, "seed {seed}");
        }
        panic!("seed {seed}: no end after 300 steps");
    }

    /// Perhaps the attempt at `first` is late, and another target is asked beside it. Returns whose failure is the last.
    fn two_at_once(&mut self, ladder: &mut Ladder, first: usize) -> usize {
        if self.rng.below(3) != 0 {
            return first;
        }
        let (seed, before) = (self.seed, ladder.attempts());
        let has_willing = ladder.has_willing(first, self.targets.len(), &|i| self.view(i), self.now);
        let Some(second) = ladder.beside(first, self.targets.len(), &|i| self.view(i), self.now) else {
            assert_eq!(ladder.attempts(), before, "seed {seed}");
            let good = |i: usize| i != first && self.willing(i, false) && self.view(i).class != Class::Due;
            let could = before < ATTEMPTS_MAX && self.now + SECOND / 20 < self.deadline;
            assert!(!(could && has_willing), "seed {seed}: somebody was willing");
            assert!(!(could && (0..self.targets.len()).any(good)), "seed {seed}: nobody was asked beside");
            return first;
        };
        assert!(has_willing, "seed {seed}: somebody was asked who is not willing");
        assert_ne!(second, first, "seed {seed}: asked beside itself");
        assert!(self.willing(second, false), "seed {seed}: target {second} was not to be asked");
        assert_ne!(self.view(second).class, Class::Due, "seed {seed}: a probe is no help");
        if self.rng.below(4) == 0 {
            ladder.unsent(second);
            self.missed[second] = true;
            assert_eq!(ladder.attempts(), before, "seed {seed}: what was not sent is no attempt");
            return first;
        }
        let (sooner, later) = if self.rng.below(2) == 0 { (first, second) } else { (second, first) };
        let failure = self.attempt(sooner);
        ladder.failed_beside(sooner, &failure, &|i| self.view(i), self.now);
        later
    }

    fn pass(&mut self, until: Nanos) {
        self.now = until;
        self.missed.fill(false);
        for i in 0..self.targets.len() {
            // An open one is asked once by the last light; then its rest is waited for.
            self.asked[i] &= self.view(i).class == Class::Open;
        }
    }

    fn attempt(&mut self, i: usize) -> Failure {
        self.now += self.rng.below(SECOND / 2);
        let (cause, scope) = match self.rng.below(4) {
            0 => (Cause::FirstTokenTimeout, Scope::Endpoint),
            1 => (Cause::RateLimited, Scope::KeyModel),
            2 => (Cause::ModelUnknown, Scope::TargetModel),
            _ => (Cause::Status5xx, Scope::Endpoint),
        };
        self.banned[i] = matches!(cause, Cause::FirstTokenTimeout | Cause::ModelUnknown);
        self.asked[i] = true;
        match cause {
            Cause::RateLimited => {
                self.targets[i].key_free_at = Some(self.now + 1 + self.rng.below(8 * SECOND));
            }
            _ if self.rng.below(3) == 0 => {
                self.targets[i].rests_until = Some(self.now + MILLI + self.rng.below(8 * SECOND));
            }
            _ => {}
        }
        failure(cause, scope, Retry::Elsewhere)
    }

    fn gave_up(&self, spent: bool, refused: bool) {
        let in_time = self.now + SECOND / 20 < self.deadline;
        let willing = self.any_willing(false) || self.any_willing(true);
        assert!(
            !(in_time && willing) || refused || spent,
            "seed {}: gave up with a willing target",
            self.seed
        );
    }
}

/// Two targets that die and come back: whoever asks again and again is answered soon after one is back, whatever the
/// state said of it.
#[test]
fn nobody_is_exiled_for_ever() {
    for seed in 0..2_000 {
        let mut rng = Rng::new(seed);
        let back = rng.below(2);
        let view = |i: usize| match i {
            0 => TargetView { tier: u8::try_from(back).unwrap(), ..open(20 * SECOND) },
            _ => TargetView { tier: 1, ..open((5 + rng.clone().below(20)) * SECOND) },
        };
        let mut ladder = Ladder::new(0, 60 * SECOND, 6, seed);
        let mut asked = [false; 2];
        let mut effect = ladder.step(Event::Start, 2, &view, 0);
        while let Effect::LastLight(i) = effect {
            asked[i] = true;
            effect = ladder.step(Event::Failed(i, &refused()), 2, &view, 1);
        }
        assert_eq!(asked, [true; 2], "seed {seed}: each is asked although all are open");
        assert!(matches!(effect, Effect::Hold { .. }), "seed {seed}: {effect:?}");
    }
}

/// One request, two targets that are down and stay down, their rests doubling as the breaker's do: how long until it is
/// given up, and after how many attempts, when it may wait for `patience`.
fn waits_alone(patience: Nanos, deadline: Nanos, seed: u64) -> (Nanos, u32) {
    let mut rests = [(SECOND, SECOND), (SECOND, SECOND + 300 * MILLI)];
    let mut now = 0;
    let view = |rests: [(Nanos, Nanos); 2], now: Nanos| {
        move |i: usize| {
            let class = if rests[i].1 <= now { Class::Due } else { Class::Open };
            TargetView { class, ..open(rests[i].1) }
        }
    };
    let mut ladder = Ladder::new(0, deadline, 6, seed);
    let mut asked = 0;
    let mut effect = ladder.step(Event::Start, 2, &view(rests, now), now);
    for _ in 0..1_000 {
        let event = match effect {
            Effect::LastLight(i) => Event::Failed(i, &refused()),
            Effect::Send(i) => {
                assert!(rests[i].1 <= now, "seed {seed}: asked during its rest");
                let longer = (rests[i].0 * 2).min(18 * SECOND);
                rests[i] = (longer, now + longer);
                Event::Failed(i, &refused())
            }
            Effect::Hold { recovery } => {
                let place = RoomView { has_place: true };
                match hold::decide(now, 0, deadline, patience, Some(recovery), place) {
                    Hold::Wait { .. } => {
                        now = recovery;
                        effect = ladder.step(Event::Waited, 2, &view(rests, now), now);
                    }
                    _ => effect = ladder.step(Event::Refused, 2, &view(rests, now), now),
                }
                continue;
            }
            Effect::Wait(until) => {
                now = until;
                effect = ladder.step(Event::Waited, 2, &view(rests, now), now);
                continue;
            }
            Effect::GiveUp(_) => return (now, asked),
        };
        asked += 1;
        now += MILLI;
        effect = ladder.step(event, 2, &view(rests, now), now);
    }
    panic!("seed {seed}: no end");
}

/// survival.md R1: who waits for a recovery that is known waits for as long as its patience lasts; what it asks meanwhile
/// is one probe for each rest (R5), and no attempt that could be spent.
#[test]
fn a_lone_waiter_waits_until_its_patience_is_over_and_not_until_its_attempts_are_spent() {
    for seed in 0..200 {
        let (gave_up, asked) = waits_alone(30 * SECOND, 600 * SECOND, seed);
        // The next rest of each would end after the patience.
        assert!((13 * SECOND..=30 * SECOND).contains(&gave_up), "seed {seed}: given up after {gave_up} ns");
        assert!((8..=14).contains(&asked), "seed {seed}: asked {asked} times");
        let (_, asked) = waits_alone(3_600 * SECOND, 7_200 * SECOND, seed);
        assert!(asked <= 2 + super::PROBES_MAX, "seed {seed}: asked {asked} times in an hour");
    }
}

#[test]
fn a_probe_that_was_not_sent_is_none_and_attempts_that_are_no_probes_stay_bounded() {
    let due = |i: usize| TargetView { class: if i == 0 { Class::Due } else { Class::Open }, ..open(SECOND) };
    let mut ladder = Ladder::new(0, 60 * SECOND, 2, 1);
    let all = |_: usize| open(SECOND);
    let Effect::LastLight(first) = ladder.step(Event::Start, 1, &all, 0) else { panic!("nobody is asked") };
    let held = ladder.step(Event::Failed(first, &refused()), 1, &all, 1);
    assert!(matches!(held, Effect::Hold { .. }), "{held:?}");
    assert_eq!(ladder.step(Event::Waited, 1, &due, SECOND), Effect::Send(0));
    assert_eq!((ladder.attempts(), ladder.probes), (1, 1));
    ladder.step(Event::Unavailable(0), 1, &all, SECOND);
    assert_eq!((ladder.attempts(), ladder.probes), (1, 0), "somebody else probes");
    // It is back, and fails: from now on what is sent is an attempt like any other.
    let well = |_: usize| FREE;
    assert_eq!(ladder.step(Event::Waited, 1, &well, 2 * SECOND), Effect::Send(0));
    let end = ladder.step(Event::Failed(0, &refused()), 1, &well, 2 * SECOND + 1);
    assert!(matches!(end, Effect::GiveUp(_)), "two attempts are all: {end:?}");
}

#[test]
fn a_target_that_could_not_be_asked_says_nothing_of_the_rung() {
    // The only willing one is in the second tier; before it is asked, its last key goes to rest.
    let first = |i: usize| if i == 0 { open(SECOND) } else { TargetView { tier: 1, ..FREE } };
    let mut ladder = Ladder::new(0, 60 * SECOND, 6, 1);
    assert_eq!(ladder.step(Event::Start, 2, &first, 0), Effect::Send(1));
    let then = |i: usize| match i {
        0 => FREE,
        _ => TargetView { tier: 1, key_free_at: Some(9 * SECOND), ..FREE },
    };
    assert_eq!(ladder.step(Event::Unavailable(1), 2, &then, 1), Effect::Send(0));
    assert_eq!(ladder.rung(), Rung::Direct, "nobody but the first target was asked");
}

#[test]
fn a_request_that_was_given_up_can_go_on_with_what_it_knows() {
    let view = |_: usize| FREE;
    let mut ladder = Ladder::new(0, 10 * SECOND, 2, 1);
    let silent = failure(Cause::FirstTokenTimeout, Scope::Endpoint, Retry::Elsewhere);
    let Effect::Send(first) = ladder.step(Event::Start, 2, &view, 0) else { panic!("nobody is asked") };
    let other = 1 - first;
    assert_eq!(ladder.step(Event::Failed(first, &silent), 2, &view, SECOND), Effect::Send(other));
    let given_up = ladder.step(Event::Failed(other, &refused()), 2, &view, 2 * SECOND);
    assert!(matches!(given_up, Effect::GiveUp(_)), "{given_up:?}");
    let mut spent = ladder;
    spent.reopen(20 * SECOND, 2);
    let again = spent.step(Event::Waited, 2, &view, 3 * SECOND);
    assert!(matches!(again, Effect::GiveUp(_)), "no attempts are left: {again:?}");
    spent.reopen(20 * SECOND, 4);
    assert_eq!(spent.step(Event::Waited, 2, &view, 11 * SECOND), Effect::Send(other), "not the silent one");
    let last = spent.step(Event::Failed(other, &refused()), 2, &view, 20 * SECOND);
    assert!(matches!(last, Effect::GiveUp(_)), "its time is over: {last:?}");
}
