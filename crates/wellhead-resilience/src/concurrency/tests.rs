#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tests")]
//! Promises of the adaptive limit and of the queue.

use super::{Codel, IN_FLIGHT_LIMIT_MAX, IN_FLIGHT_LIMIT_MIN, Limit, Order, Verdict};
use crate::{MILLI, Nanos, Rng, SECOND};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A closed loop: a server that works on `capacity` requests at a time, each taking `work` and some noise, with the
/// rest queueing inside it; the gateway keeps as many in flight as the limit and the demand allow.
struct Loop {
    rng: Rng,
    now: Nanos,
    limit: Limit,
    capacity: usize,
    work: Nanos,
    demand: usize,
    /// Sent at.
    queued: VecDeque<Nanos>,
    /// Done at, sent at.
    working: BinaryHeap<Reverse<(Nanos, Nanos)>>,
}

impl Loop {
    fn new(seed: u64, capacity: usize, work: Nanos, demand: usize) -> Self {
        let (queued, working) = (VecDeque::new(), BinaryHeap::new());
        Self { rng: Rng::new(seed), now: 0, limit: Limit::default(), capacity, work, demand, queued, working }
    }

    /// Serves until `until`; returns what was completed and the mean limit.
    fn run(&mut self, until: Nanos) -> (usize, u64) {
        let (mut done, mut limits) = (0, 0);
        while self.now < until {
            while self.queued.len() + self.working.len()
                < self.demand.min(self.limit.in_flight_max() as usize)
            {
                self.queued.push_back(self.now);
            }
            while self.working.len() < self.capacity
                && let Some(sent) = self.queued.pop_front()
            {
                let noise = self.rng.below(self.work) + self.rng.below(self.work);
                self.working.push(Reverse((self.now + self.work / 2 + noise / 2, sent)));
            }
            let in_flight = (self.queued.len() + self.working.len()) as u32;
            let Some(Reverse((at, sent))) = self.working.pop() else { break };
            self.now = at;
            limits += u64::from(self.limit.on_sample(at - sent, in_flight, at));
            done += 1;
        }
        (done, limits / done.max(1) as u64)
    }
}

#[test]
fn the_limit_finds_the_capacity_of_a_server() {
    for seed in 0..20 {
        for capacity in [10, 40, 160] {
            let mut world = Loop::new(seed, capacity, 500 * MILLI, 10_000);
            world.run(300 * SECOND);
            let (done, mean) = world.run(500 * SECOND);
            let full = capacity * 400;
            assert!(
                done * 100 >= full * 90,
                "seed {seed} capacity {capacity}: {done} of {full}, limit {mean}"
            );
            let range = capacity as u64 * 7 / 10..capacity as u64 * 17 / 10;
            assert!(range.contains(&mean), "seed {seed} capacity {capacity}: limit {mean}");
        }
    }
}

#[test]
fn the_limit_follows_a_server_that_loses_half_its_capacity() {
    for seed in 0..20 {
        let mut world = Loop::new(seed, 80, 500 * MILLI, 10_000);
        world.run(300 * SECOND);
        world.capacity = 40;
        world.run(400 * SECOND);
        let (done, mean) = world.run(500 * SECOND);
        assert!((28..=68).contains(&mean), "seed {seed}: limit {mean}");
        assert!(done * 100 >= 40 * 200 * 90, "seed {seed}: {done}");
    }
}

#[test]
fn a_limit_that_is_not_used_does_not_grow() {
    let mut world = Loop::new(1, 1_000, 100 * MILLI, 9);
    world.run(600 * SECOND);
    assert_eq!(world.limit.in_flight_max(), 20);
    world.demand = 2_000;
    world.capacity = 5_000;
    world.run(660 * SECOND);
    assert!(world.limit.in_flight_max() > 300, "{}", world.limit.in_flight_max());
}

#[test]
fn drops_lower_the_limit_once_per_window_and_never_to_nothing() {
    let mut limit = Limit::default();
    assert_eq!(limit.on_drop(20, 0), 18);
    assert_eq!(limit.on_drop(20, 0), 18, "a burst of drops is one event");
    for i in 1..10_000 {
        limit.on_drop(20, i * SECOND);
    }
    assert_eq!(limit.in_flight_max(), IN_FLIGHT_LIMIT_MIN);
}

#[test]
fn the_limit_stays_a_number_within_its_bounds() {
    for seed in 0..2_000 {
        let (mut rng, mut limit, mut now) = (Rng::new(seed), Limit::default(), 0_u64);
        for _ in 0..500 {
            let latency = match rng.below(6) {
                0 => 0,
                1 => Nanos::MAX,
                2 => rng.next_u64(),
                _ => rng.below(3 * SECOND),
            };
            let in_flight = [0, 1, u32::MAX, rng.below(2_000) as u32][rng.below(4) as usize];
            now = match rng.below(50) {
                0 => rng.next_u64(),
                _ => now.saturating_add(rng.below(SECOND)),
            };
            let found = match rng.below(10) {
                0 => limit.on_drop(in_flight, now),
                _ => limit.on_sample(latency, in_flight, now),
            };
            assert!((IN_FLIGHT_LIMIT_MIN..=IN_FLIGHT_LIMIT_MAX).contains(&found), "seed {seed}: {found}");
        }
        // What is not a number never becomes one again.
        let text = format!("{limit:?}");
        assert!(
            !text.contains("NaN") && !text.contains("inf,") && !text.contains("inf "),
            "seed {seed}: {text}"
        );
    }
}

#[test]
fn patience_is_long_in_a_burst_and_short_in_a_standing_queue() {
    for (mut codel, target, interval) in
        [(Codel::model(0), 500 * MILLI, 10 * SECOND), (Codel::api(0), 5 * MILLI, 100 * MILLI)]
    {
        codel.on_enqueue(0, SECOND);
        let burst = SECOND + interval;
        assert_eq!((codel.patience(burst), codel.order(burst)), (interval, Order::OldestFirst));
        assert_eq!(codel.on_dequeue(SECOND, 3, burst), Verdict::Keep);
        let stands = burst + 1;
        assert_eq!((codel.patience(stands), codel.order(stands)), (target, Order::NewestFirst));
        assert_eq!(codel.on_dequeue(stands - target, 2, stands), Verdict::Keep);
        assert_eq!(codel.on_dequeue(stands - target - 1, 1, stands), Verdict::Drop);
        // The last one leaves: from now on it is a burst again.
        assert_eq!(codel.on_dequeue(stands - target - 1, 0, stands), Verdict::Drop);
        assert_eq!(codel.order(stands + interval), Order::OldestFirst);
    }
}

/// Whatever comes and goes, nobody is sent after more than the interval, nor after more than the target while the queue
/// stands; and a server that keeps up drops nobody.
#[test]
fn nobody_is_sent_who_waited_in_vain() {
    for seed in 0..2_000 {
        let (mut rng, mut now) = (Rng::new(seed), 0);
        let mut codel = Codel::model(0);
        let (arrival, service) = (1 + rng.below(SECOND), 1 + rng.below(SECOND));
        let (mut queue, mut next_arrival, mut next_service) = (VecDeque::new(), 0, 0);
        let mut empty_at = 0;
        for _ in 0..600 {
            now = next_arrival.min(next_service).max(now);
            if next_arrival <= now {
                codel.on_enqueue(queue.len(), now);
                if queue.is_empty() {
                    empty_at = now;
                }
                queue.push_back(now);
                next_arrival = now + 1 + rng.below(2 * arrival);
            }
            if next_service <= now {
                let stands = now - empty_at > 10 * SECOND;
                let next =
                    if codel.order(now) == Order::NewestFirst { queue.pop_back() } else { queue.pop_front() };
                if let Some(enqueued) = next {
                    let verdict = codel.on_dequeue(enqueued, queue.len(), now);
                    let waited = now - enqueued;
                    let patience = if stands { 500 * MILLI } else { 10 * SECOND };
                    assert_eq!(verdict == Verdict::Keep, waited <= patience, "seed {seed}: {waited}");
                    if queue.is_empty() {
                        empty_at = now;
                    }
                    if verdict == Verdict::Drop {
                        assert!(
                            service * 2 > arrival,
                            "seed {seed}: a server that keeps up dropped somebody"
                        );
                        continue;
                    }
                }
                next_service = now + 1 + rng.below(2 * service);
            }
        }
    }
}
