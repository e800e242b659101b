//! One item of a client's stream, from its start to its end.

use super::super::proof;
use super::super::write::annotation;
use super::encode::Wire;
use crate::chat::{Delta, Opaque, Reasoning};
use serde_json::{Value, json};

/// What a part becomes.
#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Refusal,
    /// `is_begun`: its words have been announced.
    Thought {
        thought: Reasoning,
        is_begun: bool,
    },
    Call {
        call_id: Box<str>,
        name: Box<str>,
        group: Option<Box<str>>,
        is_custom: bool,
    },
}

impl Kind {
    pub(super) fn thought(id: Option<&str>, is_summary: bool) -> Self {
        let thought = Reasoning { id: id.map(Into::into), is_summary, ..Reasoning::default() };
        Self::Thought { thought, is_begun: false }
    }

    pub(super) fn call(id: &str, name: &str, group: Option<&str>, is_custom: bool) -> Self {
        let (call_id, name, group) = (id.into(), name.into(), group.map(Into::into));
        Self::Call { call_id, name, group, is_custom }
    }

    /// The type of the item.
    pub(super) const fn item_type(&self) -> &'static str {
        match self {
            Self::Text | Self::Refusal => "message",
            Self::Thought { .. } => "reasoning",
            Self::Call { is_custom: false, .. } => "function_call",
            Self::Call { is_custom: true, .. } => "custom_tool_call",
        }
    }

    /// The id that it came with, if the client is to bring that back.
    pub(super) fn own_id(&self) -> Option<String> {
        match self {
            Self::Thought { thought, .. } => thought.id.as_deref().map(str::to_owned),
            _ => None,
        }
    }
}

/// An item whose end has not come.
#[derive(Debug)]
pub(super) struct Open {
    kind: Kind,
    id: String,
    index: usize,
    /// Its words, its refusal or the arguments of a call so far.
    text: String,
    citations: Vec<Value>,
    /// What the vendor wants back with something that is no thought.
    opaque: Option<Opaque>,
}

impl Open {
    pub(super) fn new(kind: Kind, id: String, index: usize, wire: &mut Wire, out: &mut Vec<u8>) -> Self {
        let (text, citations) = (String::new(), Vec::new());
        let open = Self { kind, id, index, text, citations, opaque: None };
        let item = open.item("in_progress", true);
        wire.write("response.output_item.added", json!({"output_index": index, "item": item}), out);
        if let Some(part) = open.content(&[]).filter(|_| open.item_type() == "message") {
            open.write("response.content_part.added", json!({"content_index": 0, "part": part}), wire, out);
        }
        open
    }

    const fn item_type(&self) -> &'static str {
        self.kind.item_type()
    }

    /// Writes an event about this item.
    fn write(&self, kind: &str, mut members: Value, wire: &mut Wire, out: &mut Vec<u8>) {
        members["item_id"] = json!(self.id);
        members["output_index"] = json!(self.index);
        wire.write(kind, members, out);
    }

    /// Returns how many bytes are kept for the last event.
    pub(super) fn delta(&mut self, delta: &Delta, wire: &mut Wire, out: &mut Vec<u8>) -> usize {
        match (&mut self.kind, delta) {
            (Kind::Text, Delta::Text(text) | Delta::Transcript(text)) => {
                let members = json!({"content_index": 0, "delta": text, "logprobs": []});
                self.write("response.output_text.delta", members, wire, out);
                self.keep(text)
            }
            (Kind::Text, Delta::Citation(dialect, citation)) => {
                let Some(annotation) = annotation(&(*dialect, citation.clone())) else { return 0 };
                let number = self.citations.len();
                let members =
                    json!({"content_index": 0, "annotation_index": number, "annotation": annotation});
                self.write("response.output_text.annotation.added", members, wire, out);
                self.citations.push(annotation);
                CITATION_BYTES
            }
            (Kind::Refusal, Delta::Text(text)) => {
                self.write("response.refusal.delta", json!({"content_index": 0, "delta": text}), wire, out);
                self.keep(text)
            }
            (Kind::Thought { .. }, Delta::Text(text)) => self.think(text, wire, out),
            (Kind::Thought { thought, .. }, Delta::Opaque(opaque)) => {
                thought.opaque = Some(opaque.clone());
                opaque.data.len()
            }
            (Kind::Thought { thought, .. }, Delta::Redacted) => {
                thought.is_redacted = true;
                0
            }
            (Kind::Call { is_custom, .. }, Delta::Arguments(text)) => {
                let kind = if *is_custom {
                    "response.custom_tool_call_input.delta"
                } else {
                    "response.function_call_arguments.delta"
                };
                self.write(kind, json!({"delta": text}), wire, out);
                self.keep(text)
            }
            (_, Delta::Opaque(opaque)) => {
                self.opaque = Some(opaque.clone());
                opaque.data.len()
            }
            _ => 0,
        }
    }

    fn keep(&mut self, text: &str) -> usize {
        self.text.push_str(text);
        text.len()
    }

    fn think(&mut self, text: &str, wire: &mut Wire, out: &mut Vec<u8>) -> usize {
        let Kind::Thought { thought, is_begun } = &mut self.kind else { return 0 };
        let (is_summary, begins) = (thought.is_summary, !std::mem::replace(is_begun, true));
        if begins {
            let (kind, part) = if is_summary {
                let part = json!({"type": "summary_text", "text": ""});
                ("response.reasoning_summary_part.added", json!({"summary_index": 0, "part": part}))
            } else {
                let part = json!({"type": "reasoning_text", "text": ""});
                ("response.content_part.added", json!({"content_index": 0, "part": part}))
            };
            self.write(kind, part, wire, out);
        }
        let (kind, members) = if is_summary {
            ("response.reasoning_summary_text.delta", json!({"summary_index": 0, "delta": text}))
        } else {
            ("response.reasoning_text.delta", json!({"content_index": 0, "delta": text}))
        };
        self.write(kind, members, wire, out);
        self.keep(text)
    }

    /// Ends it: its number, the item, and what has to come back with it.
    pub(super) fn end(
        mut self,
        status: &'static str,
        wire: &mut Wire,
        out: &mut Vec<u8>,
    ) -> (usize, Value, Option<Opaque>) {
        let logprobs = match self.kind {
            Kind::Text => std::mem::take(&mut wire.logprobs),
            _ => Vec::new(),
        };
        match &self.kind {
            Kind::Text => {
                let members = json!({"content_index": 0, "text": self.text, "logprobs": logprobs});
                self.write("response.output_text.done", members, wire, out);
            }
            Kind::Refusal => {
                let members = json!({"content_index": 0, "refusal": self.text});
                self.write("response.refusal.done", members, wire, out);
            }
            Kind::Thought { thought, is_begun: true } if thought.is_summary => {
                let members = json!({"summary_index": 0, "text": self.text});
                self.write("response.reasoning_summary_text.done", members, wire, out);
                let part = json!({"type": "summary_text", "text": self.text});
                let members = json!({"summary_index": 0, "part": part});
                self.write("response.reasoning_summary_part.done", members, wire, out);
            }
            Kind::Thought { is_begun: true, .. } => {
                let members = json!({"content_index": 0, "text": self.text});
                self.write("response.reasoning_text.done", members, wire, out);
                let part = json!({"type": "reasoning_text", "text": self.text});
                let members = json!({"content_index": 0, "part": part});
                self.write("response.content_part.done", members, wire, out);
            }
            Kind::Thought { .. } => {}
            Kind::Call { is_custom: true, .. } => {
                let members = json!({"input": self.text});
                self.write("response.custom_tool_call_input.done", members, wire, out);
            }
            Kind::Call { name, .. } => {
                let members = json!({"name": name, "arguments": self.arguments()});
                self.write("response.function_call_arguments.done", members, wire, out);
            }
        }
        if self.item_type() == "message" {
            let members = json!({"content_index": 0, "part": self.content(&logprobs)});
            self.write("response.content_part.done", members, wire, out);
        }
        let mut item = self.item(status, false);
        if let Some(part) = item.pointer_mut("/content/0/logprobs") {
            *part = Value::Array(logprobs);
        }
        let members = json!({"output_index": self.index, "item": item});
        wire.write("response.output_item.done", members, out);
        (self.index, item, self.opaque.take())
    }

    /// Arguments are never an empty text: clients parse them (wire.md, trap 5).
    fn arguments(&self) -> &str {
        if self.text.trim().is_empty() { "{}" } else { &self.text }
    }

    /// What a message holds.
    fn content(&self, logprobs: &[Value]) -> Option<Value> {
        match self.kind {
            Kind::Text => Some(json!({
                "type": "output_text", "annotations": self.citations, "logprobs": logprobs, "text": self.text,
            })),
            Kind::Refusal => Some(json!({"type": "refusal", "refusal": self.text})),
            _ => None,
        }
    }

    /// The item, as it is or as it is announced: without what it will say.
    fn item(&self, status: &'static str, is_new: bool) -> Value {
        let (id, kind) = (&self.id, self.item_type());
        match &self.kind {
            Kind::Text | Kind::Refusal => {
                let content: Vec<Value> =
                    if is_new { Vec::new() } else { self.content(&[]).into_iter().collect() };
                json!({"id": id, "type": kind, "status": status, "role": "assistant", "content": content})
            }
            Kind::Thought { thought, is_begun } => {
                let mut item = json!({"id": id, "type": kind, "summary": []});
                if *is_begun && thought.is_summary {
                    item["summary"] = json!([{"type": "summary_text", "text": self.text}]);
                } else if *is_begun {
                    item["content"] = json!([{"type": "reasoning_text", "text": self.text}]);
                }
                if let Some(proof) = proof::of(thought) {
                    item["encrypted_content"] = json!(proof);
                }
                item
            }
            Kind::Call { call_id, name, group, is_custom } => {
                let mut item =
                    json!({"id": id, "type": kind, "status": status, "call_id": call_id, "name": name});
                if *is_custom {
                    item["input"] = json!(self.text);
                } else {
                    item["arguments"] = json!(if is_new { "" } else { self.arguments() });
                }
                if let Some(group) = group {
                    item["namespace"] = json!(group);
                }
                item
            }
        }
    }
}

/// What a citation takes in memory, about.
const CITATION_BYTES: usize = 512;
