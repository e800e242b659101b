//! The promises (survival.md 9.1 and what the ladder says besides), checked against what was seen from outside: by
//! clients, by upstreams, by name servers. Only the number of attempts and their targets are taken from the gateway's own
//! records, and those are compared with what upstreams heard.
//!
//! Bounds are those of the documents. Where one needs slack, its constant says where the slack comes from.

mod answers;
mod attempts;
mod causes;
mod crowd;
mod hedges;
mod recovery;
mod stand_ins;
mod standby;
mod waits;

pub(crate) use answers::at_once;
pub(crate) use recovery::isolation;

use crate::log::Entries;
use crate::scenario::Scenario;

/// Timers have a resolution of a millisecond, rounded up, and an answer waits for a few of them one after another: the
/// limit of an attempt, its caller's, the client's own.
const TIMERS_MS: u64 = 5;

/// Everything that a finished world got wrong.
pub(crate) fn finally(scenario: &Scenario, entries: &Entries) -> Vec<String> {
    let mut wrong = entries.wrong.clone();
    answers::all_there(scenario, entries, &mut wrong);
    attempts::check(scenario, entries, &mut wrong);
    causes::check(scenario, entries, &mut wrong);
    crowd::check(scenario, entries, &mut wrong);
    hedges::check(scenario, entries, &mut wrong);
    recovery::check(scenario, entries, &mut wrong);
    stand_ins::check(scenario, entries, &mut wrong);
    standby::check(scenario, entries, &mut wrong);
    waits::check(scenario, entries, &mut wrong);
    wrong
}
