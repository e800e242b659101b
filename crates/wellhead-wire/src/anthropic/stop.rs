//! Why an answer ended (wire.md, trap 10).

use crate::chat::{Dialect, Stop, StopKind};
use serde_json::{Value, json};

const WORDS: [(&str, StopKind); 7] = [
    ("end_turn", StopKind::End),
    ("max_tokens", StopKind::Length),
    ("stop_sequence", StopKind::Sequence),
    ("tool_use", StopKind::ToolCalls),
    ("pause_turn", StopKind::Pause),
    ("refusal", StopKind::Refusal),
    ("model_context_window_exceeded", StopKind::ContextWindow),
];

/// Reads the three members that say why, wherever they stand. `None`: it has not ended yet.
pub(super) fn read(reason: Option<&Value>, sequence: Option<Value>, details: Option<Value>) -> Option<Stop> {
    let word = reason.and_then(Value::as_str)?;
    let kind = WORDS.iter().find(|known| known.0 == word).map_or(StopKind::Other, |known| known.1);
    let sequence = match sequence {
        Some(Value::String(text)) => Some(text.into()),
        _ => None,
    };
    let raw = Some((Dialect::Anthropic, word.into()));
    Some(Stop { kind, raw, sequence, detail: details.filter(|details| !details.is_null()) })
}

/// The word for clients. `has_calls`: some vendors say that the model was done although it wants tools to be run, and
/// clients of this dialect run them only on `tool_use`.
pub(super) fn word(stop: Option<&Stop>, has_calls: bool) -> &str {
    if let Some(word) = stop.and_then(|stop| stop.raw_for(Dialect::Anthropic)) {
        return word;
    }
    match stop.map(|stop| stop.kind) {
        None | Some(StopKind::End) if has_calls => "tool_use",
        // An empty list of calls is no call: a client would wait for tools that nobody asked for.
        Some(StopKind::ToolCalls) if has_calls => "tool_use",
        Some(StopKind::Filter) => "refusal",
        Some(kind) => {
            let known = WORDS.iter().find(|known| known.1 == kind && kind != StopKind::ToolCalls);
            known.map_or("end_turn", |known| known.0)
        }
        None => "end_turn",
    }
}

/// What clients are told beside the word: what the vendor said, or, for another vendor's refusal, what it explained.
pub(super) fn details(stop: Option<&Stop>) -> Option<Value> {
    let stop = stop?;
    if stop.raw_for(Dialect::Anthropic).is_some() {
        return stop.detail.clone();
    }
    if !matches!(stop.kind, StopKind::Refusal | StopKind::Filter) {
        return None;
    }
    let explanation = stop.detail.as_ref().and_then(|detail| match detail {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    });
    explanation.map(|text| json!({"type": "refusal", "category": null, "explanation": text}))
}
