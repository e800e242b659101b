//! Messages.

use super::super::options::{PrefillMark, ReasoningBack};
use super::super::{call, thought};
use super::Writer;
use super::order::arrange;
use crate::chat::{
    Dialect, Message, Opaque, Part, Reasoning, Request, Role, ToolCall, ToolResult, Unsupported,
};
use serde_json::{Map, Value, json};

impl Writer<'_> {
    pub(super) fn messages(&mut self, request: &Request) -> Result<(), Unsupported> {
        let mut messages = arrange(request, self.options, &mut self.loss);
        if let Some((number, last)) = messages.last()
            && is_prefill(last)
            && (self.options.no_prefill || !self.target.can.prefill)
        {
            let why = "ends the conversation with an assistant's turn, which this model does not go on with";
            self.loss.cannot(format!("messages[{number}]"), why)?;
            drop(messages.pop());
        }
        let mut written = Vec::with_capacity(messages.len());
        for (number, message) in &messages {
            self.message(*number, message, &mut written)?;
        }
        if let Some(Value::Object(last)) = written.last_mut()
            && messages.last().is_some_and(|(_, message)| message.role == Role::Assistant)
        {
            match self.options.prefill {
                PrefillMark::Prefix => drop(last.insert("prefix".to_owned(), json!(true))),
                PrefillMark::Partial => drop(last.insert("partial".to_owned(), json!(true))),
                PrefillMark::Nothing | PrefillMark::Continue => {}
            }
        }
        self.set("messages", Value::Array(written));
        Ok(())
    }

    fn message(
        &mut self,
        number: usize,
        message: &Message,
        written: &mut Vec<Value>,
    ) -> Result<(), Unsupported> {
        // Results are messages of their own, wherever another dialect puts them.
        let mut pictures = Vec::new();
        for part in &message.parts {
            if let Part::ToolResult(result) = part {
                written.push(self.result(number, message, result, &mut pictures)?);
            }
        }
        if !pictures.is_empty() {
            written.push(json!({"role": "user", "content": pictures}));
        }
        if message.parts.iter().all(|part| matches!(part, Part::ToolResult(_))) && !message.parts.is_empty() {
            return Ok(());
        }
        let mut object = Map::new();
        let role = match message.role {
            Role::Developer if self.options.no_developer => "system",
            Role::Developer => "developer",
            Role::System => "system",
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        object.insert("role".to_owned(), json!(role));
        if let Some(name) = &message.name {
            if self.options.no_names {
                self.loss.note("name");
            } else {
                object.insert("name".to_owned(), json!(name));
            }
        }
        if message.role == Role::Assistant {
            self.assistant(number, &message.parts, &mut object)?;
        } else {
            let content = self.content(number, &message.parts)?;
            let is_text = |part: &Part| matches!(part, Part::Text { .. });
            if content.as_str() == Some("") && !message.parts.is_empty() && !message.parts.iter().any(is_text)
            {
                // All of it was left out, which is said where it was.
                return Ok(());
            }
            object.insert("content".to_owned(), content);
        }
        self.left(message, &mut object);
        written.push(Value::Object(object));
        Ok(())
    }

    fn left(&mut self, message: &Message, object: &mut Map<String, Value>) {
        message.rest.add_to(Dialect::Chat, object);
        for name in message.rest.foreign_to(Dialect::Chat) {
            self.loss.note(name.to_owned());
        }
    }

    fn assistant(
        &mut self,
        number: usize,
        parts: &[Part],
        object: &mut Map<String, Value>,
    ) -> Result<(), Unsupported> {
        let said: Vec<(usize, &Part)> = parts
            .iter()
            .enumerate()
            .filter(|(_, part)| !matches!(part, Part::Reasoning(_) | Part::ToolCall(_) | Part::ToolResult(_)))
            .collect();
        let mut calls = Vec::new();
        let mut thoughts = Vec::new();
        for part in parts {
            match part {
                Part::ToolCall(call) => calls.push(Value::Object(self.call(call))),
                Part::Reasoning(thought) => thoughts.push(thought),
                _ => {}
            }
        }
        let content = self.said(number, &said, object)?;
        object.insert("content".to_owned(), content);
        self.thoughts(&thoughts, object);
        if !calls.is_empty() {
            object.insert("tool_calls".to_owned(), Value::Array(calls));
        }
        Ok(())
    }

    fn call(&mut self, call: &ToolCall) -> Map<String, Value> {
        let proof = self.proof(call.opaque.as_ref());
        call::write(call, &self.id(&call.id), proof)
    }

    /// What the target may see of a proof: its own.
    pub(super) fn proof<'o>(&self, opaque: Option<&'o Opaque>) -> Option<&'o str> {
        opaque.filter(|opaque| opaque.is_for(Dialect::Chat, &self.target.origin)).map(|opaque| &*opaque.data)
    }

    /// The id of a call as the vendor wants it, the same in the call and in its result.
    fn id(&self, id: &str) -> String {
        if self.options.short_tool_ids { short_id(id) } else { id.to_owned() }
    }

    fn thoughts(&mut self, thoughts: &[&Reasoning], object: &mut Map<String, Value>) {
        let words: String = thoughts.iter().map(|thought| thought.text.as_str()).collect();
        let is_own = |thought: &&&Reasoning| {
            let origin = thought.opaque.as_ref().and_then(|opaque| opaque.origin.as_ref());
            origin == Some(&self.target.origin) && self.proof(thought.opaque.as_ref()).is_some()
        };
        match self.options.reasoning_back {
            // What it signed itself it knows how to read, whatever else is known of it.
            ReasoningBack::Never if thoughts.iter().any(|thought| is_own(&thought)) => {
                let own: Vec<&Reasoning> = thoughts.iter().filter(is_own).copied().collect();
                if own.len() < thoughts.len() {
                    self.loss.note("reasoning_content");
                }
                self.details(&own, object);
            }
            ReasoningBack::Never => {
                if !thoughts.is_empty() {
                    self.loss.note("reasoning_content");
                }
            }
            ReasoningBack::Content if words.is_empty() => {}
            ReasoningBack::ContentAlways if words.is_empty() => {
                // Some refuse the turn without it, some an empty text.
                object.insert("reasoning_content".to_owned(), json!(" "));
            }
            ReasoningBack::Content | ReasoningBack::ContentAlways => {
                object.insert("reasoning_content".to_owned(), json!(words));
            }
            ReasoningBack::Reasoning if words.is_empty() => {}
            ReasoningBack::Reasoning => drop(object.insert("reasoning".to_owned(), json!(words))),
            ReasoningBack::Details => self.details(thoughts, object),
        }
    }

    fn details(&mut self, thoughts: &[&Reasoning], object: &mut Map<String, Value>) {
        let mut entries = Vec::new();
        for thought in thoughts {
            let proof = self.proof(thought.opaque.as_ref()).map(str::to_owned);
            // Without a proof of its own the words are another model's, and are no thought to this one.
            if proof.is_none() && thought.opaque.is_some() {
                self.loss.note("reasoning_details");
                continue;
            }
            entries.extend(thought::write(thought, proof, entries.len()));
        }
        if !entries.is_empty() {
            object.insert("reasoning_details".to_owned(), Value::Array(entries));
        }
    }

    /// A result. Images that it may not hold go into a message of the user's behind the results.
    fn result(
        &mut self,
        number: usize,
        message: &Message,
        result: &ToolResult,
        pictures: &mut Vec<Value>,
    ) -> Result<Value, Unsupported> {
        let mut object = Map::new();
        object.insert("role".to_owned(), json!("tool"));
        object.insert("tool_call_id".to_owned(), json!(self.id(&result.call_id)));
        if let Some(name) = result.name.as_ref().filter(|_| !self.options.no_names) {
            object.insert("name".to_owned(), json!(name));
        }
        if result.is_error {
            // The dialect has no word for it; what went wrong stands in the text.
            self.loss.note("is_error");
        }
        let (texts, others): (Vec<&Part>, Vec<&Part>) =
            result.parts.iter().partition(|part| matches!(part, Part::Text { .. }));
        let inside = self.options.result_images || others.is_empty();
        let mut parts: Vec<Part> =
            if inside { result.parts.clone() } else { texts.into_iter().cloned().collect() };
        if !inside {
            let said = format!("Shown by the tool call {}:", self.id(&result.call_id));
            pictures.push(json!({"type": "text", "text": said}));
            for part in others {
                pictures.extend(self.part(number, 0, part)?);
            }
        }
        if let (Some(hint), Some(Part::Text { cache, .. } | Part::Image { cache, .. })) =
            (result.cache, parts.last_mut())
        {
            *cache = Some(hint);
        }
        let content = self.content(number, &parts)?;
        object.insert("content".to_owned(), content);
        if message.parts.len() == 1 {
            self.left(message, &mut object);
        }
        Ok(Value::Object(object))
    }
}

/// The beginning of an answer that is to be gone on with: what the assistant said, without a call whose result may follow
/// in another form.
fn is_prefill(last: &Message) -> bool {
    let said = |part: &Part| matches!(part, Part::Text { .. });
    last.role == Role::Assistant
        && last.parts.iter().any(said)
        && !last.parts.iter().any(|part| matches!(part, Part::ToolCall(_)))
}

/// Nine letters and digits: an id that has them already, or a hash of it (wire.md, trap 6).
pub(crate) fn short_id(id: &str) -> String {
    const LEN: usize = 9;
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if id.len() == LEN && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return id.to_owned();
    }
    // FNV-1a: the same id gives the same nine characters in every turn and process.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in id.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut short = String::with_capacity(LEN);
    for _ in 0..LEN {
        let digit = usize::try_from(hash % 62).unwrap_or(0);
        short.extend(DIGITS.get(digit).copied().map(char::from));
        hash /= 62;
    }
    short
}
