#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod classes;
mod headroom;
mod in_band;
mod length;
mod page;
mod table;
mod vendors;

use proptest::prelude::*;

/// Texts that look like a vendor's error, with whatever in between.
fn like_an_error() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        Just("try again in ".to_owned()),
        Just("regain access on 2026-12-01 at 00:00 utc".to_owned()),
        Just("limit: 0".to_owned()),
        "[0-9]{1,25}(ms|s|m|h|d|seconds| sec)?",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?",
        "\\PC{0,12}",
    ];
    let name = prop::sample::select(vec![
        "error",
        "message",
        "code",
        "type",
        "status",
        "details",
        "retryDelay",
        "retry_after",
        "detail",
        "raw",
        "metadata",
        "headers",
        "X-RateLimit-Reset",
        "base_resp",
        "status_code",
        "status_msg",
        "quotaId",
        "violations",
        "promptFeedback",
        "blockReason",
    ]);
    let leaf = prop_oneof![
        prop::collection::vec(text, 1..4).prop_map(|texts| serde_json::Value::from(texts.concat())),
        any::<f64>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::from("RESOURCE_EXHAUSTED")),
    ];
    let value = leaf.prop_recursive(6, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec((name.clone(), inner.clone()), 1..4)
                .prop_map(|members| members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
            prop::collection::vec(inner.clone(), 1..4).prop_map(serde_json::Value::from),
            // An error as the text of another.
            inner.prop_map(|inner| serde_json::Value::from(inner.to_string())),
        ]
    });
    value.prop_map(|value| value.to_string().into_bytes())
}

proptest! {
    #[test]
    fn no_bytes_and_no_header_break_the_judge(
        status in any::<u16>(),
        now in prop_oneof![any::<u64>(), Just(0), Just(1_795_348_800)],
        head in prop::collection::vec(any::<u8>(), 0..120),
        body in prop_oneof![prop::collection::vec(any::<u8>(), 0..80), like_an_error()],
    ) {
        crate::checks::failure(status, now, &head, &body);
    }

    #[test]
    fn no_wait_in_a_header_is_above_the_bound(
        status in prop::sample::select(vec![400_u16, 429, 503]),
        now in any::<u64>(),
        lines in prop::collection::vec("[0-9]{0,22}(\\.[0-9]{1,3})?(ms|s|m|h|d|e9)?|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", 0..12),
    ) {
        crate::checks::failure(status, now, lines.join("\n").as_bytes(), b"{}");
    }
}
