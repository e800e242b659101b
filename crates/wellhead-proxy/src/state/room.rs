//! The waiting room of the process: those who wait for a target are tasks of any worker, and whoever changes something
//! calls the next ones. There is no task of its own: one of those who wait keeps the time for all.

use crate::gateway::Gateway;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use wellhead_resilience::Nanos;
use wellhead_resilience::fair::Class;
use wellhead_resilience::hold::{Call, Expected, Guest, Hold, Left, Room, RoomView, Ticket, WAITERS_MAX};
use wellhead_telemetry::RouteMetrics;
use wellhead_telemetry::metrics::Held;
use wellhead_types::Name;

/// Request bodies that may wait in memory. A quarter of what replay may use by default: those who wait must not leave
/// the others without it.
const WAITING_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// What is waited for: the targets of a model that can answer the request, as bits. Who may use more of them has a
/// line of his own, so that he never waits for targets that he does not need.
pub(crate) type RouteKey = (Name, u64);

/// Who waits.
#[derive(Debug)]
pub(crate) struct WaitingRoom {
    /// How many hold a place, so that nobody takes the lock while it is empty.
    places: AtomicUsize,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    room: Room<RouteKey, Name>,
    slots: BTreeMap<Ticket, Slot>,
    /// Who sleeps until the next call is due, and when that is.
    keeper: Option<(Ticket, Nanos)>,
}

#[derive(Debug)]
struct Slot {
    notify: Arc<Notify>,
    /// It has not been called.
    waits: bool,
    /// How it was called, once it has been.
    called: Called,
}

/// A turn that a request has had, and what its app was charged for it, in tokens.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) route: RouteKey,
    pub(crate) expected: u64,
}

/// What one that has waited is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Called {
    /// It is its turn.
    Turn,
    /// Its wait is over.
    Over,
    /// It has waited for too long, or somebody more important needs its place.
    Shed,
}

/// A place in the room; dropped, it is given up.
#[derive(Debug)]
pub(crate) struct Place {
    gateway: Arc<Gateway>,
    ticket: Ticket,
    notify: Arc<Notify>,
    until: Nanos,
    left: Left,
    metrics: Arc<RouteMetrics>,
    /// When the request began to wait.
    pub(crate) since: Nanos,
    /// It waits for room rather than for a recovery.
    pub(crate) for_room: bool,
}

impl Default for WaitingRoom {
    fn default() -> Self {
        Self { places: AtomicUsize::new(0), inner: Mutex::new(Inner::new()) }
    }
}

impl WaitingRoom {
    /// Requests that hold a place.
    pub(crate) fn places(&self) -> usize {
        self.places.load(Relaxed)
    }

    /// Whether anybody waits for the same.
    pub(crate) fn has_line(&self, route: &RouteKey) -> bool {
        self.places() > 0 && self.lock().room.has_line(route)
    }

    /// Whether those who wait for the same wait for room.
    pub(crate) fn is_crowd(&self, route: &RouteKey) -> bool {
        self.places() > 0 && self.lock().room.is_crowd(route)
    }

    /// What `decide` says of a newcomer, who gets a place if need be instead of less important ones. Nobody has to go for
    /// one who would not wait whatever room there is, and who has to go is told at once.
    pub(crate) fn decide(&self, guest: &Guest<Name>, now: Nanos, decide: impl Fn(RoomView) -> Hold) -> Hold {
        let wish = decide(RoomView { has_place: true });
        if !matches!(wish, Hold::Wait { .. }) {
            return wish;
        }
        let mut inner = self.lock();
        inner.room.make_room(guest);
        inner.pump(now);
        let view = inner.room.view(guest);
        drop(inner);
        decide(view)
    }

    /// What a newcomer has to expect that waits for room.
    pub(crate) fn expected(&self, route: &RouteKey, guest: &Guest<Name>, now: Nanos) -> Expected {
        self.lock().room.expected(route, guest.class, &guest.tenant, now)
    }

    /// How many of each class wait for a model.
    pub(crate) fn lengths(&self, model: &Name) -> [usize; Class::ALL.len()] {
        if self.places() == 0 {
            [0; Class::ALL.len()]
        } else {
            self.lock().room.lengths(|(name, _)| name == model)
        }
    }

    /// A target has room for one more: the next of those who wait for that is called.
    pub(crate) fn open_crowds(&self, now: Nanos) {
        if self.places() > 0 {
            let mut inner = self.lock();
            inner.room.open_crowds(now);
            inner.pump(now);
        }
    }

    /// What a request used that came out of a line. Told to those who still wait there.
    pub(crate) fn on_used(&self, turn: &Turn, class: Class, tenant: &Name, used: u64) {
        if self.places() > 0 {
            self.lock().room.on_used(&turn.route, class, tenant, turn.expected, used);
        }
    }

    /// Something has changed for the better: all lines move.
    pub(crate) fn open_all(&self, now: Nanos) {
        if self.places() > 0 {
            let mut inner = self.lock();
            inner.room.open_all(now);
            inner.pump(now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Takes a place until `until`, if there is one.
    pub(crate) fn take(
        gateway: &Arc<Gateway>,
        metrics: &Arc<RouteMetrics>,
        (route, guest): (RouteKey, Guest<Name>),
        until: Nanos,
        recovery: Option<Nanos>,
        for_room: bool,
    ) -> Option<Box<Self>> {
        let now = gateway.clock.now();
        let notify = Arc::new(Notify::new());
        let mut inner = gateway.room.lock();
        let ticket = inner.room.enter(route, guest, until, recovery, for_room, now)?;
        let slot = Slot { notify: notify.clone(), waits: true, called: Called::Turn };
        inner.slots.insert(ticket, slot);
        // Somebody else may keep the time for longer than this one waits.
        inner.pump(now);
        gateway.room.places.store(inner.slots.len(), Relaxed);
        drop(inner);
        let (gateway, metrics) = (gateway.clone(), metrics.clone());
        let left = Left::Gone;
        Some(Box::new(Self { gateway, ticket, notify, until, left, metrics, since: now, for_room }))
    }

    /// Nobody could take it when it was called: back into the line.
    pub(crate) fn again(&mut self, until: Nanos, recovery: Nanos, for_room: bool) {
        let now = self.gateway.clock.now();
        self.gateway.room.lock().again(self.ticket, until, recovery, for_room, now);
        (self.until, self.for_room) = (until, for_room);
    }

    /// Waits until it is its turn, or the wait is over.
    pub(crate) async fn called(&self) -> Called {
        loop {
            let until = {
                let mut inner = self.gateway.room.lock();
                inner.pump(self.gateway.clock.now());
                match inner.slots.get(&self.ticket) {
                    Some(slot) if slot.waits => {}
                    Some(slot) => return slot.called,
                    None => return Called::Over,
                }
                match inner.keeper {
                    Some((ticket, at)) if ticket == self.ticket => at.min(self.until),
                    _ => self.until,
                }
            };
            let until = self.gateway.clock.instant(until);
            // Either way the loop looks at what is true.
            let _ = tokio::time::timeout_at(until, self.notify.notified()).await;
        }
    }

    /// How its stay ended; without a word its client has left.
    pub(crate) fn leave(mut self, left: Left) {
        self.left = left;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.metrics.count_held(match self.left {
            Left::Answered | Left::Seated { .. } => Held::Answered,
            Left::Failed { .. } | Left::Unasked => Held::Failed,
            Left::Gone => Held::Left,
        });
        let room = &self.gateway.room;
        let mut inner = room.lock();
        inner.leave(self.ticket, self.left);
        room.places.store(inner.slots.len(), Relaxed);
        inner.pump(self.gateway.clock.now());
    }
}

impl Inner {
    fn new() -> Self {
        let room = Room::new(WAITERS_MAX, WAITING_BYTES_MAX);
        Self { room, slots: BTreeMap::new(), keeper: None }
    }

    fn again(&mut self, ticket: Ticket, until: Nanos, recovery: Nanos, for_room: bool, now: Nanos) {
        if self.room.again(ticket, until, Some(recovery), for_room, now)
            && let Some(slot) = self.slots.get_mut(&ticket)
        {
            slot.waits = true;
        }
    }

    fn leave(&mut self, ticket: Ticket, left: Left) {
        self.room.leave(ticket, left);
        self.slots.remove(&ticket);
    }

    /// Calls whoever is to be called, and sees to it that somebody keeps the time.
    fn pump(&mut self, now: Nanos) {
        while let Some(call) = self.room.poll(now) {
            let (ticket, called) = match call {
                Call::Wake(ticket) => (ticket, Called::Turn),
                Call::Over(ticket) => (ticket, Called::Over),
                Call::Shed(ticket) => (ticket, Called::Shed),
            };
            if let Some(slot) = self.slots.get_mut(&ticket) {
                (slot.waits, slot.called) = (false, called);
                slot.notify.notify_one();
            }
        }
        let Some(next) = self.room.next_poll(now) else {
            self.keeper = None;
            return;
        };
        let waits = |ticket: &Ticket| self.slots.get(ticket).is_some_and(|slot| slot.waits);
        let keeper = self.keeper.filter(|(ticket, _)| waits(ticket));
        // One who slept until now and was not the one to be called has to sleep on, or it would spin until it is.
        if keeper.is_some_and(|(_, at)| now < at && at <= next) {
            return;
        }
        // The same one has to be woken only to sleep for less long.
        let found = keeper
            .and_then(|(ticket, _)| self.slots.get_key_value(&ticket))
            .or_else(|| self.slots.iter().find(|(_, slot)| slot.waits));
        self.keeper = found.map(|(ticket, slot)| {
            slot.notify.notify_one();
            (*ticket, next)
        });
    }
}

#[cfg(test)]
mod tests;
