//! Messages.

use super::super::DIALECT;
use super::super::answer::Said;
use super::Writer;
use crate::chat::{Media, Message, Part, Role, Source, ToolResult, Unsupported};
use crate::openai::chat::data_uri;
use serde_json::{Map, Value, json};

impl Writer<'_> {
    pub(super) fn messages(&mut self, messages: &[Message]) -> Result<(), Unsupported> {
        let mut written = Vec::with_capacity(messages.len());
        for (number, message) in messages.iter().enumerate() {
            if message.name.is_some() {
                self.loss.note("name");
            }
            message.rest.foreign_to(DIALECT).for_each(|name| self.loss.note(name.to_owned()));
            // Results come first, whoever's turn they stand in.
            for (place, part) in message.parts.iter().enumerate() {
                if let Part::ToolResult(result) = part {
                    let mut object = self.result(number, place, result)?;
                    if place == 0 {
                        message.rest.add_to(DIALECT, &mut object);
                    }
                    written.push(Value::Object(object));
                }
            }
            let only_results = message.parts.iter().all(|part| matches!(part, Part::ToolResult(_)));
            if only_results && !message.parts.is_empty() {
                continue;
            }
            let object = match message.role {
                Role::System | Role::Developer => self.plain("system", number, message)?,
                Role::User | Role::Tool => self.plain("user", number, message)?,
                Role::Assistant => self.assistant(number, message)?,
            };
            if let Some(mut object) = object {
                message.rest.add_to(DIALECT, &mut object);
                written.push(Value::Object(object));
            }
        }
        self.set("messages", Value::Array(written));
        Ok(())
    }

    /// A message of the user or of whoever instructs the model.
    fn plain(
        &mut self,
        role: &str,
        number: usize,
        message: &Message,
    ) -> Result<Option<Map<String, Value>>, Unsupported> {
        let mut blocks = Vec::with_capacity(message.parts.len());
        for (place, part) in message.parts.iter().enumerate() {
            let at = || format!("messages[{number}].content[{place}]");
            let why = match part {
                Part::Text { text, cache, .. } => {
                    self.cached(cache.is_some());
                    blocks.push(json!({"type": "text", "text": text}));
                    continue;
                }
                // A model that said no said it in words.
                Part::Refusal(text) => {
                    blocks.push(json!({"type": "text", "text": text}));
                    continue;
                }
                Part::ToolResult(_) => continue,
                Part::Image { media, detail, cache } if self.target.can.images && role == "user" => {
                    self.cached(cache.is_some());
                    match url(media) {
                        Some(url) => {
                            let mut image = json!({"url": url});
                            if let Some(detail) = detail {
                                image["detail"] = json!(detail);
                            }
                            blocks.push(json!({"type": "image_url", "image_url": image}));
                            continue;
                        }
                        None => "is an image that was uploaded to another vendor",
                    }
                }
                Part::Document {
                    media: Media { source: Source::Text(text), .. },
                    title,
                    context,
                    citable,
                    cache,
                } => {
                    self.cached(cache.is_some());
                    if citable == &Some(true) {
                        self.loss.note("citations");
                    }
                    let said = [title.as_deref(), context.as_deref(), Some(text)];
                    let said = said.into_iter().flatten().collect::<Vec<_>>().join("\n");
                    blocks.push(json!({"type": "text", "text": said}));
                    continue;
                }
                Part::Other(DIALECT, block) => {
                    blocks.push(block.clone());
                    continue;
                }
                Part::Image { .. } => "is an image, which cannot be seen here",
                Part::Audio { .. } => "is audio, which Cohere does not take",
                Part::Video { .. } => "is a video, which Cohere does not take",
                Part::Document { .. } => "is a document that is no text, which Cohere does not take",
                Part::Reasoning(_) | Part::ToolCall(_) | Part::Other(..) => {
                    "is something that Cohere does not take here"
                }
            };
            self.loss.cannot(at(), why)?;
        }
        let mut object = Map::new();
        object.insert("role".to_owned(), json!(role));
        object.insert("content".to_owned(), content(blocks));
        Ok(Some(object))
    }

    /// A turn of the model's. Thoughts go back in words: Cohere proves none.
    fn assistant(
        &mut self,
        number: usize,
        message: &Message,
    ) -> Result<Option<Map<String, Value>>, Unsupported> {
        for (place, part) in message.parts.iter().enumerate() {
            match part {
                Part::Text { cache, .. } => self.cached(cache.is_some()),
                Part::Reasoning(thought) => {
                    if !self.target.can.reasoning || thought.text.is_empty() {
                        self.loss.note("reasoning");
                    }
                }
                Part::ToolCall(call) => {
                    self.cached(call.cache.is_some());
                    if call.is_custom {
                        let at = format!("messages[{number}].content[{place}]");
                        self.loss.cannot(at, "is a call of a kind that Cohere does not know")?;
                    }
                }
                // Said by the model: its transcript stands for it.
                Part::Refusal(_) | Part::ToolResult(_) | Part::Other(DIALECT, _) => {}
                Part::Audio { transcript: Some(_), .. } => self.loss.note("audio"),
                _ => {
                    let at = format!("messages[{number}].content[{place}]");
                    self.loss.cannot(at, "is something that Cohere does not take of the model")?;
                }
            }
        }
        let kept = |part: &&Part| match part {
            Part::Reasoning(_) => self.target.can.reasoning,
            Part::ToolCall(call) => !call.is_custom,
            _ => true,
        };
        let parts: Vec<&Part> = message.parts.iter().filter(kept).collect();
        let said = Said::of(&parts);
        if said.content.is_empty() && said.calls.is_empty() && said.plan.is_none() {
            // Nothing is left of it, and an empty turn would be refused.
            return Ok(None);
        }
        let mut object = said.message();
        if let Some(Value::Array(blocks)) = object.remove("content") {
            object.insert("content".to_owned(), content(blocks));
        }
        Ok(Some(object))
    }

    fn result(
        &mut self,
        number: usize,
        place: usize,
        result: &ToolResult,
    ) -> Result<Map<String, Value>, Unsupported> {
        if result.is_error {
            self.loss.note("is_error");
        }
        self.cached(result.cache.is_some());
        let mut blocks = Vec::with_capacity(result.parts.len());
        for part in &result.parts {
            let block = match part {
                Part::Text { text, .. } | Part::Refusal(text) => json!({"type": "text", "text": text}),
                Part::Document { media: Media { source: Source::Text(text), .. }, title, .. } => {
                    let mut data = json!({"text": text});
                    if let Some(title) = title {
                        data["title"] = json!(title);
                    }
                    json!({"type": "document", "document": {"data": data}})
                }
                Part::Other(DIALECT, block) => block.clone(),
                _ => {
                    let at = format!("messages[{number}].content[{place}]");
                    self.loss
                        .cannot(at, "holds more than texts, which is all that Cohere takes of a tool")?;
                    continue;
                }
            };
            blocks.push(block);
        }
        let mut object = Map::new();
        object.insert("role".to_owned(), json!("tool"));
        object.insert("tool_call_id".to_owned(), json!(result.call_id));
        object.insert("content".to_owned(), content(blocks));
        Ok(object)
    }

    fn cached(&mut self, is_hinted: bool) {
        if is_hinted {
            self.loss.note("cache_control");
        }
    }
}

/// One text is written as a text.
fn content(mut blocks: Vec<Value>) -> Value {
    if let [block] = blocks.as_mut_slice()
        && block["type"] == "text"
        && block.as_object().is_some_and(|block| block.len() == 2)
    {
        return block["text"].take();
    }
    if blocks.is_empty() { json!("") } else { Value::Array(blocks) }
}

fn url(media: &Media) -> Option<String> {
    match &media.source {
        Source::Base64(data) => Some(data_uri(data, media.media_type.as_deref())),
        Source::Url(url) => Some(url.clone()),
        Source::File(_) | Source::Text(_) => None,
    }
}
