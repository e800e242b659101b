//! `POST /v1/moderations`: judges by a few words.

use serde_json::{Map, Value, json};

use super::Call;
use super::chat::content_text;
use super::params::{given, missing};
use crate::mind::{Rng, hash};
use crate::reply::{self, Reply};

/// Inputs of one request.
const INPUTS_MAX: usize = 1024;

/// The categories, and the word that stands for each.
const CATEGORIES: [(&str, &str); 13] = [
    ("harassment", "idiot"),
    ("harassment/threatening", "threaten"),
    ("hate", "hate"),
    ("hate/threatening", "exterminate"),
    ("illicit", "burglary"),
    ("illicit/violent", "bomb"),
    ("self-harm", "self-harm"),
    ("self-harm/intent", "hurt myself"),
    ("self-harm/instructions", "how to self-harm"),
    ("sexual", "sexual"),
    ("sexual/minors", "underage"),
    ("violence", "kill"),
    ("violence/graphic", "gore"),
];

/// Judges each input.
pub(crate) fn moderations(call: &Call<'_>) -> Result<Reply, Reply> {
    let object = call.parsed.object()?;
    // The model may be left out here.
    let model =
        if call.parsed.model().is_some() { call.parsed.known_model()? } else { "practice-moderation" };
    let results: Vec<Value> =
        inputs(object)?.iter().map(|text| judge(text, call.core.options.seed)).collect();
    Ok(Reply::json(200, &json!({"id": call.id("modr-", 29), "model": model, "results": results}), 1))
}

fn inputs(object: &Map<String, Value>) -> Result<Vec<String>, Reply> {
    let wrong =
        || reply::invalid("input", "Invalid value for 'input': expected a string, strings, or parts.");
    match given(object, "input") {
        None => Err(missing("input")),
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Array(list)) if list.is_empty() || list.len() > INPUTS_MAX => Err(wrong()),
        // Parts are one input together.
        Some(parts @ Value::Array(list)) if list.iter().all(Value::is_object) => {
            Ok(vec![content_text(parts).0])
        }
        Some(Value::Array(list)) => {
            list.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

fn judge(text: &str, seed: u64) -> Value {
    let lower = text.to_lowercase();
    let mut rng = Rng::new(hash(seed, lower.as_bytes()));
    let (mut verdicts, mut scores, mut kinds) = (Map::new(), Map::new(), Map::new());
    for (category, word) in CATEGORIES {
        let found = lower.contains(word);
        let score = if found { 0.9 + rng.unit() * 0.1 } else { rng.unit() * 0.01 };
        verdicts.insert(category.to_owned(), found.into());
        scores.insert(category.to_owned(), score.into());
        kinds.insert(category.to_owned(), json!(["text"]));
    }
    let flagged = verdicts.values().any(|found| *found == Value::Bool(true));
    json!({"flagged": flagged, "categories": verdicts, "category_scores": scores, "category_applied_input_types": kinds})
}
