//! Where images and documents come from.

use super::has_only;
use crate::chat::{BadField, Fields, Media, Source};
use serde_json::Value;

/// Whether the model has a word for the source of a block.
pub(super) fn is_known(block: &Value) -> bool {
    let Some(source) = block.get("source") else { return true };
    match source.get("type").and_then(Value::as_str) {
        Some("base64" | "text") => has_only(source, &["type", "media_type", "data"]),
        Some("url") => has_only(source, &["type", "url"]),
        Some("file") => has_only(source, &["type", "file_id"]),
        // Missing: an error, which the reader explains.
        None => true,
        // A document made of blocks, and what will be invented.
        Some(_) => false,
    }
}

pub(super) fn media(fields: &mut Fields) -> Result<Media, BadField> {
    let missing = fields.missing("source", "an object with `type`");
    let mut source = fields.object("source")?.ok_or(missing)?;
    let kind = source.need_text("type")?;
    let media_type = source.text("media_type")?.map(Into::into);
    let found = match kind.as_str() {
        "url" => Source::Url(source.need_text("url")?),
        "file" => Source::File(source.need_text("file_id")?),
        "text" => Source::Text(source.need_text("data")?),
        _ => Source::Base64(source.need_text("data")?),
    };
    Ok(Media { source: found, media_type })
}
