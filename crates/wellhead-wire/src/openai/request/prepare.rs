//! The body for one target: the client's bytes, but for the members that the gateway must set.

use super::head::{JsonLayout, Layout};
use super::{Fit, RequestHead};
use crate::json::{self, Part, Splice, quoted};
use crate::openai::Endpoint;
use bytes::Bytes;

const INCLUDE_USAGE: &[u8] = br#"{"include_usage":true}"#;

/// Where the target departs from OpenAI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrepareFlags {
    /// It accepts `stream_options`. If not, the member is taken out.
    pub stream_usage: bool,
    /// It knows only `max_tokens`, not `max_completion_tokens`.
    pub max_tokens_only: bool,
    /// What of a conversation it would refuse.
    pub fit: Fit,
}

/// The body to send: `model` is the vendor's name for it, streams of chunks always report usage where the target can,
/// and `max_completion_tokens` has the name that the target knows. If nothing has to change, the same bytes are
/// returned without a copy. `body` must be the one that `head` was read from; `vendor_model` comes from the
/// configuration and holds no line break.
pub fn prepare(body: &Bytes, head: &RequestHead, vendor_model: &str, flags: PrepareFlags) -> Bytes {
    debug_assert_eq!(body.len(), head.body_bytes, "the head belongs to another body");
    match &head.layout {
        Layout::Json(layout) => {
            let splice = edits(body, head, layout, vendor_model, flags);
            if splice.is_empty() { body.clone() } else { splice.finish() }
        }
        Layout::Form { model } => match model {
            Some(span) if *head.model != *vendor_model => {
                let before = body.get(..span.start).unwrap_or_default();
                let after = body.get(span.end..).unwrap_or_default();
                [before, vendor_model.as_bytes(), after].concat().into()
            }
            _ => body.clone(),
        },
    }
}

/// As [`prepare`], but as what is kept of the body and what is new: for bodies that are too large to be copied per
/// attempt, or that are not in memory by the time they are sent.
pub fn prepare_parts(body: &[u8], head: &RequestHead, vendor_model: &str, flags: PrepareFlags) -> Vec<Part> {
    debug_assert_eq!(body.len(), head.body_bytes, "the head belongs to another body");
    match &head.layout {
        Layout::Json(layout) => edits(body, head, layout, vendor_model, flags).parts(),
        Layout::Form { model: Some(span) } if *head.model != *vendor_model && span.end <= body.len() => vec![
            Part::Kept(0..span.start),
            Part::New(Bytes::copy_from_slice(vendor_model.as_bytes())),
            Part::Kept(span.end..body.len()),
        ],
        Layout::Form { .. } => vec![Part::Kept(0..body.len())],
    }
}

/// The parts of [`prepare_parts`] as pieces, which share the body's memory.
pub fn prepare_pieces(
    body: &Bytes,
    head: &RequestHead,
    vendor_model: &str,
    flags: PrepareFlags,
) -> Vec<Bytes> {
    prepare_parts(body, head, vendor_model, flags).iter().map(|part| part.of(body)).collect()
}

fn edits<'a>(
    body: &'a [u8],
    head: &RequestHead,
    layout: &JsonLayout,
    vendor_model: &str,
    flags: PrepareFlags,
) -> Splice<'a> {
    let mut splice = Splice::new(body);
    set_model(&mut splice, head, layout, vendor_model);
    if head.endpoint.streams_chunks() && head.stream {
        set_usage(&mut splice, body, head, layout, flags.stream_usage);
    }
    if head.endpoint == Endpoint::ChatCompletions {
        if flags.max_tokens_only {
            rename_limit(&mut splice, layout);
        }
        flags.fit.edit(&mut splice, body);
    }
    splice
}

fn set_model(splice: &mut Splice<'_>, head: &RequestHead, layout: &JsonLayout, vendor_model: &str) {
    if *head.model == *vendor_model {
        return;
    }
    match &layout.model {
        Some(member) => splice.replace(member.value.clone(), quoted(vendor_model)),
        None => splice.insert(layout.object, "model", &quoted(vendor_model)),
    }
}

fn set_usage(splice: &mut Splice<'_>, body: &[u8], head: &RequestHead, layout: &JsonLayout, accepted: bool) {
    let Some(member) = &layout.stream_options else {
        if accepted {
            splice.insert(layout.object, "stream_options", INCLUDE_USAGE);
        }
        return;
    };
    if !accepted {
        splice.remove(member);
        return;
    }
    if head.asked_usage {
        return;
    }
    let value = body.get(member.value.clone()).unwrap_or_default();
    match json::scan(value, &["include_usage"]) {
        Ok(mut inner) => {
            let offset = member.value.start;
            if let Some(asked) = inner.members[0].take() {
                splice.replace(asked.value.start + offset..asked.value.end + offset, &b"true"[..]);
            } else {
                inner.object.open += offset;
                splice.insert(inner.object, "include_usage", b"true");
            }
        }
        Err(_) if value == b"null" => splice.replace(member.value.clone(), INCLUDE_USAGE),
        // Not an object, or the member twice: whatever it is, the target says so better than we could.
        Err(_) => {}
    }
}

fn rename_limit(splice: &mut Splice<'_>, layout: &JsonLayout) {
    match (&layout.max_completion_tokens, &layout.max_tokens) {
        (Some(new), None) => splice.replace(new.name.clone(), quoted("max_tokens")),
        (Some(new), Some(_)) => splice.remove(new),
        (None, _) => {}
    }
}
