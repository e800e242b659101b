//! One provider kind. Adding a vendor of a known dialect is a data change, not a code change.

use crate::quirk::KnownQuirk;
use std::sync::Arc;

/// How a vendor is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// OpenAI Chat Completions and its siblings.
    Openai,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini generateContent.
    Gemini,
    /// Bedrock Converse.
    Bedrock,
    /// Cohere v2.
    Cohere,
    /// Ollama's own API.
    Ollama,
}

/// The header that carries a key of Azure, where requests have no token.
pub const AZURE_KEY_HEADER: &str = "api-key";

/// Where the key goes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// `Authorization: Bearer KEY` when a key is configured, nothing otherwise: servers that people run themselves.
    OptionalBearer,
    /// The named header carries the key alone (`api-key`, `x-api-key`).
    Header(String),
    /// Requests are signed for this service of AWS (Signature Version 4); a key as text is a bearer's.
    AwsSigv4(String),
    /// `Authorization: Bearer TOKEN` with an access token of Google Cloud; a key as text is one.
    GcpOauth,
    /// `Authorization: Bearer TOKEN` with an access token of Microsoft Entra ID; a key as text goes into `api-key`.
    AzureEntra,
    /// No credential.
    None,
}

/// How a server is handed the beginning of its own answer, to go on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prefill {
    /// Not at all: it would begin a new answer, or refuse.
    #[default]
    None,
    /// An assistant message at the end is enough.
    Trailing,
    /// `continue_final_message: true` and `add_generation_prompt: false`.
    Vllm,
    /// `"prefix": true` in the last message; the answer repeats it.
    Mistral,
    /// `"prefix": true` in the last message, below `/beta` instead of the base URL's own path.
    Deepseek,
    /// `"partial": true` in the last message.
    Partial,
}

/// How a vendor is asked to rank documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rerank {
    /// `rerank` below its base URL, in the form that Cohere began and Jina took over: what clients write.
    #[default]
    Common,
    /// Cohere's second version: documents are texts, and do not come back.
    Cohere,
    /// `top_k` instead of `top_n`, and `data` instead of `results`.
    Voyage,
}

/// Where a vendor of the OpenAI family departs from OpenAI. Every default is OpenAI's own behaviour, but for what hardly
/// anybody else has.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quirks {
    /// Accepts `stream_options: {include_usage: true}`. False: it is not asked for; usage that a stream brings unasked
    /// counts all the same, and is estimated where there is none.
    pub stream_usage: bool,
    /// Knows only the old name `max_tokens`: a request's `max_completion_tokens` is sent under that name.
    pub max_tokens_only: bool,
    /// Serves the Responses API. Not the default: requests to it can be translated where nobody knows, and could not be
    /// answered where a vendor does not have it.
    pub responses: bool,
    /// Endpoints of the OpenAI surface that the vendor serves, as paths below the base URL without a slash in front
    /// ("chat/completions"). Empty: unknown, everything is tried.
    pub endpoints: Vec<String>,
    /// Headers sent with every request (name in lower case, value). Never credentials: those are [`Auth`].
    pub headers: Vec<(String, String)>,
    /// Query parameters sent with every request (name, value).
    pub query: Vec<(String, String)>,
    /// Header that names the vendor's request id.
    pub request_id_header: String,
    /// How it continues an answer that broke off elsewhere.
    pub prefill: Prefill,
    /// The same for single models (pattern with at most one `*`, form); the first that fits counts before `prefill`.
    pub prefill_models: Vec<(String, Prefill)>,
    /// Where its Chat Completions depart from OpenAI's, for requests that are written for it. Of several of one sort the
    /// last that concerns a model counts.
    pub chat: Vec<KnownQuirk>,
    /// How it is asked to rank documents.
    pub rerank: Rerank,
}

/// Whether a model's name fits a pattern of the catalogue, which has at most one `*`.
pub fn fits(pattern: &str, model: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == model,
        Some((start, end)) => {
            model.strip_prefix(start).is_some_and(|rest| rest.len() >= end.len() && rest.ends_with(end))
        }
    }
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            stream_usage: true,
            max_tokens_only: false,
            responses: false,
            endpoints: Vec::new(),
            headers: Vec::new(),
            query: Vec::new(),
            request_id_header: "x-request-id".to_owned(),
            prefill: Prefill::None,
            prefill_models: Vec::new(),
            chat: Vec::new(),
            rerank: Rerank::Common,
        }
    }
}

/// One provider kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// The word in `kind:`.
    pub name: Arc<str>,
    /// Name for people.
    pub title: String,
    /// Dialect that it speaks.
    pub dialect: Dialect,
    /// Default base URL; `None` where it belongs to the customer (`openai-compatible`, `azure-openai`).
    pub base_url: Option<String>,
    /// Where the key goes.
    pub auth: Auth,
    /// Environment variables that usually hold the key; offered at first run, never used silently.
    pub key_env: Vec<String>,
    /// Departures from the dialect.
    pub quirks: Quirks,
    /// OpenTelemetry `gen_ai.provider.name`.
    pub otel_name: String,
    /// Lists of models (`catalog/models/NAME.csv`) that it sells, in the order in which they are searched. Empty: the
    /// list of its own name, where there is one.
    pub models: Vec<String>,
    /// How the facts are known: one of the words of [`crate::SOURCES`], explained in `catalog/NOTICE.md`.
    pub source: String,
}

impl Kind {
    /// The lists of the models that it sells.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        let own = self.models.is_empty().then_some(&*self.name);
        self.models.iter().map(String::as_str).chain(own)
    }
}
