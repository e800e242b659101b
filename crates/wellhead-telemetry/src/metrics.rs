//! Counters and histograms, as `/metrics` shows them (names: contract of the admin listener).
//!
//! prometheus-client encodes; the numbers are kept here, because its histogram holds a mutex and its families hand
//! out read locks. A route's or a target's handle is resolved once, when a configuration takes effect, and then costs
//! additions to atomics that only one worker writes: each worker has its own copy, and a scrape adds them up.
//!
//! Labels are names from the configuration, endpoint templates and codes. Never a key, a prompt or a raw path.

mod atomics;
mod collect;
mod deferred;
mod labels;
mod route;
mod substitute;
mod target;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use wellhead_types::{Diagnosis, Name};

use crate::record::RequestRecord;
use atomics::Sharded;
pub use deferred::DeferredFigures;
pub use route::{Hedged, Held, RouteMetrics};
pub use substitute::{CacheNumbers, Substitute};
pub use target::{Load, TargetMetrics, TargetState};

/// Content type of `Metrics::render`.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Routes and targets with metrics of their own, each. Prometheus servers suffer from more; further ones share the
/// label `_other`.
pub const SERIES_NAMES_MAX: usize = 10_000;

/// Label of everything beyond `SERIES_NAMES_MAX`, and of values beyond a series' own bound.
pub const OTHER: &str = "_other";

/// Route label of requests for no known model.
pub const NO_ROUTE: &str = "_none";

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    shared: Arc<Shared>,
    registry: Registry,
}

#[derive(Debug)]
pub(crate) struct Shared {
    version: String,
    started_unix_s: u64,
    routes: Names<RouteMetrics>,
    targets: Names<TargetMetrics>,
    no_route: Arc<RouteMetrics>,
    in_flight: Sharded<AtomicI64>,
    replay_bytes: AtomicU64,
    held: AtomicU64,
    cache: substitute::CacheGauges,
    /// In the order of `Diagnosis::ALL`.
    diagnoses: [AtomicU64; Diagnosis::ALL.len()],
    deferred: Mutex<DeferredFigures>,
    config_generation: AtomicU64,
    config_reload_failed: AtomicU64,
    config_reloads: [AtomicU64; 2],
    pub(crate) pipeline: Pipeline,
}

/// How telemetry itself fares.
#[derive(Debug, Default)]
pub(crate) struct Pipeline {
    /// Records that found their list full, or whose line could not be written.
    pub(crate) records_dropped: AtomicU64,
    /// Writes of the access log that failed.
    pub(crate) write_errors: AtomicU64,
    /// Records that were not exported: queue full, or refused by the collector to the end.
    pub(crate) traces_dropped: AtomicU64,
    /// Records exported.
    pub(crate) traces_exported: AtomicU64,
}

/// A bounded set of handles by name.
#[derive(Debug)]
struct Names<T> {
    map: RwLock<BTreeMap<Name, Arc<T>>>,
    other: Arc<T>,
}

impl<T> Names<T> {
    fn new(other: T) -> Self {
        Self { map: RwLock::default(), other: Arc::new(other) }
    }

    fn find(&self, name: &str) -> Option<Arc<T>> {
        self.map.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn get_or_insert(&self, name: &str, new: impl FnOnce(Name) -> T) -> Arc<T> {
        if let Some(found) = self.find(name) {
            return found;
        }
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = map.get(name) {
            return Arc::clone(found);
        }
        if map.len() >= SERIES_NAMES_MAX {
            return Arc::clone(&self.other);
        }
        let name = Name::from(name);
        let handle = Arc::new(new(Name::clone(&name)));
        map.insert(name, Arc::clone(&handle));
        handle
    }

    fn retain(&self, keep: impl Fn(&str) -> bool) {
        self.map.write().unwrap_or_else(PoisonError::into_inner).retain(|name, _| keep(name));
    }

    /// A copy of the list, so that no scrape holds up a change of the configuration.
    fn list(&self) -> Vec<Arc<T>> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        map.values().chain([&self.other]).cloned().collect()
    }
}

impl Metrics {
    /// Metrics of a process of this version that started at this Unix time, in seconds.
    pub fn new(version: &str, started_unix_s: u64) -> Self {
        let shared = Arc::new(Shared {
            version: version.to_owned(),
            started_unix_s,
            routes: Names::new(RouteMetrics::new(OTHER.into())),
            targets: Names::new(TargetMetrics::new(OTHER.into())),
            no_route: Arc::new(RouteMetrics::new(NO_ROUTE.into())),
            in_flight: Sharded::default(),
            replay_bytes: AtomicU64::new(0),
            held: AtomicU64::new(0),
            cache: substitute::CacheGauges::default(),
            diagnoses: Default::default(),
            deferred: Mutex::default(),
            config_generation: AtomicU64::new(0),
            config_reload_failed: AtomicU64::new(0),
            config_reloads: Default::default(),
            pipeline: Pipeline::default(),
        });
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Arc::clone(&shared)));
        Self { shared, registry }
    }

    /// The handle of a route, by the model's name. The same one for the same name; the shared overflow handle when
    /// there are `SERIES_NAMES_MAX` others.
    pub fn route(&self, name: &str) -> Arc<RouteMetrics> {
        self.shared.routes.get_or_insert(name, RouteMetrics::new)
    }

    /// The handle for requests whose model is unknown or that have none.
    pub fn no_route(&self) -> Arc<RouteMetrics> {
        Arc::clone(&self.shared.no_route)
    }

    /// The handle of a target, by its id. As `route`.
    pub fn target(&self, name: &str) -> Arc<TargetMetrics> {
        self.shared.targets.get_or_insert(name, TargetMetrics::new)
    }

    /// Forgets the series of routes and targets that are gone. Handles that are still held go on counting unseen.
    pub fn retain(&self, route: impl Fn(&str) -> bool, target: impl Fn(&str) -> bool) {
        self.shared.routes.retain(route);
        self.shared.targets.retain(target);
    }

    /// Counts a settled request and its attempts, finding the handles by name: two lookups under read locks. Callers
    /// that hold the handles use `RouteMetrics::record` and `TargetMetrics::record` instead, which only add.
    pub fn record(&self, worker: usize, record: &RequestRecord) {
        let route = match &record.route {
            Some(name) => self.route(name),
            None => self.no_route(),
        };
        route.record(worker, record);
        for attempt in &record.attempts {
            self.target(&attempt.target).record(worker, record.app.as_ref(), attempt);
        }
    }

    /// Counts a request as in flight until the guard is dropped.
    pub fn in_flight(&self, worker: usize) -> InFlight {
        self.shared.in_flight.get(worker).fetch_add(1, Relaxed);
        InFlight { shared: Arc::clone(&self.shared), worker }
    }

    /// Says how much memory request bodies take, in bytes.
    pub fn set_replay_bytes(&self, bytes: u64) {
        self.shared.replay_bytes.store(bytes, Relaxed);
    }

    /// Says how many requests wait for a target.
    pub fn set_held(&self, requests: u64) {
        self.shared.held.store(requests, Relaxed);
    }

    /// Says how the answers that are kept fare.
    pub fn set_cache(&self, numbers: CacheNumbers) {
        self.shared.cache.set(numbers);
    }

    /// Counts a request that failed for this cause.
    pub fn count_diagnosis(&self, cause: Diagnosis) {
        if let Some(counter) = self.shared.diagnoses.get(cause.index()) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Says what is known of deferred requests.
    pub fn set_deferred(&self, figures: DeferredFigures) {
        *self.shared.deferred.lock().unwrap_or_else(PoisonError::into_inner) = figures;
    }

    /// Says which generation of the configuration is served.
    pub fn set_generation(&self, generation: u64) {
        self.shared.config_generation.store(generation, Relaxed);
    }

    /// Counts an attempt to load a configuration, and whether it was accepted.
    pub fn count_reload(&self, accepted: bool) {
        self.shared.config_reload_failed.store(u64::from(!accepted), Relaxed);
        self.shared.config_reloads[usize::from(!accepted)].fetch_add(1, Relaxed);
    }

    /// Everything as OpenMetrics text (`CONTENT_TYPE`).
    pub fn render(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing to a String cannot fail, and every collector here only writes. A truncated exposition would be
            // believed, an empty one is noticed.
            Err(_) => "# EOF\n".to_owned(),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// One request in flight.
#[derive(Debug)]
#[must_use = "the request counts as ended when the guard is dropped"]
pub struct InFlight {
    shared: Arc<Shared>,
    worker: usize,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.shared.in_flight.get(self.worker).fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests;
