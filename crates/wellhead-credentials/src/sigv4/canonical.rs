//! The form of a request that both sides compute the signature from.

use super::{Parts, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN};
use std::fmt::Write as _;

/// Percent-encodes everything but the unreserved characters of RFC 3986 section 2.3: how the id of a model stands in a
/// path (`anthropic.claude-v2:1` becomes `anthropic.claude-v2%3A1`), and a value in a query or a form.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    encode_into(text, b"", &mut encoded);
    encoded
}

/// The same behind what is in `out`, with further characters left as they are.
pub fn encode_into(text: &str, kept: &[u8], out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// The canonical request, and the names of the headers that are signed.
pub(super) fn request(parts: &Parts<'_>, date: &str, token: Option<&str>, body: &str) -> (String, String) {
    let mut headers = vec![("host", parts.host), (X_AMZ_DATE.as_str(), date)];
    headers.extend(token.map(|token| (X_AMZ_SECURITY_TOKEN.as_str(), token)));
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let signed = names.join(";");
    let mut text = format!("{}\n{}\n{}\n", parts.method, path(parts.path), query(parts.query));
    for (name, value) in headers {
        text.push_str(name);
        text.push(':');
        // Blanks within a value count as one.
        text.push_str(&value.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&signed);
    text.push('\n');
    text.push_str(body);
    (text, signed)
}

/// The path, without its `.`, `..` and empty segments, and encoded once more: every service but S3 encodes twice, so
/// that `%3A` on the wire is `%253A` here.
fn path(sent: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in sent.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let is_folder =
        !segments.is_empty() && [Some(""), Some("."), Some("..")].contains(&sent.rsplit('/').next());
    let mut path = String::with_capacity(sent.len() + 8);
    for segment in &segments {
        path.push('/');
        encode_into(segment, b"", &mut path);
    }
    if is_folder || path.is_empty() {
        path.push('/');
    }
    path
}

/// The pairs in the order of their bytes; they are encoded as they are sent.
fn query(sent: &str) -> String {
    let mut pairs: Vec<(&str, &str)> = sent
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}
