//! `finishReason`: why a candidate ended.

use super::GEMINI;
use crate::chat::{Stop, StopKind};

/// Every word of Google's and what it means (wire.md, trap 10; the enumeration of google-genai 3.4).
const TABLE: [(&str, StopKind); 24] = [
    ("STOP", StopKind::End),
    ("MAX_TOKENS", StopKind::Length),
    ("SAFETY", StopKind::Filter),
    ("MALFORMED_FUNCTION_CALL", StopKind::MalformedCall),
    ("OTHER", StopKind::Other),
    ("RECITATION", StopKind::Filter),
    ("BLOCKLIST", StopKind::Filter),
    ("PROHIBITED_CONTENT", StopKind::Filter),
    ("SPII", StopKind::Filter),
    ("MODEL_ARMOR", StopKind::Filter),
    ("IMAGE_SAFETY", StopKind::Filter),
    ("IMAGE_PROHIBITED_CONTENT", StopKind::Filter),
    ("IMAGE_RECITATION", StopKind::Filter),
    // A call that nobody declared.
    ("UNEXPECTED_TOOL_CALL", StopKind::MalformedCall),
    // More can be asked for.
    ("CONTINUATION", StopKind::Pause),
    ("FINISH_REASON_UNSPECIFIED", StopKind::Other),
    ("LANGUAGE", StopKind::Other),
    ("IMAGE_OTHER", StopKind::Other),
    ("NO_IMAGE", StopKind::Other),
    ("TOO_MANY_TOOL_CALLS", StopKind::Other),
    ("MISSING_THOUGHT_SIGNATURE", StopKind::Other),
    ("MALFORMED_RESPONSE", StopKind::Other),
    ("ESCALATION", StopKind::Other),
    ("PUP_LIMITED_DISABLED", StopKind::Other),
];

/// Reads a word. Gemini says `STOP` also where it wants tools to be run.
pub(super) fn read(word: &str, has_calls: bool) -> Stop {
    let known = TABLE.iter().find(|(known, _)| *known == word);
    let kind = match known.map_or(StopKind::Other, |(_, kind)| *kind) {
        StopKind::End if has_calls => StopKind::ToolCalls,
        kind => kind,
    };
    Stop { raw: Some((GEMINI, word.into())), ..Stop::new(kind) }
}

/// The word for a client: the vendor's own, or the nearest one.
pub(super) fn word(stop: &Stop) -> &str {
    stop.raw_for(GEMINI).unwrap_or(match stop.kind {
        StopKind::End | StopKind::Sequence | StopKind::ToolCalls => "STOP",
        StopKind::Length | StopKind::ContextWindow => "MAX_TOKENS",
        StopKind::Refusal | StopKind::Filter => "SAFETY",
        StopKind::MalformedCall => "MALFORMED_FUNCTION_CALL",
        // `CONTINUATION` promises a token that only Google can make.
        StopKind::Pause | StopKind::Other => "OTHER",
    })
}

#[cfg(test)]
mod tests {
    use super::{TABLE, read, word};
    use crate::chat::{Stop, StopKind};

    // wire.md, trap 10.
    #[test]
    fn every_word_is_read_and_written_again() {
        for (raw, kind) in TABLE {
            let stop = read(raw, false);
            assert_eq!((stop.kind, word(&stop)), (kind, raw));
        }
        let words: std::collections::HashSet<&str> = TABLE.iter().map(|(raw, _)| *raw).collect();
        assert_eq!(words.len(), 24);
        assert_eq!(word(&read("NEW_REASON", false)), "NEW_REASON");
    }

    #[test]
    fn stop_with_calls_means_that_tools_have_to_be_run() {
        assert_eq!(read("STOP", true).kind, StopKind::ToolCalls);
        assert_eq!(read("MAX_TOKENS", true).kind, StopKind::Length, "a call that was cut off is none");
        assert_eq!(word(&Stop::new(StopKind::ToolCalls)), "STOP");
    }
}
