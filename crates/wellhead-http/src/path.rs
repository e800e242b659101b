//! The path on the AI listener: many spellings, one canonical form, and a refusal of every ambiguous one.
//!
//! The canonical form is what is matched, authorised, recorded and forwarded; nobody after this module looks at the
//! raw path. What different servers would read differently (dot segments, encoded slashes, `;` parameters, double
//! encoding) is refused rather than interpreted.

use std::borrow::Cow;
use std::fmt;

/// Longest path. Real ones are below 300 bytes, even with a long model name; the bound keeps error texts small.
pub const PATH_BYTES_MAX: usize = 2_048;

/// Where names of models follow. They contain slashes (`meta-llama/Llama-3`), and SDKs encode these, so that `%2F` is
/// allowed there. The gateway answers below it itself: nothing of such a path is ever forwarded.
const MODELS: &str = "/v1/models/";

/// Why a path is refused; the text of a 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    /// Longer than `PATH_BYTES_MAX`.
    TooLong(usize),
    /// Does not begin with a slash: `*`, or an authority.
    NotAbsolute,
    /// A byte that RFC 3986 does not allow in a path, or that servers disagree about (`\`, `;`, control characters).
    Byte(u8),
    /// `%` without two hexadecimal digits.
    BadEscape,
    /// An escape of a byte that would change the meaning of the path (`%2F`, `%2e`, `%00`, `%25`, …).
    Escape(u8),
    /// Escapes that are not UTF-8, such as overlong forms.
    NotUtf8,
    /// `.` or `..` as a segment.
    DotSegment,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(bytes) => {
                write!(f, "the path is {bytes} bytes long, at most {PATH_BYTES_MAX} are allowed")
            }
            Self::NotAbsolute => f.write_str("the path must begin with '/'"),
            Self::Byte(b) => write!(f, "the path contains {}, which is not allowed there", Shown(*b)),
            Self::BadEscape => {
                f.write_str("the path contains '%' that is not followed by two hexadecimal digits")
            }
            Self::Escape(b) => {
                write!(f, "the path contains %{b:02X} (an encoded {}), which is ambiguous", Shown(*b))
            }
            Self::NotUtf8 => f.write_str("the path contains escapes that are not valid UTF-8"),
            Self::DotSegment => f.write_str("the path contains a '.' or '..' segment, which is ambiguous"),
        }
    }
}

impl std::error::Error for PathError {}

/// A byte as a person can read it.
struct Shown(u8);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("NUL"),
            b'\r' => f.write_str("CR"),
            b'\n' => f.write_str("LF"),
            b' ' => f.write_str("a space"),
            b @ 0x21..=0x7e => write!(f, "'{}'", char::from(b)),
            b => write!(f, "byte 0x{b:02X}"),
        }
    }
}

/// The canonical form of `path` (without query): `/v1/x` for `/v1/x`, `/x`, `//v1//x`, `/v1/v1/x` and `/x/`; `/v1`
/// for `/`. Does not allocate when `path` is canonical already, and is idempotent.
///
/// # Errors
///
/// `PathError` if the path is ambiguous or malformed; to be answered with 400.
pub fn normalize(path: &str) -> Result<Cow<'_, str>, PathError> {
    if path.len() > PATH_BYTES_MAX {
        return Err(PathError::TooLong(path.len()));
    }
    let Some(rest) = path.strip_prefix('/') else { return Err(PathError::NotAbsolute) };
    let escaped = check_bytes(path.as_bytes())?;
    if segments(rest).any(|s| s == "." || s == "..") {
        return Err(PathError::DotSegment);
    }
    let canonical = if is_canonical(path) { Cow::Borrowed(path) } else { Cow::Owned(rebuild(rest)) };
    if escaped {
        check_escapes(&canonical)?;
    }
    Ok(canonical)
}

/// The model's name in `GET /v1/models/{id}`, decoded; `None` if `canonical` is another path. Slashes belong to the
/// name. `canonical` comes from `normalize`.
pub fn model_id(canonical: &str) -> Option<Cow<'_, str>> {
    let id = canonical.strip_prefix(MODELS)?;
    if !id.contains('%') {
        return Some(Cow::Borrowed(id));
    }
    let mut decoded = Vec::with_capacity(id.len());
    let mut bytes = id.as_bytes();
    while let Some((&b, rest)) = bytes.split_first() {
        let (byte, rest) = match (b, rest) {
            (b'%', [high, low, rest @ ..]) => (escape(*high, *low)?, rest),
            _ => (b, rest),
        };
        decoded.push(byte);
        bytes = rest;
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn segments(rest: &str) -> impl Iterator<Item = &str> {
    rest.split('/').filter(|s| !s.is_empty())
}

fn is_canonical(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/v1") else { return false };
    if rest.is_empty() {
        return true;
    }
    let Some(below) = rest.strip_prefix('/') else { return false };
    !below.is_empty()
        && !below.ends_with('/')
        && !below.contains("//")
        && !below.starts_with('/')
        && below != "v1"
        && !below.starts_with("v1/")
}

fn rebuild(rest: &str) -> String {
    let mut canonical = String::with_capacity(rest.len() + 4);
    canonical.push_str("/v1");
    for segment in segments(rest).skip_while(|s| *s == "v1") {
        canonical.push('/');
        canonical.push_str(segment);
    }
    canonical
}

/// Checks every raw byte; says whether there are escapes.
fn check_bytes(path: &[u8]) -> Result<bool, PathError> {
    let mut escaped = false;
    for &b in path {
        match b {
            // RFC 3986 section 3.3 pchar and "/", without ";": servers disagree whether it begins parameters.
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {}
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@' => {}
            b'%' => escaped = true,
            _ => return Err(PathError::Byte(b)),
        }
    }
    Ok(escaped)
}

fn check_escapes(path: &str) -> Result<(), PathError> {
    let slash_allowed = path.starts_with(MODELS);
    let mut decoded = Vec::with_capacity(path.len());
    let mut segment_start = 0;
    let mut bytes = path.as_bytes();
    while let Some((&b, rest)) = bytes.split_first() {
        let (byte, after) = match (b, rest) {
            (b'%', [high, low, after @ ..]) => {
                let byte = escape(*high, *low).ok_or(PathError::BadEscape)?;
                match byte {
                    b'/' if slash_allowed => {}
                    // "%" begins a second layer of escapes; the others end or change a path for some servers.
                    0..=0x1f | 0x7f | b'/' | b'\\' | b'.' | b';' | b'?' | b'#' | b'%' => {
                        return Err(PathError::Escape(byte));
                    }
                    _ => {}
                }
                (byte, after)
            }
            (b'%', _) => return Err(PathError::BadEscape),
            _ => (b, rest),
        };
        if byte == b'/' {
            check_segment(&decoded, segment_start)?;
            segment_start = decoded.len() + 1;
        }
        decoded.push(byte);
        bytes = after;
    }
    check_segment(&decoded, segment_start)?;
    // Overlong forms (%C0%AE) and lone surrogates are not UTF-8 for Rust.
    std::str::from_utf8(&decoded).map(drop).map_err(|_| PathError::NotUtf8)
}

/// With encoded slashes allowed, `..%2F..` would be two dot segments after decoding.
fn check_segment(decoded: &[u8], start: usize) -> Result<(), PathError> {
    match decoded.get(start..) {
        Some(b"." | b"..") => Err(PathError::DotSegment),
        _ => Ok(()),
    }
}

fn escape(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests;
