//! How long a request may queue. A queue that was empty lately is a burst, and patience is long; one that has not been
//! empty for a whole interval stands, and everybody behind it would only wait in vain: patience becomes short, and the
//! newest are served first, because their clients are the ones that still listen (survival.md section 4).

use crate::{MILLI, Nanos, SECOND};

/// Who is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The oldest.
    OldestFirst,
    /// The newest: the queue stands.
    NewestFirst,
}

/// What becomes of a request that leaves the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is sent.
    Keep,
    /// It has waited too long: it is refused.
    Drop,
}

/// The patience of one queue.
#[derive(Debug, Clone)]
pub struct Codel {
    target: Nanos,
    interval: Nanos,
    empty_at: Nanos,
}

impl Codel {
    /// For calls of models: 10 s, and 500 ms when the queue stands.
    pub const fn model(now: Nanos) -> Self {
        Self { target: 500 * MILLI, interval: 10 * SECOND, empty_at: now }
    }

    /// For calls of other APIs: 100 ms, and 5 ms when the queue stands.
    pub const fn api(now: Nanos) -> Self {
        Self { target: 5 * MILLI, interval: 100 * MILLI, empty_at: now }
    }

    /// A request is about to queue behind `queued` others.
    pub const fn on_enqueue(&mut self, queued: usize, now: Nanos) {
        if queued == 0 {
            self.empty_at = now;
        }
    }

    /// A request that queued since `enqueued` leaves the queue to be served; `queued` remain.
    pub fn on_dequeue(&mut self, enqueued: Nanos, queued: usize, now: Nanos) -> Verdict {
        let patience = self.patience(now);
        if queued == 0 {
            self.empty_at = now;
        }
        if now.saturating_sub(enqueued) <= patience { Verdict::Keep } else { Verdict::Drop }
    }

    /// How long a request may have queued by now: older ones are to be refused, also those that are not next.
    pub fn patience(&self, now: Nanos) -> Nanos {
        if self.stands(now) { self.target } else { self.interval }
    }

    /// Who is to be served next.
    pub fn order(&self, now: Nanos) -> Order {
        if self.stands(now) { Order::NewestFirst } else { Order::OldestFirst }
    }

    /// The queue has not been empty for a whole interval.
    fn stands(&self, now: Nanos) -> bool {
        now.saturating_sub(self.empty_at) > self.interval
    }
}
