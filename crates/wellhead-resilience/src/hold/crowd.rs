//! Those who wait for room rather than for a recovery: targets work, and have as much to do as they can take. How long
//! such a wait may last is CoDel's to say, for each class by itself: a class whose own queue empties again and again is
//! in a burst, however long the queue of those below it has stood.

use crate::concurrency::{Codel, Order};
use crate::fair::Class;
use crate::{MILLI, Nanos};

#[cfg(test)]
mod tests;

/// While nobody tells that there is room, somebody looks this often: whoever made room may have looked for those who
/// wait just before they came.
pub const ROOM_PAUSE: Nanos = 50 * MILLI;
/// Patience is never shorter than so many turns of the tenant: where it gets one every five seconds, half a second of
/// patience would refuse nearly everybody while a slot is about to become free.
const TURNS_MIN: u64 = 4;
/// Weight of the newest pause between two turns, as a divisor.
const GAP_SHARE: u64 = 8;

/// What is known of a crowd.
#[derive(Debug)]
pub(super) struct Crowd {
    codels: [Codel; Class::ALL.len()],
    /// Between two turns of anybody.
    all: Pace,
    /// Between two turns of a class.
    own: [Pace; Class::ALL.len()],
    /// Somebody said that there is room, after the one who is out was called.
    pub(super) changed: bool,
}

/// How often turns come.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Mean pause between two; 0 is unknown.
    gap: Nanos,
    /// The last one, or the begin.
    last: Nanos,
}

impl Pace {
    const fn on_turn(&mut self, now: Nanos) {
        let gap = now.saturating_sub(self.last);
        self.gap = if self.gap == 0 { gap } else { self.gap - self.gap / GAP_SHARE + gap / GAP_SHARE };
        self.last = now;
    }

    /// The mean, or the pause under way if that is longer.
    fn now(self, now: Nanos) -> Nanos {
        self.gap.max(now.saturating_sub(self.last))
    }
}

impl Crowd {
    pub(super) fn new(now: Nanos) -> Self {
        Self {
            codels: std::array::from_fn(|_| Codel::model(now)),
            all: Pace { gap: 0, last: now },
            own: [Pace { gap: 0, last: now }; Class::ALL.len()],
            changed: false,
        }
    }

    /// Somebody of this class joins `queued` others of it.
    pub(super) const fn on_join(&mut self, class: Class, queued: usize, now: Nanos) {
        self.codels[class.index()].on_enqueue(queued, now);
    }

    /// Somebody of this class has been called; `queued` of it remain.
    pub(super) fn on_call(&mut self, class: Class, queued: usize, now: Nanos) {
        // The verdict is not needed: who has waited too long is taken out before anybody is called.
        self.codels[class.index()].on_dequeue(now, queued, now);
        self.changed = false;
    }

    /// Somebody of this class has got a turn.
    pub(super) const fn on_seated(&mut self, class: Class, now: Nanos) {
        self.all.on_turn(now);
        self.own[class.index()].on_turn(now);
    }

    /// How long somebody of this class, of which `tenants` wait, may have waited by now.
    pub(super) fn patience(&self, class: Class, tenants: usize, now: Nanos) -> Nanos {
        let turn = self.own[class.index()].now(now).saturating_mul(tenants.max(1) as u64);
        self.codels[class.index()].patience(now).max(turn.saturating_mul(TURNS_MIN))
    }

    pub(super) fn order(&self, class: Class, now: Nanos) -> Order {
        self.codels[class.index()].order(now)
    }

    /// How long somebody waits who comes behind `higher` of other classes and `same` of its own, if that is known: until
    /// all of them have had a turn, or until its class has had so many of the turns that are its own.
    pub(super) fn expected(&self, class: Class, (higher, same): (usize, usize), now: Nanos) -> Option<Nanos> {
        if self.all.gap == 0 {
            return None;
        }
        let by_order = self.all.gap.saturating_mul((higher + same) as u64 + 1);
        let own = self.own[class.index()].now(now).saturating_mul(same as u64 + 1);
        Some(by_order.min(own))
    }
}
