//! Reading the parts of a content.

use super::media::{detail_of, is_uploaded};
use super::result::{text_of, to_text};
use super::{ARGUMENTS_BYTES_MAX, GEMINI, proto, sign};
use crate::chat::{BadField, Fields, Media, Opaque, Part, Reasoning, Source, ToolCall, ToolResult};
use serde_json::{Map, Value};

/// Gives calls and their responses the ids that they lack.
pub(super) trait Ids {
    /// For a call.
    fn call(&mut self, id: Option<String>, name: &str) -> Box<str>;
    /// For a response.
    fn response(&mut self, id: Option<String>, name: &str) -> Box<str>;
    /// The signature of a part.
    fn signature(&self, text: String) -> Opaque;
}

impl Ids for super::calls::Told {
    fn call(&mut self, id: Option<String>, name: &str) -> Box<str> {
        Self::call(self, id, name)
    }

    fn response(&mut self, id: Option<String>, name: &str) -> Box<str> {
        Self::response(self, id, name)
    }

    fn signature(&self, text: String) -> Opaque {
        sign::from_client(&text)
    }
}

/// What a part is. Everything else is known to this dialect only.
const KINDS: [&str; 5] = ["text", "inlineData", "fileData", "functionCall", "functionResponse"];

/// Reads a part. What the canonical model has no place for makes the whole part one of this dialect, so that nothing of
/// it is lost here; a medium's signature becomes an empty thought before it.
pub(super) fn read(
    path: &str,
    value: Value,
    ids: &mut impl Ids,
    out: &mut Vec<Part>,
) -> Result<(), BadField> {
    let members = proto::members(path, value)?;
    let Some(kind) = kind_of(&members) else {
        if !members.is_empty() {
            out.push(Part::Other(GEMINI, Value::Object(members)));
        }
        return Ok(());
    };
    let mut part = Fields::new(GEMINI, path, Value::Object(members))?;
    let thought = part.flag("thought")?.unwrap_or(false);
    let signature = part.text("thoughtSignature")?.filter(|text| !text.is_empty());
    let opaque = signature.map(|text| ids.signature(text));
    match kind {
        "functionCall" => out.push(call(&mut part, opaque, ids)?),
        "functionResponse" => out.push(response(&mut part, ids)?),
        "inlineData" | "fileData" => {
            out.extend(opaque.map(|opaque| {
                Part::Reasoning(Reasoning { opaque: Some(opaque), is_summary: true, ..Reasoning::default() })
            }));
            out.push(medium(&mut part, kind)?);
        }
        _ => {
            let text = part.text("text")?.unwrap_or_default();
            out.push(if thought {
                // What Google shows of thoughts are summaries.
                Part::Reasoning(Reasoning { text, is_summary: true, opaque, ..Reasoning::default() })
            } else {
                Part::Text { text, citations: Vec::new(), cache: None, opaque }
            });
        }
    }
    Ok(())
}

/// Which of the kinds it is, if the canonical model can hold all of it.
fn kind_of(members: &Map<String, Value>) -> Option<&'static str> {
    let there = |name: &str| members.get(name).is_some_and(|value| !value.is_null());
    let mut kinds = KINDS.into_iter().filter(|kind| there(kind));
    let (first, second) = (kinds.next(), kinds.next());
    if second.is_some() {
        return None;
    }
    // A signature alone comes at the end of streams: an empty text.
    let kind = first.or_else(|| there("thoughtSignature").then_some("text"))?;
    let is_medium = matches!(kind, "inlineData" | "fileData");
    let inner = members.get(kind).and_then(Value::as_object);
    let fits = |name: &str| match name {
        "thoughtSignature" => kind != "functionResponse",
        "thought" => kind == "text" || members.get(name) == Some(&Value::Bool(false)),
        "mediaResolution" => is_medium && is_image(inner) && detail_of(members.get(name)).is_some(),
        _ => name == kind,
    };
    let inner_fits = |name: &str| match (kind, name) {
        ("functionCall", "id" | "name" | "args") => true,
        ("functionResponse", "id" | "name" | "response" | "parts") => true,
        ("inlineData", "mimeType" | "mime_type" | "data") => true,
        ("fileData", "mimeType" | "mime_type" | "fileUri" | "file_uri") => true,
        ("inlineData" | "fileData", "displayName" | "display_name") => family(inner) == Family::Document,
        _ => false,
    };
    let known = |(name, value): (&String, &Value)| value.is_null() || fits(name);
    let known_inside = |(name, value): (&String, &Value)| value.is_null() || inner_fits(name);
    let all = members.iter().all(known) && inner.is_none_or(|inner| inner.iter().all(known_inside));
    all.then_some(kind)
}

fn call(part: &mut Fields, opaque: Option<Opaque>, ids: &mut impl Ids) -> Result<Part, BadField> {
    let mut call =
        proto::child(part, "functionCall")?.ok_or_else(|| part.missing("functionCall", "an object"))?;
    let name: Box<str> = call.need_text("name")?.into();
    let id = call.text("id")?.filter(|id| !id.is_empty());
    // Absent where there are none (wire.md, trap 5).
    let arguments = to_text(&call.map("args")?.unwrap_or_default());
    if arguments.len() > ARGUMENTS_BYTES_MAX {
        return Err(call.invalid("args", "too large", "at most 1 MiB of arguments"));
    }
    let id = ids.call(id, &name);
    Ok(Part::ToolCall(ToolCall { id, name, arguments, is_custom: false, opaque, cache: None }))
}

fn response(part: &mut Fields, ids: &mut impl Ids) -> Result<Part, BadField> {
    let mut response = proto::child(part, "functionResponse")?
        .ok_or_else(|| part.missing("functionResponse", "an object"))?;
    let name: Box<str> = response.need_text("name")?.into();
    let id = response.text("id")?.filter(|id| !id.is_empty());
    let (text, is_error) = text_of(response.map("response")?.unwrap_or_default());
    let mut parts: Vec<Part> = text.map(Part::text).into_iter().collect();
    let path = response.path("parts");
    for (at, value) in proto::repeated(&mut response, "parts")?.into_iter().enumerate() {
        read(&format!("{path}[{at}]"), value, ids, &mut parts)?;
    }
    let call_id = ids.response(id, &name);
    Ok(Part::ToolResult(ToolResult { call_id, name: Some(name), parts, is_error, cache: None }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Image,
    Audio,
    Video,
    Document,
}

/// What kind of medium a blob or a file is. A file without a type is a video where Google reads videos from, and a
/// document elsewhere.
fn family(medium: Option<&Map<String, Value>>) -> Family {
    let text = |names: [&str; 2]| {
        names.into_iter().find_map(|name| medium.and_then(|medium| medium.get(name)).and_then(Value::as_str))
    };
    let is = |media_type: &str, family: &str| {
        media_type.get(..family.len()).is_some_and(|head| head.eq_ignore_ascii_case(family))
    };
    match text(["mimeType", "mime_type"]) {
        Some(media_type) if is(media_type, "image/") => Family::Image,
        Some(media_type) if is(media_type, "audio/") => Family::Audio,
        Some(media_type) if is(media_type, "video/") => Family::Video,
        Some(_) => Family::Document,
        None => match text(["fileUri", "file_uri"]) {
            Some(uri) if uri.contains("youtube.com/") || uri.contains("youtu.be/") => Family::Video,
            _ => Family::Document,
        },
    }
}

fn is_image(medium: Option<&Map<String, Value>>) -> bool {
    family(medium) == Family::Image
}

fn medium(part: &mut Fields, kind: &'static str) -> Result<Part, BadField> {
    let family = family(part.peek(kind).and_then(Value::as_object));
    let detail = part.take("mediaResolution").and_then(|value| detail_of(Some(&value)));
    let mut blob = proto::child(part, kind)?.ok_or_else(|| part.missing(kind, "an object"))?;
    let media_type = blob.text("mimeType")?.filter(|text| !text.is_empty()).map(Box::from);
    let title = blob.text("displayName")?.map(Box::from);
    let source = if kind == "inlineData" {
        Source::Base64(blob.need_text("data")?)
    } else {
        let uri = blob.need_text("fileUri")?;
        if is_uploaded(&uri) { Source::File(uri) } else { Source::Url(uri) }
    };
    let media = Media { source, media_type };
    Ok(match family {
        Family::Image => Part::Image { media, detail, cache: None },
        Family::Audio => Part::Audio { media, id: None, transcript: None },
        Family::Video => Part::Video { media },
        Family::Document => Part::Document { media, title, context: None, citable: None, cache: None },
    })
}
