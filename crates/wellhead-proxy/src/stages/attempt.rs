//! The attempts: asks the ladder, executes what it says on sockets, tells it what happened. Decides nothing itself.

use crate::answer::{Content, Opened};
use crate::clock::nanos;
use crate::exchange::{Call, Early, Exchange};
use crate::gateway::Worker;
use crate::plan::{KeyPlan, Route};
use crate::settle::{Books, Signs};
use crate::stages::{hedge, hold, queue};
use crate::stream::{self, Resume};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version, header};
use http_body_util::BodyExt;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;
use wellhead_http::names;
use wellhead_net::InBody;
use wellhead_resilience::Nanos;
use wellhead_resilience::breaker::Class;
use wellhead_resilience::ladder::{Effect, End, Event, Ladder};
use wellhead_resilience::latency::{FirstAsk, Known};
use wellhead_types::{Cause, Failure, Retry, Rung, Scope, Stage};
use wellhead_wire::openai::answer::inspect;
use wellhead_wire::openai::error::classify;

/// Largest error body that is read, and passed on where the request is at fault.
const ERROR_BYTES_MAX: usize = 256 * 1024;

/// Time for an error's body: the status alone is enough to go on, and somebody else could be answering.
const ERROR_BODY_MAX: Duration = Duration::from_secs(1);

/// What the attempts came to.
pub(crate) type Outcome = Result<Opened, GaveUp>;

/// Nothing is left to try.
#[derive(Debug)]
pub(crate) struct GaveUp {
    pub(crate) end: End,
    /// The newest failure, if anything was sent at all.
    pub(crate) last: Option<Failure>,
    /// The upstream's own answer, where it is passed on.
    pub(crate) answer: Option<UpstreamError>,
}

/// An error answer as the upstream gave it.
#[derive(Debug)]
pub(crate) struct UpstreamError {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why one attempt did not open an answer.
pub(crate) enum Missed {
    /// Nothing was sent: others were quicker to take the room that it had.
    Full,
    /// Nothing was sent: the last free key or the probe was taken by another request.
    Unavailable,
    Failed(Failure, Option<UpstreamError>),
}

/// Runs attempts until one opens an answer or nothing is left.
pub(crate) async fn run(exchange: &mut Exchange) -> Outcome {
    if exchange.body.is_once() {
        exchange.ladder.explore_nothing();
    }
    hedge::on_stream(exchange);
    let mut first = exchange.decide(Event::Start);
    if let Effect::Send(target) | Effect::LastLight(target) = first
        && exchange.worker.gateway.room.places() > 0
        && let Some(event) = Box::pin(hold::queue(exchange, target)).await
    {
        first = exchange.decide(event);
    }
    go_on(exchange, first).await
}

/// The same from a first effect on.
pub(crate) async fn go_on(exchange: &mut Exchange, mut effect: Effect) -> Outcome {
    let mut last = None;
    let mut answer = None;
    let mut refused = false;
    loop {
        exchange.last_light = matches!(effect, Effect::LastLight(_));
        if exchange.last_light {
            queue::all_are_open(exchange);
        }
        if let Effect::Send(target) = effect
            && let Some(at) = queue::not_before(exchange)
        {
            let event = Box::pin(queue::wait(exchange, at, Event::Queued(target))).await;
            effect = exchange.decide(event);
            continue;
        }
        effect = match effect {
            Effect::Send(target) if !can_afford(exchange, target) => exchange.decide(Event::Refused),
            Effect::Send(target) | Effect::LastLight(target) => match ask(exchange, target).await {
                Ok(opened) => {
                    hold::answered(exchange);
                    return Ok(opened);
                }
                Err(Missed::Full) => exchange.decide(Event::Full(target)),
                Err(Missed::Unavailable) => exchange.decide(Event::Unavailable(target)),
                Err(Missed::Failed(failure, upstream)) => {
                    // Of two, the one that failed last.
                    let target = exchange.books.current_target().unwrap_or(target);
                    let next = failed(exchange, target, &failure);
                    let next = exchange.possible(next);
                    (last, answer) = (Some(failure), upstream);
                    next
                }
            },
            Effect::Hold { recovery } => {
                // Boxed: nearly no request comes here, and every one would carry it.
                let event = Box::pin(hold::hold(exchange, recovery)).await;
                refused = matches!(event, Event::Refused);
                exchange.decide(event)
            }
            Effect::Wait(until) => {
                tokio::time::sleep_until(exchange.worker.gateway.clock.instant(until)).await;
                exchange.decide(Event::Waited)
            }
            Effect::GiveUp(end) => {
                hold::gave_up(exchange, end, refused);
                return Err(GaveUp { end, last, answer });
            }
        };
    }
}

/// Whether the route can afford another attempt (survival.md R4). The first one is no retry. Nor is the first one that
/// goes to somebody else who works: that is what a standby is for, however many requests fail at the same moment. All
/// others are paid from the route's budget, so that retries never become the load that keeps an upstream down. Asking an
/// open target has limits of its own.
fn can_afford(exchange: &Exchange, target: usize) -> bool {
    let attempts = exchange.own_attempts();
    let Some(first) = attempts.first() else { return true };
    let (now, next) = (exchange.now(), exchange.target(target));
    let works = || next.view(exchange.worker.number, now).class <= Class::Unknown;
    if attempts.len() == 1 && first.target != next.id && works() {
        return true;
    }
    let granted = exchange.route.budget.try_retry(now);
    if !granted {
        tracing::debug!(request = %exchange.books.record.request_id, "the budget for retries is used up");
    }
    granted
}

/// Asks one target: for the answer, or for the rest of one that broke off.
async fn ask(exchange: &mut Exchange, target: usize) -> Result<Opened, Missed> {
    if exchange.resume.is_some() {
        // Boxed: nearly no request comes here, and every one would carry it.
        return Box::pin(stream::ask(exchange, target)).await;
    }
    attempt(exchange, target).await
}

/// Writes a failure down and asks what is next.
fn failed(exchange: &mut Exchange, target: usize, failure: &Failure) -> Effect {
    exchange.books.fail_attempt(failure);
    tracing::debug!(
        request = %exchange.books.record.request_id,
        target = %exchange.target(target).id,
        cause = failure.cause.as_str(),
        status = failure.status,
        detail = failure.detail,
        "an attempt failed"
    );
    exchange.decide(Event::Failed(target, failure))
}

/// One attempt at one target; where a second target may be asked beside it, both.
pub(crate) async fn attempt(exchange: &mut Exchange, number: usize) -> Result<Opened, Missed> {
    let (last_light, rung) = (exchange.last_light, exchange.rung());
    let (call, ladder, books) = exchange.split();
    let limit = limit(&call, ladder, number);
    let begun =
        begin(&call, books, number, Terms { last_light, rung, limit }).map_err(|unsent| match unsent {
            Unsent::Full => Missed::Full,
            Unsent::Unavailable => Missed::Unavailable,
        })?;
    queue::seated(exchange);
    if let Some(due) = hedge::due(exchange, &begun) {
        // Boxed: few requests come here, and every one would carry it.
        return Box::pin(hedge::race(exchange, begun, due)).await;
    }
    let (call, _, books) = exchange.split();
    let response = match send(&call, &begun).await {
        Ok(response) => response,
        Err(missed) => {
            let outcome = Err(missed);
            settled(call.worker, call.route, books, &begun, &outcome);
            return outcome;
        }
    };
    books.attempt_status(response.status().as_u16());
    let outcome = open(&call, &begun, response, None).await;
    settled(call.worker, call.route, books, &begun, &outcome);
    outcome
}

/// On which terms an attempt is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Its target is open, as all others are.
    pub(crate) last_light: bool,
    /// What its answer stands on.
    pub(crate) rung: Rung,
    pub(crate) limit: Limit,
}

/// An attempt that stands in the books.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun {
    pub(crate) number: usize,
    /// The number of the provider's key.
    key: Option<usize>,
    span_id: [u8; 8],
    pub(crate) terms: Terms,
    pub(crate) started: Nanos,
    /// It finds out whether its target is back.
    pub(crate) is_probe: bool,
}

impl Begun {
    fn key<'a>(&self, route: &'a Route) -> Option<&'a KeyPlan> {
        self.key.and_then(|key| route.targets[self.number].provider.keys.get(key))
    }
}

/// Why an attempt was not begun.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unsent {
    /// Others were quicker to take the room that its target had.
    Full,
    /// The last free key or the probe was taken by another request.
    Unavailable,
}

/// Takes room, a key and the right to send, and writes the attempt into the books.
pub(crate) fn begin(
    call: &Call<'_>,
    books: &mut Books,
    number: usize,
    terms: Terms,
) -> Result<Begun, Unsent> {
    let (target, now) = (call.target(number), call.now());
    let slot = target.take_room(now).map_err(|_| Unsent::Full)?;
    let key = target.provider.take_key(&target.model, now).map_err(|()| Unsent::Unavailable)?;
    let (entry, is_probe) = target.enter(now, terms.last_light).map_err(|_| Unsent::Unavailable)?;
    let span_id = wellhead_http::trace::span_id(call.worker.gateway.entropy.next().to_be_bytes());
    let begun = Begun { number, key, span_id, terms, started: now, is_probe };
    let learns = target.compared && call.resume.is_none();
    books.begin_attempt(number, target, begun.key(call.route), (entry, slot), span_id, learns);
    Ok(begun)
}

/// Sends an attempt, and waits for the head of the answer.
pub(crate) async fn send(call: &Call<'_>, begun: &Begun) -> Result<Response<InBody>, Missed> {
    let target = call.target(begun.number);
    let body = call.out_body(begun.number);
    let prefills = call.resume.is_some_and(Resume::prefills);
    let uris = if prefills { target.prefill_uris(call.endpoint) } else { target.uris(call.endpoint) };
    let build = |version: Version| {
        let uri = if version == Version::HTTP_2 { uris.absolute.clone() } else { uris.origin.clone() };
        let mut request = Request::new(body.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers(call, begun);
        if version == Version::HTTP_2 {
            request.headers_mut().remove(header::HOST);
        }
        request
    };
    let limit = begun.terms.limit;
    match tokio::time::timeout_at(limit.at, call.worker.pool.send(&target.provider.endpoint, &build)).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(missed(call.blame(error.into()))),
        Err(_) => Err(missed(call.blame(limit.failure(Stage::Headers, Cause::HeadersTimeout)))),
    }
}

/// Tells the books that an answer has begun, if it has, and the key what has become of the attempt.
pub(crate) fn settled(
    worker: &Worker,
    route: &Route,
    books: &mut Books,
    begun: &Begun,
    outcome: &Result<Opened, Missed>,
) {
    let now = worker.gateway.clock.now();
    if let Ok(opened) = outcome {
        books.first_token(opened.first_at.unwrap_or(now));
        books.answering(now);
    }
    tell_key(worker, route, begun, outcome, now);
}

/// Tells the key of an attempt what has become of it.
pub(crate) fn tell_key(
    worker: &Worker,
    route: &Route,
    begun: &Begun,
    outcome: &Result<Opened, Missed>,
    now: Nanos,
) {
    let (key, model) = (begun.key(route), &route.targets[begun.number].model);
    match outcome {
        Ok(_) => {
            if key.is_some_and(|key| key.state.on_success(model, begun.started, now)) {
                worker.gateway.room.open_all(now);
            }
        }
        Err(Missed::Failed(failure, _)) => {
            if let Some(key) = key {
                key.state.on_failure(failure, model, now);
            }
        }
        Err(Missed::Full | Missed::Unavailable) => {}
    }
}

/// How long the attempt may take to its first token or its answer: as long as is configured or has been learnt of the
/// target, if somebody else could answer instead (decision 10), else until the deadline.
pub(crate) fn limit(call: &Call<'_>, ladder: &Ladder, number: usize) -> Limit {
    let clock = &call.worker.gateway.clock;
    let (now, targets, streamed) = (clock.now(), call.route.targets.len(), call.head.stream);
    let by_deadline = Limit { at: clock.instant(call.deadline), by_deadline: true };
    let (latencies, model) = (&call.target(number).state.latencies, &call.route.model);
    let mut known = latencies.known(streamed);
    if !streamed && known.p99.is_none() {
        return by_deadline;
    }
    let view = |i: usize| call.view(i, now);
    let alternative = !call.body.is_once()
        && ((streamed && call.is_hurried) || ladder.has_alternative(targets, number, &view));
    if !alternative {
        return by_deadline;
    }
    // The rest of an answer takes as long as what the client has of it, where it is said again. And whoever is merely
    // slower than usual is not left for somebody who rests.
    let helps = || call.resume.is_none() && ladder.has_willing(number, targets, &view, now);
    if known.p99.is_some() && !helps() {
        known = Known::default();
    }
    let configured = model.first_token_timeout.filter(|_| streamed).map(nanos);
    let remaining = call.deadline.saturating_sub(now);
    let ask = FirstAsk { streamed, alternative, thinking: latencies.thinks(), configured, remaining };
    match known.first_limit(ask).map(|limit| now.saturating_add(limit)).filter(|at| *at < call.deadline) {
        Some(at) => Limit { at: clock.instant(at), by_deadline: false },
        None => by_deadline,
    }
}

/// The moment at which patience with an attempt ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) at: Instant,
    /// It is the caller's patience that ends: no fault of the target's.
    pub(crate) by_deadline: bool,
}

impl Limit {
    /// The failure of an attempt that ran into it.
    pub(crate) fn failure(self, stage: Stage, cause: Cause) -> Failure {
        let cause = if self.by_deadline { Cause::DeadlineExceeded } else { cause };
        Failure::endpoint(stage, cause, "no answer within the limit")
    }
}

fn headers(call: &Call<'_>, begun: &Begun) -> HeaderMap {
    let provider = &call.target(begun.number).provider;
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(header::HOST, provider.host.clone());
    wellhead_http::headers::request_headers(call.headers, &mut headers);
    if !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in &provider.headers {
        headers.insert(name.clone(), value.clone());
    }
    if call.trace.parent_id.is_some() || call.worker.gateway.trace_always {
        headers.insert(&names::TRACEPARENT, call.trace.traceparent(begun.span_id));
        if let Some(state) = call.trace.tracestate(call.headers) {
            headers.insert(&names::TRACESTATE, state);
        }
    }
    if let Some((name, value)) = begun.key(call.route).and_then(|key| key.header.clone()) {
        headers.insert(name, value);
    }
    headers
}

/// From response headers to an answer that can be committed to. `signs` are there if another attempt may run beside it.
pub(crate) async fn open(
    call: &Call<'_>,
    begun: &Begun,
    response: Response<InBody>,
    signs: Option<&Signs>,
) -> Result<Opened, Missed> {
    let limit = begun.terms.limit;
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    if !parts.status.is_success() {
        return Err(refused(call, begun.key(call.route), status, parts.headers, body, limit).await);
    }
    let late = call.resume.is_some() || call.early.is_some_and(Early::is_open);
    let mut first_at = None;
    let content = match kind(&parts.headers, call.head.stream) {
        // The client has been promised a stream.
        Kind::Json | Kind::Bytes if late => {
            let detail = "an answer in one piece to a request for a stream";
            return Err(missed(Failure::endpoint(Stage::FirstToken, Cause::ErrorInSuccess, detail)));
        }
        kind if let Some(coding) = coding(&parts.headers) => {
            encoded(call, coding, &kind, body, limit).await.map_err(missed)?
        }
        Kind::Events => {
            let opened = stream::open(call, begun, body, signs).await.map_err(missed)?;
            first_at = opened.first_at;
            Content::Stream(opened.live)
        }
        Kind::Json => whole(call, body, limit).await.map_err(missed)?,
        Kind::Html => {
            let detail = "a page of HTML instead of an answer";
            return Err(missed(Failure::endpoint(Stage::FirstToken, Cause::ErrorInSuccess, detail)));
        }
        Kind::Bytes => first_piece(body, limit).await.map_err(missed)?,
    };
    let rung = begun.terms.rung;
    Ok(Opened { target: begun.number, rung, first_at, status, headers: parts.headers, content })
}

const fn missed(failure: Failure) -> Missed {
    Missed::Failed(failure, None)
}

/// How the answer is compressed, although nobody asked for it.
fn coding(headers: &HeaderMap) -> Option<&[u8]> {
    let coding = headers.get(header::CONTENT_ENCODING)?.as_bytes().trim_ascii();
    (!coding.eq_ignore_ascii_case(b"identity")).then_some(coding)
}

/// Whether the client said that it takes this coding (RFC 9110 section 12.5.3).
fn accepts(call: &Call<'_>, coding: &[u8]) -> bool {
    let listed = call.headers.get_all(header::ACCEPT_ENCODING).iter().flat_map(|value| {
        value.as_bytes().split(|b| *b == b',').map(|item| {
            let mut parts = item.split(|b| *b == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            let refused =
                parts.any(|p| p.starts_with(b"q=0") && p[3..].iter().all(|b| matches!(b, b'.' | b'0')));
            (name, refused)
        })
    });
    listed.into_iter().any(|(name, refused)| !refused && (name.eq_ignore_ascii_case(coding) || name == b"*"))
}

/// A compressed answer cannot be watched. An unstreamed one is relayed if the client takes compressed answers; a
/// stream is refused, because its end could not be told from a cut.
async fn encoded(
    call: &Call<'_>,
    coding: &[u8],
    kind: &Kind,
    body: InBody,
    limit: Limit,
) -> Result<Content, Failure> {
    if matches!(kind, Kind::Events) || !accepts(call, coding) {
        let detail = "a compressed answer that was not asked for";
        return Err(Failure::endpoint(Stage::Headers, Cause::ProtocolError, detail));
    }
    first_piece(body, limit).await
}

/// What an answer is, by its content type.
enum Kind {
    Events,
    Json,
    Html,
    Bytes,
}

fn kind(headers: &HeaderMap, streamed: bool) -> Kind {
    let content_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let is =
        |name: &[u8]| content_type.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    // Some servers label their streams as plain text; unwatched, a cut would look like an end.
    if is(b"text/event-stream") || (streamed && is(b"text/plain")) {
        Kind::Events
    } else if is(b"text/html") {
        Kind::Html
    } else if is(b"application/json") || is(b"application/problem+json") || content_type.is_empty() {
        Kind::Json
    } else {
        Kind::Bytes
    }
}

/// A JSON answer is read whole, so that an error inside a 200 or a cut can still be followed by another attempt. One
/// larger than the limit is relayed from there on.
async fn whole(call: &Call<'_>, mut body: InBody, limit: Limit) -> Result<Content, Failure> {
    let max = usize::try_from(call.plan.limits.inspect_bytes_max).unwrap_or(usize::MAX);
    let mut read: VecDeque<Bytes> = VecDeque::new();
    let mut bytes = 0;
    while let Some(chunk) = next(&mut body, limit).await? {
        bytes += chunk.len();
        read.push_back(chunk);
        if bytes > max {
            return Ok(Content::Relay(read, body));
        }
    }
    let whole = join(read, bytes);
    let inspected = inspect(call.endpoint, &whole)?;
    Ok(Content::Whole(whole, inspected.usage))
}

/// Audio and other bytes: committed to when the first piece is there.
async fn first_piece(mut body: InBody, limit: Limit) -> Result<Content, Failure> {
    match next(&mut body, limit).await? {
        Some(first) => Ok(Content::Relay(VecDeque::from([first]), body)),
        None => Ok(Content::Whole(Bytes::new(), None)),
    }
}

/// The next piece of an answer that has not been committed to.
async fn next(body: &mut InBody, limit: Limit) -> Result<Option<Bytes>, Failure> {
    loop {
        match tokio::time::timeout_at(limit.at, body.frame()).await {
            Err(_) => return Err(limit.failure(Stage::FirstToken, Cause::FirstTokenTimeout)),
            Ok(None) => return Ok(None),
            Ok(Some(Err(error))) => return Err(Failure { stage: Stage::FirstToken, ..error.into() }),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

fn join(mut pieces: VecDeque<Bytes>, bytes: usize) -> Bytes {
    if pieces.len() == 1 {
        return pieces.pop_front().unwrap_or_default();
    }
    let mut joined = BytesMut::with_capacity(bytes);
    pieces.iter().for_each(|piece| joined.extend_from_slice(piece));
    joined.freeze()
}

/// Some vendors repeat the key that they reject. It is ours, and nobody else's business.
fn without_key(body: Bytes, key: Option<&KeyPlan>) -> Bytes {
    let Some(secret) = key.map(|key| key.secret.expose().as_bytes()).filter(|secret| !secret.is_empty())
    else {
        return body;
    };
    if memchr::memmem::find(&body, secret).is_none() {
        return body;
    }
    let mut masked = Vec::with_capacity(body.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(&body, secret) {
        masked.extend_from_slice(&body[from..at]);
        masked.extend_from_slice(b"***");
        from = at + secret.len();
    }
    masked.extend_from_slice(&body[from..]);
    masked.into()
}

/// An error answer: read, classified, kept in case that it is passed on.
async fn refused(
    call: &Call<'_>,
    key: Option<&KeyPlan>,
    status: u16,
    headers: HeaderMap,
    mut body: InBody,
    limit: Limit,
) -> Missed {
    let soon = Instant::now() + ERROR_BODY_MAX;
    let limit = Limit { at: limit.at.min(soon), ..limit };
    let mut pieces = VecDeque::new();
    let mut bytes = 0;
    while bytes <= ERROR_BYTES_MAX {
        match next(&mut body, limit).await {
            Ok(Some(chunk)) => {
                bytes += chunk.len();
                pieces.push_back(chunk);
            }
            // An error that breaks off is still an error; what came of it is enough to classify it.
            Ok(None) | Err(_) => break,
        }
    }
    let body = without_key(join(pieces, bytes), key);
    if (300..400).contains(&status) {
        let detail = format!("a redirect ({status}), which is never followed with a credential");
        let failure = Failure {
            status: Some(status),
            scope: Scope::Endpoint,
            ..Failure::endpoint(Stage::Headers, Cause::ProtocolError, detail)
        };
        return missed(failure);
    }
    let wall_s = call.worker.gateway.clock.wall_ns(call.now()) / 1_000_000_000;
    let failure = classify(status, &headers, &body, wall_s);
    let answer = (failure.retry == Retry::Never).then_some(UpstreamError { status, headers, body });
    Missed::Failed(failure, answer)
}
