//! Why an answer ended.

use super::DIALECT;
use crate::chat::members::{Members, word};
use crate::chat::{Stop, StopKind};

/// Takes the reason. A turn with calls that says `COMPLETE` is a turn with calls (wire.md, trap 10).
pub(super) fn read(members: &mut Members, has_calls: bool) -> Option<Stop> {
    let reason = word(members, "finish_reason")?;
    let kind = match reason.as_str() {
        "COMPLETE" if has_calls => StopKind::ToolCalls,
        "COMPLETE" => StopKind::End,
        "MAX_TOKENS" => StopKind::Length,
        "STOP_SEQUENCE" => StopKind::Sequence,
        "TOOL_CALL" => StopKind::ToolCalls,
        _ => StopKind::Other,
    };
    Some(Stop { raw: Some((DIALECT, reason.into())), ..Stop::new(kind) })
}

/// Whether the reason is that there is no whole answer: the vendor's error, or its time was up.
pub(super) fn is_failure(members: &Members) -> bool {
    let reason = members.get("finish_reason").and_then(serde_json::Value::as_str).unwrap_or_default();
    reason.starts_with("ERROR") || reason == "TIMEOUT"
}

/// The dialect's word. Refusals and filters have none: what was said instead is the answer.
pub(super) fn write(stop: Option<&Stop>) -> &str {
    match stop.map(|stop| stop.kind) {
        Some(StopKind::Length | StopKind::ContextWindow) => "MAX_TOKENS",
        Some(StopKind::Sequence) => "STOP_SEQUENCE",
        Some(StopKind::ToolCalls) => "TOOL_CALL",
        Some(StopKind::Other) => stop.and_then(|stop| stop.raw_for(DIALECT)).unwrap_or("COMPLETE"),
        _ => "COMPLETE",
    }
}
