//! Streamed answers: lines.

use super::answer::{self, calls, image, read_line, stop_of, usage_of};
use super::{PARTS_MAX, encode, time};
use crate::chat::members::{self, list, text, word};
use crate::chat::{Delta, Event, Origin, Part, PartKind, Shown, Stop, ToolCall};
use crate::failure::protocol_failure;
use serde_json::{Map, Value, json};
use wellhead_types::{Failure, Stage, Usage};

/// Reads lines.
#[derive(Debug)]
pub struct StreamDecoder {
    has_started: bool,
    has_ended: bool,
    created_at: Option<String>,
    next: u32,
    calls: usize,
    /// The part that goes on, and whether it is a thought.
    open: Option<(u32, bool)>,
}

impl StreamDecoder {
    /// `_origin` is the same in every dialect; nothing here is only for its vendor.
    pub fn new(_origin: &Origin) -> Self {
        Self { has_started: false, has_ended: false, created_at: None, next: 0, calls: 0, open: None }
    }

    /// Reads a line. `Err`: the server says that the answer failed, or says what no server of this dialect says.
    pub fn push(&mut self, line: &[u8], out: &mut Vec<Event>) -> Result<(), Failure> {
        if self.has_ended {
            return Ok(());
        }
        let stage = if self.next == 0 { Stage::FirstToken } else { Stage::Stream };
        let mut members = read_line(line, stage)?;
        if !self.has_started {
            self.has_started = true;
            self.created_at = word(&mut members, "created_at");
            let created = self.created_at.as_deref().and_then(time::read);
            out.push(Event::Start { id: None, model: word(&mut members, "model").map(Into::into), created });
        }
        if let Some(mut message) = members::object(&mut members, "message") {
            self.more(text(&mut message, "thinking"), true, out);
            self.more(text(&mut message, "content"), false, out);
            for part in list(&mut message, "images").into_iter().filter_map(image) {
                self.whole(PartKind::Whole(Box::new(part)), None, out);
            }
            for call in calls(&mut message, self.calls, self.created_at.as_deref()) {
                self.calls += 1;
                let ToolCall { id, name, arguments, is_custom, .. } = call;
                self.whole(
                    PartKind::ToolCall { id, name, is_custom },
                    Some(Delta::Arguments(arguments)),
                    out,
                );
            }
            if usize::try_from(self.next).unwrap_or(usize::MAX) > PARTS_MAX {
                let detail = format!("an answer has more than {PARTS_MAX} parts");
                return Err(protocol_failure(200, Stage::Stream, detail));
            }
        }
        if let Some(logprobs) = members::take(&mut members, "logprobs") {
            out.push(Event::Logprobs { candidate: 0, logprobs });
        }
        if members.get("done").and_then(Value::as_bool) == Some(true) {
            self.close(out);
            out.extend(stop_of(&mut members, self.calls > 0).map(|stop| Event::Stop { candidate: 0, stop }));
            out.extend(usage_of(&mut members).map(Event::Usage));
            out.push(Event::End);
            self.has_ended = true;
        }
        Ok(())
    }

    /// The bytes have ended. Whether a line said `done`: without it the stream is cut.
    pub const fn finish(&mut self, _out: &mut Vec<Event>) -> bool {
        self.has_ended
    }

    fn more(&mut self, text: Option<String>, is_thought: bool, out: &mut Vec<Event>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        let part = match self.open {
            Some((part, of)) if of == is_thought => part,
            _ => {
                let thought = PartKind::Reasoning { id: None, is_summary: false };
                let part = self.start(if is_thought { thought } else { PartKind::Text }, out);
                self.open = Some((part, is_thought));
                part
            }
        };
        out.push(Event::Delta { candidate: 0, part, delta: Delta::Text(text) });
    }

    fn start(&mut self, kind: PartKind, out: &mut Vec<Event>) -> u32 {
        self.close(out);
        let part = self.next;
        self.next = self.next.saturating_add(1);
        out.push(Event::PartStart { candidate: 0, part, kind });
        part
    }

    fn whole(&mut self, kind: PartKind, delta: Option<Delta>, out: &mut Vec<Event>) {
        let part = self.start(kind, out);
        out.extend(delta.map(|delta| Event::Delta { candidate: 0, part, delta }));
        out.push(Event::PartEnd { candidate: 0, part });
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        if let Some((part, _)) = self.open.take() {
            out.push(Event::PartEnd { candidate: 0, part });
        }
    }
}

/// Writes lines. Calls go out when they are whole.
#[derive(Debug)]
pub struct StreamEncoder {
    shown: Shown,
    created: u64,
    parts: Vec<Said>,
    calls: usize,
    stop: Option<Stop>,
    usage: Option<Usage>,
}

#[derive(Debug)]
enum Said {
    Text,
    Thought,
    Call(ToolCall),
    Nothing,
}

impl StreamEncoder {
    /// For a client. Usage is always there in this dialect.
    pub const fn new(shown: Shown) -> Self {
        let created = shown.created;
        Self { shown, created, parts: Vec::new(), calls: 0, stop: None, usage: None }
    }

    /// Writes what an event says; of a failure nothing (see [`error_line`](super::error_line)). A client of this
    /// dialect asked for one answer; another candidate's events are left out.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { created, .. } => self.created = created.unwrap_or(self.shown.created),
            Event::PartStart { candidate: 0, kind, .. } => self.part_start(kind, out),
            Event::Delta { candidate: 0, part, delta } => self.delta(*part, delta, out),
            Event::PartEnd { candidate: 0, part } => self.part_end(*part, out),
            Event::Stop { candidate: 0, stop } => self.stop = Some(stop.clone()),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Logprobs { candidate: 0, logprobs } => {
                let mut line = self.line(json!({"role": "assistant", "content": ""}));
                line.insert("logprobs".to_owned(), logprobs.clone());
                write(&line, out);
            }
            Event::End => {
                let mut line = self.line(json!({"role": "assistant", "content": ""}));
                answer::done(self.stop.as_ref(), self.usage.as_ref(), &mut line);
                write(&line, out);
            }
            _ => {}
        }
    }

    fn line(&self, message: Value) -> Map<String, Value> {
        let mut line = answer::head(&self.shown.model, self.created);
        line.insert("message".to_owned(), message);
        line.insert("done".to_owned(), json!(false));
        line
    }

    fn part_start(&mut self, kind: &PartKind, out: &mut Vec<u8>) {
        let said = match kind {
            PartKind::Text | PartKind::Refusal => Said::Text,
            PartKind::Reasoning { .. } => Said::Thought,
            PartKind::ToolCall { id, name, is_custom } => Said::Call(ToolCall {
                id: id.clone(),
                name: name.clone(),
                arguments: String::new(),
                is_custom: *is_custom,
                opaque: None,
                cache: None,
            }),
            PartKind::Whole(part) => {
                if let Part::Image { media, .. } = &**part
                    && let crate::chat::Source::Base64(data) = &media.source
                {
                    let line = self.line(json!({"role": "assistant", "content": "", "images": [data]}));
                    write(&line, out);
                }
                Said::Nothing
            }
            PartKind::Audio { .. } => Said::Nothing,
        };
        self.parts.push(said);
    }

    fn delta(&mut self, part: u32, delta: &Delta, out: &mut Vec<u8>) {
        let Some(said) = usize::try_from(part).ok().and_then(|part| self.parts.get_mut(part)) else { return };
        let message = match (said, delta) {
            (Said::Text, Delta::Text(text)) => json!({"role": "assistant", "content": text}),
            (Said::Thought, Delta::Text(text)) => {
                json!({"role": "assistant", "content": "", "thinking": text})
            }
            (Said::Call(call), Delta::Arguments(text)) => return call.arguments.push_str(text),
            _ => return,
        };
        write(&self.line(message), out);
    }

    fn part_end(&mut self, part: u32, out: &mut Vec<u8>) {
        let Some(said) = usize::try_from(part).ok().and_then(|part| self.parts.get_mut(part)) else { return };
        if let Said::Call(call) = std::mem::replace(said, Said::Nothing) {
            let call = encode::write_call(&call, self.calls);
            self.calls += 1;
            write(&self.line(json!({"role": "assistant", "content": "", "tool_calls": [call]})), out);
        }
    }
}

fn write(line: &Map<String, Value>, out: &mut Vec<u8>) {
    // Writing into a vector cannot fail.
    let _ = serde_json::to_writer(&mut *out, line);
    out.push(b'\n');
}
