//! Records for the tests: one rescued request with everything filled in, and one with as little as can be.

use std::time::Duration;

use wellhead_catalog::{Cost, NanoDollars};
use wellhead_types::{Outcome, Priority, RequestId, Rung, Usage};

use crate::record::{AttemptRecord, RequestRecord, TraceContext};

const MS: fn(u64) -> Duration = Duration::from_millis;

pub(crate) fn rescued() -> RequestRecord {
    RequestRecord {
        started_unix_ns: 1_772_323_200_125_000_000,
        duration: MS(812),
        first_byte: Some(MS(211)),
        overhead: Duration::from_micros(87),
        request_id: RequestId::from_parts(1_772_323_200_125, [0xab; 10]),
        trace: TraceContext {
            trace_id: [0x0a; 16],
            parent_id: Some([0xb7; 8]),
            span_id: [0x51; 8],
            sampled: false,
        },
        app: Some("web".into()),
        key_id: Some("key-1".into()),
        route: Some("gpt-4o".into()),
        endpoint: "/v1/chat/completions",
        method: "POST",
        operation: "chat",
        status: 200,
        outcome: Outcome::Rescued,
        priority: Priority::Default,
        rung: Rung::FailedOver,
        code: None,
        streamed: true,
        request_bytes: 330,
        response_bytes: 9_000,
        usage: Some(Usage {
            input_tokens: 120,
            output_tokens: 340,
            cached_input_tokens: 100,
            reasoning_tokens: 40,
            ..Usage::default()
        }),
        usage_estimated: false,
        cost: Cost::Known(NanoDollars(3_700_000)),
        replay: true,
        attempts: vec![
            AttemptRecord {
                target: "openai/gpt-4o".into(),
                provider: "openai".into(),
                otel_provider: "openai".into(),
                model: "gpt-4o".into(),
                key_id: Some("openai#1".into()),
                span_id: [0x52; 8],
                offset: Duration::from_micros(90),
                duration: MS(3),
                first_byte: None,
                status: Some(503),
                result: "server_error",
                cost: Cost::Nothing,
            },
            AttemptRecord {
                target: "azure/gpt-4o-eu".into(),
                provider: "azure".into(),
                otel_provider: "azure.ai.openai".into(),
                model: "gpt-4o-eu".into(),
                key_id: None,
                span_id: [0x53; 8],
                offset: MS(4),
                duration: MS(808),
                first_byte: Some(MS(207)),
                status: Some(200),
                result: "ok",
                cost: Cost::Known(NanoDollars(3_700_000)),
            },
        ],
    }
}

/// A client that was turned away before anything was known of it.
pub(crate) fn rejected() -> RequestRecord {
    RequestRecord {
        started_unix_ns: 0,
        duration: Duration::from_micros(50),
        first_byte: None,
        overhead: Duration::from_micros(50),
        request_id: RequestId::accept(b"mine-1").unwrap_or_else(|| RequestId::from_parts(0, [0; 10])),
        trace: TraceContext { trace_id: [1; 16], parent_id: None, span_id: [2; 8], sampled: true },
        app: None,
        key_id: None,
        route: None,
        endpoint: "/v1/embeddings",
        method: "POST",
        operation: "embeddings",
        status: 401,
        outcome: Outcome::Rejected,
        priority: Priority::Default,
        rung: Rung::Direct,
        code: Some("invalid_api_key"),
        streamed: false,
        request_bytes: 0,
        response_bytes: 120,
        usage: None,
        usage_estimated: false,
        cost: Cost::Nothing,
        replay: true,
        attempts: Vec::new(),
    }
}

/// Every request gave up: the last rung.
pub(crate) fn failed() -> RequestRecord {
    let mut record = rescued();
    record.outcome = Outcome::Failed;
    record.rung = Rung::Refused;
    record.status = 503;
    record.code = Some("no_healthy_upstream");
    record.usage = None;
    record.cost = Cost::Nothing;
    record.first_byte = None;
    record.replay = false;
    record.attempts.truncate(1);
    record
}
