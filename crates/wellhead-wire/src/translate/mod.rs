//! Between the dialect in which the gateway watches over answers (OpenAI Chat) and those that targets and clients speak, by
//! way of the canonical model.
//!
//! Towards targets: [`encode_request`], [`decode_answer`], [`Inbound`]. Towards clients: [`read_request`],
//! [`write_answer`], [`write_error`], [`Outbound`].

mod aside;
pub mod beside;
mod dispatch;
mod frames;
mod inbound;
mod outbound;
mod own;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod thoughts;

pub use aside::{
    Embedding, counted, read_count, read_embedding, write_count, write_counted, write_embedding,
};
pub use dispatch::{Decoder, Encoder};
pub use frames::Frame;
pub use inbound::Inbound;
pub use outbound::Outbound;
pub use own::{is_kept, kept_answer, kept_request, named_answer};

use crate::anthropic;
use crate::chat::{
    Answer, BadBody, BadField, CustomTools, Dialect, Encoded, ErrorShown, Losses, Origin, Request, Shown,
    Target, Unsupported,
};
use crate::gemini::{Framing, Service};
use crate::openai::chat;
use crate::openai::responses::Echo;
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;
use wellhead_types::Failure;

/// Most bytes of an event that carries what the target wrote, if that has at most `event_bytes_max`: the original, and a
/// chunk that may say a thought twice.
pub const fn carried_bytes_max(event_bytes_max: usize) -> usize {
    event_bytes_max.saturating_mul(4)
}

/// Why a request is not sent to a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untranslatable {
    /// The request cannot be read.
    #[error(transparent)]
    Body(#[from] BadBody),
    /// The target cannot do it.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
}

impl Untranslatable {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Body(bad) => bad.code(),
            Self::Unsupported(_) => "unsupported_parameter",
        }
    }

    /// The parameter at fault.
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::Body(bad) => bad.param(),
            Self::Unsupported(unsupported) => Some(&unsupported.param),
        }
    }
}

impl From<BadField> for Untranslatable {
    fn from(bad: BadField) -> Self {
        Self::Body(bad.into())
    }
}

/// How a target is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Its dialect.
    pub dialect: Dialect,
    /// Which of Google's services it is; read for Gemini only.
    pub service: Service,
    /// Where it departs from OpenAI; read for OpenAI's family only.
    pub quirks: chat::Options,
}

/// How a client wants its answer.
#[derive(Debug, Clone)]
pub struct Manner {
    /// Its dialect.
    pub dialect: Dialect,
    /// How its stream is cut; read for Gemini only.
    pub framing: Framing,
    /// What the answer repeats of the question; read for Responses only.
    pub echo: Arc<Echo>,
    /// Tools with free text, which targets may have known as functions.
    pub customs: Option<CustomTools>,
}

impl From<(Dialect, Framing)> for Manner {
    fn from((dialect, framing): (Dialect, Framing)) -> Self {
        Self { dialect, framing, echo: Arc::default(), customs: None }
    }
}

impl From<Dialect> for Manner {
    fn from(dialect: Dialect) -> Self {
        (dialect, Framing::Sse).into()
    }
}

/// The body for a target, from one of OpenAI Chat.
pub fn encode_request(
    way: Way,
    body: &[u8],
    target: &Target,
    losses: &Losses,
) -> Result<Encoded, Untranslatable> {
    let request = chat::decode_request(body)?;
    Ok(dispatch::encode_request(way, &request, target, losses)?)
}

/// The body for a target, from what was asked in another dialect.
pub fn write_request(
    way: Way,
    request: &Request,
    target: &Target,
    losses: &Losses,
) -> Result<Encoded, Untranslatable> {
    Ok(dispatch::encode_request(way, request, target, losses)?)
}

/// A target's answer as one of OpenAI Chat. An error that came with a status of success is a failure.
pub fn decode_answer(
    dialect: Dialect,
    body: &[u8],
    origin: &Origin,
    shown: &Shown,
) -> Result<Bytes, Failure> {
    restored_answer(dialect, body, origin, shown, None)
}

/// The same with tools that the target knows as functions.
pub fn restored_answer(
    dialect: Dialect,
    body: &[u8],
    origin: &Origin,
    shown: &Shown,
    customs: Option<&CustomTools>,
) -> Result<Bytes, Failure> {
    let mut answer = dispatch::decode_answer(dialect, body, origin)?;
    if let Some(customs) = customs {
        customs.restore(&mut answer);
    }
    Ok(chat::encode_answer(&answer, shown))
}

/// An error in OpenAI's form.
pub fn encode_error(error: &ErrorShown<'_>) -> Bytes {
    chat::encode_error(error)
}

/// What a client of another dialect asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// As the canonical model has it.
    pub request: Request,
    /// As a body of OpenAI Chat. What that dialect cannot say is only in `request`.
    pub body: Bytes,
    /// What the answer repeats of it.
    pub echo: Arc<Echo>,
}

/// What is said of a request outside of its body.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heading<'a> {
    /// The model in the path; read for Gemini and Bedrock only.
    pub model: &'a str,
    /// A stream is asked for by the path; read for Gemini and Bedrock only.
    pub stream: bool,
    /// The version in a header; read for Anthropic only.
    pub version: anthropic::Version,
}

/// Reads a client's request.
pub fn read_request(dialect: Dialect, body: &[u8], heading: Heading<'_>) -> Result<Asked, Untranslatable> {
    let (request, echo) = dispatch::decode_request(dialect, body, heading)?;
    Ok(Asked { echo, ..seen_by_chat(request)? })
}

/// The same beside what it is in OpenAI Chat.
fn seen_by_chat(mut request: Request) -> Result<Asked, Untranslatable> {
    // Whoever watches over the answer wants its usage; the client's dialect decides what is shown of it.
    request.stream_usage = true;
    let origin = Origin { provider: "".into(), model: request.model.clone() };
    let target = Target { origin, output_tokens_max: None, can: crate::chat::Abilities::default() };
    let encoded =
        chat::encode_request(&request, &target, &Losses::allowed(["*"]), &chat::Options::default())?;
    Ok(Asked { request, body: encoded.body, echo: Arc::default() })
}

/// An answer of OpenAI Chat in the client's dialect.
pub fn write_answer(
    manner: impl Into<Manner>,
    body: &[u8],
    origin: &Origin,
    shown: &Shown,
) -> Result<Bytes, Failure> {
    let manner = manner.into();
    let mut answer: Answer = chat::decode_answer(body, origin)?;
    if let Some(customs) = &manner.customs {
        customs.restore(&mut answer);
    }
    Ok(dispatch::encode_answer(&manner, &answer, shown))
}

/// An error of OpenAI's form in the client's dialect.
pub fn write_error(dialect: Dialect, status: u16, body: &[u8], request_id: &str) -> Bytes {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = value.get("error").unwrap_or(&value);
    dispatch::encode_error(dialect, &shown_error(status, error, request_id))
}

/// What an error says, of the form `{message, type, param, code}`.
fn shown_error<'a>(status: u16, error: &'a Value, request_id: &'a str) -> ErrorShown<'a> {
    let text = |name: &str| error.get(name).and_then(Value::as_str);
    ErrorShown {
        status,
        code: text("code").or_else(|| text("type")).unwrap_or("error"),
        message: text("message").unwrap_or("The request failed."),
        param: text("param"),
        request_id,
    }
}
