//! Errors for clients.

use super::super::{encode_error, error_event};
use super::read;
use crate::chat::ErrorShown;
use serde_json::{Value, json};

#[test]
fn errors_have_openais_four_members() {
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "server_error"),
        (503, "server_error"),
    ] {
        let param = (status == 400).then_some("messages[0]");
        let error =
            ErrorShown { status, code: "some_code", message: "a \"message\"", param, request_id: "r-1" };
        let body: Value = serde_json::from_slice(&encode_error(&error)).unwrap();
        let expected = json!({"error": {"message": "a \"message\"", "type": kind, "param": param, "code": "some_code", "request_id": "r-1"}});
        assert_eq!(body, expected);
    }
}

#[test]
fn an_error_in_a_stream_is_one_event_and_no_end() {
    let error = ErrorShown { status: 502, code: "c", message: "two\nlines", param: None, request_id: "r" };
    let event = error_event(&error);
    assert!(event.starts_with(b"data: {\"error\":{") && event.ends_with(b"}}\n\n"));
    assert_eq!(event.iter().filter(|byte| **byte == b'\n').count(), 2, "one line of data");
    assert!(memchr::memmem::find(&event, b"[DONE]").is_none());
    assert!(read([&event[..]]).is_err(), "whoever reads it knows that it failed");
}
