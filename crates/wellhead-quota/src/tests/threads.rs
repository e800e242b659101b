#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;

use super::S;
use crate::{AppLimits, Concurrency, Gcra, Tokens};

const THREADS: usize = 8;

/// Runs the function on all threads at once, as often as wanted, and adds up what it returns.
fn all_at_once(run: impl Fn(usize) -> u64 + Sync) -> u64 {
    let barrier = Barrier::new(THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|index| {
                let (barrier, run) = (&barrier, &run);
                scope.spawn(move || {
                    barrier.wait();
                    run(index)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn count(tries: u64, admit: impl Fn() -> bool) -> u64 {
    (0..tries).map(|_| u64::from(admit())).sum()
}

#[test]
fn parallel_callers_get_exactly_the_limit_together() {
    for round in 0..50 {
        let now = round * S;
        let gcra = Gcra::new(1_000, 1_000);
        assert_eq!(all_at_once(|_| count(500, || gcra.check(1, now).is_ok())), 1_000);
        let tokens = Tokens::new(10_000);
        assert_eq!(all_at_once(|_| count(500, || tokens.reserve(7, now).is_ok())), 10_000 / 7);
    }
}

#[test]
fn what_parallel_callers_give_back_is_there_again() {
    let tokens = Tokens::new(10_000);
    let admitted = all_at_once(|index| {
        count(2_000, || match tokens.reserve(10, S) {
            Ok(reservation) => {
                tokens.settle(reservation, u64::try_from(index % 2).unwrap(), S);
                true
            }
            Err(_) => false,
        })
    });
    // Half of the threads use one token per request, the others none.
    let left = tokens.peek(S).remaining;
    assert_eq!(left, 10_000 - 2_000 * 4, "{admitted} admitted");
}

#[test]
fn never_more_in_flight_than_allowed_and_none_leaks() {
    let concurrency = Concurrency::new(5);
    let highest = AtomicU64::new(0);
    all_at_once(|_| {
        count(20_000, || {
            let permit = concurrency.try_acquire();
            if permit.is_some() {
                highest.fetch_max(concurrency.in_flight(), SeqCst);
            }
            permit.is_some()
        })
    });
    assert!(highest.load(SeqCst) <= 5);
    assert_eq!(concurrency.in_flight(), 0);
}

#[test]
fn an_app_admits_no_more_than_each_of_its_limits() {
    // By tokens 100 requests, by requests 300, in flight 8: every thread has at most one, so tokens decide.
    let limits = Arc::new(AppLimits::new(Some(300), Some(10_000), Some(8)));
    let admitted = all_at_once(|_| {
        count(1_000, || match limits.admit(100, 0) {
            Ok(admission) => {
                admission.settle(100, 0);
                true
            }
            Err(_) => false,
        })
    });
    assert_eq!(admitted, 100);
    assert_eq!(limits.headers(0).requests.unwrap().remaining, 200, "refused requests took no request unit");
    assert_eq!(limits.in_flight(), 0);
}

/// Every change may misjudge what each thread is deciding at that very moment, and nothing else.
#[test]
fn limits_that_change_under_load_do_not_open_the_gate() {
    const CHANGES: u64 = 20;
    for _ in 0..20 {
        let gcra = Gcra::new(1_000, 1_000);
        let admitted = all_at_once(|index| {
            (0..CHANGES)
                .map(|change| {
                    if index == 0 {
                        let limit = if change % 2 == 0 { 500 } else { 1_000 };
                        gcra.set_limit(limit, limit, 0);
                    }
                    count(50, || gcra.check(1, 0).is_ok())
                })
                .sum()
        });
        let slack = CHANGES * u64::try_from(THREADS).unwrap();
        assert!((500..=1_000 + slack).contains(&admitted), "{admitted}");
    }
}
