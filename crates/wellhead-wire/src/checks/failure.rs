//! Hostile answers against the judge of failures.

use crate::failure::{
    ERROR_MESSAGE_BYTES_MAX, ROOMS_MAX, Vendor, WAIT_SECONDS_MAX, aws_exception, classify, headroom, in_band,
    upstream_message,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;
use wellhead_types::{Failure, Retry, Side, Stage};

/// Headers whose values a stranger chooses.
const NAMES: [&str; 12] = [
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "x-amzn-errortype",
    "x-ratelimit-reset-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests-day",
    "x-ratelimit-reset",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-requests-remaining",
    "x-tokenlimit-limit",
    "ratelimit-reset",
];

/// Kinds of which each reads answers in a way of its own, and one that says nothing.
const KINDS: [&str; 5] = ["openai-compatible", "gemini", "dashscope", "zhipu", "cerebras"];

/// What is promised of every failure.
fn holds(failure: &Failure) {
    assert_eq!(failure.retry == Retry::Never, failure.side == Side::Client, "{failure:?}");
    assert!(failure.detail.len() < 2 * ERROR_MESSAGE_BYTES_MAX, "{}", failure.detail.len());
    let longest = Duration::from_secs(WAIT_SECONDS_MAX);
    assert!(failure.retry_after.is_none_or(|wait| wait <= longest), "{failure:?}");
    assert!(failure.retry != Retry::Never || failure.retry_after.is_none(), "{failure:?}");
}

/// No answer panics, no wait is above the bound, no list grows, whatever the clock says. Lines of `head` are values of
/// headers, the rest is the body.
pub fn failure(status: u16, now: u64, head: &[u8], body: &[u8]) {
    let mut headers = HeaderMap::new();
    for (name, line) in NAMES.iter().zip(head.split(|byte| *byte == b'\n')) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    for kind in KINDS {
        let vendor = Vendor::of_kind(kind);
        holds(&classify(vendor, status, &headers, body, now));
        for event in [None, Some(&b"error"[..])] {
            if let Some(failure) = in_band(vendor, event, body, Stage::Stream, now) {
                holds(&failure);
            }
        }
    }
    let kind = String::from_utf8_lossy(head);
    holds(&aws_exception(&kind, body, Stage::FirstToken, now));
    assert!(upstream_message(body).is_none_or(|message| message.len() <= ERROR_MESSAGE_BYTES_MAX));
    if let Some(found) = headroom(&headers, now) {
        assert!(!found.rooms.is_empty() && found.rooms.len() <= ROOMS_MAX);
        let longest = Duration::from_secs(WAIT_SECONDS_MAX);
        assert!(found.rooms.iter().filter_map(|room| room.reset).all(|reset| reset <= longest));
        assert!(found.rooms.iter().all(|room| (0.0..=1.0).contains(&room.share())));
    }
}
