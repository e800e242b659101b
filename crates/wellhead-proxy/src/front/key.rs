//! The key in the query, where Gemini's clients may put it. It is taken for a header at once and read nowhere else: queries
//! are neither logged nor sent to targets.

use crate::models;
use http::header::{self, HeaderValue};
use http::{HeaderName, Request};
use wellhead_http::names;

/// The key that a query holds.
pub(super) fn query_key(query: Option<&str>) -> Option<String> {
    models::value(query, "key")
}

/// Puts the key where all others are, unless there is one already, and takes the query off the request.
pub(super) fn key_from_query<B>(request: &mut Request<B>) {
    let headers = request.headers();
    let has = |name: &HeaderName| headers.contains_key(name);
    let has_key = has(&header::AUTHORIZATION)
        || has(&names::X_API_KEY)
        || has(&names::API_KEY)
        || has(&names::X_GOOG_API_KEY);
    let key = query_key(request.uri().query()).filter(|_| !has_key);
    if let Some(mut value) = key.and_then(|key| HeaderValue::from_str(&key).ok()) {
        value.set_sensitive(true);
        request.headers_mut().insert(&names::X_GOOG_API_KEY, value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{key_from_query, names};
    use http::Request;

    #[test]
    fn a_key_in_the_query_counts_where_there_is_no_other() {
        let key = |uri: &str, header: Option<&str>| {
            let mut request = Request::builder().uri(uri);
            if let Some(key) = header {
                request = request.header("x-goog-api-key", key);
            }
            let mut request = request.body(()).unwrap();
            key_from_query(&mut request);
            request.headers().get(&names::X_GOOG_API_KEY).map(|key| key.to_str().unwrap().to_owned())
        };
        assert_eq!(key("/v1beta/models?alt=sse&key=wh-1%2B", None).as_deref(), Some("wh-1+"));
        assert_eq!(key("/v1beta/models?key=wh-1", Some("wh-2")).as_deref(), Some("wh-2"));
        for uri in ["/v1beta/models", "/x?key=", "/x?keys=wh-1", "/x?key=%0A"] {
            assert_eq!(key(uri, None), None, "{uri}");
        }
    }
}
