//! What all workers of a process share, and what each has of its own.

use crate::clock::{Clock, Entropy};
use crate::defer::Deferred;
use crate::diagnosis::Stories;
use crate::plan::Plan;
use crate::replay::{Budget, DiskJobs, Spill};
use crate::state::{Registry, WaitingRoom};
use crate::substitute::AnswerStore;
use arc_swap::ArcSwap;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wellhead_config::Snapshot;
use wellhead_credentials::{Keeper, Surroundings};
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
    /// Directory for the bodies of large requests: unlinked files, so that nothing is ever seen or left in it. It should
    /// be private. If no file can be made there, bodies stay in memory.
    pub spill_dir: PathBuf,
    /// Requests that are answered later.
    pub deferred: Deferred,
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
    /// Memory for request bodies (decision 16).
    pub(crate) replay: Arc<Budget>,
    pub(crate) spill: Spill,
    /// Who waits for a target.
    pub(crate) room: WaitingRoom,
    /// Answers that are kept for an outage.
    pub(crate) answers: AnswerStore,
    /// Requests that did not go straight.
    pub(crate) stories: Stories,
    /// Requests that are answered later.
    pub(crate) deferred: Deferred,
    /// Requests whose books are open.
    pub(crate) in_flight: AtomicU64,
}

/// One worker's share: its connections, and what it may ask of the disk.
#[derive(Debug)]
pub struct Worker {
    pub(crate) number: usize,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) pool: Pool,
    pub(crate) disk: DiskJobs,
}

impl Gateway {
    /// A gateway that serves this snapshot.
    pub fn new(options: GatewayOptions, snapshot: &Snapshot) -> Arc<Self> {
        Self::within(options, snapshot, Clock::default(), Connector::default())
    }

    /// A gateway with a clock and a network of somebody else's choice: how a simulation runs it on virtual time.
    pub fn within(
        options: GatewayOptions,
        snapshot: &Snapshot,
        clock: Clock,
        connector: Connector,
    ) -> Arc<Self> {
        let keeper = Keeper::new(connector.clone(), Surroundings::OfTheProcess, options.seed);
        let registry = Registry::with(keeper);
        let plan = Plan::compile(snapshot, &registry, &options.metrics, clock.now());
        keep_fresh(&connector, snapshot, &plan);
        Arc::new(Self {
            clock,
            entropy: Entropy::new(options.seed),
            plan: ArcSwap::from_pointee(plan),
            registry,
            connector,
            hasher: options.hasher,
            telemetry: options.telemetry,
            metrics: options.metrics,
            drain: options.drain,
            base_url: options.base_url,
            trace_always: options.trace_always,
            replay: Arc::default(),
            spill: Spill::new(options.spill_dir),
            room: WaitingRoom::default(),
            answers: AnswerStore::default(),
            stories: Stories::default(),
            deferred: options.deferred,
            in_flight: AtomicU64::new(0),
        })
    }

    /// Swaps the configuration whole. Requests under way keep the route that they started with.
    pub fn publish(&self, snapshot: &Snapshot) {
        let plan = Plan::compile(snapshot, &self.registry, &self.metrics, self.clock.now());
        keep_fresh(&self.connector, snapshot, &plan);
        self.plan.store(Arc::new(plan));
        self.connector.tls().forget();
        self.registry.sweep();
        self.answers.shrink(snapshot.limits.cache_bytes_max);
        // Whatever they wait for may be there now.
        self.room.open_all(self.clock.now());
        self.deferred.nudge();
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
            disk: DiskJobs::default(),
        })
    }
}

/// Names that requests will need are looked up before the first of them comes, and kept fresh while none comes.
fn keep_fresh(connector: &Connector, snapshot: &Snapshot, plan: &Plan) {
    let hosts = plan.providers.iter().map(|provider| provider.endpoint.host.as_str());
    connector.resolver().configure(&snapshot.dns.servers, hosts);
}

impl Worker {
    /// Closes idle upstream connections that are too old. To be called every few seconds.
    pub fn reap(&self) {
        self.pool.reap();
    }
}
