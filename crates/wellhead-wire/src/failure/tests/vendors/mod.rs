//! One answer and more of each vendor, as it writes them: status, headers, body, and what it has to become.

mod asia;
mod dialects;
mod openai_family;
mod others;

use crate::failure::means::Means::{self, Limited, Spent};
use crate::failure::{Vendor, classify};
use http::{HeaderMap, HeaderName, HeaderValue};

/// 2026-11-22 12:00:00 UTC.
const NOW: u64 = 1_795_348_800;

/// Until 2026-12-01 00:00:00 UTC.
const TO_NEXT_MONTH: u64 = 8 * 86_400 + 12 * 3600;

/// Until 2026-11-23 00:00:00 in California, 08:00 UTC.
const TO_PACIFIC_MIDNIGHT: u64 = 20 * 3600;

/// Kind, status, headers, body, meaning, wait in milliseconds.
type Sample = (&'static str, u16, &'static [(&'static str, &'static str)], &'static str, Means, Option<u64>);

fn judged(sample: &Sample) -> wellhead_types::Failure {
    let (kind, status, headers, body, ..) = sample;
    let name = |name: &str| HeaderName::from_bytes(name.as_bytes()).unwrap();
    let headers: HeaderMap =
        headers.iter().map(|(n, value)| (name(n), HeaderValue::from_str(value).unwrap())).collect();
    classify(Vendor::of_kind(kind), *status, &headers, body.as_bytes(), NOW)
}

#[test]
fn every_vendors_answers_mean_what_they_mean_and_last_as_long_as_they_say() {
    for sample in
        [openai_family::OPENAI_FAMILY, dialects::OTHER_DIALECTS, asia::ASIA, others::OTHERS].concat()
    {
        let failure = judged(&sample);
        let (kind, status, _, body, means, wait_ms) = sample;
        let expected = means.judgement();
        assert_eq!(
            (failure.cause, failure.scope, failure.side, failure.retry),
            (expected.cause, expected.scope, expected.side, expected.retry),
            "{kind} {status} {body}: {}",
            failure.detail
        );
        let waits = failure.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap());
        assert_eq!(waits, wait_ms, "{kind} {status} {body}");
        assert_eq!(failure.status, Some(status));
    }
}

#[test]
fn the_same_code_means_what_its_vendor_means() {
    let quota = r#"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    for (kind, means) in [("openai", Spent), ("openai-compatible", Spent), ("dashscope", Limited)] {
        let failure = judged(&(kind, 429, &[], quota, means, None));
        assert_eq!(failure.cause, means.judgement().cause, "{kind}");
    }
    // Zhipu's codes are numbers, and nothing to another vendor of a known kind.
    let number = r#"{"error":{"message":"m","code":"1113"}}"#;
    for (kind, means) in [("zhipu", Spent), ("openai-compatible", Spent), ("mistral", Limited)] {
        let failure = judged(&(kind, 429, &[], number, means, None));
        assert_eq!(failure.cause, means.judgement().cause, "{kind}");
    }
}
