//! Content blocks.

use super::{Author, DIALECT, FOR_PREVIOUS, cache, has_only, source};
use crate::chat::{BadField, Fields, Opaque, Part, Reasoning, ToolCall, ToolResult};
use serde_json::Value;

/// One block. What the model has no member for stays whole, as this dialect's own: blocks of tools that run at the
/// vendor, and known blocks with options that only this dialect has.
pub(in crate::anthropic) fn block(path: String, value: Value, author: Author<'_>) -> Result<Part, BadField> {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    match kind {
        "text" if has_only(&value, &["type", "text", "citations", "cache_control"]) => text(path, value),
        "thinking" | "redacted_thinking" if has_only(&value, &["type", "thinking", "signature", "data"]) => {
            thought(path, value, author)
        }
        "tool_use" if is_plain_call(&value) => call(path, value).map(Part::ToolCall),
        "tool_result"
            if has_only(&value, &["type", "tool_use_id", "content", "is_error", "cache_control"]) =>
        {
            result(path, value, author).map(Part::ToolResult)
        }
        "image" if has_only(&value, &["type", "source", "cache_control"]) && source::is_known(&value) => {
            let mut fields = Fields::new(DIALECT, path, value)?;
            Ok(Part::Image { media: source::media(&mut fields)?, detail: None, cache: cache(&mut fields)? })
        }
        "document" if is_plain_document(&value) => document(path, value),
        "" => {
            let mut fields = Fields::new(DIALECT, path, value)?;
            fields.need_text("type")?;
            Err(fields.missing("type", "the kind of block"))
        }
        _ => Ok(Part::Other(DIALECT, value)),
    }
}

fn text(path: String, value: Value) -> Result<Part, BadField> {
    let mut fields = Fields::new(DIALECT, path, value)?;
    let citations = fields.list("citations")?.unwrap_or_default();
    Ok(Part::Text {
        text: fields.need_text("text")?,
        citations: citations.into_iter().map(|citation| (DIALECT, citation)).collect(),
        cache: cache(&mut fields)?,
        opaque: None,
    })
}

fn thought(path: String, value: Value, author: Author<'_>) -> Result<Part, BadField> {
    let mut fields = Fields::new(DIALECT, path, value)?;
    if let Some(data) = fields.text("data")? {
        let opaque = Some(author.opaque(&data));
        return Ok(Part::Reasoning(Reasoning { opaque, is_redacted: true, ..Reasoning::default() }));
    }
    let text = fields.need_text("thinking")?;
    // Without a signature: thoughts of a vendor that proves nothing.
    let signature = fields.text("signature")?.filter(|signature| !signature.is_empty());
    let opaque = signature.map(|signature| author.opaque(&signature));
    Ok(Part::Reasoning(Reasoning { text, opaque, ..Reasoning::default() }))
}

/// Called by the model itself; calls by the vendor's own code have a meaning in this dialect alone.
pub(in crate::anthropic) fn is_plain_call(value: &Value) -> bool {
    let by_model = value.pointer("/caller/type").is_none_or(|caller| caller == "direct");
    by_model && has_only(value, &["type", "id", "name", "input", "cache_control", "caller"])
}

fn call(path: String, value: Value) -> Result<ToolCall, BadField> {
    let mut fields = Fields::new(DIALECT, path, value)?;
    let input = fields.map("input")?;
    let arguments = input.map_or_else(|| "{}".to_owned(), |input| Value::Object(input).to_string());
    Ok(ToolCall {
        id: fields.need_text("id")?.into(),
        name: fields.need_text("name")?.into(),
        arguments,
        is_custom: false,
        opaque: None,
        cache: cache(&mut fields)?,
    })
}

fn result(path: String, value: Value, author: Author<'_>) -> Result<ToolResult, BadField> {
    let mut fields = Fields::new(DIALECT, path, value)?;
    let parts = content(&mut fields, "content", author)?.unwrap_or_default();
    Ok(ToolResult {
        call_id: fields.need_text("tool_use_id")?.into(),
        name: None,
        parts,
        is_error: fields.flag("is_error")?.unwrap_or(false),
        cache: cache(&mut fields)?,
    })
}

/// A text, or blocks. `None` if the member is not there.
pub(super) fn content(
    fields: &mut Fields,
    name: &str,
    author: Author<'_>,
) -> Result<Option<Vec<Part>>, BadField> {
    let path = fields.path(name);
    match fields.take(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(vec![Part::text(text)])),
        Some(Value::Array(blocks)) => {
            let mut parts = Vec::with_capacity(blocks.len());
            for (number, value) in blocks.into_iter().enumerate() {
                attach(&mut parts, block(format!("{path}[{number}]"), value, author)?);
            }
            Ok(Some(parts))
        }
        Some(_) => Err(fields.invalid(name, "neither", "a string or a list of blocks")),
    }
}

/// Adds a block to those before it; a proof that belongs to the one before goes there.
pub(in crate::anthropic) fn attach(parts: &mut Vec<Part>, mut part: Part) {
    if let Part::Reasoning(Reasoning { text, opaque: Some(proof), .. }) = &mut part
        && text.is_empty()
        && let Some(tagged) = proof.data.strip_prefix(FOR_PREVIOUS)
    {
        *proof = Opaque::from_text(DIALECT, tagged);
        if let Some(Part::Text { opaque, .. } | Part::ToolCall(ToolCall { opaque, .. })) = parts.last_mut()
            && opaque.is_none()
        {
            *opaque = Some(proof.clone());
            return;
        }
    }
    parts.push(part);
}

fn is_plain_document(value: &Value) -> bool {
    let citations = value.get("citations").unwrap_or(&Value::Null);
    has_only(value, &["type", "source", "title", "context", "citations", "cache_control"])
        && has_only(citations, &["enabled"])
        && source::is_known(value)
}

fn document(path: String, value: Value) -> Result<Part, BadField> {
    let mut fields = Fields::new(DIALECT, path, value)?;
    let citable = match fields.object("citations")? {
        None => None,
        Some(mut citations) => citations.flag("enabled")?,
    };
    Ok(Part::Document {
        media: source::media(&mut fields)?,
        title: fields.text("title")?.map(Into::into),
        context: fields.text("context")?,
        citable,
        cache: cache(&mut fields)?,
    })
}
