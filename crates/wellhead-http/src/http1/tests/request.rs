//! Heads of requests.

use crate::http1::write_request;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use proptest::prelude::*;

fn write(method: &Method, uri: &str, headers: &[(&str, &str)], body_bytes: u64) -> String {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    String::from_utf8(write_request(method, &uri.parse().unwrap(), &map, body_bytes, 0)).unwrap()
}

#[test]
fn a_request_is_written_as_it_is() {
    let text = write(
        &Method::POST,
        "/v1/x?y=z",
        &[("Host", "a.b"), ("X-A", "1"), ("x-a", "2"), ("x-e", "")],
        1_234_567_890,
    );
    assert_eq!(
        text,
        "POST /v1/x?y=z HTTP/1.1\r\nhost: a.b\r\nx-a: 1\r\nx-a: 2\r\nx-e: \r\ncontent-length: 1234567890\r\n\r\n"
    );
}

/// RFC 9112 section 3.2.1: the origin-form is an absolute path, which is never empty.
#[test]
fn targets_are_paths() {
    for (uri, target) in [
        ("/", "/"),
        ("/v1/a%2Fb//c/../d", "/v1/a%2Fb//c/../d"),
        ("https://h.example", "/"),
        ("https://h.example/v1", "/v1"),
        ("https://h.example?a=b", "/?a=b"),
        ("https://u@h.example:8443?a=b", "/?a=b"),
        ("/?", "/?"),
        ("*", "*"),
        ("h.example:443", "/"),
    ] {
        let text = write(&Method::GET, uri, &[], 0);
        assert_eq!(text, format!("GET {target} HTTP/1.1\r\n\r\n"), "{uri:?}");
    }
}

/// RFC 9110 section 8.6: said where a body is expected, even if there is none.
#[test]
fn the_length_is_said_once() {
    for (method, body_bytes, said) in [
        (Method::GET, 0, None),
        (Method::HEAD, 0, None),
        (Method::DELETE, 0, None),
        (Method::OPTIONS, 0, None),
        (Method::POST, 0, Some("0")),
        (Method::PUT, 0, Some("0")),
        (Method::PATCH, 0, Some("0")),
        (Method::GET, 1, Some("1")),
        (Method::DELETE, 10, Some("10")),
        (Method::POST, 999, Some("999")),
        (Method::POST, 1_000, Some("1000")),
        (Method::POST, u64::MAX, Some("18446744073709551615")),
    ] {
        let lie =
            [("content-length", "7"), ("Content-Length", "8"), ("transfer-encoding", "chunked"), ("a", "b")];
        let text = write(&method, "/", &lie, body_bytes);
        let lengths: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("content-length: ")).collect();
        assert_eq!(lengths, said.into_iter().collect::<Vec<_>>(), "{text}");
        assert!(!text.contains("transfer-encoding") && text.contains("\r\na: b\r\n"));
    }
}

#[test]
fn there_is_room_for_more() {
    for (fields, more) in [(0, 0), (50, 1), (100, 16 * 1024)] {
        let headers: HeaderMap = (0..fields)
            .map(|i| {
                (HeaderName::try_from(format!("x-{i}")).unwrap(), HeaderValue::from_static("0123456789"))
            })
            .collect();
        let head =
            write_request(&Method::POST, &Uri::from_static("/v1/chat/completions"), &headers, u64::MAX, more);
        assert!(head.capacity() - head.len() >= more);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2_048)))]

    /// Whatever the types of `http` let through, a server reads one request with these fields and this length.
    #[test]
    fn nothing_is_smuggled(
        fields in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 1..12), prop::collection::vec(any::<u8>(), 0..24)), 0..12),
        named in prop::collection::vec(
            prop::sample::select(vec!["content-length", "transfer-encoding", "host", "connection", "te"]), 0..4),
        path in prop::collection::vec(any::<u8>(), 0..24),
        body_bytes in any::<u64>(),
    ) {
        let mut headers = HeaderMap::new();
        let named = named.into_iter().map(|name| (name.as_bytes().to_vec(), b"chunked".to_vec()));
        for (name, value) in fields.into_iter().chain(named) {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&name), HeaderValue::from_bytes(&value)) {
                headers.append(name, value);
            }
        }
        let path = [b"/", &path[..]].concat();
        let uri = Uri::try_from(path).unwrap_or_default();
        let head = write_request(&Method::POST, &uri, &headers, body_bytes, 0);

        let mut read = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut read);
        prop_assert_eq!(request.parse(&head), Ok(httparse::Status::Complete(head.len())));
        prop_assert_eq!(request.method, Some("POST"));
        prop_assert_eq!(request.path, uri.path_and_query().map(|path| path.as_str()));
        let is_framing = |field: &&httparse::Header<'_>| ["content-length", "transfer-encoding"].contains(&field.name);
        let framing: Vec<httparse::Header<'_>> = request.headers.iter().filter(is_framing).copied().collect();
        let others = request.headers.iter().filter(|field| !is_framing(field));
        prop_assert_eq!(framing.len(), 1);
        let length = body_bytes.to_string();
        prop_assert_eq!(framing[0].value, length.as_bytes());
        let ours = [CONTENT_LENGTH, TRANSFER_ENCODING];
        let sent: Vec<_> = headers.iter().filter(|(name, _)| !ours.contains(*name)).collect();
        prop_assert_eq!(others.clone().count(), sent.len());
        for ((name, value), field) in sent.into_iter().zip(others) {
            prop_assert_eq!(name.as_str(), field.name);
            prop_assert_eq!(value.as_bytes().trim_ascii(), field.value.trim_ascii());
        }
    }
}
