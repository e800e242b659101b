#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::*;

#[test]
fn endpoints_are_taken_apart() {
    let table = [
        ("http://localhost:4318", "localhost", 4318, "localhost:4318", "/v1/traces"),
        ("http://collector/", "collector", 4318, "collector", "/v1/traces"),
        (" http://10.0.0.1:80/otlp/ ", "10.0.0.1", 80, "10.0.0.1:80", "/otlp/v1/traces"),
        ("http://[::1]:4318", "::1", 4318, "[::1]:4318", "/v1/traces"),
    ];
    for (endpoint, host, port, authority, path) in table {
        let parsed = Collector::parse(endpoint).unwrap();
        assert_eq!((parsed.host.as_str(), parsed.port), (host, port), "{endpoint}");
        assert_eq!((parsed.authority.as_str(), parsed.path.as_str()), (authority, path), "{endpoint}");
    }
}

#[test]
fn what_cannot_be_used_is_said_with_the_remedy() {
    let text = |endpoint: &str| Collector::parse(endpoint).unwrap_err().to_string();
    assert!(text("https://api.example.com").contains("not supported yet"));
    assert!(text("grpc://localhost:4317").contains("must begin with http://"));
    for endpoint in
        ["", "localhost", "localhost:4318", "/v1/traces", "http://", "http://user:pw@host", "http://h/?a=b"]
    {
        assert!(Collector::parse(endpoint).is_err(), "{endpoint:?}");
    }
    assert!(text("localhost").contains("write it as http://host:4318"));
}

#[test]
fn answers_decide_whether_to_try_again() {
    let mut headers = header::HeaderMap::new();
    let of = |status: u16, headers: &header::HeaderMap| {
        verdict(StatusCode::from_u16(status).unwrap(), headers, b"")
    };
    assert_eq!(of(200, &headers), Sent::Accepted { rejected: 0 });
    for status in [400, 401, 404, 413, 500, 501] {
        assert!(matches!(of(status, &headers), Sent::Refused(_)), "{status}");
    }
    for status in [429, 502, 503, 504] {
        assert!(matches!(of(status, &headers), Sent::TryAgain { retry_after: None, .. }), "{status}");
    }
    headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("7"));
    let expected = Some(Duration::from_secs(7));
    assert!(matches!(of(503, &headers), Sent::TryAgain { retry_after, .. } if retry_after == expected));
}

#[test]
fn partial_success_is_read_in_both_spellings() {
    let rejected = |body: &str| rejected_spans(body.as_bytes());
    assert_eq!(rejected(r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}"#), 3);
    assert_eq!(rejected(r#"{"partialSuccess":{"rejectedSpans":3}}"#), 3);
    for body in ["", "{}", "[]", "not json", r#"{"partialSuccess":{}}"#, r#"{"partialSuccess":null}"#] {
        assert_eq!(rejected(body), 0, "{body}");
    }
}
