//! From a target's chunks to events.

use crate::chat::{Delta, Event, Opaque, Origin, Part, PartKind, Reasoning, Stop};
use crate::gemini::answer::{Answering, Head, Told, is_empty, opened};
use crate::gemini::{CANDIDATES_MAX, GEMINI, error, parts, stop, usage};
use crate::sse;
use serde_json::{Map, Value, json};
use wellhead_types::{Failure, Stage, Usage};

/// Reads a stream, chunk by chunk. The dialect has no end signal: a stream is whole when every candidate has said why it
/// ended.
#[derive(Debug)]
pub struct StreamDecoder {
    origin: Origin,
    /// Made at the first chunk, which has the answer's id.
    answering: Option<Answering>,
    speakers: Vec<Speaker>,
    usage: Option<Usage>,
    /// What was said besides the counts: repeated in every chunk.
    counted: Map<String, Value>,
    has_content: bool,
    has_failed: bool,
}

/// A candidate on its way.
#[derive(Debug)]
struct Speaker {
    index: u32,
    /// The number of the next part.
    next: u32,
    open: Option<Open>,
    has_calls: bool,
    stop: Option<Stop>,
}

/// What grows from chunk to chunk. Everything else comes whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thought,
}

impl StreamDecoder {
    /// For a stream of this target.
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            answering: None,
            speakers: Vec::new(),
            usage: None,
            counted: Map::new(),
            has_content: false,
            has_failed: false,
        }
    }

    /// Reads an event. An error in the stream is a failure; nothing can follow it.
    pub fn push(&mut self, event: &sse::Event<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        let Some(data) = event.data() else {
            if event.is_comment_only() && self.answering.is_some() {
                out.push(Event::Ping);
            }
            return Ok(());
        };
        if data.trim_ascii().is_empty() {
            return Ok(());
        }
        let value = serde_json::from_slice(&data).map_err(|bad| error::no_json(&bad, self.stage()));
        let read = value.and_then(|value| self.chunk(value, &data, out));
        self.has_failed |= read.is_err();
        read
    }

    /// Reads a chunk; `bytes` are those that it was read from.
    pub(in crate::gemini) fn chunk(
        &mut self,
        value: Value,
        bytes: &[u8],
        out: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        let stage = self.stage();
        let value = match value {
            Value::Array(items) => {
                return items.into_iter().try_for_each(|item| match item {
                    Value::Array(_) => Err(error::odd(&"a list within a list", stage)),
                    item => self.chunk(item, bytes, out),
                });
            }
            value => value,
        };
        let mut members = opened(value, bytes, stage)?;
        let candidates = match members.shift_remove("candidates") {
            Some(Value::Array(candidates)) => candidates,
            _ => Vec::new(),
        };
        let is_blocked = members.get("promptFeedback").is_some_and(|said| said.get("blockReason").is_some());
        if candidates.is_empty() && self.speakers.is_empty() && is_blocked {
            return Err(error::nothing_said(&members, stage));
        }
        let Head { id, model, created } = Head::take(&mut members);
        let mut answering = match self.answering.take() {
            Some(answering) => answering,
            None => {
                let answering = Answering::new(id.as_deref(), bytes, &self.origin);
                out.push(Event::Start { id, model, created });
                answering
            }
        };
        let read = candidates
            .into_iter()
            .zip(0..)
            .try_for_each(|(value, at)| self.candidate(value, at, &mut answering, out));
        self.answering = Some(answering);
        read?;
        self.count(members.shift_remove("usageMetadata"), out);
        if !members.is_empty() {
            out.push(Event::Other(GEMINI, members.into()));
        }
        Ok(())
    }

    /// Ends the stream; `true` if it ended as it should.
    pub fn finish(&mut self, out: &mut Vec<Event>) -> bool {
        let all_stopped = self.speakers.iter().all(|speaker| speaker.stop.is_some());
        let is_whole = all_stopped && !self.speakers.is_empty() && !self.has_failed;
        if is_whole {
            out.push(Event::End);
        }
        is_whole
    }

    const fn stage(&self) -> Stage {
        if self.has_content { Stage::Stream } else { Stage::FirstToken }
    }

    fn candidate(
        &mut self,
        value: Value,
        at: u32,
        answering: &mut Answering,
        out: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        let stage = self.stage();
        let odd = |bad: &dyn std::fmt::Display| error::odd(&bad, stage);
        let told = Told::read(value, at).map_err(|bad| odd(&bad))?;
        let known = self.speakers.iter().position(|speaker| speaker.index == told.index);
        let is_beyond = usize::try_from(told.index).is_ok_and(|index| index >= CANDIDATES_MAX);
        if is_beyond || (known.is_none() && self.speakers.len() >= CANDIDATES_MAX) {
            return Err(odd(&"too many candidates"));
        }
        let place = known.unwrap_or(self.speakers.len());
        if known.is_none() {
            self.speakers.push(Speaker {
                index: told.index,
                next: 0,
                open: None,
                has_calls: false,
                stop: None,
            });
        }
        let Some(speaker) = self.speakers.get_mut(place) else { return Ok(()) };
        for (number, value) in told.parts.into_iter().enumerate() {
            let mut read = Vec::new();
            let path = format!("candidates[{at}].content.parts[{number}]");
            parts::read(&path, value, answering, &mut read).map_err(|bad| odd(&bad))?;
            // Two of one: a medium's signature, which belongs to nothing before it.
            if read.len() > 1 {
                speaker.close(out);
            }
            for part in read.into_iter().filter(|part| !is_empty(part)) {
                self.has_content = true;
                speaker.say(part, out);
            }
        }
        if let Some(logprobs) = told.logprobs {
            out.push(Event::Logprobs { candidate: told.index, logprobs });
        }
        let mut rest = told.rest;
        rest.shift_remove("logprobsResult");
        if !rest.is_empty() {
            rest.insert("index".to_owned(), told.index.into());
            out.push(Event::Other(GEMINI, json!({"candidates": [rest]})));
        }
        if let Some(word) = told.reason {
            speaker.end(Stop { detail: told.detail, ..stop::read(&word, speaker.has_calls) }, out);
        }
        Ok(())
    }

    /// Counts are repeated; only what is new is told.
    fn count(&mut self, metadata: Option<Value>, out: &mut Vec<Event>) {
        let Some(metadata) = metadata else { return };
        let usage = usage::read_usage(&metadata);
        if usage.is_some() && usage != self.usage {
            self.usage = usage;
            out.extend(usage.map(Event::Usage));
        }
        let counted = usage::rest_of(metadata);
        if !counted.is_empty() && counted != self.counted {
            out.push(Event::Other(GEMINI, json!({"usageMetadata": counted})));
            self.counted = counted;
        }
    }
}

impl Speaker {
    fn say(&mut self, part: Part, out: &mut Vec<Event>) {
        match part {
            Part::Text { text, opaque, .. } => self.grow(Open::Text, text, opaque, out),
            Part::Reasoning(Reasoning { text, opaque, .. }) => self.grow(Open::Thought, text, opaque, out),
            Part::ToolCall(call) => {
                self.close(out);
                self.has_calls = true;
                let kind = PartKind::ToolCall { id: call.id, name: call.name, is_custom: false };
                self.start(kind, out);
                self.delta(Delta::Arguments(call.arguments), out);
                if let Some(opaque) = call.opaque {
                    self.delta(Delta::Opaque(opaque), out);
                }
                self.finish(out);
            }
            whole => {
                self.close(out);
                self.start(PartKind::Whole(Box::new(whole)), out);
                self.finish(out);
            }
        }
    }

    /// More of the open part, or a new one. A signature ends its part: texts with one are not joined with others.
    fn grow(&mut self, open: Open, text: String, opaque: Option<Opaque>, out: &mut Vec<Event>) {
        if self.open != Some(open) {
            self.close(out);
            let kind = match open {
                Open::Text => PartKind::Text,
                Open::Thought => PartKind::Reasoning { id: None, is_summary: true },
            };
            self.start(kind, out);
            self.open = Some(open);
        }
        if !text.is_empty() {
            self.delta(Delta::Text(text), out);
        }
        if let Some(opaque) = opaque {
            self.delta(Delta::Opaque(opaque), out);
            self.close(out);
        }
    }

    fn start(&self, kind: PartKind, out: &mut Vec<Event>) {
        out.push(Event::PartStart { candidate: self.index, part: self.next, kind });
    }

    fn delta(&self, delta: Delta, out: &mut Vec<Event>) {
        out.push(Event::Delta { candidate: self.index, part: self.next, delta });
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        out.push(Event::PartEnd { candidate: self.index, part: self.next });
        self.next = self.next.saturating_add(1);
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        if self.open.take().is_some() {
            self.finish(out);
        }
    }

    /// Some models repeat the reason in an empty chunk; only a new one is told.
    fn end(&mut self, stop: Stop, out: &mut Vec<Event>) {
        self.close(out);
        if self.stop.as_ref() != Some(&stop) {
            self.stop = Some(stop.clone());
            out.push(Event::Stop { candidate: self.index, stop });
        }
    }
}
