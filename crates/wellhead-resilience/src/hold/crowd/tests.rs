#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation, reason = "tests")]
//! The whole admission in virtual time: a model server with so many slots, five times the load that it can take, four
//! classes, ten apps, one of them greedy; the gateway knows the slots, or finds out.

use super::super::{Call, Guest, Hold, Left, ROOM_PAUSE, Room, Ticket, decide_room};
use crate::concurrency::{Gate, INTERVAL, Interval};
use crate::fair::Class;
use crate::{MILLI, Nanos, Rng, SECOND};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use wellhead_types::planted::{self, Planted};

const APPS: usize = 10;
/// The one that asks for most of the five times.
const GREEDY: usize = 1;

/// What the server does with a request for which it has no slot, and what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    /// The number of its slots is configured.
    Known,
    /// It refuses.
    Refuses,
    /// It lets them wait inside.
    Queues,
}

/// Percent of the capacity that an app asks for.
fn demand(app: usize) -> u64 {
    match app {
        GREEDY => 305,
        app if class(app) == Class::Critical => 15,
        _ => 25,
    }
}

fn class(app: usize) -> Class {
    Class::ALL[app % 4]
}

#[derive(Debug, Clone, Copy)]
struct Request {
    app: usize,
    came: Nanos,
    tokens: u64,
    deadline: Nanos,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    asked: u64,
    answered: u64,
    refused: u64,
}

struct World {
    seed: u64,
    rng: Rng,
    server: Server,
    slots: usize,
    work: Nanos,
    now: Nanos,
    room: Room<u8, usize>,
    waiting: BTreeMap<Ticket, Request>,
    gate: Gate,
    /// Inside the server: being worked on, by end; and queued there.
    working: BinaryHeap<Reverse<(Nanos, Nanos, usize)>>,
    queued: VecDeque<(Nanos, usize)>,
    arrivals: BinaryHeap<Reverse<(Nanos, usize)>>,
    seen: (u32, Nanos, Nanos),
    interval: Nanos,
    counts: [Count; APPS],
    most_waiting: usize,
}

impl World {
    fn new(seed: u64, server: Server, slots: usize, work: Nanos) -> Self {
        let mut world = Self {
            seed,
            rng: Rng::new(seed),
            server,
            slots,
            work,
            now: 0,
            room: Room::new(400, 1 << 30),
            waiting: BTreeMap::new(),
            gate: Gate::default(),
            working: BinaryHeap::new(),
            queued: VecDeque::new(),
            arrivals: BinaryHeap::new(),
            seen: (0, Nanos::MAX, 0),
            interval: INTERVAL,
            counts: [Count::default(); APPS],
            most_waiting: 0,
        };
        (0..APPS).for_each(|app| world.next_arrival(app));
        world
    }

    fn next_arrival(&mut self, app: usize) {
        let mean = self.work * 100 / (self.slots as u64 * demand(app));
        let at = self.now + 1 + self.rng.below(2 * mean);
        self.arrivals.push(Reverse((at, app)));
    }

    fn in_flight(&self) -> usize {
        self.working.len() + self.queued.len()
    }

    fn has_room(&self) -> bool {
        let limits = self.gate.limits();
        let max = limits.in_flight.into_iter().chain(limits.waiting).min().unwrap_or(u32::MAX) as usize;
        let max = if self.server == Server::Known { max.min(self.slots) } else { max };
        self.in_flight() < max
    }

    fn run(&mut self, until: Nanos) {
        while self.now < until {
            let arrival = self.arrivals.peek().map(|Reverse((at, _))| *at);
            let end = self.working.peek().map(|Reverse((at, _, _))| *at);
            let poll = self.room.next_poll(self.now);
            self.now = [arrival, end, poll].into_iter().flatten().min().unwrap().max(self.now);
            if end == Some(self.now) {
                self.finish();
            } else if arrival == Some(self.now) {
                let Reverse((_, app)) = self.arrivals.pop().unwrap();
                self.next_arrival(app);
                self.arrive(app);
            }
            self.poll();
            if self.rng.below(64) == 0 {
                self.room.check();
            }
            self.most_waiting = self.most_waiting.max(self.room.held().0);
        }
    }

    fn arrive(&mut self, app: usize) {
        let tokens = 200 + self.rng.below(3_000);
        self.counts[app].asked += 1;
        let request = Request { app, came: self.now, tokens, deadline: self.now + 120 * SECOND };
        if !self.room.has_line(&0) && self.has_room() {
            return self.send(request);
        }
        self.wait(request);
    }

    fn wait(&mut self, request: Request) {
        let Request { app, came, tokens, deadline } = request;
        let guest = Guest { tenant: app, class: class(app), tokens, bytes: 1_000 };
        self.room.make_room(&guest);
        let expected = self.room.expected(&0, guest.class, &app, self.now);
        let view = self.room.view(&guest);
        let hold = decide_room(self.now, came, deadline, 30 * SECOND, expected, view);
        let Hold::Wait { until } = hold else {
            self.counts[app].refused += 1;
            return;
        };
        let again = Some(self.now + ROOM_PAUSE);
        let ticket = self.room.enter(0, guest, until, again, true, self.now).unwrap();
        self.waiting.insert(ticket, request);
    }

    fn poll(&mut self) {
        while let Some(call) = self.room.poll(self.now) {
            match call {
                Call::Wake(ticket) if self.has_room() => {
                    let request = self.waiting.remove(&ticket).unwrap();
                    self.send(request);
                    let more = self.has_room();
                    self.room.leave(ticket, Left::Seated { more, now: self.now });
                }
                Call::Wake(ticket) => {
                    let until = self.waiting[&ticket].came + 30 * SECOND;
                    let again = Some(self.now + ROOM_PAUSE);
                    assert!(self.room.again(ticket, until, again, true, self.now), "seed {}", self.seed);
                }
                Call::Shed(ticket) | Call::Over(ticket) => {
                    let request = self.waiting.remove(&ticket).unwrap();
                    self.counts[request.app].refused += 1;
                    self.room.leave(ticket, Left::Failed { recovery: None });
                }
            }
        }
    }

    fn send(&mut self, request: Request) {
        if self.working.len() < self.slots {
            self.work_on(self.now, request.app);
        } else if self.server == Server::Refuses {
            // It comes back into the queue at once, as the ladder would have it after a short pause.
            self.gate.on_refusal(self.in_flight() as u32, self.now);
            self.wait(request);
        } else {
            assert_ne!(self.server, Server::Known, "seed {}: more than its slots", self.seed);
            self.queued.push_back((self.now, request.app));
        }
    }

    fn work_on(&mut self, sent: Nanos, app: usize) {
        let noise = self.rng.below(self.work) + self.rng.below(self.work);
        self.working.push(Reverse((self.now + self.work / 2 + noise / 2, sent, app)));
    }

    fn finish(&mut self) {
        let in_flight = self.in_flight() as u32;
        let Reverse((_, sent, app)) = self.working.pop().unwrap();
        self.counts[app].answered += 1;
        if let Some((sent, app)) = self.queued.pop_front() {
            self.work_on(sent, app);
        }
        let took = self.now - sent;
        let (answers, quickest, usual) = &mut self.seen;
        *answers += 1;
        *quickest = took.min(*quickest);
        *usual = if *usual == 0 { took } else { *usual - *usual / 64 + took / 64 };
        if self.now >= self.interval {
            let (answers, quickest, usual) = self.seen;
            let seen = Interval { streamed: false, answers, quickest, usual, waiting: in_flight };
            self.gate.on_interval(seen, self.now);
            (self.seen, self.interval) = ((0, Nanos::MAX, usual), self.now + INTERVAL);
        }
        self.gate.on_answer(false, took, (in_flight, in_flight), self.now, self.now);
        self.room.open_crowds(self.now);
    }
}

/// Judge of overload: goodput, the highest class, and the apps that get least.
fn judge(world: &mut World, warm: Nanos, length: Nanos) -> Result<(), String> {
    world.run(warm);
    world.counts = [Count::default(); APPS];
    world.run(warm + length);
    let World { seed, server, slots, work, counts, .. } = world;
    let what = format!("seed {seed}, {server:?}, {slots} slots of {} ms: {counts:?}", *work / MILLI);
    let full = *slots as u64 * (length / *work);
    let answered: u64 = counts.iter().map(|count| count.answered).sum();
    if answered * 100 < full * 90 {
        return Err(format!("goodput {answered} of {full}; {what}"));
    }
    for (app, count) in counts.iter().enumerate() {
        if class(app) == Class::Critical {
            // Those that wait at the end are not lost.
            let lost = count.asked.saturating_sub(count.answered + *slots as u64 * 4);
            if lost * 100 > count.asked || count.refused * 100 > count.asked {
                return Err(format!("app {app} is of the highest class; {what}"));
            }
        }
        // The lowest class is promised two percent of the tokens, two apps are in it, and tokens are drawn.
        if count.answered * 500 < full {
            return Err(format!("app {app} is starved; {what}"));
        }
    }
    if world.most_waiting > 400 {
        return Err(what);
    }
    Ok(())
}

fn promised(server: Server, seed: u64) -> Result<(), String> {
    let (slots, work) = shape(seed);
    let warm = match server {
        Server::Known => (20 * work).max(20 * SECOND),
        Server::Refuses => (40 * work).max(60 * SECOND),
        Server::Queues => (80 * work).max(200 * SECOND),
    };
    judge(&mut World::new(seed, server, slots, work), warm, 150 * work)
}

/// A server with few slots and long answers, or many and short ones.
fn shape(seed: u64) -> (usize, Nanos) {
    [(4, 2 * SECOND), (8, 500 * MILLI), (12, 4 * SECOND), (16, SECOND)][seed as usize % 4]
}

#[test]
fn with_known_slots_the_queue_works_exactly() {
    (0..90).for_each(|seed| promised(Server::Known, seed).unwrap());
}

#[test]
fn a_server_that_refuses_is_found_out() {
    (100..160).for_each(|seed| promised(Server::Refuses, seed).unwrap());
}

#[test]
fn a_server_that_lets_everybody_wait_is_found_out() {
    (200..260).for_each(|seed| promised(Server::Queues, seed).unwrap());
}

/// A judge that never says no proves nothing.
#[test]
fn planted_bugs_are_found() {
    for bug in Planted::IN_ADMISSION {
        let server = if bug == Planted::GateStaysAtItsMinimum { Server::Refuses } else { Server::Known };
        planted::plant(Some(bug));
        let found = (0..16).find_map(|seed| promised(server, seed).err());
        planted::plant(None);
        let found = found.unwrap_or_else(|| panic!("{bug:?} is not found"));
        let expected = match bug {
            Planted::GateStaysAtItsMinimum => "goodput",
            Planted::FairIgnoresTheClass => "is of the highest class",
            _ => "is starved",
        };
        assert!(found.contains(expected), "{bug:?}: {found}");
    }
}

/// A fast vendor that takes everything is never held back, however many are sent at once.
#[test]
fn nobody_is_held_back_without_evidence() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut gate = Gate::default();
        let mut now = 0;
        for _ in 0..200 {
            now += INTERVAL;
            let usual = 200 * MILLI + rng.below(5 * SECOND);
            // Long prompts now and then make the mean whatever it is; the quickest is quick.
            let quickest = 50 * MILLI + rng.below(400 * MILLI);
            gate.on_interval(
                Interval { streamed: seed % 2 == 0, answers: 500, quickest, usual, waiting: 500 },
                now,
            );
            gate.on_answer(seed % 2 == 0, usual * 3, (500, 500), 0, now);
            assert_eq!(gate.limits(), crate::concurrency::Limits::default(), "seed {seed}");
        }
    }
}
