//! Those who wait for the same targets: in order of arrival within a tenant, tenants in turn, and called a few at a
//! time. One is called first; every answer doubles how many may be out, every failure halves it (survival.md R5), so
//! that a target that has just come back is not trampled by those who waited for it.

use super::room::Ticket;
use crate::Nanos;
use std::collections::{BTreeMap, BTreeSet};

/// Most waiters of one line that are out at the same time: beyond it, the line empties as fast as answers come.
pub const AWAKE_WAITERS_MAX: usize = 64;

/// One line.
#[derive(Debug)]
pub(super) struct Line<T> {
    queues: BTreeMap<T, BTreeSet<Ticket>>,
    /// The tenant that was called last: the next one in order is next.
    last: Option<T>,
    /// Calls begin then; `None` means when somebody says that the state has changed.
    opens_at: Option<Nanos>,
    awake: usize,
    awake_waiters_max: usize,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { queues: BTreeMap::new(), last: None, opens_at: None, awake: 0, awake_waiters_max: 1 }
    }
}

impl<T: Ord + Clone> Line<T> {
    /// A waiter joins, or comes back to its old place.
    pub(super) fn join(&mut self, tenant: T, ticket: Ticket) {
        self.queues.entry(tenant).or_default().insert(ticket);
    }

    /// A newcomer knows when somebody can be asked. Of two guesses about the future the earlier one is tried.
    pub(super) fn expect(&mut self, recovery: Nanos, now: Nanos) {
        self.opens_at = Some(self.opens_at.filter(|at| *at > now).map_or(recovery, |at| at.min(recovery)));
    }

    /// The same from one that has waited and tried: what it cannot ask, others perhaps can, so it closes nothing.
    pub(super) fn hope(&mut self, recovery: Nanos) {
        self.opens_at = Some(self.opens_at.map_or(recovery, |at| at.min(recovery)));
    }

    /// A waiter is not in the line any more. Returns whether it was.
    pub(super) fn forget(&mut self, tenant: &T, ticket: Ticket) -> bool {
        let Some(queue) = self.queues.get_mut(tenant) else { return false };
        let was = queue.remove(&ticket);
        if queue.is_empty() {
            self.queues.remove(tenant);
        }
        was
    }

    /// Something changed: it is worth trying.
    pub(super) fn open(&mut self, now: Nanos) {
        self.opens_at = Some(self.opens_at.map_or(now, |at| at.min(now)));
    }

    /// When somebody can be called next, as far as is known; `None` while nobody waits or enough are out.
    pub(super) fn calls_at(&self) -> Option<Nanos> {
        self.opens_at.filter(|_| !self.queues.is_empty() && self.awake < self.awake_waiters_max)
    }

    /// The next one to be called, if the line is open.
    pub(super) fn call(&mut self, now: Nanos) -> Option<Ticket> {
        self.calls_at().filter(|at| *at <= now)?;
        let after = self.last.as_ref().and_then(|last| {
            use std::ops::Bound::{Excluded, Unbounded};
            self.queues.range((Excluded(last), Unbounded)).next()
        });
        let (tenant, queue) = after.or_else(|| self.queues.iter().next())?;
        let (tenant, ticket) = (tenant.clone(), *queue.first()?);
        self.forget(&tenant, ticket);
        self.last = Some(tenant);
        self.awake += 1;
        Some(ticket)
    }

    /// One that was out has an answer.
    pub(super) fn on_answer(&mut self) {
        self.awake_waiters_max = (self.awake_waiters_max * 2).min(AWAKE_WAITERS_MAX);
    }

    /// One that was out has failed: fewer go, and when even one is too many, nobody does before `recovery`.
    pub(super) fn on_failure(&mut self, recovery: Option<Nanos>) {
        if self.awake_waiters_max <= 1 {
            self.opens_at = recovery;
        }
        self.awake_waiters_max = (self.awake_waiters_max / 2).max(1);
    }

    /// One that was out is not any more.
    pub(super) fn back(&mut self) {
        self.awake = self.awake.saturating_sub(1);
    }

    /// Nobody waits and nobody is out.
    pub(super) fn is_done(&self) -> bool {
        self.queues.is_empty() && self.awake == 0
    }

    #[cfg(test)]
    pub(super) fn awake(&self) -> (usize, usize) {
        (self.awake, self.awake_waiters_max)
    }
}
