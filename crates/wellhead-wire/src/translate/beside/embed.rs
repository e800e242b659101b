//! Embeddings.

use super::{Form, Kept, Read, Written};
use crate::chat::{BadBody, Dialect, Fields, Loss, Losses, Unsupported};
use crate::failure::{classify_in_success, protocol_failure};
use crate::gemini::embed::{self, Item, Vectors};
use crate::translate::Untranslatable;
use crate::{cohere, ollama};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use wellhead_types::{Failure, Stage};

/// Most texts of one request that the vendors take.
const COHERE_TEXTS_MAX: usize = 96;
const GEMINI_TEXTS_MAX: usize = 100;
/// Ollama has no limit of its own; this bounds what one request can ask of it, and is OpenAI's.
const OLLAMA_TEXTS_MAX: usize = 2048;

/// What vectors are for: in the word of Cohere, which other vendors took over, and in Google's.
const PURPOSES: [(&str, &str); 4] = [
    ("search_document", "RETRIEVAL_DOCUMENT"),
    ("search_query", "RETRIEVAL_QUERY"),
    ("classification", "CLASSIFICATION"),
    ("clustering", "CLUSTERING"),
];

/// What a client asks for, in OpenAI's form.
struct Asked {
    texts: Vec<String>,
    dimensions: Option<u64>,
    is_base64: bool,
    /// Not OpenAI's, but what vendors whose models need it took it up as.
    purpose: Option<String>,
}

pub(super) fn encode(
    form: Form,
    body: &[u8],
    model: &str,
    losses: &Losses,
) -> Result<Written, Untranslatable> {
    let mut fields = Fields::new(Dialect::Chat, "", BadBody::parse(body)?).map_err(BadBody::from)?;
    let mut loss = Loss::new(losses);
    let asked = read(form, &mut fields, &mut loss)?;
    let (inputs, is_base64) = (asked.texts.len(), asked.is_base64);
    let bytes: usize = asked.texts.iter().map(String::len).sum();
    // A quarter of the bytes, as everywhere where nobody has counted.
    let tokens_expected = u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX);
    let body = match form {
        Form::GeminiEmbed => gemini(asked, model)?,
        Form::CohereEmbed => {
            let mut body = json!({
                "model": model,
                "texts": asked.texts,
                "input_type": asked.purpose.as_deref().unwrap_or("search_document"),
                "embedding_types": ["float"],
                // Otherwise the end of a long text would be left out in silence.
                "truncate": "NONE",
            });
            if let Some(dimensions) = asked.dimensions {
                body["output_dimension"] = json!(dimensions);
            }
            body.to_string()
        }
        _ => {
            let mut body = json!({"model": model, "input": asked.texts, "truncate": false});
            if let Some(dimensions) = asked.dimensions {
                body["dimensions"] = json!(dimensions);
            }
            body.to_string()
        }
    };
    let kept = Kept::Vectors { inputs, is_base64, tokens_expected };
    Ok(Written { encoded: loss.finish(body.into()), kept })
}

fn read(form: Form, fields: &mut Fields, loss: &mut Loss<'_>) -> Result<Asked, Untranslatable> {
    drop(fields.take("model"));
    let texts = texts(fields)?;
    let (vendor, texts_max) = match form {
        Form::GeminiEmbed => ("Gemini", GEMINI_TEXTS_MAX),
        Form::CohereEmbed => ("Cohere", COHERE_TEXTS_MAX),
        _ => ("Ollama", OLLAMA_TEXTS_MAX),
    };
    if texts.len() > texts_max {
        let found = format!("a list of {} texts", texts.len());
        return Err(fields
            .invalid("input", &found, &format!("at most {texts_max}, which {vendor} takes"))
            .into());
    }
    let dimensions = fields.count("dimensions")?;
    let is_base64 = match fields.text("encoding_format")?.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => {
            return Err(fields.invalid("encoding_format", "an unknown word", "`float` or `base64`").into());
        }
    };
    let mut purpose = fields.text("input_type")?;
    match purpose.as_deref().map(|word| PURPOSES.iter().find(|known| known.0 == word)) {
        Some(_) if form == Form::OllamaEmbed => {
            loss.cannot("input_type", "is not known to Ollama")?;
            purpose = None;
        }
        Some(None) if form == Form::GeminiEmbed => {
            let expected = "`search_document`, `search_query`, `classification` or `clustering`";
            return Err(fields.invalid("input_type", "an unknown word", expected).into());
        }
        Some(Some((_, google))) if form == Form::GeminiEmbed => purpose = Some((*google).to_owned()),
        _ => {}
    }
    if fields.take("user").is_some() {
        loss.note("user");
    }
    let rest = std::mem::replace(fields, Fields::new(Dialect::Chat, "", json!({}))?).rest();
    for name in rest.of(Dialect::Chat).into_iter().flat_map(Map::keys) {
        loss.cannot(name.clone(), "is not known to this target")?;
    }
    Ok(Asked { texts, dimensions, is_base64, purpose })
}

/// A text or a list of them. Numbers are tokens, which mean something to OpenAI's models alone.
fn texts(fields: &mut Fields) -> Result<Vec<String>, Untranslatable> {
    match fields.peek("input") {
        None => return Err(fields.missing("input", "a text or a list of texts").into()),
        Some(Value::String(_)) => return Ok(vec![fields.need_text("input")?]),
        Some(Value::Array(list)) if list.iter().any(|item| item.is_number() || item.is_array()) => {
            // No setting allows to leave it out: there would be nothing to embed.
            let message =
                "`input` holds numbers of tokens, which only models of OpenAI understand; send texts";
            return Err(Unsupported { param: "input".into(), message: message.to_owned() }.into());
        }
        _ => {}
    }
    let texts = fields.texts("input")?.unwrap_or_default();
    if texts.is_empty() {
        return Err(fields.invalid("input", "an empty list", "at least one text").into());
    }
    Ok(texts)
}

fn gemini(asked: Asked, model: &str) -> Result<String, Untranslatable> {
    let task_type: Option<Box<str>> = asked.purpose.map(Into::into);
    let item = |text| Item { task_type: task_type.clone(), dimensions: asked.dimensions, ..Item::text(text) };
    let items: Vec<Item> = asked.texts.into_iter().map(item).collect();
    let body = embed::encode_batch(&items, model)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

pub(super) fn decode(form: Form, body: &[u8], inputs: usize) -> Result<Vectors, Failure> {
    let odd = |what: &str| protocol_failure(200, Stage::FirstToken, what);
    let vectors = if form == Form::GeminiEmbed {
        embed::decode_answer(body)?
    } else {
        let answer: Value = serde_json::from_slice(body).map_err(|error| odd(&error.to_string()))?;
        let (found, usage) = match form {
            Form::CohereEmbed => (answer.pointer("/embeddings/float"), cohere::read_usage(&answer)),
            _ => (answer.get("embeddings"), ollama::read_usage(&answer)),
        };
        let Some(found) = found.and_then(Value::as_array) else {
            return Err(classify_in_success(body, Stage::FirstToken));
        };
        let vector = |vector: &Value| vector.as_array()?.iter().map(Value::as_f64).collect();
        let vectors: Option<Vec<Vec<f64>>> = found.iter().map(vector).collect();
        Vectors { vectors: vectors.ok_or_else(|| odd("an embedding is no list of numbers"))?, usage }
    };
    if vectors.vectors.len() != inputs {
        let what = format!("{} embeddings of {inputs} texts", vectors.vectors.len());
        return Err(odd(&what));
    }
    Ok(vectors)
}

/// The answer in OpenAI's form. Its clients count on counts: where there are none, they are guessed, but not believed.
pub(super) fn write(vectors: &Vectors, is_base64: bool, tokens_expected: u64, model: &str) -> Read {
    let data = vectors.vectors.iter().enumerate().map(|(index, vector)| {
        let embedding = if is_base64 { packed(vector) } else { json!(vector) };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    });
    let data: Vec<Value> = data.collect();
    let tokens = vectors.usage.map_or(tokens_expected, |usage| usage.input_tokens);
    let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
    let body = json!({"object": "list", "data": data, "model": model, "usage": usage});
    Read { body: body.to_string().into(), usage: vectors.usage }
}

/// Numbers of single precision, the lowest byte first, as OpenAI packs them.
fn packed(vector: &[f64]) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "single precision is what is promised")]
    let bytes: Vec<u8> = vector.iter().flat_map(|number| (*number as f32).to_le_bytes()).collect();
    Value::String(STANDARD.encode(bytes))
}
