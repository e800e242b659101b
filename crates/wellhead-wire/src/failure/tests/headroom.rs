//! The families of rate-limit headers.

use crate::failure::{ROOMS_MAX, Room, Unit, Window, headroom};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// 2026-11-22 12:00:00 UTC.
const NOW: u64 = 1_795_348_800;

fn map(headers: &[(&str, &str)]) -> HeaderMap {
    let name = |name: &str| HeaderName::from_bytes(name.as_bytes()).unwrap();
    headers.iter().map(|(n, value)| (name(n), HeaderValue::from_str(value).unwrap())).collect()
}

/// Who, which headers, and the budgets in them.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [Room]);

const fn room(unit: Unit, window: Window, limit: u64, remaining: u64, reset_ms: Option<u64>) -> Room {
    let reset = match reset_ms {
        Some(ms) => Some(Duration::from_millis(ms)),
        None => None,
    };
    Room { unit, window, limit: Some(limit), remaining: Some(remaining), reset }
}

#[test]
fn every_vendors_names_are_the_same_numbers() {
    use Unit::{InputTokens, OutputTokens, Requests, Tokens};
    use Window::{Day, Minute, Unnamed};
    let cases: [Case<'_>; 9] = [
        (
            "OpenAI, Groq, xAI",
            &[
                ("x-ratelimit-limit-requests", "10000"),
                ("x-ratelimit-limit-tokens", "200000"),
                ("x-ratelimit-remaining-requests", "9999"),
                ("x-ratelimit-remaining-tokens", "199000"),
                ("x-ratelimit-reset-requests", "8.64s"),
                ("x-ratelimit-reset-tokens", "1m30.5s"),
            ],
            &[
                room(Requests, Unnamed, 10_000, 9_999, Some(8_640)),
                room(Tokens, Unnamed, 200_000, 199_000, Some(90_500)),
            ],
        ),
        (
            "Azure",
            &[
                ("x-ratelimit-limit-requests", "100"),
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "17"),
                ("x-ratelimit-renewalperiod-requests", "60"),
            ],
            &[room(Requests, Unnamed, 100, 0, Some(17_000))],
        ),
        (
            "Anthropic",
            &[
                ("anthropic-ratelimit-requests-limit", "50"),
                ("anthropic-ratelimit-requests-remaining", "49"),
                ("anthropic-ratelimit-requests-reset", "2026-11-22T12:00:01Z"),
                ("anthropic-ratelimit-input-tokens-limit", "40000"),
                ("anthropic-ratelimit-input-tokens-remaining", "0"),
                ("anthropic-ratelimit-input-tokens-reset", "2026-11-22T12:00:30Z"),
                ("anthropic-ratelimit-output-tokens-limit", "8000"),
                ("anthropic-ratelimit-output-tokens-remaining", "8000"),
                ("anthropic-ratelimit-output-tokens-reset", "2026-11-22T12:00:00Z"),
                ("anthropic-ratelimit-unified-5h-utilization", "0.5"),
            ],
            &[
                room(Requests, Unnamed, 50, 49, Some(1_000)),
                room(InputTokens, Unnamed, 40_000, 0, Some(30_000)),
                room(OutputTokens, Unnamed, 8_000, 8_000, Some(0)),
            ],
        ),
        (
            "Mistral",
            &[
                ("x-ratelimit-limit-req-minute", "60"),
                ("x-ratelimit-remaining-req-minute", "59"),
                ("x-ratelimit-limit-tokens-minute", "500000"),
                ("x-ratelimit-remaining-tokens-minute", "499950"),
                ("x-ratelimit-tokens-query-cost", "50"),
            ],
            &[room(Requests, Minute, 60, 59, None), room(Tokens, Minute, 500_000, 499_950, None)],
        ),
        (
            "Cerebras",
            &[
                ("x-ratelimit-limit-requests-day", "14400"),
                ("x-ratelimit-remaining-requests-day", "14399"),
                ("x-ratelimit-reset-requests-day", "33011.382867"),
                ("x-ratelimit-limit-tokens-minute", "60000"),
                ("x-ratelimit-remaining-tokens-minute", "0"),
                ("x-ratelimit-reset-tokens-minute", "11.382867"),
            ],
            &[
                room(Requests, Day, 14_400, 14_399, Some(33_011_382)),
                room(Tokens, Minute, 60_000, 0, Some(11_382)),
            ],
        ),
        (
            "Cohere",
            &[("x-trial-endpoint-call-limit", "20"), ("x-trial-endpoint-call-remaining", "3")],
            &[room(Requests, Unnamed, 20, 3, None)],
        ),
        (
            "Together",
            &[
                ("x-ratelimit-limit", "10"),
                ("x-ratelimit-remaining", "9.5"),
                ("x-ratelimit-reset", "1"),
                ("x-tokenlimit-limit", "1000"),
                ("x-tokenlimit-remaining", "900"),
            ],
            &[room(Requests, Unnamed, 10, 9, Some(1_000)), room(Tokens, Unnamed, 1_000, 900, None)],
        ),
        (
            "Fireworks",
            &[
                ("x-ratelimit-limit-tokens-prompt", "60000"),
                ("x-ratelimit-remaining-tokens-prompt", "59000"),
                ("x-ratelimit-limit-tokens-generated", "6000"),
                ("x-ratelimit-remaining-tokens-generated", "-5"),
            ],
            &[room(InputTokens, Unnamed, 60_000, 59_000, None), room(OutputTokens, Unnamed, 6_000, 0, None)],
        ),
        (
            "the IETF draft, and resets as points in time",
            &[
                ("ratelimit-limit", "100, 100;w=60"),
                ("ratelimit-remaining", "1"),
                ("ratelimit-reset", "1795348860000"),
            ],
            &[room(Requests, Unnamed, 100, 1, Some(60_000))],
        ),
    ];
    for (who, headers, expected) in cases {
        let mut found = headroom(&map(headers), NOW).unwrap().rooms;
        // Fractions of a millisecond are none of ours.
        for room in &mut found {
            let ms = |reset: Duration| Duration::from_millis(u64::try_from(reset.as_millis()).unwrap());
            room.reset = room.reset.map(ms);
        }
        assert_eq!(found, expected, "{who}");
    }
}

#[test]
fn an_answer_that_tells_nothing_tells_nothing() {
    for headers in [
        &[][..],
        &[("content-type", "application/json"), ("x-request-id", "r"), ("retry-after", "3"), ("age", "1")],
        &[("x-ratelimit-remaining-requests", "plenty")],
        &[("x-ratelimit-limit-images", "5"), ("x-ratelimit-tokens-query-cost", "5")],
        &[("anthropic-ratelimit-", "5"), ("x-ratelimit-", "5"), ("ratelimit-policy", "100;w=60")],
    ] {
        assert_eq!(headroom(&map(headers), NOW), None, "{headers:?}");
    }
}

#[test]
fn the_tightest_budget_is_found_and_the_wait_is_that_of_what_is_spent() {
    let found = headroom(
        &map(&[
            ("x-ratelimit-limit-requests-day", "1000"),
            ("x-ratelimit-remaining-requests-day", "500"),
            ("x-ratelimit-reset-requests-day", "3600"),
            ("x-ratelimit-limit-requests-minute", "30"),
            ("x-ratelimit-remaining-requests-minute", "2"),
            ("x-ratelimit-reset-requests-minute", "20"),
            ("x-ratelimit-remaining-tokens-minute", "0"),
            ("x-ratelimit-reset-tokens-minute", "40"),
        ]),
        NOW,
    )
    .unwrap();
    assert_eq!(found.requests().unwrap().name(), "requests per minute");
    assert_eq!(found.tokens().unwrap().name(), "tokens per minute");
    assert!(found.tokens().unwrap().is_spent());
    assert_eq!(found.wait(), Some(Duration::from_secs(40)));
}

#[test]
fn a_stranger_cannot_make_the_list_long() {
    let mut headers = HeaderMap::new();
    for unit in ["requests", "tokens", "input-tokens", "output-tokens"] {
        for window in ["", "-second", "-minute", "-hour", "-day", "-month"] {
            let name = format!("x-ratelimit-remaining-{unit}{window}");
            headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_static("1"));
        }
    }
    assert_eq!(headroom(&headers, NOW).unwrap().rooms.len(), ROOMS_MAX);
}
