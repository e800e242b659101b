//! When the targets of a model have no answer: what its owner has declared in its place. What is tried in which order is
//! decided by [`Substitution`]; here it is done.

mod answers;
mod key;
mod text;

pub(crate) use answers::AnswerStore;
use answers::Recording;

use crate::answer::Opened;
use crate::clock::nanos;
use crate::exchange::Exchange;
use crate::plan::{AppPlan, Plan, Route};
use crate::stages::attempt::{self, GaveUp, Outcome};
use http::header::{HeaderMap, HeaderValue};
use std::sync::Arc;
use wellhead_http::names;
use wellhead_resilience::Nanos;
use wellhead_resilience::ladder::{Event, Ladder};
use wellhead_resilience::substitute::{Declared, Ended, Next, Step, Substitution};
use wellhead_telemetry::AttemptRecord;
use wellhead_telemetry::metrics::Substitute as By;
use wellhead_types::Rung;
use wellhead_wire::openai::{Endpoint, reuse, stand_in};

/// A request's way through what stands in for its model.
#[derive(Debug)]
pub(crate) struct Substitute {
    decider: Substitution,
    /// What was asked for.
    asked: Arc<Route>,
    app: Arc<AppPlan>,
    /// There is a smaller model.
    backed: bool,
    /// Longest wait for a recovery while something else can be had.
    after: Nanos,
    /// The ladder of the model that was asked for, while another one is asked.
    ladder: Option<Ladder>,
    /// Attempts before those of the model that is being asked.
    attempts_before: usize,
    /// Where the parts of the kept body begin that are for the model that is being asked.
    parts_before: usize,
    /// What an answer from the cache says of itself.
    hit: Option<Hit>,
    /// What goes to the client, if it may be kept.
    recording: Option<Recording>,
}

/// An answer from the cache.
#[derive(Debug)]
struct Hit {
    target: HeaderValue,
    left: Nanos,
}

impl Substitute {
    /// For a request to this route that came now; `None` if its model declares nothing. Models that cannot answer the
    /// request, or may not see it, are as good as not declared: nothing is kept for them.
    pub(crate) fn of(
        plan: &Plan,
        route: &Arc<Route>,
        app: &Arc<AppPlan>,
        endpoint: Endpoint,
        now: Nanos,
        deadline: Nanos,
    ) -> Option<Box<Self>> {
        // Another model counts differently.
        let fallback = route.model.fallback.as_ref().filter(|_| endpoint != Endpoint::CountTokens)?;
        let [smaller, larger] = others(plan, route)
            .map(|other| other.is_some_and(|o| unfit(&o, route, app, endpoint).len() < o.targets.len()));
        let declared = Declared {
            cached: fallback.cache.is_some() && reuse::is_kept(endpoint),
            smaller,
            text: fallback.text.is_some() && stand_in::is_said(endpoint),
            larger,
        };
        Some(Box::new(Self {
            decider: Substitution::new(declared, now, deadline, route.model.attempts_max),
            asked: route.clone(),
            app: app.clone(),
            backed: declared.smaller,
            after: nanos(fallback.after),
            ladder: None,
            attempts_before: 0,
            parts_before: 0,
            hit: None,
            recording: None,
        }))
    }

    /// Whether another model can answer, so that the last target that can need not be asked by everybody while it is down.
    pub(crate) const fn is_backed(&self) -> bool {
        self.backed
    }

    /// Until when the model that was asked for has time, and how many attempts.
    pub(crate) fn first(&self) -> (Nanos, u32) {
        (self.decider.first_deadline(), self.decider.first_attempts_max())
    }
}

/// The smaller and the larger model of a route.
pub(crate) fn others(plan: &Plan, route: &Route) -> [Option<Arc<Route>>; 2] {
    let Some(fallback) = &route.model.fallback else { return [None, None] };
    [&fallback.model, &fallback.larger_model].map(|name| plan.routes.get(name.as_ref()?).cloned())
}

/// The targets of a route that cannot answer: no such endpoint, or in no region that app and model allow (decision 19).
pub(crate) fn unfit(route: &Route, asked: &Route, app: &AppPlan, endpoint: Endpoint) -> Vec<usize> {
    let is_fit = |i: &usize| {
        let target = &route.targets[*i];
        let provider = &target.provider;
        let regions = asked.model.regions.as_ref();
        let is_near = regions.is_none_or(|r| provider.region.as_ref().is_some_and(|own| r.contains(own)));
        target.serves(endpoint) && app.may_reach(provider) && is_near
    };
    (0..route.targets.len()).filter(|i| !is_fit(i)).collect()
}

/// Runs the attempts, and if they come to nothing, what was declared for that.
pub(crate) async fn run(exchange: &mut Exchange) -> Outcome {
    let outcome = attempt::run(exchange).await;
    match outcome {
        // Boxed: nearly no request comes here, and every one would carry it.
        Err(gave_up) if exchange.substitute.is_some() => Box::pin(instead(exchange, gave_up)).await,
        outcome => outcome,
    }
}

/// The model that was asked for has no answer.
async fn instead(exchange: &mut Exchange, first: GaveUp) -> Outcome {
    let mut latest: Option<GaveUp> = None;
    loop {
        let next = next(exchange, latest.as_ref().unwrap_or(&first));
        let Next::Try { step, deadline, attempts_max } = next else {
            back(exchange);
            return Err(if next == Next::Latest { latest.unwrap_or(first) } else { first });
        };
        let outcome = match step {
            Step::Cached => answers::look(exchange).await.map(Ok),
            Step::Text => text::say(exchange).await.map(Ok),
            Step::Larger | Step::Smaller => match switch(exchange, step, deadline, attempts_max) {
                true => Some(attempt::run(exchange).await),
                false => None,
            },
            Step::Again => Some(again(exchange, deadline, attempts_max).await),
        };
        match outcome {
            Some(Ok(opened)) => return Ok(counted(exchange, step, opened)),
            Some(Err(gave_up)) => latest = Some(gave_up),
            None => {}
        }
    }
}

fn next(exchange: &mut Exchange, gave_up: &GaveUp) -> Next {
    let now = exchange.now();
    // Those of both models, if there are two; what probes while it waits uses nothing up.
    let before = exchange.substitute.as_ref().and_then(|sub| sub.ladder.as_ref()).map_or(0, Ladder::attempts);
    let attempts = exchange.ladder.attempts().saturating_add(before);
    let ended =
        Ended { end: gave_up.end, cause: gave_up.last.as_ref().map(|failure| failure.cause), attempts };
    let next = exchange.substitute.as_mut().map_or(Next::First, |sub| sub.decider.next(ended, now));
    tracing::debug!(request = %exchange.books.record.request_id, ?ended, ?next, "no target has an answer");
    next
}

/// From here on another model is asked. False if it cannot be.
fn switch(exchange: &mut Exchange, step: Step, deadline: Nanos, attempts_max: u32) -> bool {
    let now = exchange.now();
    let Some(sub) = exchange.substitute.as_mut().filter(|_| !exchange.body.is_spent()) else { return false };
    let [smaller, larger] = others(&exchange.plan, &sub.asked);
    let own = sub.asked.targets.len();
    let (route, parts_before) = match step {
        Step::Larger => (larger, own + smaller.map_or(0, |route| route.targets.len())),
        _ => (smaller, own),
    };
    let Some(route) = route else { return false };
    let unfit = unfit(&route, &sub.asked, &sub.app, exchange.endpoint);
    if unfit.len() == route.targets.len() {
        return false;
    }
    exchange.books.sole = unfit.len() + 1 == route.targets.len();
    let mut ladder = Ladder::new(now, deadline, attempts_max, exchange.worker.gateway.entropy.next());
    unfit.into_iter().for_each(|i| ladder.exclude(i));
    sub.ladder = Some(std::mem::replace(&mut exchange.ladder, ladder));
    (sub.attempts_before, sub.parts_before) = (exchange.books.record.attempts.len(), parts_before);
    exchange.deadline = deadline;
    route.budget.on_request(now);
    exchange.books.asked = Some(sub.asked.clone());
    exchange.books.route = Some(route.clone());
    exchange.route = route;
    true
}

/// The model that was asked for is the one that is being asked.
fn back(exchange: &mut Exchange) {
    let Some(sub) = &mut exchange.substitute else { return };
    let Some(ladder) = sub.ladder.take() else { return };
    let unfit = unfit(&sub.asked, &sub.asked, &sub.app, exchange.endpoint);
    exchange.books.sole = unfit.len() + 1 == sub.asked.targets.len() && !sub.backed;
    (sub.attempts_before, sub.parts_before) = (0, 0);
    exchange.ladder = ladder;
    exchange.books.asked = None;
    exchange.books.route = Some(sub.asked.clone());
    exchange.route = sub.asked.clone();
}

/// Nothing stands in. The model that was asked for gets what is left of the time, and is waited for as if nothing had
/// been declared.
async fn again(exchange: &mut Exchange, deadline: Nanos, attempts_max: u32) -> Outcome {
    back(exchange);
    exchange.deadline = deadline;
    let attempts = exchange.ladder.attempts();
    exchange.ladder.reopen(deadline, attempts.saturating_add(attempts_max));
    let effect = exchange.decide(Event::Waited);
    let effect = exchange.possible(effect);
    attempt::go_on(exchange, effect).await
}

fn counted(exchange: &Exchange, step: Step, opened: Opened) -> Opened {
    let by = match step {
        Step::Cached => By::Cached,
        Step::Smaller => By::SmallerModel,
        Step::Text => By::Static,
        Step::Larger => By::LargerModel,
        Step::Again => return opened,
    };
    if let Some(sub) = &exchange.substitute {
        sub.asked.metrics.count_substitute(by);
    }
    opened
}

impl Exchange {
    /// The rung that an answer of the attempt under way stands on.
    pub(crate) fn rung(&self) -> Rung {
        let own = if self.resume.is_some() { Rung::Resumed } else { self.ladder.rung() };
        match self.substitute.as_ref().and_then(|sub| sub.decider.latest()) {
            Some(Step::Smaller) => Rung::Degraded,
            Some(Step::Larger) => own.max(Rung::FailedOver),
            _ => own,
        }
    }

    /// The attempts at the model that is being asked.
    pub(crate) fn own_attempts(&self) -> &[AttemptRecord] {
        let before = self.substitute.as_ref().map_or(0, |sub| sub.attempts_before);
        self.books.record.attempts.get(before..).unwrap_or_default()
    }

    /// The answer has begun: no other model will be asked, and the attempt that was kept for one is the rescue's.
    pub(crate) fn release_attempts(&mut self) {
        let Some(sub) = &self.substitute else { return };
        if sub.decider.latest().is_none() {
            self.ladder.reopen(self.deadline, self.route.model.attempts_max);
        }
    }

    /// Where the parts of the kept body begin that are for the model that is being asked.
    pub(crate) fn parts_before(&self) -> usize {
        self.substitute.as_ref().map_or(0, |sub| sub.parts_before)
    }

    /// Longest wait for a recovery, if it is cut short because something else can be had.
    pub(crate) fn hurry(&self) -> Option<Nanos> {
        let sub = self.substitute.as_ref()?;
        (self.resume.is_none() && sub.decider.is_hurried()).then_some(sub.after)
    }

    /// What an answer says about not being what was asked for.
    pub(crate) fn substitute_headers(&self, headers: &mut HeaderMap) {
        let Some(sub) = &self.substitute else { return };
        let word = match sub.decider.latest() {
            Some(Step::Smaller) => By::SmallerModel,
            Some(Step::Text) => By::Static,
            Some(Step::Cached) => return sub.hit.iter().for_each(|hit| hit.write(headers)),
            _ => return,
        };
        headers.insert(&names::X_WELLHEAD_DEGRADED, HeaderValue::from_static(word.as_str()));
    }
}

impl Hit {
    fn write(&self, headers: &mut HeaderMap) {
        headers.insert(&names::X_WELLHEAD_TARGET, self.target.clone());
        let left_s = self.left / wellhead_resilience::SECOND;
        // RFC 9211 section 2: who answered, that it was a hit, and for how many seconds it will be one.
        if let Ok(value) = HeaderValue::from_str(&format!("wellhead; hit; ttl={left_s}")) {
            headers.insert(&names::CACHE_STATUS, value);
        }
    }
}
