//! Who is asking: `Authorization: Bearer`, `x-api-key`, `api-key` or `x-goog-api-key`, looked up by keyed hash.

use crate::plan::{Identity, Plan};
use crate::rescue::Refusal;
use http::HeaderMap;
use wellhead_http::names;
use wellhead_policy::KeyHasher;
use wellhead_types::Priority;

/// Longest credential that is hashed: a JWT with many claims has 4 KiB, and hashing must not be a lever.
const CREDENTIAL_BYTES_MAX: usize = 8 * 1024;

/// Finds the app that a request's key belongs to.
pub(crate) fn identify(headers: &HeaderMap, plan: &Plan, hasher: &KeyHasher) -> Result<Identity, Refusal> {
    let Some(key) = credential(headers) else { return Err(Refusal::key_missing(plan.identities.is_empty())) };
    if key.len() > CREDENTIAL_BYTES_MAX {
        return Err(Refusal::key_unknown());
    }
    plan.identities.get(&hasher.hash(key)).cloned().ok_or_else(Refusal::key_unknown)
}

/// How important the request is: as its app, or less if the caller says so. Nobody raises himself.
pub(crate) fn priority(headers: &HeaderMap, of_app: Priority) -> Result<Priority, Refusal> {
    let Some(value) = headers.get(&names::X_WELLHEAD_PRIORITY) else { return Ok(of_app) };
    let wished = value.to_str().ok().and_then(|word| Priority::from_word(word.trim()));
    let words = Priority::ALL.map(Priority::as_str).join(", ");
    let why = || Refusal::headers_invalid(&format!("{} takes one of {words}", names::X_WELLHEAD_PRIORITY));
    wished.map(|wished| of_app.lowered_to(wished)).ok_or_else(why)
}

/// The credential as it was sent. `Authorization` first: it is what the SDKs send.
fn credential(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers.get(http::header::AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| key.trim_ascii())
    });
    bearer
        .or_else(|| headers.get(&names::X_API_KEY).map(|v| v.as_bytes().trim_ascii()))
        .or_else(|| headers.get(&names::API_KEY).map(|v| v.as_bytes().trim_ascii()))
        .or_else(|| headers.get(&names::X_GOOG_API_KEY).map(|v| v.as_bytes().trim_ascii()))
        .filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{credential, names, priority};
    use http::{HeaderMap, HeaderValue};
    use wellhead_types::Priority;

    #[test]
    fn a_caller_lowers_itself_and_never_raises() {
        let said = |word: &'static str, of_app| {
            let mut headers = HeaderMap::new();
            headers.insert(&names::X_WELLHEAD_PRIORITY, HeaderValue::from_static(word));
            priority(&headers, of_app).map_err(|refusal| refusal.status)
        };
        assert_eq!(said(" bulk", Priority::Critical), Ok(Priority::Bulk));
        assert_eq!(said("critical", Priority::BestEffort), Ok(Priority::BestEffort));
        assert_eq!(said("high", Priority::Default), Err(400));
        let nothing = priority(&HeaderMap::new(), Priority::Critical);
        assert_eq!(nothing.map_err(|refusal| refusal.status), Ok(Priority::Critical));
    }

    #[test]
    fn all_four_headers_are_understood_and_others_are_not() {
        let cases = [
            ("authorization", "Bearer k", Some("k")),
            ("authorization", "bearer  k ", Some("k")),
            ("authorization", "Basic k", None),
            ("authorization", "Bearer", None),
            ("authorization", "Bearer ", None),
            ("x-api-key", "k", Some("k")),
            ("api-key", "k", Some("k")),
            ("x-goog-api-key", "k", Some("k")),
            ("x-other-key", "k", None),
        ];
        for (name, value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(credential(&headers), expected.map(str::as_bytes), "{name}: {value}");
        }
    }
}
