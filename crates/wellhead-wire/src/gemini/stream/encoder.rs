//! From events to a client's chunks.

use crate::chat::{Delta, ErrorShown, Event, Opaque, Part, PartKind, Shown, Stop};
use crate::gemini::answer::{CandidateOut, Out, piece};
use crate::gemini::media::bytes;
use crate::gemini::written::{self, Args, Blob, Call, Ours, Piece};
use crate::gemini::{ARGUMENTS_BYTES_MAX, Framing, GEMINI, error, logprobs, sign, stop, usage, when};
use crate::json;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use wellhead_types::Usage;

/// Writes a stream. Texts go as they come, calls when they are whole, and why it ended with the last counts in one last
/// chunk: a client who sees a reason has seen everything.
///
/// Comments are never written: the Python SDK takes every line without `data: ` for a piece of an error.
#[derive(Debug)]
pub struct StreamEncoder {
    shown: Shown,
    framing: Framing,
    id: Option<Box<str>>,
    created: Option<u64>,
    usage: Option<Usage>,
    counted: Map<String, Value>,
    open: Vec<Open>,
    stops: Vec<(u32, Stop)>,
    has_begun: bool,
    has_ended: bool,
}

#[derive(Debug)]
struct Open {
    candidate: u32,
    part: u32,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Text,
    Thought,
    Audio(Option<Box<str>>),
    Call(Calling),
    /// Was written when it began.
    Whole,
}

#[derive(Debug)]
struct Calling {
    id: Box<str>,
    name: Box<str>,
    arguments: String,
    is_custom: bool,
    signature: Option<String>,
    /// Waits for those that began before it: without ids, clients tell calls apart by their order.
    is_whole: bool,
}

impl StreamEncoder {
    /// As server-sent events.
    pub fn new(shown: Shown) -> Self {
        Self::framed(shown, Framing::Sse)
    }

    /// As the client asked for it.
    pub fn framed(shown: Shown, framing: Framing) -> Self {
        Self {
            shown,
            framing,
            id: None,
            created: None,
            usage: None,
            counted: Map::new(),
            open: Vec::new(),
            stops: Vec::new(),
            has_begun: false,
            has_ended: false,
        }
    }

    /// Writes what an event says.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, created, .. } => (self.id, self.created) = (id.clone(), *created),
            Event::PartStart { candidate, part, kind } => self.start(*candidate, *part, kind, out),
            Event::Delta { candidate, part, delta } => self.delta(*candidate, *part, delta, out),
            Event::PartEnd { candidate, part } => self.end(*candidate, *part, out),
            Event::Stop { candidate, stop } => {
                self.stops.retain(|(known, _)| known != candidate);
                self.stops.push((*candidate, stop.clone()));
            }
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Logprobs { candidate, logprobs } => {
                let logprobs_result = logprobs::from_openai(logprobs);
                self.chunk(
                    vec![CandidateOut {
                        logprobs_result,
                        ..CandidateOut::of(*candidate, vec![Ours::text("").into()])
                    }],
                    out,
                );
            }
            Event::Other(dialect, Value::Object(members)) if *dialect == GEMINI => self.other(members, out),
            Event::End => self.finish(out),
            Event::Other(..) | Event::Ping | Event::Error(_) => {}
        }
    }

    /// Passes on an event that the target wrote in this dialect itself, naming the model as the client did.
    pub fn relay(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        let event = crate::sse::Event::parse(raw);
        let Some(data) = event.data() else { return };
        let renamed = json::replaced(&data, &["modelVersion"], &json::quoted(&self.shown.model));
        let data = renamed.as_deref().unwrap_or(&data);
        match self.framing {
            Framing::Sse => event.write_with(data, out),
            Framing::List => self.frame(data.trim_ascii(), out),
        }
    }

    /// Ends a stream that was passed on.
    pub fn finish_relayed(&mut self, out: &mut Vec<u8>) {
        if self.framing == Framing::List && !self.has_ended {
            out.extend_from_slice(b"]");
        }
        self.has_ended = true;
    }

    /// Writes an error in the place of the rest.
    pub fn fail(&mut self, error: &ErrorShown<'_>, out: &mut Vec<u8>) {
        match self.framing {
            Framing::Sse => out.extend_from_slice(&error::error_event(error)),
            Framing::List if self.has_ended => {}
            Framing::List => {
                self.frame(error::error_item(error).as_bytes(), out);
                out.extend_from_slice(b"]");
            }
        }
        self.has_ended = true;
    }

    fn start(&mut self, candidate: u32, part: u32, kind: &PartKind, out: &mut Vec<u8>) {
        let kind = match kind {
            PartKind::Text | PartKind::Refusal => Kind::Text,
            PartKind::Reasoning { .. } => Kind::Thought,
            PartKind::Audio { media_type, .. } => Kind::Audio(media_type.clone()),
            PartKind::ToolCall { id, name, is_custom } => Kind::Call(Calling {
                id: id.clone(),
                name: name.clone(),
                arguments: String::new(),
                is_custom: *is_custom,
                signature: None,
                is_whole: false,
            }),
            PartKind::Whole(whole) => {
                self.whole(candidate, whole, out);
                Kind::Whole
            }
        };
        self.open.push(Open { candidate, part, kind });
    }

    fn whole(&mut self, candidate: u32, part: &Part, out: &mut Vec<u8>) {
        let mut pieces = Vec::new();
        piece(part, &mut pieces);
        self.say(candidate, pieces, out);
    }

    fn delta(&mut self, candidate: u32, part: u32, delta: &Delta, out: &mut Vec<u8>) {
        // Out of its place while it is looked at, so that the chunk can be written.
        let Some(at) = self.open.iter().position(|open| (open.candidate, open.part) == (candidate, part))
        else {
            return;
        };
        let mut open = self.open.swap_remove(at);
        let is_thought = matches!(open.kind, Kind::Thought);
        let piece: Option<Piece<'_>> = match (&mut open.kind, delta) {
            (Kind::Text | Kind::Thought, Delta::Text(text)) if !text.is_empty() => {
                Some(Ours { thought: is_thought, ..Ours::text(text.as_str()) }.into())
            }
            (Kind::Text | Kind::Thought, Delta::Opaque(opaque)) => Some(signature(opaque, is_thought).into()),
            (Kind::Call(call), Delta::Arguments(more)) => {
                // Decoders end a stream before; what is cut here is told as text.
                let room = ARGUMENTS_BYTES_MAX.saturating_sub(call.arguments.len());
                call.arguments.push_str(&more[..more.floor_char_boundary(room)]);
                None
            }
            (Kind::Call(call), Delta::Opaque(opaque)) => {
                call.signature = Some(sign::to_client(opaque));
                None
            }
            (Kind::Audio(media_type), Delta::Audio(data)) => Some(audio(media_type.as_deref(), data).into()),
            (Kind::Audio(_), Delta::Transcript(text)) => Some(Ours::text(text.clone()).into()),
            (_, Delta::Media(media)) => bytes(media, "image/png", None).map(Piece::from),
            _ => None,
        };
        self.say(candidate, piece.into_iter().collect(), out);
        self.open.push(open);
    }

    fn end(&mut self, candidate: u32, part: u32, out: &mut Vec<u8>) {
        let Some(at) = self.open.iter().position(|open| (open.candidate, open.part) == (candidate, part))
        else {
            return;
        };
        match self.open.get_mut(at).map(|open| &mut open.kind) {
            Some(Kind::Call(call)) => call.is_whole = true,
            _ => drop(self.open.swap_remove(at)),
        }
        while let Some(call) = self.next_call(candidate) {
            let arguments = Cow::Borrowed(call.arguments.as_str());
            let args = if call.is_custom { Args::Text(arguments) } else { Args::of(&call.arguments) };
            let (id, name) = (Some(Cow::Borrowed(&*call.id)), Cow::Borrowed(&*call.name));
            let thought_signature = call.signature.map(Cow::Owned);
            let function_call = Some(Call { id, name, args });
            let ours = Ours { function_call, thought_signature, ..Ours::default() };
            self.say(candidate, vec![ours.into()], out);
        }
    }

    /// Takes the call that is whole and has nothing open before it.
    fn next_call(&mut self, candidate: u32) -> Option<Calling> {
        let of_candidate = self.open.iter().enumerate().filter(|(_, open)| open.candidate == candidate);
        let (at, first) = of_candidate.min_by_key(|(_, open)| open.part)?;
        if !matches!(&first.kind, Kind::Call(call) if call.is_whole) {
            return None;
        }
        match self.open.swap_remove(at).kind {
            Kind::Call(call) => Some(call),
            _ => None,
        }
    }

    /// Members that this dialect's own decoder found.
    fn other(&mut self, members: &Map<String, Value>, out: &mut Vec<u8>) {
        if let Some(Value::Object(counted)) = members.get("usageMetadata") {
            self.counted.clone_from(counted);
        }
        let mut rest: Map<String, Value> = members
            .iter()
            .filter(|(name, _)| *name != "usageMetadata")
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        for candidate in rest.get_mut("candidates").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(candidate) = candidate {
                // Clients look for parts in every candidate.
                candidate
                    .entry("content")
                    .or_insert_with(|| json!({"parts": [{"text": ""}], "role": "model"}));
            }
        }
        if !rest.is_empty() {
            self.write(Vec::new(), rest, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let stops = std::mem::take(&mut self.stops);
        let candidates = stops.iter().map(|(candidate, stop)| CandidateOut {
            finish_reason: Some(stop::word(stop)),
            finish_message: stop.detail.as_ref().and_then(Value::as_str),
            // As Google ends: some clients look for a part.
            ..CandidateOut::of(*candidate, vec![Ours::text("").into()])
        });
        let candidates: Vec<CandidateOut<'_>> = candidates.collect();
        self.chunk(candidates, out);
        if self.framing == Framing::List && !self.has_ended {
            out.extend_from_slice(b"]");
        }
        self.has_ended = true;
    }

    fn say(&mut self, candidate: u32, pieces: Vec<Piece<'_>>, out: &mut Vec<u8>) {
        if !pieces.is_empty() {
            self.chunk(vec![CandidateOut::of(candidate, pieces)], out);
        }
    }

    fn chunk(&mut self, candidates: Vec<CandidateOut<'_>>, out: &mut Vec<u8>) {
        self.write(candidates, Map::new(), out);
    }

    fn write(&mut self, candidates: Vec<CandidateOut<'_>>, rest: Map<String, Value>, out: &mut Vec<u8>) {
        let usage = self.usage.filter(|_| self.shown.stream_usage);
        let chunk = Out {
            candidates,
            usage_metadata: usage.map(|usage| usage::write(&usage, &self.counted)),
            model_version: &self.shown.model,
            create_time: self.created.map(when::rfc3339),
            response_id: self.id.as_deref().unwrap_or(&self.shown.id),
            rest,
        };
        let chunk = written::json(&chunk);
        self.frame(&chunk, out);
    }

    fn frame(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let (before, after): (&[u8], &[u8]) = match (self.framing, self.has_begun) {
            (Framing::Sse, _) => (b"data: ", b"\r\n\r\n"),
            (Framing::List, false) => (b"[", b""),
            (Framing::List, true) => (b",\r\n", b""),
        };
        self.has_begun = true;
        out.extend_from_slice(before);
        out.extend_from_slice(chunk);
        out.extend_from_slice(after);
    }
}

/// A signature comes after its text, in an empty one of the same kind.
fn signature(opaque: &Opaque, thought: bool) -> Ours<'static> {
    Ours { thought, thought_signature: Some(Cow::Owned(sign::to_client(opaque))), ..Ours::text("") }
}

fn audio<'a>(media_type: Option<&'a str>, data: &'a str) -> Ours<'a> {
    let mime_type = Some(Cow::Borrowed(media_type.unwrap_or("audio/wav")));
    Ours { inline_data: Some(Blob { mime_type, data: data.into(), display_name: None }), ..Ours::default() }
}
