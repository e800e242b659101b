//! Errors for clients: `{"error":"text"}`, as a body and as a line.

use crate::chat::ErrorShown;
use bytes::Bytes;
use serde_json::json;

/// The body of an error. Ollama's clients know a text and nothing else; the code stands beside it.
pub fn encode_error(error: &ErrorShown<'_>) -> Bytes {
    json!({"error": error.message, "code": error.code, "request_id": error.request_id}).to_string().into()
}

/// The line in a stream. Nothing follows, and no line says `done`.
pub fn error_line(error: &ErrorShown<'_>) -> Bytes {
    [&*encode_error(error), b"\n"].concat().into()
}
