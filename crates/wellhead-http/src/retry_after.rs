//! `Retry-After` in both directions, and the durations in vendors' reset headers.

use std::time::{Duration, SystemTime};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::deadline::{millis, seconds};
use crate::names::RETRY_AFTER_MS;

/// Longest wait that clients are told. The official SDKs ignore or give up on more (Anthropic above 60 s, OpenAI above
/// 120 s); the true time belongs into the body.
pub const TOLD_S_MAX: u64 = 60;

/// Longest wait that is believed from a vendor: daily quotas reset within a day. The ladder applies its own, smaller
/// bounds.
const BELIEVED_S_MAX: u64 = 86_400;

/// Sets `retry-after` (whole seconds, rounded up, at least 1) and `retry-after-ms`, both at most 60 s.
pub fn write(headers: &mut HeaderMap, wait: Duration) {
    let ms = told_ms(wait);
    headers.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
    headers.insert(&RETRY_AFTER_MS, HeaderValue::from(ms));
}

/// The wait that clients are told, in milliseconds: rounded up, 1 to 60,000.
pub fn told_ms(wait: Duration) -> u64 {
    let ms = wait.as_nanos().div_ceil(1_000_000);
    u64::try_from(ms).unwrap_or(u64::MAX).clamp(1, TOLD_S_MAX * 1_000)
}

/// How long a vendor asks to stay away: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date. `None` if
/// neither is there and well-formed. A date in the past is zero; more than a day counts as a day. `now` is the wall
/// clock.
pub fn parse(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let wait = text(&RETRY_AFTER_MS).and_then(millis).or_else(|| {
        let value = text(&header::RETRY_AFTER)?;
        seconds(value).or_else(|| {
            let date = httpdate::parse_http_date(value).ok()?;
            Some(date.duration_since(now).unwrap_or(Duration::ZERO))
        })
    })?;
    Some(wait.min(Duration::from_secs(BELIEVED_S_MAX)))
}

/// The duration in a header such as `x-ratelimit-reset-requests`: `1s`, `6m0s`, `12ms`, `1h2m3.5s`, or plain seconds.
/// `None` if malformed; more than a day counts as a day.
pub fn parse_reset(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if let Some(plain) = seconds(rest) {
        total = plain;
        rest = "";
    } else if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit_on) = rest.split_at(number_end);
        let unit_end = unit_on.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit_on.len());
        let (unit, after) = unit_on.split_at(unit_end);
        let part = match unit {
            "d" => seconds(number)?.saturating_mul(86_400),
            "h" => seconds(number)?.saturating_mul(3_600),
            "m" => seconds(number)?.saturating_mul(60),
            "s" => seconds(number)?,
            "ms" => millis(number)?,
            _ => return None,
        };
        total = total.saturating_add(part);
        rest = after;
    }
    Some(total.min(Duration::from_secs(BELIEVED_S_MAX)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{parse, parse_reset, write};
    use http::header::{HeaderMap, HeaderName, HeaderValue};
    use std::time::{Duration, SystemTime};

    fn written(wait: Duration) -> (String, String) {
        let mut headers = HeaderMap::new();
        write(&mut headers, wait);
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        (text("retry-after"), text("retry-after-ms"))
    }

    fn parsed(pairs: &[(&'static str, &'static str)], now_unix_s: u64) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        parse(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(now_unix_s))
    }

    #[test]
    fn what_clients_are_told_is_rounded_up_and_at_most_a_minute() {
        let table = [
            (Duration::ZERO, "1", "1"),
            (Duration::from_nanos(1), "1", "1"),
            (Duration::from_millis(1_001), "2", "1001"),
            (Duration::from_secs(60), "60", "60000"),
            (Duration::from_secs(61), "60", "60000"),
            (Duration::MAX, "60", "60000"),
        ];
        for (wait, s, ms) in table {
            assert_eq!(written(wait), (s.to_owned(), ms.to_owned()), "{wait:?}");
        }
    }

    #[test]
    fn milliseconds_come_before_seconds_and_dates_are_understood() {
        assert_eq!(
            parsed(&[("retry-after-ms", "1500"), ("retry-after", "9")], 0),
            Some(Duration::from_millis(1_500))
        );
        assert_eq!(parsed(&[("retry-after-ms", "x"), ("retry-after", "9")], 0), Some(Duration::from_secs(9)));
        assert_eq!(parsed(&[("retry-after", "0.5")], 0), Some(Duration::from_millis(500)));
        // RFC 9110 section 5.6.7's example, one minute before and after.
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(parsed(&[("retry-after", date)], 784_111_777 - 60), Some(Duration::from_secs(60)));
        assert_eq!(parsed(&[("retry-after", date)], 784_111_777 + 60), Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_is_no_advice_and_a_year_is_a_day() {
        for value in ["", "-1", "soon", "1e9", "NaN", "Sun, 06 Nov"] {
            assert_eq!(parsed(&[("retry-after", value)], 0), None, "{value}");
        }
        assert_eq!(parsed(&[("retry-after", "31536000")], 0), Some(Duration::from_secs(86_400)));
        assert_eq!(parsed(&[], 0), None);
    }

    #[test]
    fn reset_durations_of_vendors() {
        let table = [
            ("1s", 1_000),
            ("6m0s", 360_000),
            ("12ms", 12),
            ("1h2m3.5s", 3_723_500),
            ("7", 7_000),
            ("0s", 0),
        ];
        for (text, ms) in table {
            assert_eq!(parse_reset(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "1x", "1s1", "-1s", "1..5s", "m", "2026-01-01T00:00:00Z"] {
            assert_eq!(parse_reset(text), None, "{text}");
        }
        assert_eq!(parse_reset("999999999999999999d"), Some(Duration::from_secs(86_400)));
    }
}
