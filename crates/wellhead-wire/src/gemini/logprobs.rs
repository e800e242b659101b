//! `logprobsResult`, and the form of OpenAI that the canonical model has.

use serde_json::{Map, Value, json};

/// To OpenAI's form. What Google counts tokens by (`tokenId`) has no place there.
pub(super) fn to_openai(result: &Value) -> Option<Value> {
    let chosen = result.get("chosenCandidates")?.as_array()?;
    let top = result.get("topCandidates").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let content = chosen.iter().enumerate().map(|(at, token)| {
        let listed = top.get(at).and_then(|top| top.get("candidates")).and_then(Value::as_array);
        let listed: Vec<Value> = listed.into_iter().flatten().map(|token| entry(token).into()).collect();
        let mut entry = entry(token);
        entry.insert("top_logprobs".to_owned(), listed.into());
        Value::Object(entry)
    });
    Some(json!({"content": content.collect::<Vec<Value>>(), "refusal": null}))
}

fn entry(token: &Value) -> Map<String, Value> {
    let text = token.get("token").and_then(Value::as_str).unwrap_or("");
    let bytes: Vec<u8> = text.bytes().collect();
    let mut entry = Map::new();
    entry.insert("token".to_owned(), text.into());
    entry.insert("logprob".to_owned(), token.get("logProbability").cloned().unwrap_or(Value::Null));
    entry.insert("bytes".to_owned(), bytes.into());
    entry
}

/// From OpenAI's form.
pub(super) fn from_openai(logprobs: &Value) -> Option<Value> {
    let content = logprobs.get("content")?.as_array()?;
    let token = |entry: &Value| {
        let text = entry.get("token").cloned().unwrap_or_else(|| "".into());
        json!({"token": text, "logProbability": entry.get("logprob").cloned().unwrap_or(Value::Null)})
    };
    let chosen: Vec<Value> = content.iter().map(token).collect();
    let listed = |entry: &Value| {
        let top = entry.get("top_logprobs").and_then(Value::as_array);
        json!({"candidates": top.into_iter().flatten().map(token).collect::<Vec<Value>>()})
    };
    let top: Vec<Value> = content.iter().map(listed).collect();
    Some(json!({"topCandidates": top, "chosenCandidates": chosen}))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{from_openai, to_openai};
    use serde_json::json;

    #[test]
    fn probabilities_change_their_names_and_not_their_numbers() {
        let google = json!({
            "topCandidates": [{"candidates": [{"token": "é", "logProbability": -0.25}, {"token": "b", "logProbability": -2.5}]}],
            "chosenCandidates": [{"token": "é", "logProbability": -0.25}],
        });
        let openai = json!({"content": [{"token": "é", "logprob": -0.25, "bytes": [195, 169], "top_logprobs": [
            {"token": "é", "logprob": -0.25, "bytes": [195, 169]}, {"token": "b", "logprob": -2.5, "bytes": [98]}]}], "refusal": null});
        assert_eq!(to_openai(&google).unwrap(), openai);
        assert_eq!(from_openai(&openai).unwrap(), google);
        assert_eq!(to_openai(&json!({"chosenCandidates": 7})), None);
        assert_eq!(from_openai(&json!({"content": null})), None);
    }
}
