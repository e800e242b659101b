#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{HeaderError, check_request, request_headers, response_headers};
use crate::fuzz::fuzz_headers;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

fn map(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    map
}

fn request(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut to = HeaderMap::new();
    request_headers(&map(pairs), &mut to);
    to
}

fn response(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut to = HeaderMap::new();
    response_headers(&map(pairs), &mut to);
    to
}

#[test]
fn what_a_target_needs_passes_unchanged() {
    let pairs = [
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
        ("user-agent", "OpenAI/Python 2.1"),
        ("openai-beta", "assistants=v2"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "a,b"),
        ("x-stainless-lang", "python"),
        ("x-stainless-retry-count", "0"),
        ("idempotency-key", "k"),
        ("x-sim-fault", "reset"),
        ("content-encoding", "gzip"),
        ("x-custom", "1"),
        ("x-custom", "2"),
    ];
    assert_eq!(request(&pairs), map(&pairs));
}

#[test]
fn credentials_hops_and_claims_stay_behind() {
    let names = [
        // RFC 9110 section 7.6.1, and the older names.
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
        // Credentials.
        "authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "cookie",
        // Set anew for the target.
        "host",
        "content-length",
        "expect",
        "accept-encoding",
        "traceparent",
        "tracestate",
        "x-request-id",
        // Where it came from.
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-prefix",
        "x-real-ip",
        "via",
        "x-original-url",
        "x-rewrite-url",
        "true-client-ip",
        "cf-connecting-ip",
        "x-envoy-original-path",
        "x-amzn-trace-id",
        "origin",
        "referer",
        "sec-fetch-site",
        // Another account than the key's.
        "openai-organization",
        "openai-project",
        "x-goog-user-project",
        // Ours.
        "x-wellhead-target",
        "x-wellhead-survival",
        // Read as dashes by some.
        "x_api_key",
        "x-forwarded_for",
        "content_length",
        "x_custom",
        "x-http-method-override",
    ];
    for name in names {
        assert_eq!(request(&[(name, "a"), (name, "b"), ("x-kept", "1")]), map(&[("x-kept", "1")]), "{name}");
    }
}

#[test]
fn what_connection_names_is_dropped_too() {
    let from = [("connection", "keep-alive, X-Hop ,\tx-other"), ("connection", "x-third"), ("x-hop", "1")];
    assert_eq!(
        request(&[&from[..], &[("x-other", "2"), ("x-third", "3"), ("x-end", "4")]].concat()),
        map(&[("x-end", "4")])
    );
    assert_eq!(
        response(&[("connection", "close, x-hop"), ("x-hop", "1"), ("x-end", "2")]),
        map(&[("x-end", "2")])
    );
}

#[test]
fn connection_cannot_change_what_the_body_means_nor_remove_ours() {
    let mut to = HeaderMap::new();
    request_headers(
        &map(&[("connection", "content-type, authorization, x-ours"), ("content-type", "a/b")]),
        &mut to,
    );
    to.insert("authorization", HeaderValue::from_static("Bearer provider"));
    to.insert("x-ours", HeaderValue::from_static("1"));
    assert_eq!(to, map(&[("content-type", "a/b"), ("authorization", "Bearer provider"), ("x-ours", "1")]));
}

#[test]
fn what_was_there_before_stays() {
    let mut to = map(&[("x-ours", "1")]);
    request_headers(&map(&[("x-theirs", "2")]), &mut to);
    assert_eq!(to, map(&[("x-ours", "1"), ("x-theirs", "2")]));
}

#[test]
fn two_readings_of_a_request_are_refused() {
    for name in
        ["authorization", "x-api-key", "api-key", "content-type", "content-length", "host", "idempotency-key"]
    {
        assert_eq!(check_request(&map(&[(name, "a"), (name, "a")])), Err(HeaderError::Repeated(name)));
        assert_eq!(check_request(&map(&[(name, "a")])), Ok(()));
    }
    assert_eq!(check_request(&map(&[("accept", "a"), ("accept", "b")])), Ok(()));
    let options = vec!["x"; 16].join(",");
    assert_eq!(check_request(&map(&[("connection", &options)])), Ok(()));
    assert_eq!(
        check_request(&map(&[("connection", &options), ("connection", "y")])),
        Err(HeaderError::ConnectionOptions)
    );
}

#[test]
fn an_answer_keeps_what_describes_it() {
    let pairs = [
        ("content-type", "text/event-stream; charset=utf-8"),
        ("content-length", "12"),
        ("content-encoding", "identity"),
        ("cache-control", "no-cache"),
        ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("openai-processing-ms", "211"),
        ("openai-version", "2020-10-01"),
        ("anthropic-ratelimit-requests-limit", "50"),
        ("content-disposition", "attachment"),
        ("etag", "\"x\""),
    ];
    assert_eq!(response(&pairs), map(&pairs));
}

#[test]
fn an_answer_says_nothing_about_the_targets_own_place() {
    let names = [
        "connection",
        "keep-alive",
        "transfer-encoding",
        "trailer",
        "upgrade",
        "proxy-authenticate",
        "te",
        "set-cookie",
        "set-cookie2",
        "server",
        "via",
        "location",
        "content-location",
        "link",
        "alt-svc",
        "strict-transport-security",
        "server-timing",
        "x-envoy-upstream-service-time",
        "x-envoy-decorator-operation",
        "x-powered-by",
        "x-served-by",
        "access-control-allow-origin",
        "content-security-policy",
        "www-authenticate",
        "proxy-status",
        "nel",
        "report-to",
        "refresh",
        "clear-site-data",
        "openai-organization",
        "openai-project",
        // The gateway's own word.
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "x-wellhead-survival",
        "x-upstream-request-id",
        "traceparent",
        "traceresponse",
    ];
    for name in names {
        assert_eq!(response(&[(name, "a"), ("x-kept", "1")]), map(&[("x-kept", "1")]), "{name}");
    }
}

#[test]
fn what_clients_would_take_for_ours_is_renamed() {
    let from = [
        ("x-request-id", "req_1"),
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-tokens", "7"),
        ("x-ratelimit-limit-input-images", "3"),
        ("ratelimit", "\"a\";r=1"),
    ];
    let to = [
        ("x-upstream-request-id", "req_1"),
        ("x-upstream-ratelimit-limit-requests", "60"),
        ("x-upstream-ratelimit-remaining-tokens", "7"),
        ("x-upstream-ratelimit-limit-input-images", "3"),
        ("x-upstream-ratelimit", "\"a\";r=1"),
    ];
    assert_eq!(response(&from), map(&to));
    assert_eq!(
        response(&[("request-id", "a"), ("x-request-id", "a")]),
        map(&[("x-upstream-request-id", "a")])
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2_048)))]

    #[test]
    fn whatever_is_sent_the_promises_hold(
        lines in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "Connection", "TE", "Authorization", "X-Api-Key", "Cookie", "Host", "X-Wellhead-Target", "X-A",
                    "X_A", "Content-Length", "Upgrade", "Trailer", "Set-Cookie", "Server", "X-Request-Id", "Request-Id",
                    "X-RateLimit-Reset-Requests", "X-RateLimit-", "traceparent", "tracestate", "Transfer-Encoding",
                ]),
                "[ -~]{0,40}",
            ),
            0..24,
        ),
    ) {
        let text: String = lines.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        fuzz_headers(text.as_bytes());
    }

    #[test]
    fn no_bytes_panic(data in prop::collection::vec(any::<u8>(), 0..256)) {
        fuzz_headers(&data);
    }

    /// A header is dropped if, and only if, a listed option is its name, in whatever case and spacing.
    #[test]
    fn connection_options_are_matched_whole(name in "x-[a-z]{1,6}", listed in prop::collection::vec("[xX]-[a-zA-Z]{1,6}", 0..6)) {
        let listed_text = listed.join(" ,  ");
        let kept = request(&[("connection", &listed_text), (&name, "1")]).contains_key(&name);
        prop_assert_eq!(kept, !listed.iter().any(|l| l.eq_ignore_ascii_case(&name)));
    }
}
