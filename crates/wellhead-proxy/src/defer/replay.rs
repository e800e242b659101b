//! The task that answers deferred requests. It wakes up when something changes and a few times a second while anything
//! waits; it starts what may be started, ends what is not worth answering any more, and forgets what has been kept for
//! long enough.

use super::fetch::end;
use super::run::{self, Ran, run};
use super::webhook::{Told, tell};
use crate::gateway::Worker;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{self, JoinSet};
use wellhead_net::DrainPhase;
use wellhead_resilience::defer::{How, Id, Lane};
use wellhead_resilience::{MILLI, Nanos, Rng};
use wellhead_types::Name;

/// Requests under way at once, over all models: what live traffic does not notice.
const RUNS_MAX: usize = 32;
/// A model whose setting is gone while some of its requests wait.
const CONCURRENCY_DEFAULT: u32 = 4;
/// How often the clock is looked at while anything is kept.
const TICK: Nanos = 500 * MILLI;
/// The same while nothing is.
const IDLE: Duration = Duration::from_secs(3600);
/// Webhooks under way at once.
const TELLS_MAX: usize = 8;
/// Requests that are ended at one tick because they are too old.
const EXPIRED_AT_ONCE_MAX: usize = 64;

struct Replay {
    worker: Arc<Worker>,
    lanes: BTreeMap<Name, Lane>,
    runs: JoinSet<Ran>,
    /// What each task is for.
    tasks: HashMap<task::Id, (Name, Id)>,
    tells: JoinSet<(Id, Name, Told)>,
    telling: BTreeSet<Id>,
    /// Apps whose receivers want no more messages (410), with the generation that said where they are. Another one may
    /// name another receiver, so it is tried again.
    gone: BTreeMap<Name, u64>,
    rng: Rng,
    swept: Nanos,
}

/// Runs until the drain is over.
pub(super) async fn replay(worker: Arc<Worker>) {
    let gateway = worker.gateway.clone();
    let mut changes = gateway.deferred.journal.changes();
    let mut replay = Replay {
        rng: Rng::new(gateway.entropy.next()),
        worker,
        lanes: BTreeMap::new(),
        runs: JoinSet::new(),
        tasks: HashMap::new(),
        tells: JoinSet::new(),
        telling: BTreeSet::new(),
        gone: BTreeMap::new(),
        swept: 0,
    };
    let mut generation = gateway.generation();
    loop {
        let phase = gateway.drain.phase();
        if phase >= DrainPhase::Now || (phase >= DrainPhase::Closing && replay.runs.is_empty()) {
            return;
        }
        replay.sweep().await;
        if phase == DrainPhase::Serving {
            if std::mem::replace(&mut generation, gateway.generation()) != generation {
                // Whatever was missing may be there now.
                replay.lanes.values_mut().for_each(Lane::wake);
            }
            replay.start();
            replay.tell();
        }
        let next = match phase {
            DrainPhase::Serving => DrainPhase::Announced,
            DrainPhase::Announced => DrainPhase::Closing,
            DrainPhase::Closing | DrainPhase::Now => DrainPhase::Now,
        };
        let pause = replay.pause();
        tokio::select! {
            Some(ended) = replay.runs.join_next_with_id(), if !replay.runs.is_empty() => match ended {
                Ok((task, ran)) => replay.ended(task, ran),
                Err(error) => replay.broken(&error).await,
            },
            Some(told) = replay.tells.join_next(), if !replay.tells.is_empty() => replay.told(told),
            changed = changes.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(pause) => {}
            () = gateway.drain.reached(next) => {}
        }
    }
}

impl Replay {
    fn now(&self) -> Nanos {
        self.worker.gateway.clock.now()
    }

    /// Starts what may be started.
    fn start(&mut self) {
        let (now, gateway) = (self.now(), self.worker.gateway.clone());
        let plan = gateway.plan.load();
        let mut outbox = gateway.deferred.journal.outbox();
        let models: Vec<Name> = outbox.models().cloned().collect();
        for model in models {
            let Some(route) = plan.routes.get(&model) else { continue };
            let at_once_max =
                route.model.defer.as_ref().map_or(CONCURRENCY_DEFAULT, |defer| defer.concurrency);
            let lane = self.lanes.entry(model.clone()).or_default();
            while self.runs.len() < RUNS_MAX && lane.may_start(now, at_once_max) {
                let Some(id) = outbox.next(&model) else { break };
                lane.on_started();
                let task = self.runs.spawn(run(self.worker.clone(), id));
                self.tasks.insert(task.id(), (model.clone(), id));
            }
        }
    }

    fn ended(&mut self, task: task::Id, ran: Ran) {
        let now = self.now();
        let Some((model, _)) = self.tasks.remove(&task) else { return };
        let Some(lane) = self.lanes.get_mut(&model) else { return };
        match ran {
            Ran::Answered => lane.on_answered(),
            Ran::Failed => lane.on_failed(now, &mut self.rng),
            Ran::Unready(until) => lane.on_unready(until),
        }
    }

    /// Tells the owners whose turn it is.
    fn tell(&mut self) {
        let (worker, generation) = (&self.worker, self.worker.gateway.generation());
        let room = TELLS_MAX.saturating_sub(self.tells.len());
        if room == 0 {
            return;
        }
        let outbox = worker.gateway.deferred.journal.outbox();
        let (due, _) = outbox.to_tell(run::now_ms(worker), room + self.telling.len());
        for id in due.into_iter().filter(|id| !self.telling.contains(id)).take(room).collect::<Vec<_>>() {
            let Some(app) = outbox.get(id).map(|entry| entry.request.app.clone()) else { continue };
            let refused = self.gone.get(&app) == Some(&generation);
            self.telling.insert(id);
            let worker = worker.clone();
            self.tells.spawn(async move { (id, app, tell(worker, id, refused).await) });
        }
    }

    fn told(&mut self, told: Result<(Id, Name, Told), task::JoinError>) {
        match told {
            Ok((id, app, told)) => {
                self.telling.remove(&id);
                self.worker.gateway.deferred.counts.told(told);
                let generation = self.worker.gateway.generation();
                if told == Told::Gone && self.gone.insert(app.clone(), generation) != Some(generation) {
                    tracing::warn!(%app, "the app's webhook wants no more messages (410); none are sent until the next configuration");
                }
            }
            Err(error) => {
                // Which one it was is not known, so none is left out: they may be told twice.
                tracing::error!(%error, "a webhook broke down");
                self.telling.clear();
            }
        }
    }

    /// A task panicked. Whatever it had come to, the request is not lost.
    async fn broken(&mut self, error: &task::JoinError) {
        tracing::error!(%error, "a deferred request broke down");
        let Some((model, id)) = self.tasks.remove(&error.id()) else { return };
        run::returned(&self.worker, id, false, "internal").await;
        self.worker.gateway.deferred.journal.outbox().release(id);
        let now = self.now();
        if let Some(lane) = self.lanes.get_mut(&model) {
            lane.on_failed(now, &mut self.rng);
        }
    }

    /// Ends what is too old, forgets what has been kept for long enough.
    async fn sweep(&mut self) {
        let now = self.now();
        if now.saturating_sub(self.swept) < TICK {
            return;
        }
        self.swept = now;
        let (worker, journal) = (self.worker.clone(), &self.worker.gateway.deferred.journal);
        let now_ms = run::now_ms(&worker);
        let (late, forgotten) = {
            let mut outbox = journal.outbox();
            (outbox.expired(now_ms), outbox.forget(now_ms))
        };
        if forgotten > 0 {
            journal.tidy();
        }
        for id in late.into_iter().take(EXPIRED_AT_ONCE_MAX) {
            let entry = {
                let mut outbox = journal.outbox();
                if outbox.claim(id) { outbox.get(id).cloned() } else { None }
            };
            if let Some(entry) = entry {
                let plan = worker.gateway.plan.load_full();
                let expired = end(&worker, How::Expired, Some("deferred_expired"));
                run::finish(&worker, &plan, &entry, expired, Bytes::new()).await;
            }
        }
        let outbox = journal.outbox();
        let waiting: Vec<&Name> = outbox.models().collect();
        self.lanes.retain(|model, lane| lane.running() > 0 || waiting.contains(&model));
    }

    /// How long nothing happens by itself.
    fn pause(&self) -> Duration {
        let now = self.now();
        if self.worker.gateway.deferred.journal.outbox().total().requests == 0 {
            return IDLE;
        }
        let opens = self.lanes.values().filter_map(|lane| lane.opens_at(now)).min();
        let wait = opens.map_or(TICK, |at| at.saturating_sub(now)).clamp(MILLI, TICK);
        Duration::from_nanos(wait)
    }
}
