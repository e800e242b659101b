//! Whole answers: what a target says, and what a client is told.

use super::read::{self, Author, DIALECT};
use super::write::{answer_block, extra_text};
use super::{stop, usage};
use crate::chat::{Answer, Candidate, Fields, Origin, Part, Rest, Shown};
use crate::failure::{classify_in_success, protocol_failure, success_failure};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};
use wellhead_types::{Failure, Stage};

/// Errors under a success have this status.
pub(super) const STATUS: u16 = 200;

/// Reads the body of a 2xx answer.
///
/// # Errors
/// It is no JSON, an error under a success, or holds no message.
pub fn decode_answer(body: &[u8], origin: &Origin) -> Result<Answer, Failure> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| protocol_failure(STATUS, Stage::FirstToken, error.to_string()))?;
    let is_error = value.get("type").is_some_and(|kind| kind == "error")
        || value.get("error").is_some_and(|error| !error.is_null());
    if is_error {
        return Err(classify_in_success(body, Stage::FirstToken));
    }
    if !value.get("content").is_some_and(Value::is_array) {
        return Err(success_failure(STATUS, Stage::FirstToken, "the answer has no content"));
    }
    message(value, origin).map_err(|bad| protocol_failure(STATUS, Stage::FirstToken, bad.message))
}

fn message(value: Value, origin: &Origin) -> Result<Answer, crate::chat::BadField> {
    let mut fields = Fields::new(DIALECT, "", value)?;
    let mut parts = Vec::new();
    for (number, block) in fields.list("content")?.unwrap_or_default().into_iter().enumerate() {
        read::attach(&mut parts, read::block(format!("content[{number}]"), block, Author::Target(origin))?);
    }
    for known in ["type", "role"] {
        fields.take(known);
    }
    let (reason, sequence) = (fields.take("stop_reason"), fields.take("stop_sequence"));
    let stop = stop::read(reason.as_ref(), sequence, fields.take("stop_details"));
    let counts = fields.take("usage");
    let (id, model) = (fields.text("id")?, fields.text("model")?);
    let usage = counts.as_ref().and_then(usage::read_usage);
    let (service_tier, uncounted) = beside_counts(counts);
    let mut rest = fields.rest().of(DIALECT).cloned().unwrap_or_default();
    if !uncounted.is_empty() {
        rest.insert("usage".to_owned(), Value::Object(uncounted));
    }
    Ok(Answer {
        id: id.map(Into::into),
        model: model.map(Into::into),
        created: None,
        candidates: vec![Candidate { index: 0, parts, stop, logprobs: None, rest: Rest::default() }],
        usage,
        service_tier,
        rest: Rest::new(DIALECT, rest),
    })
}

/// What a `usage` object says that is no count of tokens.
fn beside_counts(usage: Option<Value>) -> (Option<Box<str>>, Map<String, Value>) {
    let Some(Value::Object(mut usage)) = usage else { return (None, Map::new()) };
    let tier = usage.get("service_tier").and_then(Value::as_str).map(Into::into);
    usage.retain(|name, value| {
        let is_count =
            name.ends_with("_tokens") || name == "cache_creation" || name == "output_tokens_details";
        !(is_count || name == "service_tier" || value.is_null())
    });
    (tier, usage)
}

#[derive(Serialize)]
struct Body<'a> {
    id: Box<str>,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<super::write::Block<'a>>,
    stop_reason: &'a str,
    stop_sequence: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_details: Option<Value>,
    usage: UsageShown<'a>,
    #[serde(flatten)]
    rest: Option<Map<String, Value>>,
}

#[derive(Serialize)]
struct UsageShown<'a> {
    #[serde(flatten)]
    counts: usage::Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    #[serde(flatten)]
    rest: Option<Map<String, Value>>,
}

/// The body of an answer for a client. This dialect knows one candidate: the first.
pub fn encode_answer(answer: &Answer, shown: &Shown) -> Bytes {
    let first = answer.candidates.first();
    let parts = first.map(|first| first.parts.as_slice()).unwrap_or_default();
    let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let stop = first.and_then(|first| first.stop.as_ref());
    let described: Vec<Option<String>> = parts.iter().map(extra_text).collect();
    let mut content = Vec::with_capacity(parts.len());
    for (part, described) in parts.iter().zip(&described) {
        answer_block(part, described.as_deref(), &mut content);
    }
    let mut rest = answer.rest.of(DIALECT).cloned();
    let uncounted = rest.as_mut().and_then(|rest| match rest.shift_remove("usage") {
        Some(Value::Object(uncounted)) => Some(uncounted),
        _ => None,
    });
    let body = Body {
        id: id(answer.id.as_deref(), shown),
        kind: "message",
        role: "assistant",
        model: &shown.model,
        content,
        stop_reason: stop::word(stop, has_calls),
        stop_sequence: stop.and_then(|stop| stop.sequence.as_deref()),
        stop_details: stop::details(stop),
        usage: UsageShown {
            counts: usage::Shown::new(answer.usage),
            service_tier: answer.service_tier.as_deref().and_then(tier),
            rest: uncounted,
        },
        rest,
    };
    serde_json::to_vec(&body).map_or_else(|_| Bytes::new(), Bytes::from)
}

/// The vendor's id, or one in this dialect's form.
pub(super) fn id(vendor: Option<&str>, shown: &Shown) -> Box<str> {
    vendor.map_or_else(|| format!("msg_{}", shown.id).into(), Into::into)
}

/// The class of service, if this dialect has a word for it.
fn tier(word: &str) -> Option<&'static str> {
    match word {
        "default" | "standard" => Some("standard"),
        "priority" => Some("priority"),
        "batch" => Some("batch"),
        _ => None,
    }
}
