//! Token counts.

use serde_json::{Value, json};
use wellhead_types::Usage;

/// Reads a `usage` object.
pub fn read_usage(usage: &Value) -> Option<Usage> {
    crate::openai::chat::read_usage(usage)
}

/// As the dialect writes it.
pub(super) fn write(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total(),
    })
}
