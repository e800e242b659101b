//! A client's stream, message by message.

use crate::bedrock::answer::additional;
use crate::bedrock::write::{blocks, redacted};
use crate::bedrock::{DIALECT, stop, usage};
use crate::chat::{Delta, Event, Opaque, Part, PartKind, Shown, Stop};
use crate::eventstream::{Value as Header, encode};
use serde_json::{Map, Value, json};
use wellhead_types::Usage;

/// Writes whole messages. This dialect knows one candidate: the first.
#[derive(Debug)]
pub struct StreamEncoder {
    has_begun: bool,
    has_ended: bool,
    has_calls: bool,
    stop: Option<Stop>,
    usage: Option<Usage>,
    open: Vec<Open>,
}

/// A part that has begun.
#[derive(Debug)]
struct Open {
    part: u32,
    kind: Kind,
    /// What proves a thought; it comes last.
    proof: Option<Opaque>,
    is_redacted: bool,
    /// Something of it was written.
    is_written: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thought,
    Call,
    /// A call whose text becomes the one member of an object.
    CustomCall,
    Whole,
}

impl StreamEncoder {
    /// For a client; the answer's id and its model have no place in this dialect.
    pub const fn new(_shown: &Shown) -> Self {
        Self {
            has_begun: false,
            has_ended: false,
            has_calls: false,
            stop: None,
            usage: None,
            open: Vec::new(),
        }
    }

    /// Writes what an event is in the dialect; nothing, where it is nothing there yet.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            _ if self.has_ended => {}
            Event::Start { .. } => self.begin(out),
            Event::PartStart { candidate: 0, part, kind } => {
                self.begin(out);
                self.part_start(*part, kind, out);
            }
            Event::Delta { candidate: 0, part, delta } => {
                if let Some(open) = self.open.iter_mut().find(|open| open.part == *part) {
                    open.delta(delta, out);
                }
            }
            Event::PartEnd { candidate: 0, part } => {
                if let Some(at) = self.open.iter().position(|open| open.part == *part) {
                    self.open.remove(at).end(out);
                }
            }
            Event::Stop { candidate: 0, stop } => self.stop = Some(stop.clone()),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::End => self.end(out),
            Event::Other(DIALECT, Value::Object(members)) => {
                for (name, value) in members {
                    write(name, value, out);
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.has_begun, true) {
            write("messageStart", &json!({"role": "assistant"}), out);
        }
    }

    fn part_start(&mut self, part: u32, kind: &PartKind, out: &mut Vec<u8>) {
        let mut open = Open { part, kind: Kind::Text, proof: None, is_redacted: false, is_written: false };
        match kind {
            // Speech is shown by what is said.
            PartKind::Text | PartKind::Refusal | PartKind::Audio { .. } => {}
            PartKind::Reasoning { .. } => open.kind = Kind::Thought,
            PartKind::ToolCall { id, name, is_custom } => {
                self.has_calls = true;
                open.kind = if *is_custom { Kind::CustomCall } else { Kind::Call };
                start(part, &json!({"toolUse": {"toolUseId": id, "name": name}}), out);
                open.is_written = true;
                if *is_custom {
                    open.piece(&json!({"toolUse": {"input": "{\"input\":\""}}), out);
                }
            }
            PartKind::Whole(whole) => {
                open.kind = Kind::Whole;
                open.is_written = write_whole(part, whole, out);
            }
        }
        self.open.push(open);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.begin(out);
        for open in std::mem::take(&mut self.open) {
            open.end(out);
        }
        self.has_ended = true;
        let stop = self.stop.as_ref();
        let mut stopped = Map::new();
        stopped.insert("stopReason".to_owned(), stop::word(stop, self.has_calls).into());
        if let Some(fields) = additional(stop) {
            stopped.insert("additionalModelResponseFields".to_owned(), fields);
        }
        write("messageStop", &Value::Object(stopped), out);
        // Members that have to be there; what the vendor measured is not known here.
        let usage = usage::shown(self.usage.unwrap_or_default());
        write("metadata", &json!({"usage": usage, "metrics": {"latencyMs": 0}}), out);
    }
}

impl Open {
    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match (self.kind, delta) {
            (Kind::Text, Delta::Text(text) | Delta::Transcript(text)) => {
                self.piece(&json!({"text": text}), out);
            }
            (Kind::Text, Delta::Citation(DIALECT, citation)) => {
                self.piece(&json!({"citation": citation}), out);
            }
            (Kind::Thought, Delta::Text(text)) => {
                self.piece(&json!({"reasoningContent": {"text": text}}), out);
            }
            (Kind::Thought, Delta::Opaque(proof)) => self.proof = Some(proof.clone()),
            (Kind::Thought, Delta::Redacted) => self.is_redacted = true,
            (Kind::Call, Delta::Arguments(input)) => {
                self.piece(&json!({"toolUse": {"input": input}}), out);
            }
            (Kind::CustomCall, Delta::Arguments(text)) => {
                let quoted = Value::from(text.as_str()).to_string();
                let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
                self.piece(&json!({"toolUse": {"input": inner}}), out);
            }
            _ => {}
        }
    }

    fn piece(&mut self, delta: &Value, out: &mut Vec<u8>) {
        self.is_written = true;
        piece(self.part, delta, out);
    }

    fn end(mut self, out: &mut Vec<u8>) {
        if self.kind == Kind::CustomCall {
            self.piece(&json!({"toolUse": {"input": "\"}"}}), out);
        }
        if let Some(proof) = self.proof.take() {
            let inner = if self.is_redacted && !self.is_written {
                json!({"redactedContent": redacted(&proof)})
            } else {
                json!({"signature": proof.to_text()})
            };
            self.piece(&json!({"reasoningContent": inner}), out);
        }
        // Of a part without anything in it nothing was said: not even its kind could be told.
        if self.is_written {
            write("contentBlockStop", &json!({"contentBlockIndex": self.part}), out);
        }
    }
}

/// A part that comes whole. Returns whether anything was written.
fn write_whole(index: u32, part: &Part, out: &mut Vec<u8>) -> bool {
    let Some(mut block) = blocks(std::slice::from_ref(part))
        .into_iter()
        .next()
        .and_then(|block| serde_json::to_value(block).ok())
    else {
        return false;
    };
    if let Some(text) = block.get("text") {
        piece(index, &json!({"text": text}), out);
        return true;
    }
    if let Some(image) = block.get("image") {
        start(index, &json!({"image": {"format": image["format"]}}), out);
        piece(index, &json!({"image": {"source": image["source"]}}), out);
        return true;
    }
    for (name, inner) in [("toolUse", "input"), ("toolResult", "content")] {
        let Some(members) = block.get_mut(name).and_then(Value::as_object_mut) else { continue };
        let content = members.shift_remove(inner).unwrap_or_default();
        start(index, &json!({name: members}), out);
        let more = if name == "toolUse" { json!({"input": content.to_string()}) } else { content };
        piece(index, &json!({name: more}), out);
        return true;
    }
    false
}

fn start(index: u32, start: &Value, out: &mut Vec<u8>) {
    write("contentBlockStart", &json!({"start": start, "contentBlockIndex": index}), out);
}

fn piece(index: u32, delta: &Value, out: &mut Vec<u8>) {
    write("contentBlockDelta", &json!({"delta": delta, "contentBlockIndex": index}), out);
}

fn write(event: &str, payload: &Value, out: &mut Vec<u8>) {
    let headers = [
        (":event-type", Header::Text(event)),
        (":content-type", Header::Text("application/json")),
        (":message-type", Header::Text("event")),
    ];
    // Only what is longer than the format allows cannot be written; a gap makes the answer unreadable, not wrong.
    out.extend(encode(headers, payload.to_string().as_bytes()).unwrap_or_default());
}
