//! Whole answers, and what a line of a stream has in common with them.

use super::{PARTS_MAX, encode, time};
use crate::chat::members::{self, Members, count, dense, text, word};
use crate::chat::{
    Answer, Candidate, Dialect, Media, Origin, Part, Reasoning, Rest, Shown, Source, Stop, StopKind, ToolCall,
};
use crate::failure::{classify_in_success, protocol_failure, success_failure};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use wellhead_types::{Failure, Stage, Usage};

const DIALECT: Dialect = Dialect::Ollama;

/// Members that have a place in the canonical answer, or mean nothing outside this server.
const DURATIONS: [&str; 4] = ["total_duration", "load_duration", "prompt_eval_duration", "eval_duration"];

/// Reads the body of a 2xx.
pub fn decode_answer(body: &[u8], _origin: &Origin) -> Result<Answer, Failure> {
    if body.trim_ascii().is_empty() {
        return Err(success_failure(200, Stage::FirstToken, "the body is empty"));
    }
    let mut members = read_line(body, Stage::FirstToken)?;
    let Some(mut message) = members::object(&mut members, "message") else {
        return Err(success_failure(200, Stage::FirstToken, "the answer has no message"));
    };
    let usage = usage_of(&mut members);
    let created_at = word(&mut members, "created_at");
    let parts = parts(&mut message, created_at.as_deref());
    let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let stop = stop_of(&mut members, has_calls);
    let logprobs = members::take(&mut members, "logprobs");
    message.shift_remove("role");
    members.shift_remove("done");
    let candidate = Candidate { index: 0, parts, stop, logprobs, rest: Rest::new(DIALECT, dense(message)) };
    Ok(Answer {
        id: None,
        model: word(&mut members, "model").map(Into::into),
        created: created_at.as_deref().and_then(time::read),
        candidates: vec![candidate],
        usage,
        service_tier: None,
        rest: Rest::new(DIALECT, dense(members)),
    })
}

/// A line as its members; a line with an error is one.
pub(super) fn read_line(line: &[u8], stage: Stage) -> Result<Members, Failure> {
    match serde_json::from_slice(line) {
        Ok(Value::Object(members)) => {
            let is_error = members.get("error").is_some_and(|error| !error.is_null());
            if is_error { Err(classify_in_success(line, stage)) } else { Ok(members) }
        }
        Ok(_) => Err(protocol_failure(200, stage, "a line is no object")),
        Err(error) => Err(protocol_failure(200, stage, error.to_string())),
    }
}

/// Reads the counts of an answer or of the last line of a stream.
pub fn read_usage(answer: &Value) -> Option<Usage> {
    usage_of(&mut answer.as_object()?.clone())
}

pub(super) fn usage_of(members: &mut Members) -> Option<Usage> {
    // A prompt that is still in the server's cache is counted as nothing.
    let (input, output) = (count(members, "prompt_eval_count"), count(members, "eval_count"));
    if input.is_none() && output.is_none() {
        return None;
    }
    let (input_tokens, output_tokens) = (input.unwrap_or(0), output.unwrap_or(0));
    Some(Usage { input_tokens, output_tokens, ..Usage::default() })
}

pub(super) fn stop_of(members: &mut Members, has_calls: bool) -> Option<Stop> {
    let reason = word(members, "done_reason")?;
    let kind = match reason.as_str() {
        "stop" if has_calls => StopKind::ToolCalls,
        "stop" => StopKind::End,
        "length" => StopKind::Length,
        _ => StopKind::Other,
    };
    Some(Stop { raw: Some((DIALECT, reason.into())), ..Stop::new(kind) })
}

fn parts(message: &mut Members, created_at: Option<&str>) -> Vec<Part> {
    let thought = text(message, "thinking").filter(|text| !text.is_empty());
    let thought = thought.map(|text| Part::Reasoning(Reasoning { text, ..Reasoning::default() }));
    let said = text(message, "content");
    let calls: Vec<ToolCall> = calls(message, 0, created_at);
    let images = members::list(message, "images").into_iter().filter_map(image);
    let mut parts: Vec<Part> = thought.into_iter().collect();
    parts.extend(said.filter(|text| !text.is_empty() || calls.is_empty()).map(Part::text));
    parts.extend(images.take(PARTS_MAX));
    parts.extend(calls.into_iter().map(Part::ToolCall));
    parts
}

pub(super) fn image(data: Value) -> Option<Part> {
    let Value::String(data) = data else { return None };
    let media_type = Some(image_type(&data).into());
    Some(Part::Image { media: Media { source: Source::Base64(data), media_type }, detail: None, cache: None })
}

/// What base64 of this beginning is; the dialect does not say.
pub(super) fn image_type(data: &str) -> &'static str {
    const TABLE: [(&str, &str); 3] =
        [("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("UklGR", "image/webp")];
    TABLE.iter().find(|(start, _)| data.starts_with(start)).map_or("image/png", |(_, kind)| kind)
}

/// Takes the calls. Those without an id get one from their place and the answer's time.
pub(super) fn calls(message: &mut Members, before: usize, created_at: Option<&str>) -> Vec<ToolCall> {
    let calls = members::objects(message, "tool_calls").take(PARTS_MAX.saturating_sub(before));
    let calls = calls.zip(before..).filter_map(|(mut call, number)| {
        let id = word(&mut call, "id");
        let mut function = members::object(&mut call, "function")?;
        let arguments = match members::take(&mut function, "arguments") {
            Some(Value::String(text)) => text,
            Some(value) => value.to_string(),
            None => "{}".to_owned(),
        };
        let made = || {
            let time: String = created_at.unwrap_or("").chars().filter(char::is_ascii_digit).collect();
            format!("call_{time}_{number}")
        };
        Some(ToolCall {
            id: id.unwrap_or_else(made).into(),
            name: word(&mut function, "name")?.into(),
            arguments,
            is_custom: false,
            opaque: None,
            cache: None,
        })
    });
    calls.collect()
}

/// Writes an answer for a client. Of several candidates it has the first: a client of this dialect asked for one.
pub fn encode_answer(answer: &Answer, shown: &Shown) -> Bytes {
    let mut body = head(&shown.model, answer.created.unwrap_or(shown.created));
    let mut message = Map::new();
    message.insert("role".to_owned(), json!("assistant"));
    let mut content = String::new();
    let mut thinking = String::new();
    let (mut calls, mut images): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let candidate = answer.candidates.first();
    for part in candidate.map(|candidate| &*candidate.parts).unwrap_or_default() {
        match part {
            Part::Text { text, .. } | Part::Refusal(text) => content.push_str(text),
            Part::Reasoning(thought) => thinking.push_str(&thought.text),
            Part::ToolCall(call) => calls.push(encode::write_call(call, calls.len())),
            Part::Image { media: Media { source: Source::Base64(data), .. }, .. } => images.push(json!(data)),
            _ => {}
        }
    }
    message.insert("content".to_owned(), json!(content));
    if !thinking.is_empty() {
        message.insert("thinking".to_owned(), json!(thinking));
    }
    for (name, list) in [("images", images), ("tool_calls", calls)] {
        if !list.is_empty() {
            message.insert(name.to_owned(), Value::Array(list));
        }
    }
    if let Some(candidate) = candidate {
        candidate.rest.add_to(DIALECT, &mut message);
    }
    body.insert("message".to_owned(), Value::Object(message));
    if let Some(logprobs) = candidate.and_then(|candidate| candidate.logprobs.clone()) {
        body.insert("logprobs".to_owned(), logprobs);
    }
    done(candidate.and_then(|candidate| candidate.stop.as_ref()), answer.usage.as_ref(), &mut body);
    answer.rest.add_to(DIALECT, &mut body);
    Value::Object(body).to_string().into()
}

pub(super) fn head(model: &str, created: u64) -> Map<String, Value> {
    let mut head = Map::new();
    head.insert("model".to_owned(), json!(model));
    head.insert("created_at".to_owned(), json!(time::write(created)));
    head
}

/// How it ended. Durations are zero: they are those of a server that was not there.
pub(super) fn done(stop: Option<&Stop>, usage: Option<&Usage>, body: &mut Map<String, Value>) {
    let reason = match stop.map(|stop| stop.kind) {
        Some(StopKind::Length | StopKind::ContextWindow) => "length",
        _ => stop.and_then(|stop| stop.raw_for(DIALECT)).unwrap_or("stop"),
    };
    body.insert("done".to_owned(), json!(true));
    body.insert("done_reason".to_owned(), json!(reason));
    for name in DURATIONS {
        body.insert(name.to_owned(), json!(0));
    }
    let usage = usage.copied().unwrap_or_default();
    body.insert("prompt_eval_count".to_owned(), json!(usage.input_tokens));
    body.insert("eval_count".to_owned(), json!(usage.output_tokens));
}
