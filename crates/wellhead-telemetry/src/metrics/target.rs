//! What is counted per target.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use wellhead_catalog::Cost;
use wellhead_types::Name;

use super::atomics::{Histogram, Sharded};
use super::labels::{ByName, Counters};
use super::route::DURATION_MS;
use crate::record::AttemptRecord;

/// Result codes: `ok`, `cancelled`, `hedge_lost` and the failure codes. There are more, but no target fails in all ways.
const RESULTS_MAX: usize = 32;

/// Apps whose costs are told apart at one target and worker; those of further ones are added up.
const APPS_MAX: usize = 64;

/// Metrics of one target.
#[derive(Debug)]
pub struct TargetMetrics {
    name: Name,
    state: AtomicU8,
    /// Attempts in flight, and the most of them, and of those without content; `u64::MAX` is no limit.
    load: [AtomicU64; 3],
    /// From, to, why. Changes are rare, and the words are fixed in the code: five states and a dozen reasons.
    transitions: Mutex<BTreeMap<Transition, u64>>,
    pub(crate) shards: Sharded<TargetShard>,
}

/// From which state, to which, why.
pub(crate) type Transition = (&'static str, &'static str, &'static str);

/// One worker's share.
#[derive(Debug, Default)]
pub(crate) struct TargetShard {
    pub(crate) attempts: Counters<RESULTS_MAX>,
    pub(crate) duration: Histogram<{ DURATION_MS.len() }>,
    /// Nano-dollars by app.
    pub(crate) costs: ByName<APPS_MAX>,
    /// Attempts that have used something whose price or amount is not known.
    pub(crate) unpriced: AtomicU64,
}

/// What is known of a target's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetState {
    /// Not asked yet.
    Unknown = 0,
    /// Its last attempt succeeded.
    Ok = 1,
    /// It fails.
    Failing = 2,
}

/// How much a target has to do, and how much it is given at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Attempts in flight.
    pub in_flight: u64,
    /// The most of them, while it is limited.
    pub in_flight_max: Option<u64>,
    /// The most that may wait for their first content, while it is limited.
    pub waiting_max: Option<u64>,
}

impl TargetState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Unknown, Self::Ok, Self::Failing];

    /// The word in the label `state`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Failing => "failing",
        }
    }
}

impl TargetMetrics {
    pub(crate) fn new(name: Name) -> Self {
        Self {
            name,
            state: AtomicU8::new(TargetState::Unknown as u8),
            load: [0, u64::MAX, u64::MAX].map(AtomicU64::new),
            transitions: Mutex::default(),
            shards: Sharded::default(),
        }
    }

    /// The target's label.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counts an attempt that has ended, for an app if one is known. `worker` as in `RouteMetrics::record`.
    pub fn record(&self, worker: usize, app: Option<&Name>, attempt: &AttemptRecord) {
        let shard = self.shards.get(worker);
        shard.attempts.get(attempt.result).fetch_add(1, Relaxed);
        shard.duration.observe(&DURATION_MS, attempt.duration);
        match (attempt.cost, app) {
            (Cost::Known(cost), Some(app)) if cost.0 > 0 => {
                shard.costs.get(app).fetch_add(cost.0, Relaxed);
            }
            (Cost::Unknown, _) => {
                shard.unpriced.fetch_add(1, Relaxed);
            }
            _ => {}
        }
    }

    /// Counts a change of the target's breaker.
    pub fn count_transition(&self, from: &'static str, to: &'static str, why: &'static str) {
        let mut transitions = self.transitions.lock().unwrap_or_else(PoisonError::into_inner);
        *transitions.entry((from, to, why)).or_default() += 1;
    }

    pub(crate) fn transitions(&self) -> Vec<(Transition, u64)> {
        let transitions = self.transitions.lock().unwrap_or_else(PoisonError::into_inner);
        transitions.iter().map(|(change, count)| (*change, *count)).collect()
    }

    /// Says how much the target has to do, and how much it is given.
    pub fn set_load(&self, load: Load) {
        let limit = |max: Option<u64>| max.unwrap_or(u64::MAX);
        let values = [load.in_flight, limit(load.in_flight_max), limit(load.waiting_max)];
        self.load.iter().zip(values).for_each(|(place, value)| place.store(value, Relaxed));
    }

    pub(crate) fn load(&self) -> Load {
        let [in_flight, in_flight_max, waiting_max] = &self.load;
        let limit = |place: &AtomicU64| Some(place.load(Relaxed)).filter(|max| *max != u64::MAX);
        Load {
            in_flight: in_flight.load(Relaxed),
            in_flight_max: limit(in_flight_max),
            waiting_max: limit(waiting_max),
        }
    }

    /// Says in which state the target is.
    pub fn set_state(&self, state: TargetState) {
        self.state.store(state as u8, Relaxed);
    }

    pub(crate) fn is_in(&self, state: TargetState) -> bool {
        self.state.load(Relaxed) == state as u8
    }
}
