//! Images, sounds, films and documents, which come with a word for their format (wire.md, trap 15).

use crate::bedrock::media::{Kind, format, seen};
use crate::bedrock::wire::Source;
use crate::chat::{self, Loss, Media, Unsupported};
use std::borrow::Cow;
use std::collections::HashSet;

/// The source with its format. `None`: it is left out.
pub(super) fn source<'a>(
    kind: Kind,
    media: &'a Media,
    param: &str,
    loss: &mut Loss<'_>,
) -> Result<Option<(Option<&'static str>, Source<'a>)>, Unsupported> {
    let (source, media_type) = parted(media);
    let named = media_type.and_then(|media_type| format(kind, media_type));
    let source = match source {
        Found::Base64(data) => {
            // What a file says of itself counts where nothing else says anything.
            match named.or_else(|| if media_type.is_none() { seen(kind, data) } else { None }) {
                Some(format) => return Ok(Some((Some(format), Source::Bytes(data)))),
                None => {
                    loss.cannot(param.to_owned(), "is of a format that this target does not take")?;
                    return Ok(None);
                }
            }
        }
        Found::Text(text) if kind == Kind::Document => {
            return Ok(Some((named.or(Some("txt")), Source::Text(text))));
        }
        Found::Url(uri) if uri.starts_with("s3://") => Source::S3Location { uri },
        _ => {
            loss.cannot(
                param.to_owned(),
                "lies where this vendor cannot fetch it: it takes bytes and s3://…",
            )?;
            return Ok(None);
        }
    };
    let ending = ending_of(&media.source).and_then(|ending| by_ending(kind, ending));
    match named.or(ending) {
        Some(format) => Ok(Some((Some(format), source))),
        None => {
            loss.cannot(param.to_owned(), "is of a format that neither its type nor its name tells")?;
            Ok(None)
        }
    }
}

/// A name's ending is the format in most cases.
fn by_ending(kind: Kind, ending: &str) -> Option<&'static str> {
    let ending = match ending {
        "jpg" => "jpeg",
        "3gp" => "three_gp",
        "htm" => "html",
        other => other,
    };
    crate::bedrock::media::media_type(kind, ending).and_then(|media_type| format(kind, media_type))
}

/// What the name of a linked file ends in.
fn ending_of(source: &chat::Source) -> Option<&str> {
    match source {
        chat::Source::Url(url) => url.rsplit_once('.').map(|(_, ending)| ending),
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum Found<'a> {
    Base64(&'a str),
    Url(&'a str),
    Text(&'a str),
    File,
}

/// The source and its type; both may stand in a `data:` URL.
fn parted(media: &Media) -> (Found<'_>, Option<&str>) {
    let media_type = media.media_type.as_deref().map(without_parameters);
    match &media.source {
        chat::Source::Base64(data) => (Found::Base64(data), media_type),
        chat::Source::File(_) => (Found::File, media_type),
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

/// Names of documents: letters, digits, single spaces, hyphens and brackets, and each once in a request.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

/// Longest name in bytes that is taken over; the service takes 200.
const NAME_BYTES_MAX: usize = 180;

impl Names {
    /// The name for a document of this title.
    pub(super) fn name(&mut self, title: Option<&str>) -> String {
        let plain = plain(title.unwrap_or_default());
        let mut name = plain.clone().into_owned();
        let mut number = 1;
        while self.0.contains(&name) {
            number += 1;
            name = format!("{plain} ({number})");
        }
        self.0.insert(name.clone());
        name
    }
}

fn plain(title: &str) -> Cow<'static, str> {
    let mut name = String::with_capacity(title.len().min(NAME_BYTES_MAX));
    for c in title.chars() {
        let c = match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '(' | ')' | '[' | ']') => c,
            c if c.is_whitespace() => ' ',
            _ => '-',
        };
        if name.len() >= NAME_BYTES_MAX {
            break;
        }
        if c != ' ' || !(name.is_empty() || name.ends_with(' ')) {
            name.push(c);
        }
    }
    name.truncate(name.trim_end().len());
    // The vendor recommends a neutral one.
    if name.is_empty() { Cow::Borrowed("document") } else { Cow::Owned(name) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::Names;

    #[test]
    fn trap_15_documents_have_names_that_the_service_takes_each_once() {
        let mut names = Names::default();
        for (title, expected) in [
            (Some("Report 7"), "Report 7"),
            (Some("Report 7"), "Report 7 (2)"),
            (Some("Report 7"), "Report 7 (3)"),
            (None, "document"),
            (Some("  "), "document (2)"),
            (Some("q3_final.v2.pdf"), "q3-final-v2-pdf"),
            (Some(" a\t\n b "), "a b"),
            (Some("Größe [1] (x)"), "Gr--e [1] (x)"),
        ] {
            assert_eq!(names.name(title), expected, "{title:?}");
        }
        assert!(names.name(Some(&"ab ".repeat(500))).len() <= 200);
    }
}
