//! Failures: those of targets that hide in a success, and those that clients are told of.

use crate::chat::ErrorShown;
use crate::failure::{classify_in_success, protocol_failure, success_failure};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::time::Duration;
use wellhead_types::{Cause, Failure, Retry, Scope, Side, Stage};

const OK: u16 = 200;

/// An error in the place of an answer.
pub(super) fn in_success(body: &[u8], stage: Stage) -> Failure {
    classify_in_success(body, stage)
}

/// A body that is not JSON.
pub(super) fn no_json(bad: &serde_json::Error, stage: Stage) -> Failure {
    protocol_failure(OK, stage, format!("the answer is not JSON: {bad}"))
}

/// A member that is not what it has to be.
pub(super) fn odd(bad: &impl Display, stage: Stage) -> Failure {
    protocol_failure(OK, stage, format!("the answer cannot be read: {bad}"))
}

/// A stream without its last chunk.
pub(super) fn unfinished(stage: Stage) -> Failure {
    Failure {
        status: Some(OK),
        ..Failure::endpoint(stage, Cause::ResponseIncomplete, "the stream is cut off")
    }
}

/// No candidates: a filter had something against the prompt (wire.md, 1b), or the success is empty.
pub(super) fn nothing_said(members: &Map<String, Value>, stage: Stage) -> Failure {
    let feedback = members.get("promptFeedback");
    let said =
        |camel: &str, snake: &str| feedback.and_then(|said| said.get(camel).or_else(|| said.get(snake)));
    let Some(reason) = said("blockReason", "block_reason").and_then(Value::as_str) else {
        return success_failure(OK, stage, "the answer has no candidates");
    };
    let message = said("blockReasonMessage", "block_reason_message").and_then(Value::as_str).unwrap_or("");
    Failure {
        side: Side::Client,
        scope: Scope::Request,
        stage,
        retry: Retry::Never,
        cause: Cause::ContentFiltered,
        status: Some(OK),
        retry_after: None,
        detail: format!("the prompt was blocked: {reason} {message}"),
    }
}

/// The word of `google.rpc.Code` for a status (google/rpc/code.proto).
const fn word(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        402 | 403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        408 | 504 => "DEADLINE_EXCEEDED",
        502 | 503 | 529 => "UNAVAILABLE",
        400..=498 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    }
}

/// Writes an error's body.
pub fn encode_error(error: &ErrorShown<'_>) -> Bytes {
    encode_error_after(error, None)
}

/// Writes an error's body that says when to come back, as clients of this dialect look for it.
pub fn encode_error_after(error: &ErrorShown<'_>, retry_after: Option<Duration>) -> Bytes {
    body(error, retry_after).to_string().into()
}

fn body(error: &ErrorShown<'_>, retry_after: Option<Duration>) -> Value {
    let of = |name: &str| format!("type.googleapis.com/google.rpc.{name}");
    let mut details = vec![json!({
        "@type": of("ErrorInfo"),
        "reason": error.code.to_ascii_uppercase(),
        "domain": "wellhead",
        "metadata": {"code": error.code},
    })];
    if let Some(param) = error.param {
        details.push(json!({
            "@type": of("BadRequest"),
            "fieldViolations": [{"field": param, "description": error.message}],
        }));
    }
    if let Some(wait) = retry_after {
        // Whole seconds, as Google writes them, and never too early.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        details.push(json!({"@type": of("RetryInfo"), "retryDelay": format!("{seconds}s")}));
    }
    details.push(json!({"@type": of("RequestInfo"), "requestId": error.request_id}));
    // `error` has to be the first member: the Python SDK looks for it at the beginning of a stream's chunk.
    json!({"error": {
        "code": error.status,
        "message": error.message,
        "status": word(error.status),
        "details": details,
    }})
}

/// Writes an error into a stream of events that has begun. No finish reason comes before it, and nothing after it.
pub fn error_event(error: &ErrorShown<'_>) -> Bytes {
    format!("data: {}\r\n\r\n", body(error, None)).into()
}

/// The same as the last item of a list.
pub(super) fn error_item(error: &ErrorShown<'_>) -> String {
    body(error, None).to_string()
}
