//! What an answer is, by its headers.

use crate::exchange::Call;
use http::{HeaderMap, header};
use wellhead_wire::bedrock;

/// How the answer is compressed, although nobody asked for it.
pub(super) fn coding(headers: &HeaderMap) -> Option<&[u8]> {
    let coding = headers.get(header::CONTENT_ENCODING)?.as_bytes().trim_ascii();
    (!coding.eq_ignore_ascii_case(b"identity")).then_some(coding)
}

/// Whether the client said that it takes this coding (RFC 9110 section 12.5.3).
pub(super) fn accepts(call: &Call<'_>, coding: &[u8]) -> bool {
    let listed = call.headers.get_all(header::ACCEPT_ENCODING).iter().flat_map(|value| {
        value.as_bytes().split(|b| *b == b',').map(|item| {
            let mut parts = item.split(|b| *b == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            let refused =
                parts.any(|p| p.starts_with(b"q=0") && p[3..].iter().all(|b| matches!(b, b'.' | b'0')));
            (name, refused)
        })
    });
    listed.into_iter().any(|(name, refused)| !refused && (name.eq_ignore_ascii_case(coding) || name == b"*"))
}

/// What an answer is, by its content type.
pub(super) enum Kind {
    Events,
    Json,
    Html,
    Bytes,
}

/// `native`: the target speaks a dialect of its own, so that its framing is known.
pub(super) fn kind(headers: &HeaderMap, streamed: bool, native: bool) -> Kind {
    let content_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let is =
        |name: &[u8]| content_type.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    // Some servers label their streams as plain text; unwatched, a cut would look like an end.
    let framed =
        native && (is(bedrock::STREAM_MEDIA_TYPE.as_bytes()) || (streamed && is(b"application/x-ndjson")));
    if is(b"text/event-stream") || framed || (streamed && is(b"text/plain")) {
        Kind::Events
    } else if is(b"text/html") {
        Kind::Html
    } else if is(b"application/json") || is(b"application/problem+json") || content_type.is_empty() {
        Kind::Json
    } else {
        Kind::Bytes
    }
}
