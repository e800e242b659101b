//! `POST /v1/rerank`, in the shape of Cohere and Jina.

use serde_json::{Map, Value, json};

use super::Call;
use super::embeddings::vector;
use super::params::{flag, list, missing, number, required};
use crate::mind::count;
use crate::reply::{self, Reply};

/// Documents of one request.
const DOCUMENTS_MAX: usize = 10_000;
/// Length of the vectors that are compared.
const DIMENSIONS: usize = 64;

/// Orders the documents by how near they are to the query.
pub(crate) fn rerank(call: &Call<'_>) -> Result<Reply, Reply> {
    let object = call.parsed.object()?;
    let model = call.parsed.known_model()?;
    let query = required(object, "query")?;
    let documents = documents(object)?;
    let top = number(object, "top_n", 1, u64::MAX)?;
    let top = top.and_then(|top| usize::try_from(top).ok()).unwrap_or(documents.len());
    let with_documents = flag(object, "return_documents")?;
    let seed = call.core.options.seed;
    let wanted = vector(query, DIMENSIONS, seed);
    let mut scored: Vec<(usize, f64)> = documents
        .iter()
        .map(|text| vector(text, DIMENSIONS, seed))
        .map(|found| wanted.iter().zip(found).map(|(a, b)| f64::from(*a) * f64::from(b)).sum::<f64>())
        .map(|cosine| (cosine + 1.0) / 2.0)
        .enumerate()
        .collect();
    scored.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let results: Vec<Value> = scored
        .into_iter()
        .take(top)
        .map(|(index, score)| {
            let mut result = json!({"index": index, "relevance_score": score});
            if with_documents && let Some(object) = result.as_object_mut() {
                object.insert("document".to_owned(), json!({"text": documents[index]}));
            }
            result
        })
        .collect();
    let tokens = count(query) + documents.iter().map(|text| count(text)).sum::<u64>();
    let body = json!({
        "id": call.id("rerank-", 24), "object": "list", "model": model, "results": results,
        "usage": {"total_tokens": tokens, "prompt_tokens": tokens},
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    });
    Ok(Reply::json(200, &body, 1))
}

/// Strings, or objects with a `text`.
fn documents(object: &Map<String, Value>) -> Result<Vec<String>, Reply> {
    let list = list(object, "documents")?.ok_or_else(|| missing("documents"))?;
    if list.is_empty() || list.len() > DOCUMENTS_MAX {
        return Err(reply::invalid("documents", &format!("There must be 1 to {DOCUMENTS_MAX} documents.")));
    }
    let text = |document: &Value| {
        let text =
            document.as_str().or_else(|| document.get("text").and_then(Value::as_str)).map(str::to_owned);
        text.ok_or_else(|| {
            reply::invalid("documents", "Each document must be a string or an object with a text.")
        })
    };
    list.iter().map(text).collect()
}
