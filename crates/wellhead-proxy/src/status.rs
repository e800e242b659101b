//! The upstream truth for `/status`: what the data plane knows of its targets and keys, from memory.

use crate::clock::nanos;
use crate::diagnosis;
use crate::gateway::Gateway;
use crate::plan::{KeyPlan, ProviderPlan, Route, TargetPlan};
use crate::settle::since;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use wellhead_net::{DrainPhase, NameReport};
use wellhead_resilience::Nanos;
use wellhead_resilience::diagnose;
use wellhead_resilience::fair::Class;
use wellhead_resilience::key_rest::Why;
use wellhead_resilience::latency::FirstAsk;
use wellhead_telemetry::TargetState;
use wellhead_telemetry::metrics::Load;
use wellhead_types::{
    Concurrency, ConfigStatus, DeferredStatus, KeyStatus, LearntStatus, Name, ProviderStatus, RouteStatus,
    Status, StoriesKept, Story, TargetStatus,
};

impl Gateway {
    /// Writes the state of every target into its gauge. Called before a scrape: nobody needs it in between.
    pub fn refresh_gauges(&self) {
        let (now, plan) = (self.clock.now(), self.plan.load());
        self.metrics.set_replay_bytes(self.replay.used());
        self.metrics.set_held(self.room.places() as u64);
        self.metrics.set_cache(self.answers.numbers());
        for route in plan.routes.values() {
            route.metrics.set_queued(self.room.lengths(&route.model.name));
        }
        self.metrics.set_deferred(self.deferred.figures(self.clock.wall_ns(now) / 1_000_000));
        for target in plan.routes.values().flat_map(|route| &route.targets) {
            let limits = target.state.load.limits();
            target.metrics.set_load(Load {
                in_flight: target.state.in_flight.load(Relaxed),
                in_flight_max: limits.in_flight.map(u64::from),
                waiting_max: limits.waiting.map(u64::from),
            });
            target.metrics.set_state(match target_word(target, now) {
                "failing" => TargetState::Failing,
                "ok" => TargetState::Ok,
                _ => TargetState::Unknown,
            });
        }
    }

    /// Everything but the configuration's own state, which the control plane adds.
    pub fn status(&self) -> Status {
        let (now, plan) = (self.clock.now(), self.plan.load());
        let names = self.connector.resolver().report();
        let routes: Vec<_> = plan
            .routes
            .values()
            .map(|route| self.with_queue(route, route_status(route, &names, now)))
            .collect();
        let draining = self.drain.phase() >= DrainPhase::Announced;
        Status {
            verdict: verdict(&routes, draining),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: (now / wellhead_resilience::SECOND).saturating_sub(1),
            draining,
            config: ConfigStatus { generation: plan.generation, ..ConfigStatus::default() },
            providers: plan.providers.iter().map(|provider| provider_status(provider, now)).collect(),
            deferred: self.deferred_status(now),
            routes,
            findings: diagnosis::hosts(self, &names).iter().map(|f| diagnosis::shown(f, now)).collect(),
        }
    }

    /// How many targets each model has: what must never come to nothing.
    pub fn targets(&self) -> Vec<(Name, usize)> {
        self.plan
            .load()
            .routes
            .values()
            .map(|route| (route.model.name.clone(), route.targets.len()))
            .collect()
    }

    /// The story of a request that did not go straight.
    pub fn explain(&self, request_id: &str) -> Option<Arc<Story>> {
        self.stories.find(request_id)
    }

    /// How many stories there are.
    pub fn stories_kept(&self) -> StoriesKept {
        self.stories.kept()
    }

    fn with_queue(&self, route: &Route, status: RouteStatus) -> RouteStatus {
        let lengths = self.room.lengths(&route.model.name);
        let queued = Class::ALL.iter().map(|class| class.as_str()).zip(lengths);
        RouteStatus {
            queued: queued.filter(|(_, length)| *length > 0).collect(),
            admitted_per_s: route.ramp.rate().map(|thousandths| thousandths as f64 / 1_000.0),
            ..status
        }
    }

    fn deferred_status(&self, now: Nanos) -> DeferredStatus {
        let figures = self.deferred.figures(self.clock.wall_ns(now) / 1_000_000);
        DeferredStatus {
            queued: figures.queued,
            running: figures.running,
            kept: figures.kept,
            bytes: figures.bytes,
            disk_bytes: figures.disk_bytes,
            oldest_s: figures.oldest_s,
        }
    }
}

fn verdict(routes: &[RouteStatus], draining: bool) -> String {
    let count = |state| routes.iter().filter(|route| route.state == state).count();
    let (down, impaired) = (count("down"), count("impaired"));
    let names = |state| -> String {
        let names: Vec<_> =
            routes.iter().filter(|r| r.state == state).map(|r| r.model.as_str()).take(3).collect();
        names.join(", ")
    };
    match (draining, down, impaired) {
        (true, _, _) => "Draining: requests under way are being finished.".to_owned(),
        (_, 0, 0) => format!("All {} models are served.", routes.len()),
        (_, 0, n) => {
            format!("All models are served; {n} with fewer targets than configured ({}).", names("impaired"))
        }
        (_, n, _) => format!("{n} of {} models cannot be served now ({}).", routes.len(), names("down")),
    }
}

fn route_status(route: &Route, names: &[NameReport], now: Nanos) -> RouteStatus {
    let targets: Vec<_> = (0..route.targets.len()).map(|number| target_status(route, number, now)).collect();
    let failing = targets.iter().filter(|target| target.state == "failing").count();
    let state = match failing {
        0 => "ok",
        n if n == targets.len() => "down",
        _ => "impaired",
    };
    // What is survived concerns names and addresses, and is told once for all models.
    let findings = diagnose::findings(&diagnosis::of_route(route, names, now));
    let findings = findings.iter().filter(|f| !f.diagnosis.is_survived()).map(|f| diagnosis::shown(f, now));
    RouteStatus {
        model: route.model.name.to_string(),
        state,
        diagnosis: route.trouble.shown(now),
        findings: findings.collect(),
        targets,
        queued: Vec::new(),
        admitted_per_s: None,
    }
}

fn target_status(route: &Route, number: usize, now: Nanos) -> TargetStatus {
    let target = &route.targets[number];
    let state = &target.state;
    let evidence = state.evidence();
    let (word, limits) = (target_word(target, now), state.load.limits());
    TargetStatus {
        target: target.id.to_string(),
        tier: target.tier,
        weight: target.weight,
        state: word,
        in_flight: state.in_flight.load(Relaxed),
        waiting: state.load.waiting(),
        in_flight_max: limits.in_flight,
        waiting_max: limits.waiting,
        successes: state.passive.successes(),
        failures: state.failures.load(Relaxed),
        consecutive_failures: evidence.failures_in_a_row.into(),
        phase: evidence.phase.as_str(),
        rests_s: evidence.rests_until.map(|until| seconds(now, until)),
        failing_for_s: evidence.failing_since.map(|since| seconds(since, now)),
        last_failure: evidence.last_failure.map(|(cause, _)| cause.as_str()),
        last_failure_age_s: evidence.last_failure.map(|(_, at)| seconds(at, now)),
        last_success_age_s: evidence.last_success.map(|at| seconds(at, now)),
        streamed: learnt_status(route, number, true),
        unstreamed: learnt_status(route, number, false),
    }
}

fn learnt_status(route: &Route, number: usize, streamed: bool) -> Option<LearntStatus> {
    let target = route.targets.get(number).filter(|target| target.compared)?;
    let latencies = &target.state.latencies;
    let known = latencies.known(streamed);
    let configured = route.model.first_token_timeout.filter(|_| streamed).map(nanos);
    let ask = FirstAsk {
        streamed,
        alternative: true,
        thinking: latencies.thinks(),
        configured,
        remaining: Nanos::MAX,
    };
    let deadline = nanos(route.model.deadline);
    Some(LearntStatus {
        p50_s: seconds(0, known.p50?),
        p95_s: seconds(0, known.p95?),
        p99_s: seconds(0, known.p99?),
        limit_s: known.first_limit(ask).filter(|limit| *limit < deadline).map(|limit| seconds(0, limit)),
        idle_limit_s: streamed.then(|| seconds(0, nanos(route.idle_limit(Some(number))))),
    })
}

/// `unknown` before the first answer, `failing` after a failure or while all keys rest.
fn target_word(target: &TargetPlan, now: Nanos) -> &'static str {
    let keys_rest = target.provider.key_free_at(&target.model, now).is_some();
    let evidence = target.state.evidence();
    if evidence.failures_in_a_row > 0 || evidence.rests_until.is_some() || keys_rest {
        "failing"
    } else if evidence.last_success.is_some() {
        "ok"
    } else {
        "unknown"
    }
}

fn provider_status(provider: &ProviderPlan, now: Nanos) -> ProviderStatus {
    ProviderStatus {
        name: provider.name.to_string(),
        kind: provider.kind.name.to_string(),
        region: provider.region.as_ref().map(ToString::to_string),
        keys: provider.keys.iter().map(|key| key_status(key, now)).collect(),
        concurrency: provider
            .slots
            .as_ref()
            .map(|(max, slots)| Concurrency { max: *max, taken: slots.taken() }),
    }
}

fn key_status(key: &KeyPlan, now: Nanos) -> KeyStatus {
    key.state.read(|rest| {
        let whole = rest.whole(now);
        let limited: Vec<_> =
            rest.limited(now).map(|(model, until)| (model.to_string(), seconds(now, until))).collect();
        let state = match whole {
            Some((Why::Rejected, _)) => "rejected",
            Some((Why::Exhausted, _)) => "exhausted",
            Some((Why::Unavailable, _)) => "unavailable",
            None if limited.is_empty() => "ok",
            None => "limited",
        };
        KeyStatus {
            key: key.shown(),
            state,
            resting_s: whole.map(|(_, until)| seconds(now, until)),
            limited_models: limited,
        }
    })
}

/// Seconds between two readings, to the millisecond.
fn seconds(from: Nanos, to: Nanos) -> f64 {
    (since(from, to).as_secs_f64() * 1000.0).round() / 1000.0
}
