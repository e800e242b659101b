//! Those who wait for the same targets: by class, tenants in turn, in order of arrival within a tenant ([`Queue`]), and
//! called a few at a time.
//!
//! Where a recovery is waited for, one is called first; every answer doubles how many may be out, every failure halves
//! it (survival.md R5), so that a target that has just come back is not trampled by those who waited for it.
//!
//! Where room is waited for, one is called at a time, and says whether there is room for another.

use super::crowd::{Crowd, ROOM_PAUSE};
use super::room::Ticket;
use super::{Expected, Guest};
use crate::Nanos;
use crate::concurrency::Order;
use crate::fair::{Class, Item, Queue};
use wellhead_types::planted::{self, Planted};

/// Most waiters of one line that are out at the same time: beyond it, the line empties as fast as answers come.
pub const AWAKE_WAITERS_MAX: usize = 64;

/// One line.
#[derive(Debug)]
pub(super) struct Line<T> {
    queue: Queue<T, Ticket>,
    /// Calls begin then; `None` means when somebody says that the state has changed.
    opens_at: Option<Nanos>,
    awake: usize,
    /// Those of them that were called to take room. One that was called at a recovery is out until it is answered, which
    /// may be never: it must not stand in the way of those who wait for room since.
    awake_for_room: usize,
    awake_waiters_max: usize,
    /// There if room is waited for.
    crowd: Option<Box<Crowd>>,
}

impl<T: Ord + Clone> Default for Line<T> {
    fn default() -> Self {
        // The room bounds all lines together.
        let queue = Queue::new(usize::MAX);
        Self { queue, opens_at: None, awake: 0, awake_for_room: 0, awake_waiters_max: 1, crowd: None }
    }
}

impl<T: Ord + Clone> Line<T> {
    /// A waiter joins.
    pub(super) fn join(&mut self, guest: &Guest<T>, ticket: Ticket, now: Nanos) {
        if let Some(crowd) = &mut self.crowd {
            crowd.on_join(guest.class, self.queue.len_of(guest.class), now);
        }
        self.queue.push(item(guest, ticket, now));
    }

    /// A waiter comes back to its old place.
    pub(super) fn come_back(&mut self, guest: &Guest<T>, ticket: Ticket, since: Nanos) {
        self.queue.put_back(item(guest, ticket, since));
    }

    /// From now on it is room that is waited for, or a recovery.
    pub(super) fn wait_for_room(&mut self, room: bool, now: Nanos) {
        match (room, &self.crowd) {
            (true, None) => self.crowd = Some(Box::new(Crowd::new(now))),
            (false, Some(_)) => self.crowd = None,
            _ => {}
        }
    }

    pub(super) const fn is_crowd(&self) -> bool {
        self.crowd.is_some()
    }

    /// A newcomer knows when somebody can be asked. Of two guesses about the future the earlier one is tried.
    pub(super) fn expect(&mut self, recovery: Nanos, now: Nanos) {
        self.opens_at = Some(self.opens_at.filter(|at| *at > now).map_or(recovery, |at| at.min(recovery)));
    }

    /// The same from one that has waited and tried: what it cannot ask, others perhaps can, so it closes nothing.
    pub(super) fn hope(&mut self, recovery: Nanos) {
        self.opens_at = Some(self.opens_at.map_or(recovery, |at| at.min(recovery)));
    }

    /// A waiter is not in the line any more.
    pub(super) fn forget(&mut self, guest: &Guest<T>, ticket: Ticket) {
        self.queue.remove(guest.class, &guest.tenant, |other| *other == ticket);
    }

    /// Something changed: it is worth trying.
    pub(super) fn open(&mut self, now: Nanos) {
        self.opens_at = Some(self.opens_at.map_or(now, |at| at.min(now)));
        if let Some(crowd) = &mut self.crowd {
            crowd.changed = true;
        }
    }

    /// When somebody can be called next, as far as is known; `None` while nobody waits or enough are out.
    pub(super) fn calls_at(&self) -> Option<Nanos> {
        let may_call =
            if self.is_crowd() { self.awake_for_room == 0 } else { self.awake < self.awake_waiters_max };
        self.opens_at
            .filter(|_| !planted::has(Planted::HoldForgetsToCall) && !self.queue.is_empty() && may_call)
    }

    /// The next one to be called, if the line is open.
    pub(super) fn call(&mut self, now: Nanos) -> Option<Ticket> {
        self.calls_at().filter(|at| *at <= now && !planted::has(Planted::HoldForgetsToCall))?;
        let item = match &self.crowd {
            Some(crowd) => self.queue.pop_by(|class| crowd.order(class, now)),
            None => self.queue.pop(Order::OldestFirst),
        }?;
        if let Some(crowd) = &mut self.crowd {
            crowd.on_call(item.class, self.queue.len_of(item.class), now);
        }
        self.awake += 1;
        self.awake_for_room += usize::from(self.is_crowd());
        Some(item.value)
    }

    /// One that has waited for room for longer than is good.
    pub(super) fn expired(&mut self, now: Nanos) -> Option<Ticket> {
        let patience = self.patience(now)?;
        self.queue.expired_by(|class| patience[class.index()], now).map(|item| item.value)
    }

    /// When the next one will have waited for too long.
    pub(super) fn expires_at(&self, now: Nanos) -> Option<Nanos> {
        let patience = self.patience(now)?;
        self.queue.next_expiry(|class| patience[class.index()])
    }

    /// How long those of each class may have waited for room by now.
    fn patience(&self, now: Nanos) -> Option<[Nanos; Class::ALL.len()]> {
        let crowd = self.crowd.as_ref()?;
        Some(Class::ALL.map(|class| crowd.patience(class, self.queue.apps_of(class), now)))
    }

    /// The one that can be spared most, if its class is below `class`.
    pub(super) fn spare(&mut self, class: Class) -> Option<Ticket> {
        self.queue.lowest_class().filter(|lowest| *lowest > class)?;
        self.queue.evict().map(|item| item.value)
    }

    /// Somebody of a lower class waits.
    pub(super) fn is_below(&self, class: Class) -> bool {
        self.queue.lowest_class().is_some_and(|lowest| lowest > class)
    }

    /// What a newcomer has to expect, where room is waited for.
    pub(super) fn expected(&self, class: Class, tenant: &T, now: Nanos) -> Expected {
        let Some(crowd) = &self.crowd else { return Expected::default() };
        let newest_first = crowd.order(class, now) == Order::NewestFirst;
        let (higher, same) = self.queue.ahead(class, tenant, newest_first);
        let tenants = self.queue.apps_of(class) + 1;
        Expected {
            wait: crowd.expected(class, (higher + self.awake, same), now),
            patience: Some(crowd.patience(class, tenants, now)),
        }
    }

    /// How many of each class wait.
    pub(super) fn add_to(&self, lengths: &mut [usize; Class::ALL.len()]) {
        Class::ALL.iter().zip(lengths).for_each(|(class, length)| *length += self.queue.len_of(*class));
    }

    /// One that was out has been sent. `more`: there is room for another.
    pub(super) fn on_seated(&mut self, class: Class, more: bool, now: Nanos) {
        let Some(crowd) = &mut self.crowd else { return };
        crowd.on_seated(class, now);
        if !more && !crowd.changed {
            self.opens_at = Some(now.saturating_add(ROOM_PAUSE));
        }
    }

    /// One that was out has an answer.
    pub(super) fn on_answer(&mut self) {
        self.awake_waiters_max = (self.awake_waiters_max * 2).min(AWAKE_WAITERS_MAX);
    }

    /// One that was out has failed: fewer go, and when even one is too many, nobody does before `recovery`.
    pub(super) fn on_failure(&mut self, recovery: Option<Nanos>) {
        if self.is_crowd() {
            // It did not go for want of room: that says nothing to the others.
            return;
        }
        if self.awake_waiters_max <= 1 {
            self.opens_at = recovery;
        }
        self.awake_waiters_max = (self.awake_waiters_max / 2).max(1);
    }

    /// One that was out found no room: nobody is called before `recovery`, unless somebody has made room since it
    /// looked.
    pub(super) fn no_room(&mut self, recovery: Option<Nanos>) {
        if self.crowd.as_ref().is_some_and(|crowd| !crowd.changed) {
            self.opens_at = recovery;
        }
    }

    /// A request of this tenant used so many tokens instead of those that it was charged for.
    pub(super) fn on_used(&mut self, class: Class, tenant: &T, expected: u64, used: u64) {
        self.queue.on_used(class, tenant, expected, used);
    }

    /// One that was out is not any more. `for_room`: the line was a crowd when it was called.
    pub(super) fn back(&mut self, for_room: bool) {
        self.awake = self.awake.saturating_sub(1);
        self.awake_for_room = self.awake_for_room.saturating_sub(usize::from(for_room));
    }

    /// Nobody waits and nobody is out.
    pub(super) fn is_done(&self) -> bool {
        self.queue.is_empty() && self.awake == 0
    }

    #[cfg(test)]
    pub(super) fn awake(&self) -> (usize, usize) {
        (self.awake, self.awake_waiters_max)
    }
}

fn item<T: Clone>(guest: &Guest<T>, ticket: Ticket, since: Nanos) -> Item<T, Ticket> {
    let (class, app, tokens) = (guest.class, guest.tenant.clone(), guest.tokens);
    Item { class, app, tokens, enqueued: since, value: ticket }
}
