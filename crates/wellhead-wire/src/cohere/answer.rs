//! Whole answers.

use super::{DIALECT, PARTS_MAX, logprobs, stop, usage};
use crate::chat::members::{self, Members, dense, text, word};
use crate::chat::{Answer, Candidate, Dialect, Origin, Part, Reasoning, Rest, Shown, ToolCall};
use crate::failure::{classify_in_success, protocol_failure, success_failure};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use wellhead_types::{Failure, Stage};

/// Reads the body of a 2xx.
pub fn decode_answer(body: &[u8], _origin: &Origin) -> Result<Answer, Failure> {
    if body.trim_ascii().is_empty() {
        return Err(success_failure(200, Stage::FirstToken, "the body is empty"));
    }
    let mut members = match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => members,
        Ok(_) => return Err(protocol_failure(200, Stage::FirstToken, "the answer is no object")),
        Err(error) => return Err(protocol_failure(200, Stage::FirstToken, error.to_string())),
    };
    let Some(mut message) = members::object(&mut members, "message").filter(|_| !stop::is_failure(&members))
    else {
        // An error has a text in this place, and an answer that failed half an answer.
        return Err(classify_in_success(body, Stage::FirstToken));
    };
    let id: Option<Box<str>> = word(&mut members, "id").map(Into::into);
    let parts = parts(&mut message, id.as_deref());
    let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let stop = stop::read(&mut members, has_calls);
    let usage = members::object(&mut members, "usage").and_then(usage::of);
    let said: Vec<Value> =
        members::list(&mut members, "logprobs").iter().filter_map(logprobs::entry).collect();
    let logprobs = (!said.is_empty()).then(|| logprobs::to_openai(&said));
    message.shift_remove("role");
    let candidate = Candidate { index: 0, parts, stop, logprobs, rest: Rest::new(DIALECT, dense(message)) };
    Ok(Answer {
        id,
        candidates: vec![candidate],
        usage,
        rest: Rest::new(DIALECT, dense(members)),
        ..Answer::default()
    })
}

/// Thoughts and texts, the plan, the calls.
fn parts(message: &mut Members, answer: Option<&str>) -> Vec<Part> {
    let mut parts = Vec::new();
    // The place of each block in `parts`, for the citations.
    let mut places = Vec::new();
    for mut block in members::objects(message, "content").take(PARTS_MAX) {
        let thought = text(&mut block, "thinking");
        let said = text(&mut block, "text");
        places.push(parts.len());
        match (thought, said) {
            (Some(text), _) => parts.push(Part::Reasoning(Reasoning { text, ..Reasoning::default() })),
            (None, Some(text)) => parts.push(Part::text(text)),
            (None, None) => parts.push(Part::Other(DIALECT, Value::Object(block))),
        }
    }
    let plan = text(message, "tool_plan").filter(|plan| !plan.is_empty());
    let plan = plan.map(|plan| {
        parts.push(Part::text(plan));
        parts.len() - 1
    });
    let mut homeless = Vec::new();
    for citation in members::list(message, "citations").into_iter().take(PARTS_MAX) {
        let number = citation.get("content_index").and_then(Value::as_u64);
        let place = match number.and_then(|number| usize::try_from(number).ok()) {
            _ if citation.get("type").and_then(Value::as_str) == Some("PLAN") => plan,
            Some(number) => places.get(number).copied(),
            None => parts.iter().position(|part| matches!(part, Part::Text { .. })),
        };
        match place.and_then(|place| parts.get_mut(place)) {
            Some(Part::Text { citations, .. }) => citations.push((DIALECT, citation)),
            _ => homeless.push(citation),
        }
    }
    if !homeless.is_empty() {
        message.insert("citations".to_owned(), Value::Array(homeless));
    }
    let calls = members::objects(message, "tool_calls").take(PARTS_MAX).enumerate();
    parts.extend(calls.filter_map(|(number, call)| read_call(call, number, answer)).map(Part::ToolCall));
    parts
}

/// A call; one without an id gets one from the answer's and its place (wire.md, trap 6).
pub(super) fn read_call(mut call: Members, number: usize, answer: Option<&str>) -> Option<ToolCall> {
    let id = word(&mut call, "id").unwrap_or_else(|| format!("call_{}_{number}", answer.unwrap_or("")));
    let mut function = members::object(&mut call, "function")?;
    let name = word(&mut function, "name")?.into();
    let arguments = match members::take(&mut function, "arguments") {
        Some(Value::String(text)) => text,
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let arguments = if arguments.trim().is_empty() { "{}".to_owned() } else { arguments };
    Some(ToolCall { id: id.into(), name, arguments, is_custom: false, opaque: None, cache: None })
}

/// Writes an answer for a client. Of several candidates it has the first: a client of this dialect asked for one.
pub fn encode_answer(answer: &Answer, shown: &Shown) -> Bytes {
    let candidate = answer.candidates.first();
    let parts: Vec<&Part> = candidate.into_iter().flat_map(|candidate| &candidate.parts).collect();
    let said = Said::of(&parts);
    let mut message = said.message();
    if let Some(candidate) = candidate {
        candidate.rest.add_to(DIALECT, &mut message);
    }
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(answer.id.as_deref().unwrap_or(&shown.id)));
    body.insert("message".to_owned(), Value::Object(message));
    let reason = stop::write(candidate.and_then(|candidate| candidate.stop.as_ref()));
    body.insert("finish_reason".to_owned(), json!(reason));
    body.insert("usage".to_owned(), usage::write(answer.usage.as_ref()));
    if let Some(logprobs) = candidate.and_then(|candidate| candidate.logprobs.as_ref()) {
        body.insert("logprobs".to_owned(), Value::Array(logprobs::from_openai(logprobs)));
    }
    answer.rest.add_to(DIALECT, &mut body);
    Value::Object(body).to_string().into()
}

/// What an assistant says, sorted into the dialect's places.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) content: Vec<Value>,
    pub(super) plan: Option<String>,
    pub(super) calls: Vec<Value>,
    citations: Vec<Value>,
}

impl Said {
    /// Of the parts that the dialect has a place for. The last text before calls is the plan.
    pub(super) fn of(parts: &[&Part]) -> Self {
        let mut said = Self::default();
        let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
        let is_text = |part: &&Part| matches!(part, Part::Text { .. } | Part::Refusal(_));
        let plan = if has_calls { parts.iter().rposition(is_text) } else { None };
        for (place, part) in parts.iter().enumerate() {
            match part {
                Part::Text { text, citations, .. } => {
                    let own = |cited: &&(Dialect, Value)| cited.0 == DIALECT;
                    said.citations.extend(citations.iter().filter(own).map(|cited| cited.1.clone()));
                    said.text(text, plan == Some(place));
                }
                Part::Refusal(text) => said.text(text, plan == Some(place)),
                Part::Reasoning(Reasoning { text, .. }) if !text.is_empty() => {
                    said.content.push(json!({"type": "thinking", "thinking": text}));
                }
                Part::Audio { transcript: Some(text), .. } => said.text(text, false),
                Part::ToolCall(call) => said.calls.push(write_call(call)),
                Part::Other(DIALECT, block) => said.content.push(block.clone()),
                _ => {}
            }
        }
        said
    }

    fn text(&mut self, text: &str, is_plan: bool) {
        if is_plan {
            self.plan = Some(text.to_owned());
        } else {
            self.content.push(json!({"type": "text", "text": text}));
        }
    }

    pub(super) fn message(self) -> Map<String, Value> {
        let mut message = Map::new();
        message.insert("role".to_owned(), json!("assistant"));
        if let Some(plan) = self.plan {
            message.insert("tool_plan".to_owned(), json!(plan));
        }
        let lists = [("tool_calls", self.calls), ("content", self.content), ("citations", self.citations)];
        for (name, list) in lists {
            if !list.is_empty() {
                message.insert(name.to_owned(), Value::Array(list));
            }
        }
        message
    }
}

pub(super) fn write_call(call: &ToolCall) -> Value {
    let function = json!({"name": call.name, "arguments": call.arguments});
    json!({"id": call.id, "type": "function", "function": function})
}
