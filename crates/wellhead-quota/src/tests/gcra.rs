#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{MS, S};
use crate::{Admitted, Gcra, NEVER, WINDOW_NS};
use proptest::prelude::*;

#[test]
fn sixty_per_minute_admit_sixty_at_once_and_then_one_per_second() {
    let gcra = Gcra::new(60, 60);
    for used in 1..=60 {
        let admitted = gcra.check(1, 5 * S).unwrap();
        assert_eq!(admitted, Admitted { remaining: 60 - used, reset_ns: used * S });
    }
    let denied = gcra.check(1, 5 * S).unwrap_err();
    assert_eq!((denied.retry_after_ns, denied.remaining, denied.reset_ns), (S, 0, 60 * S));
    assert!(gcra.check(1, 6 * S - 1).is_err());
    for second in 6..100 {
        assert!(gcra.check(1, second * S).is_ok());
        assert!(gcra.check(1, second * S + 999 * MS).is_err());
    }
}

#[test]
fn a_limit_of_zero_admits_nothing_and_never_will() {
    for gcra in [Gcra::new(0, 0), Gcra::new(0, 60)] {
        for (cost, now) in [(0, 0), (1, 0), (1, u64::MAX), (u64::MAX, S)] {
            assert_eq!(gcra.check(cost, now).unwrap_err().retry_after_ns, NEVER);
        }
    }
}

#[test]
fn what_exceeds_the_burst_is_never_admitted_and_costs_nothing() {
    let gcra = Gcra::new(100, 10);
    let denied = gcra.check(11, S).unwrap_err();
    assert_eq!((denied.retry_after_ns, denied.remaining), (NEVER, 10));
    assert_eq!(gcra.check(10, S).unwrap().remaining, 0);
}

#[test]
fn debt_is_paid_off_before_anything_is_admitted_and_is_at_most_a_minute() {
    let gcra = Gcra::new(60, 60);
    gcra.charge(90, 0);
    assert_eq!(gcra.peek(0), Admitted { remaining: 0, reset_ns: 90 * S });
    assert_eq!(gcra.check(1, 0).unwrap_err().retry_after_ns, 31 * S);
    assert!(gcra.check(0, 0).is_err());
    assert!(gcra.check(1, 31 * S).is_ok());

    let drowned = Gcra::new(60, 60);
    for cost in [u64::MAX, 1, u64::MAX] {
        drowned.charge(cost, 7 * S);
        assert_eq!(drowned.peek(7 * S).reset_ns, 2 * WINDOW_NS);
    }
    assert_eq!(drowned.check(1, 7 * S).unwrap_err().retry_after_ns, 61 * S);
}

#[test]
fn a_refund_gives_back_no_more_than_a_full_bucket() {
    let gcra = Gcra::new(60, 60);
    gcra.check(30, 0).unwrap();
    gcra.refund(30, 0);
    assert_eq!(gcra.peek(0), Admitted { remaining: 60, reset_ns: 0 });
    gcra.refund(u64::MAX, 0);
    gcra.refund(1_000, 100 * S);
    assert_eq!(gcra.peek(100 * S).remaining, 60);
    assert!(gcra.check(60, 100 * S).is_ok());
    assert!(gcra.check(1, 100 * S).is_err());
}

#[test]
fn a_refund_of_what_is_paid_off_helps_nobody_whose_clock_reading_is_older() {
    let gcra = Gcra::new(60, 60);
    gcra.check(60, 0).unwrap();
    gcra.refund(60, 100 * S);
    assert_eq!(gcra.check(60, 30 * S).unwrap_err().retry_after_ns, 30 * S);
}

#[test]
fn a_changed_limit_keeps_what_was_used() {
    let gcra = Gcra::new(60, 60);
    gcra.check(40, 0).unwrap();
    gcra.set_limit(100, 100, 0);
    assert_eq!((gcra.limit(), gcra.peek(0).remaining), (100, 60));
    gcra.set_limit(50, 50, 0);
    assert_eq!(gcra.peek(0).remaining, 10);
    gcra.set_limit(30, 30, 0);
    assert_eq!(
        gcra.check(1, 0).unwrap_err().retry_after_ns,
        22 * S,
        "40 used of 30: 10 and 1 more have to refill"
    );
    gcra.set_limit(30, 30, 0);
    assert_eq!(gcra.peek(0).reset_ns, 80 * S, "setting the same limit again changes nothing");
}

#[test]
fn a_limit_that_was_zero_can_be_opened_and_closed() {
    let gcra = Gcra::new(60, 60);
    gcra.check(60, 0).unwrap();
    gcra.set_limit(0, 0, 0);
    assert!(gcra.check(1, 1_000 * S).is_err());
    gcra.set_limit(60, 60, 30 * S);
    assert_eq!(gcra.peek(30 * S).remaining, 30);
}

#[test]
fn extremes_neither_overflow_nor_open_the_gate() {
    for limit in [1, 7, u64::MAX] {
        for burst in [1, u64::MAX] {
            for now in [0, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
                let gcra = Gcra::new(limit, burst);
                let _ = gcra.check(u64::MAX, now);
                gcra.charge(u64::MAX, now);
                gcra.refund(u64::MAX, now);
                gcra.set_limit(u64::MAX, u64::MAX, now);
                gcra.set_limit(1, 1, now);
                let _ = gcra.check(1, now);
                assert!(gcra.check(1, now).is_err(), "limit {limit}, burst {burst}, now {now}");
            }
        }
    }
}

/// A bucket as the textbook has it: a level that refills with time, in nanoseconds' worth, without limits on size.
struct Bucket {
    interval: u128,
    burst: u128,
    used: u128,
    at: u128,
}

impl Bucket {
    fn advance(&mut self, now: u64) {
        let now = u128::from(now);
        self.used = self.used.saturating_sub(now - self.at);
        self.at = now;
    }

    fn check(&mut self, cost: u64) -> Result<u128, u128> {
        let need = u128::from(cost) * self.interval;
        let room = (self.burst * self.interval).saturating_sub(self.used);
        if need > room || self.used > self.burst * self.interval {
            return Err(room / self.interval);
        }
        self.used += need;
        Ok((room - need) / self.interval)
    }

    fn charge(&mut self, cost: u64) {
        let ceiling = self.burst * self.interval + u128::from(WINDOW_NS);
        self.used = (self.used + u128::from(cost) * self.interval).min(ceiling.max(self.used));
    }

    fn refund(&mut self, cost: u64) {
        self.used = self.used.saturating_sub(u128::from(cost) * self.interval);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Check(u64),
    Charge(u64),
    Refund(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_u64..40).prop_map(Step::Check),
        1 => (0_u64..200).prop_map(Step::Charge),
        1 => (0_u64..40).prop_map(Step::Refund),
    ]
}

/// Times in which bursts, gaps and idle minutes all occur.
fn gap_ns() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(0), 5 => 0..2 * S, 1 => 0..90 * S]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2_048)))]

    #[test]
    fn agrees_with_a_textbook_bucket(
        limit in 1_u64..5_000,
        burst in 1_u64..100,
        start in prop_oneof![Just(0), 0..u64::MAX / 4],
        history in prop::collection::vec((gap_ns(), step()), 1..60),
    ) {
        let gcra = Gcra::new(limit, burst);
        let interval = u128::from(WINDOW_NS.div_ceil(limit));
        let mut bucket = Bucket { interval, burst: u128::from(burst), used: 0, at: u128::from(start) };
        let mut now = start;
        for (gap, step) in history {
            now += gap;
            bucket.advance(now);
            match step {
                Step::Check(cost) => match (gcra.check(cost, now), bucket.check(cost)) {
                    (Ok(admitted), Ok(remaining)) => prop_assert_eq!(u128::from(admitted.remaining), remaining),
                    (Err(denied), Err(remaining)) => {
                        prop_assert_eq!(u128::from(denied.remaining), remaining);
                        if cost <= burst {
                            // The wait is exact: enough, and a nanosecond less is not.
                            let wait = u128::from(denied.retry_after_ns);
                            let over = bucket.used + u128::from(cost) * interval - bucket.burst * interval;
                            prop_assert_eq!(wait, over);
                        }
                    }
                    (code, model) => prop_assert!(false, "{code:?} but the model says {model:?}"),
                },
                Step::Charge(cost) => {
                    gcra.charge(cost, now);
                    bucket.charge(cost);
                }
                Step::Refund(cost) => {
                    gcra.refund(cost, now);
                    bucket.refund(cost);
                }
            }
            prop_assert_eq!(u128::from(gcra.peek(now).reset_ns), bucket.used);
        }
    }

    /// The promise itself, without any model: in no stretch of time is more admitted than the burst and what refills.
    #[test]
    fn no_window_holds_more_than_the_limit(
        limit in 1_u64..5_000,
        burst in 1_u64..100,
        history in prop::collection::vec((gap_ns(), 1_u64..20), 1..80),
    ) {
        let gcra = Gcra::new(limit, burst);
        let (mut now, mut admitted) = (0, Vec::new());
        for (gap, cost) in history {
            now += gap;
            if gcra.check(cost, now).is_ok() {
                admitted.push((now, cost));
            }
        }
        for (i, (from, _)) in admitted.iter().enumerate() {
            let mut sum = 0_u128;
            for (to, cost) in &admitted[i..] {
                sum += u128::from(*cost);
                let refilled = u128::from(to - from) * u128::from(limit) / u128::from(WINDOW_NS);
                prop_assert!(sum <= u128::from(burst) + refilled, "{sum} from {from} to {to}");
            }
        }
    }

    /// Whoever comes back when told, and finds nobody else there, is admitted; a nanosecond earlier is not.
    #[test]
    fn waiting_as_told_is_enough_and_no_more_than_needed(
        limit in 1_u64..100_000_000,
        used in 1_u64..100,
        cost in 1_u64..100,
        now in 0..u64::MAX / 4,
    ) {
        let gcra = Gcra::new(limit, 100);
        gcra.charge(used, now);
        if let Err(denied) = gcra.check(cost, now) {
            prop_assert!(gcra.check(cost, now + denied.retry_after_ns - 1).is_err());
            prop_assert!(gcra.check(cost, now + denied.retry_after_ns).is_ok());
        }
    }

    /// Threads read the clock before they get to the limit: times may go back a little. It must never admit more.
    #[test]
    fn times_out_of_order_admit_no_more(
        limit in 1_u64..5_000,
        burst in 1_u64..50,
        times in prop::collection::vec(0..120 * S, 1..200),
    ) {
        let gcra = Gcra::new(limit, burst);
        let admitted = times.iter().filter(|now| gcra.check(1, **now).is_ok()).count();
        let latest = times.iter().max().copied().unwrap_or_default();
        let refilled = u128::from(latest) * u128::from(limit) / u128::from(WINDOW_NS);
        prop_assert!(u128::try_from(admitted).unwrap() <= u128::from(burst) + refilled);
    }
}
