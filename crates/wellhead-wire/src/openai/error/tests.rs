#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{Attempt, ErrorBody};
use serde_json::{Value, json};
use wellhead_types::Side;

#[test]
fn our_own_errors_always_have_the_four_members() {
    let body = ErrorBody {
        message: "All \"targets\" failed".to_owned(),
        kind: "server_error".to_owned(),
        cause: None,
        param: None,
        code: None,
        source: Side::Provider,
        request_id: "req-1".to_owned(),
        route: Some("fast".to_owned()),
        attempts: vec![Attempt {
            target: "a/m".to_owned(),
            outcome: "connection_refused".to_owned(),
            status: None,
            ms: 3,
        }],
        retry_after_s: Some(12.5),
        doc: None,
    };
    let value: Value = serde_json::from_slice(&body.to_bytes()).unwrap();
    assert_eq!(
        value,
        json!({ "error": {
            "message": "All \"targets\" failed", "type": "server_error", "param": null, "code": null,
            "source": "provider", "request_id": "req-1", "route": "fast",
            "attempts": [{ "target": "a/m", "outcome": "connection_refused", "status": null, "ms": 3 }],
            "retry_after_s": 12.5,
        } })
    );
}
