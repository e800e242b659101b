//! Rerank: a query, documents, and how near they are to it.

use super::{Form, Kept, Read, Written};
use crate::chat::{BadBody, Dialect, Fields, Loss, Losses};
use crate::failure::{classify_in_success, protocol_failure};
use crate::openai::chat::read_usage;
use crate::translate::Untranslatable;
use serde_json::{Map, Value, json};
use wellhead_types::{Failure, Stage};

/// Most documents of one request: Cohere advises against more than a thousand, Voyage takes a thousand; above this it is a
/// mistake.
const DOCUMENTS_MAX: usize = 10_000;

pub(super) fn encode(
    form: Form,
    body: &[u8],
    model: &str,
    losses: &Losses,
) -> Result<Written, Untranslatable> {
    let mut fields = Fields::new(Dialect::Cohere, "", BadBody::parse(body)?).map_err(BadBody::from)?;
    let mut loss = Loss::new(losses);
    drop(fields.take("model"));
    let query = fields.need_text("query")?;
    let documents = documents(&mut fields)?;
    let top = fields.count("top_n")?;
    let wants_documents = fields.flag("return_documents")?.unwrap_or(false);
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model));
    body.insert("query".to_owned(), json!(query));
    body.insert("documents".to_owned(), json!(documents));
    let own: &[&str] = match form {
        Form::VoyageRerank => &["truncation"],
        _ => &["max_tokens_per_doc", "priority", "relevant_spans"],
    };
    if let Some(top) = top {
        let name = if form == Form::VoyageRerank { "top_k" } else { "top_n" };
        body.insert(name.to_owned(), json!(top));
    }
    if form == Form::VoyageRerank && wants_documents {
        body.insert("return_documents".to_owned(), json!(true));
    }
    for (name, value) in fields.rest().of(Dialect::Cohere).into_iter().flatten() {
        if own.contains(&name.as_str()) {
            body.insert(name.clone(), value.clone());
        } else {
            loss.cannot(name.clone(), "is not known to this target")?;
        }
    }
    let kept = Kept::Ranks {
        documents: documents.len(),
        texts: (wants_documents && form == Form::CohereRerank).then_some(documents),
    };
    Ok(Written { encoded: loss.finish(Value::Object(body).to_string().into()), kept })
}

/// Texts, or objects with a text. Of an object with more the whole is compared: as JSON, which is YAML, which is how the
/// vendors want it.
fn documents(fields: &mut Fields) -> Result<Vec<String>, Untranslatable> {
    let Some(list) = fields.list("documents")? else {
        return Err(fields.missing("documents", "a list of texts").into());
    };
    if list.is_empty() || list.len() > DOCUMENTS_MAX {
        let found = format!("a list of {}", list.len());
        return Err(fields.invalid("documents", &found, "1 to 10,000 texts").into());
    }
    let mut documents = Vec::with_capacity(list.len());
    for (number, document) in list.into_iter().enumerate() {
        documents.push(match document {
            Value::String(text) => text,
            Value::Object(mut object) => match object.get_mut("text").map(Value::take) {
                Some(Value::String(text)) if object.len() == 1 => text,
                Some(text) => {
                    object.insert("text".to_owned(), text);
                    Value::Object(object).to_string()
                }
                None => Value::Object(object).to_string(),
            },
            _ => {
                let name = format!("documents[{number}]");
                return Err(fields.invalid(&name, "neither", "a text or an object with `text`").into());
            }
        });
    }
    Ok(documents)
}

pub(super) fn decode(
    form: Form,
    body: &[u8],
    documents: usize,
    texts: Option<&[String]>,
    model: &str,
) -> Result<Read, Failure> {
    let odd = |what: String| protocol_failure(200, Stage::FirstToken, what);
    let answer: Value = serde_json::from_slice(body).map_err(|error| odd(error.to_string()))?;
    let Value::Object(mut answer) = answer else { return Err(odd("the answer is no object".to_owned())) };
    let list = if form == Form::VoyageRerank { "data" } else { "results" };
    let Some(Value::Array(found)) = answer.shift_remove(list) else {
        return Err(classify_in_success(body, Stage::FirstToken));
    };
    let mut results = Vec::with_capacity(found.len());
    for result in found {
        results.push(
            read(result, documents, texts).ok_or_else(|| {
                odd("a result has no number of a document, or no relevance_score".to_owned())
            })?,
        );
    }
    // Cohere says in `meta` what it bills, in searches; Voyage counts tokens.
    let mut usage = answer.get("usage").and_then(read_usage);
    let mut written = Map::new();
    written.extend(answer.shift_remove("id").map(|id| ("id".to_owned(), id)));
    written.insert("object".to_owned(), json!("list"));
    written.insert("model".to_owned(), json!(model));
    written.insert("results".to_owned(), Value::Array(results));
    for name in ["usage", "meta"] {
        written.extend(answer.shift_remove(name).map(|value| (name.to_owned(), value)));
    }
    let written = Value::Object(written);
    usage = usage.or_else(|| crate::cohere::read_usage(&written));
    Ok(Read { body: written.to_string().into(), usage })
}

/// A result as clients of Cohere and Jina know it: its document is an object.
fn read(mut result: Value, documents: usize, texts: Option<&[String]>) -> Option<Value> {
    let object = result.as_object_mut()?;
    let index = usize::try_from(object.get("index")?.as_u64()?).ok().filter(|index| *index < documents)?;
    object.get("relevance_score")?.as_f64()?;
    match object.get_mut("document").map(Value::take) {
        Some(Value::String(text)) => drop(object.insert("document".to_owned(), json!({"text": text}))),
        Some(Value::Null) => drop(object.shift_remove("document")),
        Some(document) => drop(object.insert("document".to_owned(), document)),
        None => {}
    }
    if let Some(text) = texts.and_then(|texts| texts.get(index)) {
        object.insert("document".to_owned(), json!({"text": text}));
    }
    Some(result)
}
