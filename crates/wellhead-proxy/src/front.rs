//! Clients who speak another dialect than OpenAI's: what they ask is read into it before anything is decided, and what they
//! are answered, errors too, is put into their own when everything is. In between there is one pipeline for all.

mod key;
mod predict;

use crate::body::{GatewayBody, TranslatedBody};
use crate::exchange::Own;
use crate::gateway::Worker;
use crate::pipeline;
use crate::plan::{Plan, Route};
use crate::rescue::{self, Refusal};
use crate::translate::Original;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use key::{key_from_query, query_key};
use percent_encoding::percent_decode_str;
use predict::{Predict, plain_messages};
use std::sync::{Arc, OnceLock};
use wellhead_http::names;
use wellhead_wire::anthropic::Version;
use wellhead_wire::chat::{self, CustomTools, Dialect, Origin, Shown};
use wellhead_wire::gemini::{self, Framing, Method};
use wellhead_wire::openai::Endpoint;
use wellhead_wire::openai::request::BadRequest;
use wellhead_wire::openai::responses::Echo;
use wellhead_wire::translate::{
    Asked, Embedding, Heading, Manner, Outbound, Untranslatable, carried_bytes_max, named_answer, read_count,
    read_embedding, read_request, write_answer, write_counted, write_embedding, write_error,
};

/// A request in another dialect.
#[derive(Debug)]
pub(crate) struct Front {
    dialect: Dialect,
    asks: Asks,
    template: &'static str,
    /// The model and whether a stream is asked for, where the path says so.
    path: Option<(Arc<str>, bool)>,
    framing: Framing,
    /// `None`: one that nobody knows was named.
    version: Option<Version>,
    /// What is known once the body has been read.
    told: OnceLock<Told>,
    /// What the body asks for and OpenAI's dialect has no word for.
    unsaid: OnceLock<Vec<&'static str>>,
}

/// What an answer repeats of its request.
#[derive(Debug)]
struct Told {
    /// The model, which the answer calls so too.
    model: Box<str>,
    echo: Arc<Echo>,
    customs: Option<CustomTools>,
}

/// What a client of another dialect asks for, as all that it says.
#[derive(Debug)]
pub(crate) struct Foreign {
    pub(crate) dialect: Dialect,
    pub(crate) request: chat::Request,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    Answer,
    /// The same where Vertex AI has it: the model in the path, the version in the body.
    Predict,
    Count,
    Embed(Method),
    /// The list of models, or the one of the path.
    Models,
}

impl Front {
    /// `None` for paths of OpenAI's dialect, and for unknown ones.
    pub(crate) fn of<B>(request: &Request<B>) -> Option<Self> {
        let path = request.uri().path();
        if request.method() == http::Method::GET
            && let Some(list) = Self::list_of(request, path)
        {
            return Some(list);
        }
        let below = path.strip_prefix("/anthropic").unwrap_or(path);
        let messages = match below {
            "/v1/messages" => Some((Asks::Answer, "/v1/messages")),
            "/v1/messages/count_tokens" => Some((Asks::Count, "/v1/messages/count_tokens")),
            _ => None,
        };
        if let Some((asks, template)) = messages {
            let version = match request.headers().get(Version::HEADER) {
                None => Some(Version::default()),
                Some(named) => named.to_str().ok().and_then(Version::from_header),
            };
            return Some(Self { version, ..Self::new(Dialect::Anthropic, asks, template) });
        }
        if path.trim_end_matches('/').ends_with("responses") && request.method() == http::Method::POST {
            return Self::of_responses(path);
        }
        // Nearly every path ends here.
        memchr::memchr(b':', path.as_bytes())?;
        if let Some(predict) = Predict::parse(path) {
            return Some(predict.front());
        }
        let call = gemini::Call::parse(path)?;
        let (asks, template) = match call.method {
            Method::GenerateContent => (Asks::Answer, "/v1beta/models/{model}:generateContent"),
            Method::StreamGenerateContent => (Asks::Answer, "/v1beta/models/{model}:streamGenerateContent"),
            Method::CountTokens => (Asks::Count, "/v1beta/models/{model}:countTokens"),
            Method::EmbedContent => (Asks::Embed(call.method), "/v1beta/models/{model}:embedContent"),
            Method::BatchEmbedContents => {
                (Asks::Embed(call.method), "/v1beta/models/{model}:batchEmbedContents")
            }
        };
        let streamed = call.method == Method::StreamGenerateContent;
        Some(Self {
            path: Some((call.model.as_ref().into(), streamed)),
            framing: if streamed { Framing::asked(request.uri().query()) } else { Framing::Sse },
            ..Self::new(Dialect::Gemini, asks, template)
        })
    }

    fn new(dialect: Dialect, asks: Asks, template: &'static str) -> Self {
        Self {
            dialect,
            asks,
            template,
            path: None,
            framing: Framing::Sse,
            version: Some(Version::default()),
            told: OnceLock::new(),
            unsaid: OnceLock::new(),
        }
    }

    /// The list of models in the form of whoever asks: by the path, or by the headers that only one vendor's clients send.
    fn list_of<B>(request: &Request<B>, path: &str) -> Option<Self> {
        let headers = request.headers();
        let (dialect, below) = if let Some(below) = path.strip_prefix("/v1beta/models") {
            (Dialect::Gemini, below)
        } else if let Some(below) = path.strip_prefix("/anthropic/v1/models") {
            (Dialect::Anthropic, below)
        } else {
            let below = path.strip_prefix("/v1/models")?;
            let has = |name: &http::HeaderName| headers.contains_key(name);
            let is_anthropic =
                has(&names::ANTHROPIC_VERSION) || (has(&names::X_API_KEY) && !has(&header::AUTHORIZATION));
            let is_gemini = has(&names::X_GOOG_API_KEY) || query_key(request.uri().query()).is_some();
            match (is_anthropic, is_gemini && !has(&header::AUTHORIZATION)) {
                (true, _) => (Dialect::Anthropic, below),
                (false, true) => (Dialect::Gemini, below),
                (false, false) => return None,
            }
        };
        let id = match below {
            "" | "/" => None,
            below => Some(percent_decode_str(below.strip_prefix('/')?).decode_utf8().ok()?),
        };
        let template = if id.is_some() { "/v1/models/{id}" } else { "/v1/models" };
        let path = id.map(|id| (Arc::from(&*id), false));
        Some(Self { path, ..Self::new(dialect, Asks::Models, template) })
    }

    /// A request to the Responses API. Whether it has to be translated is known when its model is.
    fn of_responses(path: &str) -> Option<Self> {
        let path = wellhead_http::path::normalize(path).ok()?;
        let endpoint = Endpoint::from_path(&path).filter(|endpoint| *endpoint == Endpoint::Responses)?;
        Some(Self::new(Dialect::Responses, Asks::Answer, endpoint.template()))
    }

    /// The endpoint that is asked once a request has been translated.
    pub(crate) fn asked_as(endpoint: Endpoint) -> Endpoint {
        if endpoint == Endpoint::Responses { Endpoint::ChatCompletions } else { endpoint }
    }

    /// Whether all who may be asked speak the client's dialect, so that the body goes to them as it came.
    pub(crate) fn passes(&self, plan: &Plan, body: &[u8]) -> bool {
        self.dialect == Dialect::Responses && plan.passes_responses(body)
    }

    /// The path as documentation and metrics name it.
    pub(crate) const fn template(&self) -> &'static str {
        self.template
    }

    /// Which of the gateway's endpoints it is for; `None` for lists of models.
    pub(crate) const fn endpoint(&self) -> Option<Endpoint> {
        match self.asks {
            // As long as nothing has been translated.
            Asks::Answer if matches!(self.dialect, Dialect::Responses) => Some(Endpoint::Responses),
            Asks::Answer | Asks::Predict => Some(Endpoint::ChatCompletions),
            Asks::Count => Some(Endpoint::CountTokens),
            Asks::Embed(_) => Some(Endpoint::Embeddings),
            Asks::Models => None,
        }
    }

    /// The model in the path.
    pub(crate) fn model(&self) -> Option<&str> {
        self.path.as_ref().map(|(model, _)| &**model)
    }

    /// The form of lists of models.
    pub(crate) fn list(&self) -> Option<Dialect> {
        Some(self.dialect)
    }

    /// Refuses what a model's targets cannot be told, unless the model may be asked without.
    pub(crate) fn unsaid(&self, route: &Route) -> Option<Refusal> {
        let allowed = &route.model.drop_unsupported;
        let is_allowed =
            |name: &str| allowed.iter().any(|allowed| matches!(&**allowed, "*") || **allowed == *name);
        let unsaid = self.unsaid.get()?.iter().find(|name| !is_allowed(name))?;
        let message = format!("`{unsaid}` cannot be asked of the targets of this model; leave it out");
        Some(Refusal::body_invalid(BadRequest {
            message,
            param: Some(unsaid),
            code: "unsupported_parameter",
        }))
    }

    /// Answers a request in its own dialect.
    pub(crate) async fn serve(
        self,
        worker: Arc<Worker>,
        mut request: Request<Incoming>,
    ) -> Response<GatewayBody> {
        if self.dialect == Dialect::Gemini {
            key_from_query(&mut request);
        }
        let response = pipeline::answered(worker.clone(), request, Some(&self)).await;
        self.write(&worker, response).await
    }

    /// Reads a body: as one of OpenAI's, and as all that it says.
    pub(crate) async fn read(
        &self,
        worker: &Worker,
        body: Bytes,
    ) -> Result<(Bytes, Option<Arc<Foreign>>, Arc<Own>), Refusal> {
        let Some(version) = self.version else { return Err(version_unknown()) };
        let (dialect, path, asks) = (self.dialect, self.path.clone(), self.asks);
        let length = body.len();
        let work = move || {
            let (model, stream) = path.as_ref().map_or(("", false), |(model, stream)| (&**model, *stream));
            let (body, named) = match asks {
                Asks::Predict => plain_messages(&body, Some((model, stream)))?,
                Asks::Count if dialect == Dialect::Anthropic => plain_messages(&body, None)?,
                _ => (body, None),
            };
            let version = named.unwrap_or(version);
            let own = Own { dialect, body, version };
            let heading = Heading { model, stream, version };
            let read = match asks {
                Asks::Embed(method) => {
                    let Embedding { body, unsaid } = read_embedding(method, &own.body, model)?;
                    Read { body, echo: Arc::default(), asked: None, unsaid, model: model.into() }
                }
                Asks::Count => Read::of(read_count(dialect, &own.body, heading)?),
                _ => Read::of(read_request(dialect, &own.body, heading)?),
            };
            Ok((read, own))
        };
        match worker.disk.translate(length, work).await {
            Some(Ok((read, own))) => {
                let customs = read.asked.as_ref().and_then(CustomTools::of);
                drop(self.told.set(Told { model: read.model, echo: read.echo, customs }));
                drop(self.unsaid.set(read.unsaid));
                let asked = read.asked.map(|request| Arc::new(Foreign { dialect, request }));
                Ok((read.body, asked, Arc::new(own)))
            }
            Some(Err(wrong)) => Err(refusal(&wrong)),
            None => Err(Refusal::body_invalid(BadRequest {
                message: "the request could not be read".to_owned(),
                param: None,
                code: "invalid_value",
            })),
        }
    }

    async fn write(&self, worker: &Worker, response: Response<GatewayBody>) -> Response<GatewayBody> {
        if self.dialect == Dialect::Responses
            && (self.told.get().is_none() || !response.status().is_success())
        {
            // What passed as it came, and errors, which have the same form in both of OpenAI's dialects.
            return response;
        }
        let (mut parts, body) = response.into_parts();
        let id = parts.headers.get(&names::X_REQUEST_ID).cloned();
        let request_id = id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
        if let (Dialect::Anthropic, Some(id)) = (self.dialect, &id) {
            // Where Anthropic's SDKs look for it.
            parts.headers.insert("request-id", id.clone());
        }
        let wall_ns = worker.gateway.clock.wall_ns(worker.gateway.clock.now());
        let shown = Shown {
            model: self.told.get().map(|told| told.model.clone()).unwrap_or_default(),
            id: format!("{:016x}", worker.gateway.entropy.next()).into(),
            created: wall_ns / 1_000_000_000,
            stream_usage: true,
        };
        let unknown = || Origin { provider: "".into(), model: "".into() };
        let origin = parts.extensions.remove().unwrap_or_else(unknown);
        parts.headers.remove(header::CONTENT_LENGTH);
        if let Some(unsaid) =
            self.unsaid.get().filter(|unsaid| !unsaid.is_empty() && parts.status == StatusCode::OK)
            && let Ok(list) = HeaderValue::from_str(&unsaid.join(", "))
        {
            parts.headers.insert(&names::X_WELLHEAD_DROPPED, list);
        }
        let original = parts.extensions.remove::<Original>().filter(|_| parts.status == StatusCode::OK);
        let body = match (body, original) {
            (GatewayBody::Whole(Some(_)), Some(Original(bytes))) => {
                match self.named(worker, bytes, shown.model.clone()).await {
                    Some(bytes) => GatewayBody::whole(bytes),
                    None => self.untranslated(&mut parts.status, request_id),
                }
            }
            (body, _) => self.translated(worker, body, &mut parts.status, (origin, shown), request_id).await,
        };
        if let GatewayBody::Translated(_) = &body {
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.framing.media_type()));
        }
        if matches!(body, GatewayBody::Whole(Some(_))) {
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Response::from_parts(parts, body)
    }

    /// A body in the client's dialect.
    async fn translated(
        &self,
        worker: &Worker,
        body: GatewayBody,
        status: &mut StatusCode,
        (origin, shown): (Origin, Shown),
        request_id: &str,
    ) -> GatewayBody {
        match body {
            GatewayBody::Whole(Some(bytes)) if *status == StatusCode::OK => {
                let written = match self.asks {
                    Asks::Answer | Asks::Predict => self.whole(worker, bytes, origin, shown).await,
                    Asks::Count => write_counted(self.dialect, &bytes).ok(),
                    Asks::Embed(method) => self.vectors(worker, bytes, method).await,
                    Asks::Models => Some(bytes),
                };
                match written {
                    Some(bytes) => GatewayBody::whole(bytes),
                    None => self.untranslated(status, request_id),
                }
            }
            GatewayBody::Whole(Some(bytes)) if !status.is_success() => {
                GatewayBody::whole(write_error(self.dialect, status.as_u16(), &bytes, request_id))
            }
            GatewayBody::Relay(_) => self.untranslated(status, request_id),
            inner @ GatewayBody::Stream(_) => {
                let event_bytes_max = carried_bytes_max(worker.gateway.plan.load().limits.event_bytes_max);
                let outbound = Outbound::new(self.manner(), &origin, shown, request_id, event_bytes_max);
                GatewayBody::Translated(Box::new(TranslatedBody { inner, outbound, closed: false }))
            }
            other => other,
        }
    }

    /// What came in this dialect already.
    async fn named(&self, worker: &Worker, bytes: Bytes, model: Box<str>) -> Option<Bytes> {
        let (dialect, length) = (self.dialect, bytes.len());
        worker.disk.translate(length, move || named_answer(dialect, &bytes, &model)).await
    }

    fn manner(&self) -> Manner {
        let told = self.told.get();
        Manner {
            dialect: self.dialect,
            framing: self.framing,
            echo: told.map(|told| told.echo.clone()).unwrap_or_default(),
            customs: told.and_then(|told| told.customs.clone()),
        }
    }

    async fn whole(&self, worker: &Worker, bytes: Bytes, origin: Origin, shown: Shown) -> Option<Bytes> {
        let manner = self.manner();
        let length = bytes.len();
        let work = move || write_answer(manner, &bytes, &origin, &shown);
        let written = worker.disk.translate(length, work).await;
        written?.ok()
    }

    async fn vectors(&self, worker: &Worker, bytes: Bytes, method: Method) -> Option<Bytes> {
        let length = bytes.len();
        worker.disk.translate(length, move || write_embedding(method, &bytes)).await.flatten()
    }

    /// An answer that the client cannot be told in its dialect.
    fn untranslated(&self, status: &mut StatusCode, request_id: &str) -> GatewayBody {
        let (failed, error) = rescue::untranslated();
        *status = failed;
        GatewayBody::whole(write_error(self.dialect, failed.as_u16(), error, request_id))
    }
}

/// A body as it was read.
struct Read {
    body: Bytes,
    echo: Arc<Echo>,
    asked: Option<chat::Request>,
    unsaid: Vec<&'static str>,
    model: Box<str>,
}

impl Read {
    fn of(Asked { request, body, echo }: Asked) -> Self {
        Self { model: request.model.clone(), body, echo, asked: Some(request), unsaid: Vec::new() }
    }
}

fn version_unknown() -> Refusal {
    let message = format!(
        "the header `{}` names a version that is not known: expected {} or {}",
        Version::HEADER,
        Version::V2023.as_str(),
        Version::V2026.as_str()
    );
    Refusal::body_invalid(BadRequest { message, param: None, code: "invalid_value" })
}

fn refusal(wrong: &Untranslatable) -> Refusal {
    // The parameter's name is the client's own; the message has it too.
    Refusal::body_invalid(BadRequest { message: wrong.to_string(), param: None, code: wrong.code() })
}
