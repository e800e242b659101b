//! Clients who speak another dialect than OpenAI's: what they ask is read into it before anything is decided, and what they
//! are answered, errors too, is put into their own when everything is. In between there is one pipeline for all.

use crate::body::{GatewayBody, TranslatedBody};
use crate::gateway::Worker;
use crate::pipeline;
use crate::rescue::{self, Refusal};
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use std::sync::{Arc, OnceLock};
use wellhead_http::names;
use wellhead_wire::anthropic::Version;
use wellhead_wire::chat::{self, Dialect, Origin, Shown};
use wellhead_wire::gemini::{self, Framing, Method};
use wellhead_wire::openai::request::BadRequest;
use wellhead_wire::translate::{
    Asked, Heading, Outbound, Untranslatable, read_request, write_answer, write_error,
};

/// What a path of another dialect asks for.
#[derive(Debug)]
pub(crate) struct Front {
    dialect: Dialect,
    template: &'static str,
    /// The model and whether a stream is asked for, where the path says so.
    path: Option<(Arc<str>, bool)>,
    framing: Framing,
    /// `None`: one that nobody knows was named.
    version: Option<Version>,
    /// The model that was asked for, once the body has been read: what the answer calls it too.
    model: OnceLock<Box<str>>,
}

impl Front {
    /// `None` for paths of OpenAI's dialect, and for unknown ones.
    pub(crate) fn of<B>(request: &Request<B>) -> Option<Self> {
        let path = request.uri().path();
        if path == "/v1/messages" || path == "/anthropic/v1/messages" {
            let (dialect, template) = (Dialect::Anthropic, "/v1/messages");
            let version = match request.headers().get(Version::HEADER) {
                None => Some(Version::default()),
                Some(named) => named.to_str().ok().and_then(Version::from_header),
            };
            let (framing, model) = (Framing::Sse, OnceLock::new());
            return Some(Self { dialect, template, path: None, framing, version, model });
        }
        // Nearly every path ends here.
        memchr::memchr(b':', path.as_bytes())?;
        let call = gemini::Call::parse(path)?;
        let (streamed, template) = match call.method {
            Method::GenerateContent => (false, "/v1beta/models/{model}:generateContent"),
            Method::StreamGenerateContent => (true, "/v1beta/models/{model}:streamGenerateContent"),
            _ => return None,
        };
        Some(Self {
            dialect: Dialect::Gemini,
            template,
            path: Some((call.model.as_ref().into(), streamed)),
            framing: if streamed { Framing::asked(request.uri().query()) } else { Framing::Sse },
            version: Some(Version::default()),
            model: OnceLock::new(),
        })
    }

    /// The path as documentation and metrics name it.
    pub(crate) const fn template(&self) -> &'static str {
        self.template
    }

    /// Answers a request in its own dialect.
    pub(crate) async fn serve(
        self,
        worker: Arc<Worker>,
        request: Request<Incoming>,
    ) -> Response<GatewayBody> {
        let response = pipeline::answered(worker.clone(), request, Some(&self)).await;
        self.write(&worker, response).await
    }

    /// Reads a body: as one of OpenAI Chat, and as all that it says.
    pub(crate) async fn read(
        &self,
        worker: &Worker,
        body: Bytes,
    ) -> Result<(Bytes, Arc<chat::Request>), Refusal> {
        let Some(version) = self.version else { return Err(version_unknown()) };
        let (dialect, path) = (self.dialect, self.path.clone());
        let length = body.len();
        let work = move || {
            let (model, stream) = path.as_ref().map_or(("", false), |(model, stream)| (&**model, *stream));
            read_request(dialect, &body, Heading { model, stream, version })
        };
        let read = worker.disk.translate(length, work).await;
        match read {
            Some(Ok(Asked { request, body })) => {
                drop(self.model.set(request.model.clone()));
                Ok((body, Arc::new(request)))
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
        let (mut parts, body) = response.into_parts();
        let id = parts.headers.get(&names::X_REQUEST_ID).cloned();
        let request_id = id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
        if let (Dialect::Anthropic, Some(id)) = (self.dialect, &id) {
            // Where Anthropic's SDKs look for it.
            parts.headers.insert("request-id", id.clone());
        }
        let wall_ns = worker.gateway.clock.wall_ns(worker.gateway.clock.now());
        let shown = Shown {
            model: self.model.get().cloned().unwrap_or_default(),
            id: format!("{:016x}", worker.gateway.entropy.next()).into(),
            created: wall_ns / 1_000_000_000,
            stream_usage: true,
        };
        let unknown = || Origin { provider: "".into(), model: "".into() };
        let origin = parts.extensions.remove().unwrap_or_else(unknown);
        parts.headers.remove(header::CONTENT_LENGTH);
        let body = match body {
            GatewayBody::Whole(Some(bytes)) if parts.status == StatusCode::OK => {
                match self.whole(worker, bytes, origin, shown).await {
                    Some(bytes) => GatewayBody::whole(bytes),
                    None => self.untranslated(&mut parts.status, request_id),
                }
            }
            GatewayBody::Whole(Some(bytes)) if !parts.status.is_success() => {
                GatewayBody::whole(write_error(self.dialect, parts.status.as_u16(), &bytes, request_id))
            }
            GatewayBody::Relay(_) => self.untranslated(&mut parts.status, request_id),
            inner @ GatewayBody::Stream(_) => {
                let event_bytes_max = worker.gateway.plan.load().limits.event_bytes_max;
                let outbound =
                    Outbound::new((self.dialect, self.framing), &origin, shown, request_id, event_bytes_max);
                GatewayBody::Translated(Box::new(TranslatedBody { inner, outbound, closed: false }))
            }
            other => other,
        };
        if let GatewayBody::Translated(_) = &body {
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.framing.media_type()));
        }
        if matches!(body, GatewayBody::Whole(Some(_))) {
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Response::from_parts(parts, body)
    }

    async fn whole(&self, worker: &Worker, bytes: Bytes, origin: Origin, shown: Shown) -> Option<Bytes> {
        let dialect = self.dialect;
        let length = bytes.len();
        let work = move || write_answer(dialect, &bytes, &origin, &shown);
        let written = worker.disk.translate(length, work).await;
        written?.ok()
    }

    /// An answer that the client cannot be told in its dialect.
    fn untranslated(&self, status: &mut StatusCode, request_id: &str) -> GatewayBody {
        let (failed, error) = rescue::untranslated();
        *status = failed;
        GatewayBody::whole(write_error(self.dialect, failed.as_u16(), error, request_id))
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
