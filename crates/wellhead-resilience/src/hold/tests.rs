#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
//! Promises of the waiting room, by the page's numbers and over seeded histories.

use super::{AWAKE_WAITERS_MAX, Call, Guest, Hold, Left, Room, RoomView, Ticket};
use crate::fair::Class;
use crate::{MILLI, Nanos, Rng, SECOND};
use std::collections::{BTreeMap, BTreeSet};

const PLACE: RoomView = RoomView { has_place: true };
/// What a model is given when it says nothing else.
const PATIENCE: Nanos = 30 * SECOND;

fn decide(now: Nanos, since: Nanos, deadline: Nanos, recovery: Option<Nanos>, room: RoomView) -> Hold {
    super::decide(now, since, deadline, PATIENCE, recovery, room)
}

/// What a turn of the line is worth, so that tenants take turns after each request.
const TOKENS: u64 = 2_048;

/// Enters to wait for a recovery.
fn enter<R: Ord + Clone, T: Ord + Clone>(
    room: &mut Room<R, T>,
    route: R,
    (tenant, bytes): (T, u64),
    until: Nanos,
    recovery: Option<Nanos>,
    now: Nanos,
) -> Option<Ticket> {
    let guest = Guest { tenant, class: Class::Default, tokens: TOKENS, bytes };
    room.enter(route, guest, until, recovery, false, now)
}

#[test]
fn all_keys_limited_for_three_seconds() {
    let recovery = Some(3 * SECOND);
    assert_eq!(decide(0, 0, 60 * SECOND, recovery, PLACE), Hold::Wait { until: 4 * SECOND });
    assert_eq!(decide(0, 0, 2 * SECOND, recovery, PLACE), Hold::TooShort { recovery });
    // 250 ms are left for the answer: 3.25 s just reach, 3.2 s do not.
    assert_eq!(decide(0, 0, 3_250 * MILLI, recovery, PLACE), Hold::Wait { until: 3 * SECOND });
    assert_eq!(decide(0, 0, 3_200 * MILLI, recovery, PLACE), Hold::TooShort { recovery });
    assert_eq!(decide(0, 0, 60 * SECOND, recovery, RoomView { has_place: false }), Hold::Full { recovery });
}

#[test]
fn one_that_was_called_at_a_recovery_and_gets_stuck_keeps_nobody_from_taking_room() {
    let mut room: Room<u8, u8> = Room::new(100, 1 << 20);
    let stuck = enter(&mut room, 0, (0, 10), 60 * SECOND, Some(SECOND), 0);
    assert_eq!(room.poll(SECOND), stuck.map(Call::Wake), "its target is back, and is asked");
    // It has no answer yet when others come, who wait for room.
    let guest = || Guest { tenant: 1, class: Class::Default, tokens: TOKENS, bytes: 10 };
    let mut wait = |at, now| room.enter(0, guest(), 60 * SECOND, Some(at), true, now);
    let (first, second) = (wait(3 * SECOND, 2 * SECOND), wait(3 * SECOND, 2 * SECOND));
    assert_eq!(room.poll(3 * SECOND), first.map(Call::Wake));
    assert_eq!(room.poll(3 * SECOND), None, "one at a time");
    room.leave(first.unwrap(), Left::Seated { more: true, now: 3 * SECOND });
    assert_eq!(room.poll(3 * SECOND), second.map(Call::Wake));
    room.check();
    room.leave(stuck.unwrap(), Left::Answered);
    room.leave(second.unwrap(), Left::Seated { more: true, now: 3 * SECOND });
    room.check();
    assert_eq!(room.held(), (0, 0));
}

#[test]
fn one_that_is_called_and_asks_nobody_closes_nothing_for_those_behind_it() {
    let mut room: Room<u8, u8> = Room::new(100, 1 << 20);
    let mut wait = || enter(&mut room, 0, (0, 10), 60 * SECOND, Some(3 * SECOND), 0).unwrap();
    let (poor, late, third, fourth) = (wait(), wait(), wait(), wait());
    assert_eq!(room.poll(3 * SECOND), Some(Call::Wake(poor)));
    room.leave(poor, Left::Unasked);
    assert_eq!(room.poll(3 * SECOND), Some(Call::Wake(late)), "at once");
    room.leave(late, Left::Unasked);
    assert_eq!(room.poll(3 * SECOND), Some(Call::Wake(third)));
    // One that has tried knows better.
    room.leave(third, Left::Failed { recovery: Some(4 * SECOND) });
    assert_eq!(room.poll(3 * SECOND), None);
    assert_eq!(room.poll(4 * SECOND), Some(Call::Wake(fourth)));
    room.check();
}

#[test]
fn patience_is_three_seconds_in_the_dark_and_thirty_with_a_date() {
    assert_eq!(decide(0, 0, 60 * SECOND, None, PLACE), Hold::Wait { until: 3 * SECOND });
    assert_eq!(decide(0, 0, SECOND, None, PLACE), Hold::Wait { until: 750 * MILLI });
    assert_eq!(decide(0, 0, 200 * MILLI, None, PLACE), Hold::TooShort { recovery: None });
    assert_eq!(decide(3 * SECOND, 0, 60 * SECOND, None, PLACE), Hold::TooLong { recovery: None });
    let recovery = Some(29 * SECOND + 500 * MILLI);
    assert_eq!(decide(0, 0, 600 * SECOND, recovery, PLACE), Hold::Wait { until: 30 * SECOND });
    let recovery = Some(31 * SECOND);
    assert_eq!(decide(0, 0, 600 * SECOND, recovery, PLACE), Hold::TooLong { recovery });
    // It is the first wait that counts.
    let recovery = Some(40 * SECOND);
    assert_eq!(decide(20 * SECOND, 0, 600 * SECOND, recovery, PLACE), Hold::TooLong { recovery });
    // Somebody can be asked already, others are in front.
    assert_eq!(decide(9 * SECOND, 0, 60 * SECOND, Some(1), PLACE), Hold::Wait { until: 10 * SECOND });
}

#[test]
fn patience_is_what_the_model_says() {
    let wait = |patience, recovery| super::decide(0, 0, 600 * SECOND, patience, recovery, PLACE);
    for recovery in [None, Some(0), Some(SECOND)] {
        assert_eq!(wait(0, recovery), Hold::TooLong { recovery }, "none: it never waits");
    }
    assert_eq!(wait(SECOND, None), Hold::Wait { until: SECOND }, "the shorter of both, in the dark");
    assert_eq!(wait(90 * SECOND, None), Hold::Wait { until: 3 * SECOND });
    assert_eq!(wait(90 * SECOND, Some(80 * SECOND)), Hold::Wait { until: 81 * SECOND });
    assert_eq!(wait(2 * SECOND, Some(1_500_000_000)), Hold::Wait { until: 2 * SECOND });
}

#[test]
fn a_wait_ends_in_time_whatever_the_numbers() {
    for seed in 0..50_000_u64 {
        let mut rng = Rng::new(seed);
        let edge = |rng: &mut Rng| match rng.below(8) {
            0 => 0,
            1 => Nanos::MAX,
            2 => Nanos::MAX - 1,
            _ => rng.below(60 * SECOND),
        };
        let (now, deadline) = (edge(&mut rng), edge(&mut rng));
        let since = now.saturating_sub(rng.below(40 * SECOND));
        let recovery = (rng.below(3) > 0).then(|| edge(&mut rng));
        if let Hold::Wait { until } = decide(now, since, deadline, recovery, PLACE) {
            assert!(until > now && until <= deadline - 250 * MILLI, "seed {seed}: {now} {until} {deadline}");
            assert!(until - since <= 30 * SECOND, "seed {seed}");
            assert!(recovery.is_none_or(|at| at.max(now) <= until), "seed {seed}: ends before the recovery");
        }
    }
}

#[test]
fn one_tenant_cannot_fill_the_room() {
    let mut room = Room::new(100, 1_000);
    let enter = |room: &mut Room<u8, u8>, tenant, bytes| enter(room, 0, (tenant, bytes), SECOND, None, 0);
    let greedy = std::iter::from_fn(|| enter(&mut room, 0, 1)).count();
    assert_eq!(greedy, 80);
    for tenant in 1..=15 {
        assert!(enter(&mut room, tenant, 1).is_some(), "tenant {tenant} finds no place");
    }
    // Bodies count as well: one that does not fit is refused although there are places.
    let mut room = Room::new(100, 1_000);
    assert!(enter(&mut room, 0, 1_001).is_none());
    assert!(enter(&mut room, 0, 900).is_some());
    assert!(enter(&mut room, 0, 50).is_none(), "it has more than four times what is left");
    assert!(enter(&mut room, 1, 50).is_some());
    assert_eq!(room.held(), (2, 950));
    room.check();
}

/// Fills a room with guests of one byte each but for those whose size is said, all of different tenants; returns it.
fn filled(waiters_max: usize, bytes_max: u64, guests: &[(u8, Class, u64)]) -> Room<u8, u8> {
    let mut room = Room::new(waiters_max, bytes_max);
    for (tenant, class, bytes) in guests {
        let guest = Guest { tenant: *tenant, class: *class, tokens: TOKENS, bytes: *bytes };
        assert!(room.enter(0, guest, SECOND, None, false, 0).is_some(), "{tenant} finds no place");
    }
    room
}

/// How many are pushed out for this guest, and whether it has a place then.
fn pushed_out(room: &mut Room<u8, u8>, tenant: u8, class: Class, bytes: u64) -> (usize, bool) {
    let guest = Guest { tenant, class, tokens: TOKENS, bytes };
    room.make_room(&guest);
    room.check();
    let shed = std::iter::from_fn(|| room.poll(0)).filter(|call| matches!(call, Call::Shed(_))).count();
    (shed, room.view(&guest).has_place)
}

#[test]
fn nobody_is_pushed_out_for_one_that_finds_no_place_all_the_same() {
    let bulk = |bytes: u64| move |tenant: u8| (tenant, Class::Bulk, bytes);
    // Nobody makes room for a body that is larger than all that may wait.
    let full: Vec<_> = (1..=4).map(bulk(10)).collect();
    assert_eq!(pushed_out(&mut filled(4, 100, &full), 9, Class::Critical, 101), (0, false));
    assert_eq!(pushed_out(&mut filled(4, 100, &full), 9, Class::Critical, 10), (1, true));
    assert_eq!(
        pushed_out(&mut filled(4, 100, &full), 9, Class::Bulk, 10),
        (0, false),
        "no better than they are"
    );
    // Sixteen at most go for one, and their bodies are too small.
    let small: Vec<_> = (1..=20).map(bulk(5)).collect();
    assert_eq!(pushed_out(&mut filled(100, 100, &small), 99, Class::Critical, 90), (0, false));
    assert_eq!(pushed_out(&mut filled(100, 100, &small), 99, Class::Critical, 60), (12, true));
    // The place would be free, but not for a tenant that has so many.
    let mut crowd: Vec<_> = (1..=3).map(|tenant| (tenant, Class::Critical, 1)).collect();
    crowd.extend((0..6).map(|_| (9, Class::Critical, 1)));
    crowd.push((4, Class::Bulk, 1));
    crowd.swap(0, 9);
    assert_eq!(pushed_out(&mut filled(10, 100, &crowd), 9, Class::Critical, 1), (0, false));
    assert_eq!(pushed_out(&mut filled(10, 100, &crowd), 5, Class::Critical, 1), (1, true));
}

#[test]
fn a_recovery_is_tried_by_one_then_by_more_with_every_answer() {
    let mut room = Room::new(1_000, 0);
    for i in 0..700_u32 {
        enter(&mut room, "m", (i % 2, 0), 30 * SECOND, Some(SECOND), 0).unwrap();
    }
    assert_eq!(room.poll(SECOND - 1), None);
    assert_eq!(room.next_poll(SECOND - 1), Some(SECOND));
    let (mut sizes, mut now) = (Vec::new(), SECOND);
    while room.held().0 > 0 {
        let round: Vec<Call> = std::iter::from_fn(|| room.poll(now)).collect();
        sizes.push(round.len());
        for call in round {
            let Call::Wake(ticket) = call else { panic!("{call:?} at {now}") };
            room.leave(ticket, Left::Answered);
        }
        room.check();
        now += SECOND / 2;
    }
    assert_eq!(sizes[..4], [1, 2, 8, AWAKE_WAITERS_MAX]);
    assert!(now < 10 * SECOND, "{sizes:?}");
}

#[test]
fn a_recovery_that_fails_is_not_trampled() {
    let mut room = Room::new(1_000, 0);
    let tickets: Vec<Ticket> =
        (0..500).map(|_| enter(&mut room, "m", (0, 0), 30 * SECOND, Some(SECOND), 0).unwrap()).collect();
    let mut tries = 0;
    for second in 1..=20 {
        let now = second * SECOND;
        while let Some(call) = room.poll(now) {
            let Call::Wake(ticket) = call else { panic!("{call:?}") };
            tries += 1;
            assert_eq!(ticket, tickets[0], "the first stays the first");
            assert!(room.again(ticket, 30 * SECOND, Some(now + SECOND), false, now));
        }
    }
    assert_eq!(tries, 20, "one try per second, not one per waiter");
    room.open(&"m", 20 * SECOND + 1);
    assert_eq!(room.poll(20 * SECOND + 1), Some(Call::Wake(tickets[0])));
    assert_eq!(room.poll(20 * SECOND + 1), None);
}

#[test]
fn without_a_date_one_tries_whenever_something_changes() {
    let mut room = Room::new(100, 0);
    (0..50).for_each(|_| assert!(enter(&mut room, "m", (0, 0), 30 * SECOND, None, 0).is_some()));
    for second in 1..=20 {
        room.open(&"m", second * SECOND);
        let Some(Call::Wake(ticket)) = room.poll(second * SECOND) else { panic!("nobody tries") };
        assert!(room.again(ticket, 30 * SECOND, None, false, second * SECOND));
        assert_eq!(room.poll(second * SECOND), None, "it tries in a loop");
        assert_eq!(room.next_poll(second * SECOND), Some(30 * SECOND));
    }
}

/// Half of the line fails for reasons of its own while the rest is answered: it moves on.
#[test]
fn a_few_failures_do_not_close_a_line_that_is_answered() {
    let mut room = Room::new(1_000, 0);
    for _ in 0..400 {
        enter(&mut room, "m", (0, 0), 30 * SECOND, Some(SECOND), 0).unwrap();
    }
    let (mut now, mut calls) = (SECOND, 0_u32);
    while room.held().0 > 0 && now < 29 * SECOND {
        let round: Vec<Call> = std::iter::from_fn(|| room.poll(now)).collect();
        for call in round {
            let Call::Wake(ticket) = call else { panic!("{call:?}") };
            calls += 1;
            if calls % 8 == 0 {
                room.leave(ticket, Left::Failed { recovery: Some(now + 20 * SECOND) });
            } else {
                room.leave(ticket, Left::Answered);
            }
        }
        now += SECOND / 4;
    }
    assert!(room.held().0 == 0 && now < 9 * SECOND, "{} are left at {now}", room.held().0);
}

#[test]
fn what_one_cannot_ask_closes_nothing_for_the_others() {
    let mut room = Room::new(100, 0);
    let first = enter(&mut room, "m", (0, 0), 30 * SECOND, Some(SECOND), 0).unwrap();
    let second = enter(&mut room, "m", (0, 0), 2 * SECOND, Some(SECOND), 0).unwrap();
    assert_eq!((room.poll(SECOND), room.poll(SECOND)), (Some(Call::Wake(first)), None));
    assert_eq!(room.poll(2 * SECOND), Some(Call::Over(second)));
    assert!(room.again(second, 30 * SECOND, Some(20 * SECOND), false, 2 * SECOND));
    room.leave(first, Left::Answered);
    assert_eq!(room.poll(3 * SECOND), Some(Call::Wake(second)));
}

#[test]
fn tenants_are_called_in_turn() {
    let mut room = Room::new(1_000, 0);
    (0..100).for_each(|_| assert!(enter(&mut room, "m", (0, 0), 30 * SECOND, Some(SECOND), 0).is_some()));
    let modest: Vec<Ticket> = (1..4)
        .map(|tenant| enter(&mut room, "m", (tenant, 0), 30 * SECOND, Some(SECOND), 0).unwrap())
        .collect();
    let mut called = Vec::new();
    while called.len() < 7 {
        let Some(Call::Wake(ticket)) = room.poll(SECOND) else { panic!("{called:?}") };
        called.push(ticket);
        room.leave(ticket, Left::Answered);
    }
    assert_eq!(called[1..4], modest);
}

#[test]
fn the_end_of_one_outage_does_not_wake_those_who_wait_for_another() {
    let mut room = Room::new(10, 0);
    let a = enter(&mut room, "a", (0, 0), 9 * SECOND, None, 0).unwrap();
    let b = enter(&mut room, "b", (0, 0), 8 * SECOND, None, 0).unwrap();
    room.open(&"b", SECOND);
    assert_eq!((room.poll(SECOND), room.poll(SECOND)), (Some(Call::Wake(b)), None));
    room.leave(b, Left::Gone);
    room.leave(b, Left::Answered);
    assert_eq!(room.next_poll(SECOND), Some(9 * SECOND));
    assert_eq!(room.poll(9 * SECOND), Some(Call::Over(a)));
    assert!(
        room.again(a, 20 * SECOND, None, false, 9 * SECOND)
            && !room.again(a, 21 * SECOND, None, false, 9 * SECOND)
    );
    room.open_all(10 * SECOND);
    assert_eq!(room.poll(10 * SECOND), Some(Call::Wake(a)));
    room.check();
}

/// A request of the simulation.
#[derive(Debug)]
struct Request {
    route: usize,
    tenant: u64,
    since: Nanos,
    deadline: Nanos,
    waiting: bool,
}

/// Routes go down and come back, some announced and some not; requests arrive, wait, are called, try, go back, leave.
/// Whatever happens, everybody hears in time, in order of arrival within its tenant, and nobody stays behind.
#[test]
fn everybody_is_called_or_told_in_time() {
    let (mut woken, mut told) = (0, 0);
    for seed in 0..2_000 {
        let mut world = World::new(seed);
        world.run();
        woken += world.woken;
        told += world.told;
    }
    assert!(woken > 10_000 && told > 10_000, "the worlds are too quiet: {woken} woken, {told} told");
}

struct World {
    seed: u64,
    rng: Rng,
    room: Room<usize, u64>,
    requests: BTreeMap<Ticket, Request>,
    /// Attempts in flight: end, ticket.
    trying: BTreeSet<(Nanos, Ticket)>,
    /// Per route: down until then, and whether that is known.
    down: [(Nanos, bool); 2],
    /// Ends of outages that nobody has been told of yet.
    openings: BTreeSet<(Nanos, usize)>,
    woken: usize,
    told: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let room = Room::new(4 + usize::try_from(rng.below(30)).unwrap(), 400);
        let down = [0, 1].map(|_| (rng.below(20 * SECOND), rng.below(2) == 0));
        let openings = down.iter().enumerate().map(|(route, (at, _))| (*at, route)).collect();
        let (requests, trying) = (BTreeMap::new(), BTreeSet::new());
        Self { seed, rng, room, requests, trying, down, openings, woken: 0, told: 0 }
    }

    fn run(&mut self) {
        let (mut arrivals, mut next, mut polled) = (60, 0, 0);
        loop {
            let arrival = (arrivals > 0).then_some(next);
            let opening = self.openings.first().map(|(at, _)| *at);
            let tried = self.trying.first().map(|(at, _)| *at);
            let Some(now) =
                [self.room.next_poll(polled), arrival, opening, tried].into_iter().flatten().min()
            else {
                break;
            };
            polled = now;
            if opening == Some(now) {
                let (_, route) = self.openings.pop_first().unwrap();
                self.room.open(&route, now);
            }
            if arrival == Some(now) {
                arrivals -= 1;
                next = now + 1 + self.rng.below(SECOND);
                self.arrive(now);
            }
            if tried == Some(now) {
                let (_, ticket) = self.trying.pop_first().unwrap();
                self.tried(ticket, now);
            }
            while let Some(call) = self.room.poll(now) {
                self.called(call, now);
            }
            self.room.check();
            assert!(
                self.room.next_poll(now).is_none_or(|at| at > now),
                "seed {}: polled in a loop",
                self.seed
            );
        }
        assert_eq!(self.requests.len(), 0, "seed {}: {:?} were forgotten", self.seed, self.requests);
        assert_eq!(self.room.held(), (0, 0), "seed {}", self.seed);
    }

    fn recovery(&self, route: usize, now: Nanos) -> Option<Nanos> {
        let (until, known) = self.down[route];
        (known || until <= now).then_some(until)
    }

    fn arrive(&mut self, now: Nanos) {
        let (tenant, bytes) = (self.rng.below(3), self.rng.below(40));
        let route = usize::try_from(self.rng.below(2)).unwrap();
        let deadline = now + self.rng.below(40 * SECOND);
        let recovery = self.recovery(route, now);
        match decide(
            now,
            now,
            deadline,
            recovery,
            self.room.view(&Guest { tenant, class: Class::Default, tokens: TOKENS, bytes }),
        ) {
            Hold::Wait { until } => {
                let ticket = enter(&mut self.room, route, (tenant, bytes), until, recovery, now).unwrap();
                self.requests.insert(ticket, Request { route, tenant, since: now, deadline, waiting: true });
            }
            Hold::TooShort { recovery } => {
                assert!(deadline <= recovery.unwrap_or(now).max(now) + 250 * MILLI, "seed {}", self.seed);
            }
            Hold::TooLong { recovery } => {
                assert!(recovery.unwrap() > now + 30 * SECOND, "seed {}", self.seed);
            }
            Hold::Full { .. } => assert!(self.room.held().0 > 0, "seed {}: full of nobody", self.seed),
        }
    }

    fn called(&mut self, call: Call, now: Nanos) {
        let seed = self.seed;
        let (ticket, woken) = match call {
            Call::Wake(ticket) => (ticket, true),
            Call::Over(ticket) => (ticket, false),
            Call::Shed(_) => panic!("seed {seed}: nobody waits for room"),
        };
        let request = &self.requests[&ticket];
        assert!(request.waiting, "seed {seed}: {ticket:?} was called twice");
        assert!(now <= request.deadline - 250 * MILLI, "seed {seed}: {ticket:?} hears too late");
        let before = |(other, r): (&Ticket, &Request)| {
            r.waiting && *other < ticket && (r.route, r.tenant) == (request.route, request.tenant)
        };
        assert!(!woken || !self.requests.iter().any(before), "seed {seed}: {ticket:?} overtook");
        self.requests.get_mut(&ticket).unwrap().waiting = false;
        if woken {
            self.woken += 1;
            self.trying.insert((now + self.rng.below(2) * self.rng.below(3 * SECOND), ticket));
        } else {
            self.told += 1;
            self.decide_anew(ticket, now);
        }
    }

    fn tried(&mut self, ticket: Ticket, now: Nanos) {
        let (until, _) = self.down[self.requests[&ticket].route];
        match self.rng.below(10) {
            0 => self.leave(ticket, Left::Gone),
            1 => self.decide_anew(ticket, now),
            _ if until <= now => self.leave(ticket, Left::Answered),
            _ => self.decide_anew(ticket, now),
        }
    }

    fn decide_anew(&mut self, ticket: Ticket, now: Nanos) {
        let request = &self.requests[&ticket];
        let recovery = self.recovery(request.route, now).map(|at| at.max(now + 1));
        match decide(now, request.since, request.deadline, recovery, PLACE) {
            Hold::Wait { until } => {
                assert!(self.room.again(ticket, until, recovery, false, now), "seed {}", self.seed);
                self.requests.get_mut(&ticket).unwrap().waiting = true;
            }
            _ => self.leave(ticket, Left::Failed { recovery }),
        }
    }

    fn leave(&mut self, ticket: Ticket, how: Left) {
        self.room.leave(ticket, how);
        self.requests.remove(&ticket).unwrap();
    }
}
