//! Errors towards clients, in answers and in streams.

use super::{decoded_text, shown};
use crate::anthropic::{StreamEncoder, encode_error, error_event, error_type};
use crate::chat::{Delta, ErrorShown, Event, PartKind};
use serde_json::{Value, json};
use wellhead_types::Cause;

const ERROR: ErrorShown<'_> = ErrorShown {
    status: 400,
    code: "invalid_value",
    message: "say \"please\"",
    param: Some("tools[0]"),
    request_id: "req_7",
};

#[test]
fn every_status_has_the_vendors_word() {
    for (status, word) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (409, "conflict_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ] {
        assert_eq!(error_type(status), word, "{status}");
    }
}

#[test]
fn an_error_has_the_vendors_shape() {
    let body: Value = serde_json::from_slice(&encode_error(&ERROR)).unwrap();
    let expected = json!({
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "say \"please\"",
            "details": {"error_code": "invalid_value", "param": "tools[0]"},
        },
        "request_id": "req_7",
    });
    assert_eq!(body, expected);
}

#[test]
fn trap_9_a_stream_that_failed_never_looks_finished() {
    let mut encoder = StreamEncoder::new(shown());
    let mut out = Vec::new();
    for event in [
        Event::Start { id: None, model: None, created: None },
        Event::PartStart { candidate: 0, part: 0, kind: PartKind::Text },
        Event::Delta { candidate: 0, part: 0, delta: Delta::Text("half".into()) },
    ] {
        encoder.push(&event, &mut out);
    }
    let overloaded = ErrorShown { status: 529, code: "upstream_overloaded", param: None, ..ERROR };
    out.extend_from_slice(&error_event(&overloaded));
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains("message_stop") && !text.contains("[DONE]"), "{text}");
    assert!(text.ends_with("\n\n"));
    // Whoever reads it back sees the failure, not an end.
    assert_eq!(decoded_text(&text).unwrap_err().cause, Cause::Overloaded);
}
