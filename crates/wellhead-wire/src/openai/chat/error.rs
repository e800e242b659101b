//! Errors for clients: `{"error":{message,type,param,code}}`.

use crate::chat::ErrorShown;
use bytes::Bytes;
use serde_json::json;

/// OpenAI's class of error for a status.
const fn kind_of(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "insufficient_quota",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}

/// The body of an error.
pub fn encode_error(error: &ErrorShown<'_>) -> Bytes {
    let mut body = json!({"error": {
        "message": error.message,
        "type": kind_of(error.status),
        "param": error.param,
        "code": error.code,
    }});
    if !error.request_id.is_empty() {
        body["error"]["request_id"] = error.request_id.into();
    }
    body.to_string().into()
}

/// The event in a stream: the official clients raise it as an error. No end signal follows: that would say that the
/// answer is whole.
pub fn error_event(error: &ErrorShown<'_>) -> Bytes {
    [b"data: ", &*encode_error(error), b"\n\n"].concat().into()
}
