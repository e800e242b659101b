//! What all workers of a process share, and what each has of its own.

use crate::clock::{Clock, Entropy};
use crate::plan::Plan;
use crate::state::Registry;
use arc_swap::ArcSwap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wellhead_config::Snapshot;
use wellhead_net::{Connector, Drain, Pool, PoolLimits};
use wellhead_policy::KeyHasher;
use wellhead_telemetry::{Metrics, Telemetry};

/// What a gateway is made from.
#[derive(Debug)]
pub struct GatewayOptions {
    /// Hashes the keys of callers; the same that the snapshots were compiled with.
    pub hasher: KeyHasher,
    /// Where records and metrics go.
    pub telemetry: Arc<Telemetry>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Tells the workers to end.
    pub drain: Drain,
    /// Seed of jitter, weights and ids, from the system's randomness.
    pub seed: u64,
    /// Base URL that is named in errors about unknown paths: `http://127.0.0.1:4000/v1`.
    pub base_url: String,
    /// Whether attempts carry a `traceparent` although the caller sent none.
    pub trace_always: bool,
}

/// The data plane of a process.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) plan: ArcSwap<Plan>,
    pub(crate) registry: Registry,
    pub(crate) connector: Connector,
    pub(crate) hasher: KeyHasher,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) drain: Drain,
    pub(crate) base_url: String,
    pub(crate) trace_always: bool,
    pub(crate) replay: ReplayBudget,
    /// Requests whose books are open.
    pub(crate) in_flight: AtomicU64,
}

/// One worker's share: its connections.
#[derive(Debug)]
pub struct Worker {
    pub(crate) number: usize,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) pool: Pool,
}

impl Gateway {
    /// A gateway that serves this snapshot.
    pub fn new(options: GatewayOptions, snapshot: &Snapshot) -> Arc<Self> {
        let (clock, registry) = (Clock::default(), Registry::default());
        let plan = Plan::compile(snapshot, &registry, &options.metrics, clock.now());
        Arc::new(Self {
            clock,
            entropy: Entropy::new(options.seed),
            plan: ArcSwap::from_pointee(plan),
            registry,
            connector: Connector::default(),
            hasher: options.hasher,
            telemetry: options.telemetry,
            metrics: options.metrics,
            drain: options.drain,
            base_url: options.base_url,
            trace_always: options.trace_always,
            replay: ReplayBudget::default(),
            in_flight: AtomicU64::new(0),
        })
    }

    /// Swaps the configuration whole. Requests under way keep the route that they started with.
    pub fn publish(&self, snapshot: &Snapshot) {
        let plan = Plan::compile(snapshot, &self.registry, &self.metrics, self.clock.now());
        self.plan.store(Arc::new(plan));
        self.connector.tls().forget();
        self.registry.sweep();
        let plan = self.plan.load();
        let targets: HashSet<_> =
            plan.routes.values().flat_map(|r| r.targets.iter().map(|t| t.id.clone())).collect();
        self.metrics.retain(|route| plan.routes.contains_key(route), |target| targets.contains(target));
    }

    /// The generation being served.
    pub fn generation(&self) -> u64 {
        self.plan.load().generation
    }

    /// Requests that have not ended.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// A worker of this gateway.
    pub fn worker(self: &Arc<Self>, number: usize) -> Arc<Worker> {
        Arc::new(Worker {
            number,
            gateway: self.clone(),
            pool: Pool::new(self.connector.clone(), PoolLimits::default()),
        })
    }
}

impl Worker {
    /// Closes idle upstream connections that are too old. To be called every few seconds.
    pub fn reap(&self) {
        self.pool.reap();
    }
}

/// Memory for request bodies, over all requests of the process (decision 16).
#[derive(Debug, Default)]
pub(crate) struct ReplayBudget(AtomicU64);

impl ReplayBudget {
    /// Takes `bytes` if no more than `max` are then in use.
    pub(crate) fn take(self: &ReplayBudget, bytes: u64, max: u64) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= max)
            })
            .is_ok()
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}
