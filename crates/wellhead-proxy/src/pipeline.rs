//! The life of a request, on one page. Each stage takes what the one before established; the order has a reason:
//!
//! 1. **Received**: an id and a trace first, so that even a refusal can be found again.
//! 2. **Found**: the path, before the key, because a wrong base URL is the first thing that newcomers meet.
//! 3. **Identified**: the key, before the body, so that strangers cannot make us read 32 MiB.
//! 4. **Read**: the body, whole: it is needed to route, and again for every further attempt.
//! 5. **Routed**: the model that it names, if the app may use it.
//! 6. **Admitted**: limits last of the checks, so that refused requests cost the app nothing.
//! 7. **Kept**: the body, in memory, in a file, or not at all if there is no memory left to keep it in.
//! 8. **Attempts**, then the answer; the books are closed when its last byte is gone.

use crate::answer::{Content, Opened, Relay};
use crate::body::{GatewayBody, RelayBody, StreamBody};
use crate::exchange::{Early, Exchange};
use crate::front::Front;
use crate::gateway::Worker;
use crate::plan::{Identity, Plan};
use crate::replay::{self, Kept};
use crate::rescue::{self, Refusal};
use crate::settle::Books;
use crate::stages::{admit, attempt, identify, receive, route};
use crate::stream::ClientStream;
use crate::substitute::{self, Substitute};
use crate::{clock, count, defer, models};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use wellhead_http::deadline::Patience;
use wellhead_http::names;
use wellhead_http::trace::Trace;
use wellhead_net::DrainPhase;
use wellhead_resilience::ladder::{Ladder, TARGETS_MAX};
use wellhead_types::Outcome;
use wellhead_wire::openai::Endpoint;
use wellhead_wire::openai::request::RequestHead;

/// How long the headers of a streamed answer wait for its first content (decision 9).
const HEADERS_WAIT_MAX: Duration = Duration::from_secs(10);

/// Headers that the gateway adds to an answer, limits included.
const OWN_HEADERS: usize = 16;

/// Answers one request. Dropping the future, or the answer's body, cancels everything that it started.
///
/// Workers are single-threaded, but the shared runtime must stay possible (decision 6): the future is `Send`.
#[expect(clippy::manual_async_fn, reason = "the arguments of an async function are kept twice")]
pub fn serve(
    worker: Arc<Worker>,
    request: Request<Incoming>,
) -> impl Future<Output = Response<GatewayBody>> + Send {
    async move {
        let (version, gateway) = (request.version(), worker.gateway.clone());
        let mut response = match Front::of(&request).map(Box::new) {
            None => answered(worker, request, None).await,
            // Boxed: most requests do not come here, and every one would carry it.
            Some(front) => Box::pin(front.serve(worker, request)).await,
        };
        if gateway.drain.phase() >= DrainPhase::Announced && version <= Version::HTTP_11 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// What a path asks for.
enum Asked<'a> {
    Api(Endpoint),
    Models,
    Model(Cow<'a, str>),
    /// Boxed: it is larger than the others, and few requests ask for it.
    Deferred(Box<defer::Asked>),
}

/// Answers a request, in OpenAI's dialect. `front` reads the body of a client who speaks another one.
pub(crate) async fn answered(
    worker: Arc<Worker>,
    request: Request<Incoming>,
    front: Option<&Front>,
) -> Response<GatewayBody> {
    let (parts, mut body) = request.into_parts();
    let plan = worker.gateway.plan.load_full();
    let (mut books, trace) = Books::received(&worker, &parts.headers, method_name(&parts.method));
    let path = parts.uri.path();
    let asked = match found(&worker, &parts, path, front) {
        Ok(asked) => asked,
        Err(refusal) => return rescue::refuse(&refusal, books),
    };
    books.record.endpoint = front.map_or_else(|| asked.template(), Front::template);
    let identity = match identify::identify(&parts.headers, &plan, &worker.gateway.hasher) {
        Ok(identity) => identity,
        Err(refusal) => return rescue::refuse(&refusal, books),
    };
    books.record.app = Some(identity.app.name.clone());
    books.record.priority = match identify::priority(&parts.headers, identity.app.priority) {
        Ok(priority) => priority,
        Err(refusal) => return rescue::refuse(&refusal, books),
    };
    books.record.key_id = Some(identity.key_id.clone());
    let mut endpoint = match asked {
        Asked::Api(endpoint) => endpoint,
        Asked::Models => return all_models(&plan, &identity, front, parts.uri.query(), books),
        // Boxed: few requests come here, and every one would carry it.
        Asked::Deferred(asked) => {
            return Box::pin(defer::fetch(&worker, &identity.app.name, *asked, books)).await;
        }
        Asked::Model(id) => return one_model(&plan, &identity, &id, front, books),
    };
    books.record.operation = endpoint.operation();
    let read = match receive::receive(&worker.gateway, &plan.limits, &parts.headers, &mut body).await {
        Ok(body) => body,
        Err(refusal) => {
            receive::discard(body);
            return rescue::refuse(&refusal, books);
        }
    };
    let (read, original) = match front {
        None => (read, (None, None)),
        Some(front) if front.passes(&plan, &read) => (read, (None, None)),
        // Boxed: most requests do not come here, and every one would carry it.
        Some(front) => match Box::pin(front.read(&worker, read)).await {
            Ok((read, asked, own)) => {
                endpoint = Front::asked_as(endpoint);
                (read, (asked, Some(own)))
            }
            Err(refusal) => return rescue::refuse(&refusal, books),
        },
    };
    match admitted(&worker, &plan, endpoint, &identity, parts, read, books, trace) {
        Ok(mut exchange) => {
            (exchange.asked, exchange.own) = original;
            exchange.keep_own();
            if let Some(refusal) = front.and_then(|front| front.unsaid(&exchange.route)) {
                return rescue::refuse(&refusal, exchange.books);
            }
            if count::is_nobodys(&exchange) {
                return count::estimated(exchange.books);
            }
            let mut exchange = match defer::now_or_later(exchange) {
                Ok(exchange) => exchange,
                Err(later) => return later.await,
            };
            replay::keep(&mut exchange).await;
            attempts(exchange).await
        }
        Err(refused) => rescue::refuse(&refused.0, refused.1),
    }
}

/// The models that this key may use.
fn all_models(
    plan: &Plan,
    identity: &Identity,
    front: Option<&Front>,
    query: Option<&str>,
    books: Box<Books>,
) -> Response<GatewayBody> {
    let names = plan.routes.keys().filter(|name| identity.app.may_use(name)).map(|name| &**name);
    match models::list(names, front.and_then(Front::list), query) {
        Ok(response) => listed(response, books),
        Err(refusal) => rescue::refuse(&refusal, books),
    }
}

/// One model, or that there is none for this key.
fn one_model(
    plan: &Plan,
    identity: &Identity,
    id: &str,
    front: Option<&Front>,
    books: Box<Books>,
) -> Response<GatewayBody> {
    if let Some(response) = models::one(plan, &identity.app, id, front.and_then(Front::list)) {
        return listed(response, books);
    }
    let refusal = match route::route(plan, &identity.app, id) {
        Err(refusal) => refusal,
        Ok(_) => Refusal::model_unknown(id, None, &[]),
    };
    rescue::refuse(&refusal, books)
}

impl Asked<'_> {
    const fn template(&self) -> &'static str {
        match self {
            Self::Api(endpoint) => endpoint.template(),
            Self::Models => "/v1/models",
            Self::Model(_) => "/v1/models/{id}",
            Self::Deferred(_) => "/v1/deferred/{id}",
        }
    }
}

/// A bounded set of words for records: anybody can invent a method.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "HEAD" => "HEAD",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// Paths that need state at one vendor.
const STATEFUL: [&str; 12] = [
    "files",
    "batches",
    "responses",
    "uploads",
    "fine_tuning",
    "assistants",
    "threads",
    "vector_stores",
    "conversations",
    "containers",
    "evals",
    "videos",
];

/// What the path and the method ask for.
fn found<'a>(
    worker: &Worker,
    parts: &Parts,
    path: &'a str,
    front: Option<&Front>,
) -> Result<Asked<'a>, Refusal> {
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    wellhead_http::host::check(&parts.headers, authority, parts.version)
        .map_err(|error| Refusal::headers_invalid(&error))?;
    let header_bytes: usize =
        parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let max = worker.gateway.plan.load().limits.header_bytes_max;
    if header_bytes > max {
        return Err(Refusal::headers_too_large(max));
    }
    wellhead_http::headers::check_request(&parts.headers)
        .map_err(|error| Refusal::headers_invalid(&error))?;
    let canonical = wellhead_http::path::normalize(path).map_err(|error| Refusal::path_invalid(&error))?;
    let post = parts.method == Method::POST;
    if let Some(front) = front {
        return match front.endpoint() {
            Some(endpoint) if post => Ok(Asked::Api(endpoint)),
            Some(_) => Err(Refusal::method(parts.method.as_str(), front.template(), "POST")),
            None => Ok(front.model().map_or(Asked::Models, |id| Asked::Model(Cow::Owned(id.to_owned())))),
        };
    }
    let get = parts.method == Method::GET;
    if let Some(endpoint) = Endpoint::from_path(&canonical) {
        let listing = endpoint == Endpoint::Responses && get;
        return match (post, listing) {
            (true, _) => Ok(Asked::Api(endpoint)),
            (_, true) => Err(Refusal::stateful("GET /v1/responses")),
            _ => Err(Refusal::method(parts.method.as_str(), endpoint.template(), "POST")),
        };
    }
    let below = canonical.strip_prefix("/v1/").unwrap_or_default();
    let first = below.split('/').next().unwrap_or_default();
    if first == "models" {
        if !get {
            return Err(Refusal::method(parts.method.as_str(), "/v1/models", "GET"));
        }
        return match wellhead_http::path::model_id(&canonical) {
            None => Ok(Asked::Models),
            Some(id) => Ok(Asked::Model(Cow::Owned(id.into_owned()))),
        };
    }
    if let Some(id) = below.strip_prefix("deferred/")
        && let Some(asked) = defer::find(id, &parts.method)?
    {
        return Ok(Asked::Deferred(Box::new(asked)));
    }
    if STATEFUL.contains(&first) {
        return Err(Refusal::stateful(&format!("{} /v1/{first}", parts.method)));
    }
    Err(Refusal::path_unknown(parts.method.as_str(), path, &worker.gateway.base_url))
}

/// Parses, routes, admits: from a body to a request that may be sent.
#[expect(clippy::too_many_arguments, reason = "everything that is known by then becomes the exchange")]
fn admitted(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    endpoint: Endpoint,
    identity: &Identity,
    parts: Parts,
    body: Bytes,
    mut books: Box<Books>,
    trace: Trace,
) -> Result<Box<Exchange>, Box<(Refusal, Box<Books>)>> {
    books.record.request_bytes = body.len() as u64;
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let head = match RequestHead::parse(endpoint, content_type, &body) {
        Ok(head) => head,
        Err(bad) => return Err(Box::new((Refusal::body_invalid(bad), books))),
    };
    books.record.streamed = head.stream;
    let route = match route::route(plan, &identity.app, &head.model) {
        Ok(route) => route,
        Err(refusal) => return Err(Box::new((refusal, books))),
    };
    books.record.route = Some(route.model.name.clone());
    books.route = Some(route.clone());
    if !route.targets.iter().any(|target| identity.app.may_reach(&target.provider)) {
        return Err(Box::new((Refusal::region(&head.model), books)));
    }
    let unfit = substitute::unfit(&route, &route, &identity.app, endpoint);
    if unfit.len() == route.targets.len() && endpoint != Endpoint::CountTokens {
        return Err(Box::new((Refusal::endpoint_unserved(&head.model, endpoint.template()), books)));
    }
    let now = worker.gateway.clock.now();
    // Nothing is used by being counted.
    let tokens = if endpoint == Endpoint::CountTokens { 0 } else { head.estimate_tokens(&body) };
    match admit::admit(&identity.app, tokens, now) {
        Ok(admission) => books.admission = Some(admission),
        Err(refusal) => return Err(Box::new((refusal, books))),
    }
    books.input_estimate = head.estimate_input_tokens(&body);
    route.budget.on_request(now);
    let patience = Patience::from_headers(&parts.headers).first_byte();
    let longest = if endpoint == Endpoint::CountTokens { count::DEADLINE } else { route.model.deadline };
    let longest = longest.min(route.model.deadline);
    let deadline = patience.map_or(longest, |caller| caller.min(longest));
    let deadline = books.started.saturating_add(clock::nanos(deadline));
    books.deadline = deadline;
    let substitute = Substitute::of(plan, &route, &identity.app, endpoint, now, deadline);
    let own = || (deadline, route.model.attempts_max);
    let (deadline, attempts_max) = substitute.as_ref().map_or_else(own, |substitute| substitute.first());
    let mut ladder = Ladder::new(now, deadline, attempts_max, worker.gateway.entropy.next());
    books.unfit = unfit.iter().fold(0, |set, i| set | 1 << (i % TARGETS_MAX));
    let backed = substitute.as_ref().is_some_and(|substitute| substitute.is_backed());
    books.sole = unfit.len() + 1 == route.targets.len() && !backed;
    unfit.into_iter().for_each(|i| ladder.exclude(i));
    Ok(Box::new(Exchange {
        worker: worker.clone(),
        plan: plan.clone(),
        ladder,
        route,
        endpoint,
        early: head.stream.then(Arc::<Early>::default),
        resume: None,
        head,
        body: Kept::Memory(body),
        asked: None,
        own: None,
        headers: parts.headers,
        kept_headers: Box::default(),
        trace,
        deadline,
        tokens,
        hold: None,
        last_light: false,
        substitute,
        books,
    }))
}

/// Runs the attempts. A streamed request gets its headers after a while even if there is no content yet; the attempts
/// then go on inside the body.
async fn attempts(mut exchange: Box<Exchange>) -> Response<GatewayBody> {
    let Some(early) = exchange.early.clone() else {
        if exchange.route.model.defer.is_some() {
            return defer::attempts(exchange).await;
        }
        let outcome = substitute::run(&mut exchange).await;
        return ended(exchange, outcome);
    };
    let endpoint = exchange.endpoint;
    let mut head = Response::new(GatewayBody::Whole(None));
    rescue::identify(head.headers_mut(), &exchange.books);
    head.headers_mut().insert(&names::X_WELLHEAD_ROUTE, exchange.route.header.clone());
    if let Some(admission) = &exchange.books.admission {
        rescue::limit_headers(admission.headers(), head.headers_mut());
    }
    let mut running: crate::stream::Attempts = Box::pin(async move {
        let outcome = substitute::run(&mut exchange).await;
        (exchange, outcome)
    });
    if let Ok((exchange, outcome)) = tokio::time::timeout(HEADERS_WAIT_MAX, &mut running).await {
        return ended(exchange, outcome);
    }
    head.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    head.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    *head.body_mut() =
        GatewayBody::Stream(StreamBody(Box::pin(ClientStream::opening(running, early, endpoint))));
    head
}

/// From the outcome of the attempts to the answer.
pub(crate) fn ended(exchange: Box<Exchange>, outcome: attempt::Outcome) -> Response<GatewayBody> {
    match outcome {
        Ok(opened) => opened_answer(opened, exchange),
        Err(gave_up) if count::may_estimate(&exchange, &gave_up) => count::estimated(exchange.books),
        Err(gave_up) => {
            let rung = exchange.rung();
            let Exchange { mut books, headers, .. } = *exchange;
            books.record.rung = rung;
            rescue::gave_up(gave_up, retried_before(&headers), books)
        }
    }
}

/// Whether the SDK says that this is a retry of its own.
fn retried_before(headers: &HeaderMap) -> bool {
    headers.get(&names::X_STAINLESS_RETRY_COUNT).is_some_and(|count| count.as_bytes() != b"0")
}

fn opened_answer(opened: Opened, mut exchange: Box<Exchange>) -> Response<GatewayBody> {
    let mut response = Response::new(GatewayBody::Whole(None));
    *response.status_mut() = StatusCode::from_u16(opened.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    // The upstream's and ours, without growing twice.
    headers.reserve(opened.headers.len() + OWN_HEADERS);
    wellhead_http::headers::response_headers(&opened.headers, headers);
    answer_headers(headers, &opened, &exchange.books);
    exchange.substitute_headers(headers);
    if exchange.asked.is_some()
        && let Some(target) = exchange.books.route.as_ref().and_then(|route| route.targets.get(opened.target))
    {
        // What only the vendor understands has to find its way back to it.
        response.extensions_mut().insert(target.voice.target.origin.clone());
    }
    exchange.keep_whole(&opened);
    if let Some(original) = opened.original {
        response.extensions_mut().insert(*original);
    }
    let books = &mut exchange.books;
    books.record.status = opened.status;
    books.record.rung = opened.rung;
    books.content();
    *response.body_mut() = match opened.content {
        Content::Whole(bytes, usage) => {
            let mut books = exchange.books;
            books.record.response_bytes = bytes.len() as u64;
            books.record.usage = usage.map(|usage| *usage);
            books.end_attempt("ok");
            if let Some(cost) = books.cost_header() {
                response.headers_mut().insert(&names::X_WELLHEAD_COST, cost);
            }
            books.close(opened.rung.outcome());
            GatewayBody::whole(bytes)
        }
        Content::Relay(read, body) => {
            let json = matches!(opened.headers.get(header::CONTENT_TYPE), Some(v) if v.as_bytes().starts_with(b"application/json"));
            let idle = exchange.route.model.stream_idle_timeout;
            GatewayBody::Relay(RelayBody(Box::new(Relay::new(read, body, exchange.books, idle, json))))
        }
        Content::Stream(live) => {
            response.headers_mut().remove(header::CONTENT_LENGTH);
            exchange.record_stream(opened.target);
            GatewayBody::Stream(StreamBody(Box::pin(ClientStream::flowing(live, exchange))))
        }
    };
    response
}

/// What every answer says about itself.
fn answer_headers(headers: &mut HeaderMap, opened: &Opened, books: &Books) {
    rescue::identify(headers, books);
    rescue::survival(headers, opened.rung, books);
    if let Some(target) = books.route.as_ref().and_then(|route| route.targets.get(opened.target)) {
        headers.insert(&names::X_WELLHEAD_TARGET, target.header.clone());
        let theirs = &names::X_UPSTREAM_REQUEST_ID;
        let named = target.provider.request_id_header.as_ref();
        if let Some(id) =
            named.and_then(|name| opened.headers.get(name)).filter(|_| !headers.contains_key(theirs))
        {
            headers.insert(theirs, id.clone());
        }
    }
    if let Some(dropped) = &opened.dropped {
        headers.insert(&names::X_WELLHEAD_DROPPED, dropped.0.clone());
    }
    let overhead_us = u64::try_from(books.record.overhead.as_micros()).unwrap_or(u64::MAX);
    let ms = format!("{}.{:03}", overhead_us / 1000, overhead_us % 1000);
    if let Ok(value) = HeaderValue::from_str(&ms) {
        headers.insert(&names::X_WELLHEAD_OVERHEAD_MS, value);
    }
    if let Some(admission) = &books.admission {
        rescue::limit_headers(admission.headers(), headers);
    }
}

/// An answer that the gateway makes itself.
fn listed(mut response: Response<GatewayBody>, mut books: Box<Books>) -> Response<GatewayBody> {
    rescue::identify(response.headers_mut(), &books);
    books.record.status = response.status().as_u16();
    books.close(Outcome::Ok);
    response
}

#[cfg(test)]
mod tests {
    /// The future of a request is copied into its place by every layer around it: its size is paid per request.
    #[test]
    fn a_request_costs_no_large_copies() {
        let size = future_size(&super::serve);
        assert!(size <= SIZE_MAX, "the future of a request has {size} bytes; the bound is {SIZE_MAX}");
    }

    /// Measured 3,248 when this was written.
    const SIZE_MAX: usize = 4 * 1024;

    fn future_size<A, B, F>(_: &impl Fn(A, B) -> F) -> usize {
        size_of::<F>()
    }
}
