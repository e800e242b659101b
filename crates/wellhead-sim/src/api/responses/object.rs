//! The response object in its states, and the items that it puts out.

use serde_json::{Map, Value, json};

use crate::api::Call;
use crate::mind::{self, Answer, Said, Stop};

/// One response.
pub(super) struct Response {
    /// The object without status, output and usage.
    frame: Value,
    pub(super) answer: Answer,
    prompt_tokens: u64,
    /// The ids of the items, in their order.
    pub(super) ids: Vec<String>,
}

/// One item of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Reasoning,
    Message,
    Call(usize),
}

impl Response {
    pub(super) fn new(
        call: &Call<'_>,
        object: &Map<String, Value>,
        model: &str,
        prompt_tokens: u64,
        answer: Answer,
    ) -> Self {
        let given = |name: &str, default: Value| {
            object.get(name).filter(|value| !value.is_null()).cloned().unwrap_or(default)
        };
        let frame = json!({
            "id": call.id("resp_", 48), "object": "response", "created_at": call.created(), "status": "in_progress",
            "background": false, "error": null, "incomplete_details": null,
            "instructions": given("instructions", Value::Null), "max_output_tokens": given("max_output_tokens", Value::Null),
            "model": model, "output": [], "parallel_tool_calls": given("parallel_tool_calls", true.into()),
            "previous_response_id": null, "prompt_cache_key": given("prompt_cache_key", Value::Null),
            "reasoning": given("reasoning", json!({"effort": null, "summary": null})),
            "safety_identifier": given("safety_identifier", Value::Null), "service_tier": "default",
            "store": given("store", true.into()), "temperature": given("temperature", json!(1.0)),
            "text": given("text", json!({"format": {"type": "text"}})), "tool_choice": given("tool_choice", "auto".into()),
            "tools": given("tools", json!([])), "top_logprobs": 0, "top_p": given("top_p", json!(1.0)),
            "truncation": given("truncation", "disabled".into()), "usage": null, "user": given("user", Value::Null),
            "metadata": given("metadata", json!({})),
        });
        let mut response = Self { frame, answer, prompt_tokens, ids: Vec::new() };
        let prefix = |item: &Item| match item {
            Item::Reasoning => "rs_",
            Item::Message => "msg_",
            Item::Call(_) => "fc_",
        };
        response.ids = response.items().iter().map(|item| call.id(prefix(item), 48)).collect();
        response
    }

    /// What is put out, in order.
    pub(super) fn items(&self) -> Vec<Item> {
        let mut items: Vec<Item> = self.answer.reasoning.iter().map(|_| Item::Reasoning).collect();
        match &self.answer.said {
            Said::Text(_) => items.push(Item::Message),
            Said::Calls(calls) => items.extend((0..calls.len()).map(Item::Call)),
        }
        items
    }

    /// The object while the answer is made.
    pub(super) const fn in_progress(&self) -> &Value {
        &self.frame
    }

    /// Was it cut by its limit?
    pub(super) fn incomplete(&self) -> bool {
        self.answer.stop == Stop::Length
    }

    /// The object at the end.
    pub(super) fn finished(&self) -> Value {
        let mut object = self.frame.clone();
        object["status"] = if self.incomplete() { "incomplete" } else { "completed" }.into();
        if self.incomplete() {
            object["incomplete_details"] = json!({"reason": "max_output_tokens"});
        }
        object["output"] =
            self.items().into_iter().zip(&self.ids).map(|(item, id)| self.item(item, id)).collect();
        let (written, reasoning) = (self.answer.tokens(), self.answer.reasoning_tokens());
        object["usage"] = json!({
            "input_tokens": self.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": written, "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": self.prompt_tokens + written,
        });
        object
    }

    /// The object of a response that failed.
    pub(super) fn failed(&self) -> Value {
        let mut object = self.frame.clone();
        object["status"] = "failed".into();
        object["error"] = json!({"code": "server_error", "message": "The server had an error while it worked on this request."});
        object
    }

    /// A finished item.
    pub(super) fn item(&self, item: Item, id: &str) -> Value {
        match item {
            Item::Reasoning => json!({"id": id, "type": "reasoning", "summary": []}),
            Item::Message => {
                let status = if self.incomplete() { "incomplete" } else { "completed" };
                json!({"id": id, "type": "message", "status": status, "role": "assistant", "content": [self.part()]})
            }
            Item::Call(number) => match self.call(number) {
                Some(call) => json!({
                    "id": id, "type": "function_call", "status": "completed", "call_id": call.id, "name": call.name,
                    "arguments": call.arguments.as_str(),
                }),
                None => Value::Null,
            },
        }
    }

    /// An item at its beginning.
    pub(super) fn begun(&self, item: Item, id: &str) -> Value {
        match item {
            Item::Reasoning => json!({"id": id, "type": "reasoning", "summary": []}),
            Item::Message => {
                json!({"id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": []})
            }
            Item::Call(number) => match self.call(number) {
                Some(call) => json!({
                    "id": id, "type": "function_call", "status": "in_progress", "call_id": call.id, "name": call.name,
                    "arguments": "",
                }),
                None => Value::Null,
            },
        }
    }

    /// The finished content of the message.
    pub(super) fn part(&self) -> Value {
        let text = match &self.answer.said {
            Said::Text(text) => text.as_str(),
            Said::Calls(_) => "",
        };
        json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text})
    }

    pub(super) fn call(&self, number: usize) -> Option<&mind::Call> {
        match &self.answer.said {
            Said::Calls(calls) => calls.get(number),
            Said::Text(_) => None,
        }
    }
}
