//! Errors for clients: `{"id","message"}`, and in a stream an end whose reason is an error.

use crate::chat::ErrorShown;
use bytes::Bytes;
use serde_json::json;

/// The body of an error. The dialect knows a text and nothing else; the code stands beside it.
pub fn encode_error(error: &ErrorShown<'_>) -> Bytes {
    json!({"id": error.request_id, "message": error.message, "code": error.code}).to_string().into()
}

/// The event in a stream. Nothing follows, not even `[DONE]`.
pub fn error_event(error: &ErrorShown<'_>) -> Bytes {
    let delta = json!({"finish_reason": "ERROR", "error": error.message, "code": error.code});
    let event = json!({"type": "message-end", "id": error.request_id, "delta": delta});
    format!("event: message-end\ndata: {event}\n\n").into()
}
