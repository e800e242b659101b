//! Reading a vendor's answer.

use super::super::members::{Members, count, dense, list, object, objects, take, text, word};
use super::super::{
    CANDIDATE_INDEX_MAX, CANDIDATES_MAX, PARTS_MAX, call, from_data_uri, read_usage, stop, thought,
};
use crate::chat::{Answer, Candidate, Dialect, Media, Opaque, Origin, Part, Reasoning, Rest, Source};
use crate::failure::protocol_failure;
use crate::openai::Endpoint;
use crate::openai::answer::inspect;
use serde_json::Value;
use wellhead_types::{Failure, Stage};

/// Reads the body of a 2xx. An error under a success, a page or an answer without choices is a [`Failure`].
pub fn decode_answer(body: &[u8], origin: &Origin) -> Result<Answer, Failure> {
    let inspected = inspect(Endpoint::ChatCompletions, body)?;
    let failed = |detail: String| protocol_failure(200, Stage::FirstToken, detail);
    let value = serde_json::from_slice(body).map_err(|error| failed(error.to_string()))?;
    let Value::Object(mut members) = value else { return Err(failed("the answer is no object".to_owned())) };
    let mut candidates = Vec::new();
    let choices = list(&mut members, "choices");
    if choices.len() > CANDIDATES_MAX {
        return Err(failed(format!("the answer has more than {CANDIDATES_MAX} choices")));
    }
    let mut usage = inspected.usage;
    for (choice, place) in choices.into_iter().zip(0_u32..) {
        let Value::Object(mut choice) = choice else {
            return Err(failed("a choice is no object".to_owned()));
        };
        if choice.get("error").is_some_and(|error| !error.is_null()) || is_error(&choice) {
            return Err(crate::failure::classify_in_success(body, Stage::FirstToken));
        }
        // Moonshot counts within the choice.
        usage = usage.or_else(|| take(&mut choice, "usage").as_ref().and_then(read_usage));
        candidates.push(candidate(choice, place, origin).map_err(failed)?);
    }
    number(&mut candidates);
    members.shift_remove("object");
    members.shift_remove("usage");
    Ok(Answer {
        id: word(&mut members, "id").map(Into::into),
        model: word(&mut members, "model").map(Into::into),
        created: count(&mut members, "created").filter(|created| *created > 0),
        candidates,
        usage,
        service_tier: text(&mut members, "service_tier").map(Into::into),
        rest: Rest::new(Dialect::Chat, dense(members)),
    })
}

/// Where two choices have the same number, their places count.
fn number(candidates: &mut [Candidate]) {
    let mut indices: Vec<u32> = candidates.iter().map(|candidate| candidate.index).collect();
    indices.sort_unstable();
    let in_range = indices.last().is_none_or(|last| *last < CANDIDATE_INDEX_MAX);
    if indices.windows(2).any(|pair| pair.first() == pair.last()) || !in_range {
        for (candidate, place) in candidates.iter_mut().zip(0..) {
            candidate.index = place;
        }
    }
}

fn is_error(choice: &Members) -> bool {
    choice.get("finish_reason").and_then(Value::as_str) == Some("error")
}

fn candidate(mut choice: Members, place: u32, origin: &Origin) -> Result<Candidate, String> {
    let opaque = |data: &str| vendors(data, origin);
    let mut message = object(&mut choice, "message").unwrap_or_default();
    let parts = parts(&mut message, &opaque)?;
    if parts.len() > PARTS_MAX {
        return Err(format!("the answer has more than {PARTS_MAX} parts"));
    }
    let held = stop::Held {
        calls: parts.iter().any(|part| matches!(part, Part::ToolCall(_))),
        refusal: parts.iter().any(|part| matches!(part, Part::Refusal(_))),
    };
    let index = count(&mut choice, "index").and_then(|index| u32::try_from(index).ok()).unwrap_or(place);
    let stop = stop::read(&mut choice, held);
    let logprobs = take(&mut choice, "logprobs");
    message.shift_remove("role");
    let message = dense(message);
    if !message.is_empty() {
        choice.insert("message".to_owned(), Value::Object(message));
    }
    Ok(Candidate { index, parts, stop, logprobs, rest: Rest::new(Dialect::Chat, dense(choice)) })
}

/// What only the vendor understands. What was marked on its way through the gateway says itself where it is from.
pub(in super::super) fn vendors(data: &str, origin: &Origin) -> Opaque {
    let opaque = Opaque::from_text(Dialect::Chat, data);
    Opaque { origin: opaque.origin.or_else(|| Some(origin.clone())), ..opaque }
}

fn parts(message: &mut Members, opaque: &dyn Fn(&str) -> Opaque) -> Result<Vec<Part>, String> {
    let mut parts: Vec<Part> = thought::read(message, opaque).into_iter().map(Part::Reasoning).collect();
    let thoughts = parts.len();
    let content = take(message, "content");
    let mut said = match content {
        Some(Value::String(text)) => vec![Part::text(text)],
        Some(Value::Array(pieces)) => pieces.into_iter().filter_map(piece).collect(),
        _ => Vec::new(),
    };
    attach(&mut said, message, opaque);
    parts.append(&mut said);
    if let Some(refusal) = text(message, "refusal").filter(|text| !text.is_empty()) {
        parts.push(Part::Refusal(refusal));
    }
    parts.extend(objects(message, "images").filter_map(image));
    parts.extend(object(message, "audio").and_then(|mut audio| {
        let part = spoken(&mut audio);
        if !audio.is_empty() {
            message.insert("audio".to_owned(), Value::Object(audio));
        }
        part
    }));
    let calls = list(message, "tool_calls");
    for (call, number) in calls.into_iter().zip(0..) {
        let Value::Object(mut call) = call else { continue };
        let call = call::said(&mut call).whole(number, opaque);
        parts.push(Part::ToolCall(call.ok_or("a tool call has no name")?));
    }
    if let Some(mut function) = object(message, "function_call") {
        parts.extend(call::function_said(&mut function).whole(0, opaque).map(Part::ToolCall));
    }
    // An empty text stands for nothing, unless it is all there is.
    if parts.len() > thoughts + 1 {
        parts.retain(|part| !matches!(part, Part::Text { text, opaque: None, .. } if text.is_empty()));
    }
    Ok(parts)
}

/// Citations and the proof of a text stand beside it.
fn attach(said: &mut Vec<Part>, message: &mut Members, make: &dyn Fn(&str) -> Opaque) {
    let annotations = list(message, "annotations");
    let proof = thought::signature(message);
    if said.is_empty() && proof.is_some() {
        said.push(Part::text(""));
    }
    if let Some(Part::Text { citations, opaque, .. }) = said.last_mut() {
        citations.extend(annotations.into_iter().map(|citation| (Dialect::Chat, citation)));
        *opaque = proof.as_deref().map(make);
    }
}

/// An element of a `content` list; Mistral thinks in one.
pub(in super::super) fn piece(piece: Value) -> Option<Part> {
    let Value::Object(mut piece) = piece else { return None };
    match text(&mut piece, "type").as_deref() {
        Some("text" | "output_text") => Some(Part::text(text(&mut piece, "text")?)),
        Some("refusal") => Some(Part::Refusal(text(&mut piece, "refusal")?)),
        Some("thinking") => {
            let text: String = match take(&mut piece, "thinking") {
                Some(Value::String(text)) => text,
                Some(Value::Array(texts)) => {
                    texts.iter().filter_map(|text| text.get("text").and_then(Value::as_str)).collect()
                }
                _ => return None,
            };
            Some(Part::Reasoning(Reasoning { text, ..Reasoning::default() }))
        }
        Some("image_url") => image(piece),
        _ => None,
    }
}

/// `{"image_url":{"url":…}}`.
pub(in super::super) fn image(mut members: Members) -> Option<Part> {
    let url = match take(&mut members, "image_url")? {
        Value::String(url) => url,
        Value::Object(mut inner) => text(&mut inner, "url")?,
        _ => return None,
    };
    Some(Part::Image { media: from_data_uri(url), detail: None, cache: None })
}

/// `audio` of an answer. What is left has no place elsewhere (`expires_at`).
fn spoken(audio: &mut Members) -> Option<Part> {
    let data = text(audio, "data")?;
    Some(Part::Audio {
        media: Media { source: Source::Base64(data), media_type: None },
        id: text(audio, "id").map(Into::into),
        transcript: text(audio, "transcript"),
    })
}
