//! Lengths of time as vendors write them.

use super::{WAIT_SECONDS_MAX, calendar};
use std::time::Duration;

/// Seconds or an HTTP date, as in `Retry-After`.
pub(super) fn seconds_or_date(value: &str, now: u64) -> Option<Duration> {
    if let Ok(number) = value.parse::<f64>() {
        return seconds(number);
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let at = at.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    until(at, now)
}

/// What a header of resets says: a duration, or a point in time in Unix seconds, Unix milliseconds, or RFC 3339.
pub(crate) fn reset(value: &str, now: u64) -> Option<Duration> {
    const UNIX_SECONDS_MIN: f64 = 1e9;
    const UNIX_MILLIS_MIN: f64 = 1e12;
    match value.parse::<f64>() {
        #[expect(clippy::cast_precision_loss, reason = "a wait; 2^53 seconds are enough")]
        Ok(at) if at >= UNIX_SECONDS_MIN => {
            let at = if at >= UNIX_MILLIS_MIN { at / 1000.0 } else { at };
            seconds((at - now as f64).max(0.0))
        }
        Ok(number) => seconds(number),
        Err(_) => duration(value).or_else(|| until(calendar::instant(value, 0)?, now)),
    }
}

/// The time from now until then; none is left of what is over.
pub(super) fn until(at: u64, now: u64) -> Option<Duration> {
    Some(Duration::from_secs(at.saturating_sub(now).min(WAIT_SECONDS_MAX)))
}

/// `12ms`, `1.5s`, `6m0s`, `1h2m3.5s`, `1d`, or plain seconds.
pub(super) fn duration(text: &str) -> Option<Duration> {
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

/// The length of time that a sentence goes on with: `1.5s.`, `20 seconds`, `2 minutes`.
pub(super) fn said(after: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 7] = [
        ("ms", 0.001),
        ("milli", 0.001),
        ("min", 60.0),
        ("hour", 3600.0),
        ("day", 86_400.0),
        ("sec", 1.0),
        ("s", 1.0),
    ];
    let mut words = after.split_whitespace();
    let first = words.next()?.trim_end_matches(['.', ',', ';', ')']);
    duration(first).filter(|_| first.ends_with(|c: char| c.is_ascii_alphabetic())).or_else(|| {
        let unit = words.next()?;
        let (_, factor) = UNITS.into_iter().find(|(name, _)| unit.starts_with(name))?;
        seconds(first.parse::<f64>().ok()? * factor)
    })
}

#[expect(clippy::cast_precision_loss, reason = "the bound is far below 2^53")]
pub(super) fn seconds(number: f64) -> Option<Duration> {
    if !number.is_finite() || number < 0.0 {
        return None;
    }
    Some(Duration::from_secs_f64(number.min(WAIT_SECONDS_MAX as f64)))
}
