//! Errors as clients of this dialect get them.

use crate::chat::ErrorShown;
use bytes::Bytes;
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: Inner<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Inner<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'a str,
    details: Details<'a>,
}

/// What the SDKs hand on unread.
#[derive(Serialize)]
struct Details<'a> {
    error_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'a str>,
}

/// The class of error that a status means.
pub const fn error_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        408 | 504 => "timeout_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500..=599 => "api_error",
        _ => "invalid_request_error",
    }
}

/// The body of an answer that is an error.
pub fn encode_error(error: &ErrorShown<'_>) -> Bytes {
    let details = Details { error_code: error.code, param: error.param };
    let inner = Inner { kind: error_type(error.status), message: error.message, details };
    let body = Body { kind: "error", error: inner, request_id: error.request_id };
    // Texts alone cannot fail to be written; should that ever change, the client still gets an error.
    serde_json::to_vec(&body).map_or_else(
        |_| {
            Bytes::from_static(br#"{"type":"error","error":{"type":"api_error","message":"internal error"}}"#)
        },
        Bytes::from,
    )
}

/// The error within a stream. Nothing follows it, so the stream never looks finished.
pub fn error_event(error: &ErrorShown<'_>) -> Bytes {
    [b"event: error\ndata: ".as_slice(), &encode_error(error), b"\n\n"].concat().into()
}
