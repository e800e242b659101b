//! What the owner of a deferred request asks about it: how far it is, what the answer was; or takes it back. Owners are
//! apps: any key of the same app will do, and to others the request does not exist.

use super::accept::{ASK_AGAIN, pending};
use super::document::document;
use crate::body::GatewayBody;
use crate::gateway::Worker;
use crate::rescue::{self, Refusal};
use crate::settle::Books;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use std::sync::Arc;
use wellhead_http::retry_after;
use wellhead_resilience::defer::{Entry, Finished, How, Id, Record};
use wellhead_types::{Name, Outcome, Rung};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// How far it is.
    Status(Id),
    /// Its answer.
    Answer(Id),
    /// That it is not answered any more.
    Cancel(Id),
}

/// What a path below `/v1/deferred` asks for; `below` begins behind that.
pub(crate) fn find(below: &str, method: &Method) -> Result<Option<Asked>, Refusal> {
    let (id, rest) = below.split_once('/').map_or((below, None), |(id, rest)| (id, Some(rest)));
    if rest.is_some_and(|rest| rest != "result") {
        return Ok(None);
    }
    let Ok(id) = id.parse() else { return Ok(None) };
    match (rest.is_some(), method) {
        (false, &Method::GET) => Ok(Some(Asked::Status(id))),
        (false, &Method::DELETE) => Ok(Some(Asked::Cancel(id))),
        (true, &Method::GET) => Ok(Some(Asked::Answer(id))),
        (false, other) => Err(Refusal::method(other.as_str(), "/v1/deferred/{id}", "GET, DELETE")),
        (true, other) => Err(Refusal::method(other.as_str(), "/v1/deferred/{id}/result", "GET")),
    }
}

/// Answers an owner, or whoever takes itself for one.
pub(crate) async fn fetch(
    worker: &Arc<Worker>,
    app: &Name,
    asked: Asked,
    books: Box<Books>,
) -> Response<GatewayBody> {
    match asked {
        Asked::Answer(id) => answer(worker, app, id, books).await,
        Asked::Status(id) => match owned(worker, app, id) {
            Some(entry) => described(&entry, books),
            None => rescue::refuse(&Refusal::deferred_unknown(), books),
        },
        Asked::Cancel(id) => cancel(worker, app, id, books).await,
    }
}

/// The answer as it would have been at once.
pub(super) async fn answer(
    worker: &Arc<Worker>,
    app: &Name,
    id: Id,
    books: Box<Books>,
) -> Response<GatewayBody> {
    let Some(entry) = owned(worker, app, id) else {
        return rescue::refuse(&Refusal::deferred_unknown(), books);
    };
    let Some(end) = entry.end() else { return closed(pending(&entry), books) };
    if end.status == 0 {
        return rescue::refuse(&Refusal::deferred_ended(end.how, end.code.as_deref()), books);
    }
    match worker.gateway.deferred.journal.read(id).await {
        Ok(body) => kept(end, body, books),
        Err(_) => rescue::refuse(&Refusal::deferred_unread(), books),
    }
}

fn kept(end: &Finished, body: Bytes, mut books: Box<Books>) -> Response<GatewayBody> {
    books.record.response_bytes = body.len() as u64;
    let mut response = Response::new(GatewayBody::whole(body));
    *response.status_mut() = StatusCode::from_u16(end.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    for (name, value) in &end.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            let _ = headers.try_append(name, value);
        }
    }
    books.record.status = end.status;
    books.record.rung = Rung::Deferred;
    books.close(Outcome::Ok);
    response
}

async fn cancel(worker: &Arc<Worker>, app: &Name, id: Id, books: Box<Books>) -> Response<GatewayBody> {
    let deferred = &worker.gateway.deferred;
    let Some(entry) = owned(worker, app, id) else {
        return rescue::refuse(&Refusal::deferred_unknown(), books);
    };
    // A turn first: what is claimed is written without anything between.
    let Ok(turn) = deferred.journal.turn().await else {
        return rescue::refuse(&Refusal::deferred_unwritten(), books);
    };
    let claimed = deferred.journal.outbox().claim(id);
    if !claimed {
        let entry = owned(worker, app, id).unwrap_or(entry);
        return rescue::refuse(&Refusal::deferred_not_queued(entry.word()), books);
    }
    let end = end(worker, How::Cancelled, None);
    let done = turn.append(Record::Finished { id, end: Box::new(end) }, Bytes::new());
    if super::journal::durable(done).await.is_err() {
        deferred.journal.outbox().release(id);
        return rescue::refuse(&Refusal::deferred_unwritten(), books);
    }
    deferred.counts.ended(How::Cancelled);
    described(&owned(worker, app, id).unwrap_or(entry), books)
}

/// An end without an answer.
pub(super) fn end(worker: &Worker, how: How, code: Option<&str>) -> Finished {
    let gateway = &worker.gateway;
    let at_ms = gateway.clock.wall_ns(gateway.clock.now()) / 1_000_000;
    let keep = u64::try_from(gateway.plan.load().defer.keep.as_millis()).unwrap_or(u64::MAX);
    Finished {
        how,
        at_ms,
        keep_until_ms: at_ms.saturating_add(keep),
        status: 0,
        headers: Vec::new(),
        code: code.map(str::to_owned),
        notify: false,
    }
}

fn owned(worker: &Worker, app: &Name, id: Id) -> Option<Entry> {
    worker.gateway.deferred.journal.outbox().get(id).filter(|entry| entry.request.app == *app).cloned()
}

fn described(entry: &Entry, books: Box<Books>) -> Response<GatewayBody> {
    let mut response = Response::new(GatewayBody::whole(document(entry).to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if entry.end().is_none() {
        retry_after::write(response.headers_mut(), ASK_AGAIN);
    }
    closed(response, books)
}

fn closed(mut response: Response<GatewayBody>, mut books: Box<Books>) -> Response<GatewayBody> {
    rescue::identify(response.headers_mut(), &books);
    books.record.status = response.status().as_u16();
    books.close(Outcome::Ok);
    response
}
