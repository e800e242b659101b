//! Tells an app that a deferred request has ended: a message of Standard Webhooks, signed, at least once, with the same
//! id each time. Only to the address of the app's own setting: no client can make the gateway call anybody.

use super::document::document;
use super::run::{now_ms, surely};
use crate::body::BrokenOff;
use crate::gateway::Worker;
use crate::plan::WebhookPlan;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode, Version};
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use wellhead_net::OutBody;
use wellhead_resilience::Rng;
use wellhead_resilience::defer::delivery::pause_ms;
use wellhead_resilience::defer::{Delivered, Entry, Id, Record};
use wellhead_telemetry::rfc3339;

/// Time for a receiver to take a message.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// Largest message: what the standard recommends.
const MESSAGE_BYTES_MAX: usize = 20_000;
/// Largest answer that is sent along; others are fetched.
const RESULT_BYTES_MAX: usize = 12_000;
/// Bytes of a receiver's answer that are read, so that its connection can be used again.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

static WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
static WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
static WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// What came of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The receiver took it.
    Taken,
    /// It did not; there is another try.
    Later,
    /// It did not, and there is none.
    GaveUp,
    /// It wants no more messages at all.
    Gone,
}

impl Told {
    /// Every outcome that is counted.
    pub(super) const ALL: [Self; 4] = [Self::Taken, Self::Later, Self::GaveUp, Self::Gone];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Later => "failed",
            Self::GaveUp => "gave_up",
            Self::Gone => "gone",
        }
    }
}

/// Tries once to tell the owner of a request, and writes down what came of it. `refused`: it is known not to want it.
pub(super) async fn tell(worker: Arc<Worker>, id: Id, refused: bool) -> Told {
    let gateway = &worker.gateway;
    let Some(entry) = gateway.deferred.journal.outbox().get(id).cloned() else { return Told::GaveUp };
    let app = gateway.plan.load().apps.get(&entry.request.app).cloned();
    let answer = match app.as_ref().and_then(|app| app.webhook.as_ref()) {
        None => Err("no receiver is configured any more".to_owned()),
        Some(_) if refused => Ok((StatusCode::GONE, None)),
        Some(webhook) => send(&worker, webhook, &entry).await,
    };
    let tries = entry.delivery.as_ref().map_or(0, |delivery| delivery.tries).saturating_add(1);
    let (told, last, retry_after_ms) = match answer {
        Ok((status, _)) if status.is_success() => (Told::Taken, status.as_str().to_owned(), None),
        Ok((status, _)) if status == StatusCode::GONE => (Told::Gone, status.as_str().to_owned(), None),
        Ok((status, after)) => (Told::Later, status.as_str().to_owned(), after),
        Err(why) if app.is_none_or(|app| app.webhook.is_none()) => (Told::GaveUp, why, None),
        Err(why) => (Told::Later, why, None),
    };
    let pause = match told {
        Told::Later => pause_ms(tries, retry_after_ms, &mut Rng::new(gateway.entropy.next())),
        _ => None,
    };
    let delivery = Delivered {
        tries,
        next_ms: pause.map(|pause| now_ms(&worker).saturating_add(pause)),
        taken: told == Told::Taken,
        last,
    };
    let told = if told == Told::Later && pause.is_none() { Told::GaveUp } else { told };
    if told != Told::Taken {
        tracing::debug!(%id, outcome = told.as_str(), last = delivery.last, "a webhook was not taken");
    }
    surely(&worker, Record::Delivered { id, delivery }, Bytes::new()).await;
    told
}

/// The receiver's status, and when it wants to be asked again in milliseconds; or why there is none. Redirects are
/// answers like any other that is not 2xx: they are not followed.
async fn send(
    worker: &Worker,
    webhook: &WebhookPlan,
    entry: &Entry,
) -> Result<(StatusCode, Option<u64>), String> {
    let message = Bytes::from(message(worker, entry).await.to_string());
    let headers = headers(webhook, entry.request.id, now_ms(worker) / 1_000, &message)?;
    let build = |version: Version| {
        let uri = if version == Version::HTTP_2 { &webhook.uris.absolute } else { &webhook.uris.origin };
        let mut request = Request::new(OutBody::full(message.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = headers.clone();
        if version == Version::HTTP_2 {
            request.headers_mut().remove(header::HOST);
        }
        request
    };
    let exchange = async {
        let response = worker.pool.send(&webhook.endpoint, &build).await.map_err(|error| {
            tracing::debug!(detail = error.detail, "a webhook could not be sent");
            error.cause.as_str().to_owned()
        })?;
        let status = response.status();
        let after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|text| text.trim().parse::<u64>().ok()).map(|s| s.saturating_mul(1_000));
        // The status is the answer; what else it says is read only so that the connection can be used again.
        let rest = response.into_body().map_err(|_| BrokenOff);
        drop(Limited::new(rest, ANSWER_BYTES_MAX).collect().await);
        Ok((status, after))
    };
    tokio::time::timeout(ANSWER_MAX, exchange).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

fn headers(webhook: &WebhookPlan, id: Id, timestamp: u64, message: &[u8]) -> Result<HeaderMap, String> {
    let id = format!("msg_{id}");
    let signatures: Vec<String> = webhook.keys.iter().map(|key| key.sign(&id, timestamp, message)).collect();
    let value = |text: &str| HeaderValue::from_str(text).map_err(|error| error.to_string());
    let mut headers = HeaderMap::with_capacity(6);
    headers.insert(header::HOST, webhook.host.clone());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let agent = concat!("wellhead/", env!("CARGO_PKG_VERSION"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
    headers.insert(&WEBHOOK_ID, value(&id)?);
    headers.insert(&WEBHOOK_TIMESTAMP, HeaderValue::from(timestamp));
    headers.insert(&WEBHOOK_SIGNATURE, value(&signatures.join(" "))?);
    Ok(headers)
}

/// What is said. The same each time, but for what is known of the tries themselves.
async fn message(worker: &Worker, entry: &Entry) -> Value {
    let mut data = document(entry);
    if let Some(data) = data.as_object_mut() {
        data.remove("webhook");
    }
    let finished = entry.end().map_or(0, |end| end.at_ms);
    let mut message = json!({
        "type": format!("deferred.{}", entry.word()),
        "timestamp": rfc3339(finished.saturating_mul(1_000_000)).to_string(),
        "data": data,
    });
    if let Some(result) = result(worker, entry).await {
        message["data"]["result"] = result;
        if message.to_string().len() > MESSAGE_BYTES_MAX
            && let Some(data) = message["data"].as_object_mut()
        {
            data.remove("result");
        }
    }
    message
}

/// The answer itself, if it is small and JSON.
async fn result(worker: &Worker, entry: &Entry) -> Option<Value> {
    let end = entry.end().filter(|end| end.status > 0)?;
    if entry.body.bytes == 0 || entry.body.bytes > RESULT_BYTES_MAX as u64 {
        return None;
    }
    let is_json =
        |(name, value): &(String, String)| name == "content-type" && value.starts_with("application/json");
    if !end.headers.iter().any(is_json) {
        return None;
    }
    let body = worker.gateway.deferred.journal.read(entry.request.id).await.ok()?;
    serde_json::from_slice(&body).ok()
}
