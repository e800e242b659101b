//! One attempt: it is begun, which takes room, a key and the right to send, and sent. What becomes of it is told to the
//! books and to the key.

use super::{Limit, Missed, credential, limit, missed, open};
use crate::answer::Opened;
use crate::exchange::{Call, Exchange};
use crate::gateway::Worker;
use crate::plan::{CloudKey, KeyPlan, Route, TargetPlan, Uris};
use crate::settle::Books;
use crate::stages::{hedge, queue};
use crate::stream::Resume;
use crate::translate::{self, Customs, Dropped};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version, header};
use std::sync::Arc;
use wellhead_http::names;
use wellhead_net::{InBody, OutBody};
use wellhead_resilience::Nanos;
use wellhead_types::{Cause, Rung, Stage};

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
    pub(super) fn key<'a>(&self, route: &'a Route) -> Option<&'a KeyPlan> {
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
    let (mut dropped, mut customs, mut is_kept, mut kept) = (None, None, false, None);
    let (aside, native) = (target.aside(call.endpoint), call.native(begun.number));
    let uris = match (aside, native) {
        (Some(aside), _) => &aside.uris,
        (None, Some((_, native))) => native.uris(call.endpoint, call.head.stream),
        (None, None) => uris(call, target),
    };
    let body = if let Some(aside) = aside {
        let written = Box::pin(translate::aside(call, &target.voice, aside.form)).await?;
        dropped = Dropped::of(&written.encoded);
        kept = Some(Arc::new(written.kept));
        OutBody::full(written.encoded.body)
    } else if native.is_none() && !call.is_foreign() {
        if call.head.has_foreign_thoughts {
            OutBody::full(Box::pin(translate::without_foreign_thoughts(call, begun.number)).await?)
        } else {
            call.out_body(begun.number)
        }
    } else {
        let voice = native.map_or(&target.voice, |(voice, _)| voice);
        // Boxed: every request would carry it.
        let written = Box::pin(translate::body(call, voice)).await?;
        dropped = Dropped::of(&written.encoded);
        is_kept = written.is_kept;
        customs = written.encoded.customs.map(Customs);
        OutBody::full(written.encoded.body)
    };
    // Boxed: few requests come here, and every one would carry it.
    let authorized = match begun.key(call.route).and_then(|key| key.cloud.as_deref()) {
        Some(cloud) => Some(Box::pin(credential::authorize(call, begun, cloud, &body, uris)).await?),
        None => None,
    };
    let build = |version: Version| {
        let uri = if version == Version::HTTP_2 { uris.absolute.clone() } else { uris.origin.clone() };
        let mut request = Request::new(body.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers(call, begun, is_kept);
        if let Some(authorized) = &authorized {
            authorized.put(request.headers_mut());
        }
        if version == Version::HTTP_2 {
            request.headers_mut().remove(header::HOST);
        }
        request
    };
    let mut limit = begun.terms.limit;
    let mut sending = std::pin::pin!(call.worker.pool.send(&target.provider.endpoint, &build));
    let sent = loop {
        let sent = tokio::time::timeout_at(limit.at, &mut sending).await;
        match if sent.is_err() { limit.later(call) } else { None } {
            Some(later) => limit = later,
            None => break sent,
        }
    };
    match sent {
        Ok(Ok(mut response)) => {
            if let Some(dropped) = dropped {
                response.extensions_mut().insert(dropped);
            }
            if let Some(kept) = kept {
                response.extensions_mut().insert(kept);
            }
            if let Some(customs) = customs {
                response.extensions_mut().insert(customs);
            }
            Ok(response)
        }
        Ok(Err(error)) => Err(missed(call.blame(error.into()))),
        Err(_) => Err(missed(call.blame(limit.failure(Stage::Headers, Cause::HeadersTimeout)))),
    }
}

/// Where a target of the client's dialect is asked.
fn uris<'a>(call: &Call<'_>, target: &'a TargetPlan) -> &'a Uris {
    let prefills = call.resume.is_some_and(Resume::prefills) || call.begins_answer();
    if prefills { target.prefill_uris(call.endpoint) } else { target.uris(call.endpoint) }
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
            if let Some(cloud) = key.and_then(|key| key.cloud.as_deref()) {
                cloud.trust();
            }
            if key.is_some_and(|key| key.state.on_success(model, begun.started, now)) {
                worker.gateway.room.open_all(now);
            }
        }
        Err(Missed::Failed(failure, _)) => {
            let is_doubted = |key: &KeyPlan| {
                failure.cause == Cause::KeyRejected && key.cloud.as_deref().is_some_and(CloudKey::doubt)
            };
            match key {
                Some(key) if is_doubted(key) => key.state.on_doubt(now),
                Some(key) => key.state.on_failure(failure, model, now),
                None => {}
            }
        }
        Err(Missed::Full | Missed::Unavailable) => {}
    }
}

/// `is_kept`: the body is the client's own.
fn headers(call: &Call<'_>, begun: &Begun, is_kept: bool) -> HeaderMap {
    let target = call.target(begun.number);
    let provider = &target.provider;
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(header::HOST, provider.host.clone());
    let native = call.native(begun.number);
    let own = translate::own(call, native.map_or(&target.voice, |(voice, _)| voice));
    if native.is_none() || own.is_some() {
        wellhead_http::headers::request_headers(call.headers, &mut headers);
    }
    if !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let betas: Vec<HeaderValue> = match own {
        Some(_) => headers.get_all(&names::ANTHROPIC_BETA).iter().cloned().collect(),
        None => Vec::new(),
    };
    for (name, value) in &provider.headers {
        headers.insert(name.clone(), value.clone());
    }
    if let Some(own) = own {
        translate::versions(own, is_kept, &betas, &mut headers);
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
