//! The end of a stream that cannot be rescued: an error in the client's own protocol, never followed by anything that
//! looks like success.

use super::ResponseFacts;
use crate::openai::Endpoint;
use crate::openai::error::ErrorBody;
use bytes::Bytes;
use serde_json::{Value, json};

/// The in-band error for a stream of which nothing is known but its endpoint; `StreamObserver::interruption` knows
/// the ids and counters that the client has seen. Chunks: one `data:` event with `error`. Typed events: `event: error`,
/// and for Responses also `response.failed`. The stream must be closed behind it without `[DONE]`.
pub fn interruption_event(endpoint: Endpoint, error: &ErrorBody) -> Bytes {
    write(endpoint, error, &ResponseFacts::default())
}

pub(super) fn write(endpoint: Endpoint, body: &ErrorBody, response: &ResponseFacts) -> Bytes {
    let (code, message) = (body.code.as_deref().unwrap_or("server_error"), body.message.as_str());
    let error = json!(body);
    if endpoint.streams_chunks() {
        return Bytes::from(format!("data: {}\n\n", json!({ "error": error })));
    }
    let next = response.sequence_number.map_or(0, |n| n.saturating_add(1));
    // The official SDKs raise on `error`; typed clients read `code` and `message` beside it.
    let event = json!({
        "type": "error",
        "sequence_number": next,
        "code": code,
        "message": message,
        "param": null,
        "error": error,
    });
    let mut text = format!("event: error\ndata: {event}\n\n");
    if endpoint == Endpoint::Responses {
        let failed = failed_response(code, message, response, next.saturating_add(1));
        text.push_str(&format!("event: response.failed\ndata: {failed}\n\n"));
    }
    Bytes::from(text)
}

/// `response.failed` with every member that the specification requires of a response.
fn failed_response(code: &str, message: &str, response: &ResponseFacts, sequence_number: u64) -> Value {
    json!({
        "type": "response.failed",
        "sequence_number": sequence_number,
        "response": {
            "id": response.id.as_deref().unwrap_or("resp_interrupted"),
            "object": "response",
            "created_at": response.created_at,
            "status": "failed",
            "error": { "code": code, "message": message },
            "incomplete_details": null,
            "instructions": null,
            "metadata": {},
            "model": response.model.as_deref().unwrap_or(""),
            "output": [],
            "parallel_tool_calls": true,
            "temperature": null,
            "tool_choice": "auto",
            "tools": [],
            "top_p": null,
            "usage": null,
        },
    })
}
