//! One request as one line. The names of the JSON members are a promise: they are added to, never changed.
//!
//! | Member | Meaning |
//! | --- | --- |
//! | `time` | start, RFC 3339 in UTC |
//! | `request_id`, `trace_id`, `span_id` | ids; the span is the gateway's |
//! | `app`, `key_id` | who asked; null if not identified |
//! | `route` | model name that was asked for; null if unknown |
//! | `endpoint`, `method`, `operation` | what was asked |
//! | `status` | what the client saw; 0 if it left before |
//! | `outcome`, `rung`, `code` | how it ended, how far it fell, error code or null |
//! | `streamed` | whether a stream was asked for |
//! | `duration_ms`, `first_byte_ms`, `overhead_ms` | milliseconds with three decimals |
//! | `request_bytes`, `response_bytes` | body sizes |
//! | `usage` | null, or `input_tokens`, `output_tokens`, `cached_input_tokens`, `reasoning_tokens`, `audio_tokens` |
//! | `usage_estimated` | whether `usage` was estimated here |
//! | `target` | who was asked last; null if nobody |
//! | `attempts` | `target`, `key_id`, `span_id`, `status`, `result`, `offset_ms`, `duration_ms`, `first_byte_ms` each |
//!
//! Every member is always there. There are no prompts, answers or keys in it.

use std::io::{self, Write};
use std::time::Duration;

use serde::{Serialize, Serializer};
use wellhead_types::{RequestId, Usage};

use crate::hex::Hex;
use crate::record::{AttemptRecord, RequestRecord};
use crate::time::{clock, rfc3339};

#[derive(Serialize)]
struct Line<'a> {
    time: Time,
    request_id: &'a RequestId,
    trace_id: Hex<'a>,
    span_id: Hex<'a>,
    app: Option<&'a str>,
    key_id: Option<&'a str>,
    route: Option<&'a str>,
    endpoint: &'a str,
    method: &'a str,
    operation: &'a str,
    status: u16,
    outcome: &'a str,
    rung: &'a str,
    code: Option<&'a str>,
    streamed: bool,
    duration_ms: Millis,
    first_byte_ms: Option<Millis>,
    overhead_ms: Millis,
    request_bytes: u64,
    response_bytes: u64,
    usage: Option<Usage>,
    usage_estimated: bool,
    target: Option<&'a str>,
    attempts: Attempts<'a>,
}

#[derive(Serialize)]
struct AttemptLine<'a> {
    target: &'a str,
    key_id: Option<&'a str>,
    span_id: Hex<'a>,
    status: Option<u16>,
    result: &'a str,
    offset_ms: Millis,
    duration_ms: Millis,
    first_byte_ms: Option<Millis>,
}

struct Time(u64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&rfc3339(self.0))
    }
}

/// Milliseconds with at most three decimals.
struct Millis(Duration);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // From whole microseconds: 0.3 ms must not become 0.29999. Exact up to 285 years.
        serializer.serialize_f64(self.0.as_micros() as f64 / 1_000.0)
    }
}

struct Attempts<'a>(&'a [AttemptRecord]);

impl Serialize for Attempts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|attempt| AttemptLine {
            target: &attempt.target,
            key_id: attempt.key_id.as_deref(),
            span_id: Hex(&attempt.span_id),
            status: attempt.status,
            result: attempt.result,
            offset_ms: Millis(attempt.offset),
            duration_ms: Millis(attempt.duration),
            first_byte_ms: attempt.first_byte.map(Millis),
        }))
    }
}

/// Appends the JSON line with its line feed.
///
/// # Errors
///
/// None for a `Vec`; otherwise what `to` says.
pub(super) fn json(mut to: impl Write, record: &RequestRecord) -> io::Result<()> {
    let line = Line {
        time: Time(record.started_unix_ns),
        request_id: &record.request_id,
        trace_id: Hex(&record.trace.trace_id),
        span_id: Hex(&record.trace.span_id),
        app: record.app.as_deref(),
        key_id: record.key_id.as_deref(),
        route: record.route.as_deref(),
        endpoint: record.endpoint,
        method: record.method,
        operation: record.operation,
        status: record.status,
        outcome: record.outcome.as_str(),
        rung: record.rung.as_str(),
        code: record.code,
        streamed: record.streamed,
        duration_ms: Millis(record.duration),
        first_byte_ms: record.first_byte.map(Millis),
        overhead_ms: Millis(record.overhead),
        request_bytes: record.request_bytes,
        response_bytes: record.response_bytes,
        usage: record.usage,
        usage_estimated: record.usage_estimated,
        target: record.attempts.last().map(|attempt| &*attempt.target),
        attempts: Attempts(&record.attempts),
    };
    serde_json::to_writer(&mut to, &line)?;
    to.write_all(b"\n")
}

/// Appends a short line for a person at a terminal:
/// `12:03:04.125 200 ok/direct chat gpt-4o -> openai/gpt-4o 812 ms, first 211 ms, 120+340 tokens, app web`.
///
/// # Errors
///
/// As `json`.
pub(super) fn human(mut to: impl Write, record: &RequestRecord) -> io::Result<()> {
    write!(to, "{} ", clock(record.started_unix_ns))?;
    match record.status {
        0 => write!(to, "---")?,
        status => write!(to, "{status}")?,
    }
    let route = record.route.as_deref().unwrap_or(record.endpoint).escape_debug();
    write!(to, " {}/{} {} {route}", record.outcome.as_str(), record.rung.as_str(), record.operation)?;
    for attempt in &record.attempts {
        write!(to, " -> {}", attempt.target.escape_debug())?;
        if attempt.result != "ok" {
            write!(to, " ({})", attempt.result)?;
        }
    }
    write!(to, " {} ms", record.duration.as_millis())?;
    if let Some(first) = record.first_byte.filter(|_| record.streamed) {
        write!(to, ", first {} ms", first.as_millis())?;
    }
    if let Some(usage) = record.usage {
        let about = if record.usage_estimated { "~" } else { "" };
        write!(to, ", {about}{}+{} tokens", usage.input_tokens, usage.output_tokens)?;
    }
    if let Some(app) = &record.app {
        write!(to, ", app {}", app.escape_debug())?;
    }
    if let Some(code) = record.code {
        write!(to, ", {code}")?;
    }
    writeln!(to)
}
