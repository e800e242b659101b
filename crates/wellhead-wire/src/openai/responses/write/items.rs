//! Items of the conversation.

use super::super::DIALECT;
use super::Writer;
use crate::chat::{
    CacheHint, Dialect, Media, Message, Part, Reasoning, Role, Source, ToolCall, ToolResult, Unsupported,
};
use crate::openai::chat::data_uri;
use serde_json::{Map, Value, json};

impl Writer<'_> {
    pub(super) fn items(&mut self, messages: &[Message]) -> Result<(), Unsupported> {
        let mut written = Vec::with_capacity(messages.len());
        for (number, message) in messages.iter().enumerate() {
            if number == 0
                && let Some(text) = instructions(message)
            {
                self.set("instructions", json!(text));
                continue;
            }
            self.message(number, message, &mut written)?;
        }
        self.set("input", Value::Array(written));
        Ok(())
    }

    fn message(
        &mut self,
        number: usize,
        message: &Message,
        written: &mut Vec<Value>,
    ) -> Result<(), Unsupported> {
        if message.name.is_some() {
            self.loss.note("name");
        }
        for name in message.rest.foreign_to(DIALECT) {
            self.loss.note(name.to_owned());
        }
        let mut open: Vec<Value> = Vec::new();
        for (place, part) in message.parts.iter().enumerate() {
            let own = match part {
                Part::ToolResult(result) => Some(self.result(number, result)?),
                Part::ToolCall(call) => Some(self.call(call)),
                Part::Reasoning(thought) => match self.thought(thought) {
                    Some(item) => Some(item),
                    None => continue,
                },
                Part::Other(DIALECT, value) if is_item(value) => Some(value.clone()),
                _ => None,
            };
            match own {
                Some(item) => {
                    close(message, &mut open, written);
                    written.push(item);
                }
                None => open.extend(self.part(number, place, part, message.role)?),
            }
        }
        close(message, &mut open, written);
        Ok(())
    }

    fn call(&mut self, call: &ToolCall) -> Value {
        let (group, name) = self.names.split(&call.name);
        let mut item = match call.is_custom {
            true => {
                json!({"type": "custom_tool_call", "call_id": call.id, "name": name, "input": call.arguments})
            }
            false => {
                let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
                json!({"type": "function_call", "call_id": call.id, "name": name, "arguments": arguments})
            }
        };
        if let Some(group) = group {
            item["namespace"] = json!(group);
        }
        item
    }

    /// A thought that the target can read. What another model thought is none to this one.
    fn thought(&mut self, thought: &Reasoning) -> Option<Value> {
        let proof = thought.opaque.as_ref().filter(|opaque| opaque.is_for(DIALECT, &self.target.origin));
        let Some(proof) = proof else {
            self.loss.note("reasoning");
            return None;
        };
        let mut item = Map::new();
        item.insert("type".to_owned(), json!("reasoning"));
        if let Some(id) = &thought.id {
            item.insert("id".to_owned(), json!(id));
        }
        let (mut summary, mut content) = (Vec::new(), None);
        if thought.is_summary {
            summary.push(json!({"type": "summary_text", "text": thought.text}));
        } else if !thought.text.is_empty() {
            content = Some(json!([{"type": "reasoning_text", "text": thought.text}]));
        }
        item.insert("summary".to_owned(), Value::Array(summary));
        item.extend(content.map(|content| ("content".to_owned(), content)));
        item.insert("encrypted_content".to_owned(), json!(proof.data));
        Some(Value::Object(item))
    }

    fn result(&mut self, number: usize, result: &ToolResult) -> Result<Value, Unsupported> {
        if result.is_error {
            // The dialect has no word for it; what went wrong stands in the text.
            self.loss.note("is_error");
        }
        if result.cache.is_some() {
            self.loss.note("cache_control");
        }
        let is_custom = self.customs.contains(&result.call_id);
        let kind = if is_custom { "custom_tool_call_output" } else { "function_call_output" };
        let output = match &*result.parts {
            [Part::Text { text, cache: None, .. }] => json!(text),
            parts => {
                let mut written = Vec::with_capacity(parts.len());
                for (place, part) in parts.iter().enumerate() {
                    written.extend(self.part(number, place, part, Role::Tool)?);
                }
                Value::Array(written)
            }
        };
        Ok(json!({"type": kind, "call_id": result.call_id, "output": output}))
    }

    /// A part of a message or of a result, if it can be said.
    fn part(
        &mut self,
        number: usize,
        place: usize,
        part: &Part,
        role: Role,
    ) -> Result<Option<Value>, Unsupported> {
        let can = self.target.can;
        let is_own = role == Role::Assistant;
        let why = match part {
            Part::Text { text, citations, .. } if is_own => {
                let annotations: Vec<Value> = citations.iter().filter_map(annotation).collect();
                return Ok(Some(json!({"type": "output_text", "text": text, "annotations": annotations})));
            }
            Part::Text { text, cache, .. } => {
                return Ok(Some(self.cached(json!({"type": "input_text", "text": text}), *cache)));
            }
            Part::Refusal(text) if is_own => return Ok(Some(json!({"type": "refusal", "refusal": text}))),
            Part::Refusal(text) => return Ok(Some(json!({"type": "input_text", "text": text}))),
            Part::Image { .. } | Part::Audio { .. } | Part::Video { .. } | Part::Document { .. }
                if is_own =>
            {
                "is something that an assistant's message cannot hold"
            }
            Part::Image { .. } if !can.images => "is an image, which the model cannot see",
            Part::Audio { .. } if !can.audio => "is audio, which the model cannot hear",
            Part::Document { .. } if !can.documents => "is a document, which the model cannot read",
            Part::Image { media, detail, cache } => match image(media) {
                Some(mut image) => {
                    if let Some(detail) = detail {
                        image["detail"] = json!(detail);
                    }
                    return Ok(Some(self.cached(image, *cache)));
                }
                None => "is an image of a form that the vendor does not know",
            },
            Part::Audio { media: Media { source: Source::Base64(data), media_type }, .. } => {
                let format = crate::openai::chat::audio_format(media_type.as_deref());
                let audio = json!({"data": data, "format": format});
                return Ok(Some(json!({"type": "input_audio", "input_audio": audio})));
            }
            Part::Audio { .. } => "is audio that the vendor would have to fetch, which it cannot",
            Part::Video { .. } => "is a video, which the model cannot see",
            Part::Document { .. } => return Ok(Some(self.document(part))),
            Part::Other(DIALECT, value) => return Ok(Some(value.clone())),
            Part::Other(..) => "is something that only another dialect knows",
            // Items of their own.
            Part::Reasoning(_) | Part::ToolCall(_) | Part::ToolResult(_) => return Ok(None),
        };
        self.loss.cannot(format!("messages[{number}].content[{place}]"), why).map(|()| None)
    }

    fn document(&mut self, part: &Part) -> Value {
        let Part::Document { media, title, context, citable, cache } = part else { return Value::Null };
        if *citable == Some(true) {
            self.loss.note("citations");
        }
        let mut file = match &media.source {
            // A text is a text: every model reads it.
            Source::Text(text) => {
                let said = [title.as_deref(), context.as_deref(), Some(text)];
                let text = said.into_iter().flatten().collect::<Vec<_>>().join("\n");
                return self.cached(json!({"type": "input_text", "text": text}), *cache);
            }
            Source::File(id) => json!({"type": "input_file", "file_id": id}),
            Source::Url(url) => json!({"type": "input_file", "file_url": url}),
            Source::Base64(data) => {
                let data = data_uri(data, media.media_type.as_deref());
                let title = title.as_deref().unwrap_or("document.pdf");
                json!({"type": "input_file", "filename": title, "file_data": data})
            }
        };
        if let Some(title) = title {
            file["filename"] = json!(title);
        }
        if context.is_some() {
            self.loss.note("context");
        }
        self.cached(file, *cache)
    }

    /// A hint for the cache, in the lifetimes that this dialect knows; other vendors' ones mean other caches.
    fn cached(&mut self, mut part: Value, hint: Option<CacheHint>) -> Value {
        let ttl = match hint {
            None => return part,
            Some(CacheHint { ttl_seconds: Some(1800) }) => "30m",
            Some(CacheHint { ttl_seconds: Some(43_200) }) => "12h",
            Some(_) => {
                self.loss.note("cache_control");
                return part;
            }
        };
        part["prompt_cache_breakpoint"] = json!({"mode": "explicit", "ttl": ttl});
        part
    }
}

/// The text of instructions that stand in front of everything.
fn instructions(message: &Message) -> Option<&str> {
    let is_plain = message.role == Role::System && message.name.is_none() && message.rest.is_empty();
    match &*message.parts {
        [Part::Text { text, cache: None, .. }] if is_plain => Some(text),
        _ => None,
    }
}

/// Ends the message item that is being written.
fn close(message: &Message, open: &mut Vec<Value>, written: &mut Vec<Value>) {
    if open.is_empty() {
        return;
    }
    let role = match message.role {
        Role::System => "system",
        Role::Developer => "developer",
        Role::User | Role::Tool => "user",
        Role::Assistant => "assistant",
    };
    let mut item = Map::new();
    item.insert("type".to_owned(), json!("message"));
    item.insert("role".to_owned(), json!(role));
    item.insert("content".to_owned(), Value::Array(std::mem::take(open)));
    message.rest.add_to(DIALECT, &mut item);
    written.push(Value::Object(item));
}

/// Whether it stands by itself: parts of a message have names of their own.
fn is_item(value: &Value) -> bool {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or("");
    !kind.starts_with("input_") && !kind.starts_with("output_") && kind != "summary_text"
}

fn image(media: &Media) -> Option<Value> {
    match &media.source {
        Source::Base64(data) => {
            let url = data_uri(data, media.media_type.as_deref());
            Some(json!({"type": "input_image", "image_url": url}))
        }
        Source::Url(url) => Some(json!({"type": "input_image", "image_url": url})),
        Source::File(id) => Some(json!({"type": "input_image", "file_id": id})),
        Source::Text(_) => None,
    }
}

/// A citation as this dialect's clients know it.
pub(in super::super) fn annotation(citation: &(Dialect, Value)) -> Option<Value> {
    match citation {
        (DIALECT, value) => Some(value.clone()),
        (Dialect::Chat, value) => {
            let mut members = value.get("url_citation")?.as_object()?.clone();
            members.insert("type".to_owned(), json!("url_citation"));
            Some(Value::Object(members))
        }
        _ => None,
    }
}
