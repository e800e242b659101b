//! Writing a stream.

use super::super::{DIALECT, logprobs, stop, usage};
use crate::chat::{Delta, Event, PartKind, Shown, Stop};
use serde_json::{Value, json};
use wellhead_types::Usage;

/// What a part is on the wire, and its number there.
#[derive(Debug, Clone, Copy)]
enum Said {
    Text(u32),
    Thought(u32),
    Call(u32),
    Nothing,
}

/// Writes events. Texts go out as content, also those before calls: nobody knows then what comes.
#[derive(Debug)]
pub struct StreamEncoder {
    shown: Shown,
    id: Box<str>,
    parts: Vec<Said>,
    contents: u32,
    calls: u32,
    citations: u32,
    stop: Option<Stop>,
    usage: Option<Usage>,
}

impl StreamEncoder {
    /// For a client. Usage is always there in this dialect.
    pub fn new(shown: Shown) -> Self {
        let id = shown.id.clone();
        let (parts, stop, usage) = (Vec::new(), None, None);
        Self { shown, id, parts, contents: 0, calls: 0, citations: 0, stop, usage }
    }

    /// Writes what an event says; of a failure nothing (see [`error_event`](super::super::error_event)). A client of this
    /// dialect asked for one answer; another candidate's events are left out.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, .. } => {
                self.id = id.clone().unwrap_or_else(|| self.shown.id.clone());
                let message = json!({
                    "role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": [],
                });
                let event = json!({"id": self.id, "type": "message-start", "delta": {"message": message}});
                write("message-start", &event, out);
            }
            Event::PartStart { candidate: 0, kind, .. } => self.part_start(kind, out),
            Event::Delta { candidate: 0, part, delta } => self.delta(*part, delta, out),
            Event::PartEnd { candidate: 0, part } => match self.said(*part) {
                Said::Text(index) | Said::Thought(index) => ended("content-end", index, out),
                Said::Call(index) => ended("tool-call-end", index, out),
                Said::Nothing => {}
            },
            Event::Stop { candidate: 0, stop } => self.stop = Some(stop.clone()),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Logprobs { candidate: 0, logprobs } => {
                let index = self.contents.saturating_sub(1);
                for item in logprobs::from_openai(logprobs) {
                    let delta = json!({"message": {"content": {"text": ""}}});
                    let event =
                        json!({"type": "content-delta", "index": index, "delta": delta, "logprobs": item});
                    write("content-delta", &event, out);
                }
            }
            Event::End => {
                let usage = usage::write(self.usage.as_ref());
                let delta = json!({"finish_reason": stop::write(self.stop.as_ref()), "usage": usage});
                let event = json!({"type": "message-end", "id": self.id, "delta": delta});
                write("message-end", &event, out);
                out.extend_from_slice(b"data: [DONE]\n\n");
            }
            _ => {}
        }
    }

    fn said(&self, part: u32) -> Said {
        let said = usize::try_from(part).ok().and_then(|part| self.parts.get(part));
        said.copied().unwrap_or(Said::Nothing)
    }

    fn part_start(&mut self, kind: &PartKind, out: &mut Vec<u8>) {
        let said = match kind {
            PartKind::Text | PartKind::Refusal | PartKind::Audio { .. } => {
                self.content(&json!({"type": "text", "text": ""}), out);
                Said::Text(self.contents - 1)
            }
            PartKind::Reasoning { .. } => {
                self.content(&json!({"type": "thinking", "thinking": ""}), out);
                Said::Thought(self.contents - 1)
            }
            PartKind::ToolCall { id, name, .. } => {
                let function = json!({"name": name, "arguments": ""});
                let call = json!({"id": id, "type": "function", "function": function});
                let delta = json!({"message": {"tool_calls": call}});
                let event = json!({"type": "tool-call-start", "index": self.calls, "delta": delta});
                write("tool-call-start", &event, out);
                self.calls = self.calls.saturating_add(1);
                Said::Call(self.calls - 1)
            }
            PartKind::Whole(_) => Said::Nothing,
        };
        self.parts.push(said);
    }

    fn content(&mut self, block: &Value, out: &mut Vec<u8>) {
        let delta = json!({"message": {"content": block}});
        let event = json!({"type": "content-start", "index": self.contents, "delta": delta});
        write("content-start", &event, out);
        self.contents = self.contents.saturating_add(1);
    }

    fn delta(&mut self, part: u32, delta: &Delta, out: &mut Vec<u8>) {
        let (name, index, message) = match (self.said(part), delta) {
            (Said::Text(index), Delta::Text(text) | Delta::Transcript(text)) => {
                ("content-delta", index, json!({"content": {"text": text}}))
            }
            (Said::Thought(index), Delta::Text(text)) => {
                ("content-delta", index, json!({"content": {"thinking": text}}))
            }
            (Said::Call(index), Delta::Arguments(text)) => {
                ("tool-call-delta", index, json!({"tool_calls": {"function": {"arguments": text}}}))
            }
            (Said::Text(_), Delta::Citation(dialect, citation)) if *dialect == DIALECT => {
                ("citation-start", self.citations, json!({"citations": citation}))
            }
            _ => return,
        };
        let event = json!({"type": name, "index": index, "delta": {"message": message}});
        write(name, &event, out);
        if name == "citation-start" {
            ended("citation-end", index, out);
            self.citations = self.citations.saturating_add(1);
        }
    }
}

fn ended(name: &str, index: u32, out: &mut Vec<u8>) {
    write(name, &json!({"type": name, "index": index}), out);
}

fn write(name: &str, event: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    // Writing into a vector cannot fail.
    let _ = serde_json::to_writer(&mut *out, event);
    out.extend_from_slice(b"\n\n");
}
