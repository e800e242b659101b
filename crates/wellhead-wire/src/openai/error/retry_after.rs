//! How long a vendor asks us to stay away, in each of the ways that vendors say it.

use super::facts::Facts;
use http::HeaderMap;
use std::time::Duration;

/// Longest wait believed: a monthly spending limit. A longer one is a mistake or an attack.
pub const RETRY_AFTER_SECONDS_MAX: u64 = 31 * 24 * 3600;

/// The wait that a failure asks for: `retry-after-ms`, then `retry-after` (seconds or date), then the body
/// (`RetryInfo`, "try again in"), then, for a rate limit, `x-ratelimit-reset-*`: vendors send these with every answer,
/// and beside another failure they say nothing about it. `now` is Unix seconds.
pub(super) fn read(status: u16, headers: &HeaderMap, facts: &Facts, now: u64) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let from_headers = text("retry-after-ms")
        .and_then(|ms| ms.parse::<f64>().ok())
        .and_then(|ms| seconds(ms / 1000.0))
        .or_else(|| text("retry-after").and_then(|value| seconds_or_date(value, now)));
    let from_resets = || if status == 429 { from_resets(headers, now) } else { None };
    from_headers.or_else(|| from_body(facts)).or_else(from_resets)
}

/// The wait that only the body names.
pub(super) fn from_body(facts: &Facts) -> Option<Duration> {
    facts.retry_delay.as_deref().and_then(duration).or_else(|| {
        let (_, after) = facts.haystack.split_once("try again in ")?;
        let mut words = after.split_whitespace();
        let first = words.next()?.trim_end_matches(['.', ',', ';']);
        // "in 1.5s", "in 20 seconds"
        duration(first).filter(|_| first.ends_with(|c: char| c.is_ascii_alphabetic())).or_else(|| {
            let unit = words.next()?;
            let scale = [("ms", 0.001), ("milli", 0.001), ("sec", 1.0), ("min", 60.0), ("hour", 3600.0)];
            let (_, factor) = scale.into_iter().find(|(name, _)| unit.starts_with(name))?;
            seconds(first.parse::<f64>().ok()? * factor)
        })
    })
}

fn seconds_or_date(value: &str, now: u64) -> Option<Duration> {
    if let Ok(number) = value.parse::<f64>() {
        return seconds(number);
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let at = at.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    Some(Duration::from_secs(at.saturating_sub(now).min(RETRY_AFTER_SECONDS_MAX)))
}

/// Of several resets the longest of those whose budget is spent; if none says so, the shortest.
fn from_resets(headers: &HeaderMap, now: u64) -> Option<Duration> {
    let mut spent = None;
    let mut shortest = None;
    for (name, value) in headers {
        let Some(kind) = name.as_str().strip_prefix("x-ratelimit-reset") else { continue };
        let Some(wait) = value.to_str().ok().and_then(|v| reset(v.trim(), now)) else { continue };
        let left = headers.get(format!("x-ratelimit-remaining{kind}"));
        if left.is_some_and(|left| left.as_bytes() == b"0") {
            spent = spent.max(Some(wait));
        }
        shortest = Some(shortest.map_or(wait, |s: Duration| s.min(wait)));
    }
    spent.or(shortest)
}

/// A duration, or a point in time in Unix seconds or milliseconds.
fn reset(value: &str, now: u64) -> Option<Duration> {
    const UNIX_SECONDS_MIN: f64 = 1e9;
    const UNIX_MILLIS_MIN: f64 = 1e12;
    match value.parse::<f64>() {
        #[expect(clippy::cast_precision_loss, reason = "a wait; 2^53 seconds are enough")]
        Ok(at) if at >= UNIX_SECONDS_MIN => {
            let at = if at >= UNIX_MILLIS_MIN { at / 1000.0 } else { at };
            seconds((at - now as f64).max(0.0))
        }
        Ok(number) => seconds(number),
        Err(_) => duration(value),
    }
}

/// `12ms`, `1.5s`, `6m0s`, `1h2m3.5s`, `1d`, or plain seconds.
fn duration(text: &str) -> Option<Duration> {
    if let Ok(number) = text.parse::<f64>() {
        return seconds(number);
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let tail = &rest[digits..];
        let unit_len = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        total += number
            * match &tail[..unit_len] {
                "ns" => 1e-9,
                "us" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86400.0,
                _ => return None,
            };
        rest = &tail[unit_len..];
    }
    if text.is_empty() { None } else { seconds(total) }
}

#[expect(clippy::cast_precision_loss, reason = "the bound is far below 2^53")]
fn seconds(number: f64) -> Option<Duration> {
    if !number.is_finite() || number < 0.0 {
        return None;
    }
    Some(Duration::from_secs_f64(number.min(RETRY_AFTER_SECONDS_MAX as f64)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{RETRY_AFTER_SECONDS_MAX, read};
    use crate::openai::error::facts::Facts;
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
        read(429, &map, &Facts::read(body.as_bytes()), NOW).map(|wait| wait.as_millis())
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
            (&[("retry-after", "1e300")], Some(u128::from(RETRY_AFTER_SECONDS_MAX) * 1000)),
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
        ] {
            assert_eq!(wait_ms(&[], &format!(r#"{{"error":{{"message":"{said}"}}}}"#)), expected, "{said}");
        }
    }
}
