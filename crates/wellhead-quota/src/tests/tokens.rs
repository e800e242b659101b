#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::S;
use crate::{NEVER, Tokens};
use proptest::prelude::*;

#[test]
fn an_estimate_is_trued_up_and_down() {
    let tokens = Tokens::new(6_000);
    let low = tokens.reserve(1_000, 0).unwrap();
    assert_eq!((low.charged(), low.after().remaining), (1_000, 5_000));
    tokens.settle(low, 1_500, 0);
    assert_eq!(tokens.peek(0).remaining, 4_500);
    let high = tokens.reserve(4_000, 0).unwrap();
    tokens.settle(high, 100, 0);
    assert_eq!(tokens.peek(0).remaining, 4_400);
    let cancelled = tokens.reserve(4_400, 0).unwrap();
    tokens.settle(cancelled, 0, 0);
    assert_eq!(tokens.peek(0).remaining, 4_400);
}

#[test]
fn a_true_up_may_become_debt() {
    let tokens = Tokens::new(6_000);
    let reservation = tokens.reserve(6_000, 0).unwrap();
    tokens.settle(reservation, 7_000, 0);
    assert_eq!(tokens.reserve(100, 0).unwrap_err().retry_after_ns, 11 * S);
}

#[test]
fn time_does_not_refill_the_same_tokens_twice() {
    let tokens = Tokens::new(6_000);
    // 3,000 tokens are 30 s. After 30 s the bucket is full again; the unused tokens are not given back on top.
    let idle = tokens.reserve(3_000, 0).unwrap();
    let real = tokens.reserve(6_000, 30 * S).unwrap();
    tokens.settle(idle, 0, 30 * S);
    assert_eq!(tokens.peek(30 * S).remaining, 0);
    // Of these, half has been refilled after 30 s; the other half comes back.
    tokens.settle(real, 0, 60 * S);
    assert_eq!(tokens.peek(60 * S).remaining, 6_000);
    assert!(tokens.reserve(6_000, 60 * S).is_ok());
    assert!(tokens.reserve(1, 60 * S).is_err());
}

#[test]
fn in_a_busy_bucket_what_was_not_used_comes_back_whole() {
    let tokens = Tokens::new(6_000);
    let first = tokens.reserve(3_000, 0).unwrap();
    let second = tokens.reserve(3_000, 0).unwrap();
    // The second is refilled from second 30 on: nothing of it has been paid back by then.
    tokens.settle(second, 0, 30 * S);
    assert_eq!(tokens.peek(30 * S).remaining, 6_000);
    tokens.settle(first, 3_000, 30 * S);
}

#[test]
fn a_request_larger_than_the_limit_needs_a_full_bucket_and_pays() {
    let tokens = Tokens::new(6_000);
    drop(tokens.reserve(1, 0).unwrap());
    let denied = tokens.reserve(9_000, 0).unwrap_err();
    assert_eq!(denied.retry_after_ns, S / 100, "as soon as the bucket is full, not never");
    let big = tokens.reserve(9_000, S).unwrap();
    assert_eq!(big.charged(), 9_000);
    assert_eq!(tokens.reserve(1, S).unwrap_err().reset_ns, 90 * S, "not free: 9,000 tokens are 90 s");
    tokens.settle(big, 200, S);
    assert_eq!(tokens.peek(S).remaining, 5_800);
}

#[test]
fn nobody_gets_in_sooner_by_asking_for_more() {
    for used in [0, 1, 3_000, 5_999, 6_000] {
        let tokens = Tokens::new(6_000);
        if used > 0 {
            drop(tokens.reserve(used, 0).unwrap());
        }
        let waits: Vec<u64> = [1, 100, 5_999, 6_000, 6_001, 100_000, u64::MAX]
            .into_iter()
            .map(|estimate| {
                tokens.reserve(estimate, 0).map_or_else(
                    |d| d.retry_after_ns,
                    |r| {
                        tokens.settle(r, 0, 0);
                        0
                    },
                )
            })
            .collect();
        assert!(waits.is_sorted(), "{used} used: {waits:?}");
        assert!(!waits.contains(&NEVER), "{used} used: {waits:?}");
    }
}

#[test]
fn a_gigantic_request_costs_at_most_two_minutes() {
    let tokens = Tokens::new(6_000);
    let reservation = tokens.reserve(u64::MAX, 0).unwrap();
    assert_eq!(reservation.charged(), 12_000);
    assert_eq!(tokens.peek(0).reset_ns, 120 * S);
    tokens.settle(reservation, u64::MAX, 0);
    assert_eq!(tokens.peek(0).reset_ns, 120 * S);
}

#[test]
fn a_limit_of_zero_reserves_nothing() {
    let tokens = Tokens::new(0);
    for estimate in [0, 1, u64::MAX] {
        assert_eq!(tokens.reserve(estimate, S).unwrap_err().retry_after_ns, NEVER);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2_048)))]

    /// Random requests with random true usage, each settled when it ends: what is left is never more than a bucket
    /// would hold that had known the usage in advance and nothing else had happened. What is settled above two full
    /// buckets is forgiven.
    #[test]
    fn when_all_is_settled_no_more_is_left_than_was_not_used(
        limit in 100_u64..10_000,
        requests in prop::collection::vec((0..5 * S, 0_u64..3_000, 0_u64..3_000, 0..20 * S), 1..40),
    ) {
        let tokens = Tokens::new(limit);
        let (mut now, mut open, mut used) = (0, Vec::new(), 0_u64);
        for (gap, estimate, actual, lasts) in requests {
            now += gap;
            if let Ok(reservation) = tokens.reserve(estimate, now) {
                // What exceeds two full buckets is forgiven, as documented.
                let actual = actual.min(limit);
                used += actual;
                open.push((now + lasts, reservation, estimate, actual));
            }
        }
        open.sort_by_key(|(end, ..)| *end);
        let (mut last, mut forgiven) = (now, 0);
        for (end, reservation, estimate, actual) in open {
            last = last.max(end);
            let at = end.max(now);
            let before = tokens.peek(at).reset_ns;
            tokens.settle(reservation, actual, at);
            let gained = u128::from(tokens.peek(at).reset_ns.saturating_sub(before)) * u128::from(limit) / 60_000_000_000;
            forgiven += u128::from(actual.saturating_sub(estimate)).saturating_sub(gained);
        }
        let left = tokens.peek(last);
        prop_assert!(left.remaining <= limit);
        // Everything that was used and could not have been refilled since the beginning must still count.
        let refilled = u128::from(last) * u128::from(limit) / 60_000_000_000 + 1;
        let must_count = u128::from(used.min(limit)).saturating_sub(refilled + forgiven);
        prop_assert!(u128::from(limit - left.remaining) >= must_count, "{left:?}, used {used}");
    }

    /// Reserving and settling at once is the same as having known.
    #[test]
    fn settling_at_once_is_exact(
        limit in 1_u64..1_000_000,
        before in 0_u64..1_000,
        estimate in 0_u64..1_000,
        actual in 0_u64..1_000,
        now in 0..u64::MAX / 4,
    ) {
        let (guessed, known) = (Tokens::new(limit), Tokens::new(limit));
        for tokens in [&guessed, &known] {
            let _ = tokens.reserve(before.min(limit), now);
        }
        if let (Ok(guess), Ok(truth)) = (guessed.reserve(estimate.min(limit), now), known.reserve(0, now)) {
            guessed.settle(guess, actual, now);
            known.settle(truth, actual, now);
            prop_assert_eq!(guessed.peek(now), known.peek(now));
        }
    }
}
