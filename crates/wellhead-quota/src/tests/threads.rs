#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use super::{MS, S};
use crate::history::SLICE_NS;
use crate::{AppLimits, Concurrency, Gcra, Tokens, WINDOW_NS};

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
    // Half of the threads use one token per request, the others none. What the other threads were just taking while
    // one gave back may count until it is refilled.
    let left = tokens.peek(S).remaining;
    let exact = 10_000 - 2_000 * 4;
    let taking = 10 * (u64::try_from(THREADS).unwrap() - 1);
    assert!((exact - taking..=exact).contains(&left), "{left} left, {admitted} admitted");
}

/// All threads reserve, hold for some rounds and settle in different orders, while the clock stands still within each
/// round. Afterwards everybody's true usage, played again in the order of time, says what must count.
#[test]
fn parallel_refunds_give_back_neither_too_much_nor_too_little() {
    const LIMIT: u64 = 60_000;
    const ESTIMATE_MAX: u64 = 1_000;
    for seed in 0..10_u64 {
        let tokens = Tokens::new(LIMIT);
        let (barrier, log) = (Barrier::new(THREADS), Mutex::new(Vec::new()));
        all_at_once(|index| {
            // Numbers that look random, the same in each run (a linear congruence; its high bits).
            let mut state = seed << 8 | u64::try_from(index).unwrap();
            let mut random = move |below: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % below
            };
            let (mut held, mut used) = (Vec::new(), Vec::new());
            for round in 0..60 {
                let now = round * 700 * MS;
                barrier.wait();
                for _ in 0..20 {
                    if let Ok(reservation) = tokens.reserve(random(ESTIMATE_MAX), now) {
                        held.push((now, reservation));
                    }
                    if !held.is_empty() && random(4) > 0 {
                        let (at, reservation) =
                            held.swap_remove(usize::try_from(random(99)).unwrap() % held.len());
                        let actual = random(reservation.charged() + 1) / 3;
                        used.push((at, actual));
                        tokens.settle(reservation, actual, now);
                    }
                }
            }
            used.extend(held.into_iter().map(|(at, reservation)| (at, reservation.charged())));
            log.lock().unwrap().extend(used);
            0
        });
        let now = 59 * 700 * MS;
        let mut log = log.into_inner().unwrap();
        log.sort_unstable();
        let interval = WINDOW_NS / LIMIT;
        let full = log.iter().fold(0, |full: u64, (at, actual)| full.max(*at) + actual * interval);
        let (least, counted) = (full.saturating_sub(now), tokens.peek(now).reset_ns);
        let most = least + SLICE_NS + interval * ESTIMATE_MAX * u64::try_from(THREADS).unwrap();
        assert!((least..=most).contains(&counted), "seed {seed}: {counted} of {least} to {most}");
        assert!(least > 0, "seed {seed}: the bucket was full, nothing was tested");
    }
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
