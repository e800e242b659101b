//! Reading a vendor's answer.

use super::super::members::{Members, count, dense, objects, take, text, word};
use super::super::proof::{Author, Proof};
use super::super::read::annotation;
use super::super::stop::{self, Held};
use super::super::{DIALECT, PARTS_MAX, names, read_usage};
use crate::chat::{Answer, Candidate, Media, Origin, Part, Reasoning, Rest, Source, ToolCall};
use crate::failure::{classify_in_success, protocol_failure};
use crate::openai::Endpoint;
use crate::openai::answer::inspect;
use serde_json::{Value, json};
use wellhead_types::{Failure, Stage};

/// Reads the body of a 2xx. A response that failed, or that has not ended, is a [`Failure`].
pub fn decode_answer(body: &[u8], origin: &Origin) -> Result<Answer, Failure> {
    let inspected = inspect(Endpoint::Responses, body)?;
    let failed = |detail: String| protocol_failure(200, Stage::FirstToken, detail);
    let value = serde_json::from_slice(body).map_err(|error| failed(error.to_string()))?;
    let Value::Object(mut response) = value else { return Err(failed("the answer is no object".to_owned())) };
    let status = response.get("status").and_then(Value::as_str).unwrap_or("completed");
    if status == "failed" {
        return Err(classify_in_success(body, Stage::FirstToken));
    }
    if !matches!(status, "completed" | "incomplete") {
        return Err(failed(format!("the answer is `{status}`, and nobody will fetch it later")));
    }
    if !response.get("output").is_some_and(Value::is_array) {
        return Err(failed("the answer has no output".to_owned()));
    }
    let mut parts = Vec::new();
    let mut logprobs = Vec::new();
    for item in objects(&mut response, "output").collect::<Vec<_>>() {
        parts.extend(parts_of(item, Author::Target(origin), &mut logprobs).map_err(failed)?);
        if parts.len() > PARTS_MAX {
            return Err(failed(format!("the answer has more than {PARTS_MAX} parts")));
        }
    }
    let held = Held {
        calls: parts.iter().any(|part| matches!(part, Part::ToolCall(_))),
        refusal: parts.iter().any(|part| matches!(part, Part::Refusal(_))),
    };
    let stop = Some(stop::read(&mut response, held));
    let logprobs = (!logprobs.is_empty()).then(|| json!({"content": logprobs, "refusal": null}));
    let usage = take(&mut response, "usage").as_ref().and_then(read_usage).or(inspected.usage);
    response.shift_remove("object");
    Ok(Answer {
        id: word(&mut response, "id").map(Into::into),
        model: word(&mut response, "model").map(Into::into),
        created: count(&mut response, "created_at").filter(|created| *created > 0),
        candidates: vec![Candidate { index: 0, parts, stop, logprobs, rest: Rest::default() }],
        usage,
        service_tier: text(&mut response, "service_tier").map(Into::into),
        rest: Rest::new(DIALECT, dense(response)),
    })
}

/// What an item of the output says. `Err` says what is wrong with it.
pub(in super::super) fn parts_of(
    mut item: Members,
    author: Author<'_>,
    logprobs: &mut Vec<Value>,
) -> Result<Vec<Part>, String> {
    let kind = item.get("type").and_then(Value::as_str).unwrap_or("message").to_owned();
    match &*kind {
        "message" => {
            let contents: Vec<Members> = objects(&mut item, "content").collect();
            Ok(contents.into_iter().filter_map(|content| said(content, logprobs)).collect())
        }
        "reasoning" => Ok(thought(item, author).map(Part::Reasoning).into_iter().collect()),
        "function_call" | "custom_tool_call" => {
            let is_custom = kind == "custom_tool_call";
            let group = word(&mut item, "namespace");
            let name = word(&mut item, "name").ok_or("a tool call has no name")?;
            let id = word(&mut item, "call_id").or_else(|| word(&mut item, "id"));
            let id = id.ok_or("a tool call has no id")?.into();
            let name = names::flat(group.as_deref(), name).into();
            let arguments = arguments(&mut item, is_custom);
            Ok(vec![Part::ToolCall(ToolCall { id, name, arguments, is_custom, opaque: None, cache: None })])
        }
        "image_generation_call" if item.get("result").is_some_and(Value::is_string) => {
            let format = word(&mut item, "output_format").unwrap_or_else(|| "png".to_owned());
            let data = text(&mut item, "result").unwrap_or_default();
            let media_type = Some(format!("image/{format}").into());
            let media = Media { source: Source::Base64(data), media_type };
            Ok(vec![Part::Image { media, detail: None, cache: None }])
        }
        _ => Ok(vec![Part::Other(DIALECT, Value::Object(item))]),
    }
}

/// What a call is called with.
pub(in super::super) fn arguments(item: &mut Members, is_custom: bool) -> String {
    let name = if is_custom { "input" } else { "arguments" };
    let said = match take(item, name) {
        Some(Value::String(text)) => text,
        Some(value @ Value::Object(_)) => value.to_string(),
        _ => String::new(),
    };
    if !is_custom && said.trim().is_empty() { "{}".to_owned() } else { said }
}

fn said(mut content: Members, logprobs: &mut Vec<Value>) -> Option<Part> {
    match content.get("type").and_then(Value::as_str)? {
        "output_text" | "text" => {
            logprobs.extend(crate::chat::members::list(&mut content, "logprobs"));
            let annotations = crate::chat::members::list(&mut content, "annotations");
            let citations = annotations.into_iter().map(annotation).collect();
            Some(Part::Text { text: text(&mut content, "text")?, citations, cache: None, opaque: None })
        }
        "refusal" => Some(Part::Refusal(text(&mut content, "refusal")?)),
        _ => None,
    }
}

fn thought(mut item: Members, author: Author<'_>) -> Option<Reasoning> {
    let paragraphs = |item: &mut Members, name: &str| -> Option<String> {
        let texts: Vec<String> = objects(item, name).filter_map(|mut part| text(&mut part, "text")).collect();
        (!texts.is_empty()).then(|| texts.join("\n\n"))
    };
    let said = paragraphs(&mut item, "content");
    let summary = paragraphs(&mut item, "summary");
    let is_summary = said.is_none() && summary.is_some();
    let id = word(&mut item, "id").map(Into::into);
    let proof = word(&mut item, "encrypted_content").map(|proof| author.proof(&proof));
    let (opaque, is_redacted) = match proof {
        Some(Proof::Own { opaque, is_redacted }) => (Some(opaque), is_redacted),
        Some(Proof::Previous(_)) | None => (None, false),
    };
    let text = said.or(summary).unwrap_or_default();
    let says = !text.is_empty() || opaque.is_some();
    says.then_some(Reasoning { text, is_summary, opaque, is_redacted, id })
}
