#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use wellhead_catalog::{Cost, NanoDollars};
use wellhead_types::{Name, Outcome, Priority, RequestId, Rung};

use super::*;
use crate::record::TraceContext;
use crate::time::rfc3339;

/// Names as configurations have them, and such as break out of a string where they can.
fn name() -> impl Strategy<Value = Name> {
    prop_oneof!["[a-z0-9/._-]{0,20}", "[\"\\\\\u{0}-\u{1f}\u{7f}äß→😀a-c]{0,20}", any::<String>()]
        .prop_map(Name::from)
}

fn word() -> impl Strategy<Value = &'static str> {
    select(vec!["", "ok", "chat", "/v1/chat/completions", "\"", "a\\", "\n", "\u{1b}[31m", "naïve ☃"])
}

/// Up to 31 years: lines are read back into floating point, which keeps fifteen digits.
fn time_span() -> impl Strategy<Value = Duration> {
    prop_oneof![0..5_000_000_000_u64, 0..1_000_000_000_000_000_000_u64].prop_map(Duration::from_nanos)
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0..10_000_u64, any::<u64>()]
}

fn request_id() -> impl Strategy<Value = RequestId> {
    let made = (0..1_u64 << 48, any::<[u8; 10]>()).prop_map(|(ms, random)| RequestId::from_parts(ms, random));
    let given = "[A-Za-z0-9._:/+=-]{1,128}".prop_map(|id| RequestId::accept(id.as_bytes()).unwrap());
    prop_oneof![made, given]
}

fn tokens() -> impl Strategy<Value = Usage> {
    let counts = [count(), count(), count(), count(), count(), count(), count(), count()];
    counts.prop_map(|[input, output, cached, reasoning, audio, written, written_1h, spoken]| Usage {
        input_tokens: input,
        output_tokens: output,
        cached_input_tokens: cached,
        reasoning_tokens: reasoning,
        audio_tokens: audio,
        cache_write_tokens: written,
        cache_write_1h_tokens: written_1h,
        audio_output_tokens: spoken,
        // Other numbers than the ones above, which the order of the members is known by.
        cached_audio_tokens: spoken ^ 1,
        image_input_tokens: spoken ^ 2,
        image_output_tokens: spoken ^ 3,
        audio_ms: written ^ 4,
        images: written ^ 5,
        searches: written ^ 6,
    })
}

fn cost() -> impl Strategy<Value = Cost> {
    prop_oneof![Just(Cost::Nothing), Just(Cost::Unknown), count().prop_map(|n| Cost::Known(NanoDollars(n)))]
}

fn attempts() -> impl Strategy<Value = Vec<AttemptRecord>> {
    let times = (time_span(), time_span(), option::of(time_span()));
    let attempt =
        (name(), option::of(name()), any::<[u8; 8]>(), times, option::of(any::<u16>()), word(), cost());
    vec(
        attempt.prop_map(
            |(target, key_id, span_id, (offset, duration, first_byte), status, result, cost)| {
                let [provider, otel_provider, model] = ["provider", "otel", "model"].map(Name::from);
                AttemptRecord {
                    target,
                    provider,
                    otel_provider,
                    model,
                    key_id,
                    span_id,
                    offset,
                    duration,
                    first_byte,
                    status,
                    result,
                    cost,
                }
            },
        ),
        0..4,
    )
}

prop_compose! {
    fn record()(
        started_unix_ns in prop_oneof![any::<u64>(), 0..3_000_000_000_u64],
        (duration, first_byte, overhead) in (time_span(), option::of(time_span()), time_span()),
        (request_id, trace_id, span_id) in (request_id(), any::<[u8; 16]>(), any::<[u8; 8]>()),
        (app, key_id, route) in (option::of(name()), option::of(name()), option::of(name())),
        (endpoint, method, operation, code) in (word(), word(), word(), option::of(word())),
        (status, outcome, rung) in (any::<u16>(), select(&Outcome::ALL[..]), select(&Rung::ALL[..])),
        priority in select(&Priority::ALL[..]),
        (streamed, usage_estimated, replay) in any::<(bool, bool, bool)>(),
        (request_bytes, response_bytes) in (count(), count()),
        usage in option::of(tokens()),
        cost in cost(),
        attempts in attempts(),
    ) -> RequestRecord {
        let trace = TraceContext { trace_id, parent_id: None, span_id, sampled: false };
        RequestRecord {
            started_unix_ns, duration, first_byte, overhead, request_id, trace, app, key_id, route, endpoint, method,
            operation, status, outcome, rung, priority, code, streamed, request_bytes, response_bytes, usage, usage_estimated,
            cost, replay, attempts,
        }
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn ms(span: Duration) -> f64 {
    span.as_micros() as f64 / 1_000.0
}

/// The line as the page of members promises it, in the order of that page.
fn expected(record: &RequestRecord) -> Value {
    let attempts: Vec<_> = record
        .attempts
        .iter()
        .map(|attempt| {
            json!({
                "target": &*attempt.target,
                "key_id": attempt.key_id.as_deref(),
                "span_id": hex(&attempt.span_id),
                "status": attempt.status,
                "result": attempt.result,
                "offset_ms": ms(attempt.offset),
                "duration_ms": ms(attempt.duration),
                "first_byte_ms": attempt.first_byte.map(ms),
                "cost_nanos": attempt.cost.nanos(),
                "price_unknown": attempt.cost == Cost::Unknown,
            })
        })
        .collect();
    json!({
        "time": rfc3339(record.started_unix_ns).to_string(),
        "request_id": record.request_id.to_string(),
        "trace_id": hex(&record.trace.trace_id),
        "span_id": hex(&record.trace.span_id),
        "app": record.app.as_deref(),
        "key_id": record.key_id.as_deref(),
        "route": record.route.as_deref(),
        "endpoint": record.endpoint,
        "method": record.method,
        "operation": record.operation,
        "status": record.status,
        "outcome": record.outcome.as_str(),
        "rung": record.rung.as_str(),
        "priority": record.priority.as_str(),
        "code": record.code,
        "streamed": record.streamed,
        "duration_ms": ms(record.duration),
        "first_byte_ms": record.first_byte.map(ms),
        "overhead_ms": ms(record.overhead),
        "request_bytes": record.request_bytes,
        "response_bytes": record.response_bytes,
        "usage": record.usage,
        "usage_estimated": record.usage_estimated,
        "cost_nanos": record.cost.nanos(),
        "price_unknown": record.cost == Cost::Unknown,
        "replay": record.replay,
        "target": record.attempts.last().map(|attempt| &*attempt.target),
        "attempts": attempts,
    })
}

proptest! {
    /// Read by a JSON parser every line is its record, and its spelling is that of a JSON serializer.
    #[test]
    fn a_line_holds_its_record(records in vec(record(), 1..4)) {
        let mut lines = JsonLines::new();
        let mut text = Vec::new();
        for record in &records {
            text.clear();
            lines.add(&mut text, record);
            let line = str::from_utf8(&text).unwrap();
            let expected = expected(record);
            prop_assert_eq!(&serde_json::from_str::<Value>(line).unwrap(), &expected);
            prop_assert_eq!(line, format!("{expected}\n"));
        }
    }
}
