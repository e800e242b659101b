//! `usageMetadata`: counts that stand beside each other here, and within each other in the canonical model.

use serde_json::{Map, Value};
use wellhead_types::Usage;

/// Reads it. `None` if it holds no count.
///
/// `promptTokenCount` includes what came from the cache; what tools of Google's own read is counted beside it, and
/// thoughts beside the candidates (wire.md, 1a).
pub fn read_usage(metadata: &Value) -> Option<Usage> {
    let count = |camel: &str, snake: &str| {
        let value = metadata.get(camel).or_else(|| metadata.get(snake))?;
        value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
    };
    let prompt = count("promptTokenCount", "prompt_token_count");
    let said = count("candidatesTokenCount", "candidates_token_count");
    let total = count("totalTokenCount", "total_token_count");
    if prompt.is_none() && said.is_none() && total.is_none() {
        return None;
    }
    let tools = count("toolUsePromptTokenCount", "tool_use_prompt_token_count").unwrap_or(0);
    let thoughts = count("thoughtsTokenCount", "thoughts_token_count").unwrap_or(0);
    let input = prompt.unwrap_or(0).saturating_add(tools);
    let output = match said {
        Some(said) => said.saturating_add(thoughts),
        None => total.map_or(0, |total| total.saturating_sub(input)).max(thoughts),
    };
    let cached = count("cachedContentTokenCount", "cached_content_token_count").unwrap_or(0);
    let audio = audio_of(metadata, "promptTokensDetails") + audio_of(metadata, "candidatesTokensDetails");
    #[allow(clippy::needless_update, reason = "more counts may come")]
    Some(Usage {
        input_tokens: input,
        output_tokens: output,
        cached_input_tokens: cached.min(input),
        reasoning_tokens: thoughts.min(output),
        audio_tokens: audio.min(input.saturating_add(output)),
        ..Usage::default()
    })
}

fn audio_of(metadata: &Value, name: &str) -> u64 {
    let details = metadata.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_audio = |detail: &&Value| detail.get("modality").and_then(Value::as_str) == Some("AUDIO");
    let counts = details.iter().filter(is_audio).filter_map(|detail| detail.get("tokenCount")?.as_u64());
    counts.fold(0, u64::saturating_add).min(1 << 52)
}

/// What the canonical counts do not say: kept for clients of this dialect.
const KNOWN: [&str; 6] = [
    "promptTokenCount",
    "candidatesTokenCount",
    "totalTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
    "toolUsePromptTokenCount",
];

/// The members besides the counts, and what Google's own tools read.
pub(super) fn rest_of(metadata: Value) -> Map<String, Value> {
    let Value::Object(mut members) = metadata else { return Map::new() };
    let keeps = |name: &str, value: &Value| {
        !KNOWN.contains(&name) || (name == "toolUsePromptTokenCount" && value.as_u64().is_some_and(|n| n > 0))
    };
    members.retain(|name, value| keeps(name, value));
    members
}

/// Writes it, with what was kept.
pub(super) fn write(usage: &Usage, rest: &Map<String, Value>) -> Value {
    let mut out = Map::new();
    let tools = rest.get("toolUsePromptTokenCount").and_then(Value::as_u64).unwrap_or(0);
    out.insert("promptTokenCount".to_owned(), usage.input_tokens.saturating_sub(tools).into());
    if usage.cached_input_tokens > 0 {
        out.insert("cachedContentTokenCount".to_owned(), usage.cached_input_tokens.into());
    }
    let said = usage.output_tokens.saturating_sub(usage.reasoning_tokens);
    out.insert("candidatesTokenCount".to_owned(), said.into());
    if usage.reasoning_tokens > 0 {
        out.insert("thoughtsTokenCount".to_owned(), usage.reasoning_tokens.into());
    }
    out.insert("totalTokenCount".to_owned(), usage.total().into());
    for (name, value) in rest {
        out.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    out.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{read_usage, rest_of, write};
    use serde_json::json;

    // wire.md, 1a and trap 8 (e).
    #[test]
    fn counts_are_brought_into_one_convention_and_back() {
        for (metadata, [input, output, cached, reasoning, audio]) in [
            (
                json!({"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}),
                [10, 5, 0, 0, 0],
            ),
            (
                json!({"promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 5, "thoughtsTokenCount": 20,
                       "totalTokenCount": 132, "toolUsePromptTokenCount": 7, "trafficType": "ON_DEMAND",
                       "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 90}, {"modality": "AUDIO", "tokenCount": 10}],
                       "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 3}]}),
                [107, 25, 60, 20, 13],
            ),
            // An answer that was blocked has no candidates to count.
            (
                json!({"promptTokenCount": 10, "totalTokenCount": 30, "thoughtsTokenCount": 20}),
                [10, 20, 0, 20, 0],
            ),
            (json!({"promptTokenCount": 10}), [10, 0, 0, 0, 0]),
        ] {
            let usage = read_usage(&metadata).unwrap();
            let read = [
                usage.input_tokens,
                usage.output_tokens,
                usage.cached_input_tokens,
                usage.reasoning_tokens,
                usage.audio_tokens,
            ];
            assert_eq!(read, [input, output, cached, reasoning, audio], "{metadata}");
            let written = write(&usage, &rest_of(metadata.clone()));
            assert_eq!(read_usage(&written), Some(usage));
            for (name, value) in metadata.as_object().unwrap() {
                if metadata.get("candidatesTokenCount").is_some() {
                    assert_eq!(written.get(name), Some(value), "{name}");
                }
            }
        }
        for nothing in [
            json!(null),
            json!({}),
            json!([]),
            json!({"trafficType": "ON_DEMAND"}),
            json!({"promptTokenCount": -1}),
        ] {
            assert_eq!(read_usage(&nothing), None, "{nothing}");
        }
    }
}
