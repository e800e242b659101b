//! Who waits, and who is called next. One room per process; its owner executes the calls: it polls after every change
//! and again at [`Room::next_poll`].

use super::line::Line;
use super::{Expected, Guest, RoomView};
use crate::Nanos;
use crate::fair::Class;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Most requests that wait in one process. Each keeps a connection and a body; beyond it, an honest no is kinder.
pub const WAITERS_MAX: usize = 1_000;

/// A tenant may hold this many times what is left free: alone up to four fifths, ten of them nearly a tenth each, and
/// one who has nothing yet always finds something left.
const SHARE_OF_FREE: u64 = 4;
/// Those of a lower class that one newcomer may push out at most: their bodies may be smaller than its own.
const SPARED_MAX: usize = 16;

/// The right to a place; later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// What a waiter is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// It is its turn: try now. Then [`Room::leave`], or [`Room::again`] if nobody could take it after all.
    Wake(Ticket),
    /// Its wait is over without a call: decide anew. Then [`Room::leave`], or [`Room::again`].
    Over(Ticket),
    /// It has waited for room for too long, or somebody more important needs its place: it is refused. It holds no
    /// place any more.
    Shed(Ticket),
}

/// How a waiter's stay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Somebody began to answer.
    Answered,
    /// Room was what it waited for, and it has been sent.
    Seated {
        /// There is room for another.
        more: bool,
        /// Now.
        now: Nanos,
    },
    /// It tried, and is given up.
    Failed {
        /// What it learnt about when somebody can be asked.
        recovery: Option<Nanos>,
    },
    /// It was called and is given up without a try: its route affords it none, or its time or its patience is over. That is
    /// its own matter, and says nothing to those behind it.
    Unasked,
    /// It did not try: its client left, or its time was over.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Awake,
    Asking,
}

#[derive(Debug)]
struct Waiter<R, T> {
    route: R,
    guest: Guest<T>,
    since: Nanos,
    until: Nanos,
    state: State,
    /// It was called to take room.
    for_room: bool,
}

#[derive(Debug, Default)]
struct Held {
    waiters: u64,
    bytes: u64,
}

/// The room. `R` names what is waited for: everybody with an equal `R` waits for the same targets. `T` is the tenant.
#[derive(Debug)]
pub struct Room<R, T> {
    waiters_max: usize,
    bytes_max: u64,
    bytes: u64,
    next: u64,
    waiters: BTreeMap<Ticket, Waiter<R, T>>,
    tenants: BTreeMap<T, Held>,
    lines: BTreeMap<R, Line<T>>,
    due: BTreeSet<(Nanos, Ticket)>,
    /// Pushed out, and not told yet.
    spared: VecDeque<Ticket>,
}

impl<R: Ord + Clone, T: Ord + Clone> Room<R, T> {
    /// A room for `waiters_max` (at most [`WAITERS_MAX`]) requests whose bodies take `bytes_max` together.
    pub fn new(waiters_max: usize, bytes_max: u64) -> Self {
        Self {
            waiters_max: waiters_max.min(WAITERS_MAX),
            bytes_max,
            bytes: 0,
            next: 0,
            waiters: BTreeMap::new(),
            tenants: BTreeMap::new(),
            lines: BTreeMap::new(),
            due: BTreeSet::new(),
            spared: VecDeque::new(),
        }
    }

    /// Whether there is a place for a request. A tenant with many waiters finds the room full before one with few, but
    /// for whoever is less important.
    pub fn view(&self, guest: &Guest<T>) -> RoomView {
        let (places, left) = self.left();
        let is_below = || self.lines.values().any(|line| line.is_below(guest.class));
        let has_place =
            places > 0 && guest.bytes <= left && (self.is_fair(guest, places, left) || is_below());
        RoomView { has_place }
    }

    /// Places and bytes that are left.
    fn left(&self) -> (u64, u64) {
        let places = (self.waiters_max as u64).saturating_sub(self.waiters.len() as u64);
        (places, self.bytes_max.saturating_sub(self.bytes))
    }

    /// Whether its tenant holds no more than its share of what is left.
    fn is_fair(&self, guest: &Guest<T>, places: u64, left: u64) -> bool {
        let held = self.tenants.get(&guest.tenant).map_or((0, 0), |held| (held.waiters, held.bytes));
        held.0 < places.saturating_mul(SHARE_OF_FREE)
            && held.1 <= (left.saturating_sub(guest.bytes)).saturating_mul(SHARE_OF_FREE)
    }

    /// Whether there will be a place for this one when a few of lower classes are gone, whichever they are.
    fn can_make_room(&self, guest: &Guest<T>) -> bool {
        let (places, left) = self.left();
        let lower =
            self.waiters.values().filter(|w| w.state == State::Waiting && w.guest.class > guest.class);
        let mut lower: Vec<u64> = lower.map(|waiter| waiter.guest.bytes).collect();
        lower.sort_unstable();
        let (mut gone, mut freed) = (0, 0);
        for bytes in lower.iter().take(SPARED_MAX) {
            if places + gone > 0 && guest.bytes <= left + freed {
                break;
            }
            (gone, freed) = (gone + 1, freed + bytes);
        }
        let fits = places + gone > 0 && guest.bytes <= left + freed;
        fits && ((lower.len() as u64) > gone || self.is_fair(guest, places + gone, left + freed))
    }

    /// Pushes those of lower classes out until there is a place for this one, if that helps. To be said before
    /// [`Room::view`], and only for one that will take the place; who is pushed out is told by [`Room::poll`].
    pub fn make_room(&mut self, guest: &Guest<T>) {
        let fits = |room: &Self| {
            let (places, left) = room.left();
            places > 0 && guest.bytes <= left
        };
        if fits(self) || !self.can_make_room(guest) {
            return;
        }
        for _ in 0..SPARED_MAX {
            if fits(self) {
                return;
            }
            let Some(ticket) = self.lines.values_mut().find_map(|line| line.spare(guest.class)) else {
                return;
            };
            self.spared.push_back(ticket);
            if let Some(waiter) = self.remove(ticket) {
                self.forget_if_done(&waiter.route);
            }
        }
    }

    /// Takes a place until `until`, or `None` if there is none. Without another call the waiter is woken at `recovery`.
    /// `for_room`: targets work and have no room.
    pub fn enter(
        &mut self,
        route: R,
        guest: Guest<T>,
        until: Nanos,
        recovery: Option<Nanos>,
        for_room: bool,
        now: Nanos,
    ) -> Option<Ticket> {
        if !self.view(&guest).has_place {
            return None;
        }
        let Guest { tenant, bytes, .. } = &guest;
        let ticket = Ticket(self.next);
        self.next += 1;
        self.bytes += bytes;
        let held = self.tenants.entry(tenant.clone()).or_default();
        held.waiters += 1;
        held.bytes += bytes;
        let line = self.lines.entry(route.clone()).or_default();
        line.wait_for_room(for_room, now);
        line.join(&guest, ticket, now);
        if let Some(recovery) = recovery {
            line.expect(recovery, now);
        }
        self.due.insert((until, ticket));
        self.waiters.insert(
            ticket,
            Waiter { route, guest, since: now, until, state: State::Waiting, for_room: false },
        );
        Some(ticket)
    }

    /// One that was called goes back to its old place, until `until`. Returns false if it holds no place or waits
    /// already.
    pub fn again(
        &mut self,
        ticket: Ticket,
        until: Nanos,
        recovery: Option<Nanos>,
        for_room: bool,
        now: Nanos,
    ) -> bool {
        let Some(waiter) = self.waiters.get_mut(&ticket).filter(|waiter| waiter.state != State::Waiting)
        else {
            return false;
        };
        let line = self.lines.entry(waiter.route.clone()).or_default();
        line.wait_for_room(for_room, now);
        if waiter.state == State::Awake {
            line.back(waiter.for_room);
            if for_room {
                line.no_room(recovery);
            } else {
                line.on_failure(recovery);
            }
        } else if let Some(recovery) = recovery {
            line.hope(recovery);
        }
        line.come_back(&waiter.guest, ticket, waiter.since);
        (waiter.state, waiter.until) = (State::Waiting, until);
        self.due.insert((until, ticket));
        true
    }

    /// Gives the place up. To be said once for every ticket, as soon as an answer begins, the request is given up, or
    /// the client leaves. Saying it again does nothing.
    pub fn leave(&mut self, ticket: Ticket, how: Left) {
        let Some(waiter) = self.remove(ticket) else { return };
        let Some(line) = self.lines.get_mut(&waiter.route) else { return };
        if waiter.state == State::Waiting {
            line.forget(&waiter.guest, ticket);
        }
        if waiter.state == State::Awake {
            line.back(waiter.for_room);
        }
        match how {
            Left::Answered => line.on_answer(),
            Left::Seated { more, now } => line.on_seated(waiter.guest.class, more, now),
            Left::Failed { recovery } if waiter.state == State::Awake => line.on_failure(recovery),
            Left::Failed { .. } | Left::Unasked | Left::Gone => {}
        }
        self.forget_if_done(&waiter.route);
    }

    /// Takes a waiter out of the books, but not out of its line.
    fn remove(&mut self, ticket: Ticket) -> Option<Waiter<R, T>> {
        let waiter = self.waiters.remove(&ticket)?;
        self.due.remove(&(waiter.until, ticket));
        let Guest { tenant, bytes, .. } = &waiter.guest;
        self.bytes -= bytes;
        if let Some(held) = self.tenants.get_mut(tenant) {
            held.waiters -= 1;
            held.bytes -= bytes;
            if held.waiters == 0 {
                self.tenants.remove(tenant);
            }
        }
        Some(waiter)
    }

    fn forget_if_done(&mut self, route: &R) {
        if self.lines.get(route).is_some_and(Line::is_done) {
            self.lines.remove(route);
        }
    }

    /// Something changed for this route (a target answered, a key is free, addresses were found): its line moves.
    pub fn open(&mut self, route: &R, now: Nanos) {
        if let Some(line) = self.lines.get_mut(route) {
            line.open(now);
        }
    }

    /// Something changed that may concern everybody (a new configuration): all lines move.
    pub fn open_all(&mut self, now: Nanos) {
        self.lines.values_mut().for_each(|line| line.open(now));
    }

    /// A target has room for one more: those who wait for room move, at whatever target.
    pub fn open_crowds(&mut self, now: Nanos) {
        self.lines.values_mut().filter(|line| line.is_crowd()).for_each(|line| line.open(now));
    }

    /// A request that came out of this line used so many tokens instead of the `expected` ones: the next turn of its tenant
    /// comes later or earlier, if it has anything waiting.
    pub fn on_used(&mut self, route: &R, class: Class, tenant: &T, expected: u64, used: u64) {
        if let Some(line) = self.lines.get_mut(route) {
            line.on_used(class, tenant, expected, used);
        }
    }

    /// What a newcomer has to expect of this line.
    pub fn expected(&self, route: &R, class: Class, tenant: &T, now: Nanos) -> Expected {
        self.lines.get(route).map_or_else(Expected::default, |line| line.expected(class, tenant, now))
    }

    /// How many of each class wait, in the lines that `is` chooses.
    pub fn lengths(&self, is: impl Fn(&R) -> bool) -> [usize; Class::ALL.len()] {
        let mut lengths = [0; Class::ALL.len()];
        self.lines.iter().filter(|(route, _)| is(route)).for_each(|(_, line)| line.add_to(&mut lengths));
        lengths
    }

    /// The next call, or `None` when there is nothing to say before [`Room::next_poll`].
    pub fn poll(&mut self, now: Nanos) -> Option<Call> {
        if let Some(ticket) = self.spared.pop_front() {
            return Some(Call::Shed(ticket));
        }
        if let Some(ticket) = self.lines.values_mut().find_map(|line| line.expired(now)) {
            if let Some(waiter) = self.remove(ticket) {
                self.forget_if_done(&waiter.route);
            }
            return Some(Call::Shed(ticket));
        }
        let call = |line: &mut Line<T>| line.call(now).map(|ticket| (ticket, line.is_crowd()));
        if let Some((ticket, for_room)) = self.lines.values_mut().find_map(call) {
            self.set(ticket, State::Awake);
            if let Some(waiter) = self.waiters.get_mut(&ticket) {
                waiter.for_room = for_room;
            }
            return Some(Call::Wake(ticket));
        }
        let (_, ticket) = self.due.first().copied().filter(|(until, _)| *until <= now)?;
        if let Some(waiter) = self.waiters.get(&ticket)
            && let Some(line) = self.lines.get_mut(&waiter.route)
        {
            line.forget(&waiter.guest, ticket);
        }
        self.set(ticket, State::Asking);
        Some(Call::Over(ticket))
    }

    /// When [`Room::poll`] has something to say next, unless something changes before.
    /// `now` is when it was polled last.
    pub fn next_poll(&self, now: Nanos) -> Option<Nanos> {
        let opening = self.lines.values().filter_map(Line::calls_at).min();
        let expiry = self.lines.values().filter_map(|line| line.expires_at(now)).min();
        self.due.first().map(|(until, _)| *until).into_iter().chain(opening).chain(expiry).min()
    }

    /// Requests that hold a place, and the bytes of their bodies.
    pub fn held(&self) -> (usize, u64) {
        (self.waiters.len(), self.bytes)
    }

    /// Whether anybody waits for this route: a newcomer then joins the line instead of overtaking it.
    pub fn has_line(&self, route: &R) -> bool {
        self.lines.contains_key(route)
    }

    /// Whether those who wait for this route wait for room.
    pub fn is_crowd(&self, route: &R) -> bool {
        self.lines.get(route).is_some_and(Line::is_crowd)
    }

    fn set(&mut self, ticket: Ticket, state: State) {
        if let Some(waiter) = self.waiters.get_mut(&ticket) {
            self.due.remove(&(waiter.until, ticket));
            waiter.state = state;
        }
    }

    /// What must be true at every moment.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let count = |state| self.waiters.values().filter(|w| w.state == state).count();
        assert_eq!(self.due.len(), count(State::Waiting), "whoever waits is told when its time is over");
        assert_eq!(self.lines.values().map(|l| l.awake().0).sum::<usize>(), count(State::Awake));
        assert!(
            self.lines
                .values()
                .all(|l| l.awake().0 <= super::AWAKE_WAITERS_MAX + 1 && !l.is_done() || l.awake().0 == 0)
        );
        assert_eq!(self.bytes, self.waiters.values().map(|w| w.guest.bytes).sum::<u64>());
        assert_eq!(self.waiters.len() as u64, self.tenants.values().map(|held| held.waiters).sum::<u64>());
        assert!(self.waiters.len() <= self.waiters_max && self.bytes <= self.bytes_max);
    }
}
