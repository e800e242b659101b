//! Records as the JSON form of `ExportTraceServiceRequest`: ids in hexadecimal, 64-bit integers as strings, names in
//! lower camel case.

use std::time::Duration;

use serde_json::{Value, json};
use wellhead_types::{Outcome, Usage};

use super::OtlpOptions;
use super::names::{
    APP, ATTEMPT, ATTEMPTS, ERROR_TYPE, HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS, Names, OUTCOME, REPLAY,
    REQUEST_ID, ROUTE, RUNG, TARGET, USAGE_ESTIMATED,
};
use crate::hex::Hex;
use crate::record::{AttemptRecord, RequestRecord};

const KIND_SERVER: u8 = 2;
const KIND_CLIENT: u8 = 3;
const STATUS_ERROR: u8 = 2;

/// W3C flag "sampled": what is exported is sampled.
const FLAGS_SAMPLED: u32 = 1;

/// The message's body.
pub(super) fn body(options: &OtlpOptions, batch: &[RequestRecord]) -> Vec<u8> {
    let mut spans = Vec::with_capacity(batch.len() * 2);
    for record in batch {
        spans.push(server_span(record));
        let attempts = record.attempts.iter().enumerate();
        spans.extend(
            attempts.map(|(index, attempt)| client_span(record, index, attempt, options.conventions.names())),
        );
    }
    let mut resource = Attributes::default();
    resource.text("service.name", &options.service_name);
    resource.text("service.version", &options.version);
    let scope = json!({"name": "wellhead", "version": options.version});
    let message = json!({
        "resourceSpans": [{
            "resource": {"attributes": resource.0},
            "scopeSpans": [{"scope": scope, "spans": spans}],
        }],
    });
    message.to_string().into_bytes()
}

fn server_span(record: &RequestRecord) -> Value {
    let mut attributes = Attributes::default();
    attributes.text(HTTP_METHOD, record.method);
    attributes.text(HTTP_ROUTE, record.endpoint);
    attributes.text(REQUEST_ID, &record.request_id.to_string());
    attributes.text(OUTCOME, record.outcome.as_str());
    attributes.text(RUNG, record.rung.as_str());
    attributes.int(ATTEMPTS, u64::try_from(record.attempts.len()).unwrap_or(u64::MAX));
    if record.status != 0 {
        attributes.int(HTTP_STATUS, u64::from(record.status));
    }
    if let Some(app) = &record.app {
        attributes.text(APP, app);
    }
    if let Some(route) = &record.route {
        attributes.text(ROUTE, route);
    }
    // Said only where it explains why there was one attempt.
    if !record.replay {
        attributes.bool(REPLAY, false);
    }
    let error = record.code.or_else(|| failed(record.outcome).then(|| record.outcome.as_str()));
    if let Some(code) = error {
        attributes.text(ERROR_TYPE, code);
    }
    // HTTP conventions: a SERVER span is an error only when the server is at fault, not for a client's 4xx.
    let at_fault = error.filter(|_| failed(record.outcome));
    Span {
        name: format!("{} {}", record.method, record.endpoint),
        kind: KIND_SERVER,
        span_id: &record.trace.span_id,
        parent_id: record.trace.parent_id.as_ref(),
        start_ns: record.started_unix_ns,
        duration: record.duration,
        attributes,
        error: at_fault,
    }
    .encode(record)
}

fn client_span(record: &RequestRecord, index: usize, attempt: &AttemptRecord, names: &Names) -> Value {
    let mut attributes = Attributes::default();
    attributes.text(names.operation, record.operation);
    attributes.text(names.provider, &attempt.otel_provider);
    if let Some(system) = names.system {
        attributes.text(system, &attempt.otel_provider);
    }
    attributes.text(names.request_model, &attempt.model);
    attributes.text(TARGET, &attempt.target);
    attributes.int(ATTEMPT, u64::try_from(index + 1).unwrap_or(u64::MAX));
    if let Some(status) = attempt.status {
        attributes.int(HTTP_STATUS, u64::from(status));
    }
    if let Some(name) = names.stream {
        attributes.bool(name, record.streamed);
    }
    if let (Some(name), Some(first_byte), true) = (names.first_chunk_s, attempt.first_byte, record.streamed) {
        attributes.double(name, first_byte.as_secs_f64());
    }
    // The record knows one usage: that of the answer which reached the client, given by the last attempt.
    let answered = index + 1 == record.attempts.len() && attempt.result == "ok";
    if let (true, Some(usage)) = (answered, &record.usage) {
        attributes.usage(names, usage, record.usage_estimated);
    }
    let error = (attempt.result != "ok").then_some(attempt.result);
    if let Some(code) = error {
        attributes.text(ERROR_TYPE, code);
    }
    Span {
        name: format!("{} {}", record.operation, attempt.model),
        kind: KIND_CLIENT,
        span_id: &attempt.span_id,
        parent_id: Some(&record.trace.span_id),
        start_ns: record.started_unix_ns.saturating_add(nanos(attempt.offset)),
        duration: attempt.duration,
        attributes,
        error: error.filter(|code| *code != "cancelled"),
    }
    .encode(record)
}

/// Whether the gateway did not do what it is there for.
fn failed(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Shed | Outcome::Failed => true,
        Outcome::Ok | Outcome::Rescued | Outcome::Stale | Outcome::Degraded => false,
        Outcome::Rejected | Outcome::Cancelled => false,
    }
}

struct Span<'a> {
    name: String,
    kind: u8,
    span_id: &'a [u8; 8],
    parent_id: Option<&'a [u8; 8]>,
    start_ns: u64,
    duration: Duration,
    attributes: Attributes,
    error: Option<&'static str>,
}

impl Span<'_> {
    fn encode(self, record: &RequestRecord) -> Value {
        let end_ns = self.start_ns.saturating_add(nanos(self.duration));
        let mut span = json!({
            "traceId": Hex(&record.trace.trace_id).to_string(),
            "spanId": Hex(self.span_id).to_string(),
            "flags": FLAGS_SAMPLED,
            "name": self.name,
            "kind": self.kind,
            "startTimeUnixNano": self.start_ns.to_string(),
            "endTimeUnixNano": end_ns.to_string(),
            "attributes": self.attributes.0,
        });
        if let Some(parent) = self.parent_id {
            span["parentSpanId"] = Hex(parent).to_string().into();
        }
        if let Some(error) = self.error {
            span["status"] = json!({"code": STATUS_ERROR, "message": error});
        }
        span
    }
}

#[derive(Default)]
struct Attributes(Vec<Value>);

impl Attributes {
    fn text(&mut self, key: &str, value: &str) {
        self.push(key, json!({"stringValue": value}));
    }

    fn int(&mut self, key: &str, value: u64) {
        // The field is a signed 64-bit integer, spelt as a string.
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.push(key, json!({"intValue": value.to_string()}));
    }

    fn double(&mut self, key: &str, value: f64) {
        self.push(key, json!({"doubleValue": value}));
    }

    fn bool(&mut self, key: &str, value: bool) {
        self.push(key, json!({"boolValue": value}));
    }

    fn usage(&mut self, names: &Names, usage: &Usage, estimated: bool) {
        self.int(names.input_tokens, usage.input_tokens);
        self.int(names.output_tokens, usage.output_tokens);
        if let Some(name) = names.cached_tokens {
            self.int(name, usage.cached_input_tokens);
        }
        if let Some(name) = names.reasoning_tokens {
            self.int(name, usage.reasoning_tokens);
        }
        if estimated {
            self.bool(USAGE_ESTIMATED, true);
        }
    }

    fn push(&mut self, key: &str, value: Value) {
        let mut attribute = json!({"key": key});
        attribute["value"] = value;
        self.0.push(attribute);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
