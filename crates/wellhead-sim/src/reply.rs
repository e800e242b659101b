//! An answer before it meets a socket: status, headers and either a whole body or a series of events.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::{Value, json};

/// An event that is not JSON.
const MALFORMED: &[u8] =
    b"data: {\"id\":\"chatcmpl-broken\",\"choices\":[{\"index\":0,\"delta\":{\"conte\n\n";

/// What an event of a stream is, for pacing, counting and the faults that cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Framing without content: sent at once.
    Plain,
    /// One token (or fragment of tool arguments): paced and counted.
    Token,
    /// Finish reason, usage or end mark: left out by `missing-terminator`.
    Terminator,
}

/// A stream of events, produced one at a time into a buffer that the caller reuses. Server-sent, unless the dialect has
/// another framing.
pub(crate) trait Events: Send {
    /// Appends the next event, blank line included; `None` at the end.
    fn next(&mut self, out: &mut Vec<u8>) -> Option<Step>;
    /// Appends an event that reports a failure in this endpoint's dialect.
    fn error(&mut self, out: &mut Vec<u8>);
    /// An event whose frame is whole and whose content is not.
    fn malformed(&self) -> Cow<'static, [u8]> {
        Cow::Borrowed(MALFORMED)
    }
    /// An event of about that many bytes, where the framing says its length in front; `None`: a line is as long as it is.
    fn huge(&self, _bytes: usize) -> Option<Vec<u8>> {
        None
    }
}

/// The body of a [`Reply`].
pub(crate) enum Body {
    /// Sent at once, after the time that `tokens` tokens take.
    Whole { bytes: Bytes, tokens: u64 },
    /// Sent event by event.
    Events(Box<dyn Events>),
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

impl Reply {
    /// A JSON answer that took `tokens` tokens to make.
    pub(crate) fn json(status: u16, value: &Value, tokens: u64) -> Self {
        Self::bytes(status, "application/json", Bytes::from(value.to_string()), tokens)
    }

    /// An answer of any content type.
    pub(crate) fn bytes(status: u16, content_type: &str, bytes: Bytes, tokens: u64) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: Body::Whole { bytes, tokens } }
    }

    /// A stream of events.
    pub(crate) fn events(events: Box<dyn Events>) -> Self {
        let headers = vec![
            ("content-type".to_owned(), "text/event-stream; charset=utf-8".to_owned()),
            ("cache-control".to_owned(), "no-cache".to_owned()),
        ];
        Self { status: 200, headers, body: Body::Events(events) }
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// An error answer of the OpenAI family: all four members, as its clients expect.
pub(crate) fn error(
    status: u16,
    kind: &str,
    code: Option<&str>,
    param: Option<&str>,
    message: &str,
) -> Reply {
    Reply::json(status, &error_value(kind, code, param, message), 0)
}

/// The JSON of [`error`].
pub(crate) fn error_value(kind: &str, code: Option<&str>, param: Option<&str>, message: &str) -> Value {
    json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
}

/// A request that is wrong in `param`: status 400.
pub(crate) fn invalid(param: &str, message: &str) -> Reply {
    error(400, "invalid_request_error", None, Some(param), message)
}

/// The error that an upstream in trouble reports inside an answer with status 200.
pub(crate) fn trouble() -> Value {
    error_value(
        "server_error",
        Some("server_error"),
        None,
        "The server had an error while it worked on this request.",
    )
}
