//! Token counts. On the wire, `inputTokens` leaves out what the cache served or stored; here it is part of it.

use super::Family;
use serde_json::{Map, Value, json};
use wellhead_types::Usage;

/// Reads a `usage` object. `None` if it holds no count.
pub fn read_usage(usage: &Value) -> Option<Usage> {
    read(usage, Family::Unknown)
}

/// The same for a model of whose vendor more is known.
pub(super) fn read(usage: &Value, family: Family) -> Option<Usage> {
    // Older models count under other names too.
    let count = |name: &str| usage.get(name).and_then(Value::as_u64);
    let twin = |name: &str, older: &str| count(name).or_else(|| count(older)).unwrap_or(0);
    let (input, output) = (count("inputTokens"), count("outputTokens"));
    if input.is_none() && output.is_none() {
        return None;
    }
    let cache_read = twin("cacheReadInputTokens", "cacheReadInputTokenCount");
    let cache_write = twin("cacheWriteInputTokens", "cacheWriteInputTokenCount");
    let cached = cache_read.saturating_add(cache_write);
    let input = input.unwrap_or(0);
    let is_whole = family.counts_cached_input() && cached <= input;
    Some(Usage {
        input_tokens: if is_whole { input } else { input.saturating_add(cached) },
        output_tokens: output.unwrap_or(0),
        cached_input_tokens: cache_read,
        cache_write_tokens: cache_write,
        cache_write_1h_tokens: for_an_hour(usage).min(cache_write),
        ..Usage::default()
    })
}

/// What was written to the cache for an hour.
fn for_an_hour(usage: &Value) -> u64 {
    let details = usage.get("cacheDetails").and_then(Value::as_array);
    let hours =
        details.into_iter().flatten().filter(|detail| detail.get("ttl").is_some_and(|ttl| ttl == "1h"));
    hours.filter_map(|detail| detail.get("inputTokens")?.as_u64()).fold(0, u64::saturating_add)
}

/// As clients get it.
pub(super) fn shown(usage: Usage) -> Value {
    let cached = usage.cached_input_tokens.saturating_add(usage.cache_write_tokens);
    let mut shown = Map::new();
    shown.insert("inputTokens".to_owned(), usage.input_tokens.saturating_sub(cached).into());
    shown.insert("outputTokens".to_owned(), usage.output_tokens.into());
    shown.insert("totalTokens".to_owned(), usage.total().into());
    if cached > 0 {
        shown.insert("cacheReadInputTokens".to_owned(), usage.cached_input_tokens.into());
        shown.insert("cacheWriteInputTokens".to_owned(), usage.cache_write_tokens.into());
    }
    let (hour, all) = (usage.cache_write_1h_tokens, usage.cache_write_tokens);
    if hour > 0 {
        let shorter = all.saturating_sub(hour);
        let details = json!([{"ttl": "1h", "inputTokens": hour}, {"ttl": "5m", "inputTokens": shorter}]);
        shown.insert("cacheDetails".to_owned(), details);
    }
    Value::Object(shown)
}
