//! Answers: what a target said, and what a client is told.

use super::calls::Namer;
use super::media::bytes;
use super::written::{Args, Call, Content, Ours, Piece, json};
use super::{GEMINI, error, logprobs, parts, proto, sign, stop, stream, usage, when};
use crate::chat::{
    Answer, BadField, Candidate, Fold, Opaque, Origin, Part, Reasoning, Rest, Shown, ToolCall,
};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use wellhead_types::{Failure, Stage};

/// Reads a target's answer to an unstreamed request. A success that holds an error, nothing, or the refusal of a filter
/// is a failure.
pub fn decode_answer(body: &[u8], origin: &Origin) -> Result<Answer, Failure> {
    let value: Value = serde_json::from_slice(body).map_err(|bad| error::no_json(&bad, Stage::FirstToken))?;
    let value = match value {
        Value::Array(chunks) => match <[Value; 1]>::try_from(chunks) {
            // Google's OpenAI-compatible endpoint wraps errors like this.
            Ok([only]) => only,
            Err(chunks) => return fold(chunks, body, origin),
        },
        value => value,
    };
    let mut members = opened(value, body, Stage::FirstToken)?;
    let candidates = match members.shift_remove("candidates") {
        Some(Value::Array(candidates)) if !candidates.is_empty() => candidates,
        _ => return Err(error::nothing_said(&members, Stage::FirstToken)),
    };
    let head = Head::take(&mut members);
    let mut answering = Answering::new(head.id.as_deref(), body, origin);
    let candidates: Result<Vec<Candidate>, BadField> =
        candidates.into_iter().zip(0..).map(|(value, at)| candidate(value, at, &mut answering)).collect();
    let candidates = candidates.map_err(|bad| error::odd(&bad, Stage::FirstToken))?;
    let metadata = members.shift_remove("usageMetadata").unwrap_or(Value::Null);
    let usage = usage::read_usage(&metadata);
    for (name, value) in usage::rest_of(metadata) {
        members.insert(format!("usageMetadata.{name}"), value);
    }
    let Head { id, model, created } = head;
    Ok(Answer { id, model, created, candidates, usage, service_tier: None, rest: Rest::new(GEMINI, members) })
}

/// An answer's object; an error in its place is a failure.
pub(super) fn opened(value: Value, body: &[u8], stage: Stage) -> Result<Map<String, Value>, Failure> {
    let members = proto::members("", value).map_err(|bad| error::odd(&bad, stage))?;
    if members.get("error").is_some_and(|error| !error.is_null()) {
        return Err(error::in_success(body, stage));
    }
    Ok(members)
}

/// A stream that came as one list.
fn fold(chunks: Vec<Value>, body: &[u8], origin: &Origin) -> Result<Answer, Failure> {
    let mut decoder = stream::StreamDecoder::new(origin.clone());
    let (mut fold, mut events) = (Fold::default(), Vec::new());
    for chunk in chunks {
        decoder.chunk(chunk, body, &mut events)?;
    }
    if !decoder.finish(&mut events) {
        return Err(error::unfinished(Stage::Stream));
    }
    for event in events {
        fold.push(event).map_err(|bad| error::odd(&bad, Stage::Stream))?;
    }
    Ok(fold.finish())
}

/// What an answer says of itself.
pub(super) struct Head {
    pub(super) id: Option<Box<str>>,
    pub(super) model: Option<Box<str>>,
    pub(super) created: Option<u64>,
}

impl Head {
    pub(super) fn take(members: &mut Map<String, Value>) -> Self {
        let mut text = |name: &str| match members.shift_remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(Box::from(text)),
            _ => None,
        };
        let (id, model) = (text("responseId"), text("modelVersion"));
        Self { id, model, created: text("createTime").and_then(|time| when::seconds(&time)) }
    }
}

/// Names the calls of an answer, and marks its signatures with where they came from.
#[derive(Debug)]
pub(super) struct Answering {
    namer: Namer,
    origin: Origin,
}

impl Answering {
    pub(super) fn new(id: Option<&str>, bytes: &[u8], origin: &Origin) -> Self {
        Self { namer: Namer::new(id, bytes), origin: origin.clone() }
    }
}

impl parts::Ids for Answering {
    fn call(&mut self, id: Option<String>, _name: &str) -> Box<str> {
        id.map_or_else(|| self.namer.name(), Box::from)
    }

    fn response(&mut self, id: Option<String>, name: &str) -> Box<str> {
        self.call(id, name)
    }

    fn signature(&self, text: String) -> Opaque {
        Opaque { dialect: GEMINI, origin: Some(self.origin.clone()), data: text.into() }
    }
}

/// A candidate's own members, the parts apart.
pub(super) struct Told {
    pub(super) index: u32,
    pub(super) parts: Vec<Value>,
    pub(super) reason: Option<String>,
    pub(super) detail: Option<Value>,
    pub(super) logprobs: Option<Value>,
    pub(super) rest: Map<String, Value>,
}

impl Told {
    /// `at` is its place in the list, which counts where it has no number.
    pub(super) fn read(value: Value, at: u32) -> Result<Self, BadField> {
        let mut fields = proto::message(format!("candidates[{at}]"), value)?;
        let index =
            proto::count(&mut fields, "index")?.map_or(at, |index| u32::try_from(index).unwrap_or(u32::MAX));
        let mut parts = Vec::new();
        if let Some(mut content) = proto::child(&mut fields, "content")? {
            parts = proto::repeated(&mut content, "parts")?;
        }
        let reason = fields.text("finishReason")?.filter(|word| !word.is_empty());
        let detail = fields.text("finishMessage")?.map(Value::from);
        let logprobs = fields.peek("logprobsResult").and_then(logprobs::to_openai);
        let rest = fields.rest().of(GEMINI).cloned().unwrap_or_default();
        Ok(Self { index, parts, reason, detail, logprobs, rest })
    }
}

fn candidate(value: Value, at: u32, answering: &mut Answering) -> Result<Candidate, BadField> {
    let told = Told::read(value, at)?;
    let mut parts = Vec::new();
    for (number, value) in told.parts.into_iter().enumerate() {
        parts::read(&format!("candidates[{at}].content.parts[{number}]"), value, answering, &mut parts)?;
    }
    parts.retain(|part| !is_empty(part));
    let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let stop =
        told.reason.map(|word| crate::chat::Stop { detail: told.detail, ..stop::read(&word, has_calls) });
    Ok(Candidate {
        index: told.index,
        parts,
        stop,
        logprobs: told.logprobs,
        rest: Rest::new(GEMINI, told.rest),
    })
}

/// Streams and some answers have empty texts; they say nothing.
pub(super) fn is_empty(part: &Part) -> bool {
    match part {
        Part::Text { text, opaque: None, .. } => text.is_empty(),
        Part::Reasoning(Reasoning { text, opaque: None, .. }) => text.is_empty(),
        _ => false,
    }
}

/// An answer, or a piece of one, as it is written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Out<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) candidates: Vec<CandidateOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage_metadata: Option<Value>,
    pub(super) model_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) create_time: Option<String>,
    pub(super) response_id: &'a str,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A candidate, as it is written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CandidateOut<'a> {
    pub(super) content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) finish_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) finish_message: Option<&'a str>,
    pub(super) index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs_result: Option<Value>,
    #[serde(flatten)]
    pub(super) rest: Option<&'a Map<String, Value>>,
}

impl<'a> CandidateOut<'a> {
    /// With these parts and nothing else.
    pub(super) fn of(index: u32, parts: Vec<Piece<'a>>) -> Self {
        Self {
            content: Content { role: Some("model"), parts, rest: None },
            finish_reason: None,
            finish_message: None,
            index,
            logprobs_result: None,
            rest: None,
        }
    }
}

/// Writes an answer for a client.
pub fn encode_answer(answer: &Answer, shown: &Shown) -> Bytes {
    let (mut rest, mut counted) = (Map::new(), Map::new());
    for (name, value) in answer.rest.of(GEMINI).into_iter().flatten() {
        match name.strip_prefix("usageMetadata.") {
            Some(name) => counted.insert(name.to_owned(), value.clone()),
            None => rest.insert(name.clone(), value.clone()),
        };
    }
    let candidates = answer.candidates.iter().map(|candidate| {
        let rest = candidate.rest.of(GEMINI);
        let kept = rest.is_some_and(|rest| rest.contains_key("logprobsResult"));
        let logprobs = candidate.logprobs.as_ref().filter(|_| !kept);
        let stop = candidate.stop.as_ref();
        CandidateOut {
            finish_reason: stop.map(stop::word),
            finish_message: stop.and_then(|stop| stop.detail.as_ref()).and_then(Value::as_str),
            logprobs_result: logprobs.and_then(logprobs::from_openai),
            rest,
            ..CandidateOut::of(candidate.index, pieces(&candidate.parts))
        }
    });
    let out = Out {
        candidates: candidates.collect(),
        usage_metadata: answer.usage.map(|usage| usage::write(&usage, &counted)),
        model_version: &shown.model,
        create_time: answer.created.map(when::rfc3339),
        response_id: answer.id.as_deref().unwrap_or(&shown.id),
        rest,
    };
    json(&out).into()
}

fn pieces(parts: &[Part]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::with_capacity(parts.len());
    let mut signature = None;
    for (at, part) in parts.iter().enumerate() {
        if let Part::Reasoning(Reasoning { text, opaque: Some(opaque), .. }) = part
            && text.is_empty()
            && matches!(
                parts.get(at + 1),
                Some(Part::Image { .. } | Part::Audio { .. } | Part::Video { .. } | Part::Document { .. })
            )
        {
            signature = Some(sign::to_client(opaque));
            continue;
        }
        let before = pieces.len();
        piece(part, &mut pieces);
        if let Some(signature) = signature.take() {
            let medium = pieces.iter_mut().skip(before).find_map(|piece| match piece {
                Piece::Ours(ours) if ours.is_medium() => Some(ours),
                _ => None,
            });
            if let Some(ours) = medium {
                ours.thought_signature = Some(Cow::Owned(signature));
            }
        }
    }
    pieces
}

/// A part, for a client. What only another dialect knows is left out.
pub(super) fn piece<'a>(part: &'a Part, out: &mut Vec<Piece<'a>>) {
    let signed = |opaque: &Option<Opaque>| opaque.as_ref().map(|opaque| Cow::Owned(sign::to_client(opaque)));
    match part {
        part if is_empty(part) => {}
        Part::Text { text, opaque, .. } => {
            out.push(Ours { thought_signature: signed(opaque), ..Ours::text(text.as_str()) }.into());
        }
        Part::Refusal(text) => out.push(Ours::text(text.as_str()).into()),
        Part::Reasoning(Reasoning { text, opaque, .. }) => {
            let thought_signature = signed(opaque);
            out.push(Ours { thought: true, thought_signature, ..Ours::text(text.as_str()) }.into());
        }
        Part::ToolCall(call) => out.push(self::call(call).into()),
        Part::Image { media, .. } => out.extend(bytes(media, "image/png", None).map(Piece::from)),
        Part::Video { media } => out.extend(bytes(media, "video/mp4", None).map(Piece::from)),
        Part::Document { media, title, .. } => {
            out.extend(bytes(media, "application/pdf", title.as_deref()).map(Piece::from));
        }
        Part::Audio { media, transcript, .. } => {
            out.extend(transcript.as_deref().map(|text| Piece::from(Ours::text(text))));
            out.extend(bytes(media, "audio/wav", None).map(Piece::from));
        }
        Part::Other(dialect, value) if *dialect == GEMINI => out.push(Piece::Theirs(value)),
        Part::Other(..) | Part::ToolResult(_) => {}
    }
}

fn call(call: &ToolCall) -> Ours<'_> {
    let args =
        if call.is_custom { Args::Text(Cow::Borrowed(&call.arguments)) } else { Args::of(&call.arguments) };
    let function_call =
        Some(Call { id: Some(Cow::Borrowed(&*call.id)), name: Cow::Borrowed(&*call.name), args });
    let thought_signature = call.opaque.as_ref().map(|opaque| Cow::Owned(sign::to_client(opaque)));
    Ours { function_call, thought_signature, ..Ours::default() }
}
