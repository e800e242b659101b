//! What outlives snapshots (decision 1): the health of targets, the rests of keys, the use of limits. Keyed by stable
//! ids; a plan holds handles into it, and a reload resets nothing.

mod fault;
mod key;
mod latency;
mod load;
mod ramp;
mod room;
mod target;

pub(crate) use key::KeyState;
pub(crate) use load::{Slot, Slots};
pub(crate) use ramp::RouteRamp;
pub(crate) use room::{Called, Place, RouteKey, Turn, WaitingRoom};
pub(crate) use target::{Changed, Entry, TargetState, Unavailable};

use crate::diagnosis::Trouble;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use wellhead_config::snapshot::{AppLimits as Numbers, TokenSource};
use wellhead_credentials::{Credential, Keeper};
use wellhead_quota::AppLimits;
use wellhead_resilience::budget::RetryBudget;
use wellhead_resilience::{Nanos, hedge};
use wellhead_types::Name;

/// Every piece of state of the process.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    targets: Mutex<HashMap<Name, Arc<TargetState>>>,
    keys: Mutex<HashMap<(Name, Name), Arc<KeyState>>>,
    apps: Mutex<HashMap<Name, Arc<AppLimits>>>,
    budgets: Mutex<HashMap<Name, Arc<RetryBudget>>>,
    hedges: Mutex<HashMap<Name, Arc<hedge::Budget>>>,
    troubles: Mutex<HashMap<Name, Arc<Trouble>>>,
    ramps: Mutex<HashMap<Name, Arc<RouteRamp>>>,
    slots: Mutex<HashMap<Name, Arc<Slots>>>,
    credentials: Keeper,
}

impl Registry {
    /// With credentials from this keeper; the default has one that fetches nothing.
    pub(crate) fn with(credentials: Keeper) -> Self {
        Self { credentials, ..Self::default() }
    }

    /// A credential that is fetched: the same for all who name the same source.
    pub(crate) fn credential(&self, source: &TokenSource) -> Arc<Credential> {
        self.credentials.credential(source)
    }

    pub(crate) fn target(&self, id: &Name) -> Arc<TargetState> {
        get_or_make(&self.targets, id.clone(), TargetState::default)
    }

    pub(crate) fn key(&self, provider: &Name, id: &Name) -> Arc<KeyState> {
        get_or_make(&self.keys, (provider.clone(), id.clone()), KeyState::default)
    }

    /// The limits of an app with the numbers of the newest snapshot; what was used stays used.
    pub(crate) fn app(&self, app: &Name, numbers: &Numbers, now: Nanos) -> Arc<AppLimits> {
        let make = || AppLimits::new(numbers.rpm, numbers.tpm, numbers.concurrency);
        let limits = get_or_make(&self.apps, app.clone(), make);
        limits.set(numbers.rpm, numbers.tpm, numbers.concurrency, now);
        limits
    }

    /// What a model may spend on retries.
    pub(crate) fn budget(&self, model: &Name) -> Arc<RetryBudget> {
        get_or_make(&self.budgets, model.clone(), RetryBudget::default)
    }

    /// What a model may spend on second attempts for late streams.
    pub(crate) fn hedges(&self, model: &Name) -> Arc<hedge::Budget> {
        get_or_make(&self.hedges, model.clone(), hedge::Budget::default)
    }

    /// Why a model cannot be served.
    pub(crate) fn trouble(&self, model: &Name) -> Arc<Trouble> {
        get_or_make(&self.troubles, model.clone(), Trouble::default)
    }

    /// How a model comes back after an outage.
    pub(crate) fn ramp(&self, model: &Name) -> Arc<RouteRamp> {
        get_or_make(&self.ramps, model.clone(), RouteRamp::default)
    }

    /// The slots of a provider.
    pub(crate) fn slots(&self, provider: &Name) -> Arc<Slots> {
        get_or_make(&self.slots, provider.clone(), Slots::default)
    }

    /// Forgets what no plan and no request holds any more, so that the registry is bounded by the configuration.
    pub(crate) fn sweep(&self) {
        retain_used(&self.targets);
        retain_used(&self.keys);
        retain_used(&self.apps);
        retain_used(&self.budgets);
        retain_used(&self.hedges);
        retain_used(&self.troubles);
        retain_used(&self.ramps);
        retain_used(&self.slots);
    }
}

fn get_or_make<K: Eq + Hash, V>(map: &Mutex<HashMap<K, Arc<V>>>, key: K, make: impl FnOnce() -> V) -> Arc<V> {
    map.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert_with(|| Arc::new(make())).clone()
}

fn retain_used<K: Eq + Hash, V>(map: &Mutex<HashMap<K, Arc<V>>>) {
    map.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, state| Arc::strong_count(state) > 1);
}
