//! The waiting room (survival.md R1): when nobody can take a request now, but somebody will soon, it waits instead of
//! failing. Here is decided who waits, until when, and who is told the truth at once; [`Room`] keeps those who wait.
//!
//! There is one room for two reasons to wait, a recovery and room at a target that has as much to do as it can take
//! (survival.md R6), because what is scarce is the same for both: places, memory, and a turn at the same targets. They
//! differ in how many are called at a time, and in that a wait for room is cut short when the queue stands.

mod crowd;
mod line;
mod room;
#[cfg(test)]
mod tests;

pub use crowd::ROOM_PAUSE;
pub use line::AWAKE_WAITERS_MAX;
pub use room::{Call, Left, Room, Ticket, WAITERS_MAX};

use crate::fair::Class;
use crate::{MILLI, Nanos, SECOND};
use wellhead_types::planted::{self, Planted};

/// Left of the deadline when a wait ends: time to ask somebody, or to say no while the client still listens.
pub const ANSWER_MARGIN: Nanos = 250 * MILLI;
/// A wait ends this much after the expected recovery: clocks differ, and those in front are asked first.
pub const RECOVERY_SLACK: Nanos = SECOND;
/// Longest wait when nobody knows when it will be over, if patience is not shorter: long enough for a restart or a new
/// set of addresses.
pub const PATIENCE_UNKNOWN: Nanos = 3 * SECOND;

/// What [`decide`] needs to know of the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomView {
    /// There is a place for this request: see [`Room::view`]. True for one that holds a ticket already.
    pub has_place: bool,
}

/// Who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest<T> {
    /// Whose request it is.
    pub tenant: T,
    /// How important it is.
    pub class: Class,
    /// What it will probably use: tenants of one class get the same number of tokens.
    pub tokens: u64,
    /// Bytes of memory that wait with it.
    pub bytes: u64,
}

/// What a newcomer has to expect of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expected {
    /// How long it will wait, if that is known.
    pub wait: Option<Nanos>,
    /// After which wait it would be refused.
    pub patience: Option<Nanos>,
}

/// What becomes of a request that nobody can take now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It waits for a call, and asks again at this moment if none came.
    Wait {
        /// Always before the deadline, by [`ANSWER_MARGIN`] at least.
        until: Nanos,
    },
    /// Its deadline ends before the recovery: refused at once, with the true time if it is known.
    TooShort {
        /// When the first target recovers.
        recovery: Option<Nanos>,
    },
    /// The recovery is beyond everybody's patience, or patience is used up: refused with the true time.
    TooLong {
        /// When the first target recovers.
        recovery: Option<Nanos>,
    },
    /// The room has no place for it.
    Full {
        /// When the first target recovers.
        recovery: Option<Nanos>,
    },
}

/// Decides for a request that has waited since `since` (`now` at its first wait) and must be answered by `deadline`.
/// `patience` is how long it may wait in all for a recovery whose time is known; for a later one the client had better
/// come back itself, and 0 means that it never waits. `recovery` is when the first of its targets can be asked; a moment
/// in the past means that one can be asked already, and that others are in front.
pub fn decide(
    now: Nanos,
    since: Nanos,
    deadline: Nanos,
    patience: Nanos,
    recovery: Option<Nanos>,
    room: RoomView,
) -> Hold {
    let last = match planted::has(Planted::HoldOutlastsTheDeadline) {
        true => deadline.saturating_add(10 * SECOND),
        false => deadline.saturating_sub(ANSWER_MARGIN),
    };
    let expected = recovery.map(|at| at.max(now));
    if last <= now || expected.is_some_and(|at| at > last) {
        return Hold::TooShort { recovery };
    }
    let patience = if expected.is_some() { patience } else { patience.min(PATIENCE_UNKNOWN) };
    let patient = since.saturating_add(patience);
    if patient <= now || expected.is_some_and(|at| at > patient) {
        return Hold::TooLong { recovery };
    }
    if !room.has_place {
        return Hold::Full { recovery };
    }
    let until = last.min(patient);
    Hold::Wait { until: expected.map_or(until, |at| until.min(at.saturating_add(RECOVERY_SLACK))) }
}

/// The same where targets work and have no room. `expected` is what the line is like. Who would wait in vain is told at
/// once, with the true wait.
pub fn decide_room(
    now: Nanos,
    since: Nanos,
    deadline: Nanos,
    patience: Nanos,
    expected: Expected,
    room: RoomView,
) -> Hold {
    let last = deadline.saturating_sub(ANSWER_MARGIN);
    let starts = expected.wait.map(|wait| now.saturating_add(wait));
    if last <= now || starts.is_some_and(|at| at > last) {
        return Hold::TooShort { recovery: starts };
    }
    let patient = since.saturating_add(patience);
    let in_vain = expected.wait.zip(expected.patience).is_some_and(|(wait, patience)| wait > patience);
    if patient <= now || in_vain {
        return Hold::TooLong { recovery: starts };
    }
    if !room.has_place {
        return Hold::Full { recovery: starts };
    }
    Hold::Wait { until: last.min(patient) }
}
