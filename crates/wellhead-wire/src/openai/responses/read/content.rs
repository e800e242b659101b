//! `content` and `output`: a text or a list of parts.

use super::super::DIALECT;
use crate::chat::{BadField, CacheHint, Dialect, Fields, Media, Part, Source};
use crate::openai::chat::from_data_uri;
use serde_json::{Map, Value, json};

/// Takes the parts. An assistant's may be an empty list.
pub(super) fn decode(fields: &mut Fields, name: &str) -> Result<Vec<Part>, BadField> {
    match fields.peek(name) {
        Some(Value::String(_)) => Ok(fields.text(name)?.map(Part::text).into_iter().collect()),
        Some(Value::Array(_)) => fields.objects(name)?.unwrap_or_default().into_iter().map(part).collect(),
        Some(_) => Err(fields.invalid(name, "neither a text nor a list", "a text or a list of parts")),
        None => Err(fields.missing(name, "a text or a list of parts")),
    }
}

fn part(mut fields: Fields) -> Result<Part, BadField> {
    let kind = fields.peek("type").and_then(Value::as_str).unwrap_or("").to_owned();
    let cache = breakpoint(&mut fields)?;
    match kind.as_str() {
        "input_text" | "output_text" | "text" => {
            let text = fields.need_text("text")?;
            let citations = fields.list("annotations")?.unwrap_or_default();
            let citations = citations.into_iter().map(annotation).collect();
            Ok(Part::Text { text, citations, cache, opaque: None })
        }
        "refusal" => Ok(Part::Refusal(fields.need_text("refusal")?)),
        "input_image" => {
            let detail = fields.text("detail")?.map(Into::into);
            let media = match (fields.text("image_url")?, fields.text("file_id")?) {
                (Some(url), _) => from_data_uri(url),
                (None, Some(id)) => Media { source: Source::File(id), media_type: None },
                (None, None) => return Err(fields.missing("image_url", "a URL, or `file_id`")),
            };
            Ok(Part::Image { media, detail, cache })
        }
        "input_file" => file(&mut fields, cache),
        "input_audio" => audio(&mut fields),
        "" => Err(fields.missing("type", "a string such as `input_text` or `input_image`")),
        _ => {
            let members = fields.rest().of(DIALECT).cloned().unwrap_or_default();
            Ok(Part::Other(DIALECT, Value::Object(members)))
        }
    }
}

fn file(fields: &mut Fields, cache: Option<CacheHint>) -> Result<Part, BadField> {
    let title = fields.text("filename")?.map(Into::into);
    let (data, url, id) = (fields.text("file_data")?, fields.text("file_url")?, fields.text("file_id")?);
    let media = match (data, url, id) {
        (Some(data), ..) if data.starts_with("data:") => from_data_uri(data),
        (Some(data), ..) => Media { source: Source::Base64(data), media_type: None },
        (None, Some(url), _) => Media { source: Source::Url(url), media_type: None },
        (None, None, Some(id)) => Media { source: Source::File(id), media_type: None },
        (None, None, None) => {
            return Err(fields.missing("file_data", "a data URI, or `file_url` or `file_id`"));
        }
    };
    Ok(Part::Document { media, title, context: None, citable: None, cache })
}

fn audio(fields: &mut Fields) -> Result<Part, BadField> {
    let Some(mut inner) = fields.object("input_audio")? else {
        return Err(fields.missing("input_audio", "an object with `data` and `format`"));
    };
    let data = inner.need_text("data")?;
    let format = inner.need_text("format")?;
    let media = Media { source: Source::Base64(data), media_type: Some(format!("audio/{format}").into()) };
    Ok(Part::Audio { media, id: None, transcript: None })
}

/// `prompt_cache_breakpoint`: up to here the prompt is worth keeping.
fn breakpoint(fields: &mut Fields) -> Result<Option<CacheHint>, BadField> {
    let Some(mut hint) = fields.object("prompt_cache_breakpoint")? else { return Ok(None) };
    let ttl_seconds = match hint.text("ttl")?.as_deref() {
        None => None,
        Some("30m") => Some(1800),
        Some("12h") => Some(43_200),
        Some(other) => return Err(hint.invalid("ttl", &super::quoted(other), "`30m` or `12h`")),
    };
    Ok(Some(CacheHint { ttl_seconds }))
}

/// An annotation as a citation. A URL is cited in both of OpenAI's dialects, with another nesting.
pub(in super::super) fn annotation(mut value: Value) -> (Dialect, Value) {
    match &mut value {
        Value::Object(members) if members.get("type") == Some(&json!("url_citation")) => {
            members.shift_remove("type");
            let cited = Value::Object(std::mem::take(members));
            let mut outer = Map::new();
            outer.insert("type".to_owned(), json!("url_citation"));
            outer.insert("url_citation".to_owned(), cited);
            (Dialect::Chat, Value::Object(outer))
        }
        _ => (DIALECT, value),
    }
}
