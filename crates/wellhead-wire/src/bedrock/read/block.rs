//! Content blocks: objects of one member, whose name says what they are.

use super::Author;
use crate::bedrock::DIALECT;
use crate::bedrock::media::{Kind, media_type};
use crate::chat::{
    BadField, CacheHint, Fields, Media, Opaque, Part, Reasoning, Source, ToolCall, ToolResult,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

/// The parts of a list of blocks. What the model has no member for stays whole, as this dialect's own.
pub(in crate::bedrock) fn blocks(
    path: &str,
    list: Vec<Value>,
    author: Author<'_>,
) -> Result<Vec<Part>, BadField> {
    let mut parts = Vec::with_capacity(list.len());
    for (number, value) in list.into_iter().enumerate() {
        if let Some(hint) = cache_hint(&value)
            && let Some(slot) = parts.last_mut().and_then(cache_of)
            && slot.is_none()
        {
            *slot = Some(hint);
            continue;
        }
        parts.push(block(format!("{path}[{number}]"), value, author)?);
    }
    Ok(parts)
}

fn block(path: String, value: Value, author: Author<'_>) -> Result<Part, BadField> {
    let whole = |value| Part::Other(DIALECT, value);
    let Value::Object(members) = value else {
        return Fields::new(DIALECT, path, value).map(|_| whole(Value::Null));
    };
    // Empty members of the union are left out by some clients and written as null by others.
    let mut said = members.iter().filter(|(_, value)| !value.is_null());
    let (Some((name, inner)), None) = (said.next(), said.next()) else {
        let bad = Fields::new(DIALECT, path, Value::Object(members))?;
        return Err(bad.missing("text", "exactly one member, such as `text`"));
    };
    let name = name.clone();
    let inner_path = format!("{path}.{name}");
    let inner_has = |names: &[&str]| has_only(inner, names);
    match name.as_str() {
        "image" | "video" | "audio" if inner_has(&["format", "source"]) && is_known_source(inner) => {
            media(&name, inner_path, inner.clone())
        }
        "document"
            if inner_has(&["format", "name", "source", "context", "citations"]) && is_known_source(inner) =>
        {
            document(inner_path, inner.clone())
        }
        "toolUse" if inner_has(&["toolUseId", "name", "input"]) => call(inner_path, taken(members, &name)),
        "toolResult" if inner_has(&["toolUseId", "content", "status"]) => {
            result(inner_path, taken(members, &name), author)
        }
        "text" => {
            let mut fields = Fields::new(DIALECT, path, Value::Object(members))?;
            Ok(Part::text(fields.need_text("text")?))
        }
        "reasoningContent" => thought(inner_path, inner.clone(), author),
        "citationsContent" if inner_has(&["content", "citations"]) => Ok(cited(inner)),
        _ => Ok(whole(Value::Object(members))),
    }
}

fn taken(mut members: Map<String, Value>, name: &str) -> Value {
    members.get_mut(name).map(Value::take).unwrap_or_default()
}

/// Whether an object has no other members than these.
fn has_only(value: &Value, names: &[&str]) -> bool {
    let Some(members) = value.as_object() else { return true };
    members.iter().all(|(name, value)| value.is_null() || names.contains(&name.as_str()))
}

/// Bytes, a text, or a place in a store that is the caller's own.
fn is_known_source(inner: &Value) -> bool {
    let Some(source) = inner.get("source") else { return true };
    has_only(source, &["bytes", "text", "s3Location"])
        && source.get("s3Location").is_none_or(|place| has_only(place, &["uri"]))
}

fn cache_hint(value: &Value) -> Option<CacheHint> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let point = members.get("cachePoint").filter(|point| has_only(point, &["type", "ttl"]))?;
    match point.get("ttl").and_then(Value::as_str) {
        None => Some(CacheHint { ttl_seconds: None }),
        Some("5m") => Some(CacheHint { ttl_seconds: Some(300) }),
        Some("1h") => Some(CacheHint { ttl_seconds: Some(3600) }),
        Some(_) => None,
    }
}

/// Where a part keeps its hint.
const fn cache_of(part: &mut Part) -> Option<&mut Option<CacheHint>> {
    match part {
        Part::Text { cache, .. } | Part::Image { cache, .. } | Part::Document { cache, .. } => Some(cache),
        Part::ToolCall(call) => Some(&mut call.cache),
        Part::ToolResult(result) => Some(&mut result.cache),
        _ => None,
    }
}

/// A mark behind a tool.
pub(super) fn tool_cache(value: &Value) -> Option<CacheHint> {
    cache_hint(value)
}

fn source(fields: &mut Fields, kind: Kind) -> Result<Media, BadField> {
    let format = fields.text("format")?;
    let missing = fields.missing("source", "an object with `bytes` or `s3Location`");
    let mut source = fields.object("source")?.ok_or(missing)?;
    let found = if let Some(bytes) = source.text("bytes")? {
        Source::Base64(bytes)
    } else if let Some(text) = source.text("text")? {
        Source::Text(text)
    } else {
        let missing = source.missing("bytes", "bytes as base64");
        let mut place = source.object("s3Location")?.ok_or(missing)?;
        Source::Url(place.need_text("uri")?)
    };
    let known = format.as_deref().and_then(|format| media_type(kind, format));
    // Formats that are newer than this gateway are types of their own.
    let other = || format.as_deref().map(|format| Box::from(format!("application/{format}")));
    Ok(Media { source: found, media_type: known.map(Into::into).or_else(other) })
}

fn media(name: &str, path: String, value: Value) -> Result<Part, BadField> {
    let mut fields = Fields::new(DIALECT, path, value)?;
    Ok(match name {
        "image" => Part::Image { media: source(&mut fields, Kind::Image)?, detail: None, cache: None },
        "video" => Part::Video { media: source(&mut fields, Kind::Video)? },
        _ => Part::Audio { media: source(&mut fields, Kind::Audio)?, id: None, transcript: None },
    })
}

fn document(path: String, value: Value) -> Result<Part, BadField> {
    let mut fields = Fields::new(DIALECT, path, value)?;
    let citable = match fields.object("citations")? {
        None => None,
        Some(mut citations) => citations.flag("enabled")?,
    };
    Ok(Part::Document {
        media: source(&mut fields, Kind::Document)?,
        title: Some(fields.need_text("name")?.into()),
        context: fields.text("context")?,
        citable,
        cache: None,
    })
}

fn thought(path: String, value: Value, author: Author<'_>) -> Result<Part, BadField> {
    let mut fields = Fields::new(DIALECT, path, value)?;
    if let Some(data) = fields.text("redactedContent")? {
        let opaque = Some(redacted(&data, author));
        return Ok(Part::Reasoning(Reasoning { opaque, is_redacted: true, ..Reasoning::default() }));
    }
    let missing = fields.missing("reasoningText", "an object with `text`");
    let mut inner = fields.object("reasoningText")?.ok_or(missing)?;
    let text = inner.need_text("text")?;
    // Without a signature: thoughts of a vendor that proves nothing.
    let signature = inner.text("signature")?.filter(|signature| !signature.is_empty());
    let opaque = signature.map(|signature| author.opaque(&signature));
    Ok(Part::Reasoning(Reasoning { text, opaque, ..Reasoning::default() }))
}

/// Towards clients, what says where it came from is base64 of that.
fn redacted(data: &str, author: Author<'_>) -> Opaque {
    if let Author::Client = author {
        let inner = BASE64_STANDARD.decode(data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(tagged) = inner.map(|text| Opaque::from_text(DIALECT, &text))
            && tagged.origin.is_some()
        {
            return tagged;
        }
    }
    author.opaque(data)
}

fn call(path: String, value: Value) -> Result<Part, BadField> {
    let mut fields = Fields::new(DIALECT, path, value)?;
    let arguments = fields.take("input").map_or_else(|| "{}".to_owned(), |input| input.to_string());
    Ok(Part::ToolCall(ToolCall {
        id: fields.need_text("toolUseId")?.into(),
        name: fields.need_text("name")?.into(),
        arguments,
        is_custom: false,
        opaque: None,
        cache: None,
    }))
}

fn result(path: String, value: Value, author: Author<'_>) -> Result<Part, BadField> {
    let mut fields = Fields::new(DIALECT, path, value)?;
    let content = fields.path("content");
    let mut parts = Vec::new();
    for (number, mut value) in fields.list("content")?.unwrap_or_default().into_iter().enumerate() {
        // JSON is a text everywhere else.
        match value.get_mut("json").map(Value::take) {
            Some(json) if !json.is_null() => parts.push(Part::text(json.to_string())),
            _ => parts.push(block(format!("{content}[{number}]"), value, author)?),
        }
    }
    Ok(Part::ToolResult(ToolResult {
        call_id: fields.need_text("toolUseId")?.into(),
        name: None,
        parts,
        is_error: fields.text("status")?.as_deref() == Some("error"),
        cache: None,
    }))
}

fn cited(inner: &Value) -> Part {
    let list = |name: &str| inner.get(name).and_then(Value::as_array).into_iter().flatten();
    let text = list("content").filter_map(|said| said.get("text")?.as_str()).collect();
    let citations = list("citations").map(|citation| (DIALECT, citation.clone())).collect();
    Part::Text { text, citations, cache: None, opaque: None }
}
