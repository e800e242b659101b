//! `POST /v1/embeddings`: deterministic unit vectors, alike for texts that share words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Call;
use super::params::{choice, given, missing, number};
use crate::mind::{Rng, count, hash};
use crate::reply::{self, Reply};

/// Inputs of one request, as the vendor limits them.
const INPUTS_MAX: usize = 2048;
/// Length of a vector when the request names none.
const DIMENSIONS_DEFAULT: usize = 256;
/// Longest vector.
const DIMENSIONS_MAX: u64 = 4096;

/// Embeds each input.
pub(crate) fn embeddings(call: &Call<'_>) -> Result<Reply, Reply> {
    let object = call.parsed.object()?;
    let model = call.parsed.known_model()?;
    let inputs = inputs(object)?;
    let dimensions = number(object, "dimensions", 1, DIMENSIONS_MAX)?;
    let dimensions = dimensions.and_then(|length| usize::try_from(length).ok()).unwrap_or(DIMENSIONS_DEFAULT);
    let packed = choice(object, "encoding_format", &["float", "base64"])? == "base64";
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, (text, _))| {
            let vector = vector(text, dimensions, call.core.options.seed);
            let embedding = if packed { base64(&vector) } else { json!(vector) };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let tokens: u64 = inputs.iter().map(|(_, tokens)| tokens).sum();
    let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
    Ok(Reply::json(200, &json!({"object": "list", "data": data, "model": model, "usage": usage}), 1))
}

/// Each input with its tokens: a text, or a list of token numbers.
fn inputs(object: &Map<String, Value>) -> Result<Vec<(String, u64)>, Reply> {
    let wrong = || {
        reply::invalid(
            "input",
            "Invalid value for 'input': expected a string that is not empty, strings, or token numbers.",
        )
    };
    let numbers = |list: &[Value]| !list.is_empty() && list.iter().all(Value::is_u64);
    let one = |value: &Value| match value {
        Value::String(text) if !text.is_empty() => Ok((text.clone(), count(text))),
        Value::Array(list) if numbers(list) => Ok((value.to_string(), list.len() as u64)),
        _ => Err(wrong()),
    };
    match given(object, "input") {
        None => Err(missing("input")),
        Some(Value::Array(list)) if !numbers(list) => match list.len() {
            0 => Err(wrong()),
            1..=INPUTS_MAX => list.iter().map(one).collect(),
            _ => Err(reply::invalid("input", &format!("There may be at most {INPUTS_MAX} inputs."))),
        },
        Some(value) => Ok(vec![one(value)?]),
    }
}

/// The sum of a vector for each word, brought to length 1.
pub(crate) fn vector(text: &str, dimensions: usize, seed: u64) -> Vec<f32> {
    let mut sum = vec![0.0; dimensions];
    let lower = text.to_lowercase();
    let words = lower.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
    // A text without words still has a direction of its own.
    for word in
        words.chain(std::iter::once(lower.as_str()).filter(|text| !text.chars().any(char::is_alphanumeric)))
    {
        let mut rng = Rng::new(hash(seed, word.as_bytes()));
        for value in &mut sum {
            *value += rng.unit() - 0.5;
        }
    }
    let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    #[expect(clippy::cast_possible_truncation, reason = "vectors are sent as single precision")]
    sum.into_iter().map(|value| (value / length) as f32).collect()
}

/// Little-endian floats in base64, as the official clients ask for them.
fn base64(vector: &[f32]) -> Value {
    let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
    Value::String(STANDARD.encode(bytes))
}
