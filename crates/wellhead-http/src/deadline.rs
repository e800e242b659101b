//! How long the caller will wait, from what unmodified clients say.
//!
//! An SDK's read timeout bounds silence: it starts anew with every byte. The others bound the whole call, or for a
//! stream the time until it starts.

use std::time::Duration;

use http::header::{HeaderMap, HeaderValue};

/// Below this no model answers; a smaller wish is a unit mix-up more often than a wish.
const TIMEOUT_MS_MIN: u64 = 100;

/// Nobody holds a connection longer than an hour; the longest stream ends then too.
const TIMEOUT_S_MAX: u64 = 3_600;

/// What a caller said about its patience. Each value lies between 100 ms and one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Patience {
    /// Longest time without a byte (`x-stainless-read-timeout`).
    pub silence: Option<Duration>,
    /// Longest time in all: the smallest of `x-stainless-timeout`, `grpc-timeout` and
    /// `x-envoy-expected-rq-timeout-ms`.
    pub total: Option<Duration>,
}

impl Patience {
    /// Reads the headers. A missing, malformed, zero or infinite value is ignored: it is advice, not a command.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        // One pass is cheaper than four lookups, each of which hashes a long name. Of several values the first counts.
        let [mut silence, mut stainless, mut grpc_timeout, mut envoy] = [None; 4];
        for (name, value) in headers {
            let slot = match name.as_str() {
                "x-stainless-read-timeout" => &mut silence,
                "x-stainless-timeout" => &mut stainless,
                "grpc-timeout" => &mut grpc_timeout,
                "x-envoy-expected-rq-timeout-ms" => &mut envoy,
                _ => continue,
            };
            slot.get_or_insert(value);
        }
        let read = |value: Option<&HeaderValue>, parse: fn(&str) -> Option<Duration>| {
            let value = value?.to_str().ok()?;
            let timeout = parse(value.trim_matches([' ', '\t'])).filter(|d| !d.is_zero())?;
            Some(timeout.clamp(Duration::from_millis(TIMEOUT_MS_MIN), Duration::from_secs(TIMEOUT_S_MAX)))
        };
        let totals = [read(stainless, seconds), read(grpc_timeout, grpc), read(envoy, millis)];
        Self { silence: read(silence, seconds), total: totals.into_iter().flatten().min() }
    }

    /// Longest time until the first byte of the answer, headers included: neither silence nor the total may be
    /// exceeded before it.
    pub fn first_byte(&self) -> Option<Duration> {
        [self.silence, self.total].into_iter().flatten().min()
    }
}

/// Seconds with an optional fraction, as Python and JavaScript print numbers: `600`, `600.0`, `0.25`.
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    scaled(text, 1_000_000_000)
}

/// Milliseconds, likewise.
pub(crate) fn millis(text: &str) -> Option<Duration> {
    scaled(text, 1_000_000)
}

/// A decimal number of units of `unit_ns`. At most 18 digits before the point; digits below a nanosecond are cut off.
fn scaled(text: &str, unit_ns: u64) -> Option<Duration> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 18 || part.len() > 18 || !digits(whole) || !digits(part) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let mut ns = whole.saturating_mul(unit_ns);
    let mut place = unit_ns;
    for digit in part.bytes() {
        place /= 10;
        ns = ns.saturating_add(u64::from(digit - b'0').saturating_mul(place));
    }
    Some(Duration::from_nanos(ns))
}

/// gRPC: one to eight digits and a unit.
fn grpc(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let in_range = (1..=8).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = in_range.then(|| number.parse().ok())??;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::Patience;
    use http::header::{HeaderMap, HeaderName, HeaderValue};
    use std::time::Duration;

    fn patience(pairs: &[(&'static str, &str)]) -> Patience {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        Patience::from_headers(&headers)
    }

    #[test]
    fn read_timeouts_bound_silence_and_the_others_the_whole() {
        let p = patience(&[("x-stainless-read-timeout", "600.0"), ("x-stainless-timeout", "30")]);
        assert_eq!(p.silence, Some(Duration::from_secs(600)));
        assert_eq!(p.total, Some(Duration::from_secs(30)));
        assert_eq!(p.first_byte(), Some(Duration::from_secs(30)));
        assert_eq!(
            patience(&[("x-stainless-read-timeout", "2.5")]).first_byte(),
            Some(Duration::from_millis(2_500))
        );
    }

    #[test]
    fn the_smallest_total_counts() {
        let p = patience(&[("grpc-timeout", "1M"), ("x-envoy-expected-rq-timeout-ms", "15000")]);
        assert_eq!(p, Patience { silence: None, total: Some(Duration::from_secs(15)) });
    }

    #[test]
    fn grpc_units() {
        let table = [("1H", 3_600_000), ("2M", 120_000), ("3S", 3_000), ("500m", 500), ("250000u", 250)];
        for (text, ms) in table {
            assert_eq!(patience(&[("grpc-timeout", text)]).total, Some(Duration::from_millis(ms)), "{text}");
        }
        assert_eq!(patience(&[("grpc-timeout", "99999999n")]).total, Some(Duration::from_millis(100)));
    }

    #[test]
    fn values_are_clamped_to_what_can_be_meant() {
        assert_eq!(patience(&[("x-stainless-timeout", "86400")]).total, Some(Duration::from_secs(3_600)));
        assert_eq!(patience(&[("x-stainless-timeout", "0.001")]).total, Some(Duration::from_millis(100)));
        assert_eq!(
            patience(&[("x-stainless-timeout", "999999999999999999")]).total,
            Some(Duration::from_secs(3_600))
        );
    }

    #[test]
    fn of_several_values_the_first_counts_even_if_it_is_nonsense() {
        let repeated = |values: [&'static str; 2]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-stainless-timeout", HeaderValue::from_static(value));
                headers.append("accept", HeaderValue::from_static("*/*"));
            }
            Patience::from_headers(&headers).total
        };
        assert_eq!(repeated(["30", "5"]), Some(Duration::from_secs(30)));
        assert_eq!(repeated(["soon", "5"]), None);
    }

    #[test]
    fn nonsense_is_ignored() {
        for text in ["", "0", "0.0", "-1", "1e3", "inf", "None", "1.2.3", "1s", ".5", "1234567890123456789"] {
            assert_eq!(patience(&[("x-stainless-timeout", text)]), Patience::default(), "{text}");
        }
        for text in ["S", "1", "1x", "123456789S", "-1S", "1.5S", "\u{b5}"] {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", HeaderValue::from_bytes(text.as_bytes()).unwrap());
            assert_eq!(Patience::from_headers(&headers), Patience::default(), "{text}");
        }
    }
}
