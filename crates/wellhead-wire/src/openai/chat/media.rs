//! Data URIs, and the names of formats.

use crate::chat::{Media, Source};

/// Takes a URL apart; one that carries its data becomes the data.
pub(crate) fn from_data_uri(mut url: String) -> Media {
    let Some((kind, start)) = header(&url) else {
        return Media { source: Source::Url(url), media_type: None };
    };
    // The data may be megabytes: it is moved, not copied.
    url.drain(..start);
    Media { source: Source::Base64(url), media_type: kind }
}

/// Type and start of the data of `data:type;base64,…`. Other encodings are left to the vendor.
fn header(url: &str) -> Option<(Option<Box<str>>, usize)> {
    let rest = url.strip_prefix("data:")?;
    let comma = rest.find(',')?;
    let kind = rest.get(..comma)?.strip_suffix(";base64")?;
    let kind = kind.split(';').next().filter(|kind| !kind.is_empty());
    Some((kind.map(Box::from), "data:".len() + comma + 1))
}

/// The other way. The type is guessed where nobody said it.
pub(crate) fn data_uri(data: &str, media_type: Option<&str>) -> String {
    format!("data:{};base64,{data}", media_type.unwrap_or_else(|| base64_type(data)))
}

/// What base64 of this beginning is.
pub(crate) fn base64_type(data: &str) -> &'static str {
    const TABLE: [(&str, &str); 6] = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
        ("JVBERi0", "application/pdf"),
        ("SUQz", "audio/mp3"),
    ];
    TABLE
        .iter()
        .find(|(start, _)| data.starts_with(start))
        .map_or("application/octet-stream", |(_, kind)| kind)
}

/// `input_audio.format` of a type.
pub(crate) fn audio_format(media_type: Option<&str>) -> &str {
    match media_type {
        None | Some("audio/x-wav" | "audio/wave" | "audio/vnd.wave") => "wav",
        Some("audio/mpeg") => "mp3",
        Some(kind) => kind.strip_prefix("audio/").unwrap_or(kind),
    }
}
