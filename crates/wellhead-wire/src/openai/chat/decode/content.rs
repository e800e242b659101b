//! `content`: a text or a list of parts.

use super::super::from_data_uri;
use crate::chat::{BadField, CacheHint, Dialect, Fields, Media, Part, Source};
use serde_json::Value;

/// Takes `content`. Empty if there is none; an assistant's may be missing beside its calls.
pub(super) fn decode(fields: &mut Fields, is_assistant: bool) -> Result<Vec<Part>, BadField> {
    match fields.peek("content") {
        Some(Value::String(_)) => Ok(fields.text("content")?.map(Part::text).into_iter().collect()),
        Some(Value::Array(list)) if list.iter().any(Value::is_string) => {
            // Some clients write bare texts into the list.
            let list = fields.list("content")?.unwrap_or_default();
            let base = fields.path("content");
            list.into_iter().enumerate().map(|(i, value)| bare(&base, i, value)).collect()
        }
        Some(Value::Array(_)) => {
            fields.objects("content")?.unwrap_or_default().into_iter().map(part).collect()
        }
        Some(_) => Err(fields.invalid("content", "neither a text nor a list", "a text or a list of parts")),
        None if is_assistant => Ok(Vec::new()),
        None => Ok(Vec::new()),
    }
}

fn bare(base: &str, place: usize, value: Value) -> Result<Part, BadField> {
    match value {
        Value::String(text) => Ok(Part::text(text)),
        value => part(Fields::new(Dialect::Chat, format!("{base}[{place}]"), value)?),
    }
}

fn part(mut fields: Fields) -> Result<Part, BadField> {
    let kind = fields.peek("type").and_then(Value::as_str).unwrap_or("").to_owned();
    let cache = cache(&mut fields)?;
    match kind.as_str() {
        "text" | "input_text" | "output_text" => {
            Ok(Part::Text { text: fields.need_text("text")?, citations: Vec::new(), cache, opaque: None })
        }
        "image_url" => {
            let (url, detail) = url(&mut fields, "image_url")?;
            Ok(Part::Image { media: from_data_uri(url), detail, cache })
        }
        "input_audio" => audio(&mut fields),
        "audio_url" => {
            let media = from_data_uri(url(&mut fields, "audio_url")?.0);
            Ok(Part::Audio { media, id: None, transcript: None })
        }
        "video_url" => Ok(Part::Video { media: from_data_uri(url(&mut fields, "video_url")?.0) }),
        "file" => file(&mut fields, cache),
        "refusal" => Ok(Part::Refusal(fields.need_text("refusal")?)),
        "" => Err(fields.missing("type", "a string such as `text` or `image_url`")),
        _ => {
            let mut members = fields.rest().of(Dialect::Chat).cloned().unwrap_or_default();
            if let Some(hint) = cache {
                members.insert("cache_control".to_owned(), super::super::encode::cache_control(hint));
            }
            Ok(Part::Other(Dialect::Chat, Value::Object(members)))
        }
    }
}

/// `{"url": …, "detail": …}`, or the URL itself.
fn url(fields: &mut Fields, name: &str) -> Result<(String, Option<Box<str>>), BadField> {
    if matches!(fields.peek(name), Some(Value::String(_))) {
        return Ok((fields.need_text(name)?, None));
    }
    let Some(mut inner) = fields.object(name)? else {
        return Err(fields.missing(name, "an object with `url`"));
    };
    Ok((inner.need_text("url")?, inner.text("detail")?.map(Into::into)))
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

fn file(fields: &mut Fields, cache: Option<CacheHint>) -> Result<Part, BadField> {
    let Some(mut inner) = fields.object("file")? else {
        return Err(fields.missing("file", "an object with `file_data` or `file_id`"));
    };
    let media = match (inner.text("file_data")?, inner.text("file_id")?) {
        (Some(data), _) if data.starts_with("data:") || data.starts_with("http") => from_data_uri(data),
        (Some(data), _) => Media { source: Source::Base64(data), media_type: None },
        (None, Some(id)) => Media { source: Source::File(id), media_type: None },
        (None, None) => return Err(inner.missing("file_data", "a data URI, or `file_id`")),
    };
    let title = inner.text("filename")?.map(Into::into);
    Ok(Part::Document { media, title, context: None, citable: None, cache })
}

/// `cache_control`, as OpenRouter and others took it over from Anthropic.
pub(super) fn cache(fields: &mut Fields) -> Result<Option<CacheHint>, BadField> {
    let Some(mut control) = fields.object("cache_control")? else { return Ok(None) };
    let ttl_seconds = match control.text("ttl")?.as_deref() {
        None => None,
        Some("5m") => Some(300),
        Some("1h") => Some(3600),
        Some(other) => {
            let found = format!("`{}`", other.chars().take(40).collect::<String>());
            return Err(control.invalid("ttl", &found, "`5m` or `1h`"));
        }
    };
    Ok(Some(CacheHint { ttl_seconds }))
}
