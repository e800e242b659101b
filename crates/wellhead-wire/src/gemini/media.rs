//! Images, sounds, films and documents: bytes, or where they are.

use super::written::{Blob, File, Ours};
use crate::chat::{Media, Source};
use serde_json::Value;

/// A medium as this dialect has it; `None` for an upload of another vendor's. Google wants to know the type.
pub(super) fn bytes<'a>(
    media: &'a Media,
    fallback: &'static str,
    display_name: Option<&'a str>,
) -> Option<Ours<'a>> {
    let said = media.media_type.as_deref();
    let blob = |mime_type: &'a str, data: &'a str| Ours {
        inline_data: Some(Blob { mime_type: Some(mime_type.into()), data: data.into(), display_name }),
        ..Ours::default()
    };
    match &media.source {
        Source::Base64(data) => Some(blob(said.unwrap_or_else(|| sniffed(data).unwrap_or(fallback)), data)),
        Source::Text(text) => Some(Ours::text(text.as_str())),
        Source::File(uri) if !is_uploaded(uri) => None,
        Source::Url(uri) | Source::File(uri) => {
            if let Some((head, data)) = uri.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"))
            {
                return Some(blob(if head.is_empty() { fallback } else { head }, data));
            }
            let mime_type = said.unwrap_or_else(|| extension(uri).unwrap_or(fallback));
            let file = File { mime_type: Some(mime_type.into()), file_uri: uri.into(), display_name };
            Some(Ours { file_data: Some(file), ..Ours::default() })
        }
    }
}

/// The type by the first bytes, in base64.
fn sniffed(data: &str) -> Option<&'static str> {
    const TABLE: [(&str, &str); 5] = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("JVBERi0", "application/pdf"),
        ("SUQz", "audio/mpeg"),
    ];
    TABLE.iter().find(|(head, _)| data.starts_with(head)).map(|(_, media_type)| *media_type)
}

/// The type by the name's end.
fn extension(uri: &str) -> Option<&'static str> {
    const TABLE: [(&str, &str); 14] = [
        (".png", "image/png"),
        (".jpg", "image/jpeg"),
        (".jpeg", "image/jpeg"),
        (".webp", "image/webp"),
        (".gif", "image/gif"),
        (".heic", "image/heic"),
        (".pdf", "application/pdf"),
        (".txt", "text/plain"),
        (".mp3", "audio/mpeg"),
        (".wav", "audio/wav"),
        (".mp4", "video/mp4"),
        (".mov", "video/quicktime"),
        (".webm", "video/webm"),
        (".html", "text/html"),
    ];
    let path = uri.split(['?', '#']).next().unwrap_or("").to_ascii_lowercase();
    TABLE.iter().find(|(end, _)| path.ends_with(end)).map(|(_, media_type)| *media_type)
}

/// Google's own stores: nobody else can fetch from there.
pub(super) fn is_uploaded(uri: &str) -> bool {
    uri.starts_with("gs://")
        || (uri.starts_with("https://generativelanguage.googleapis.com/") && uri.contains("/files/"))
}

/// The levels of a medium's resolution, by what the canonical model calls the detail of an image.
const LEVELS: [(&str, &str); 4] = [
    ("low", "MEDIA_RESOLUTION_LOW"),
    ("medium", "MEDIA_RESOLUTION_MEDIUM"),
    ("high", "MEDIA_RESOLUTION_HIGH"),
    ("ultra_high", "MEDIA_RESOLUTION_ULTRA_HIGH"),
];

/// The level for a detail, if there is one.
pub(super) fn level_of(detail: &str) -> Option<&'static str> {
    LEVELS.iter().find(|(known, _)| *known == detail).map(|(_, level)| *level)
}

/// The detail that a medium's resolution says, if that is all it says.
pub(super) fn detail_of(resolution: Option<&Value>) -> Option<Box<str>> {
    let resolution = resolution?.as_object().filter(|members| members.len() == 1)?;
    let level = resolution.get("level")?.as_str()?;
    LEVELS.iter().find(|(_, known)| *known == level).map(|(detail, _)| (*detail).into())
}
