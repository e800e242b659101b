//! `multipart/form-data` (RFC 7578): finding a few plain fields without reading the files beside them.

use memchr::memmem;
use std::borrow::Cow;
use std::ops::Range;

#[cfg(test)]
mod tests;

/// Parts of one form. The largest known API takes a few dozen.
pub const PARTS_MAX: usize = 1000;

/// Header bytes of one part; a disposition with a long file name takes a few hundred.
pub const PART_HEADER_BYTES_MAX: usize = 8 * 1024;

/// RFC 2046 section 5.1.1.
pub const BOUNDARY_BYTES_MAX: usize = 70;

/// Why a form cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message is the documentation")]
pub enum FormError {
    #[error(
        "the content type is not `multipart/form-data; boundary=...` with a boundary of 1 to 70 characters"
    )]
    NoBoundary,
    #[error("the form does not begin with its boundary: `--{boundary}` was expected on a line of its own")]
    NoFirstBoundary { boundary: String },
    #[error("part {part} of the form has no end: `--{boundary}` was expected after byte {at}")]
    Unterminated { part: usize, boundary: String, at: usize },
    #[error("the headers of part {part} do not end within {PART_HEADER_BYTES_MAX} bytes")]
    HeadersTooLong { part: usize },
    #[error("part {part} has no `Content-Disposition: form-data; name=\"...\"`")]
    NoName { part: usize },
    #[error("the form has more than {PARTS_MAX} parts")]
    TooManyParts,
    #[error("field `{name}` appears twice; send it once")]
    Duplicate { name: &'static str },
    #[error("field `{name}` is sent as a file or in a transfer encoding; send it as a plain field")]
    NotPlain { name: &'static str },
}

/// The boundary of a `Content-Type` header's value, if that says `multipart/form-data`.
pub fn boundary(content_type: &str) -> Result<Cow<'_, str>, FormError> {
    let (kind, parameters) = content_type.split_once(';').ok_or(FormError::NoBoundary)?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Err(FormError::NoBoundary);
    }
    let boundary = parameter(parameters, "boundary").ok_or(FormError::NoBoundary)?;
    if boundary.is_empty() || boundary.len() > BOUNDARY_BYTES_MAX || boundary.ends_with(' ') {
        return Err(FormError::NoBoundary);
    }
    Ok(boundary)
}

/// Checks the frame of the whole form and gives the spans of the values of the fields `names`, in that order.
pub fn scan<const N: usize>(
    body: &[u8],
    boundary: &str,
    names: &[&'static str; N],
) -> Result<[Option<Range<usize>>; N], FormError> {
    let delimiter = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(delimiter.as_bytes());
    let mut found = [const { None }; N];
    let mut next = first_delimiter(body, &delimiter, &finder)
        .ok_or_else(|| FormError::NoFirstBoundary { boundary: boundary.to_owned() })?;
    let mut part = 0;
    while let Delimiter::Part { start } = next {
        part += 1;
        if part > PARTS_MAX {
            return Err(FormError::TooManyParts);
        }
        // The empty line may stand directly behind the boundary's own line end, which therefore is looked at too.
        let head = body.get(start - 2..).unwrap_or_default();
        let window = &head[..head.len().min(PART_HEADER_BYTES_MAX)];
        let head_len = memmem::find(window, b"\r\n\r\n").ok_or(FormError::HeadersTooLong { part })?;
        let value_start = start - 2 + head_len + 4;
        // The line end of an empty value is the one that ended the headers.
        let (value_end, after) =
            find_delimiter(body, value_start - 2, &finder, delimiter.len()).ok_or_else(|| {
                FormError::Unterminated { part, boundary: boundary.to_owned(), at: value_start }
            })?;
        let header = PartHeader::parse(&head[2.min(head_len)..head_len]).ok_or(FormError::NoName { part })?;
        if let Some(index) = names.iter().position(|name| header.name == *name) {
            let name = names[index];
            if !header.plain {
                return Err(FormError::NotPlain { name });
            }
            if found[index].replace(value_start..value_end.max(value_start)).is_some() {
                return Err(FormError::Duplicate { name });
            }
        }
        next = after;
    }
    Ok(found)
}

enum Delimiter {
    /// Another part, whose headers start here.
    Part { start: usize },
    /// The closing one.
    Close,
}

fn first_delimiter(body: &[u8], delimiter: &str, finder: &memmem::Finder<'_>) -> Option<Delimiter> {
    // In front of the first part the line end before the boundary is optional.
    let bare = &delimiter.as_bytes()[2..];
    if body.starts_with(bare)
        && let Some(next) = after_delimiter(body, bare.len())
    {
        return Some(next);
    }
    find_delimiter(body, 0, finder, delimiter.len()).map(|(_, next)| next)
}

/// The next delimiter at or after `from`: where it begins and what follows it. A line that only begins like the
/// boundary is content.
fn find_delimiter(
    body: &[u8],
    mut from: usize,
    finder: &memmem::Finder<'_>,
    delimiter_len: usize,
) -> Option<(usize, Delimiter)> {
    loop {
        let at = from + finder.find(body.get(from..)?)?;
        if let Some(next) = after_delimiter(body, at + delimiter_len) {
            return Some((at, next));
        }
        from = at + 2;
    }
}

fn after_delimiter(body: &[u8], end: usize) -> Option<Delimiter> {
    let rest = body.get(end..)?;
    if rest.starts_with(b"--") {
        return Some(Delimiter::Close);
    }
    // Transport padding (RFC 2046) is white space before the line end.
    let padding = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    rest[padding..].starts_with(b"\r\n").then_some(Delimiter::Part { start: end + padding + 2 })
}

struct PartHeader {
    name: String,
    /// Neither a file nor encoded.
    plain: bool,
}

impl PartHeader {
    fn parse(head: &[u8]) -> Option<Self> {
        let head = String::from_utf8_lossy(head);
        let mut name = None;
        let mut plain = true;
        for line in head.split("\r\n") {
            let Some((field, value)) = line.split_once(':') else { continue };
            let field = field.trim();
            if field.eq_ignore_ascii_case("content-disposition") {
                let (kind, parameters) = value.split_once(';')?;
                if !kind.trim().eq_ignore_ascii_case("form-data") {
                    return None;
                }
                name = Some(parameter(parameters, "name")?.into_owned());
                plain &= parameter(parameters, "filename").is_none()
                    && parameter(parameters, "filename*").is_none();
            } else if field.eq_ignore_ascii_case("content-transfer-encoding") {
                plain &= ["7bit", "8bit", "binary"].iter().any(|e| value.trim().eq_ignore_ascii_case(e));
            }
        }
        name.map(|name| Self { name, plain })
    }
}

/// The value of a `; name=value` parameter, unquoted. The first one counts.
fn parameter<'a>(mut rest: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.rsplit(';').next().unwrap_or(name).trim();
        let (value, tail) = match after.trim_start().strip_prefix('"') {
            Some(inside) => quoted_string(inside)?,
            None => {
                let (value, tail) = after.split_once(';').unwrap_or((after, ""));
                (Cow::Borrowed(value.trim()), tail)
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = tail;
    }
}

/// The text up to the closing quote, and what follows it. Only `\"` and `\\` are escapes: browsers send Windows
/// paths with bare backslashes.
fn quoted_string(inside: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut value = String::new();
    let mut plain_from = 0;
    let bytes = inside.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' if plain_from == 0 && value.is_empty() => {
                return Some((Cow::Borrowed(&inside[..at]), &inside[at + 1..]));
            }
            b'"' => {
                value.push_str(&inside[plain_from..at]);
                return Some((Cow::Owned(value), &inside[at + 1..]));
            }
            b'\\' if matches!(bytes.get(at + 1), Some(b'"' | b'\\')) => {
                value.push_str(&inside[plain_from..at]);
                plain_from = at + 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    None
}
