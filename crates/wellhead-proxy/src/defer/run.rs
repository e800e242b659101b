//! One deferred request is asked for: whom, is written down before it is sent, and what came of it before anybody acts
//! on it. A process that dies between the two leaves a doubt, and a doubt is never met by sending the request to
//! somebody who could do it a second time.

use super::fetch::end;
use crate::body::GatewayBody;
use crate::clock::nanos;
use crate::exchange::Exchange;
use crate::gateway::Worker;
use crate::pipeline;
use crate::plan::{AppPlan, Plan, Route};
use crate::replay::{Kept, bind, memory_max};
use crate::rescue::{self, Refusal};
use crate::settle::Books;
use crate::stages::attempt::{self, GaveUp, Missed};
use crate::stages::route;
use bytes::Bytes;
use http::Response;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::Arc;
use std::time::Duration;
use wellhead_http::trace::Trace;
use wellhead_resilience::defer::frame::BODY_BYTES_MAX;
use wellhead_resilience::defer::{Entry, Finished, How, Id, Record, may_have_run};
use wellhead_resilience::fair::Class;
use wellhead_resilience::ladder::{Effect, End, Event, Ladder, TARGETS_MAX};
use wellhead_resilience::{MILLI, Nanos, SECOND};
use wellhead_types::{Failure, Name, Retry, Rung};
use wellhead_wire::openai::Endpoint;
use wellhead_wire::openai::request::RequestHead;

/// The answer of who is not there yet is looked at again within this: others may find out earlier that it is back.
const LOOK_AGAIN: Nanos = SECOND;
/// Those who wait with an open connection are asked for first.
const AFTER_OTHERS: Nanos = 250 * MILLI;
/// Time between two tries to write down what has happened already.
const WRITE_AGAIN: Duration = Duration::from_secs(1);
/// Headers of an answer that are kept.
const HEADERS_BYTES_MAX: usize = 64 * 1024;
/// Under what path runs are counted: the request itself was counted when it was accepted.
const ENDPOINT: &str = "/v1/deferred";

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    /// A target has answered, or it ended in another way that says nothing against anybody.
    Answered,
    /// A target was asked, and failed.
    Failed,
    /// Nobody was asked. Not before this moment.
    Unready(Nanos),
}

/// Nobody can be asked before then.
struct Later(Nanos);

/// Where a request is sent to.
struct Choice {
    app: Arc<AppPlan>,
    route: Arc<Route>,
    endpoint: Endpoint,
    ladder: Ladder,
    target: usize,
    last_light: bool,
}

/// Asks for a request that the caller has claimed.
pub(super) async fn run(worker: Arc<Worker>, id: Id) -> Ran {
    let outbox = || worker.gateway.deferred.journal.outbox();
    let Some(entry) = outbox().get(id).cloned() else { return Ran::Answered };
    let plan = worker.gateway.plan.load_full();
    let ready = match choose(&worker, &plan, &entry) {
        Ok(Some(choice)) => ready(&worker, &plan, &entry, choice).await,
        Ok(None) => {
            let unknown = end(&worker, How::Failed, Some(Refusal::OUTCOME_UNKNOWN));
            finish(&worker, &plan, &entry, unknown, Bytes::new()).await;
            return Ran::Answered;
        }
        Err(later) => Err(later),
    };
    match ready {
        Ok((exchange, first)) => attempts(exchange, first, &entry).await,
        Err(Later(until)) => {
            outbox().release(id);
            Ran::Unready(until)
        }
    }
}

/// Finds out who is to be asked; `None`: somebody may have done it already, and nobody may be asked again.
fn choose(worker: &Worker, plan: &Plan, entry: &Entry) -> Result<Option<Choice>, Later> {
    let (gateway, now) = (&worker.gateway, worker.gateway.clock.now());
    let later = Later(now + LOOK_AGAIN);
    // An app or a model that is gone may come back with the next configuration; else the request expires.
    let Some(app) = plan.apps.get(&entry.request.app).cloned() else { return Err(later) };
    let Ok(route) = route::route(plan, &app, &entry.request.model) else { return Err(later) };
    let Some(endpoint) = Endpoint::from_path(&entry.request.endpoint) else { return Err(later) };
    let only = match &entry.doubt {
        None => None,
        Some(asked) => match route.targets.iter().position(|target| target.id == *asked) {
            Some(number) if route.targets[number].provider.idempotency => Some(number),
            _ if route.model.defer.as_ref().is_some_and(|defer| defer.resend) => None,
            _ => return Ok(None),
        },
    };
    let deadline = now.saturating_add(nanos(route.model.deadline));
    let mut ladder = Ladder::new(now, deadline, route.model.attempts_max, gateway.entropy.next());
    for (number, target) in route.targets.iter().enumerate() {
        let provider = &target.provider;
        let fit = provider.serves(endpoint) && app.may_reach(provider);
        if !fit || only.is_some_and(|only| only != number) {
            ladder.exclude(number);
        }
    }
    if gateway.room.has_line(&(route.model.name.clone(), ladder.fit(route.targets.len()))) {
        return Err(Later(now + AFTER_OTHERS));
    }
    let view = |i: usize| route.targets[i].view(worker.number, now);
    let (target, last_light) = match ladder.step(Event::Start, route.targets.len(), &view, now) {
        Effect::Send(target) => (target, false),
        Effect::LastLight(target) => (target, true),
        Effect::Wait(at) | Effect::Hold { recovery: at } => {
            return Err(Later(at.clamp(now + MILLI, now + LOOK_AGAIN)));
        }
        Effect::GiveUp(_) => return Err(later),
    };
    Ok(Some(Choice { app, route, endpoint, ladder, target, last_light }))
}

/// Reads the body and makes an exchange of it, as if it had just been admitted.
async fn ready(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    entry: &Entry,
    choice: Choice,
) -> Result<(Box<Exchange>, usize), Later> {
    let gateway = &worker.gateway;
    let later = || Later(gateway.clock.now() + LOOK_AGAIN);
    let mut share = gateway.replay.share();
    if !share.grow(entry.body.bytes, memory_max(&plan.limits)) {
        return Err(later());
    }
    let body = gateway.deferred.journal.read(entry.request.id).await.map_err(|_| later())?;
    let body = bind(body, share);
    let headers = headers(entry);
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let head = RequestHead::parse(choice.endpoint, content_type, &body).map_err(|_| later())?;
    let (mut books, trace) = books(worker, entry, &choice);
    books.input_estimate = head.estimate_input_tokens(&body);
    books.record.request_bytes = body.len() as u64;
    books.sole = choice.ladder.fit(choice.route.targets.len()).count_ones() == 1;
    let deadline = gateway.clock.now().saturating_add(nanos(choice.route.model.deadline));
    books.deadline = deadline;
    books.unfit = !choice.ladder.fit(TARGETS_MAX);
    let tokens = head.estimate_tokens(&body);
    let exchange = Box::new(Exchange {
        worker: worker.clone(),
        plan: plan.clone(),
        deadline,
        tokens,
        ladder: choice.ladder,
        route: choice.route,
        endpoint: choice.endpoint,
        early: None,
        resume: None,
        substitute: None,
        head,
        body: Kept::Memory(body),
        asked: None,
        own: None,
        headers,
        kept_headers: Box::default(),
        trace,
        hold: None,
        last_light: choice.last_light,
        books,
    });
    Ok((exchange, choice.target))
}

/// What the client sent, and a key by which a provider knows the request again.
fn headers(entry: &Entry) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(entry.request.headers.len() + 1);
    for (name, value) in &entry.request.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    if let Ok(key) = HeaderValue::from_str(&format!("wellhead-{}", entry.request.id)) {
        headers.insert("idempotency-key", key);
    }
    headers
}

/// The books of this run: the request itself was counted when it was accepted.
fn books(worker: &Arc<Worker>, entry: &Entry, choice: &Choice) -> (Box<Books>, Trace) {
    let (mut books, trace) = Books::received(worker, &HeaderMap::new(), "POST");
    let record = &mut books.record;
    record.app = Some(choice.app.name.clone());
    record.key_id = Some(entry.request.key_id.clone());
    record.route = Some(choice.route.model.name.clone());
    record.endpoint = ENDPOINT;
    record.operation = choice.endpoint.operation();
    // Whoever waits with an open connection comes first.
    record.priority = Class::Bulk;
    record.rung = Rung::Deferred;
    books.route = Some(choice.route.clone());
    (books, trace)
}

/// Asks one target after the other, as long as each has certainly not done it. Each is written down first.
async fn attempts(mut exchange: Box<Exchange>, mut number: usize, entry: &Entry) -> Ran {
    let (worker, id) = (exchange.worker.clone(), entry.request.id);
    loop {
        let target = exchange.target(number).id.clone();
        let started = Record::Started { id, at_ms: now_ms(&worker), target, doubt: entry.doubt.clone() };
        if worker.gateway.deferred.journal.append(started, Bytes::new()).await.is_err() {
            // It may be durable all the same: a run that nobody remembers is worse than a doubt too many.
            exchange.books.postpone();
            return unsent(&worker, id).await;
        }
        let (failure, answer) = match attempt::attempt(&mut exchange, number).await {
            Ok(mut opened) => {
                opened.rung = Rung::Deferred;
                let plan = exchange.plan.clone();
                let response = pipeline::ended(exchange, Ok(opened));
                return answered(&worker, &plan, entry, How::Completed, response).await;
            }
            Err(Missed::Full | Missed::Unavailable) => {
                exchange.books.postpone();
                return unsent(&worker, id).await;
            }
            Err(Missed::Failed(failure, answer)) => (failure, answer),
        };
        exchange.books.fail_attempt(&failure);
        tracing::debug!(%id, cause = failure.cause.as_str(), detail = failure.detail, "a deferred request failed");
        if failure.retry == Retry::Never {
            exchange.books.record.rung = Rung::Deferred;
            let plan = exchange.plan.clone();
            let gave_up = GaveUp { end: End::PassOn, last: Some(failure), answer };
            let response = rescue::gave_up(gave_up, false, exchange.books);
            return answered(&worker, &plan, entry, How::Failed, response).await;
        }
        if may_have_run(&failure) {
            let (plan, at) = (exchange.plan.clone(), number);
            exchange.books.postpone();
            return doubtful(
                &worker,
                &plan,
                entry,
                exchange.route.targets[at].provider.idempotency,
                &failure,
            )
            .await;
        }
        match exchange.decide(Event::Failed(number, &failure)) {
            Effect::Send(next) => (number, exchange.last_light) = (next, false),
            Effect::LastLight(next) => (number, exchange.last_light) = (next, true),
            Effect::Wait(_) | Effect::Hold { .. } | Effect::GiveUp(_) => {
                exchange.books.postpone();
                returned(&worker, id, true, failure.cause.as_str()).await;
                return Ran::Failed;
            }
        }
    }
}

/// Nothing was sent after all.
async fn unsent(worker: &Worker, id: Id) -> Ran {
    returned(worker, id, true, "unavailable").await;
    // Where even the start was not written down it is still claimed.
    worker.gateway.deferred.journal.outbox().release(id);
    Ran::Unready(worker.gateway.clock.now() + AFTER_OTHERS)
}

/// Nobody knows whether it was done: with a provider that knows the request again it is repeated, there and nowhere
/// else; for others the model says what is worse, an answer too few or one too many.
async fn doubtful(worker: &Worker, plan: &Plan, entry: &Entry, idempotent: bool, failure: &Failure) -> Ran {
    let model = plan.routes.get(&entry.request.model).map(|route| route.model.clone());
    let resend = model.is_some_and(|model| model.defer.as_ref().is_some_and(|defer| defer.resend));
    if idempotent || resend {
        returned(worker, entry.request.id, false, failure.cause.as_str()).await;
    } else {
        let unknown = end(worker, How::Failed, Some(Refusal::OUTCOME_UNKNOWN));
        finish(worker, plan, entry, unknown, Bytes::new()).await;
    }
    Ran::Failed
}

/// Keeps an answer.
async fn answered(
    worker: &Worker,
    plan: &Plan,
    entry: &Entry,
    how: How,
    response: Response<GatewayBody>,
) -> Ran {
    let (parts, body) = response.into_parts();
    let body = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            let lost = end(worker, How::Failed, Some(Refusal::RESULT_TOO_LARGE));
            finish(worker, plan, entry, lost, Bytes::new()).await;
            return Ran::Answered;
        }
        Err(_) => {
            let target = worker.gateway.deferred.journal.outbox().get(entry.request.id).and_then(asked);
            let targets = plan.routes.get(&entry.request.model).map(|route| &route.targets);
            let mut targets = targets.into_iter().flatten();
            let idempotent = targets.any(|t| Some(&t.id) == target.as_ref() && t.provider.idempotency);
            let cause = wellhead_types::Cause::ResponseIncomplete;
            let broken = Failure::endpoint(wellhead_types::Stage::Stream, cause, "the answer broke off");
            return doubtful(worker, plan, entry, idempotent, &broken).await;
        }
    };
    let answer =
        Finished { status: parts.status.as_u16(), headers: kept(&parts.headers), ..end(worker, how, None) };
    finish(worker, plan, entry, answer, body).await;
    Ran::Answered
}

fn asked(entry: &Entry) -> Option<Name> {
    match &entry.state {
        wellhead_resilience::defer::State::Running { target, .. } => Some(target.clone()),
        _ => None,
    }
}

/// The headers of an answer that are true later as well.
fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut bytes = 0;
    let passing = headers.iter().filter(|(name, _)| {
        **name != header::CONTENT_LENGTH && **name != header::CONNECTION && **name != header::RETRY_AFTER
    });
    let text = passing.filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        bytes += name.as_str().len() + value.len();
        (bytes <= HEADERS_BYTES_MAX).then(|| (name.as_str().to_owned(), value.to_owned()))
    });
    text.collect()
}

/// Writes an end down.
pub(super) async fn finish(worker: &Worker, plan: &Plan, entry: &Entry, end: Finished, body: Bytes) {
    let how = end.how;
    let notify = plan.apps.get(&entry.request.app).is_some_and(|app| app.webhook.is_some());
    let end = Finished { notify, ..end };
    surely(worker, Record::Finished { id: entry.request.id, end: Box::new(end) }, body).await;
    worker.gateway.deferred.counts.ended(how);
}

pub(super) async fn returned(worker: &Worker, id: Id, certain: bool, cause: &str) {
    let record = Record::Returned { id, at_ms: now_ms(worker), certain, cause: cause.to_owned() };
    surely(worker, record, Bytes::new()).await;
}

/// Writes down what has happened already: there is no way back, so it is tried until it succeeds.
pub(super) async fn surely(worker: &Worker, record: Record, body: Bytes) {
    while worker.gateway.deferred.journal.append(record.clone(), body.clone()).await.is_err() {
        tokio::time::sleep(WRITE_AGAIN).await;
    }
}

pub(super) fn now_ms(worker: &Worker) -> u64 {
    worker.gateway.clock.wall_ns(worker.gateway.clock.now()) / 1_000_000
}
