//! How long a vendor asks us to stay away, in each of the ways that vendors say it.

mod calendar;
mod text;

use super::facts::{BodyWait, Facts};
use super::headroom::headroom;
use super::row::Wait;
use http::HeaderMap;
use std::time::Duration;
pub(crate) use text::reset;

/// Longest wait believed, in seconds: a monthly spending limit. A longer one is a mistake or an attack.
pub const WAIT_SECONDS_MAX: u64 = 31 * 24 * 3600;

/// No wait for a budget per minute is longer.
const MINUTES_BUDGET: Duration = Duration::from_secs(120);

/// What a length of time follows in a sentence.
const BEFORE_A_TIME: [&str; 7] =
    ["try again in ", "retry in ", "retry after ", "available in ", "reset in ", "resets in ", "wait "];

/// What a date follows in a sentence.
const BEFORE_A_DATE: [&str; 4] = ["regain access on ", "reset at ", "reset on ", "将在 "];

/// The wait that an answer asks for in so many words: `retry-after-ms`, then `retry-after` (seconds or date), then the
/// body (`RetryInfo`, "try again in"). `now` is Unix seconds.
pub(super) fn read(headers: &HeaderMap, facts: &Facts, now: u64) -> Option<Duration> {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    value("retry-after-ms")
        .and_then(|ms| ms.parse::<f64>().ok())
        .and_then(|ms| text::seconds(ms / 1000.0))
        .or_else(|| value("retry-after").and_then(|value| text::seconds_or_date(value, now)))
        .or_else(|| from_body(facts, Some(now)))
}

/// The reset of the budgets that are spent. Vendors send these with every answer: only beside a rate limit do they say
/// anything about it.
pub(super) fn from_resets(headers: &HeaderMap, now: u64) -> Option<Duration> {
    headroom(headers, now)?.wait()
}

/// The wait that only the body names. Without the time, dates say nothing.
pub(super) fn from_body(facts: &Facts, now: Option<u64>) -> Option<Duration> {
    let in_members = match &facts.wait {
        Some(BodyWait::Text(delay)) => text::duration(delay),
        Some(BodyWait::Seconds(seconds)) => text::seconds(*seconds),
        Some(BodyWait::Reset(reset)) => text::reset(reset, now?),
        None => None,
    };
    in_members.or_else(|| BEFORE_A_TIME.iter().find_map(|before| facts.after(before).find_map(text::said)))
}

/// The wait of a failure: what the answer asks for, corrected by what is known of the signal.
pub(super) fn of_row(
    wait: Wait,
    told: Option<Duration>,
    facts: &Facts,
    now: Option<u64>,
) -> Option<Duration> {
    let Some(now) = now else {
        return match wait {
            Wait::Seconds(seconds) => told.or(Some(Duration::from_secs(seconds))),
            _ => told,
        };
    };
    match wait {
        Wait::Told => told,
        Wait::NextMonth => told.or_else(|| calendar::until_next_month(now).map(Duration::from_secs)),
        Wait::PacificMidnight => told
            .filter(|told| *told > MINUTES_BUDGET)
            .or_else(|| calendar::until_pacific_midnight(now).map(Duration::from_secs)),
        Wait::Said(ahead_of_utc) => {
            let instants = BEFORE_A_DATE.iter().find_map(|before| {
                facts.after(before).find_map(|text| calendar::instant(text, ahead_of_utc))
            });
            instants.and_then(|at| text::until(at, now)).or(told)
        }
        Wait::Seconds(seconds) => told.or(Some(Duration::from_secs(seconds))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{WAIT_SECONDS_MAX, from_resets, read};
    use crate::failure::facts::Facts;
    use http::{HeaderMap, HeaderName, HeaderValue};

    /// 2026-11-22 12:00:00 UTC.
    const NOW: u64 = 1_795_348_800;

    fn wait_ms(headers: &[(&str, &str)], body: &str) -> Option<u128> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let told = read(&map, &Facts::read(&map, body.as_bytes()), NOW);
        told.or_else(|| from_resets(&map, NOW)).map(|wait| wait.as_millis())
    }

    #[test]
    fn headers_in_the_order_that_the_official_sdks_read_them() {
        for (headers, expected) in [
            (&[("retry-after-ms", "1500"), ("retry-after", "9")][..], Some(1500)),
            (&[("retry-after", "9")], Some(9000)),
            (&[("retry-after", "0.5")], Some(500)),
            (&[("retry-after", "Sun, 22 Nov 2026 12:00:30 GMT")], Some(30_000)),
            (&[("retry-after", "Sun, 22 Nov 2026 11:00:00 GMT")], Some(0)),
            (&[("retry-after-ms", "soon"), ("retry-after", "7")], Some(7000)),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "inf")], None),
            (&[("retry-after", "1e300")], Some(u128::from(WAIT_SECONDS_MAX) * 1000)),
            (&[], None),
        ] {
            assert_eq!(wait_ms(headers, ""), expected, "{headers:?}");
        }
    }

    #[test]
    fn resets_as_durations_seconds_and_points_in_time() {
        for (value, expected) in [
            ("12ms", Some(12)),
            ("0s", Some(0)),
            ("6m0s", Some(360_000)),
            ("1h2m3.5s", Some(3_723_500)),
            ("1.5s", Some(1500)),
            ("59", Some(59_000)),
            ("5.25", Some(5250)),
            ("1d", Some(86_400_000)),
            ("1795348860", Some(60_000)),
            ("1795348860000", Some(60_000)),
            ("2026-11-22T12:01:00Z", Some(60_000)),
            ("2026-11-22T11:00:00Z", Some(0)),
            ("1m30.5s", Some(90_500)),
            ("5 parsecs", None),
            ("", None),
        ] {
            assert_eq!(wait_ms(&[("x-ratelimit-reset-requests", value)], ""), expected, "{value}");
        }
    }

    #[test]
    fn the_spent_budget_decides_which_reset_counts() {
        let headers = [
            ("x-ratelimit-reset-requests", "1h"),
            ("x-ratelimit-remaining-requests", "17"),
            ("x-ratelimit-reset-tokens", "2s"),
            ("x-ratelimit-remaining-tokens", "0"),
        ];
        assert_eq!(wait_ms(&headers, ""), Some(2000));
        assert_eq!(wait_ms(&headers[..1], ""), Some(3_600_000));
        let none_spent = [("x-ratelimit-reset-requests", "1h"), ("x-ratelimit-reset-tokens", "2s")];
        assert_eq!(wait_ms(&none_spent, ""), Some(2000));
    }

    #[test]
    fn bodies_that_say_it_themselves() {
        let gemini = r#"[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"quota","details":[
            {"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"48s"}]}}]"#;
        assert_eq!(wait_ms(&[], gemini), Some(48_000));
        assert_eq!(wait_ms(&[("retry-after", "3")], gemini), Some(3000));
        for (said, expected) in [
            ("Please try again in 6m0s. Contact us", Some(360_000)),
            ("try again in 20ms.", Some(20)),
            ("Try again in 30 seconds.", Some(30_000)),
            ("try again in 2 minutes", Some(120_000)),
            ("try again in a while", None),
            ("try again in ", None),
            ("Please retry in 45.578569677s.", Some(45_578)),
            ("Please retry after 26 seconds.", Some(26_000)),
            ("Please wait 41234 seconds before retrying", Some(41_234_000)),
            ("Please wait before trying again, and then wait 3 s", Some(3000)),
            ("Request was throttled. Expected available in 1 second.", Some(1000)),
            ("Rate limit reset in 12s", Some(12_000)),
        ] {
            assert_eq!(wait_ms(&[], &format!(r#"{{"error":{{"message":"{said}"}}}}"#)), expected, "{said}");
        }
    }

    #[test]
    fn bodies_with_members_for_it() {
        for (body, expected) in [
            (r#"{"error":"Model m is currently loading","estimated_time":20.5}"#, Some(20_500)),
            (r#"{"detail":"Request was throttled.","status":429,"retry_after":7}"#, Some(7000)),
            (r#"{"error":{"message":"m","retry_after_ms":250}}"#, Some(250)),
            (
                r#"{"error":{"code":429,"message":"m","metadata":{"headers":{"X-RateLimit-Reset":"1795348860000"}}}}"#,
                Some(60_000),
            ),
            (r#"{"error":{"message":"m","retry_after":-1}}"#, None),
            (r#"{"error":{"message":"m","retry_after":1e300}}"#, Some(u128::from(WAIT_SECONDS_MAX) * 1000)),
        ] {
            assert_eq!(wait_ms(&[], body), expected, "{body}");
        }
    }
}
