//! Writing a stream for a client.

use super::super::answer::{audio, image};
use super::super::stop::{self, Held};
use super::super::{Style, thought, usage};
use crate::chat::{Delta, Dialect, Event, Part, PartKind, Reasoning, Shown, Stop};
use crate::openai::stream::END_SIGNAL;
use serde_json::{Map, Value, json};
use wellhead_types::Usage;

/// Writes the events of one answer as chunks: the role once, each call's id and name before its arguments, the reason
/// in a chunk of its own, usage only if the client asked for it, `[DONE]` at the end and only there.
#[derive(Debug)]
pub struct StreamEncoder {
    shown: Shown,
    style: Style,
    /// Everything of a chunk before its choices.
    head: Vec<u8>,
    speakers: Vec<Speaker>,
    usage: Option<Usage>,
}

/// One candidate.
#[derive(Debug, Default)]
struct Speaker {
    candidate: u32,
    /// By the part's number.
    parts: Vec<Said>,
    calls: usize,
    thoughts: usize,
    held: Held,
    has_role: bool,
}

/// What is known of a part.
#[derive(Debug)]
enum Said {
    Text,
    Refusal,
    Thought {
        index: usize,
        thought: Reasoning,
    },
    Call {
        index: usize,
        is_custom: bool,
        is_empty: bool,
    },
    Audio {
        id: Option<Box<str>>,
    },
    /// It was said when it began, or has no place here.
    Over,
}

impl StreamEncoder {
    /// For a client that asked with `tools`.
    pub fn new(shown: Shown) -> Self {
        Self::for_style(shown, Style::default())
    }

    /// For any client.
    pub fn for_style(shown: Shown, style: Style) -> Self {
        Self { shown, style, head: Vec::new(), speakers: Vec::new(), usage: None }
    }

    /// Writes what an event says. Of a failure nothing is written: what the client is told of it is another's decision
    /// (see [`error_event`](super::super::error_event)).
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, created, .. } => self.begin(id.as_deref(), *created),
            Event::PartStart { candidate, kind, .. } => self.part_start(*candidate, kind, out),
            Event::Delta { candidate, part, delta } => self.delta(*candidate, *part, delta, out),
            Event::PartEnd { candidate, part } => self.part_end(*candidate, *part, out),
            Event::Stop { candidate, stop } => self.stop(*candidate, stop, out),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Logprobs { candidate, logprobs } => {
                self.role(*candidate, &Value::Null, out);
                self.choice(*candidate, json!({}), logprobs, None, None, out);
            }
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::Other(..) | Event::Error(_) => {}
            Event::End => self.end(out),
        }
    }

    fn begin(&mut self, id: Option<&str>, created: Option<u64>) {
        let made = || format!("chatcmpl-{}", self.shown.id);
        let head = json!({
            "id": id.map_or_else(made, str::to_owned),
            "object": "chat.completion.chunk",
            "created": created.unwrap_or(self.shown.created),
            "model": self.shown.model,
        });
        let head = head.to_string();
        // Without its closing brace: every chunk goes on from here.
        self.head = format!("data: {},\"choices\":", head.strip_suffix('}').unwrap_or(&head)).into_bytes();
    }

    fn chunk(&mut self, choices: &Value, usage: Option<&Usage>, out: &mut Vec<u8>) {
        if self.head.is_empty() {
            self.begin(None, None);
        }
        out.extend_from_slice(&self.head);
        // Writing into a vector cannot fail.
        let _ = serde_json::to_writer(&mut *out, choices);
        if self.shown.stream_usage {
            out.extend_from_slice(b",\"usage\":");
            let _ = serde_json::to_writer(&mut *out, &usage.map(usage::write));
        }
        out.extend_from_slice(b"}\n\n");
    }

    fn choice(
        &mut self,
        candidate: u32,
        delta: Value,
        logprobs: &Value,
        reason: Option<&str>,
        sequence: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        let mut choice = Map::new();
        choice.insert("index".to_owned(), json!(candidate));
        choice.insert("delta".to_owned(), delta);
        choice.insert("logprobs".to_owned(), logprobs.clone());
        choice.insert("finish_reason".to_owned(), json!(reason));
        if let Some(sequence) = sequence {
            choice.insert("stop_reason".to_owned(), json!(sequence));
        }
        self.chunk(&Value::Array(vec![Value::Object(choice)]), None, out);
    }

    fn say(&mut self, candidate: u32, name: &str, value: Value, out: &mut Vec<u8>) {
        let mut delta = Map::new();
        delta.insert(name.to_owned(), value);
        self.choice(candidate, Value::Object(delta), &Value::Null, None, None, out);
    }

    fn speaker(&mut self, candidate: u32) -> &mut Speaker {
        let found = self.speakers.iter().position(|speaker| speaker.candidate == candidate);
        let at = found.unwrap_or_else(|| {
            self.speakers.push(Speaker { candidate, ..Speaker::default() });
            self.speakers.len() - 1
        });
        &mut self.speakers[at]
    }

    /// Says once who speaks.
    fn role(&mut self, candidate: u32, content: &Value, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.speaker(candidate).has_role, true) {
            let delta = json!({"role": "assistant", "content": content});
            self.choice(candidate, delta, &Value::Null, None, None, out);
        }
    }

    fn part_start(&mut self, candidate: u32, kind: &PartKind, out: &mut Vec<u8>) {
        let content = if matches!(kind, PartKind::Text) { json!("") } else { Value::Null };
        self.role(candidate, &content, out);
        let functions = self.style.functions;
        let speaker = self.speaker(candidate);
        let (said, first) = match kind {
            PartKind::Text => (Said::Text, None),
            PartKind::Refusal => {
                speaker.held.refusal = true;
                (Said::Refusal, None)
            }
            PartKind::Reasoning { id, is_summary } => {
                let thought = Reasoning { id: id.clone(), is_summary: *is_summary, ..Reasoning::default() };
                speaker.thoughts += 1;
                (Said::Thought { index: speaker.thoughts - 1, thought }, None)
            }
            PartKind::ToolCall { id, name, is_custom } => {
                speaker.held.calls = true;
                let index = speaker.calls;
                speaker.calls += 1;
                let first = call_start(index, id, name, *is_custom, functions);
                // The functions of old come one at a time; there is no place for a second.
                let over = functions && index > 0;
                let said = Said::Call { index, is_custom: *is_custom, is_empty: true };
                if over { (Said::Over, None) } else { (said, Some(first)) }
            }
            PartKind::Audio { id, .. } => (Said::Audio { id: id.clone() }, None),
            PartKind::Whole(part) => (Said::Over, whole(part)),
        };
        speaker.parts.push(said);
        if let Some((name, value)) = first {
            self.say(candidate, name, value, out);
        }
    }

    fn delta(&mut self, candidate: u32, part: u32, delta: &Delta, out: &mut Vec<u8>) {
        let functions = self.style.functions;
        let speaker = self.speaker(candidate);
        let Some(said) = usize::try_from(part).ok().and_then(|part| speaker.parts.get_mut(part)) else {
            return;
        };
        let (name, value) = match (said, delta) {
            (Said::Text, Delta::Text(text)) => ("content", json!(text)),
            (Said::Text, Delta::Citation(Dialect::Chat, citation)) => ("annotations", json!([citation])),
            (Said::Text, Delta::Opaque(opaque)) => {
                ("extra_content", thought::with_signature(&opaque.to_text()))
            }
            (Said::Refusal, Delta::Text(text)) => ("refusal", json!(text)),
            (Said::Thought { index, thought }, Delta::Text(text)) => {
                let piece = Reasoning { text: text.clone(), opaque: None, ..thought.clone() };
                let delta = json!({
                    "reasoning_content": text,
                    "reasoning_details": thought::write(&piece, None, *index),
                });
                // The id is said once.
                thought.id = None;
                return self.choice(candidate, delta, &Value::Null, None, None, out);
            }
            // What is hidden is told from what is proven only when the part is over.
            (Said::Thought { thought, .. }, Delta::Opaque(opaque)) => {
                thought.opaque = Some(opaque.clone());
                return;
            }
            (Said::Thought { thought, .. }, Delta::Redacted) => {
                thought.is_redacted = true;
                return;
            }
            (Said::Call { index, is_custom, is_empty }, Delta::Arguments(text)) => {
                *is_empty &= text.is_empty();
                more_arguments(*index, *is_custom, text, functions)
            }
            (Said::Call { index, .. }, Delta::Opaque(opaque)) if !functions => {
                let proof = thought::with_signature(&opaque.to_text());
                // Clients of strict types want a function in every piece.
                let function = json!({"arguments": ""});
                ("tool_calls", json!([{"index": index, "function": function, "extra_content": proof}]))
            }
            (Said::Audio { id }, Delta::Audio(data)) => ("audio", json!({"id": id, "data": data})),
            (Said::Audio { id }, Delta::Transcript(text)) => ("audio", json!({"id": id, "transcript": text})),
            _ => return,
        };
        self.say(candidate, name, value, out);
    }

    fn part_end(&mut self, candidate: u32, part: u32, out: &mut Vec<u8>) {
        let functions = self.style.functions;
        let speaker = self.speaker(candidate);
        let Some(said) = usize::try_from(part).ok().and_then(|part| speaker.parts.get_mut(part)) else {
            return;
        };
        match std::mem::replace(said, Said::Over) {
            Said::Thought { index, thought } => {
                let Some(proof) = thought.opaque.as_ref().map(crate::chat::Opaque::to_text) else { return };
                self.say(candidate, "reasoning_details", proven(&thought, proof, index), out);
            }
            Said::Call { index, is_custom: false, is_empty: true } => {
                let (name, value) = more_arguments(index, false, "{}", functions);
                self.say(candidate, name, value, out);
            }
            _ => {}
        }
    }

    fn stop(&mut self, candidate: u32, stop: &Stop, out: &mut Vec<u8>) {
        self.role(candidate, &json!(""), out);
        let held = self.speaker(candidate).held;
        let word = stop::word(stop, held, self.style.functions && held.calls);
        self.choice(candidate, json!({}), &Value::Null, Some(word), stop.sequence.as_deref(), out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(usage) = self.usage.take().filter(|_| self.shown.stream_usage) {
            self.chunk(&json!([]), Some(&usage), out);
        }
        out.extend_from_slice(&END_SIGNAL);
    }
}

/// The last entry of a thought: its words have been said, its proof has not.
fn proven(thought: &Reasoning, proof: String, index: usize) -> Value {
    let mut entries =
        thought::write(&Reasoning { text: String::new(), ..thought.clone() }, Some(proof), index);
    if thought.is_summary && !thought.is_redacted {
        // Only the entry behind the summary is new.
        entries.drain(..entries.len().saturating_sub(1));
    }
    Value::Array(entries)
}

fn call_start(index: usize, id: &str, name: &str, is_custom: bool, functions: bool) -> (&'static str, Value) {
    if functions {
        return ("function_call", json!({"name": name, "arguments": ""}));
    }
    let call = if is_custom {
        json!({"index": index, "id": id, "type": "custom", "custom": {"name": name, "input": ""}})
    } else {
        json!({"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}})
    };
    ("tool_calls", Value::Array(vec![call]))
}

fn more_arguments(index: usize, is_custom: bool, text: &str, functions: bool) -> (&'static str, Value) {
    if functions {
        return ("function_call", json!({"arguments": text}));
    }
    let (inner, name) = if is_custom { ("custom", "input") } else { ("function", "arguments") };
    ("tool_calls", json!([{"index": index, inner: {name: text}}]))
}

/// What comes in one piece.
fn whole(part: &Part) -> Option<(&'static str, Value)> {
    match part {
        Part::Image { .. } => image(part).map(|image| ("images", Value::Array(vec![image]))),
        // Of audio in a stream the time is unknown at which it expires.
        Part::Audio { .. } => audio(part, 0).map(|mut audio| {
            if let Some(object) = audio.as_object_mut() {
                object.shift_remove("expires_at");
            }
            ("audio", audio)
        }),
        _ => None,
    }
}
