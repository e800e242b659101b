//! Everything is open: instead of refusing, the target that is nearest to its recovery is asked, by one request at a
//! time, and by twice as many after each success. So the first sign of life is found at once, and the crowd that has
//! gathered meanwhile does not trample what has just got up again.

use crate::{Nanos, SECOND};
use wellhead_types::planted::{self, Planted};

/// From here on nothing is held back: what carries this many at once carries the rest as well.
pub const ALLOWED_MAX: u32 = 256;
/// When nothing has been let in or has ended for so long, one more is let in: a request that vanished without a report
/// must not block for ever.
pub const LEASE: Nanos = 15 * SECOND;
/// After the only one that was let in has failed, nobody is let in for so long: whoever comes in the meantime would
/// learn the same, and a dead target would be asked once per request.
pub const PAUSE: Nanos = SECOND;

/// Proof that a request was let in; it is handed back when the request has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry(Option<u32>);

/// The last light of one target. Shared by threads behind the mutex of its breaker; while it is not lit it need not be
/// asked ([`LastLight::is_lit`]).
#[derive(Debug, Clone, Default)]
pub struct LastLight {
    /// Requests allowed at once; 0: not lit, everybody may pass.
    allowed: u32,
    in_flight: u32,
    /// Of entries; those of an earlier lighting count no more.
    generation: u32,
    changed_at: Nanos,
    /// Nobody is let in before.
    shut_until: Nanos,
}

impl LastLight {
    /// All targets are open: this one lets in one request at a time. Nothing changes when it is lit already.
    pub fn light(&mut self, now: Nanos) {
        if self.allowed == 0 && !planted::has(Planted::LastLightLetsEverybodyIn) {
            *self = Self {
                allowed: 1,
                in_flight: 0,
                generation: self.generation.wrapping_add(1),
                changed_at: now,
                shut_until: 0,
            };
        }
    }

    /// Whether entries are limited.
    pub const fn is_lit(&self) -> bool {
        self.allowed > 0
    }

    /// Requests allowed at once; `None`: any number.
    pub const fn allowed(&self) -> Option<u32> {
        if self.is_lit() { Some(self.allowed) } else { None }
    }

    /// Whether a request would be let in now.
    pub fn has_room(&self, now: Nanos) -> bool {
        self.opens_at(now).is_none()
    }

    /// When it is worth asking again whether there is room; `None`: there is some now. An earlier end of one that is
    /// inside makes room before.
    pub fn opens_at(&self, now: Nanos) -> Option<Nanos> {
        if !self.is_lit() {
            return None;
        }
        let full = self.in_flight >= self.allowed && now.saturating_sub(self.changed_at) < LEASE;
        let shut = Some(self.shut_until).filter(|until| *until > now);
        shut.or_else(|| full.then(|| now.saturating_add(PAUSE)))
    }

    /// Lets a request in, or not.
    pub fn try_enter(&mut self, now: Nanos) -> Option<Entry> {
        if !self.is_lit() {
            return Some(Entry(None));
        }
        if !self.has_room(now) {
            return None;
        }
        if self.in_flight < self.allowed {
            self.in_flight += 1;
        } // Otherwise it takes the place of one that is taken for gone.
        self.changed_at = now;
        Some(Entry(Some(self.generation)))
    }

    /// A request came to its good end: twice as many may enter.
    pub fn on_success(&mut self, entry: Entry, now: Nanos) {
        if self.leave(entry, now) {
            self.allowed = self.allowed.saturating_mul(2);
            if self.allowed >= ALLOWED_MAX {
                self.allowed = 0;
            }
        }
    }

    /// A request failed through the target's fault: one at a time again, and after a pause if it was the only one.
    pub fn on_failure(&mut self, entry: Entry, now: Nanos) {
        if self.leave(entry, now) {
            if self.allowed == 1 {
                self.shut_until = now.saturating_add(PAUSE);
            }
            self.allowed = 1;
        }
    }

    /// A request ended without saying anything about the target.
    pub fn on_given_up(&mut self, entry: Entry, now: Nanos) {
        self.leave(entry, now);
    }

    /// Whether the entry counts.
    fn leave(&mut self, entry: Entry, now: Nanos) -> bool {
        let counts = self.is_lit() && entry.0 == Some(self.generation);
        if counts {
            self.in_flight = self.in_flight.saturating_sub(1);
            self.changed_at = now;
        }
        counts
    }
}

/// What the last light looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// When its wait is over.
    pub rests_until: Nanos,
    /// Its last light has room ([`LastLight::has_room`]), or is not lit yet.
    pub has_room: bool,
    /// The upstream said when it is back, and that is still to come: it is not asked before.
    pub asked_to_wait: bool,
}

/// The target that is nearest to its recovery and has room, among those that are not in `excluded` (at most 64).
/// `None`: the request has to wait for a change, or for the earliest of the waits.
pub fn nearest(candidates: &[Candidate], excluded: u64) -> Option<usize> {
    candidates
        .iter()
        .take(super::TIERS_MAX)
        .enumerate()
        .filter(|(i, c)| excluded & (1 << i) == 0 && c.has_room && !c.asked_to_wait)
        .min_by_key(|(_, c)| c.rests_until)
        .map(|(i, _)| i)
}
