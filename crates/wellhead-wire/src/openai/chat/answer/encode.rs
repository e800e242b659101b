//! Writing an answer for a client.

use super::super::members::Members;
use super::super::{Style, call, data_uri, stop, thought, usage};
use crate::chat::{Answer, Candidate, Dialect, Part, Reasoning, Rest, Shown, Source, ToolCall};
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// The body for a client that asked with `tools`.
pub fn encode_answer(answer: &Answer, shown: &Shown) -> Bytes {
    encode_answer_for(answer, shown, Style::default())
}

/// The body. What only another dialect knows is left out: its clients would not find it here.
pub fn encode_answer_for(answer: &Answer, shown: &Shown, style: Style) -> Bytes {
    let created = answer.created.unwrap_or(shown.created);
    let choices: Vec<Value> =
        answer.candidates.iter().map(|candidate| choice(candidate, created, style)).collect();
    let mut body = Map::new();
    let id = answer.id.as_deref().map_or_else(|| format!("chatcmpl-{}", shown.id), str::to_owned);
    body.insert("id".to_owned(), json!(id));
    body.insert("object".to_owned(), json!("chat.completion"));
    body.insert("created".to_owned(), json!(created));
    body.insert("model".to_owned(), json!(shown.model));
    body.insert("choices".to_owned(), Value::Array(choices));
    if let Some(counts) = &answer.usage {
        body.insert("usage".to_owned(), usage::write(counts));
    }
    if let Some(tier) = answer.service_tier.as_deref().and_then(tier) {
        body.insert("service_tier".to_owned(), json!(tier));
    }
    answer.rest.add_to(Dialect::Chat, &mut body);
    Value::Object(body).to_string().into()
}

/// The class of service in OpenAI's words: its clients know no others.
fn tier(word: &str) -> Option<&str> {
    match word {
        "standard" => Some("default"),
        "auto" | "default" | "flex" | "scale" | "priority" | "fast" => Some(word),
        _ => None,
    }
}

fn choice(candidate: &Candidate, created: u64, style: Style) -> Value {
    let mut message = message(&candidate.parts, created, style);
    let mut choice = Map::new();
    choice.insert("index".to_owned(), json!(candidate.index));
    let mut held = stop::Held::default();
    for part in &candidate.parts {
        held.calls |= matches!(part, Part::ToolCall(_));
        held.refusal |= matches!(part, Part::Refusal(_));
    }
    let mut rest = candidate.rest.of(Dialect::Chat).cloned().unwrap_or_default();
    if let Some(Value::Object(more)) = rest.shift_remove("message") {
        add(more, &mut message);
    }
    choice.insert("message".to_owned(), Value::Object(message));
    choice.insert("logprobs".to_owned(), candidate.logprobs.clone().unwrap_or_default());
    let reason = candidate.stop.as_ref().map(|stop| stop::word(stop, held, style.functions && held.calls));
    choice.insert("finish_reason".to_owned(), json!(reason.unwrap_or("stop")));
    if let Some(sequence) = candidate.stop.as_ref().and_then(|stop| stop.sequence.as_deref()) {
        choice.insert("stop_reason".to_owned(), json!(sequence));
    }
    Rest::new(Dialect::Chat, rest).add_to(Dialect::Chat, &mut choice);
    Value::Object(choice)
}

/// What was left of a message goes back into it, one level down too.
fn add(more: Members, message: &mut Members) {
    for (name, value) in more {
        match (message.get_mut(&name), value) {
            (Some(Value::Object(object)), Value::Object(more)) => object.extend(more),
            (Some(_), _) => {}
            (None, value) => drop(message.insert(name, value)),
        }
    }
}

/// What a message is put together from.
#[derive(Default)]
struct Sorted<'a> {
    text: Option<String>,
    refusal: Option<String>,
    thoughts: Vec<&'a Reasoning>,
    calls: Vec<&'a ToolCall>,
    citations: Vec<&'a Value>,
    proof: Option<String>,
    images: Vec<Value>,
    audio: Option<Value>,
}

fn message(parts: &[Part], created: u64, style: Style) -> Map<String, Value> {
    let sorted = sort(parts, created);
    let nothing = sorted.refusal.is_none() && sorted.calls.is_empty() && sorted.audio.is_none();
    let content = sorted.text.or_else(|| nothing.then(String::new));
    let mut message = Map::new();
    message.insert("role".to_owned(), json!("assistant"));
    message.insert("content".to_owned(), json!(content));
    message.insert("refusal".to_owned(), json!(sorted.refusal));
    if !sorted.thoughts.is_empty() {
        think(&sorted.thoughts, &mut message);
    }
    if !sorted.citations.is_empty() {
        message.insert("annotations".to_owned(), json!(sorted.citations));
    }
    if let Some(proof) = sorted.proof {
        message.insert("extra_content".to_owned(), thought::with_signature(&proof));
    }
    if !sorted.images.is_empty() {
        message.insert("images".to_owned(), Value::Array(sorted.images));
    }
    if let Some(audio) = sorted.audio {
        message.insert("audio".to_owned(), audio);
    }
    if let (Some(first), true) = (sorted.calls.first(), style.functions) {
        let function = json!({"name": first.name, "arguments": call::arguments(&first.arguments)});
        message.insert("function_call".to_owned(), function);
    } else if !sorted.calls.is_empty() {
        let calls = sorted.calls.into_iter().map(|call| {
            let proof = call.opaque.as_ref().map(crate::chat::Opaque::to_text);
            Value::Object(call::write(call, &call.id, proof.as_deref()))
        });
        message.insert("tool_calls".to_owned(), Value::Array(calls.collect()));
    }
    message
}

/// Writes what was thought.
fn think(thoughts: &[&Reasoning], message: &mut Map<String, Value>) {
    let words: String = thoughts.iter().map(|thought| thought.text.as_str()).collect();
    if !words.is_empty() {
        message.insert("reasoning_content".to_owned(), json!(words));
    }
    if thought::needs_details(thoughts) {
        let proof = |thought: &Reasoning| thought.opaque.as_ref().map(crate::chat::Opaque::to_text);
        let numbered = thoughts.iter().enumerate();
        let entries = numbered.flat_map(|(index, thought)| thought::write(thought, proof(thought), index));
        message.insert("reasoning_details".to_owned(), Value::Array(entries.collect()));
    }
}

fn sort(parts: &[Part], created: u64) -> Sorted<'_> {
    let mut sorted = Sorted::default();
    for part in parts {
        match part {
            Part::Text { text, citations, opaque, .. } => {
                sorted.text.get_or_insert_default().push_str(text);
                let own = citations.iter().filter(|citation| citation.0 == Dialect::Chat);
                sorted.citations.extend(own.map(|citation| &citation.1));
                sorted.proof = opaque.as_ref().map(crate::chat::Opaque::to_text).or(sorted.proof);
            }
            Part::Refusal(text) => sorted.refusal.get_or_insert_default().push_str(text),
            Part::Reasoning(thought) => sorted.thoughts.push(thought),
            Part::ToolCall(call) => sorted.calls.push(call),
            Part::Image { .. } => sorted.images.extend(image(part)),
            Part::Audio { .. } => sorted.audio = audio(part, created).or(sorted.audio),
            Part::Video { .. } | Part::Document { .. } | Part::ToolResult(_) | Part::Other(..) => {}
        }
    }
    sorted
}

/// An image that the model made, where OpenRouter's clients look for it.
pub(in super::super) fn image(part: &Part) -> Option<Value> {
    let Part::Image { media, .. } = part else { return None };
    let url = match &media.source {
        Source::Base64(data) => data_uri(data, media.media_type.as_deref()),
        Source::Url(url) => url.clone(),
        Source::File(_) | Source::Text(_) => return None,
    };
    Some(json!({"type": "image_url", "image_url": {"url": url}}))
}

/// What the model spoke.
pub(in super::super) fn audio(part: &Part, created: u64) -> Option<Value> {
    /// How long a client may refer to it where the vendor did not say; OpenAI keeps audio for an hour.
    const KEPT_S: u64 = 3600;
    let Part::Audio { media, id, transcript } = part else { return None };
    let Source::Base64(data) = &media.source else { return None };
    let transcript = transcript.as_deref().unwrap_or("");
    let expires_at = created.saturating_add(KEPT_S);
    Some(
        json!({"id": id.as_deref().unwrap_or(""), "data": data, "expires_at": expires_at, "transcript": transcript}),
    )
}
