//! Whole answers: what a target says, and what a client is told.

use super::read::{Author, blocks};
use super::{DIALECT, Family, STATUS, stop, usage, write};
use crate::chat::{Answer, Candidate, Fields, Origin, Part, Rest, Shown, Stop};
use crate::failure::{classify_in_success, protocol_failure, success_failure};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use wellhead_types::{Failure, Stage};

/// Reads the body of a 2xx answer.
///
/// # Errors
/// It is no JSON, an error under a success, or holds no message.
pub fn decode_answer(body: &[u8], origin: &Origin) -> Result<Answer, Failure> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| protocol_failure(STATUS, Stage::FirstToken, error.to_string()))?;
    if value.pointer("/output/message/content").is_some_and(Value::is_array) {
        return message(value, origin)
            .map_err(|bad| protocol_failure(STATUS, Stage::FirstToken, bad.message));
    }
    // What the service says that does not know the operation, and what stands in its own errors.
    let error = value.get("Output").unwrap_or(&value);
    let says_error = ["__type", "message", "Message", "error"].iter().any(|name| error.get(name).is_some());
    if says_error {
        return Err(classify_in_success(error.to_string().as_bytes(), Stage::FirstToken));
    }
    Err(success_failure(STATUS, Stage::FirstToken, "the answer has no content"))
}

fn message(mut value: Value, origin: &Origin) -> Result<Answer, crate::chat::BadField> {
    let content = value.pointer_mut("/output/message/content").map(Value::take);
    let list = match content {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    let parts = blocks("output.message.content", list, Author::Target(origin))?;
    let mut fields = Fields::new(DIALECT, "", value)?;
    fields.take("output");
    let additional = fields.peek("additionalModelResponseFields").cloned();
    let trace = fields.peek("trace").and_then(|trace| trace.get("guardrail")).cloned();
    let reason = fields.text("stopReason")?;
    let stop = reason.map(|reason| Stop { detail: trace, ..stop::read(&reason, additional.as_ref()) });
    let counts = fields.take("usage");
    let usage = counts.as_ref().and_then(|counts| usage::read(counts, Family::of(&origin.model)));
    let tier = match fields.object("serviceTier")? {
        None => None,
        Some(mut tier) => tier.text("type")?.map(Into::into),
    };
    Ok(Answer {
        candidates: vec![Candidate { index: 0, parts, stop, logprobs: None, rest: Rest::default() }],
        usage,
        service_tier: tier,
        rest: fields.rest(),
        ..Answer::default()
    })
}

/// The body of an answer for a client. This dialect knows one candidate: the first. The answer's id and its model have
/// no place in it.
pub fn encode_answer(answer: &Answer, _shown: &Shown) -> Bytes {
    let first = answer.candidates.first();
    let parts = first.map(|first| first.parts.as_slice()).unwrap_or_default();
    let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let stop = first.and_then(|first| first.stop.as_ref());
    let mut body = Map::new();
    let message = json!({"role": "assistant", "content": write::blocks(parts)});
    body.insert("output".to_owned(), json!({"message": message}));
    body.insert("stopReason".to_owned(), stop::word(stop, has_calls).into());
    body.insert("usage".to_owned(), usage::shown(answer.usage.unwrap_or_default()));
    answer.rest.add_to(DIALECT, &mut body);
    // A member that has to be there; what the vendor measured is not known here.
    body.entry("metrics").or_insert_with(|| json!({"latencyMs": 0}));
    if let Some(fields) = additional(stop) {
        body.entry("additionalModelResponseFields").or_insert(fields);
    }
    if let Some(tier) = answer.service_tier.as_deref().and_then(tier) {
        body.insert("serviceTier".to_owned(), json!({"type": tier}));
    }
    Value::Object(body).to_string().into()
}

/// Where it is said which text ended the answer.
pub(super) fn additional(stop: Option<&Stop>) -> Option<Value> {
    stop?.sequence.as_deref().map(|sequence| json!({stop::SEQUENCE: sequence}))
}

/// The class of service, if this dialect has a word for it.
fn tier(word: &str) -> Option<&'static str> {
    match word {
        "default" | "standard" => Some("default"),
        "priority" => Some("priority"),
        "flex" => Some("flex"),
        "reserved" => Some("reserved"),
        _ => None,
    }
}
