//! From a request to a promise: it is written down before its client hears of it.

use super::document::{document, status_path};
use super::fetch;
use super::journal::{APPEND_MAX, durable};
use crate::body::GatewayBody;
use crate::exchange::Exchange;
use crate::pipeline;
use crate::replay::Kept;
use crate::rescue::{self, Refusal};
use crate::stages::attempt::GaveUp;
use crate::substitute;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use wellhead_http::prefer::{PREFERENCE_APPLIED, Prefer};
use wellhead_http::retry_after;
use wellhead_net::OutBody;
use wellhead_net::body::Part;
use wellhead_policy::fingerprint;
use wellhead_resilience::defer::frame::BODY_BYTES_MAX;
use wellhead_resilience::defer::{Accepted, Entry, Id, Record, Reserve, may_have};
use wellhead_resilience::ladder::End;
use wellhead_types::{Outcome, Rung};
use wellhead_wire::openai::Endpoint;

/// Longest `Idempotency-Key`.
const KEY_BYTES_MAX: usize = 255;
/// Bodies above this are hashed on the blocking pool (decision 7).
const HASHED_HERE_BYTES_MAX: usize = 256 * 1024;
/// How long a request that was accepted before, and says nothing about waiting, waits for its answer: it is there, or
/// a 202 says where it will be.
const GIVEN_AT_ONCE: Duration = Duration::from_millis(1);
/// When it is worth asking again whether there is an answer.
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(2);

/// Headers that go on to the target later. A list of what may be kept, because nobody knows which others are secret.
const KEPT_HEADERS: [&str; 9] = [
    "content-type",
    "accept",
    "accept-language",
    "user-agent",
    "openai-beta",
    "anthropic-beta",
    "anthropic-version",
    "http-referer",
    "x-title",
];

/// A request that is answered now goes on; one that may be answered later becomes its 202, or whatever else comes of it.
pub(crate) fn now_or_later(exchange: Box<Exchange>) -> Result<Box<Exchange>, Later> {
    match asked(&exchange) {
        None => Ok(exchange),
        Some(prefer) => Err(Box::pin(accept(exchange, prefer))),
    }
}

/// Boxed: nearly no request comes here, and every one would carry it.
pub(crate) type Later = Pin<Box<dyn Future<Output = Response<GatewayBody>> + Send>>;

/// Whether the client would rather have a 202, and its model allows it. A preference that cannot be met is no error
/// (RFC 7240 section 2). A request that was accepted before is the same one, whatever it prefers now: what has an
/// idempotency key is done once.
fn asked(exchange: &Exchange) -> Option<Prefer> {
    exchange.route.model.defer.as_ref().filter(|_| exchange.endpoint != Endpoint::CountTokens)?;
    let prefer = Prefer::from_headers(&exchange.headers);
    if prefer.respond_async {
        return Some(prefer);
    }
    let key = idempotency_key(&exchange.headers).ok().flatten().filter(|_| !exchange.head.stream)?;
    let app = exchange.books.record.app.as_ref()?;
    let known = exchange.worker.gateway.deferred.journal.outbox().keyed(app, &key).is_some();
    known.then_some(Prefer { respond_async: false, wait: Some(GIVEN_AT_ONCE) })
}

/// Accepts a request that asked for it: a 202, or the answer if it is there within the time that the client waits.
async fn accept(exchange: Box<Exchange>, prefer: Prefer) -> Response<GatewayBody> {
    let body = match &exchange.body {
        _ if exchange.head.stream => return refuse(exchange, &Refusal::stream_not_deferrable()),
        Kept::Memory(body) if body.len() <= BODY_BYTES_MAX => body.clone(),
        _ => return refuse(exchange, &Refusal::deferred_too_large(BODY_BYTES_MAX)),
    };
    let taken = match take(&exchange, body).await {
        Ok(taken) => taken,
        Err(refusal) => return refuse(exchange, &refusal),
    };
    let worker = exchange.worker.clone();
    if let Some(wait) = prefer.wait.filter(|wait| !wait.is_zero()) {
        let mut changes = worker.gateway.deferred.journal.changes();
        let ended = async { while !is_finished(&exchange, taken.id) && changes.changed().await.is_ok() {} };
        if tokio::time::timeout(wait, ended).await.is_ok() {
            let mut exchange = exchange;
            keep_charged(&mut exchange, taken);
            let app = exchange.books.record.app.clone().unwrap_or_else(|| "".into());
            return applied(prefer, fetch::answer(&worker, &app, taken.id, exchange.books).await);
        }
    }
    applied(prefer, promise(exchange, taken))
}

/// Says that the preference was met (RFC 7240 section 3).
fn applied(prefer: Prefer, mut response: Response<GatewayBody>) -> Response<GatewayBody> {
    if prefer.respond_async {
        response.headers_mut().insert(&PREFERENCE_APPLIED, HeaderValue::from_static("respond-async"));
    }
    response
}

/// The attempts for a model whose answers may come later: if they come to nothing, so may this one.
pub(crate) fn attempts(mut exchange: Box<Exchange>) -> Later {
    Box::pin(async move {
        match substitute::run(&mut exchange).await {
            Err(gave_up) => instead(exchange, gave_up).await,
            outcome => pipeline::ended(exchange, outcome),
        }
    })
}

/// Accepts a request that nobody can answer now, where its model says so, or passes the honest no on. Only what has
/// certainly not been done is accepted: it would be done a second time.
async fn instead(exchange: Box<Exchange>, gave_up: GaveUp) -> Response<GatewayBody> {
    let wanted = exchange.route.model.defer.as_ref().is_some_and(|defer| defer.unavailable);
    let doubtful = exchange.books.record.attempts.iter().any(|a| may_have(a.result, a.status));
    if !wanted || doubtful || exchange.head.stream || matches!(gave_up.end, End::PassOn) {
        return pipeline::ended(exchange, Err(gave_up));
    }
    let Some(body) = body(&exchange).await else { return pipeline::ended(exchange, Err(gave_up)) };
    match take(&exchange, body).await {
        Ok(taken) => promise(exchange, taken),
        // A key that belongs to another request is the client's mistake, whatever else is wrong.
        Err(refusal) if refusal.code == Refusal::KEY_REUSED => refuse(exchange, &refusal),
        Err(_) => pipeline::ended(exchange, Err(gave_up)),
    }
}

fn refuse(exchange: Box<Exchange>, refusal: &Refusal) -> Response<GatewayBody> {
    rescue::refuse(refusal, exchange.books)
}

/// A request that has been written down.
#[derive(Debug, Clone, Copy)]
struct Taken {
    id: Id,
    /// By this request, not by an earlier one with the same key.
    now: bool,
}

/// The body that came, wherever it is kept.
async fn body(exchange: &Exchange) -> Option<Bytes> {
    match &exchange.body {
        Kept::Memory(body) => Some(body.clone()).filter(|body| body.len() <= BODY_BYTES_MAX),
        Kept::File(file, _) => {
            let length = exchange.head.body_bytes as u64;
            let whole: Arc<[Part]> = Arc::new([Part::Kept(0..length)]);
            let read = Limited::new(OutBody::file(file.clone(), whole), BODY_BYTES_MAX).collect().await;
            read.ok().map(http_body_util::Collected::to_bytes)
        }
        Kept::Once(..) => None,
    }
}

/// Writes the request down, or finds that it has been before.
async fn take(exchange: &Exchange, body: Bytes) -> Result<Taken, Refusal> {
    let gateway = &exchange.worker.gateway;
    let deferred = &gateway.deferred;
    let key = idempotency_key(&exchange.headers)?;
    let digest = match &key {
        Some(_) => digest(exchange.endpoint.template(), &body).await,
        None => String::new(),
    };
    let app = exchange.books.record.app.clone().unwrap_or_else(|| "".into());
    let limits = super::limits(&exchange.plan.defer);
    let mut changes = deferred.journal.changes();
    loop {
        // First the turn, then the room: what has a reservation is written without anything between.
        let turn = deferred.journal.turn().await.map_err(|_| Refusal::deferred_unwritten())?;
        let request = accepted(exchange, app.clone(), key.clone(), digest.clone());
        let id = request.id;
        let named = key.as_deref().map(|key| (key, digest.as_str()));
        let reserved = deferred.journal.outbox().reserve(id, &app, named, body.len() as u64, &limits);
        match reserved {
            Reserve::New(order) => {
                let record = Record::Accepted(Box::new(Accepted { order, ..request }));
                let done = turn.append(record, body);
                durable(done).await.map_err(|_| Refusal::deferred_unwritten())?;
                deferred.counts.accepted();
                return Ok(Taken { id, now: true });
            }
            Reserve::Same(id) => return Ok(Taken { id, now: false }),
            Reserve::Busy => {
                drop(turn);
                // Whoever writes it down is about to be done.
                let changed = tokio::time::timeout(APPEND_MAX, changes.changed()).await;
                changed
                    .map_err(|_| Refusal::deferred_unwritten())?
                    .map_err(|_| Refusal::deferred_unwritten())?;
            }
            Reserve::Conflict => return Err(Refusal::key_reused()),
            Reserve::Full(full) => {
                deferred.counts.refused();
                return Err(Refusal::deferred_full(full.setting()));
            }
        }
    }
}

fn accepted(exchange: &Exchange, app: wellhead_types::Name, key: Option<String>, digest: String) -> Accepted {
    let gateway = &exchange.worker.gateway;
    let now_ms = gateway.clock.wall_ns(exchange.now()) / 1_000_000;
    let within = exchange.route.model.defer.as_ref().map_or(Duration::ZERO, |defer| defer.within);
    let record = &exchange.books.record;
    let text = |name: &str| exchange.headers.get(name).and_then(|value| value.to_str().ok());
    let headers = KEPT_HEADERS.iter().filter_map(|name| Some(((*name).to_owned(), text(name)?.to_owned())));
    Accepted {
        id: Id::from_parts(now_ms, [gateway.entropy.next(), gateway.entropy.next()]),
        order: 0,
        app,
        key_id: record.key_id.clone().unwrap_or_else(|| "".into()),
        model: exchange.route.model.name.clone(),
        endpoint: exchange.endpoint.template().to_owned(),
        headers: headers.collect(),
        key,
        digest,
        request_id: record.request_id.to_string(),
        accepted_ms: now_ms,
        expires_ms: now_ms.saturating_add(u64::try_from(within.as_millis()).unwrap_or(u64::MAX)),
    }
}

/// The client's name for its request, if it gave one.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if !key.trim().is_empty() && key.len() <= KEY_BYTES_MAX => Ok(Some(key.trim().to_owned())),
        _ => Err(Refusal::key_invalid(KEY_BYTES_MAX)),
    }
}

async fn digest(endpoint: &'static str, body: &Bytes) -> String {
    let (here, body) = (body.len() <= HASHED_HERE_BYTES_MAX, body.clone());
    let hash = move || fingerprint(&[endpoint.as_bytes(), b"\0", &body]);
    if here {
        return hash();
    }
    // A key that matches nothing is the worst that could come of a pool that is gone.
    tokio::task::spawn_blocking(hash).await.unwrap_or_default()
}

fn is_finished(exchange: &Exchange, id: Id) -> bool {
    exchange.worker.gateway.deferred.journal.outbox().get(id).is_none_or(|entry| entry.end().is_some())
}

/// Limits are counted when a request is accepted: its estimate stays, its place in flight is given back. What was
/// accepted before has been counted before.
fn keep_charged(exchange: &mut Exchange, taken: Taken) {
    if taken.now {
        drop(exchange.books.admission.take());
    }
}

/// 202: it will be answered.
fn promise(mut exchange: Box<Exchange>, taken: Taken) -> Response<GatewayBody> {
    let entry = exchange.worker.gateway.deferred.journal.outbox().get(taken.id).cloned();
    let Some(entry) = entry else { return refuse(exchange, &Refusal::deferred_unknown()) };
    let mut response = pending(&entry);
    let headers = response.headers_mut();
    if let Ok(place) = HeaderValue::from_str(&status_path(taken.id)) {
        headers.insert(header::LOCATION, place);
    }
    if let Some(admission) = &exchange.books.admission {
        rescue::limit_headers(admission.headers(), headers);
    }
    rescue::identify(headers, &exchange.books);
    rescue::survival(headers, Rung::Deferred, &exchange.books);
    keep_charged(&mut exchange, taken);
    let mut books = exchange.books;
    books.record.status = StatusCode::ACCEPTED.as_u16();
    books.record.rung = Rung::Deferred;
    books.close(Outcome::Degraded);
    response
}

/// 202 with what is known of it.
pub(super) fn pending(entry: &Entry) -> Response<GatewayBody> {
    let mut response = Response::new(GatewayBody::whole(document(entry).to_string()));
    *response.status_mut() = StatusCode::ACCEPTED;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    retry_after::write(response.headers_mut(), ASK_AGAIN);
    response
}
