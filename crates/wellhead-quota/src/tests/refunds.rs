//! Refunds against the truth: the same history played again from its beginning, with what each settled request really
//! used in the place of its estimate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{MS, S};
use crate::history::{SLICE_NS, SLICES_MAX};
use crate::{Reservation, Tokens, WINDOW_NS};
use proptest::prelude::*;

#[test]
fn a_refund_after_another_gives_back_nothing_that_was_given_back_already() {
    let tokens = Tokens::new(6_000);
    let first = tokens.reserve(3_000, 0).unwrap();
    let second = tokens.reserve(3_000, 0).unwrap();
    tokens.settle(first, 0, 10 * S);
    assert_eq!(tokens.peek(10 * S).remaining, 4_000, "the second and what refilled of it");
    let third = tokens.reserve(5_000, 20 * S).unwrap();
    tokens.settle(second, 0, 25 * S);
    assert_eq!(tokens.peek(25 * S).remaining, 1_500, "the third and what refilled of it");
    tokens.settle(third, 0, 25 * S);
    assert_eq!(tokens.peek(25 * S).remaining, 6_000);
}

#[test]
fn when_the_later_one_is_cancelled_first_the_earlier_one_still_comes_back_whole() {
    for apart in [0, 1, 5 * S] {
        let tokens = Tokens::new(6_000);
        let early = tokens.reserve(3_000, 0).unwrap();
        let late = tokens.reserve(3_000, apart).unwrap();
        tokens.settle(late, 0, 10 * S);
        assert_eq!(tokens.peek(10 * S).remaining, 4_000);
        tokens.settle(early, 0, 10 * S);
        assert_eq!(tokens.peek(10 * S).remaining, 6_000);
    }
}

/// While a bucket is never full, nothing is lost by refilling: what was not used comes back however late.
#[test]
fn a_long_answer_gets_back_in_a_busy_bucket_what_it_did_not_use() {
    let tokens = Tokens::new(6_000);
    let long = tokens.reserve(3_000, 0).unwrap();
    drop(tokens.reserve(1_000, 0).unwrap());
    let minutes = 9;
    for second in 1..=minutes * 60 {
        drop(tokens.reserve(100, second * S).unwrap());
    }
    let now = minutes * 60 * S;
    assert_eq!(tokens.peek(now).remaining, 2_000);
    tokens.settle(long, 0, now);
    let left = tokens.peek(now).remaining;
    assert!((5_000 - 200..=5_000).contains(&left), "{left}: all but what refills in one slice");
}

#[test]
fn what_was_forgiven_does_not_stand_in_the_way_of_a_refund() {
    let tokens = Tokens::new(6_000);
    let [unused, enormous] = [3_000, 3_000].map(|estimate| tokens.reserve(estimate, 0).unwrap());
    tokens.settle(enormous, 1_000_000, 0);
    assert_eq!(tokens.peek(0).reset_ns, 2 * WINDOW_NS);
    tokens.settle(unused, 0, 0);
    assert_eq!(tokens.peek(0).reset_ns, 90 * S);
}

#[test]
fn what_is_older_than_the_history_does_not_come_back() {
    let tokens = Tokens::new(6_000);
    let forgotten = tokens.reserve(3_000, 0).unwrap();
    let slices = u64::try_from(SLICES_MAX).unwrap() + 1;
    for slice in 1..=slices {
        drop(tokens.reserve(200, slice * SLICE_NS).unwrap());
    }
    let now = slices * SLICE_NS;
    assert_eq!(tokens.peek(now).remaining, 3_000);
    let known = tokens.reserve(1_000, now).unwrap();
    tokens.settle(forgotten, 0, now);
    assert_eq!(tokens.peek(now).remaining, 2_000);
    tokens.settle(known, 0, now);
    assert_eq!(tokens.peek(now).remaining, 3_000);
}

#[test]
fn a_limit_that_was_zero_meanwhile_gives_nothing_back() {
    for (other, left) in [(6_000, 3_000), (60, 30), (600_000, 300_000)] {
        let tokens = Tokens::new(6_000);
        let [during, after] = [2_000, 1_000].map(|estimate| tokens.reserve(estimate, 0).unwrap());
        tokens.set_limit(0, 0);
        tokens.settle(during, 0, 0);
        tokens.set_limit(other, 0);
        tokens.settle(after, 0, 0);
        assert_eq!(tokens.peek(0).remaining, left, "30 s are owed");
    }
}

/// What was charged when.
#[derive(Default)]
struct Replay {
    charges: Vec<(u64, u64)>,
}

impl Replay {
    /// How long until the bucket is full, in nanoseconds, all having been charged in the order of time.
    fn used_ns(&self, now: u64) -> u64 {
        let mut charges = self.charges.clone();
        charges.sort_by_key(|(at, _)| *at);
        charges.iter().fold(0, |full: u64, (at, ns)| full.max(*at) + ns).saturating_sub(now)
    }
}

/// A request: how long after the one before, its estimate, what it uses, and how long it takes.
type Request = (u64, u64, u64, u64);

/// Estimates and usage are parts per thousand of the limit.
fn request(
    gap_ns: impl Strategy<Value = u64>,
    actual: impl Strategy<Value = u64>,
) -> impl Strategy<Value = Request> {
    let estimate = prop_oneof![6 => 0_u64..400, 1 => 400_u64..1_300];
    let lasts = prop_oneof![1 => Just(0), 4 => 0..5 * S, 4 => 0..60 * S, 1 => 0..300 * S];
    (gap_ns, estimate, actual, lasts)
}

fn any_actual() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(0), 4 => 0_u64..100, 2 => 0_u64..1_300]
}

/// Reserves and settles in the order of time. After each step, `check` gets what counts as used, what would in truth,
/// and whether that was a refund.
fn run(
    limit: u64,
    requests: &[Request],
    late_ns: impl Fn(usize) -> u64,
    mut check: impl FnMut(u64, u64) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let (tokens, mut truth) = (Tokens::new(limit), Replay::default());
    let interval = WINDOW_NS.div_ceil(limit);
    let mut open: Vec<(u64, Reservation, u64, usize)> = Vec::new();
    let (mut now, mut step) = (0, 0);
    let starts = requests.iter().scan(0, |at, (gap, ..)| {
        *at += gap;
        Some(*at)
    });
    let mut todo: Vec<_> = starts.zip(requests).collect();
    todo.reverse();
    loop {
        let ends = (0..open.len())
            .min_by_key(|index| open[*index].0)
            .filter(|index| todo.last().is_none_or(|(start, _)| open[*index].0 <= *start));
        step += 1;
        let late = late_ns(step);
        if let Some(index) = ends {
            let (end, reservation, actual, charge) = open.swap_remove(index);
            let at = end.max(late) - late;
            now = now.max(end);
            let charged = reservation.charged();
            let before = tokens.peek(at).reset_ns;
            tokens.settle(reservation, actual, at);
            if actual > charged {
                // Some may be forgiven.
                truth.charges.push((at, tokens.peek(at).reset_ns - before));
            }
            truth.charges[charge].1 = charged.min(actual) * interval;
        } else if let Some((start, (_, estimate, actual, lasts))) = todo.pop() {
            let at = start.max(late) - late;
            now = now.max(start);
            if let Ok(reservation) = tokens.reserve(estimate * limit / 1_000, at) {
                open.push((start + lasts, reservation, actual * limit / 1_000, truth.charges.len()));
                truth.charges.push((at, open.last().unwrap().1.charged() * interval));
            }
        } else {
            return Ok(());
        }
        check(tokens.peek(now).reset_ns, truth.used_ns(now))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2_048)))]

    /// The promise of `settle`: never more given back than was not used, and never less by more than one slice.
    #[test]
    fn what_counts_is_the_truth_and_at_most_one_slice_more(
        limit in 50_u64..1_000_000,
        requests in prop::collection::vec(
            request(prop_oneof![3 => Just(0), 5 => 0..2 * S, 3 => 0..20 * S, 1 => 0..120 * S], any_actual()),
            1..80,
        ),
    ) {
        run(limit, &requests, |_| 0, |counted, truth| {
            prop_assert!(counted >= truth, "{} ns given back too much", truth - counted);
            prop_assert!(counted <= truth + SLICE_NS, "{} ns withheld", counted - truth);
            Ok(())
        })?;
    }

    /// Where each slice holds one request, there is no shortfall at all.
    #[test]
    fn what_counts_is_the_truth_where_requests_are_further_apart_than_slices(
        limit in 50_u64..1_000_000,
        requests in prop::collection::vec(request(SLICE_NS..30 * S, Just(0)), 1..60),
    ) {
        run(limit, &requests, |_| 0, |counted, truth| {
            prop_assert_eq!(counted, truth);
            Ok(())
        })?;
    }

    /// Threads read the clock before they get to the limit: times may go back a little. The truth is then what
    /// happened in the order of the times that were read.
    #[test]
    fn times_out_of_order_give_back_no_more(
        limit in 50_u64..1_000_000,
        requests in prop::collection::vec(
            request(prop_oneof![3 => Just(0), 5 => 0..2 * S, 3 => 0..20 * S], any_actual()),
            1..60,
        ),
        late in prop::collection::vec(prop_oneof![2 => Just(0), 2 => 0..5 * MS, 1 => 0..3 * S], 1..60),
    ) {
        run(limit, &requests, |step| late[step % late.len()], |counted, truth| {
            prop_assert!(counted >= truth, "{} ns given back too much", truth - counted);
            Ok(())
        })?;
    }

    /// A limit that changes meanwhile makes nothing come back twice either. In truth, what counts at the change is
    /// converted (see `Gcra::set_limit`), and requests that were settled later count with their usage from the start.
    #[test]
    fn a_changed_limit_gives_back_no_more(
        limit in 50_u64..100_000,
        steps in prop::collection::vec((0..10 * S, 0_u64..300, 0_u64..100, 0_u8..10, 0_usize..20), 1..60),
    ) {
        let tokens = Tokens::new(limit);
        let interval = |limit: u64| WINDOW_NS.div_ceil(limit);
        let (mut now, mut current) = (0, limit);
        // Time, tokens, and the limit from then on.
        let mut truth: Vec<(u64, u64, u64)> = Vec::new();
        let mut open: Vec<(Reservation, usize)> = Vec::new();
        for (gap, estimate, actual, kind, which) in steps {
            now += gap;
            match kind {
                0 => {
                    let debt_ns_max = 2 * WINDOW_NS;
                    let next = limit * (estimate + 100) / 200;
                    if u128::from(tokens.peek(now).reset_ns) * u128::from(current) / u128::from(next)
                        >= u128::from(debt_ns_max) - u128::from(S)
                    {
                        // Some would be forgiven.
                        continue;
                    }
                    current = next;
                    tokens.set_limit(current, now);
                    truth.push((now, 0, current));
                }
                1..5 if !open.is_empty() => {
                    let (reservation, index) = open.swap_remove(which % open.len());
                    let actual = reservation.charged() * actual / 100;
                    tokens.settle(reservation, actual, now);
                    truth[index].1 = actual;
                }
                _ => {
                    if let Ok(reservation) = tokens.reserve(limit * estimate / 1_000, now) {
                        truth.push((now, reservation.charged(), current));
                        open.push((reservation, truth.len() - 1));
                    }
                }
            }
            let (mut full, mut scale) = (0_u64, limit);
            for (at, cost, then) in &truth {
                if scale != *then {
                    let used = u128::from(full.saturating_sub(*at)) * u128::from(interval(*then));
                    full = full.min(*at) + u64::try_from(used / u128::from(interval(scale))).unwrap();
                    scale = *then;
                }
                if *cost > 0 {
                    full = full.max(*at) + cost * interval(*then);
                }
            }
            let (counted, truth) = (tokens.peek(now).reset_ns, full.saturating_sub(now));
            prop_assert!(counted >= truth, "{} ns given back too much", truth - counted);
        }
    }
}
