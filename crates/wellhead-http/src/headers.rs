//! Which headers pass, from the client to the target and back.
//!
//! Hop-by-hop headers (RFC 9110 section 7.6.1), the caller's credentials and everything that claims to come from a
//! proxy stay behind; what this gateway itself says is written by the caller after filtering, so that nothing a
//! client or a vendor sends, not even a `Connection` header that names it, can remove or forge it.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::fmt;

use crate::names::X_UPSTREAM_REQUEST_ID;

/// Options that one request may name in `Connection`. Honest ones name two; the bound keeps filtering linear.
pub const CONNECTION_OPTIONS_MAX: usize = 16;

/// Fields that must not occur twice: two readers would pick different ones.
static SINGLETONS: [HeaderName; 8] = [
    header::AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    HeaderName::from_static("idempotency-key"),
];

/// Why the headers of a request are refused; the text of a 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderError {
    /// The field occurs more than once.
    Repeated(&'static str),
    /// More than `CONNECTION_OPTIONS_MAX` options in `Connection`.
    ConnectionOptions,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated(name) => write!(f, "the header '{name}' is sent more than once; send it once"),
            Self::ConnectionOptions => {
                write!(f, "the 'connection' header names more than {CONNECTION_OPTIONS_MAX} options")
            }
        }
    }
}

impl std::error::Error for HeaderError {}

/// Refuses headers that two readers could understand differently.
///
/// # Errors
///
/// `HeaderError`, to be answered with 400.
pub fn check_request(from: &HeaderMap) -> Result<(), HeaderError> {
    // Most requests repeat no name at all, and the map knows it without a lookup.
    if from.len() != from.keys_len() {
        for name in &SINGLETONS {
            if from.get_all(name).iter().nth(1).is_some() {
                return Err(HeaderError::Repeated(name.as_str()));
            }
        }
    }
    match connection_options(from).count() {
        0..=CONNECTION_OPTIONS_MAX => Ok(()),
        _ => Err(HeaderError::ConnectionOptions),
    }
}

/// Appends to `to` the headers of a client's request that a target may see, in their order.
///
/// Left behind: hop-by-hop headers and those named in `Connection`; credentials and cookies; `Host`, `Content-Length`,
/// `Expect`, `Accept-Encoding`; what proxies and browsers add; `traceparent` and `tracestate` (see `trace`);
/// `x-wellhead-*`; names with an underscore, which some servers read as a dash. `TE` too: its one value worth
/// forwarding would have to be announced per connection (RFC 9110 section 10.1.4).
pub fn request_headers(from: &HeaderMap, to: &mut HeaderMap) {
    let named = Named::new(from);
    make_room(from, to);
    for (name, value) in from {
        let text = name.as_str();
        if !request_drops(text) && !named.contains(text) {
            append(to, name.clone(), value.clone());
        }
    }
}

/// Appends to `to` the headers of a target's response that a client may see.
///
/// Left behind: hop-by-hop headers and those named in `Connection`; cookies; what describes the target's own place
/// (`Server`, `Via`, `Location`, `Alt-Svc`, `Strict-Transport-Security`, `x-envoy-*`, CORS and CSP headers); the
/// vendor's retry advice, which the gateway gives itself; and `x-wellhead-*`, which only the gateway says.
/// Renamed, because the client would take them for the gateway's: request ids become `x-upstream-request-id`,
/// `x-ratelimit-*` becomes `x-upstream-ratelimit-*`. `Content-Length` passes; whoever edits the body removes it.
pub fn response_headers(from: &HeaderMap, to: &mut HeaderMap) {
    let named = Named::new(from);
    make_room(from, to);
    for (name, value) in from {
        let text = name.as_str();
        match response_rule(text) {
            _ if named.contains(text) => {}
            Rule::Keep => append(to, name.clone(), value.clone()),
            Rule::Drop => {}
            Rule::Rename(new) => append(to, new, value.clone()),
            Rule::RequestId => {
                // Vendors with two spellings send the same id in both.
                if !to.contains_key(&X_UPSTREAM_REQUEST_ID) {
                    append(to, X_UPSTREAM_REQUEST_ID.clone(), value.clone());
                }
            }
            Rule::RateLimit => {
                let suffix = text.trim_start_matches("x-ratelimit-");
                if let Ok(new) = HeaderName::try_from(format!("x-upstream-ratelimit-{suffix}")) {
                    append(to, new, value.clone());
                }
            }
        }
    }
}

/// Grows once instead of several times on the way; where it cannot, `append` decides field by field.
fn make_room(from: &HeaderMap, to: &mut HeaderMap) {
    let _ = to.try_reserve(from.keys_len());
}

/// The map holds at most 32,768 fields. Neither hyper nor h2 lets as many in; a field beyond is left behind.
fn append(to: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    let _ = to.try_append(name, value);
}

/// The headers that `Connection` names, apart from those that every message needs to be understood.
struct Named<'a> {
    names: [&'a str; CONNECTION_OPTIONS_MAX],
    count: usize,
}

impl<'a> Named<'a> {
    fn new(from: &'a HeaderMap) -> Self {
        let mut named = Self { names: [""; CONNECTION_OPTIONS_MAX], count: 0 };
        let harmless = |option: &&str| {
            // The first group is dropped anyway or names no header; the second may not be named (RFC 9110 section
            // 7.6.1: fields intended for all recipients), and dropping it would change the message's meaning.
            ["close", "keep-alive", "upgrade", "te", "http2-settings"]
                .iter()
                .any(|n| n.eq_ignore_ascii_case(option))
                || ["content-type", "content-encoding", "content-length", "date"]
                    .iter()
                    .any(|n| n.eq_ignore_ascii_case(option))
        };
        for option in connection_options(from).filter(|o| !harmless(o)).take(CONNECTION_OPTIONS_MAX) {
            if let Some(slot) = named.names.get_mut(named.count) {
                *slot = option;
                named.count += 1;
            }
        }
        named
    }

    fn contains(&self, name: &str) -> bool {
        self.names.iter().take(self.count).any(|n| n.eq_ignore_ascii_case(name))
    }
}

fn connection_options(from: &HeaderMap) -> impl Iterator<Item = &str> {
    from.get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|option| option.trim_matches([' ', '\t']))
        .filter(|option| !option.is_empty())
}

/// Hop-by-hop in either direction.
fn hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
    )
}

/// Grouped by first letter: a header is compared with the few names that share it.
fn request_drops(name: &str) -> bool {
    if name.contains('_') {
        return true;
    }
    match name.as_bytes().first() {
        Some(b'a') => matches!(name, "authorization" | "api-key" | "accept-encoding"),
        Some(b'c') => matches!(name, "cookie" | "content-length" | "connection") || name.starts_with("cf-"),
        Some(b'e') => name == "expect",
        Some(b'f') => matches!(name, "forwarded" | "from") || name.starts_with("fastly-"),
        Some(b'h') => matches!(name, "host" | "http2-settings"),
        Some(b'o') => {
            // With the gateway's key another organisation is an error that would look like a rejected key.
            matches!(name, "origin" | "openai-organization" | "openai-project")
        }
        Some(b'r') => name == "referer",
        Some(b's') => name.starts_with("sec-"),
        Some(b't') => matches!(name, "traceparent" | "tracestate" | "true-client-ip") || hop_by_hop(name),
        Some(b'v') => name == "via",
        Some(b'x') => request_drops_x(name),
        Some(b'k' | b'p' | b'u') => hop_by_hop(name),
        _ => false,
    }
}

fn request_drops_x(name: &str) -> bool {
    const PREFIXES: [&str; 7] =
        ["x-forwarded-", "x-wellhead-", "x-envoy-", "x-original-", "x-amzn-", "x-amz-cf-", "x-arr-"];
    matches!(
        name,
        "x-api-key"
            | "x-goog-api-key"
            // Another account than the key's, like the organisations of OpenAI.
            | "x-goog-user-project"
            | "x-real-ip"
            | "x-client-ip"
            | "x-cluster-client-ip"
            | "x-forwarded"
            | "x-rewrite-url"
            | "x-http-method-override"
            | "x-http-method"
            | "x-method-override"
            | "x-request-id"
            | "x-host"
    ) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

enum Rule {
    Keep,
    Drop,
    Rename(HeaderName),
    RequestId,
    RateLimit,
}

/// The new name is built when this is compiled.
macro_rules! renamed {
    ($name:literal) => {
        Rule::Rename(const { HeaderName::from_static($name) })
    };
}

fn response_rule(name: &str) -> Rule {
    let drop = match name.as_bytes().first() {
        Some(b'a') => name == "alt-svc" || name.starts_with("access-control-"),
        Some(b'c') => {
            matches!(name, "connection" | "content-location" | "clear-site-data")
                || name.starts_with("content-security-policy")
                || name.starts_with("cross-origin-")
        }
        Some(b'e') => name == "expect-ct",
        Some(b'l') => matches!(name, "location" | "link"),
        Some(b'n') => name == "nel",
        Some(b'o') => matches!(name, "openai-organization" | "openai-project" | "origin-agent-cluster"),
        Some(b'p') => matches!(name, "proxy-status" | "permissions-policy") || hop_by_hop(name),
        Some(b'r') => return response_rule_r(name),
        Some(b's') => {
            matches!(
                name,
                "set-cookie" | "set-cookie2" | "server" | "server-timing" | "strict-transport-security"
            )
        }
        Some(b't') => matches!(name, "traceparent" | "tracestate" | "traceresponse") || hop_by_hop(name),
        Some(b'v') => name == "via",
        Some(b'w') => name == "www-authenticate",
        Some(b'x') => return response_rule_x(name),
        Some(b'h' | b'k' | b'u') => hop_by_hop(name),
        _ => false,
    };
    if drop { Rule::Drop } else { Rule::Keep }
}

fn response_rule_r(name: &str) -> Rule {
    match name {
        "request-id" => Rule::RequestId,
        "refresh" | "report-to" | "reporting-endpoints" | "referrer-policy" => Rule::Drop,
        "retry-after" | "retry-after-ms" => Rule::Drop,
        "ratelimit" => renamed!("x-upstream-ratelimit"),
        "ratelimit-policy" => renamed!("x-upstream-ratelimit-policy"),
        _ => Rule::Keep,
    }
}

fn response_rule_x(name: &str) -> Rule {
    const PREFIXES: [&str; 6] =
        ["x-wellhead-", "x-envoy-", "x-amz-cf-", "x-amzn-", "x-upstream-", "x-forwarded-"];
    match name {
        "x-request-id" => Rule::RequestId,
        // The six that OpenAI and its family send, without an allocation.
        "x-ratelimit-limit-requests" => renamed!("x-upstream-ratelimit-limit-requests"),
        "x-ratelimit-limit-tokens" => renamed!("x-upstream-ratelimit-limit-tokens"),
        "x-ratelimit-remaining-requests" => renamed!("x-upstream-ratelimit-remaining-requests"),
        "x-ratelimit-remaining-tokens" => renamed!("x-upstream-ratelimit-remaining-tokens"),
        "x-ratelimit-reset-requests" => renamed!("x-upstream-ratelimit-reset-requests"),
        "x-ratelimit-reset-tokens" => renamed!("x-upstream-ratelimit-reset-tokens"),
        _ if name.starts_with("x-ratelimit-") => Rule::RateLimit,
        "x-should-retry" | "x-served-by" | "x-powered-by" | "x-aspnet-version" | "x-backend"
        | "x-real-ip" => Rule::Drop,
        "x-frame-options" | "x-xss-protection" | "x-cache" | "x-cache-hits" | "x-timer" | "x-runtime" => {
            Rule::Drop
        }
        _ if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) => Rule::Drop,
        _ => Rule::Keep,
    }
}

#[cfg(test)]
mod tests;
