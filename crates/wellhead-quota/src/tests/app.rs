#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::S;
use crate::{AppLimits, Concurrency, Which};

fn limits(rpm: Option<u64>, tpm: Option<u64>, concurrency: Option<u64>) -> Arc<AppLimits> {
    Arc::new(AppLimits::new(rpm, tpm, concurrency))
}

#[test]
fn without_limits_everything_is_admitted_and_counted() {
    let limits = limits(None, None, None);
    let admissions: Vec<_> = (0..1_000).map(|_| limits.admit(u64::MAX, 0).unwrap()).collect();
    assert_eq!(limits.in_flight(), 1_000);
    assert_eq!(*admissions[0].headers(), crate::LimitHeaders::default());
    drop(admissions);
    assert_eq!(limits.in_flight(), 0);
}

#[test]
fn each_limit_is_named_when_it_is_hit() {
    let by_requests = limits(Some(1), None, None);
    by_requests.admit(5, 0).unwrap().settle(5, 0);
    let hit = by_requests.admit(5, 0).unwrap_err();
    assert_eq!((hit.which, hit.limit, hit.needed, hit.remaining), (Which::Requests, 1, 1, 0));
    assert_eq!(hit.retry_after, Duration::from_secs(60));

    let by_tokens = limits(None, Some(600), None);
    by_tokens.admit(500, 0).unwrap().settle(500, 0);
    let hit = by_tokens.admit(200, 0).unwrap_err();
    assert_eq!((hit.which, hit.limit, hit.needed, hit.remaining), (Which::Tokens, 600, 200, 100));
    assert_eq!(hit.retry_after, Duration::from_secs(10));

    let by_concurrency = limits(None, None, Some(1));
    let held = by_concurrency.admit(1, 0).unwrap();
    let hit = by_concurrency.admit(1, 0).unwrap_err();
    assert_eq!((hit.which, hit.limit, hit.remaining), (Which::Concurrency, 1, 0));
    assert!(!hit.retry_after.is_zero());
    held.settle(1, 0);
    assert!(by_concurrency.admit(1, 0).is_ok());
}

#[test]
fn a_limit_of_zero_says_come_back_much_later() {
    for limits in [limits(Some(0), None, None), limits(None, Some(0), None)] {
        assert_eq!(limits.admit(1, 0).unwrap_err().retry_after, Duration::from_secs(3_600));
        assert_eq!(limits.in_flight(), 0);
    }
    assert_eq!(limits(None, None, Some(0)).admit(1, 0).unwrap_err().which, Which::Concurrency);
}

#[test]
fn a_refused_request_takes_nothing() {
    let limits = limits(Some(10), Some(1_000), Some(10));
    limits.admit(900, 0).unwrap().settle(900, 0);
    let before = limits.headers(0);
    for _ in 0..100 {
        assert_eq!(limits.admit(500, 0).unwrap_err().which, Which::Tokens);
    }
    assert_eq!(limits.headers(0), before);
    assert_eq!(limits.in_flight(), 0);
}

#[test]
fn an_admission_that_is_dropped_frees_its_place_and_keeps_its_estimate() {
    let limits = limits(Some(10), Some(1_000), Some(1));
    drop(limits.admit(400, 0).unwrap());
    assert_eq!(limits.in_flight(), 0);
    assert_eq!(limits.headers(0).tokens.unwrap().remaining, 600);
    assert_eq!(limits.headers(0).requests.unwrap().remaining, 9);
}

#[test]
fn a_panic_leaks_no_place() {
    let concurrency = Concurrency::new(1);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _permit = concurrency.try_acquire().unwrap();
        std::panic::resume_unwind(Box::new("planned"));
    }));
    assert!(result.is_err());
    assert!(concurrency.try_acquire().is_some());
}

#[test]
fn a_lower_limit_on_places_takes_none_away() {
    let concurrency = Concurrency::new(3);
    let permits: Vec<_> = (0..3).map(|_| concurrency.try_acquire().unwrap()).collect();
    concurrency.set_max(1);
    assert!(concurrency.try_acquire().is_none());
    drop(permits);
    let last = concurrency.try_acquire();
    assert!(last.is_some() && concurrency.try_acquire().is_none());
}

#[test]
fn a_reload_keeps_what_was_used() {
    let limits = limits(Some(60), Some(6_000), Some(2));
    let running = limits.admit(3_000, 0).unwrap();
    limits.set(Some(120), Some(12_000), Some(1), 0);
    let now = limits.headers(0);
    assert_eq!((now.requests.unwrap().remaining, now.tokens.unwrap().remaining), (119, 9_000));
    assert_eq!(limits.admit(1, 0).unwrap_err().which, Which::Concurrency);
    running.settle(3_000, 0);

    // Off and on again, within the same minute.
    limits.set(None, None, None, S);
    assert_eq!(limits.headers(S), crate::LimitHeaders::default());
    limits.set(Some(120), Some(12_000), None, S);
    assert_eq!(limits.headers(S).tokens.unwrap().remaining, 9_200);
}

#[test]
fn a_request_admitted_before_a_limit_was_switched_on_settles_without_effect() {
    let limits = limits(None, None, None);
    let early = limits.admit(100, 0).unwrap();
    limits.set(None, Some(1_000), None, 0);
    early.settle(1_000_000, 0);
    assert_eq!(limits.headers(0).tokens.unwrap().remaining, 1_000);
}
