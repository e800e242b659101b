#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
//! Promises of the breaker (survival.md 1.8 and R3), checked by example and over thousands of seeded histories.

mod checks;

use super::{
    Admission, Attempt, Blow, Breaker, Class, FAILURES_IN_A_ROW_MAX, Kind, OPEN_MAX, PROBE_LEASE, Passive,
    Phase, Pool, RETRY_AFTER_MAX, Rate, SUSPECT, Transition, Why, may_open_by_rate,
};
use crate::{MILLI, Nanos, Rng, SECOND};
use std::time::Duration;
use wellhead_types::{Cause, Failure, Retry, Scope, Stage};

const MANY: Pool = Pool { sole: false, may_open_by_rate: true };
const CAPPED: Pool = Pool { sole: false, may_open_by_rate: false };
const SOLE: Pool = Pool { sole: true, may_open_by_rate: false };

/// A breaker with all that belongs to it.
struct Rig {
    breaker: Breaker,
    passive: Passive,
    rng: Rng,
    now: Nanos,
}

impl Rig {
    fn new(seed: u64) -> Self {
        Self { breaker: Breaker::default(), passive: Passive::default(), rng: Rng::new(seed), now: SECOND }
    }

    /// An attempt that begins and ends a moment after the last one.
    fn attempt(&mut self) -> Attempt {
        self.now += 2 * MILLI;
        Attempt { began: self.now - MILLI, now: self.now }
    }

    fn ok(&mut self) -> Option<Transition> {
        let attempt = self.attempt();
        self.passive.on_success(attempt.now);
        self.breaker.on_success(attempt, &self.passive)
    }

    fn blow(
        &mut self,
        attempt: Attempt,
        kind: Kind,
        retry_after: Option<Nanos>,
        pool: Pool,
    ) -> Option<Transition> {
        let blow = Blow { kind, cause: Cause::Status5xx, retry_after };
        self.breaker.on_failure(attempt, blow, pool, &self.passive, &mut self.rng)
    }

    fn fail(&mut self, pool: Pool) -> Option<Transition> {
        let attempt = self.attempt();
        self.blow(attempt, Kind::Fault, None, pool)
    }

    fn open(&mut self) -> Nanos {
        for _ in 0..FAILURES_IN_A_ROW_MAX {
            self.fail(MANY);
        }
        assert_eq!(self.breaker.phase(), Phase::Open);
        self.breaker.rests_until().expect("open")
    }

    /// Goes to the end of the wait, takes the probe, and says when it began.
    fn probe(&mut self) -> Nanos {
        self.now = self.breaker.rests_until().expect("open");
        assert!(matches!(self.breaker.try_probe(self.now), Admission::Probe(_)));
        self.now
    }
}

#[test]
fn seven_failures_in_a_row_open_it_and_six_do_not() {
    let mut rig = Rig::new(1);
    assert_eq!(rig.breaker.class(0), Class::Unknown);
    rig.ok();
    for _ in 0..3 {
        for _ in 0..FAILURES_IN_A_ROW_MAX - 1 {
            rig.fail(CAPPED);
            assert_eq!(rig.breaker.class(rig.now), Class::Suspect);
        }
        rig.ok();
    }
    for _ in 0..FAILURES_IN_A_ROW_MAX - 1 {
        rig.fail(CAPPED);
    }
    let opened = rig.fail(CAPPED).unwrap();
    assert_eq!(opened, Transition { from: Phase::Suspect, to: Phase::Open, why: Why::Consecutive(7) });
    assert!(opened.is_loud());
    assert_eq!(opened.why.to_string(), "7 failures in a row");
}

#[test]
fn a_rate_below_eighty_percent_of_ten_requests_opens_it() {
    let opens = |succeeded: u64, failed: u64| {
        let mut rig = Rig::new(1);
        for _ in 0..succeeded {
            rig.ok();
        }
        (0..failed).filter_map(|_| rig.fail(MANY)).find(|t| t.to == Phase::Open).map(|t| t.why)
    };
    assert_eq!(opens(7, 3), Some(Why::Rate(Rate { succeeded: 7, of: 10 })));
    assert_eq!(opens(8, 2), None, "80 % is not below 80 %");
    assert_eq!(opens(6, 3), None, "nine requests say nothing");
    assert_eq!(opens(24, 6), None);
    assert_eq!(opens(23, 6), Some(Why::Rate(Rate { succeeded: 23, of: 29 })), "79.3 %");
}

#[test]
fn the_rate_alone_opens_at_most_half_of_a_pool() {
    for (pool, most) in [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (64, 32)] {
        let opened = (0..pool).take_while(|opened| may_open_by_rate(*opened, pool)).count();
        assert_eq!(opened, most, "of {pool}");
    }
    let mut rig = Rig::new(1);
    for _ in 0..50 {
        rig.ok();
        rig.fail(CAPPED);
    }
    assert_eq!(rig.breaker.phase(), Phase::Suspect);
    rig.ok();
    assert_eq!(rig.breaker.phase(), Phase::Suspect, "one success makes a rate of one half no better");
    rig.now += 10 * SECOND;
    assert_eq!(rig.breaker.class(rig.now), Class::Unknown, "and yet it is asked again");
    rig.ok();
    assert_eq!(rig.breaker.phase(), Phase::Ok);
}

/// Until the first opening, the decision is the one that a list of all events gives.
#[test]
fn it_opens_exactly_when_a_list_of_all_events_says_so() {
    for seed in 0..3_000 {
        let mut rig = Rig::new(seed);
        let (mut all, mut in_a_row, fail_percent) = (Vec::new(), 0, 5 + rig.rng.below(60));
        for _ in 0..300 {
            rig.now +=
                if rig.rng.below(20) == 0 { rig.rng.below(12 * SECOND) } else { rig.rng.below(SECOND / 2) };
            let fails = rig.rng.below(100) < fail_percent;
            let pool = if rig.rng.below(2) == 0 { MANY } else { CAPPED };
            let transition = if fails { rig.fail(pool) } else { rig.ok() };
            all.push((rig.now, fails));
            in_a_row = if fails { in_a_row + 1 } else { 0 };
            let window = all.iter().filter(|(at, _)| rig.now / SECOND - at / SECOND < 10);
            let (of, failed) = window.fold((0, 0), |(n, f), (_, fails)| (n + 1, f + u64::from(*fails)));
            let low = of >= 10 && (of - failed) * 10 < of * 8;
            let opens = fails && (in_a_row >= 7 || low && pool.may_open_by_rate);
            assert_eq!(transition.is_some_and(|t| t.to == Phase::Open), opens, "seed {seed}");
            if opens {
                break;
            }
        }
    }
}

#[test]
fn a_sole_target_never_opens() {
    for seed in 0..2_000 {
        let mut rig = Rig::new(seed);
        for _ in 0..100 {
            match rig.rng.below(8) {
                0 => drop(rig.ok()),
                1 => rig.now += rig.rng.below(20 * SECOND),
                2 => {
                    let attempt = rig.attempt();
                    rig.blow(attempt, Kind::Fault, Some(30 * SECOND), SOLE);
                }
                _ => drop(rig.fail(SOLE)),
            }
            assert_eq!(rig.breaker.rests_until(), None, "seed {seed}");
            assert_eq!(rig.breaker.try_probe(rig.now), Admission::Free, "seed {seed}");
        }
    }
    let mut rig = Rig::new(1);
    rig.open();
    let left = rig.breaker.on_sole(rig.now).unwrap();
    assert_eq!((left.to, left.why), (Phase::Suspect, Why::Sole));
}

#[test]
fn a_sole_target_still_counts_its_failures_and_the_wish_to_be_left_alone() {
    let mut rig = Rig::new(1);
    let attempt = rig.attempt();
    rig.blow(attempt, Kind::Fault, Some(9 * SECOND), SOLE);
    for _ in 0..20 {
        rig.fail(SOLE);
    }
    let evidence = rig.breaker.evidence(&rig.passive);
    assert_eq!((evidence.failures_in_a_row, evidence.failing_since), (21, Some(attempt.now)));
    assert_eq!(evidence.last_failure, Some((Cause::Status5xx, rig.now)));
    assert_eq!(rig.breaker.asked_until(rig.now), Some(attempt.now + 9 * SECOND));
}

#[test]
fn refusals_whose_fault_lies_elsewhere_count_for_nothing() {
    let with = |cause, scope, status| Failure {
        scope,
        retry: Retry::Elsewhere,
        status,
        ..Failure::endpoint(Stage::Headers, cause, "")
    };
    let answered = [
        with(Cause::RateLimited, Scope::KeyModel, Some(429)),
        with(Cause::RateLimited, Scope::Provider, Some(429)),
        with(Cause::KeyRejected, Scope::Key, Some(401)),
        with(Cause::QuotaExhausted, Scope::Key, Some(402)),
        with(Cause::ModelUnknown, Scope::TargetModel, Some(404)),
        with(Cause::BadRequest, Scope::Request, Some(400)),
        with(Cause::Conflict409, Scope::Endpoint, Some(409)),
    ];
    let mut rig = Rig::new(1);
    for failure in answered.iter().cycle().take(100) {
        let blow = Blow::of(failure);
        assert_eq!(blow.kind, Kind::Answered, "{failure:?}");
        let attempt = rig.attempt();
        rig.breaker.on_failure(attempt, blow, MANY, &rig.passive, &mut rig.rng);
    }
    assert_eq!((rig.breaker.phase(), rig.breaker.is_calm()), (Phase::Ok, true));
    assert_eq!(rig.passive.rate(rig.now).of, 0);
    assert_eq!(Kind::of(&with(Cause::DeadlineExceeded, Scope::Endpoint, None)), Kind::Silent);
    assert_eq!(Kind::of(&with(Cause::NoKeyAvailable, Scope::Key, None)), Kind::Silent);
    assert_eq!(Kind::of(&with(Cause::Overloaded, Scope::Provider, Some(529))), Kind::Fault);
    let mut overloaded = with(Cause::Overloaded, Scope::Provider, Some(503));
    overloaded.retry_after = Some(Duration::from_secs(2));
    assert_eq!(Blow::of(&overloaded).retry_after, Some(2 * SECOND));
}

#[test]
fn waits_double_from_one_second_to_eighteen_within_half_and_one_and_a_half() {
    for seed in 0..2_000 {
        let mut rig = Rig::new(seed);
        let mut until = rig.open();
        let mut from = rig.now;
        for n in 0..10 {
            let length = (SECOND << n).min(OPEN_MAX);
            let wait = until - from;
            assert!(wait <= 27 * SECOND, "seed {seed}: it is back within 30 s, with time for an answer");
            assert!((length / 2..length * 3 / 2).contains(&wait), "seed {seed}: wait {n} is {wait} ns");
            assert_eq!(rig.breaker.class(until - 1), Class::Open, "seed {seed}");
            assert_eq!(rig.breaker.class(until), Class::Due, "seed {seed}");
            from = rig.probe();
            let failed = rig.fail(MANY).unwrap();
            assert_eq!((failed.from, failed.to, failed.why), (Phase::Probing, Phase::Open, Why::ProbeFailed));
            until = rig.breaker.rests_until().unwrap();
        }
        rig.probe();
        let recovered = rig.ok().unwrap();
        assert_eq!((recovered.to, recovered.is_loud()), (Phase::Ok, true), "seed {seed}");
        assert_eq!(rig.breaker.recovered_at(), Some(rig.now), "seed {seed}");
        assert_eq!(rig.passive.rate(rig.now).of, 0, "seed {seed}: the window is forgotten");
        let wait = rig.open() - rig.now;
        assert!(wait < SECOND * 3 / 2, "seed {seed}: back-off starts again");
    }
}

#[test]
fn a_probe_that_is_slow_to_fail_puts_the_next_one_off_no_further() {
    for seed in 0..2_000 {
        let mut rig = Rig::new(seed);
        rig.open();
        for n in 1..10 {
            let began = rig.probe();
            rig.now = began + 12 * SECOND;
            rig.blow(Attempt { began, now: rig.now }, Kind::Fault, None, MANY).unwrap();
            let until = rig.breaker.rests_until().unwrap();
            assert!(until >= rig.now + SECOND / 2, "seed {seed}: it is given a moment");
            let longest = (SECOND << n).min(OPEN_MAX) * 3 / 2;
            let latest = (began + longest).max(rig.now + SECOND / 2);
            assert!(until <= latest, "seed {seed}: probe {n} is followed after {} ns", until - began);
        }
    }
}

#[test]
fn one_request_probes_at_a_time_and_one_that_vanishes_blocks_nobody_for_ever() {
    let mut rig = Rig::new(1);
    let until = rig.open();
    assert_eq!(rig.breaker.try_probe(until - 1), Admission::Later);
    let began = rig.probe();
    for later in [0, SECOND, PROBE_LEASE - 1] {
        assert_eq!(rig.breaker.try_probe(began + later), Admission::Later);
        assert_eq!(rig.breaker.class(began + later), Class::Open);
    }
    assert_eq!(rig.breaker.class(began + PROBE_LEASE), Class::Due);
    assert!(matches!(rig.breaker.try_probe(began + PROBE_LEASE), Admission::Probe(_)));
    assert_eq!(rig.breaker.try_probe(began + PROBE_LEASE), Admission::Later);
    // The one that had vanished comes back after all.
    let late = Attempt { began, now: began + PROBE_LEASE + 1 };
    assert_eq!(rig.blow(late, Kind::Fault, None, MANY), None);
    assert_eq!(rig.breaker.phase(), Phase::Probing);
    let given_up = Attempt { began: began + PROBE_LEASE, now: began + PROBE_LEASE + 2 };
    assert_eq!(rig.breaker.on_given_up(given_up).unwrap().why, Why::ProbeLost);
    assert_eq!(rig.breaker.rests_until(), Some(given_up.now + SECOND));
}

#[test]
fn what_was_sent_before_it_opened_changes_nothing_any_more() {
    let mut rig = Rig::new(1);
    let before = rig.now;
    let until = rig.open();
    let old = |now| Attempt { began: before, now };
    assert_eq!(rig.breaker.on_success(old(until), &rig.passive), None);
    assert_eq!(rig.breaker.on_answering(old(until)), None);
    assert_eq!(rig.breaker.rests_until(), Some(until));
    rig.probe();
    assert_eq!(rig.blow(old(rig.now), Kind::Fault, None, MANY), None, "an old time-out is not the probe's");
    assert_eq!(rig.breaker.phase(), Phase::Probing);
    rig.ok();
    for _ in 0..100 {
        assert_eq!(rig.blow(old(rig.now + SECOND), Kind::Fault, None, MANY), None);
    }
    assert_eq!((rig.breaker.phase(), rig.breaker.is_calm()), (Phase::Ok, true));
}

/// Last light: everything is open, and somebody has to be asked before the wait is over.
#[test]
fn a_request_to_an_open_target_can_save_it_and_not_harm_it() {
    let mut rig = Rig::new(1);
    let until = rig.open();
    for _ in 0..50 {
        assert_eq!(rig.fail(MANY), None);
    }
    assert_eq!(rig.breaker.rests_until(), Some(until));
    let attempt = rig.attempt();
    assert_eq!(rig.breaker.on_answering(attempt).unwrap().to, Phase::Suspect);
    assert_eq!(rig.fail(MANY).unwrap().why, Why::ProbeFailed, "it had begun to answer");
    assert_eq!(rig.ok().unwrap(), Transition { from: Phase::Open, to: Phase::Ok, why: Why::Succeeded });
    assert_eq!(rig.breaker.recovered_at(), Some(rig.now));
}

#[test]
fn an_answer_that_breaks_off_is_no_recovery() {
    let mut rig = Rig::new(1);
    rig.open();
    let began = rig.probe();
    let answering = rig.breaker.on_answering(Attempt { began, now: began + 1 }).unwrap();
    assert_eq!((answering.from, answering.to), (Phase::Probing, Phase::Suspect));
    assert_eq!(rig.breaker.try_probe(began + 2), Admission::Free, "everybody may ask");
    assert_eq!(rig.breaker.class(began + 2), Class::Suspect);
    assert_eq!(rig.breaker.class(began + 1 + SUSPECT), Class::Unknown);
    let broke = Attempt { began, now: began + 3 };
    assert_eq!(rig.blow(broke, Kind::Fault, None, MANY).unwrap().why, Why::ProbeFailed);
    assert!(rig.breaker.rests_until().unwrap() >= began + SECOND, "the second wait");
}

#[test]
fn a_refusal_proves_a_probed_target_alive() {
    let mut rig = Rig::new(1);
    rig.open();
    let began = rig.probe();
    let refused = rig.blow(Attempt { began, now: began + 1 }, Kind::Answered, None, MANY).unwrap();
    assert_eq!(refused.to, Phase::Suspect);
}

#[test]
fn who_asks_to_be_left_alone_is_left_alone_at_least_so_long() {
    for seed in 0..2_000 {
        let mut rig = Rig::new(seed);
        rig.ok();
        let attempt = rig.attempt();
        let opened = rig.blow(attempt, Kind::Fault, Some(20 * SECOND), MANY).unwrap();
        assert_eq!((opened.to, opened.why), (Phase::Open, Why::RetryAfter(20 * SECOND)), "seed {seed}");
        let until = attempt.now + 20 * SECOND;
        assert_eq!(rig.breaker.rests_until(), Some(until), "seed {seed}");
        // Sent meanwhile; the later, shorter wish shortens nothing, a longer one counts.
        let attempt = rig.attempt();
        rig.blow(attempt, Kind::Fault, Some(SECOND), MANY);
        assert_eq!(rig.breaker.rests_until(), Some(until), "seed {seed}");
        let attempt = rig.attempt();
        rig.blow(attempt, Kind::Fault, Some(30 * SECOND), MANY);
        assert_eq!(rig.breaker.rests_until(), Some(attempt.now + 30 * SECOND), "seed {seed}");
        let began = rig.probe();
        let attempt = Attempt { began, now: began + 1 };
        rig.blow(attempt, Kind::Fault, Some(Nanos::MAX), MANY);
        assert_eq!(rig.breaker.rests_until(), Some(began + 1 + RETRY_AFTER_MAX), "seed {seed}");
        rig.probe();
        rig.fail(MANY);
        let wait = rig.breaker.rests_until().unwrap() - rig.now;
        assert!(wait <= OPEN_MAX * 3 / 2, "seed {seed}: the wish is over");
    }
    let mut rig = Rig::new(1);
    let attempt = rig.attempt();
    rig.blow(attempt, Kind::Fault, Some(0), MANY);
    assert_eq!(rig.breaker.phase(), Phase::Suspect, "no wait is no wish");
}

/// Whatever happened: nobody rests longer than the longest wait, at most one probe runs, and one good probe ends it.
#[test]
fn no_history_exiles_a_target() {
    for seed in 0..5_000 {
        let mut rig = Rig::new(seed);
        let mut began = Vec::new();
        for _ in 0..200 {
            rig.now += rig.rng.below(3 * SECOND);
            let attempt = match rig.rng.below(3) {
                0 if !began.is_empty() => {
                    let index = usize::try_from(rig.rng.below(began.len() as u64)).unwrap();
                    Attempt { began: began.swap_remove(index), now: rig.now }
                }
                _ => rig.attempt(),
            };
            match rig.rng.below(12) {
                0 => {
                    rig.passive.on_success(attempt.now);
                    rig.breaker.on_success(attempt, &rig.passive);
                }
                1 => drop(rig.breaker.on_answering(attempt)),
                2 => drop(rig.breaker.on_given_up(attempt)),
                3 => {
                    let wish = Some(rig.rng.below(600 * SECOND));
                    rig.blow(attempt, Kind::Fault, wish, MANY);
                }
                4 => drop(rig.breaker.on_check(rig.rng.below(2) == 0, rig.now, &rig.passive)),
                5 => drop(rig.blow(attempt, Kind::Answered, None, MANY)),
                6..9 => {
                    if let Admission::Probe(_) = rig.breaker.try_probe(rig.now) {
                        assert_eq!(rig.breaker.try_probe(rig.now), Admission::Later, "seed {seed}");
                        began.push(rig.now);
                    }
                }
                _ => drop(rig.blow(attempt, Kind::Fault, None, MANY)),
            }
            let until = rig.breaker.rests_until().unwrap_or(0);
            assert!(until <= rig.now + RETRY_AFTER_MAX, "seed {seed}: rests {} ns", until - rig.now);
            assert!(rig.breaker.asked_until(rig.now).is_none_or(|at| at <= rig.now + RETRY_AFTER_MAX));
        }
        rig.now = rig.now.max(rig.breaker.rests_until().unwrap_or(0)) + 1;
        assert!(rig.breaker.try_probe(rig.now).may_send(), "seed {seed}");
        rig.breaker.on_success(Attempt { began: rig.now, now: rig.now + 1 }, &rig.passive);
        assert!(rig.breaker.class(rig.now + SUSPECT) <= Class::Unknown, "seed {seed}: {:?}", rig.breaker);
        assert_eq!(rig.breaker.rests_until(), None, "seed {seed}");
    }
}
