//! The same as a `response` of the Responses API, and as the events that such a response is streamed in.

use super::StandIn;
use bytes::Bytes;
use serde_json::{Value, json};

impl StandIn<'_> {
    /// The response as a whole; with a status of `in_progress` nothing has been said yet.
    pub(super) fn response(&self, status: &str) -> Value {
        let done = status == "completed";
        let output = if done { vec![self.item("completed", &[self.part(self.text)])] } else { Vec::new() };
        let usage = json!({
            "input_tokens": 0,
            "input_tokens_details": { "cached_tokens": 0 },
            "output_tokens": 0,
            "output_tokens_details": { "reasoning_tokens": 0 },
            "total_tokens": 0,
        });
        json!({
            "id": format!("resp_{}", self.id),
            "object": "response",
            "created_at": self.created_s,
            "status": status,
            "error": null,
            "incomplete_details": null,
            "instructions": null,
            "metadata": {},
            "model": self.model,
            "output": output,
            "parallel_tool_calls": true,
            "temperature": null,
            "tool_choice": "auto",
            "tools": [],
            "top_p": null,
            "usage": if done { usage } else { Value::Null },
        })
    }

    /// Every event that clients may wait for, numbered.
    pub(super) fn typed_events(&self) -> Bytes {
        let (id, text) = (self.item_id(), self.text);
        let place = json!({ "item_id": id, "output_index": 0, "content_index": 0 });
        let with = |members: Value| {
            let mut event = place.clone();
            if let (Some(event), Value::Object(members)) = (event.as_object_mut(), members) {
                event.extend(members);
            }
            event
        };
        let events = [
            ("response.created", json!({ "response": self.response("in_progress") })),
            ("response.in_progress", json!({ "response": self.response("in_progress") })),
            (
                "response.output_item.added",
                json!({ "output_index": 0, "item": self.item("in_progress", &[]) }),
            ),
            ("response.content_part.added", with(json!({ "part": self.part("") }))),
            ("response.output_text.delta", with(json!({ "delta": text, "logprobs": [] }))),
            ("response.output_text.done", with(json!({ "text": text, "logprobs": [] }))),
            ("response.content_part.done", with(json!({ "part": self.part(text) }))),
            (
                "response.output_item.done",
                json!({ "output_index": 0, "item": self.item("completed", &[self.part(text)]) }),
            ),
            ("response.completed", json!({ "response": self.response("completed") })),
        ];
        let mut written = String::new();
        for (number, (name, mut event)) in events.into_iter().enumerate() {
            event["type"] = json!(name);
            event["sequence_number"] = json!(number);
            written.push_str(&format!("event: {name}\ndata: {event}\n\n"));
        }
        written.into()
    }

    fn item_id(&self) -> String {
        format!("msg_{}", self.id)
    }

    fn item(&self, status: &str, content: &[Value]) -> Value {
        json!({
            "id": self.item_id(),
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": content,
        })
    }

    fn part(&self, text: &str) -> Value {
        json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
    }
}
