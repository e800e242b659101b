//! Why an answer ended: OpenAI's five words, and those that vendors add.

use super::members::{Members, take};
use crate::chat::{Dialect, Stop, StopKind};
use serde_json::Value;

/// The words that clients of the dialect know.
const WORDS: [&str; 5] = ["stop", "length", "tool_calls", "content_filter", "function_call"];

/// What a vendor's word means (wire.md, trap 10).
fn kind_of(word: &str) -> StopKind {
    const TABLE: [(&str, StopKind); 20] = [
        ("stop", StopKind::End),
        ("eos", StopKind::End),
        ("eos_token", StopKind::End),
        ("end_turn", StopKind::End),
        ("complete", StopKind::End),
        ("stop_sequence", StopKind::Sequence),
        ("length", StopKind::Length),
        ("max_tokens", StopKind::Length),
        ("max_output_tokens", StopKind::Length),
        ("model_length", StopKind::ContextWindow),
        ("model_context_window_exceeded", StopKind::ContextWindow),
        ("tool_calls", StopKind::ToolCalls),
        ("tool_use", StopKind::ToolCalls),
        ("function_call", StopKind::ToolCalls),
        ("content_filter", StopKind::Filter),
        ("sensitive", StopKind::Filter),
        ("safety", StopKind::Filter),
        ("refusal", StopKind::Refusal),
        ("pause_turn", StopKind::Pause),
        ("malformed_function_call", StopKind::MalformedCall),
    ];
    let found = TABLE.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    found.map_or(StopKind::Other, |(_, kind)| *kind)
}

/// What an answer held, as far as it changes the meaning of its last word.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    pub(super) calls: bool,
    pub(super) refusal: bool,
}

/// Takes the reason out of a choice. A turn with calls that says `stop` is a turn with calls.
pub(super) fn read(choice: &mut Members, held: Held) -> Option<Stop> {
    // vLLM's and SGLang's: the text that was met, or the number of a token.
    let met = [take(choice, "stop_reason"), take(choice, "matched_stop")];
    let sequence = met.into_iter().flatten().find_map(|value| match value {
        Value::String(text) => Some(text),
        _ => None,
    });
    let word = super::members::word(choice, "finish_reason")?;
    let kind = match (kind_of(&word), &sequence) {
        (StopKind::End, _) if held.calls => StopKind::ToolCalls,
        (StopKind::End, _) if held.refusal => StopKind::Refusal,
        (StopKind::End, Some(_)) => StopKind::Sequence,
        (kind, _) => kind,
    };
    let sequence = sequence.filter(|_| kind == StopKind::Sequence).map(Into::into);
    Some(Stop { kind, raw: Some((Dialect::Chat, word.into())), sequence, detail: None })
}

/// The word for a client.
pub(super) fn word(stop: &Stop, held: Held, functions: bool) -> &'static str {
    let own = stop.raw_for(Dialect::Chat).and_then(|raw| WORDS.into_iter().find(|word| *word == raw));
    match stop.kind {
        StopKind::ToolCalls if functions => "function_call",
        StopKind::ToolCalls => "tool_calls",
        _ if own.is_some() => own.unwrap_or("stop"),
        StopKind::Length | StopKind::ContextWindow => "length",
        StopKind::Filter => "content_filter",
        StopKind::Refusal if !held.refusal => "content_filter",
        StopKind::Refusal
        | StopKind::End
        | StopKind::Sequence
        | StopKind::Pause
        | StopKind::MalformedCall
        | StopKind::Other => "stop",
    }
}
