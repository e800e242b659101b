//! Why an answer ended (wire.md, trap 10).

use super::DIALECT;
use crate::chat::{Stop, StopKind};
use serde_json::Value;

const WORDS: [(&str, StopKind); 9] = [
    ("end_turn", StopKind::End),
    ("tool_use", StopKind::ToolCalls),
    ("max_tokens", StopKind::Length),
    ("stop_sequence", StopKind::Sequence),
    ("content_filtered", StopKind::Filter),
    ("guardrail_intervened", StopKind::Filter),
    ("malformed_tool_use", StopKind::MalformedCall),
    ("malformed_model_output", StopKind::Other),
    ("model_context_window_exceeded", StopKind::ContextWindow),
];

/// Where models say which text ended the answer, if they were asked to: a member of `additionalModelResponseFields`.
pub(super) const SEQUENCE: &str = "stop_sequence";

/// Reads the reason, and what the model added to it.
pub(super) fn read(reason: &str, additional: Option<&Value>) -> Stop {
    let kind = WORDS.iter().find(|known| known.0 == reason).map_or(StopKind::Other, |known| known.1);
    let sequence = additional.and_then(|fields| fields.get(SEQUENCE)).and_then(Value::as_str);
    Stop { raw: Some((DIALECT, reason.into())), sequence: sequence.map(Into::into), ..Stop::new(kind) }
}

/// The word for clients. `has_calls`: some vendors say that the model was done although it wants tools to be run.
pub(super) fn word(stop: Option<&Stop>, has_calls: bool) -> &str {
    if let Some(word) = stop.and_then(|stop| stop.raw_for(DIALECT)) {
        return word;
    }
    match stop.map(|stop| stop.kind) {
        None | Some(StopKind::End | StopKind::ToolCalls) if has_calls => "tool_use",
        None | Some(StopKind::End | StopKind::ToolCalls | StopKind::Pause) => "end_turn",
        Some(StopKind::Refusal) => "content_filtered",
        Some(kind) => WORDS.iter().find(|known| known.1 == kind).map_or("end_turn", |known| known.0),
    }
}
