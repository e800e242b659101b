//! The waiting room of the process: those who wait for a target are tasks of any worker, and whoever changes something
//! calls the next ones. There is no task of its own: one of those who wait keeps the time for all.

use crate::gateway::Gateway;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use wellhead_resilience::Nanos;
use wellhead_resilience::hold::{Call, Left, Room, RoomView, Ticket, WAITERS_MAX};
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

    /// Whether there is a place for a request of this tenant.
    pub(crate) fn view(&self, tenant: &Name, bytes: u64) -> RoomView {
        self.lock().room.view(tenant, bytes)
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
        (route, tenant, bytes): (RouteKey, Name, u64),
        until: Nanos,
        recovery: Option<Nanos>,
    ) -> Option<Box<Self>> {
        let now = gateway.clock.now();
        let notify = Arc::new(Notify::new());
        let mut inner = gateway.room.lock();
        let ticket = inner.room.enter(route, tenant, bytes, until, recovery, now)?;
        inner.slots.insert(ticket, Slot { notify: notify.clone(), waits: true });
        // Somebody else may keep the time for longer than this one waits.
        inner.pump(now);
        gateway.room.places.store(inner.slots.len(), Relaxed);
        drop(inner);
        let (gateway, metrics) = (gateway.clone(), metrics.clone());
        Some(Box::new(Self { gateway, ticket, notify, until, left: Left::Gone, metrics, since: now }))
    }

    /// Nobody could take it when it was called: back into the line.
    pub(crate) fn again(&mut self, until: Nanos, recovery: Nanos) {
        let mut inner = self.gateway.room.lock();
        inner.again(self.ticket, until, recovery);
        self.until = until;
    }

    /// Waits until it is its turn, or the wait is over.
    pub(crate) async fn called(&self) {
        loop {
            let until = {
                let mut inner = self.gateway.room.lock();
                inner.pump(self.gateway.clock.now());
                if inner.slots.get(&self.ticket).is_none_or(|slot| !slot.waits) {
                    return;
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
            Left::Answered => Held::Answered,
            Left::Failed { .. } => Held::Failed,
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

    fn again(&mut self, ticket: Ticket, until: Nanos, recovery: Nanos) {
        if self.room.again(ticket, until, Some(recovery))
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
        while let Some(Call::Wake(ticket) | Call::Over(ticket)) = self.room.poll(now) {
            if let Some(slot) = self.slots.get_mut(&ticket) {
                slot.waits = false;
                slot.notify.notify_one();
            }
        }
        let Some(next) = self.room.next_poll() else {
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
