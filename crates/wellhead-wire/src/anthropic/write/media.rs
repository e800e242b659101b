//! Images and documents.

use super::wire::Source;
use crate::chat::{self, Loss, Media, Unsupported};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::borrow::Cow;

const IMAGE_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];
const PDF: &str = "application/pdf";
const PLAIN: &str = "text/plain";

/// An image's source. `None`: it is left out.
pub(super) fn image<'a>(
    media: &'a Media,
    param: &str,
    loss: &mut Loss<'_>,
) -> Result<Option<Source<'a>>, Unsupported> {
    let (source, media_type) = parted(media);
    let Found::Base64(data) = source else { return linked(source, param, loss) };
    // Files begin with bytes that name their kind; their base64 form does too.
    let begins = [("/9j/", 0), ("iVBOR", 1), ("R0lG", 2), ("UklG", 3)];
    let seen =
        || begins.iter().find(|(start, _)| data.starts_with(start)).and_then(|(_, at)| IMAGE_TYPES.get(*at));
    let media_type = media_type.map(|kind| if kind == "image/jpg" { "image/jpeg" } else { kind });
    match media_type.or_else(|| seen().copied()) {
        Some(media_type) if IMAGE_TYPES.contains(&media_type) => {
            Ok(Some(Source::Base64 { media_type, data }))
        }
        _ => {
            loss.cannot(param.to_owned(), "is an image of a kind other than JPEG, PNG, GIF and WebP")?;
            Ok(None)
        }
    }
}

/// A document's source. `None`: it is left out.
pub(super) fn document<'a>(
    media: &'a Media,
    param: &str,
    loss: &mut Loss<'_>,
) -> Result<Option<Source<'a>>, Unsupported> {
    let (source, media_type) = parted(media);
    let data = match source {
        Found::Base64(data) => data,
        Found::Text(text) => return Ok(Some(Source::Text { media_type: PLAIN, data: Cow::Borrowed(text) })),
        link => return linked(link, param, loss),
    };
    match media_type.or_else(|| data.starts_with("JVBERi").then_some(PDF)) {
        Some(PDF) => return Ok(Some(Source::Base64 { media_type: PDF, data })),
        // The vendor takes texts as they are.
        Some(kind) if kind.starts_with("text/") || matches!(kind, "application/json" | "application/xml") => {
            let text = BASE64_STANDARD.decode(data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            if let Some(text) = text {
                return Ok(Some(Source::Text { media_type: PLAIN, data: Cow::Owned(text) }));
            }
        }
        _ => {}
    }
    loss.cannot(param.to_owned(), "is a document other than a PDF or a text in UTF-8")?;
    Ok(None)
}

#[derive(Clone, Copy)]
enum Found<'a> {
    Base64(&'a str),
    Url(&'a str),
    File(&'a str),
    Text(&'a str),
}

/// The source and its type; both may stand in a `data:` URL.
fn parted(media: &Media) -> (Found<'_>, Option<&str>) {
    let media_type = media.media_type.as_deref().map(without_parameters);
    match &media.source {
        chat::Source::Base64(data) => (Found::Base64(data), media_type),
        chat::Source::File(id) => (Found::File(id), media_type),
        chat::Source::Text(text) => (Found::Text(text), media_type),
        chat::Source::Url(url) => {
            let inline = url.strip_prefix("data:").and_then(|rest| rest.split_once(','));
            match inline.and_then(|(head, data)| Some((head.strip_suffix(";base64")?, data))) {
                None => (Found::Url(url), media_type),
                Some((head, data)) => {
                    let named = Some(without_parameters(head)).filter(|kind| !kind.is_empty());
                    (Found::Base64(data), named.or(media_type))
                }
            }
        }
    }
}

fn without_parameters(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or(media_type).trim()
}

fn linked<'a>(
    source: Found<'a>,
    param: &str,
    loss: &mut Loss<'_>,
) -> Result<Option<Source<'a>>, Unsupported> {
    match source {
        Found::Url(url) if url.starts_with("http://") || url.starts_with("https://") => {
            Ok(Some(Source::Url { url }))
        }
        // OpenAI's ids begin with `file-`, Gemini's with `files/`: this vendor has never seen them.
        Found::File(file_id) if !file_id.starts_with("file-") && !file_id.starts_with("files/") => {
            Ok(Some(Source::File { file_id }))
        }
        _ => {
            loss.cannot(param.to_owned(), "lies where this vendor cannot fetch it")?;
            Ok(None)
        }
    }
}
