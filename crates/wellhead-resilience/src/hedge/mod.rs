//! A second attempt for a stream that is late (survival.md section 3): sent to another target once the first one is
//! slower than 19 of 20, before anything has been delivered, and only as often as the budget allows. Whoever brings
//! content first wins; the other one is cancelled and accounted. Unstreamed calls are never hedged (decision 10): their
//! silence says nothing, and they would be paid twice in full.

mod budget;
mod race;
#[cfg(test)]
mod tests;

pub use budget::{Budget, SAVED_HEDGES_MAX};
pub use race::{Effect, Event, Race, Runner};

use crate::latency::Known;
use crate::{Nanos, SECOND};
use wellhead_types::planted::{self, Planted};

/// Longest wait for a probe of a target that was resting, before a healthy one is asked as well: the probe is for the
/// gateway's benefit, and its user does not pay for it.
pub const PROBE_PATIENCE: Nanos = SECOND;

/// An attempt that might be hedged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// When it was sent.
    pub started: Nanos,
    /// When the next rung takes over: the end of the first-byte limit or the deadline, whichever is first.
    pub ends: Nanos,
    /// The answer is asked for as a stream.
    pub streamed: bool,
    /// Content has been delivered, by this attempt or an earlier one.
    pub committed: bool,
    /// A different target could be asked now.
    pub alternative: bool,
    /// This is the one request that probes a resting target.
    pub probe: bool,
}

/// When to send the second attempt, if at all; a moment that is past means now. Ask again at that moment: the budget
/// may be spent by then.
pub fn when(ask: &Ask, known: &Known, budget: &Budget) -> Option<Nanos> {
    if !ask.streamed || ask.committed || !ask.alternative {
        return None;
    }
    if planted::has(Planted::HedgeAsksTwoAtOnce) {
        return Some(ask.started);
    }
    let delay = match known.p95 {
        learnt if ask.probe => learnt.unwrap_or(PROBE_PATIENCE).min(PROBE_PATIENCE),
        learnt => learnt.filter(|_| budget.has_hedge())?,
    };
    Some(ask.started.saturating_add(delay)).filter(|at| *at < ask.ends)
}
