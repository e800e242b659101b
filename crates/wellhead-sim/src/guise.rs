//! The dialects of Anthropic, Google, Amazon Bedrock, Cohere and Ollama: a request is answered as one of OpenAI Chat, and
//! the answer is put into the dialect that was asked in. So every fault can be had in every dialect.

mod aside;

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::json;
use wellhead_wire::anthropic::Version;
use wellhead_wire::bedrock::{self, STREAM_MEDIA_TYPE, exception_of};
use wellhead_wire::chat::{Dialect, Origin, Shown};
use wellhead_wire::eventstream::{self, MESSAGE_BYTES_MAX, Value};
use wellhead_wire::gemini::{Call, Framing, Method};
use wellhead_wire::translate::{Heading, Outbound, read_count, read_request, write_answer, write_error};

use crate::core::Core;
use crate::net::Request;
use crate::reply::{Body, Events, Reply, Step};

/// Longest event that is translated: above the `huge-line` of any test.
const EVENT_BYTES_MAX: usize = 16 << 20;

/// The content type of a stream of lines.
const LINES: &str = "application/x-ndjson";

/// What a server-sent event has in front of its data, and a line has not.
const FIELD: &[u8] = b"data: ";

/// The path that the request is answered under.
const CHAT_PATH: &str = "/v1/chat/completions";

/// How an answer has to look.
pub(crate) enum Guise {
    Chat(Chat),
    Aside(aside::Aside),
}

/// The same of a chat.
pub(crate) struct Chat {
    dialect: Dialect,
    framing: Framing,
    model: Box<str>,
}

/// A request in another dialect as one of OpenAI Chat, or the error that it gets; `None` if it is in no other.
pub(crate) fn of(request: &Request) -> Option<(Guise, Result<Request, Reply>)> {
    if let Some(counted) = counted(request) {
        return Some(counted);
    }
    if let Some((aside, asked)) = aside::of(request) {
        return Some((Guise::Aside(aside), asked));
    }
    let (dialect, path) = dialect(&request.path)?;
    let framing = Framing::asked(request.query.as_deref());
    let version = request.header(Version::HEADER).and_then(Version::from_header).unwrap_or_default();
    let (model, stream) = path.as_ref().map_or(("", false), |(model, stream)| (&**model, *stream));
    let asked = read_request(dialect, &request.body, Heading { model, stream, version });
    let named = path.map(|(model, _)| model.into_owned());
    match asked {
        Ok(asked) => {
            let model = named.map_or_else(|| asked.request.model.clone(), Into::into);
            let chat = Request { path: CHAT_PATH.to_owned(), body: asked.body, ..request.clone() };
            Some((Guise::Chat(Chat { dialect, framing, model }), Ok(chat)))
        }
        Err(wrong) => {
            let message = wrong.to_string();
            let reply = crate::reply::error(
                400,
                "invalid_request_error",
                Some(wrong.code()),
                wrong.param(),
                &message,
            );
            let model = named.unwrap_or_default().into();
            Some((Guise::Chat(Chat { dialect, framing, model }), Err(reply)))
        }
    }
}

/// How long a prompt is: a token a word, and one for every piece of punctuation.
fn counted(request: &Request) -> Option<(Guise, Result<Request, Reply>)> {
    let call = Call::parse(&request.path).filter(|call| call.method == Method::CountTokens);
    let dialect = match &call {
        Some(_) => Dialect::Gemini,
        None if request.path.ends_with("/messages/count_tokens") => Dialect::Anthropic,
        None => return None,
    };
    let model = call.map_or(Cow::Borrowed(""), |call| call.model);
    let version = request.header(Version::HEADER).and_then(Version::from_header).unwrap_or_default();
    let heading = Heading { model: &model, stream: false, version };
    let reply = match read_count(dialect, &request.body, heading) {
        Ok(asked) => {
            let text = String::from_utf8_lossy(&asked.body);
            let tokens = text.split_whitespace().count() + text.matches([',', '.', '?']).count();
            let member = if dialect == Dialect::Gemini { "totalTokens" } else { "input_tokens" };
            Reply::json(200, &serde_json::json!({ member: tokens }), 0)
        }
        Err(wrong) => {
            let (code, message) = (Some(wrong.code()), wrong.to_string());
            crate::reply::error(400, "invalid_request_error", code, wrong.param(), &message)
        }
    };
    Some((Guise::Chat(Chat { dialect, framing: Framing::Sse, model: model.into() }), Err(reply)))
}

/// The model that a path names, and whether it asks for a stream.
type Named<'a> = (Cow<'a, str>, bool);

/// The dialect of a path, and what the path says besides.
fn dialect(path: &str) -> Option<(Dialect, Option<Named<'_>>)> {
    if path.ends_with("/messages") {
        return Some((Dialect::Anthropic, None));
    }
    if let Some(call) = bedrock::Call::parse(path) {
        return Some((Dialect::Bedrock, Some((call.model, call.stream))));
    }
    if path.ends_with("/v2/chat") {
        return Some((Dialect::Cohere, None));
    }
    if path.ends_with("/api/chat") {
        return Some((Dialect::Ollama, None));
    }
    let call = Call::parse(path)?;
    let streamed = match call.method {
        Method::GenerateContent => false,
        Method::StreamGenerateContent => true,
        _ => return None,
    };
    Some((Dialect::Gemini, Some((call.model, streamed))))
}

impl Guise {
    /// The answer as it was asked for.
    pub(crate) fn put_on(&self, core: &Core, reply: Reply) -> Reply {
        match self {
            Self::Chat(chat) => chat.put_on(core, reply),
            Self::Aside(aside) => aside.put_on(&core.fresh().id("", 24), reply),
        }
    }
}

impl Chat {
    fn put_on(&self, core: &Core, mut reply: Reply) -> Reply {
        let id = core.fresh().id("", 24);
        if self.dialect == Dialect::Bedrock {
            head(&mut reply, &id);
        }
        let shown =
            Shown { model: self.model.clone(), id: id.clone().into(), created: 0, stream_usage: true };
        let origin = Origin { provider: "sim".into(), model: self.model.clone() };
        let body = match reply.body {
            Body::Whole { bytes, tokens } => {
                let kind =
                    reply.headers.iter().find(|(name, _)| name == "content-type").map(|(_, kind)| &**kind);
                let bytes = match (kind, reply.status) {
                    (Some("application/json"), 200) => {
                        write_answer(self.dialect, &bytes, &origin, &shown).unwrap_or(bytes)
                    }
                    (Some("application/json"), status) => write_error(self.dialect, status, &bytes, &id),
                    // A fault: the only event of a stream.
                    (Some(kind), 200) if is_stream(kind) => {
                        Outbound::new((self.dialect, self.framing), &origin, shown, &id, EVENT_BYTES_MAX)
                            .push(bytes)
                    }
                    _ => bytes,
                };
                Body::Whole { bytes, tokens }
            }
            Body::Events(inner) => {
                let outbound =
                    Outbound::new((self.dialect, self.framing), &origin, shown, &id, EVENT_BYTES_MAX);
                let dialect = self.dialect;
                Body::Events(Box::new(Guised { inner, outbound, dialect, closed: false }))
            }
        };
        let mut headers = reply.headers;
        if self.dialect == Dialect::Ollama {
            // Its streams are lines.
            headers.iter_mut().filter(|(name, _)| name == "content-type").for_each(|(_, kind)| {
                if kind.starts_with("text/event-stream") {
                    *kind = LINES.to_owned();
                }
            });
        }
        Reply { status: reply.status, headers, body }
    }
}

fn is_stream(kind: &str) -> bool {
    kind.starts_with("text/event-stream") || kind == STREAM_MEDIA_TYPE
}

/// What Amazon says in headers: the framing, the name of an error, the id of the request.
fn head(reply: &mut Reply, id: &str) {
    let status = reply.status;
    let mut is_error = false;
    if let Some((_, kind)) = reply.headers.iter_mut().find(|(name, _)| name == "content-type") {
        is_error = status >= 400 && kind == "application/json";
        if status == 200 && is_stream(kind) {
            STREAM_MEDIA_TYPE.clone_into(kind);
        }
    }
    let mut add = |name: &str, value: String| {
        if !reply.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)) {
            reply.headers.push((name.to_owned(), value));
        }
    };
    add("x-amzn-requestid", id.to_owned());
    if is_error {
        add("x-amzn-errortype", format!("{}:http://internal.amazon.com/coral/", exception_of(status)));
    }
}

/// A message of Amazon's framing.
fn message(payload: &[u8]) -> Vec<u8> {
    let headers = [
        (":event-type", Value::Text("contentBlockDelta")),
        (":content-type", Value::Text("application/json")),
        (":message-type", Value::Text("event")),
    ];
    eventstream::encode(headers, payload).unwrap_or_default()
}

/// What a message has besides its payload, rounded up.
const FRAME_BYTES: usize = 256;

/// Events in another dialect.
struct Guised {
    inner: Box<dyn Events>,
    outbound: Outbound,
    dialect: Dialect,
    closed: bool,
}

impl Events for Guised {
    fn next(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let mut own = Vec::new();
        let Some(step) = self.inner.next(&mut own) else {
            if std::mem::replace(&mut self.closed, true) {
                return None;
            }
            let last = self.outbound.close();
            out.extend_from_slice(&last);
            return (!last.is_empty()).then_some(Step::Terminator);
        };
        out.extend_from_slice(&self.outbound.push(Bytes::from(own)));
        Some(step)
    }

    fn error(&mut self, out: &mut Vec<u8>) {
        let mut own = Vec::new();
        self.inner.error(&mut own);
        out.extend_from_slice(&self.outbound.push(Bytes::from(own)));
    }

    fn malformed(&self) -> Cow<'static, [u8]> {
        let own = self.inner.malformed();
        match self.dialect {
            Dialect::Bedrock => message(b"{\"contentBlockIndex\":0,\"delta\":{\"te").into(),
            Dialect::Ollama => own.strip_prefix(FIELD).unwrap_or(&own).to_vec().into(),
            _ => own,
        }
    }

    fn huge(&self, bytes: usize) -> Option<Vec<u8>> {
        let padded = |bytes: usize| json!({"padding": "x".repeat(bytes)}).to_string();
        match self.dialect {
            // The framing has no longer ones.
            Dialect::Bedrock => Some(message(padded(bytes.min(MESSAGE_BYTES_MAX - FRAME_BYTES)).as_bytes())),
            Dialect::Ollama => Some((padded(bytes) + "\n").into_bytes()),
            _ => None,
        }
    }
}
