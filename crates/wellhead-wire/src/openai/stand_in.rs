//! A declared text in place of an answer, in the client's own dialect: the last thing before an honest no.

use super::Endpoint;
use crate::json::{self, Member, Text};
use bytes::Bytes;
use serde_json::{Value, json};

#[cfg(test)]
mod tests;

mod typed;

/// Members that decide whether a plain text is an answer at all.
const KEYS: [&str; 17] = [
    "response_format",
    "tool_choice",
    "function_call",
    "logprobs",
    "top_logprobs",
    "modalities",
    "echo",
    "suffix",
    "text",
    "background",
    "guided_json",
    "guided_regex",
    "guided_choice",
    "guided_grammar",
    "structured_outputs",
    "grammar",
    "json_schema",
];

/// Answers that are written; OpenAI's own limit on `n`.
const CHOICES_MAX: u32 = 128;

/// What stands in.
#[derive(Debug, Clone, Copy)]
pub struct StandIn<'a> {
    /// Where the request was sent.
    pub endpoint: Endpoint,
    /// What is said.
    pub text: &'a str,
    /// The model that was asked for.
    pub model: &'a str,
    /// Something unique, such as the request's id.
    pub id: &'a str,
    /// Seconds since 1970.
    pub created_s: u64,
    /// Answers asked for.
    pub n: u32,
    /// Whether it is written as a stream.
    pub streamed: bool,
    /// Whether the client asked for usage in its stream.
    pub asked_usage: bool,
}

/// Whether answers of this endpoint are texts at all.
pub const fn is_said(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::ChatCompletions | Endpoint::Completions | Endpoint::Responses)
}

/// Whether a plain text can answer this request: one for text that leaves its form open. Where a tool has to be called or
/// a schema to be kept to, it would be taken for what it is not. `body` is the client's.
pub fn may_answer(endpoint: Endpoint, n: u32, body: &[u8]) -> bool {
    if !is_said(endpoint) || n > CHOICES_MAX {
        return false;
    }
    let Ok(spans) = json::scan(body, &KEYS) else { return false };
    KEYS.iter().zip(&spans.members).all(|(key, member)| leaves_open(key, value(body, member.as_ref())))
}

fn value<'a>(body: &'a [u8], member: Option<&Member>) -> Option<&'a [u8]> {
    member.and_then(|member| body.get(member.value.clone()))
}

/// Whether a member leaves the form of the answer open; `None` means that it is not there.
fn leaves_open(key: &str, value: Option<&[u8]>) -> bool {
    let Some(value) = value.filter(|value| !matches!(*value, b"null" | b"false")) else { return true };
    match key {
        "response_format" => names_text(json::find(value, &["type"])),
        "text" => json::find(value, &["format", "type"]).is_none_or(|kind| names_text(Some(kind))),
        "tool_choice" | "function_call" => matches!(value, b"\"auto\"" | b"\"none\""),
        "modalities" => memchr::memmem::find(value, b"\"audio\"").is_none(),
        "top_logprobs" => value == b"0",
        "suffix" => value == b"\"\"",
        _ => false,
    }
}

fn names_text(kind: Option<&[u8]>) -> bool {
    kind.and_then(Text::parse).is_some_and(|kind| kind.is("text"))
}

impl StandIn<'_> {
    /// The body of the answer: JSON, or a stream of events with its end signal. It used no tokens, and says so.
    pub fn write(&self) -> Bytes {
        match (self.endpoint, self.streamed) {
            (Endpoint::Responses, false) => Bytes::from(self.response("completed").to_string()),
            (Endpoint::Responses, true) => self.typed_events(),
            (_, false) => Bytes::from(self.answer().to_string()),
            (_, true) => self.chunks(),
        }
    }

    fn is_chat(&self) -> bool {
        self.endpoint == Endpoint::ChatCompletions
    }

    fn answer(&self) -> Value {
        let choice = |index: u32| {
            if self.is_chat() {
                let message = json!({ "role": "assistant", "content": self.text, "refusal": null });
                json!({ "index": index, "message": message, "logprobs": null, "finish_reason": "stop" })
            } else {
                json!({ "index": index, "text": self.text, "logprobs": null, "finish_reason": "stop" })
            }
        };
        let object = if self.is_chat() { "chat.completion" } else { "text_completion" };
        let choices: Vec<Value> = (0..self.choices()).map(choice).collect();
        let mut answer = self.head(object, &choices);
        answer["usage"] = usage();
        answer
    }

    fn chunks(&self) -> Bytes {
        let object = if self.is_chat() { "chat.completion.chunk" } else { "text_completion" };
        let mut events = String::new();
        let mut push = |event: &Value| events.push_str(&format!("data: {event}\n\n"));
        let chunk = |choices: &[Value], last: bool| {
            let mut chunk = self.head(object, choices);
            if self.asked_usage {
                chunk["usage"] = if last { usage() } else { Value::Null };
            }
            chunk
        };
        for index in 0..self.choices() {
            for part in self.parts(index) {
                push(&chunk(&[part], false));
            }
        }
        if self.asked_usage {
            push(&chunk(&[], true));
        }
        events.push_str("data: [DONE]\n\n");
        events.into()
    }

    /// The choices of the chunks of one answer.
    fn parts(&self, index: u32) -> Vec<Value> {
        let part = |delta: Value, reason: Value| json!({ "index": index, "delta": delta, "logprobs": null, "finish_reason": reason });
        if self.is_chat() {
            return vec![
                part(json!({ "role": "assistant", "content": "" }), Value::Null),
                part(json!({ "content": self.text }), Value::Null),
                part(json!({}), json!("stop")),
            ];
        }
        let part = |text: &str, reason: Value| json!({ "index": index, "text": text, "logprobs": null, "finish_reason": reason });
        vec![part(self.text, Value::Null), part("", json!("stop"))]
    }

    fn head(&self, object: &str, choices: &[Value]) -> Value {
        let prefix = if self.is_chat() { "chatcmpl" } else { "cmpl" };
        json!({
            "id": format!("{prefix}-{}", self.id),
            "object": object,
            "created": self.created_s,
            "model": self.model,
            "choices": choices,
        })
    }

    fn choices(&self) -> u32 {
        self.n.clamp(1, CHOICES_MAX)
    }
}

fn usage() -> Value {
    json!({ "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0 })
}
