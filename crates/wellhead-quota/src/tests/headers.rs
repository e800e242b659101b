#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{MS, S};
use crate::{LimitHeaders, Window, duration_text};
use proptest::prelude::*;

fn written(headers: &LimitHeaders) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    headers.write(|name, value| all.push((name, value.to_owned())));
    all
}

#[test]
fn all_limits_become_headers() {
    let headers = LimitHeaders {
        requests: Some(Window { limit: 60, remaining: 59, reset_ns: S }),
        tokens: Some(Window { limit: 10_000, remaining: 9_000, reset_ns: 6 * S + 1 }),
        concurrency: Some(Window { limit: 10, remaining: 9, reset_ns: 0 }),
    };
    let expected = [
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "59"),
        ("x-ratelimit-reset-requests", "1s"),
        ("x-ratelimit-limit-tokens", "10000"),
        ("x-ratelimit-remaining-tokens", "9000"),
        ("x-ratelimit-reset-tokens", "6.001s"),
        (
            "ratelimit-policy",
            r#""requests";q=60;w=60, "tokens";q=10000;w=60, "concurrency";q=10;qu="concurrent-requests""#,
        ),
        ("ratelimit", r#""requests";r=59;t=1, "tokens";r=9000;t=7, "concurrency";r=9"#),
    ];
    assert_eq!(written(&headers), expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn what_is_not_limited_is_not_mentioned() {
    assert_eq!(written(&LimitHeaders::default()), []);
    let tokens = Some(Window { limit: 1, remaining: 0, reset_ns: 0 });
    let names: Vec<_> = written(&LimitHeaders { tokens, ..LimitHeaders::default() })
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let expected = [
        "x-ratelimit-limit-tokens",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
        "ratelimit-policy",
        "ratelimit",
    ];
    assert_eq!(names, expected);
}

#[test]
fn durations_are_spelt_as_openai_does() {
    let table = [
        (0, "0s"),
        (1, "1ms"),
        (12 * MS, "12ms"),
        (999 * MS + 1, "1s"),
        (S, "1s"),
        (8_640 * MS, "8.64s"),
        (59_999 * MS, "59.999s"),
        (60 * S, "1m0s"),
        (60 * S + 1, "1m1s"),
        (360 * S, "6m0s"),
        (3_600 * S, "1h0m0s"),
        (90_061 * S, "25h1m1s"),
    ];
    for (ns, text) in table {
        assert_eq!(duration_text(ns).to_string(), text, "{ns}");
    }
    assert_eq!(duration_text(u64::MAX).to_string(), "5124095h34m34s");
}

proptest! {
    /// Reading the text back gives at least what was meant, and less than a second more.
    #[test]
    fn durations_are_rounded_up(ns in prop_oneof![0..2 * S, 0..200 * S, 0..20_000 * S]) {
        let text = duration_text(ns).to_string();
        let mut read = 0.0;
        let mut number = String::new();
        for c in text.replace("ms", "i").chars() {
            let unit = match c {
                'h' => 3_600.0,
                'm' => 60.0,
                's' => 1.0,
                'i' => 0.001,
                _ => {
                    number.push(c);
                    continue;
                }
            };
            read += number.parse::<f64>().unwrap() * unit;
            number.clear();
        }
        let meant = ns as f64 / 1e9;
        prop_assert!(read > meant - 1e-6 && read < meant + 1.0, "{text} for {meant}");
    }
}
