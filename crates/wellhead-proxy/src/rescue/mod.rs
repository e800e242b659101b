//! The only place where a failure becomes an HTTP answer (contract.md 2.2). Every answer says whose fault it was, what
//! was tried, and when it is worth coming back; none names an address or a key.

mod deferred;
mod refusal;
mod upstream;

pub(crate) use refusal::Refusal;
pub(crate) use upstream::{gave_up, in_stream, interrupted, too_long};

use crate::body::GatewayBody;
use crate::diagnosis;
use crate::settle::Books;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use std::time::Duration;
use wellhead_http::{names, retry_after};
use wellhead_types::{Outcome, Rung};
use wellhead_wire::openai::error::{Attempt, ErrorBody};

/// The code of an answer that broke off after its first content.
pub(crate) const INTERRUPTED: &str = "upstream_stream_interrupted";
/// What helps against the gateway's own limits.
const SHED_FIX: &str = "raise the limit that the message names, or run another gateway beside this one";
/// Where each code is explained.
const DOC: &str = "docs/reference/errors.md#";

/// What a client of another dialect gets instead of an answer that cannot be put into it.
pub(crate) const fn untranslated() -> (StatusCode, &'static [u8]) {
    let error = br#"{"error":{"message":"The upstream's answer could not be translated into this dialect.","type":"server_error","param":null,"code":"upstream_invalid_answer"}}"#;
    (StatusCode::BAD_GATEWAY, error)
}

/// Turns a refusal into an answer and closes the books.
pub(crate) fn refuse(refusal: &Refusal, mut books: Box<Books>) -> Response<GatewayBody> {
    if let Some(cause) =
        refusal.cause.filter(|_| books.told.as_ref().is_none_or(|told| told.report.is_none()))
    {
        diagnosis::known(&mut books, cause, &refusal.message, SHED_FIX.to_owned());
    }
    let body = body(refusal, &books).to_bytes();
    let mut response = Response::new(GatewayBody::whole(body.clone()));
    *response.status_mut() =
        StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    retry_advice(headers, refusal.should_retry, refusal.retry_after);
    if let Some(status) = &refusal.proxy_status {
        headers.insert(&names::PROXY_STATUS, status.to_value());
    }
    if let Some(allow) = refusal.allow {
        headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(limits) = &refusal.limits {
        limit_headers(limits, headers);
    }
    identify(headers, &books);
    if refusal.closes_connection {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    survival(headers, Rung::Refused, &books);
    books.record.status = refusal.status;
    books.record.rung = Rung::Refused;
    books.record.code = Some(refusal.code);
    books.record.response_bytes = body.len() as u64;
    books.close(refusal.outcome);
    response
}

/// Passes an upstream's own error on: its status, its bytes, our ids.
pub(crate) fn pass_on(
    status: u16,
    upstream: &HeaderMap,
    body: bytes::Bytes,
    mut books: Box<Books>,
) -> Response<GatewayBody> {
    books.record.response_bytes = body.len() as u64;
    let mut response = Response::new(GatewayBody::whole(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    wellhead_http::headers::response_headers(upstream, headers);
    headers.remove(header::CONTENT_LENGTH);
    retry_advice(headers, Some(false), None);
    let rung = books.record.rung;
    let last = books.record.attempts.last().map(|attempt| &attempt.target);
    let targets = books.route.iter().flat_map(|route| &route.targets);
    if let Some(target) = targets.into_iter().find(|target| Some(&target.id) == last) {
        headers.insert(&names::X_WELLHEAD_TARGET, target.header.clone());
    }
    identify(headers, &books);
    survival(headers, rung, &books);
    books.record.status = status;
    books.record.code = Some("upstream_rejected");
    books.close(Outcome::Rejected);
    response
}

/// `x-request-id` (OpenAI's SDKs) and `request-id` (Anthropic's).
pub(crate) fn identify(headers: &mut HeaderMap, books: &Books) {
    let mut buffer = [0; 36];
    let id = books.record.request_id.encode(&mut buffer);
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(&names::REQUEST_ID, value.clone());
        headers.insert(&names::X_REQUEST_ID, value);
    }
}

/// Which rung answered, after how many attempts.
pub(crate) fn survival(headers: &mut HeaderMap, rung: Rung, books: &Books) {
    headers.insert(&names::X_WELLHEAD_SURVIVAL, HeaderValue::from_static(rung.as_str()));
    headers.insert(&names::X_WELLHEAD_ATTEMPTS, HeaderValue::from(attempts(books)));
    if let Some(route) = books.asked_route() {
        headers.insert(&names::X_WELLHEAD_ROUTE, route.header.clone());
    }
}

/// The app's limits as they stand.
pub(crate) fn limit_headers(limits: &wellhead_quota::LimitHeaders, headers: &mut HeaderMap) {
    limits.write(|name, value| {
        if let Ok(value) = HeaderValue::from_str(value) {
            // Insertion by text would look the name up among the standard ones first.
            headers.insert(HeaderName::from_static(name), value);
        }
    });
}

fn attempts(books: &Books) -> u64 {
    books.record.attempts.len() as u64 + u64::from(books.attempt_under_way())
}

fn retry_advice(headers: &mut HeaderMap, should_retry: Option<bool>, after: Option<Duration>) {
    if let Some(should) = should_retry {
        let word = if should { "true" } else { "false" };
        // Obeyed by the official SDKs before their own rule.
        headers.insert(&names::X_SHOULD_RETRY, HeaderValue::from_static(word));
    }
    if let Some(after) = after.filter(|_| should_retry != Some(false)) {
        retry_after::write(headers, after);
    }
}

/// The body in the OpenAI shape: the four members that SDKs require, and ours beside them.
pub(crate) fn body(refusal: &Refusal, books: &Books) -> ErrorBody {
    let attempts = books.record.attempts.iter().map(|a| Attempt {
        target: a.target.to_string(),
        outcome: a.result.to_owned(),
        status: a.status,
        ms: u64::try_from(a.duration.as_millis()).unwrap_or(u64::MAX),
    });
    ErrorBody {
        message: refusal.message.to_string(),
        kind: refusal.kind.to_owned(),
        cause: refusal.cause.map(wellhead_types::Diagnosis::as_str),
        code: Some(refusal.code.to_owned()),
        param: refusal.param.map(str::to_owned),
        source: refusal.source,
        request_id: books.record.request_id.to_string(),
        route: books.record.route.as_ref().map(ToString::to_string),
        attempts: attempts.collect(),
        retry_after_s: refusal.retry_after.map(|after| (after.as_secs_f64() * 1000.0).ceil() / 1000.0),
        doc: Some(format!("{DOC}{}", refusal.code)),
    }
}
