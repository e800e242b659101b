//! Plays a scenario: the data plane of production on a runtime whose time is paused. Whenever everybody waits, time jumps
//! to the next moment at which somebody does not; two minutes of the world take a fraction of a second, and take the same
//! course every time.

use crate::client;
use crate::log::Entries;
use crate::network::Made;
use crate::scenario::{Change, Model, Scenario, script, yaml};
use crate::stage::Stage;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use wellhead_catalog::{Catalog, Kind};
use wellhead_config::{CompileContext, Fixed, Snapshot, compile, load};
use wellhead_net::{Connector, Drain};
use wellhead_policy::KeyHasher;
use wellhead_proxy::{Clock, Deferred, Gateway, GatewayOptions};
use wellhead_telemetry::{Metrics, Telemetry};

/// What the wall says when a world begins: any date does, if it is always the same.
const WALL: Duration = Duration::from_secs(1_800_000_000);
/// How often what must always hold is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often the whole status is asked for: it must not panic whatever goes on, and takes long to put together.
const STATUS_EVERY: u64 = 20;
/// How often production closes idle connections that are too old.
const REAP_EVERY: Duration = Duration::from_secs(5);
/// Longer than the last answer of any world takes.
const TAIL_MAX: Duration = Duration::from_secs(300);

/// Plays the scenario to its end.
///
/// # Errors
/// The world could not be set up: the text says why.
pub(crate) fn play(scenario: Scenario, shows: bool) -> Result<(Scenario, Entries), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(async {
        let stage = Arc::new(Stage::new(scenario, shows));
        if shows {
            stage.log.lock().note(&script(&stage.scenario));
        }
        let played = world(&stage).await;
        let entries = stage.log.take();
        played.map(|()| (stage.scenario.clone(), entries))
    })
}

async fn world(stage: &Arc<Stage>) -> Result<(), String> {
    let hasher = KeyHasher::new(&[7; 32]);
    let first = configuration(&yaml(&stage.scenario, &stage.scenario.models), 1, &hasher)?;
    let connector = Connector::over(Arc::new(Made(stage.clone())), stage.scenario.seed);
    let names = connector.resolver().clone();
    let gateway =
        Gateway::within(options(stage, hasher.clone())?, &first, Clock::starting_at(WALL), connector);
    let workers: Vec<_> = (0..stage.scenario.workers).map(|number| gateway.worker(number)).collect();
    let mut background = tokio::task::JoinSet::new();
    for worker in workers.clone() {
        background.spawn(async move {
            loop {
                tokio::time::sleep(REAP_EVERY).await;
                worker.reap();
            }
        });
    }
    background.spawn(configure(stage.clone(), gateway.clone(), hasher));
    background.spawn(watch(stage.clone(), gateway.clone(), names));
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..stage.scenario.asks.len() {
        // As the kernel does it: anybody may get it.
        let drawn = crate::dice::of(stage.scenario.seed, &[4, number as u64]);
        let worker = workers[usize::try_from(drawn % workers.len() as u64).unwrap_or(0)].clone();
        clients.spawn(client::play(stage.clone(), worker, number));
    }
    let limit = stage.instant(stage.scenario.end_ms) + TAIL_MAX;
    let all = async {
        while let Some(ended) = clients.join_next().await {
            if let Err(error) = ended {
                let at = stage.now_ms();
                stage.log.lock().wrong.push(format!("I4: {at} a client's request ended in a panic: {error}"));
            }
        }
    };
    if tokio::time::timeout_at(limit, all).await.is_err() {
        stage.log.lock().wrong.push("I4: requests did not end".to_owned());
    }
    settled(stage, &gateway).await;
    Ok(())
}

/// When all clients are gone, nothing of their requests may be left.
async fn settled(stage: &Stage, gateway: &Gateway) {
    tokio::time::sleep(Duration::from_secs(1)).await;
    let left = gateway.in_flight();
    let now = stage.now_ms();
    let mut log = stage.log.lock();
    log.line(now, format_args!("the end, {left} requests are left"));
    if left > 0 {
        log.wrong.push(format!("I4: {now} {left} requests are under way although all clients have left"));
    }
}

fn options(stage: &Arc<Stage>, hasher: KeyHasher) -> Result<GatewayOptions, String> {
    let metrics = Arc::new(Metrics::new("world", 0));
    let witness = stage.clone();
    let telemetry = Telemetry::watched(metrics.clone(), move |record| {
        let now = witness.now_ms();
        let id = record.request_id.to_string();
        let ask = id.strip_prefix("ask-").and_then(|number| number.parse().ok()).unwrap_or(usize::MAX);
        let mut log = witness.log.lock();
        let (outcome, rung) = (record.outcome, record.rung);
        let attempts: Vec<_> = record.attempts.iter().map(|a| (&a.target, a.result)).collect();
        log.line(now, format_args!("record of ask {ask}: {outcome:?} {rung:?} {attempts:?}"));
        log.records.push((ask, now, record));
    });
    Ok(GatewayOptions {
        hasher,
        telemetry: Arc::new(telemetry),
        metrics,
        drain: Drain::default(),
        seed: stage.scenario.seed,
        base_url: "http://gateway.example/v1".to_owned(),
        trace_always: false,
        // No request of a world is as large as that.
        spill_dir: PathBuf::new(),
        // No model of a world defers.
        deferred: Deferred::open(PathBuf::new()).map_err(|error| error.to_string())?,
    })
}

/// From text to a snapshot, as the control plane does it.
fn configuration(text: &str, generation: u64, hasher: &KeyHasher) -> Result<Snapshot, String> {
    static KINDS: OnceLock<Vec<Arc<Kind>>> = OnceLock::new();
    let kinds = KINDS.get_or_init(|| {
        Catalog::builtin().map(|catalog| catalog.kinds().cloned().collect()).unwrap_or_default()
    });
    let (document, _warnings) =
        load("world.yaml", text, &Fixed::default(), kinds).map_err(|wrong| format!("{wrong:?}\n{text}"))?;
    let context = CompileContext { generation, hasher, extra_apps: &[] };
    compile(&document, &context).map(|(snapshot, _)| snapshot).map_err(|wrong| format!("{wrong:?}\n{text}"))
}

/// Configurations arrive. There is no control plane in a world: between them the data plane is alone (I9).
async fn configure(stage: Arc<Stage>, gateway: Arc<Gateway>, hasher: KeyHasher) {
    let mut models: &[Model] = &stage.scenario.models;
    for (generation, (at_ms, change)) in (2..).zip(&stage.scenario.changes) {
        tokio::time::sleep_until(stage.instant(*at_ms)).await;
        let text = match change {
            Change::Models(changed) => {
                models = changed;
                yaml(&stage.scenario, models)
            }
            Change::Broken => yaml(&stage.scenario, models).replace("provider: p0", "provider: nobody"),
        };
        let before = gateway.generation();
        let outcome = configuration(&text, generation, &hasher);
        let now = stage.now_ms();
        let mut log = stage.log.lock();
        match (outcome, change) {
            (Ok(snapshot), Change::Models(_)) => {
                log.line(now, format_args!("generation {generation}"));
                drop(log);
                gateway.publish(&snapshot);
            }
            (Err(_), Change::Broken) => {
                log.line(now, format_args!("a broken configuration is refused; {before} stays"));
            }
            // No target of this configuration is at p0, so that nothing was broken.
            (Ok(_), Change::Broken) => {}
            (Err(why), Change::Models(_)) => {
                log.wrong.push(format!("a good configuration is refused: {why}"));
            }
        }
    }
}

/// Looks at what must hold at every moment, whatever happens (I1).
async fn watch(stage: Arc<Stage>, gateway: Arc<Gateway>, names: wellhead_net::Resolver) {
    let mut known = BTreeSet::new();
    for look in 0_u64.. {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = stage.now_ms();
        for name in names.report() {
            if !name.addresses.is_empty() {
                known.insert(name.host);
            } else if known.remove(&name.host) {
                let what = format!("I1: {now} {} had addresses and has none", name.host);
                stage.log.lock().wrong.push(what);
            }
        }
        let mut targets = gateway.targets();
        if look % STATUS_EVERY == 0 {
            let routes = gateway.status().routes;
            targets.extend(routes.iter().map(|route| (route.model.as_str().into(), route.targets.len())));
        }
        for (model, _) in targets.iter().filter(|(_, count)| *count == 0) {
            stage.log.lock().wrong.push(format!("I1: {now} {model} has no targets"));
        }
    }
}
