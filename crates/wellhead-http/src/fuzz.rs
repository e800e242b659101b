//! Entry points for fuzzing: arbitrary bytes in, the promises of `path`, `headers` and `http1` checked. They panic when
//! a promise is broken and do nothing else; the property tests call them too.

mod http1;

pub use http1::fuzz_http1;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::{headers, host, path, trace};

/// Normalising must be idempotent and must leave nothing ambiguous behind.
pub fn fuzz_path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(canonical) = path::normalize(text) else { return };
    assert!(canonical == "/v1" || canonical.starts_with("/v1/"), "{canonical:?}");
    assert!(!canonical.contains("//") && !canonical.ends_with('/'), "{canonical:?}");
    assert!(!canonical.bytes().any(|b| b <= b' ' || b >= 0x7f || b"\\;?#".contains(&b)), "{canonical:?}");
    assert!(!canonical.split('/').any(|s| s == "." || s == ".."), "{canonical:?}");
    let lower = canonical.to_ascii_lowercase();
    assert!(
        !["%00", "%0a", "%0d", "%2e", "%5c", "%25", "%3b"].iter().any(|e| lower.contains(e)),
        "{canonical:?}"
    );
    assert!(!lower.contains("%2f") || lower.starts_with("/v1/models/"), "{canonical:?}");
    let again = path::normalize(&canonical);
    assert!(again.as_ref() == Ok(&canonical), "{canonical:?} became {again:?}");
    assert!(canonical.starts_with("/v1/models/") == path::model_id(&canonical).is_some(), "{canonical:?}");
}

/// Filtering must keep nothing that is hop-by-hop, a credential, or the gateway's own, whatever else is sent. `data`
/// is lines of `name: value`.
pub fn fuzz_headers(data: &[u8]) {
    let mut from = HeaderMap::new();
    for line in data.split(|b| *b == b'\n').take(128) {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            from.append(name, value);
        }
    }
    let _ = headers::check_request(&from);
    let _ = host::check(&from, None, http::Version::HTTP_11);
    let trace = trace::Trace::from_headers(&from, [7; 24]);
    assert!(trace.trace_id != [0; 16] && trace.parent_id != Some([0; 8]));
    let _ = trace.tracestate(&from);

    let (mut request, mut response) = (HeaderMap::new(), HeaderMap::new());
    headers::request_headers(&from, &mut request);
    headers::response_headers(&from, &mut response);
    const HOP: [&str; 9] = [
        "connection",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
    ];
    const REQUEST: [&str; 7] =
        ["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "host", "content-length"];
    const RESPONSE: [&str; 6] = ["set-cookie", "server", "via", "location", "x-request-id", "x-should-retry"];
    assert!(HOP.iter().chain(&REQUEST).all(|n| !request.contains_key(*n)), "{request:?}");
    assert!(HOP.iter().chain(&RESPONSE).all(|n| !response.contains_key(*n)), "{response:?}");
    let own = |name: &HeaderName| name.as_str().starts_with("x-wellhead-");
    assert!(!request.keys().chain(response.keys()).any(own));
    assert!(request.len() <= from.len() && response.len() <= from.len());
}
