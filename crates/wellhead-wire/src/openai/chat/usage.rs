//! Token counts.

use serde_json::{Value, json};
use wellhead_types::Usage;

/// Reads a `usage` object, whichever vendor of the family wrote it.
pub fn read_usage(usage: &Value) -> Option<Usage> {
    // One reader for both paths: what it knows of vendors' names is known once.
    crate::openai::read_usage(&serde_json::to_vec(usage).ok()?)
}

/// As OpenAI writes it.
pub(super) fn write(usage: &Usage) -> Value {
    let audio_input = usage.audio_tokens.saturating_sub(usage.audio_output_tokens);
    let mut written = json!({
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total(),
        "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens, "audio_tokens": audio_input},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": usage.audio_output_tokens,
        },
    });
    if usage.cache_write_tokens > 0 {
        written["prompt_tokens_details"]["cache_write_tokens"] = json!(usage.cache_write_tokens);
    }
    written
}
