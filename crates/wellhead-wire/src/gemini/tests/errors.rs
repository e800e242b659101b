//! Errors as clients are told of them.

use super::json;
use crate::chat::ErrorShown;
use crate::gemini::{encode_error, encode_error_after};
use serde_json::json;
use std::time::Duration;

fn shown(status: u16) -> ErrorShown<'static> {
    ErrorShown { status, code: "rate_limited", message: "Wait.", param: None, request_id: "req_1" }
}

#[test]
fn an_error_has_googles_members() {
    let error = ErrorShown { param: Some("contents[0].role"), ..shown(429) };
    let expected = json!({"error": {
        "code": 429,
        "message": "Wait.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMITED", "domain": "wellhead", "metadata": {"code": "rate_limited"}},
            {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "contents[0].role", "description": "Wait."}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "48s"},
            {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "req_1"},
        ],
    }});
    assert_eq!(json(&encode_error_after(&error, Some(Duration::from_millis(47_001)))), expected);
    assert!(!String::from_utf8_lossy(&encode_error(&error)).contains("RetryInfo"));
}

#[test]
fn every_status_has_its_word() {
    for (status, word) in [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (408, "DEADLINE_EXCEEDED"),
        (409, "ABORTED"),
        (413, "INVALID_ARGUMENT"),
        (429, "RESOURCE_EXHAUSTED"),
        (499, "CANCELLED"),
        (500, "INTERNAL"),
        (501, "UNIMPLEMENTED"),
        (502, "UNAVAILABLE"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
        (529, "UNAVAILABLE"),
    ] {
        let error = json(&encode_error(&shown(status)));
        assert_eq!((&error["error"]["code"], &error["error"]["status"]), (&json!(status), &json!(word)));
    }
}

#[test]
fn what_is_told_is_understood_as_a_targets_error() {
    let failure = crate::failure::classify(
        None,
        429,
        &http::HeaderMap::new(),
        &encode_error_after(&shown(429), Some(Duration::from_secs(7))),
        0,
    );
    assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
}
