#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
//! Promises of the retry budget (survival.md section 3 and I3).

use super::{RETRIES_PER_SECOND_MIN, RETRY_PERCENT, RetryBudget, TTL_SECONDS};
use crate::{Rng, SECOND};

fn drain(budget: &RetryBudget, now: u64) -> u64 {
    (0..1_000_000).take_while(|_| budget.try_retry(now)).count() as u64
}

#[test]
fn it_grants_a_fifth_of_the_requests_and_one_per_second() {
    let budget = RetryBudget::default();
    assert_eq!(drain(&budget, 0), 10, "the reserve");
    let now = 60 * SECOND;
    for _ in 0..104 {
        budget.on_request(now);
    }
    assert_eq!(budget.left(now), 30);
    assert_eq!(drain(&budget, now), 30, "10 + ⌊104 / 5⌋");
    budget.on_request(now);
    assert_eq!(drain(&budget, now), 1, "the fifth after 104 is whole");
    assert_eq!(drain(&budget, now + 9 * SECOND), 0, "what was spent is spent for ten seconds");
    assert_eq!(drain(&budget, now + 10 * SECOND), 10, "and what was deposited counts no longer");
}

#[test]
fn what_is_given_back_can_be_taken_again_and_nothing_means_nothing() {
    let budget = RetryBudget::default();
    assert_eq!(drain(&budget, 0), 10);
    budget.give_back(0);
    assert_eq!(drain(&budget, 0), 1);
    let none = RetryBudget::new(0, 0);
    none.on_request(0);
    assert!(!none.try_retry(0));
}

/// I3: attempts ≤ requests · (1 + ratio) + min · t, with the ten seconds before the start as reserve.
#[test]
fn attempts_stay_within_the_budget_in_every_history() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let (percent, per_second) = match rng.below(3) {
            0 => (RETRY_PERCENT, RETRIES_PER_SECOND_MIN),
            1 => (u32::try_from(rng.below(150)).unwrap(), 0),
            _ => (0, u32::try_from(rng.below(5)).unwrap()),
        };
        let budget = RetryBudget::new(percent, per_second);
        let start = rng.below(100 * SECOND);
        let (mut now, mut requests, mut retries, mut refused) = (start, 0_u64, 0_u64, 0_u64);
        for _ in 0..200 {
            now += match rng.below(20) {
                0 => rng.below(15 * SECOND),
                1..5 => rng.below(SECOND),
                _ => 0,
            };
            for _ in 0..rng.below(5) {
                budget.on_request(now);
                requests += 1;
            }
            for _ in 0..rng.below(8) {
                if budget.try_retry(now) {
                    retries += 1;
                } else {
                    refused += 1;
                }
            }
            let seconds = now / SECOND - start / SECOND + TTL_SECONDS;
            let most = requests * u64::from(percent) + 100 * u64::from(per_second) * seconds;
            assert!(
                retries * 100 <= most,
                "seed {seed}: {retries} retries of {requests} requests in {seconds} s"
            );
        }
        assert!(refused > 0 || percent >= 100, "seed {seed}: never exhausted, so nothing was tested");
    }
}

#[test]
fn threads_together_do_not_get_more_than_one_alone() {
    for _ in 0..20 {
        let budget = RetryBudget::default();
        for _ in 0..500 {
            budget.on_request(0);
        }
        let granted: u64 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    let budget = &budget;
                    scope.spawn(move || {
                        (0..200).filter(|i| budget.try_retry((thread + i) % 2 * SECOND)).count() as u64
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert!(granted <= 110, "{granted}");
        // What two refused each other is still there.
        assert_eq!(granted + drain(&budget, SECOND), 110);
    }
}
