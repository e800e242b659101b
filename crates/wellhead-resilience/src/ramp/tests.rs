#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
//! Promises of the ramp, and a server that stays down without it.

use super::{Admit, OUTAGE_MIN, Permit, RAMP_MAX, Ramp, is_down};
use crate::{MILLI, Nanos, Rng, SECOND};
use std::collections::{BTreeMap, VecDeque};

/// A ramp that has seen 100 requests a second for half a minute, and then an outage of `outage`.
fn after(outage: Nanos) -> (Ramp, Nanos) {
    let mut ramp = Ramp::default();
    (0..3_000).for_each(|i| assert!(matches!(ramp.admit(i * 10 * MILLI), Admit::Go(_))));
    ramp.on_down(30 * SECOND);
    ramp.on_down(33 * SECOND);
    assert!(matches!(ramp.admit(31 * SECOND), Admit::Go(_)));
    ramp.on_up(30 * SECOND + outage);
    (ramp, 30 * SECOND + outage)
}

/// Offers a request every millisecond for `length`, with outcomes at once; returns how many were let in.
fn offer(ramp: &mut Ramp, from: Nanos, length: Nanos, success: impl Fn(u64) -> bool) -> u64 {
    let mut admitted = 0;
    for now in (from..from + length).step_by(usize::try_from(MILLI).unwrap()) {
        match ramp.admit(now) {
            Admit::Go(permit) => {
                admitted += 1;
                ramp.on_outcome(permit, success(admitted), now);
            }
            Admit::Later(at) => assert!(at > now && at <= now + SECOND, "never blocks wholly"),
        }
    }
    admitted
}

#[test]
fn it_begins_with_a_tenth_and_grows_by_half_with_success() {
    let (mut ramp, now) = after(60 * SECOND);
    let admitted: Vec<u64> =
        (0..30).map(|second| offer(&mut ramp, now + second * SECOND, SECOND, |_| true)).collect();
    assert!((8..=13).contains(&admitted[0]), "{admitted:?}");
    assert!(admitted.windows(2).all(|pair| pair[1] <= pair[0] * 8 / 5 + 3), "{admitted:?}");
    assert!(admitted[14] >= 95, "all of the usual traffic within 15 s: {admitted:?}");
    // Ten times the usual is offered; the ramp goes on above the usual until its end.
    assert_eq!(offer(&mut ramp, now + RAMP_MAX, SECOND, |_| true), 1_000);
    assert_eq!(ramp.rate(), None);
}

#[test]
fn where_few_come_nobody_is_kept_out() {
    let mut ramp = Ramp::default();
    let every = SECOND / 3;
    (0..90).for_each(|i| assert!(matches!(ramp.admit(i * every), Admit::Go(_))));
    ramp.on_down(30 * SECOND);
    ramp.on_up(60 * SECOND);
    for i in 0..90 {
        assert!(matches!(ramp.admit(60 * SECOND + i * every), Admit::Go(_)), "request {i} after the outage");
    }
}

/// Six a second are usual, and ten are let in whatever is usual. A crowd of forty has gathered.
#[test]
fn where_the_lowest_rate_is_more_than_usual_a_crowd_is_gone_within_seconds() {
    let mut ramp = Ramp::default();
    let every = SECOND / 6;
    (0..180).for_each(|i| assert!(matches!(ramp.admit(i * every), Admit::Go(_))));
    ramp.on_down(30 * SECOND);
    ramp.on_up(60 * SECOND);
    let (mut waiting, mut now) = (40_u64, 60 * SECOND);
    while waiting > 0 {
        waiting += u64::from((now - 60 * SECOND).is_multiple_of(every));
        while waiting > 0
            && let Admit::Go(permit) = ramp.admit(now)
        {
            ramp.on_outcome(permit, true, now);
            waiting -= 1;
        }
        now += MILLI / 2;
        assert!(now < 66 * SECOND, "{waiting} still wait");
    }
}

#[test]
fn it_is_an_outage_when_nothing_works_for_anybody() {
    use crate::breaker::Class::{Due, Ok, Open, Suspect, Unknown};
    assert!(is_down([Open, Due].into_iter()));
    assert!(is_down([].into_iter()), "the only target has failed");
    for works in [Ok, Unknown, Suspect] {
        assert!(!is_down([Open, works].into_iter()), "{works:?}");
    }
}

#[test]
fn a_short_outage_needs_no_ramp() {
    let (mut ramp, now) = after(OUTAGE_MIN - 1);
    assert_eq!(ramp.rate(), None);
    assert_eq!(offer(&mut ramp, now, SECOND, |_| true), 1_000);
}

#[test]
fn it_steps_back_when_attempts_fail_but_not_below_a_tenth_and_ends_by_itself() {
    let (mut ramp, now) = after(60 * SECOND);
    let mut rates = Vec::new();
    for second in 0..60 {
        rates.push(ramp.rate().unwrap());
        let admitted = offer(&mut ramp, now + second * SECOND, SECOND, |i| i % 2 == 0);
        assert!(admitted >= 8, "second {second}: {admitted}");
    }
    assert!(rates[..10].iter().all(|rate| *rate < 16_000), "half of them fail: {rates:?}");
    assert_eq!(offer(&mut ramp, now + 60 * SECOND, SECOND, |_| false), 1_000, "it ends by itself");
}

/// Successes are heard of at once, failures after two seconds, when the step that admitted them is over.
#[test]
fn late_failures_count() {
    let mut ramp = Ramp::default();
    (0..30_000).for_each(|i| assert!(matches!(ramp.admit(i * MILLI), Admit::Go(_))));
    ramp.on_down(30 * SECOND);
    ramp.on_up(60 * SECOND);
    let (mut late, mut admitted, mut highest) = (VecDeque::new(), 0, 0);
    for now in (60 * SECOND..69 * SECOND).step_by(1_000_000) {
        while late.front().is_some_and(|(at, _)| *at <= now) {
            let (_, permit) = late.pop_front().unwrap();
            ramp.on_outcome(permit, false, now);
        }
        if let Admit::Go(permit) = ramp.admit(now) {
            admitted += 1;
            if admitted % 2 == 0 {
                ramp.on_outcome(permit, true, now);
            } else {
                late.push_back((now + 2 * SECOND, permit));
            }
        }
        highest = highest.max(ramp.rate().unwrap());
    }
    assert!((200_000..400_000).contains(&highest), "{highest}");
}

#[test]
fn a_second_outage_during_the_ramp_begins_anew_from_the_usual_rate() {
    let (mut ramp, now) = after(60 * SECOND);
    offer(&mut ramp, now, 3 * SECOND, |_| true);
    ramp.on_down(now + 3 * SECOND);
    ramp.on_up(now + 13 * SECOND);
    let first = offer(&mut ramp, now + 13 * SECOND, SECOND, |_| true);
    assert!((8..=13).contains(&first), "{first}");
}

/// Whatever happens: some are let in every second, what it says about later is true, and it ends.
#[test]
fn every_ramp_lets_somebody_in_and_ends() {
    for seed in 0..1_000 {
        let (mut rng, mut ramp, mut now) = (Rng::new(seed), Ramp::default(), 0);
        let (gap, failing) = (1 + rng.below(300 * MILLI), rng.below(100));
        let mut permits: Vec<Permit> = Vec::new();
        let (mut last, mut up_since) = (0, None);
        for _ in 0..1_500 {
            now += rng.below(2 * gap);
            match rng.below(300) {
                0 => {
                    ramp.on_down(now);
                    up_since = None;
                }
                1..4 => {
                    ramp.on_up(now);
                    up_since = up_since.or(Some(now));
                }
                _ => {}
            }
            match ramp.admit(now) {
                Admit::Go(permit) => {
                    last = now;
                    permits.push(permit);
                }
                Admit::Later(at) => {
                    let since = up_since.unwrap();
                    assert!(now - since < RAMP_MAX, "seed {seed}: ramping for ever");
                    assert!(now.saturating_sub(last) <= SECOND, "seed {seed}: blocked since {last}");
                    let mut then = ramp.clone();
                    assert!(
                        at > now && matches!(then.admit(at), Admit::Go(_)),
                        "seed {seed}: {at} is not true"
                    );
                }
            }
            if rng.below(3) > 0 && !permits.is_empty() {
                let at = usize::try_from(rng.below(permits.len() as u64)).unwrap();
                ramp.on_outcome(permits.swap_remove(at), rng.below(100) >= failing, now);
            }
        }
    }
}

/// A server that takes one request per 10 ms and works on them in order, also on those whose clients have given up
/// after a second; clients that try three times; 70 new requests a second. An outage of 20 s leaves a crowd.
struct Server {
    rng: Rng,
    queue: VecDeque<(Nanos, usize, Option<Permit>)>,
    /// By time: the request, and how many tries it has left.
    comes: BTreeMap<Nanos, Vec<(usize, u32)>>,
    requests: Vec<Request>,
    ramp: Option<Ramp>,
    up: bool,
}

struct Request {
    came: Nanos,
    answered: Option<Nanos>,
}

const TICK: Nanos = 10 * MILLI;
const DOWN: Nanos = 30 * SECOND;
const RETURN: Nanos = 50 * SECOND;

impl Server {
    /// Share of the requests that came in ten seconds from 15 s after the return, and were answered; in percent.
    fn goodput(seed: u64, ramp: Option<Ramp>) -> usize {
        let (queue, comes, requests) = (VecDeque::new(), BTreeMap::new(), Vec::new());
        let mut server = Self { rng: Rng::new(seed), queue, comes, requests, ramp, up: true };
        // Ends after the last one's last try.
        (0..(RETURN + 30 * SECOND) / TICK).for_each(|tick| server.tick(tick * TICK));
        let window = RETURN + 15 * SECOND..RETURN + 25 * SECOND;
        let came: Vec<_> = server.requests.iter().filter(|r| window.contains(&r.came)).collect();
        came.iter().filter(|r| r.answered.is_some()).count() * 100 / came.len()
    }

    fn tick(&mut self, now: Nanos) {
        if now == DOWN {
            self.up = false;
            self.queue.clear();
        }
        if now == DOWN + 200 * MILLI
            && let Some(ramp) = &mut self.ramp
        {
            ramp.on_down(now);
        }
        if now == RETURN {
            self.up = true;
            self.ramp.iter_mut().for_each(|ramp| ramp.on_up(now));
            // The crowd: ten seconds' worth of people press the button again.
            (0..700).for_each(|_| self.arrive(now));
        }
        if self.rng.below(100) < 70 {
            self.arrive(now);
        }
        while let Some(entry) = self.comes.first_entry().filter(|entry| *entry.key() <= now) {
            for (request, left) in entry.remove() {
                self.attempt(request, left, now);
            }
        }
        self.work(now);
    }

    fn arrive(&mut self, now: Nanos) {
        self.requests.push(Request { came: now, answered: None });
        self.comes.entry(now).or_default().push((self.requests.len() - 1, 3));
    }

    fn attempt(&mut self, request: usize, left: u32, now: Nanos) {
        if self.requests[request].answered.is_some() || left == 0 {
            return;
        }
        let permit = match self.ramp.as_mut().map(|ramp| ramp.admit(now)) {
            Some(Admit::Later(_)) => return self.again(request, left, now),
            Some(Admit::Go(permit)) => Some(permit),
            None => None,
        };
        if self.up {
            self.queue.push_back((now, request, permit));
            // Its client gives up after a second and tries again.
            self.comes.entry(now + SECOND).or_default().push((request, left - 1));
        } else {
            self.again(request, left, now);
        }
    }

    /// A client that was refused comes back after half a second to one and a half.
    fn again(&mut self, request: usize, left: u32, now: Nanos) {
        let pause = SECOND / 2 + self.rng.below(SECOND);
        self.comes.entry(now + pause).or_default().push((request, left - 1));
    }

    fn work(&mut self, now: Nanos) {
        if !self.up {
            return;
        }
        let Some((sent, request, permit)) = self.queue.pop_front() else { return };
        let in_time = now - sent < SECOND;
        if in_time {
            self.requests[request].answered.get_or_insert(now);
        }
        if let (Some(ramp), Some(permit)) = (&mut self.ramp, permit) {
            ramp.on_outcome(permit, in_time, now);
        }
    }
}

#[test]
fn a_server_that_retries_keep_down_comes_back_with_the_ramp_only() {
    for seed in 0..50 {
        let without = Server::goodput(seed, None);
        assert!(without < 50, "seed {seed}: {without} % without a ramp; the model has nothing to cure");
        let with = Server::goodput(seed, Some(Ramp::default()));
        assert!(with >= 95, "seed {seed}: {with} % with the ramp");
    }
}
