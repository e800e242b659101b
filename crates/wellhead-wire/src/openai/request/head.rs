//! Reading the head of a request: a handful of members, found in one pass.

use super::super::{BodyKind, Endpoint};
use super::estimate;
use crate::chat::Opaque;
use crate::json::{self, Member, ObjectSpan, ScanError, Text};
use crate::multipart::{self, FormError};
use std::ops::Range;

/// Longest model name. The longest known ones (Bedrock profiles as ARNs) have about 200 bytes.
pub const MODEL_BYTES_MAX: usize = 512;

const KEYS: [&str; 7] =
    ["model", "stream", "stream_options", "max_completion_tokens", "max_tokens", "max_output_tokens", "n"];
const FIELDS: [&str; 3] = ["model", "stream", "n"];

/// Why a request cannot be routed: the message for the caller, the parameter at fault, and OpenAI's code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadRequest {
    /// For the caller: what is wrong and what was expected.
    pub message: String,
    /// The parameter at fault.
    pub param: Option<&'static str>,
    /// `invalid_json`, `invalid_form`, `missing_required_parameter`, `invalid_type`, `invalid_value`.
    pub code: &'static str,
}

/// What is known of a request body. It holds positions, not bytes: hand the same body back to [`super::prepare`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// Where it was sent.
    pub endpoint: Endpoint,
    /// The model that was asked for.
    pub model: Box<str>,
    /// Whether the answer shall be streamed.
    pub stream: bool,
    /// `max_completion_tokens`, `max_output_tokens` or `max_tokens`, whichever is there first in this order.
    pub max_output_tokens: Option<u64>,
    /// Answers asked for; 1 unless the request says otherwise.
    pub n: u32,
    /// Whether the client asked for usage in its stream. Always true for streams that carry it unasked.
    pub asked_usage: bool,
    /// Thoughts of another dialect's model came back in it: no target of this one may see them.
    pub has_foreign_thoughts: bool,
    /// Size of the body that the positions belong to.
    pub body_bytes: usize,
    pub(super) layout: Layout,
}

/// Where things lie in the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout {
    Json(JsonLayout),
    Form {
        /// The value of `model`.
        model: Option<Range<usize>>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JsonLayout {
    pub(super) object: ObjectSpan,
    pub(super) model: Option<Member>,
    pub(super) stream_options: Option<Member>,
    pub(super) max_completion_tokens: Option<Member>,
    pub(super) max_tokens: Option<Member>,
}

impl RequestHead {
    /// Reads a body. `content_type` is the header's value; it matters only where files may come along.
    pub fn parse(endpoint: Endpoint, content_type: Option<&str>, body: &[u8]) -> Result<Self, BadRequest> {
        let is_json = content_type.is_some_and(|value| value.trim_start().starts_with("application/json"));
        match endpoint.body_kind() {
            BodyKind::Multipart if !is_json => Self::parse_form(endpoint, content_type.unwrap_or(""), body),
            _ => Self::parse_json(endpoint, body),
        }
    }

    /// Tokens to reserve for this request before it is sent; `body` is the one it was parsed from.
    ///
    /// Input: a quarter of the bytes, where each long run of base64 counts as 1000 tokens whatever its size, and at
    /// least 1. Output: `n` times the request's own limit, or 512 for endpoints that generate text without one.
    pub fn estimate_tokens(&self, body: &[u8]) -> u64 {
        let input = self.estimate_input_tokens(body);
        let output = self.max_output_tokens.unwrap_or_else(|| self.endpoint.output_tokens_expected());
        input.saturating_add(output.saturating_mul(u64::from(self.n)))
    }

    /// The input's part of [`Self::estimate_tokens`].
    pub fn estimate_input_tokens(&self, body: &[u8]) -> u64 {
        match self.layout {
            Layout::Json(_) => estimate::input_tokens(body),
            Layout::Form { .. } => estimate::MEDIA_TOKENS,
        }
    }

    fn parse_json(endpoint: Endpoint, body: &[u8]) -> Result<Self, BadRequest> {
        let spans = json::scan(body, &KEYS).map_err(|error| BadRequest::from_scan(&error))?;
        let [model, stream, stream_options, max_completion_tokens, max_tokens, max_output_tokens, n] =
            spans.members;
        let value = |member: &Option<Member>| member.as_ref().and_then(|m| body.get(m.value.clone()));
        let number = |member: &Option<Member>| value(member).and_then(unsigned);

        let name = match value(&model) {
            Some(text) => model_name(Text::parse(text).map(|t| t.decode()).as_deref())?,
            None => default_model(endpoint)?,
        };
        let stream = match value(&stream) {
            None | Some(b"false" | b"null") => false,
            Some(b"true") => true,
            Some(_) => {
                return Err(BadRequest::new("invalid_type", "stream", "`stream` must be true or false"));
            }
        };
        let asked = value(&stream_options)
            .is_some_and(|options| json::find(options, &["include_usage"]) == Some(&b"true"[..]));
        Ok(Self {
            endpoint,
            model: name,
            stream,
            max_output_tokens: number(&max_completion_tokens)
                .or_else(|| number(&max_output_tokens))
                .or_else(|| number(&max_tokens)),
            n: number(&n).map_or(1, count),
            asked_usage: asked || !endpoint.streams_chunks(),
            has_foreign_thoughts: endpoint == Endpoint::ChatCompletions && Opaque::is_in(body),
            body_bytes: body.len(),
            layout: Layout::Json(JsonLayout {
                object: spans.object,
                model,
                stream_options,
                max_completion_tokens,
                max_tokens,
            }),
        })
    }

    fn parse_form(endpoint: Endpoint, content_type: &str, body: &[u8]) -> Result<Self, BadRequest> {
        let boundary = multipart::boundary(content_type).map_err(|error| BadRequest::from_form(&error))?;
        let [model, stream, n] =
            multipart::scan(body, &boundary, &FIELDS).map_err(|error| BadRequest::from_form(&error))?;
        let value = |span: &Option<Range<usize>>| span.clone().and_then(|span| body.get(span));
        let name = match value(&model) {
            Some(text) => model_name(std::str::from_utf8(text).ok())?,
            None => default_model(endpoint)?,
        };
        // Form fields have no types; these are the spellings that the vendors' parsers take for true.
        let stream = value(&stream).is_some_and(|v| v.eq_ignore_ascii_case(b"true") || v == b"1");
        Ok(Self {
            endpoint,
            model: name,
            stream,
            max_output_tokens: None,
            n: value(&n).and_then(unsigned).map_or(1, count),
            asked_usage: true,
            has_foreign_thoughts: false,
            body_bytes: body.len(),
            layout: Layout::Form { model },
        })
    }
}

/// A plain non-negative integer. Anything else (`null`, -1 for "no limit", a fraction) is the upstream's to judge.
fn unsigned(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn count(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX).max(1)
}

fn default_model(endpoint: Endpoint) -> Result<Box<str>, BadRequest> {
    endpoint.default_model().map(Box::from).ok_or_else(|| {
        let message = "missing required parameter `model`: name one of the models that GET /v1/models lists";
        BadRequest::new("missing_required_parameter", "model", message)
    })
}

fn model_name(name: Option<&str>) -> Result<Box<str>, BadRequest> {
    match name {
        None => Err(BadRequest::new("invalid_type", "model", "`model` must be a string")),
        Some("") => Err(BadRequest::new("invalid_value", "model", "`model` must not be empty")),
        Some(name) if name.len() > MODEL_BYTES_MAX => {
            let message =
                format!("`model` must not be longer than {MODEL_BYTES_MAX} bytes; it has {}", name.len());
            Err(BadRequest::new("invalid_value", "model", message))
        }
        Some(name) => Ok(name.into()),
    }
}

impl BadRequest {
    fn new(code: &'static str, param: &'static str, message: impl Into<String>) -> Self {
        Self { message: message.into(), param: Some(param), code }
    }

    fn from_scan(error: &ScanError) -> Self {
        match error {
            ScanError::Duplicate { name, .. } => Self::new("invalid_value", name, error.to_string()),
            ScanError::NotAnObject => Self {
                message: "the request body must be a JSON object, such as {\"model\": \"...\"}".to_owned(),
                param: None,
                code: "invalid_type",
            },
            ScanError::TooDeep { .. } | ScanError::Syntax { .. } => {
                Self { message: format!("the request body is {error}"), param: None, code: "invalid_json" }
            }
        }
    }

    fn from_form(error: &FormError) -> Self {
        let param = match error {
            FormError::Duplicate { name } | FormError::NotPlain { name } => Some(*name),
            _ => None,
        };
        Self { message: format!("the request body cannot be read: {error}"), param, code: "invalid_form" }
    }
}
