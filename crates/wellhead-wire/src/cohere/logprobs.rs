//! `logprobs`, and the form of OpenAI that the canonical model has.

use serde_json::{Value, json};

/// One item is a piece of text of one or more tokens; its probability is that of all of them.
pub(super) fn entry(item: &Value) -> Option<Value> {
    let text = item.get("text").and_then(Value::as_str).unwrap_or_default();
    let said: Vec<f64> = item.get("logprobs")?.as_array()?.iter().filter_map(Value::as_f64).collect();
    let logprob: f64 = said.iter().sum();
    let bytes: Vec<u8> = text.bytes().collect();
    Some(json!({"token": text, "logprob": logprob, "bytes": bytes, "top_logprobs": []}))
}

/// Entries in the form of OpenAI.
pub(super) fn to_openai(entries: &[Value]) -> Value {
    json!({"content": entries, "refusal": null})
}

/// From OpenAI's form, an item for each token. Their numbers in the vocabulary are not known.
pub(super) fn from_openai(logprobs: &Value) -> Vec<Value> {
    let content = logprobs.get("content").and_then(Value::as_array);
    let item = |entry: &Value| {
        let text = entry.get("token").and_then(Value::as_str).unwrap_or_default();
        let logprob = entry.get("logprob").and_then(Value::as_f64).unwrap_or_default();
        json!({"text": text, "token_ids": [], "logprobs": [logprob]})
    };
    content.into_iter().flatten().map(item).collect()
}
