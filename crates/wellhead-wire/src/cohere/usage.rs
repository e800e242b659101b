//! Counts of tokens.

use crate::chat::members::{self, Members, count};
use serde_json::{Value, json};
use wellhead_types::Usage;

/// Reads the counts of an answer: `usage` or `meta` of its body.
pub fn read_usage(answer: &Value) -> Option<Usage> {
    let mut answer = answer.as_object()?.clone();
    let usage = members::object(&mut answer, "usage").or_else(|| members::object(&mut answer, "meta"))?;
    of(usage)
}

/// There are two counts: what the model read and wrote, and what is billed of it. The first is the one of every other
/// vendor; the second is taken where it stands alone.
pub(super) fn of(mut usage: Members) -> Option<Usage> {
    let cached = count(&mut usage, "cached_tokens").unwrap_or(0);
    let mut counts = |name: &str| {
        let mut counts = members::object(&mut usage, name)?;
        let (input, output) = (count(&mut counts, "input_tokens"), count(&mut counts, "output_tokens"));
        (input.is_some() || output.is_some()).then(|| (input.unwrap_or(0), output.unwrap_or(0)))
    };
    let (input_tokens, output_tokens) = counts("tokens").or_else(|| counts("billed_units"))?;
    let cached_input_tokens = cached.min(input_tokens);
    Some(Usage { input_tokens, output_tokens, cached_input_tokens, ..Usage::default() })
}

pub(super) fn write(usage: Option<&Usage>) -> Value {
    let usage = usage.copied().unwrap_or_default();
    let counts = json!({"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens});
    let mut written = json!({"billed_units": counts, "tokens": counts});
    if usage.cached_input_tokens > 0 {
        written["cached_tokens"] = json!(usage.cached_input_tokens);
    }
    written
}
