//! A target's stream, message by message.

use super::open::{Kind, Open, TOOL_INPUT_BYTES_MAX};
use crate::bedrock::read::Author;
use crate::bedrock::{DIALECT, Family, STATUS, stop, usage};
use crate::chat::{Delta, Event, Origin, PartKind, Stop};
use crate::eventstream::{Kind as Says, Message};
use crate::failure::{exception_in_success, protocol_failure};
use serde_json::{Value, json};
use wellhead_types::{Cause, Failure, Stage};

/// Most blocks that may be open side by side; every known model opens one.
const OPEN_MAX: usize = 64;

/// Most blocks of an answer.
const PARTS_MAX: u32 = 4096;

/// Reads a stream. Texts and thoughts begin without being announced. Behind `messageStop` comes one thing more, the
/// counts, so the end waits for them (wire.md, section 1a).
#[derive(Debug)]
pub struct StreamDecoder {
    origin: Origin,
    family: Family,
    has_begun: bool,
    has_content: bool,
    has_stopped: bool,
    has_counted: bool,
    has_ended: bool,
    parts: u32,
    open: Vec<Open>,
}

impl StreamDecoder {
    /// For a target that was just asked.
    pub fn new(origin: Origin) -> Self {
        Self {
            family: Family::of(&origin.model),
            origin,
            has_begun: false,
            has_content: false,
            has_stopped: false,
            has_counted: false,
            has_ended: false,
            parts: 0,
            open: Vec::new(),
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// The vendor says that the answer failed, or the message cannot be read. The stream is over then.
    pub fn push(&mut self, message: &Message, out: &mut Vec<Event>) -> Result<(), Failure> {
        if self.has_ended {
            return Ok(());
        }
        let name = match message.kind() {
            Says::Event(name) => name,
            Says::Exception(kind) => {
                return Err(exception_in_success(kind, &message.payload, self.stage()));
            }
            Says::Error { code, message: said } => {
                let payload = json!({"message": said}).to_string();
                return Err(exception_in_success(code, payload.as_bytes(), self.stage()));
            }
            Says::Other => return Ok(()),
        };
        let value: Value = serde_json::from_slice(&message.payload)
            .map_err(|error| self.protocol(format!("`{name}`: {error}")))?;
        match name {
            "messageStart" => self.begin(out),
            "contentBlockStart" => self.block_start(value, out)?,
            "contentBlockDelta" => self.block_delta(value, out)?,
            "contentBlockStop" => self.close(index_of(&value), out)?,
            "messageStop" => self.message_stop(&value, out)?,
            "metadata" => self.metadata(&value, out),
            _ => out.push(Event::Other(DIALECT, json!({name: value}))),
        }
        Ok(())
    }

    /// After the last message: whether the stream ended as the dialect says, with `messageStop`.
    pub fn finish(&mut self, out: &mut Vec<Event>) -> bool {
        if self.has_stopped && !self.has_ended {
            self.has_ended = true;
            out.push(Event::End);
        }
        self.has_ended
    }

    const fn stage(&self) -> Stage {
        if self.has_content { Stage::Stream } else { Stage::FirstToken }
    }

    fn protocol(&self, detail: impl Into<String>) -> Failure {
        protocol_failure(STATUS, self.stage(), detail)
    }

    fn too_large(&self, what: &str) -> Failure {
        Failure { cause: Cause::ResponseTooLarge, ..self.protocol(what) }
    }

    fn begin(&mut self, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.has_begun, true) {
            out.push(Event::Start { id: None, model: None, created: None });
        }
    }

    fn block_start(&mut self, mut value: Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        self.begin(out);
        self.has_content = true;
        let index = index_of(&value);
        let mut start = value.get_mut("start").map(Value::take).unwrap_or_default();
        // What is not known to begin says by its first piece what it is.
        let Some(kind) = Kind::of(&mut start) else { return Ok(()) };
        self.close(index, out)?;
        if matches!(kind, Kind::Call { .. }) {
            let text = |name: &str| start.get("toolUse")?.get(name)?.as_str().filter(|text| !text.is_empty());
            let Some(name) = text("name") else {
                return Err(self.protocol("a tool call begins without a name"));
            };
            // The call's place is as good as an id.
            let id = text("toolUseId").map_or_else(|| format!("tooluse_{}", self.parts), str::to_owned);
            let begun = PartKind::ToolCall { id: id.into(), name: name.into(), is_custom: false };
            return self.start(index, kind, begun, out).map(drop);
        }
        self.room()?;
        self.open.push(Open { index, part: u32::MAX, kind });
        Ok(())
    }

    fn room(&self) -> Result<(), Failure> {
        if self.open.len() < OPEN_MAX {
            Ok(())
        } else {
            Err(self.too_large("too many blocks are open at once"))
        }
    }

    /// Begins a part, and gives its number.
    fn start(
        &mut self,
        index: u64,
        kind: Kind,
        begun: PartKind,
        out: &mut Vec<Event>,
    ) -> Result<u32, Failure> {
        self.room()?;
        let part = self.number()?;
        out.push(Event::PartStart { candidate: 0, part, kind: begun });
        self.open.push(Open { index, part, kind });
        Ok(part)
    }

    fn number(&mut self) -> Result<u32, Failure> {
        if self.parts >= PARTS_MAX {
            return Err(self.too_large("the answer has too many blocks"));
        }
        self.parts += 1;
        Ok(self.parts - 1)
    }

    fn block_delta(&mut self, mut value: Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        self.begin(out);
        self.has_content = true;
        let index = index_of(&value);
        let mut delta = value.get_mut("delta").map(Value::take).unwrap_or_default();
        let at = match self.open.iter().position(|open| open.index == index) {
            Some(at) => at,
            None => {
                let has = |name: &str| delta.get(name).is_some();
                if has("text") || has("citation") {
                    self.start(index, Kind::Text, PartKind::Text, out)?;
                } else if has("reasoningContent") {
                    self.start(index, Kind::Thought, thought(), out)?;
                } else if has("toolUse") {
                    return Err(self.protocol("a tool call goes on without having begun"));
                } else {
                    return Ok(());
                }
                self.open.len() - 1
            }
        };
        self.more(at, &mut delta, out)
    }

    /// More of an open block.
    fn more(&mut self, at: usize, delta: &mut Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        let odd = self.protocol("a block goes on with something that it cannot hold");
        let too_large = self.too_large("the input of a tool call is longer than 1 MiB");
        let origin = &self.origin;
        let Some(Open { part, kind, .. }) = self.open.get_mut(at) else { return Ok(()) };
        let part = *part;
        let mut say = |delta: Delta| out.push(Event::Delta { candidate: 0, part, delta });
        match kind {
            Kind::Text => {
                if let Some(text) = text_of(delta, "text") {
                    say(Delta::Text(text));
                } else if let Some(citation) = delta.get_mut("citation") {
                    say(Delta::Citation(DIALECT, citation.take()));
                } else if delta.get("text").is_none() {
                    return Err(odd);
                }
            }
            Kind::Thought => {
                let Some(inner) = delta.get_mut("reasoningContent") else { return Err(odd) };
                let proof = |data: &str| Delta::Opaque(Author::Target(origin).opaque(data));
                if let Some(text) = text_of(inner, "text") {
                    say(Delta::Text(text));
                }
                if let Some(signature) = text_of(inner, "signature") {
                    say(proof(&signature));
                }
                if let Some(data) = text_of(inner, "redactedContent") {
                    say(proof(&data));
                    say(Delta::Redacted);
                }
            }
            Kind::Call { bytes } => {
                let Some(inner) = delta.get_mut("toolUse") else { return Err(odd) };
                if let Some(input) = text_of(inner, "input") {
                    *bytes += input.len();
                    if *bytes > TOOL_INPUT_BYTES_MAX {
                        return Err(too_large);
                    }
                    say(Delta::Arguments(input));
                }
            }
            whole => whole.grow(delta).ok_or(odd)?,
        }
        Ok(())
    }

    /// Ends a block, if one is open under this number.
    fn close(&mut self, index: u64, out: &mut Vec<Event>) -> Result<(), Failure> {
        let Some(at) = self.open.iter().position(|open| open.index == index) else { return Ok(()) };
        let Open { mut part, kind, .. } = self.open.remove(at);
        if let Kind::Call { bytes: 0 } = kind {
            // Without any input there is an empty object (wire.md, trap 5).
            out.push(Event::Delta { candidate: 0, part, delta: Delta::Arguments("{}".to_owned()) });
        }
        if let Some(whole) = kind.whole() {
            part = self.number()?;
            let kind = PartKind::Whole(Box::new(whole));
            out.push(Event::PartStart { candidate: 0, part, kind });
        }
        out.push(Event::PartEnd { candidate: 0, part });
        Ok(())
    }

    fn message_stop(&mut self, value: &Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        self.begin(out);
        while let Some(index) = self.open.first().map(|open| open.index) {
            self.close(index, out)?;
        }
        if !std::mem::replace(&mut self.has_stopped, true) {
            let reason = value.get("stopReason").and_then(Value::as_str).unwrap_or_default();
            let stop: Stop = stop::read(reason, value.get("additionalModelResponseFields"));
            out.push(Event::Stop { candidate: 0, stop });
        }
        self.end(out);
        Ok(())
    }

    fn metadata(&mut self, value: &Value, out: &mut Vec<Event>) {
        self.begin(out);
        let counts = value.get("usage").and_then(|counts| usage::read(counts, self.family));
        out.extend(counts.map(Event::Usage));
        self.has_counted = true;
        self.end(out);
    }

    /// The end is there when both are.
    fn end(&mut self, out: &mut Vec<Event>) {
        if self.has_stopped && self.has_counted && !self.has_ended {
            self.has_ended = true;
            out.push(Event::End);
        }
    }
}

const fn thought() -> PartKind {
    PartKind::Reasoning { id: None, is_summary: false }
}

fn index_of(value: &Value) -> u64 {
    value.get("contentBlockIndex").and_then(Value::as_u64).unwrap_or(0)
}

/// A member that is a text, unless it is empty: taken, not copied.
fn text_of(value: &mut Value, name: &str) -> Option<String> {
    match value.get_mut(name).map(Value::take) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}
