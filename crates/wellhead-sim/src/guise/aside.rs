//! Embeddings and rerank as other vendors are asked for them. Each is as strict as its vendor is said to be, and knows
//! nothing of how the gateway writes for it.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use wellhead_wire::chat::Dialect;
use wellhead_wire::gemini::{Call, Method};
use wellhead_wire::translate::write_error;

use crate::net::Request;
use crate::reply::{self, Body, Reply};

/// Where Voyage is: its path is the common one, so it has a base path of its own.
const VOYAGE_PATH: &str = "/voyage/v1/rerank";
/// Texts that Cohere takes at once.
const COHERE_TEXTS_MAX: usize = 96;

/// How an answer has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aside {
    GeminiOne,
    GeminiBatch,
    CohereEmbed,
    CohereRerank,
    Ollama,
    Voyage,
}

/// A request of another vendor's as the common one, or the error that it gets; `None` if it is none.
pub(super) fn of(request: &Request) -> Option<(Aside, Result<Request, Reply>)> {
    let aside = kind(&request.path)?;
    let asked = serde_json::from_slice::<Map<String, Value>>(&request.body)
        .map_err(|_| "the body is no JSON object".to_owned())
        .and_then(|body| match aside {
            Aside::GeminiOne | Aside::GeminiBatch => gemini(aside, &request.path, &body),
            Aside::CohereEmbed => cohere_embed(&body),
            Aside::CohereRerank => {
                ranked(&body, &["max_tokens_per_doc", "priority", "relevant_spans"], "top_n")
            }
            Aside::Voyage => ranked(&body, &["return_documents", "truncation"], "top_k"),
            Aside::Ollama => ollama(&body),
        });
    let path = match aside {
        Aside::CohereRerank | Aside::Voyage => "/v1/rerank",
        _ => "/v1/embeddings",
    };
    let asked = asked.map(|body| {
        let body = Bytes::from(body.to_string());
        Request { path: path.to_owned(), body, ..request.clone() }
    });
    let refused = |why: String| reply::error(400, "invalid_request_error", None, None, &why);
    Some((aside, asked.map_err(refused)))
}

fn kind(path: &str) -> Option<Aside> {
    let known = [
        ("/v2/embed", Aside::CohereEmbed),
        ("/v2/rerank", Aside::CohereRerank),
        ("/api/embed", Aside::Ollama),
        (VOYAGE_PATH, Aside::Voyage),
    ];
    if let Some((_, aside)) = known.into_iter().find(|(end, _)| path.ends_with(end)) {
        return Some(aside);
    }
    match Call::parse(path)?.method {
        Method::EmbedContent => Some(Aside::GeminiOne),
        Method::BatchEmbedContents => Some(Aside::GeminiBatch),
        _ => None,
    }
}

/// The member, which has to be there.
fn need<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a Value, String> {
    body.get(name).ok_or_else(|| format!("{name} is missing"))
}

fn texts(value: &Value) -> Result<Vec<&str>, String> {
    let texts: Option<Vec<&str>> = value.as_array().and_then(|list| list.iter().map(Value::as_str).collect());
    texts.filter(|texts| !texts.is_empty()).ok_or_else(|| "a list of texts is expected".to_owned())
}

/// Refuses members that the vendor does not know.
fn only(body: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match body.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("unknown field {name}")),
        None => Ok(()),
    }
}

fn gemini(aside: Aside, path: &str, body: &Map<String, Value>) -> Result<Value, String> {
    let model = Call::parse(path).map(|call| call.model.into_owned()).unwrap_or_default();
    let items = match aside {
        Aside::GeminiBatch => need(body, "requests")?.as_array().cloned().unwrap_or_default(),
        _ => vec![Value::Object(body.clone())],
    };
    let mut texts = Vec::new();
    for item in &items {
        let parts = item.pointer("/content/parts").and_then(Value::as_array).cloned().unwrap_or_default();
        let text: String = parts.iter().filter_map(|part| part["text"].as_str()).collect();
        if text.is_empty() {
            return Err("content is empty".to_owned());
        }
        if aside == Aside::GeminiBatch && item["model"] != json!(format!("models/{model}")) {
            return Err("a request of the batch is for another model".to_owned());
        }
        texts.push(text);
    }
    let dimensions = items.first().and_then(|item| item.get("outputDimensionality")).cloned();
    Ok(json!({"model": model, "input": texts, "dimensions": dimensions}))
}

fn cohere_embed(body: &Map<String, Value>) -> Result<Value, String> {
    let known = [
        "model",
        "texts",
        "input_type",
        "embedding_types",
        "output_dimension",
        "truncate",
        "max_tokens",
        "priority",
    ];
    only(body, &known)?;
    let texts = texts(need(body, "texts")?)?;
    if texts.len() > COHERE_TEXTS_MAX {
        return Err(format!("invalid request: total number of texts must be at most {COHERE_TEXTS_MAX}"));
    }
    let purposes = ["search_document", "search_query", "classification", "clustering", "image"];
    let purpose = need(body, "input_type")?.as_str().unwrap_or_default();
    if !purposes.contains(&purpose) {
        return Err(format!("invalid request: {purpose} is no input_type"));
    }
    if body.get("embedding_types") != Some(&json!(["float"])) {
        return Err("this simulator has floats only".to_owned());
    }
    Ok(json!({"model": need(body, "model")?, "input": texts, "dimensions": body.get("output_dimension")}))
}

fn ollama(body: &Map<String, Value>) -> Result<Value, String> {
    only(body, &["model", "input", "truncate", "dimensions", "options", "keep_alive"])?;
    Ok(
        json!({"model": need(body, "model")?, "input": need(body, "input")?, "dimensions": body.get("dimensions")}),
    )
}

/// `top` is the vendor's word for how many results there shall be.
fn ranked(body: &Map<String, Value>, more: &[&str], top: &str) -> Result<Value, String> {
    let known: Vec<&str> = ["model", "query", "documents", top].iter().chain(more).copied().collect();
    only(body, &known)?;
    Ok(json!({
        "model": need(body, "model")?, "query": need(body, "query")?, "documents": texts(need(body, "documents")?)?,
        "top_n": body.get(top), "return_documents": body.get("return_documents"),
    }))
}

impl Aside {
    /// The answer as it was asked for.
    pub(super) fn put_on(self, id: &str, reply: Reply) -> Reply {
        let Reply { status, headers, body } = reply;
        let body = match body {
            Body::Whole { bytes, tokens } => {
                let is_json =
                    headers.iter().any(|(name, kind)| name == "content-type" && kind == "application/json");
                let bytes = match serde_json::from_slice::<Value>(&bytes) {
                    Ok(said) if is_json && status == 200 && said.get("error").is_none() => {
                        self.answer(id, &said)
                    }
                    Ok(said) if is_json => self.error(id, status, &said, &bytes),
                    _ => bytes,
                };
                Body::Whole { bytes, tokens }
            }
            events @ Body::Events(_) => events,
        };
        Reply { status, headers, body }
    }

    fn answer(self, id: &str, said: &Value) -> Bytes {
        let list = |name: &str| said[name].as_array().cloned().unwrap_or_default();
        let vectors = || list("data").iter().map(|item| item["embedding"].clone()).collect::<Vec<Value>>();
        let tokens = &said["usage"]["prompt_tokens"];
        let answer = match self {
            Self::GeminiOne => json!({"embedding": {"values": vectors().first()}}),
            Self::GeminiBatch => {
                let each = vectors().into_iter().map(|values| json!({"values": values}));
                let counts = json!({"promptTokenCount": tokens, "totalTokenCount": tokens});
                json!({"embeddings": each.collect::<Vec<Value>>(), "usageMetadata": counts})
            }
            Self::CohereEmbed => json!({
                "id": id, "embeddings": {"float": vectors()}, "response_type": "embeddings_by_type",
                "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": tokens}},
            }),
            Self::Ollama => json!({
                "model": said["model"], "embeddings": vectors(), "total_duration": 1, "load_duration": 1,
                "prompt_eval_count": tokens,
            }),
            Self::CohereRerank => json!({"id": id, "results": said["results"], "meta": said["meta"]}),
            Self::Voyage => {
                let mut results = list("results");
                for result in &mut results {
                    if let Some(text) = result.pointer("/document/text").cloned() {
                        result["document"] = text;
                    }
                }
                let usage = json!({"total_tokens": said["usage"]["total_tokens"]});
                json!({"object": "list", "data": results, "model": said["model"], "usage": usage})
            }
        };
        answer.to_string().into()
    }

    fn error(self, id: &str, status: u16, said: &Value, bytes: &[u8]) -> Bytes {
        let dialect = match self {
            Self::GeminiOne | Self::GeminiBatch => Dialect::Gemini,
            Self::CohereEmbed | Self::CohereRerank => Dialect::Cohere,
            Self::Ollama => Dialect::Ollama,
            Self::Voyage => return json!({"detail": said["error"]["message"]}).to_string().into(),
        };
        write_error(dialect, status, bytes, id)
    }
}
