//! Writing a stream for a client.

use super::super::echo::{Echo, item_base, response_id};
use super::super::stop::{self, Held};
use super::super::{DIALECT, answer, error, usage};
use super::open::{Kind, Open};
use crate::chat::{Delta, ErrorShown, Event, Part, PartKind, Shown, Stop};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use wellhead_types::Usage;

/// Most bytes of an answer that are kept for its last event, which repeats all of it.
const KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Writes the events of one response: each item and each part announced before its first piece and ended behind its last,
/// every event with the number after the one before, and at the end the whole response. The dialect has one answer to a
/// question: of several the first is written.
#[derive(Debug)]
pub struct StreamEncoder {
    shown: Shown,
    echo: Arc<Echo>,
    pub(super) wire: Wire,
    /// The response without what it becomes; empty until it is announced.
    response: Map<String, Value>,
    open: Vec<(u32, Open)>,
    /// Items by their number; `null` while one is open.
    output: Vec<Value>,
    usage: Option<Usage>,
    stop: Option<Stop>,
    held: Held,
    kept_bytes: usize,
    is_over: bool,
}

/// Where events go: a list of them, numbered.
#[derive(Debug, Default)]
pub(super) struct Wire {
    sequence: u64,
    /// Probabilities of the tokens of the text that is open.
    pub(super) logprobs: Vec<Value>,
}

impl Wire {
    /// Writes an event. `members` is an object without `type` and number.
    pub(super) fn write(&mut self, kind: &str, members: Value, out: &mut Vec<u8>) {
        let mut event = Map::new();
        event.insert("type".to_owned(), json!(kind));
        event.insert("sequence_number".to_owned(), json!(self.sequence));
        self.sequence += 1;
        if let Value::Object(members) = members {
            event.extend(members.into_iter().filter(|(name, _)| name != "type"));
        }
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        // Writing into a vector cannot fail.
        let _ = serde_json::to_writer(&mut *out, &event);
        out.extend_from_slice(b"\n\n");
    }
}

impl StreamEncoder {
    /// For a client of whose question nothing is known.
    pub fn new(shown: Shown) -> Self {
        Self::with_echo(shown, Arc::default())
    }

    /// For a client whose question the response repeats.
    pub fn with_echo(shown: Shown, echo: Arc<Echo>) -> Self {
        Self {
            shown,
            echo,
            wire: Wire::default(),
            response: Map::new(),
            open: Vec::new(),
            output: Vec::new(),
            usage: None,
            stop: None,
            held: Held::default(),
            kept_bytes: 0,
            is_over: false,
        }
    }

    /// Writes what an event says. Of a failure nothing is written: what the client is told of it is another's decision
    /// (see [`Self::fail`]).
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.is_over {
            return;
        }
        match event {
            Event::Start { id, created, .. } => self.begin(id.as_deref(), *created, out),
            Event::PartStart { candidate: 0, part, kind } => self.part_start(*part, kind, out),
            Event::Delta { candidate: 0, part, delta } => self.delta(*part, delta, out),
            Event::PartEnd { candidate: 0, part } => self.part_end(*part, out),
            Event::Stop { candidate: 0, stop } => self.stop = Some(stop.clone()),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Logprobs { candidate: 0, logprobs } => {
                if let Some(Value::Array(tokens)) = logprobs.get("content") {
                    self.kept_bytes = self.kept_bytes.saturating_add(tokens.len() * TOKEN_BYTES);
                    self.wire.logprobs.extend(tokens.iter().cloned().map(answer::token));
                }
            }
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::End => self.end(out),
            Event::Error(_) => self.is_over = true,
            Event::PartStart { .. }
            | Event::Delta { .. }
            | Event::PartEnd { .. }
            | Event::Stop { .. }
            | Event::Logprobs { .. }
            | Event::Other(..) => {}
        }
        if self.kept_bytes > KEPT_BYTES_MAX && !self.is_over {
            let message = "The answer is longer than what its last event could repeat.";
            let error = ErrorShown {
                status: 502,
                code: "upstream_response_too_large",
                message,
                param: None,
                request_id: "",
            };
            self.fail(&error, out);
        }
    }

    /// Ends the stream with an error: `error`, which the official clients raise, and `response.failed`, which others wait
    /// for. Nothing that looks finished follows.
    pub fn fail(&mut self, error: &ErrorShown<'_>, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        self.skeleton(None, None);
        self.wire.write("error", error::members(error), out);
        let mut response = std::mem::take(&mut self.response);
        response.insert("status".to_owned(), json!("failed"));
        response.insert("error".to_owned(), json!({"code": error.code, "message": error.message}));
        let whole = std::mem::take(&mut self.output).into_iter().filter(|item| !item.is_null());
        response.insert("output".to_owned(), whole.collect());
        self.wire.write("response.failed", json!({"response": response}), out);
    }

    fn skeleton(&mut self, id: Option<&str>, created: Option<u64>) -> bool {
        if !self.response.is_empty() {
            return false;
        }
        let id = response_id(id, &self.shown);
        self.response = self.echo.response(&id, created.unwrap_or(self.shown.created), &self.shown);
        true
    }

    /// `response.created` and `response.in_progress`, once.
    fn begin(&mut self, id: Option<&str>, created: Option<u64>, out: &mut Vec<u8>) {
        if self.skeleton(id, created) {
            let response = json!({"response": self.response});
            self.wire.write("response.created", response.clone(), out);
            self.wire.write("response.in_progress", response, out);
        }
    }

    fn id(&self, kind: &str) -> String {
        let id = self.response.get("id").and_then(Value::as_str).unwrap_or_default();
        format!("{}_{}_{}", answer::item_prefix(kind), item_base(id), self.output.len())
    }

    fn part_start(&mut self, part: u32, kind: &PartKind, out: &mut Vec<u8>) {
        self.begin(None, None, out);
        let kind = match kind {
            // Speech is shown by what is said.
            PartKind::Text | PartKind::Audio { .. } => Kind::Text,
            PartKind::Refusal => {
                self.held.refusal = true;
                Kind::Refusal
            }
            PartKind::Reasoning { id, is_summary } => Kind::thought(id.as_deref(), *is_summary),
            PartKind::ToolCall { id, name, is_custom } => {
                self.held.calls = true;
                let (group, name) = self.echo.names.split(name);
                Kind::call(id, name, group, *is_custom)
            }
            PartKind::Whole(whole) => return self.whole(whole, out),
        };
        let id = kind.own_id().unwrap_or_else(|| self.id(kind.item_type()));
        let open = Open::new(kind, id, self.output.len(), &mut self.wire, out);
        self.output.push(Value::Null);
        self.kept_bytes = self.kept_bytes.saturating_add(ITEM_BYTES);
        self.open.push((part, open));
    }

    /// What comes in one piece.
    fn whole(&mut self, part: &Part, out: &mut Vec<u8>) {
        let item = match part {
            Part::Image { .. } => answer::image_item(part, &self.id("image_generation_call")),
            Part::Other(DIALECT, item) => Some(item.clone()),
            Part::Audio { transcript: Some(text), .. } => {
                let number = u32::MAX;
                self.part_start(number, &PartKind::Text, out);
                self.delta(number, &Delta::Text(text.clone()), out);
                return self.part_end(number, out);
            }
            _ => None,
        };
        if let Some(item) = item {
            self.item(item, out);
        }
    }

    /// An item that is added and done at once.
    fn item(&mut self, item: Value, out: &mut Vec<u8>) {
        self.kept_bytes = self.kept_bytes.saturating_add(ITEM_BYTES + size_of_texts(&item));
        let at = json!({"output_index": self.output.len(), "item": item});
        self.wire.write("response.output_item.added", at.clone(), out);
        self.wire.write("response.output_item.done", at, out);
        self.output.push(item);
    }

    fn delta(&mut self, part: u32, delta: &Delta, out: &mut Vec<u8>) {
        if let Some((_, open)) = self.open.iter_mut().find(|(open, _)| *open == part) {
            let kept = open.delta(delta, &mut self.wire, out);
            self.kept_bytes = self.kept_bytes.saturating_add(kept);
        }
    }

    fn part_end(&mut self, part: u32, out: &mut Vec<u8>) {
        if let Some(at) = self.open.iter().position(|(open, _)| *open == part) {
            let (_, open) = self.open.remove(at);
            self.close(open, "completed", out);
        }
    }

    fn close(&mut self, open: Open, status: &'static str, out: &mut Vec<u8>) {
        let (index, item, behind) = open.end(status, &mut self.wire, out);
        if let Some(place) = self.output.get_mut(index) {
            *place = item;
        }
        if let Some(opaque) = behind {
            let id = self.id("reasoning");
            self.item(super::super::proof::behind(&opaque, &id), out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.begin(None, None, out);
        let reason = stop::reason(self.stop.as_ref(), self.held);
        let (status, details) = stop::write(reason);
        for (_, open) in std::mem::take(&mut self.open) {
            self.close(open, status, out);
        }
        self.is_over = true;
        let mut response = std::mem::take(&mut self.response);
        response.insert("status".to_owned(), json!(status));
        response.insert("incomplete_details".to_owned(), details);
        response.insert("output".to_owned(), Value::Array(std::mem::take(&mut self.output)));
        if let Some(counts) = &self.usage {
            response.insert("usage".to_owned(), usage::write(counts));
        }
        if reason.is_none() {
            let created = response.get("created_at").cloned().unwrap_or_default();
            response.insert("completed_at".to_owned(), created);
        }
        let kind = if reason.is_some() { "response.incomplete" } else { "response.completed" };
        self.wire.write(kind, json!({"response": response}), out);
    }
}

/// What an item takes in memory besides its texts, and what the probabilities of one token take.
const ITEM_BYTES: usize = 512;
const TOKEN_BYTES: usize = 256;

/// How long the texts of an item are.
fn size_of_texts(item: &Value) -> usize {
    match item {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(size_of_texts).sum(),
        Value::Object(members) => members.values().map(size_of_texts).sum(),
        _ => 0,
    }
}
