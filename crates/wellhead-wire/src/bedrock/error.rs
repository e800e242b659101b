//! Errors as clients of this dialect get them: `{"message"}` under a header that names the exception, and in a stream a
//! message that is one.

use crate::chat::ErrorShown;
use crate::eventstream::{Value, encode};
use bytes::Bytes;
use serde_json::json;

/// The exception that a status means; its name stands in the header `x-amzn-errortype`.
pub const fn exception_of(status: u16) -> &'static str {
    match status {
        401 | 403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 | 504 => "ModelTimeoutException",
        424 => "ModelErrorException",
        429 => "ThrottlingException",
        503 | 529 => "ServiceUnavailableException",
        500..=599 => "InternalServerException",
        _ => "ValidationException",
    }
}

/// Those that a stream may hold, which are fewer, and are written with a small first letter.
const fn streamed(status: u16) -> &'static str {
    match status {
        429 => "throttlingException",
        503 | 529 => "serviceUnavailableException",
        408 | 424 | 504 => "modelStreamErrorException",
        500..=599 => "internalServerException",
        _ => "validationException",
    }
}

/// The body of an answer that is an error.
pub fn encode_error(error: &ErrorShown<'_>) -> Bytes {
    json!({"message": error.message}).to_string().into()
}

/// The error within a stream. Nothing follows it, so the stream never looks finished.
pub fn error_event(error: &ErrorShown<'_>) -> Bytes {
    let headers = [
        (":exception-type", Value::Text(streamed(error.status))),
        (":content-type", Value::Text("application/json")),
        (":message-type", Value::Text("exception")),
    ];
    // Messages are bounded far below what the format allows; without one the stream is cut, which is an error too.
    encode(headers, &encode_error(error)).unwrap_or_default().into()
}
