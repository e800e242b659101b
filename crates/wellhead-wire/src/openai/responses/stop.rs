//! Why an answer ended: `status` and `incomplete_details` together.

use super::DIALECT;
use crate::chat::members::{Members, object, word};
use crate::chat::{Stop, StopKind};
use serde_json::{Value, json};

/// What an answer held, as far as it changes the meaning of its end.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    pub(super) calls: bool,
    pub(super) refusal: bool,
}

/// Takes it out of a response that did not fail.
pub(super) fn read(response: &mut Members, held: Held) -> Stop {
    let reason = object(response, "incomplete_details").and_then(|mut details| word(&mut details, "reason"));
    let is_whole = word(response, "status").is_none_or(|status| status == "completed");
    let kind = match reason.as_deref() {
        None if is_whole && held.calls => StopKind::ToolCalls,
        None if is_whole && held.refusal => StopKind::Refusal,
        None if is_whole => StopKind::End,
        Some("max_output_tokens" | "max_tokens") => StopKind::Length,
        Some("content_filter") => StopKind::Filter,
        Some(_) => StopKind::Other,
        // Incomplete without a word why: nothing else ends an answer early as often.
        None => StopKind::Length,
    };
    Stop { raw: reason.map(|reason| (DIALECT, reason.into())), ..Stop::new(kind) }
}

/// `incomplete_details.reason` for a client; `None`: the answer is whole.
pub(super) fn reason(stop: Option<&Stop>, held: Held) -> Option<&'static str> {
    match stop?.kind {
        StopKind::Length | StopKind::ContextWindow => Some("max_output_tokens"),
        StopKind::Filter => Some("content_filter"),
        // Where the refusal itself was said, nothing is missing.
        StopKind::Refusal if !held.refusal => Some("content_filter"),
        _ => None,
    }
}

/// `status` and `incomplete_details`.
pub(super) fn write(reason: Option<&'static str>) -> (&'static str, Value) {
    match reason {
        None => ("completed", Value::Null),
        Some(reason) => ("incomplete", json!({"reason": reason})),
    }
}
