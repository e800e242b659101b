//! A target's stream, event by event.

use crate::anthropic::answer::STATUS;
use crate::anthropic::read::{self, Author, DIALECT};
use crate::anthropic::stop;
use crate::anthropic::usage::Counts;
use crate::chat::{Delta, Event, Origin, Part, PartKind};
use crate::failure::{classify_in_success, protocol_failure};
use crate::sse;
use serde_json::{Map, Value};
use wellhead_types::{Cause, Failure, Stage};

/// Most bytes that the input of one tool call may have. Inputs are kept by whoever checks them.
pub const TOOL_INPUT_BYTES_MAX: usize = 1 << 20;

/// Most blocks that may be open side by side; every known host opens one.
const OPEN_MAX: usize = 64;

/// Most blocks of an answer.
const PARTS_MAX: u32 = 4096;

/// Reads a stream. It is lenient where real hosts have been seen to break the order (wire.md, trap 17): a second
/// `message_start` says nothing new, blocks may have any numbers, and a block may go on without having begun.
#[derive(Debug)]
pub struct StreamDecoder {
    origin: Origin,
    has_begun: bool,
    has_content: bool,
    has_ended: bool,
    counts: Counts,
    parts: u32,
    open: Vec<Open>,
}

/// A block that has begun.
#[derive(Debug)]
struct Open {
    /// The vendor's number.
    index: u64,
    /// The canonical one; blocks that come whole get theirs at their end.
    part: u32,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Text,
    Thought,
    /// With the input that came with its start, until pieces of it come.
    Call {
        bytes: usize,
        input: Option<Value>,
    },
    /// A block that only this dialect knows, and the pieces of its input.
    Whole {
        block: Value,
        input: String,
    },
}

impl StreamDecoder {
    /// For a target that was just asked.
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            has_begun: false,
            has_content: false,
            has_ended: false,
            counts: Counts::default(),
            parts: 0,
            open: Vec::new(),
        }
    }

    /// Reads an event.
    ///
    /// # Errors
    /// The vendor says that the answer failed, or the event cannot be read. The stream is over then.
    pub fn push(&mut self, event: &sse::Event<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        let Some(data) = event.data().filter(|_| !self.has_ended) else { return Ok(()) };
        if event.event() == Some(b"error") {
            return Err(classify_in_success(&data, self.stage()));
        }
        // Hosts that also speak OpenAI's dialect add its end signal. It is none here.
        if data.trim_ascii() == b"[DONE]" || data.trim_ascii().is_empty() {
            return Ok(());
        }
        let value: Value = serde_json::from_slice(&data).map_err(|error| self.protocol(error.to_string()))?;
        let name = value.get("type").and_then(Value::as_str).map(str::to_owned);
        let name = match &name {
            Some(name) => name.as_str(),
            None => event.event().and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default(),
        };
        match name {
            "message_start" => self.message_start(value, out),
            "content_block_start" => self.block_start(value, out)?,
            "content_block_delta" => self.block_delta(value, out)?,
            "content_block_stop" => self.block_stop(&value, out)?,
            "message_delta" => self.message_delta(value, out),
            "message_stop" => {
                self.close_all(out)?;
                self.has_ended = true;
                out.push(Event::End);
            }
            "ping" => out.push(Event::Ping),
            "error" => return Err(classify_in_success(&data, self.stage())),
            _ if value.get("error").is_some_and(Value::is_object) => {
                return Err(classify_in_success(&data, self.stage()));
            }
            _ => out.push(Event::Other(DIALECT, value)),
        }
        Ok(())
    }

    /// After the last event: whether the stream ended as the dialect says, with `message_stop`.
    pub const fn finish(&mut self, _out: &mut Vec<Event>) -> bool {
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

    fn message_start(&mut self, mut value: Value, out: &mut Vec<Event>) {
        let message = value.get_mut("message").map(Value::take).unwrap_or_default();
        let usage = message.get("usage").is_some_and(|usage| self.counts.set(usage));
        self.begin(Some(&message), out);
        if usage {
            out.extend(self.counts.settle().map(Event::Usage));
        }
    }

    fn begin(&mut self, message: Option<&Value>, out: &mut Vec<Event>) {
        if self.has_begun {
            return;
        }
        self.has_begun = true;
        let text = |name: &str| match message.and_then(|message| message.get(name)) {
            Some(Value::String(text)) => Some(text.as_str().into()),
            _ => None,
        };
        out.push(Event::Start { id: text("id"), model: text("model"), created: None });
    }

    fn message_delta(&mut self, mut value: Value, out: &mut Vec<Event>) {
        self.begin(None, out);
        let counted = value.get("usage").is_some_and(|usage| self.counts.set(usage));
        let mut delta = value.get_mut("delta").map(Value::take).unwrap_or_default();
        let mut take = |name: &str| delta.get_mut(name).map(Value::take);
        let (reason, sequence, details) = (take("stop_reason"), take("stop_sequence"), take("stop_details"));
        if let Some(stop) = stop::read(reason.as_ref(), sequence, details) {
            out.push(Event::Stop { candidate: 0, stop });
        }
        if counted {
            out.extend(self.counts.settle().map(Event::Usage));
        }
    }

    fn block_start(&mut self, mut value: Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        self.begin(None, out);
        self.has_content = true;
        let index = value.get("index").and_then(Value::as_u64).unwrap_or(u64::from(self.parts));
        // A host that begins anew under an old number means another block.
        self.close(index, out)?;
        if self.open.len() >= OPEN_MAX {
            return Err(self.too_large("too many blocks are open side by side"));
        }
        let mut block = value.get_mut("content_block").map(Value::take).unwrap_or_default();
        match block.get("type").and_then(Value::as_str) {
            Some("tool_use") if read::is_plain_call(&block) => self.call_start(index, block, out),
            // What a block begins with and what comes in pieces add up, so their own kinds are read without the start.
            Some("text") => {
                let said = text_of(&mut block, "text");
                let citations = block.get_mut("citations").map(Value::take);
                let part = self.start(index, Kind::Text, PartKind::Text, out)?;
                delta(part, said.map(Delta::Text), out);
                for citation in citations.and_then(into_list).unwrap_or_default() {
                    delta(part, Some(Delta::Citation(DIALECT, citation)), out);
                }
                Ok(())
            }
            Some("thinking") => {
                let (said, proof) = (text_of(&mut block, "thinking"), text_of(&mut block, "signature"));
                let part = self.start(index, Kind::Thought, thought(), out)?;
                delta(part, said.map(Delta::Text), out);
                delta(part, proof.map(|proof| self.proof(&proof)), out);
                Ok(())
            }
            Some("redacted_thinking") => {
                let data = text_of(&mut block, "data");
                let part = self.start(index, Kind::Thought, thought(), out)?;
                delta(part, data.map(|data| self.proof(&data)), out);
                delta(part, Some(Delta::Redacted), out);
                Ok(())
            }
            Some(_) => {
                let kind = Kind::Whole { block, input: String::new() };
                self.open.push(Open { index, part: u32::MAX, kind });
                Ok(())
            }
            None => Err(self.protocol("a block begins without a type")),
        }
    }

    fn call_start(&mut self, index: u64, mut block: Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        let Some(name) = text_of(&mut block, "name") else {
            return Err(self.protocol("a tool call begins without a name"));
        };
        // Some hosts give none; the call's place is as good.
        let id = text_of(&mut block, "id").unwrap_or_else(|| format!("toolu_{}", self.parts));
        let input = block.get_mut("input").map(Value::take);
        let input = input.filter(|input| input.as_object().is_some_and(|input| !input.is_empty()));
        let kind = PartKind::ToolCall { id: id.into(), name: name.into(), is_custom: false };
        self.start(index, Kind::Call { bytes: 0, input }, kind, out).map(drop)
    }

    /// Begins a part, and gives its number.
    fn start(
        &mut self,
        index: u64,
        kind: Kind,
        begun: PartKind,
        out: &mut Vec<Event>,
    ) -> Result<u32, Failure> {
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

    fn proof(&self, data: &str) -> Delta {
        Delta::Opaque(Author::Target(&self.origin).opaque(data))
    }

    fn block_delta(&mut self, mut value: Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        self.begin(None, out);
        self.has_content = true;
        let mut piece = value.get_mut("delta").map(Value::take).unwrap_or_default();
        let name = piece.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let index = value.get("index").and_then(Value::as_u64).unwrap_or(0);
        let at = match self.open.iter().position(|open| open.index == index) {
            Some(at) => at,
            None => {
                match name.as_str() {
                    "text_delta" => self.start(index, Kind::Text, PartKind::Text, out)?,
                    "thinking_delta" | "signature_delta" => {
                        self.start(index, Kind::Thought, thought(), out)?
                    }
                    "input_json_delta" => {
                        return Err(self.protocol("a tool call goes on without having begun"));
                    }
                    _ => return Ok(()),
                };
                self.open.len() - 1
            }
        };
        let said = match name.as_str() {
            "text_delta" => text_of(&mut piece, "text").map(Delta::Text),
            "thinking_delta" => text_of(&mut piece, "thinking").map(Delta::Text),
            "signature_delta" => text_of(&mut piece, "signature").map(|proof| self.proof(&proof)),
            "citations_delta" => {
                piece.get_mut("citation").map(|citation| Delta::Citation(DIALECT, citation.take()))
            }
            "input_json_delta" => match text_of(&mut piece, "partial_json") {
                None => return Ok(()),
                Some(json) => return self.input(at, json, out),
            },
            _ => return Ok(()),
        };
        let Some(open) = self.open.get(at) else { return Ok(()) };
        let fits = match (&open.kind, &said) {
            (Kind::Text, Some(Delta::Text(_) | Delta::Citation(..))) => name != "thinking_delta",
            (Kind::Thought, Some(Delta::Text(_) | Delta::Opaque(_))) => name != "text_delta",
            (_, None) => return Ok(()),
            _ => false,
        };
        if !fits {
            return Err(self.protocol(format!("a block goes on with a `{name}`, which it cannot hold")));
        }
        delta(open.part, said, out);
        Ok(())
    }

    /// A piece of a call's input.
    fn input(&mut self, at: usize, json: String, out: &mut Vec<Event>) -> Result<(), Failure> {
        let too_large = self.too_large("the input of a tool call is longer than 1 MiB");
        match self.open.get_mut(at).map(|open| (open.part, &mut open.kind)) {
            Some((part, Kind::Call { bytes, input })) => {
                *bytes += json.len();
                if *bytes > TOOL_INPUT_BYTES_MAX {
                    return Err(too_large);
                }
                *input = None;
                delta(part, Some(Delta::Arguments(json)), out);
            }
            Some((_, Kind::Whole { input, .. })) => {
                if input.len() + json.len() > TOOL_INPUT_BYTES_MAX {
                    return Err(too_large);
                }
                input.push_str(&json);
            }
            _ => return Err(self.protocol("a block that is no tool call goes on with input")),
        }
        Ok(())
    }

    fn block_stop(&mut self, value: &Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        let index = value.get("index").and_then(Value::as_u64).unwrap_or(0);
        self.close(index, out)
    }

    fn close_all(&mut self, out: &mut Vec<Event>) -> Result<(), Failure> {
        self.begin(None, out);
        while let Some(index) = self.open.first().map(|open| open.index) {
            self.close(index, out)?;
        }
        Ok(())
    }

    /// Ends a block, if one is open under this number.
    fn close(&mut self, index: u64, out: &mut Vec<Event>) -> Result<(), Failure> {
        let Some(at) = self.open.iter().position(|open| open.index == index) else { return Ok(()) };
        let Open { mut part, kind, .. } = self.open.remove(at);
        match kind {
            Kind::Text | Kind::Thought => {}
            // Without any input there is an empty object (wire.md, trap 5).
            Kind::Call { bytes: 0, input } => {
                let input = input.unwrap_or_else(|| Value::Object(Map::new())).to_string();
                delta(part, Some(Delta::Arguments(input)), out);
            }
            Kind::Call { .. } => {}
            Kind::Whole { mut block, input } => {
                if let (Ok(input), Some(members)) = (serde_json::from_str(&input), block.as_object_mut()) {
                    members.insert("input".to_owned(), input);
                }
                part = self.number()?;
                let kind = PartKind::Whole(Box::new(Part::Other(DIALECT, block)));
                out.push(Event::PartStart { candidate: 0, part, kind });
            }
        }
        out.push(Event::PartEnd { candidate: 0, part });
        Ok(())
    }
}

const fn thought() -> PartKind {
    PartKind::Reasoning { id: None, is_summary: false }
}

fn delta(part: u32, delta: Option<Delta>, out: &mut Vec<Event>) {
    out.extend(delta.map(|delta| Event::Delta { candidate: 0, part, delta }));
}

/// A member that is a text, unless it is empty: taken, not copied.
fn text_of(value: &mut Value, name: &str) -> Option<String> {
    match value.get_mut(name).map(Value::take) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

fn into_list(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(list) => Some(list),
        _ => None,
    }
}
