//! Writing an answer for a client.

use super::super::echo::{Echo, item_base, response_id};
use super::super::stop::{self, Held};
use super::super::write::annotation;
use super::super::{DIALECT, TIERS, proof, usage};
use crate::chat::{Answer, Candidate, Opaque, Part, Reasoning, Shown, Source, ToolCall};
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// The body for a client of whose question nothing is known.
pub fn encode_answer(answer: &Answer, shown: &Shown) -> Bytes {
    encode_answer_for(answer, shown, &Echo::default())
}

/// The body. The dialect has one answer to a question: of several the first is shown.
pub fn encode_answer_for(answer: &Answer, shown: &Shown, echo: &Echo) -> Bytes {
    let created = answer.created.unwrap_or(shown.created);
    let id = response_id(answer.id.as_deref(), shown);
    let mut response = echo.response(&id, created, shown);
    let base = item_base(&id);
    let mut writer = Writer { base: &base, echo, output: Vec::new() };
    let mut held = Held::default();
    let mut reason = None;
    if let Some(candidate) = answer.candidates.first() {
        for part in &candidate.parts {
            held.calls |= matches!(part, Part::ToolCall(_));
            held.refusal |= matches!(part, Part::Refusal(_));
            writer.part(part);
        }
        writer.logprobs(candidate);
        reason = stop::reason(candidate.stop.as_ref(), held);
    }
    let (status, details) = stop::write(reason);
    if let (Some(_), Some(last)) = (reason, writer.output.last_mut())
        && last.get("status").is_some()
    {
        last["status"] = json!("incomplete");
    }
    response.insert("status".to_owned(), json!(status));
    response.insert("incomplete_details".to_owned(), details);
    if reason.is_none() {
        response.insert("completed_at".to_owned(), json!(created));
    }
    response.insert("output".to_owned(), Value::Array(writer.output));
    if let Some(counts) = &answer.usage {
        response.insert("usage".to_owned(), usage::write(counts));
    }
    if let Some(tier) = answer.service_tier.as_deref().filter(|tier| TIERS.contains(tier)) {
        response.insert("service_tier".to_owned(), json!(tier));
    }
    answer.rest.add_to(DIALECT, &mut response);
    Value::Object(response).to_string().into()
}

/// How the id of an item of this type begins.
pub(in super::super) fn item_prefix(kind: &str) -> &'static str {
    match kind {
        "message" => "msg",
        "reasoning" => "rs",
        "function_call" => "fc",
        "custom_tool_call" => "ctc",
        "image_generation_call" => "ig",
        _ => "item",
    }
}

struct Writer<'a> {
    base: &'a str,
    echo: &'a Echo,
    output: Vec<Value>,
}

impl Writer<'_> {
    fn id(&self, kind: &str) -> String {
        format!("{}_{}_{}", item_prefix(kind), self.base, self.output.len())
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Text { text, citations, opaque, .. } => {
                let annotations: Vec<Value> = citations.iter().filter_map(annotation).collect();
                let content =
                    json!({"type": "output_text", "annotations": annotations, "logprobs": [], "text": text});
                self.message(&content);
                self.prove(opaque.as_ref());
            }
            Part::Refusal(text) => self.message(&json!({"type": "refusal", "refusal": text})),
            // Speech is shown by what is said.
            Part::Audio { transcript: Some(text), .. } => {
                self.message(
                    &json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text}),
                );
            }
            Part::Reasoning(thought) => self.thought(thought),
            Part::ToolCall(call) => {
                self.call(call);
                self.prove(call.opaque.as_ref());
            }
            Part::Image { .. } => {
                let id = self.id("image_generation_call");
                self.output.extend(image_item(part, &id));
            }
            Part::Other(DIALECT, item) => self.output.push(item.clone()),
            Part::Audio { .. } | Part::Video { .. } | Part::Document { .. } => {}
            Part::ToolResult(_) | Part::Other(..) => {}
        }
    }

    fn message(&mut self, content: &Value) {
        let id = self.id("message");
        self.output.push(json!({
            "id": id, "type": "message", "status": "completed", "role": "assistant", "content": [content],
        }));
    }

    fn prove(&mut self, opaque: Option<&Opaque>) {
        if let Some(opaque) = opaque {
            let id = self.id("reasoning");
            self.output.push(proof::behind(opaque, &id));
        }
    }

    fn thought(&mut self, thought: &Reasoning) {
        let mut item = Map::new();
        let id = thought.id.as_deref().map_or_else(|| self.id("reasoning"), str::to_owned);
        item.insert("id".to_owned(), json!(id));
        item.insert("type".to_owned(), json!("reasoning"));
        let (mut summary, mut content) = (Vec::new(), None);
        if thought.is_summary {
            summary.push(json!({"type": "summary_text", "text": thought.text}));
        } else if !thought.text.is_empty() {
            content = Some(json!([{"type": "reasoning_text", "text": thought.text}]));
        }
        item.insert("summary".to_owned(), Value::Array(summary));
        item.extend(content.map(|content| ("content".to_owned(), content)));
        if let Some(proof) = proof::of(thought) {
            item.insert("encrypted_content".to_owned(), json!(proof));
        }
        self.output.push(Value::Object(item));
    }

    fn call(&mut self, call: &ToolCall) {
        let kind = if call.is_custom { "custom_tool_call" } else { "function_call" };
        let arguments =
            if !call.is_custom && call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
        let (group, name) = self.echo.names.split(&call.name);
        let said = if call.is_custom { "input" } else { "arguments" };
        let mut item = json!({
            "id": self.id(kind), "type": kind, "status": "completed", "call_id": call.id, "name": name,
            said: arguments,
        });
        if let Some(group) = group {
            item["namespace"] = json!(group);
        }
        self.output.push(item);
    }

    /// Probabilities stand with the first text.
    fn logprobs(&mut self, candidate: &Candidate) {
        let Some(Value::Array(tokens)) = candidate.logprobs.as_ref().and_then(|all| all.get("content"))
        else {
            return;
        };
        let place = "/content/0/logprobs";
        if let Some(found) = self.output.iter_mut().find_map(|item| item.pointer_mut(place)) {
            *found = Value::Array(tokens.iter().cloned().map(token).collect());
        }
    }
}

/// A token with its probability, with the members that this dialect's clients want.
pub(in super::super) fn token(mut token: Value) -> Value {
    for name in ["bytes", "top_logprobs"] {
        if let Value::Object(members) = &mut token
            && members.get(name).is_none_or(Value::is_null)
        {
            members.insert(name.to_owned(), json!([]));
        }
    }
    token
}

/// A picture that the model made.
pub(in super::super) fn image_item(part: &Part, id: &str) -> Option<Value> {
    let Part::Image { media, .. } = part else { return None };
    let Source::Base64(data) = &media.source else { return None };
    let format = media.media_type.as_deref().and_then(|kind| kind.strip_prefix("image/")).unwrap_or("png");
    Some(json!({
        "id": id, "type": "image_generation_call", "status": "completed", "output_format": format,
        "result": data,
    }))
}
