//! A model made ready: its targets with their handles.

use super::aside::Asides;
use super::{Aside, Native, ProviderPlan, Typed, Uris, Voice};
use crate::clock::nanos;
use crate::diagnosis::Trouble;
use crate::stages::queue;
use crate::state::{Entry, Registry, RouteRamp, Slot, TargetState, Unavailable};
use http::HeaderValue;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use wellhead_catalog::{Prefill, Prices};
use wellhead_config::snapshot::{Model, Target};
use wellhead_resilience::breaker::{Phase, Pool, Transition, may_open_by_rate};
use wellhead_resilience::budget::RetryBudget;
use wellhead_resilience::ladder::TargetView;
use wellhead_resilience::{Nanos, hedge, ramp};
use wellhead_telemetry::{Metrics, RouteMetrics, TargetMetrics};
use wellhead_types::Name;
use wellhead_wire::chat::Losses;
use wellhead_wire::openai::Endpoint;
use wellhead_wire::openai::resume::PrefillForm;

/// What a model name stands for.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) model: Arc<Model>,
    pub(crate) targets: Vec<TargetPlan>,
    pub(crate) metrics: Arc<RouteMetrics>,
    /// What it may spend on retries.
    pub(crate) budget: Arc<RetryBudget>,
    /// What it may spend on second attempts for late streams.
    pub(crate) hedges: Arc<hedge::Budget>,
    /// Why it cannot be served, while that is so.
    pub(crate) trouble: Arc<Trouble>,
    /// How it comes back after an outage.
    pub(crate) ramp: Arc<RouteRamp>,
    pub(crate) header: HeaderValue,
}

/// One target of a route.
#[derive(Debug)]
pub(crate) struct TargetPlan {
    pub(crate) id: Name,
    pub(crate) model: Name,
    pub(crate) provider: Arc<ProviderPlan>,
    /// Rank of its tier among those in use, so that 0 is always the first one.
    pub(crate) tier: u8,
    pub(crate) weight: u32,
    /// There are others, so that it matters how long it takes to answer.
    pub(crate) compared: bool,
    pub(crate) state: Arc<TargetState>,
    pub(crate) metrics: Arc<TargetMetrics>,
    pub(crate) header: HeaderValue,
    /// What its answers cost.
    pub(crate) prices: Option<Arc<Prices>>,
    /// How it continues an answer that broke off elsewhere.
    pub(crate) prefill: PrefillForm,
    /// What an adapter has to know to write for it.
    pub(crate) voice: Arc<Voice>,
    /// There if it speaks another dialect than OpenAI Chat.
    pub(crate) native: Option<Native>,
    /// There if it has endpoints beside the chat in a form of its own.
    asides: Option<Box<Asides>>,
    /// There if it serves Responses too.
    pub(crate) typed: Option<Box<Typed>>,
    uris: Vec<Uris>,
    /// Where it takes prefills, if that is another place.
    prefill_uris: Option<Uris>,
}

/// The target works on as much as it takes.
#[derive(Debug)]
pub(crate) struct Full;

impl Route {
    pub(super) fn compile(
        model: &Arc<Model>,
        providers: &HashMap<Name, Arc<ProviderPlan>>,
        registry: &Registry,
        metrics: &Metrics,
    ) -> Self {
        let mut tiers: Vec<u8> = model.targets.iter().map(|t| t.tier).collect();
        tiers.sort_unstable();
        tiers.dedup();
        let rank =
            |tier: u8| u8::try_from(tiers.iter().position(|t| *t == tier).unwrap_or(0)).unwrap_or(u8::MAX);
        let targets = model.targets.iter().filter_map(|target| {
            let provider = providers.get(&target.provider.name)?;
            let losses = Losses::allowed(model.drop_unsupported.iter().map(|name| &**name));
            TargetPlan::compile(target, rank(target.tier), provider, losses, (registry, metrics))
                .map_err(|error| tracing::error!(target = %target.id, error, "target left out of the plan"))
                .ok()
        });
        let mut targets: Vec<TargetPlan> = targets.collect();
        let compared = targets.len() > 1;
        targets.iter_mut().for_each(|target| target.compared = compared);
        Self {
            targets,
            metrics: metrics.route(&model.name),
            budget: registry.budget(&model.name),
            hedges: registry.hedges(&model.name),
            trouble: registry.trouble(&model.name),
            ramp: registry.ramp(&model.name),
            header: visible(&model.name),
            model: model.clone(),
        }
    }
}

impl Route {
    /// What the pool permits its targets. `sole`: only one of them can answer the request.
    pub(crate) fn pool(&self, sole: bool) -> Pool {
        let opened = self.targets.iter().filter(|target| target.state.is_open_by_rate()).count();
        Pool { sole, may_open_by_rate: may_open_by_rate(opened, self.targets.len()) }
    }

    /// Whether nothing works; `but`: a target that does not, whatever is known of it.
    pub(crate) fn is_down(&self, but: Option<usize>, now: Nanos) -> bool {
        let others = self.targets.iter().enumerate().filter(|(i, _)| Some(*i) != but);
        ramp::is_down(others.map(|(_, target)| target.state.look(now).class))
    }

    /// Longest silence of a stream of this target, once it has begun.
    pub(crate) fn idle_limit(&self, target: Option<usize>) -> Duration {
        let configured = self.model.stream_idle_timeout;
        let Some(target) = target.and_then(|target| self.targets.get(target)).filter(|t| t.compared) else {
            return configured;
        };
        let latencies = &target.state.latencies;
        let limit = latencies.known(true).idle_limit(latencies.thinks(), nanos(configured));
        Duration::from_nanos(limit)
    }
}

impl TargetPlan {
    fn compile(
        target: &Target,
        tier: u8,
        provider: &Arc<ProviderPlan>,
        losses: Losses,
        (registry, metrics): (&Registry, &Metrics),
    ) -> Result<Self, String> {
        let prefill = form(provider.prefill_of(&target.model));
        let chat = Endpoint::ChatCompletions.upstream_path();
        let prefill_uris = prefill.base_path().map(|path| provider.uris_below(path, chat, &target.model));
        let facts = target.facts.as_deref();
        let voice = Voice::compile(provider, &target.model, facts, losses.clone());
        let uris = Endpoint::ALL.iter().map(|e| provider.uris(e.upstream_path(), &target.model));
        Ok(Self {
            id: target.id.clone(),
            model: target.model.clone(),
            provider: provider.clone(),
            tier,
            weight: target.weight,
            compared: false,
            state: registry.target(&target.id),
            metrics: metrics.target(&target.id),
            header: visible(&target.id),
            prices: target.facts.as_ref().map(|facts| facts.prices.clone().into()),
            prefill,
            prefill_uris: prefill_uris.transpose()?,
            native: Native::compile(provider, &target.model, voice.way)?,
            voice: voice.into(),
            typed: Typed::compile(provider, &target.model, facts, losses)?,
            asides: Asides::compile(provider, &target.model)?,
            uris: uris.collect::<Result<_, String>>()?,
        })
    }

    /// Whether it can be asked for this.
    pub(crate) fn serves(&self, endpoint: Endpoint) -> bool {
        match endpoint {
            Endpoint::CountTokens => self.native.as_ref().is_some_and(Native::counts),
            other => self.provider.serves(other),
        }
    }

    /// How the endpoint is asked, if neither as the client does nor in the target's dialect for chats.
    pub(crate) fn aside(&self, endpoint: Endpoint) -> Option<&Aside> {
        self.asides.as_ref()?.at(endpoint)
    }

    pub(crate) fn uris(&self, endpoint: Endpoint) -> &Uris {
        // Counts are asked for at addresses of their own; nobody else comes here.
        self.uris.get(endpoint as usize).unwrap_or(&self.uris[0])
    }

    /// Where it is handed the beginning of an answer.
    pub(crate) fn prefill_uris(&self, endpoint: Endpoint) -> &Uris {
        let elsewhere = self.prefill_uris.as_ref().filter(|_| endpoint == Endpoint::ChatCompletions);
        elsewhere.unwrap_or_else(|| self.uris(endpoint))
    }

    /// What the ladder needs to know; `worker` is whose estimates count.
    pub(crate) fn view(&self, worker: usize, now: Nanos) -> TargetView {
        let look = self.state.look(now);
        let in_flight = self.state.in_flight.load(Relaxed);
        let full = self.is_full(in_flight, now);
        let (estimate, in_flight, recovered_at) = if self.compared {
            let estimate = self.state.estimate(worker, now, |estimate| estimate.read(now));
            (estimate, u32::try_from(in_flight).unwrap_or(u32::MAX), self.state.recovered_at())
        } else {
            (0, 0, None)
        };
        TargetView {
            tier: self.tier,
            weight: self.weight,
            key_free_at: self.provider.key_free_at(&self.model, now).max(look.asked_until),
            key_limited: look.asked_until.is_none() && self.provider.is_limited(now),
            keyless: self.provider.keys.is_empty(),
            class: look.class,
            rests_until: look.rests_until,
            room_at: look.room_at.or_else(|| full.then(|| queue::soon(now))),
            full,
            estimate,
            in_flight,
            recovered_at,
        }
    }

    /// Whether it works on as much as it takes, with `in_flight` attempts there.
    pub(crate) fn is_full(&self, in_flight: u64, now: Nanos) -> bool {
        self.provider.slots.as_ref().is_some_and(|(max, slots)| slots.taken() >= *max)
            || self.state.load.is_full(in_flight, now)
    }

    /// Takes room for one more attempt; `Err` if there is none. Where slots are configured it is kept until the slot is
    /// dropped; learnt limits are looked at, and one too many does no harm.
    pub(crate) fn take_room(&self, now: Nanos) -> Result<Option<Slot>, Full> {
        if self.state.load.is_full(self.state.in_flight.load(Relaxed), now) {
            return Err(Full);
        }
        match &self.provider.slots {
            Some((max, slots)) => slots.take(*max).map(Some).ok_or(Full),
            None => Ok(None),
        }
    }

    /// Asks for the right to send, and says whether that makes the request the probe.
    pub(crate) fn enter(&self, now: Nanos, last_light: bool) -> Result<(Entry, bool), Unavailable> {
        let (entry, probe) = self.state.enter(now, last_light)?;
        self.note(probe);
        Ok((entry, probe.is_some()))
    }

    /// Counts a change of its state, and says it where it concerns people.
    pub(crate) fn note(&self, transition: Option<Transition>) {
        let Some(change) = transition else { return };
        let (from, to) = (change.from.as_str(), change.to.as_str());
        self.metrics.count_transition(from, to, change.why.as_str());
        if !change.is_loud() {
            return;
        }
        if change.to == Phase::Open {
            tracing::warn!(target = %self.id, from, to, why = %change.why, "a target is left alone for a while");
        } else {
            tracing::info!(target = %self.id, from, to, why = %change.why, "the state of a target has changed");
        }
    }
}

const fn form(prefill: Prefill) -> PrefillForm {
    match prefill {
        Prefill::None => PrefillForm::None,
        Prefill::Trailing => PrefillForm::LastAssistant,
        Prefill::Vllm => PrefillForm::VllmContinue,
        Prefill::Mistral => PrefillForm::MistralPrefix,
        Prefill::Deepseek => PrefillForm::DeepSeekPrefix,
        Prefill::Partial => PrefillForm::Partial,
    }
}

/// A name as a header value; what a header cannot carry becomes `?`.
fn visible(name: &str) -> HeaderValue {
    let ascii: String =
        name.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
    HeaderValue::from_str(&ascii).unwrap_or_else(|_| HeaderValue::from_static("?"))
}
