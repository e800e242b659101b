//! Messages: one text, with images beside it.

use super::{DIALECT, Writer};
use crate::chat::{Media, Message, Part, Role, Source, ToolCall, ToolResult, Unsupported};
use serde_json::{Map, Value, json};

/// What a message is put together from.
#[derive(Default)]
struct Sorted {
    texts: Vec<String>,
    thoughts: String,
    images: Vec<Value>,
    calls: Vec<Value>,
}

impl Writer<'_> {
    pub(super) fn messages(&mut self, messages: &[Message]) -> Result<(), Unsupported> {
        let mut written = Vec::with_capacity(messages.len());
        for (number, message) in messages.iter().enumerate() {
            for part in &message.parts {
                if let Part::ToolResult(result) = part {
                    written.push(self.result(number, result)?);
                }
            }
            let only_results = message.parts.iter().all(|part| matches!(part, Part::ToolResult(_)));
            if !only_results || message.parts.is_empty() {
                written.push(self.message(number, message)?);
            }
        }
        self.set("messages", Value::Array(written));
        Ok(())
    }

    fn message(&mut self, number: usize, message: &Message) -> Result<Value, Unsupported> {
        let role = match message.role {
            Role::System | Role::Developer => "system",
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        if message.name.is_some() {
            self.loss.note("name");
        }
        let sorted = self.sort(number, &message.parts)?;
        let mut object = Map::new();
        object.insert("role".to_owned(), json!(role));
        object.insert("content".to_owned(), json!(sorted.texts.join("\n")));
        if !sorted.thoughts.is_empty() {
            object.insert("thinking".to_owned(), json!(sorted.thoughts));
        }
        if !sorted.images.is_empty() {
            object.insert("images".to_owned(), Value::Array(sorted.images));
        }
        if !sorted.calls.is_empty() {
            object.insert("tool_calls".to_owned(), Value::Array(sorted.calls));
        }
        message.rest.add_to(DIALECT, &mut object);
        message.rest.foreign_to(DIALECT).for_each(|name| self.loss.note(name.to_owned()));
        Ok(Value::Object(object))
    }

    fn sort(&mut self, number: usize, parts: &[Part]) -> Result<Sorted, Unsupported> {
        let mut sorted = Sorted::default();
        for (place, part) in parts.iter().enumerate() {
            let why = match part {
                Part::Text { text, cache, .. } => {
                    if cache.is_some() {
                        self.loss.note("cache_control");
                    }
                    sorted.texts.push(text.clone());
                    continue;
                }
                // A model that said no said it in words.
                Part::Refusal(text) => {
                    sorted.texts.push(text.clone());
                    continue;
                }
                Part::Reasoning(thought) => {
                    sorted.thoughts.push_str(&thought.text);
                    continue;
                }
                Part::ToolCall(call) => {
                    sorted.calls.push(write_call(call, sorted.calls.len()));
                    continue;
                }
                Part::ToolResult(_) => continue,
                Part::Image { media: Media { source: Source::Base64(data), .. }, .. }
                    if self.target.can.images =>
                {
                    sorted.images.push(json!(data));
                    continue;
                }
                Part::Document {
                    media: Media { source: Source::Text(text), .. }, title, context, ..
                } => {
                    let said = [title.as_deref(), context.as_deref(), Some(text)];
                    sorted.texts.push(said.into_iter().flatten().collect::<Vec<_>>().join("\n"));
                    continue;
                }
                Part::Image { .. } if !self.target.can.images => "is an image, which the model cannot see",
                Part::Image { .. } => "is an image that Ollama would have to fetch; send it as base64",
                Part::Audio { .. } => "is audio, which Ollama does not take",
                Part::Video { .. } => "is a video, which Ollama does not take",
                Part::Document { .. } => "is a document, which Ollama does not take",
                Part::Other(..) => "is something that only another dialect knows",
            };
            self.loss.cannot(format!("messages[{number}].content[{place}]"), why)?;
        }
        Ok(sorted)
    }

    fn result(&mut self, number: usize, result: &ToolResult) -> Result<Value, Unsupported> {
        if result.is_error {
            self.loss.note("is_error");
        }
        if result.cache.is_some() {
            self.loss.note("cache_control");
        }
        let sorted = self.sort(number, &result.parts)?;
        let mut object = json!({
            "role": "tool",
            "content": sorted.texts.join("\n"),
            "tool_call_id": result.call_id,
        });
        if let Some(name) = &result.name {
            object["tool_name"] = json!(name);
        }
        if !sorted.images.is_empty() {
            object["images"] = Value::Array(sorted.images);
        }
        Ok(object)
    }
}

/// Arguments are an object here; a text that is none goes in as one.
pub(in super::super) fn write_call(call: &ToolCall, index: usize) -> Value {
    let arguments = serde_json::from_str::<Value>(&call.arguments).ok().filter(Value::is_object);
    let arguments = match arguments {
        Some(arguments) => arguments,
        None if call.arguments.trim().is_empty() => json!({}),
        None => json!({"input": call.arguments}),
    };
    json!({"id": call.id, "function": {"index": index, "name": call.name, "arguments": arguments}})
}
