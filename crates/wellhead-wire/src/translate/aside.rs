//! What clients of other dialects ask for besides answers: how long a prompt is, and vectors.

use super::{Asked, Heading, Untranslatable, Way, dispatch, seen_by_chat};
use crate::chat::{BadBody, BadField, Dialect, Encoded, Losses, Request, Target, Unsupported};
use crate::gemini::embed::{self, Vectors};
use crate::gemini::{self, Method};
use crate::{anthropic, json, openai};
use bytes::Bytes;
use serde_json::{Map, Value};
use wellhead_types::Failure;

/// Reads a client's question how long a prompt is.
pub fn read_count(dialect: Dialect, body: &[u8], heading: Heading<'_>) -> Result<Asked, Untranslatable> {
    let request = match dialect {
        Dialect::Gemini => gemini::decode_count_request(body, heading.model)?,
        _ => anthropic::decode_count(body, heading.version)?,
    };
    seen_by_chat(request)
}

/// The same question for a target. Only Anthropic and Gemini can be asked.
pub fn write_count(
    way: Way,
    request: &Request,
    target: &Target,
    losses: &Losses,
) -> Result<Encoded, Untranslatable> {
    Ok(match way.dialect {
        Dialect::Anthropic => {
            let options = dispatch::anthropic_options(target);
            anthropic::encode_count(request, target, losses, options)?
        }
        Dialect::Gemini => {
            let options = gemini::Options::of(way.service, &target.origin.model);
            gemini::encode_count_request(request, target, losses, options)?
        }
        _ => return Err(nobody_counts().into()),
    })
}

fn nobody_counts() -> Unsupported {
    let message = "`model` has a target that counts no tokens".to_owned();
    Unsupported { param: "model".into(), message }
}

/// What a target counted, in Anthropic's form: all that is said of it is one number.
pub fn counted(dialect: Dialect, body: &[u8]) -> Result<Bytes, Failure> {
    let tokens = match dialect {
        Dialect::Gemini => gemini::decode_count(body)?,
        _ => anthropic::decode_count_answer(body)?,
    };
    Ok(anthropic::encode_count_answer(tokens))
}

/// The same for a client.
pub fn write_counted(dialect: Dialect, body: &[u8]) -> Result<Bytes, Failure> {
    let tokens = anthropic::decode_count_answer(body)?;
    Ok(match dialect {
        Dialect::Gemini => gemini::encode_count(tokens),
        _ => anthropic::encode_count_answer(tokens),
    })
}

/// What a client of Gemini wants vectors of.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// As a body of OpenAI's embeddings.
    pub body: Bytes,
    /// What that cannot say, by name.
    pub unsaid: Vec<&'static str>,
}

/// Reads a body of `embedContent` or `batchEmbedContents`.
pub fn read_embedding(method: Method, body: &[u8], model: &str) -> Result<Embedding, BadBody> {
    let items = embed::decode(body, method)?;
    let mut input = Vec::with_capacity(items.len());
    let (mut unsaid, mut dimensions) = (Vec::new(), None);
    for (at, item) in items.iter().enumerate() {
        let texts: Option<Vec<&str>> = item.parts.iter().map(text).collect();
        let Some(texts) = texts else {
            return Err(BadField {
                param: format!("requests[{at}].content.parts"),
                message: format!("`requests[{at}].content.parts` holds something else than text, which cannot be embedded here"),
                code: "invalid_value",
            }
            .into());
        };
        input.push(Value::String(texts.concat()));
        if dimensions.is_some() && dimensions != item.dimensions {
            let message = "`outputDimensionality` differs between the requests: expected one for all";
            let param = "outputDimensionality".to_owned();
            return Err(BadField { param, message: message.to_owned(), code: "invalid_value" }.into());
        }
        dimensions = item.dimensions;
        unsaid.extend(item.task_type.as_ref().map(|_| "taskType"));
        unsaid.extend(item.title.as_ref().map(|_| "title"));
    }
    unsaid.sort_unstable();
    unsaid.dedup();
    let mut asked = Map::new();
    asked.insert("model".to_owned(), model.into());
    asked.insert("input".to_owned(), Value::Array(input));
    asked.insert("encoding_format".to_owned(), "float".into());
    if let Some(dimensions) = dimensions {
        asked.insert("dimensions".to_owned(), dimensions.into());
    }
    Ok(Embedding { body: Value::Object(asked).to_string().into(), unsaid })
}

fn text(part: &crate::chat::Part) -> Option<&str> {
    match part {
        crate::chat::Part::Text { text, .. } => Some(text),
        _ => None,
    }
}

/// Vectors of OpenAI's form for a client of Gemini.
pub fn write_embedding(method: Method, body: &[u8]) -> Option<Bytes> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let mut rows: Vec<(u64, Vec<f64>)> = Vec::new();
    for (place, row) in (0..).zip(answer.get("data")?.as_array()?) {
        let index = row.get("index").and_then(Value::as_u64).unwrap_or(place);
        let values: Option<Vec<f64>> = row.get("embedding")?.as_array()?.iter().map(Value::as_f64).collect();
        rows.push((index, values?));
    }
    rows.sort_by_key(|(index, _)| *index);
    let usage = json::find(body, &["usage"]).and_then(openai::read_usage);
    let vectors = Vectors { vectors: rows.into_iter().map(|(_, values)| values).collect(), usage };
    Some(embed::encode_answer(&vectors, method))
}
