//! Errors for clients. Before an answer they have the form of OpenAI's other endpoints.

use crate::chat::ErrorShown;
use bytes::Bytes;
use serde_json::{Value, json};

/// The body of an error.
pub fn encode_error(error: &ErrorShown<'_>) -> Bytes {
    crate::openai::chat::encode_error(error)
}

/// The events that end a stream of which nothing has been said yet. See
/// [`StreamEncoder::fail`](super::StreamEncoder::fail) for one that has begun.
pub fn error_event(error: &ErrorShown<'_>) -> Bytes {
    let shown =
        crate::chat::Shown { model: "".into(), id: "interrupted".into(), created: 0, stream_usage: true };
    let mut out = Vec::new();
    super::StreamEncoder::new(shown).fail(error, &mut out);
    out.into()
}

/// What the `error` event says: the official clients raise it; typed ones read `code` and `message` beside it.
pub(super) fn members(error: &ErrorShown<'_>) -> Value {
    let inner: Value = serde_json::from_slice(&encode_error(error)).unwrap_or_default();
    json!({
        "type": "error",
        "code": error.code,
        "message": error.message,
        "param": error.param,
        "error": inner.get("error"),
    })
}
