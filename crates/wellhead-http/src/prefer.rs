//! `Prefer` (RFC 7240): what a client would like, if it can be had.

use http::{HeaderMap, HeaderName};
use std::time::Duration;

/// `Prefer`.
pub static PREFER: HeaderName = HeaderName::from_static("prefer");
/// `Preference-Applied` (RFC 7240 section 3).
pub static PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Longest `wait`: nobody holds a connection open for longer.
const WAIT_SECONDS_MAX: u64 = 3600;

/// The preferences about waiting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prefer {
    /// `respond-async` (section 4.1): rather a 202 now than an answer late.
    pub respond_async: bool,
    /// `wait` (section 4.3): how long an answer may take until then.
    pub wait: Option<Duration>,
}

impl Prefer {
    /// Reads the headers. What is not understood is not preferred; of two that differ the first counts.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut prefer = Self::default();
        let values = headers.get_all(&PREFER).iter().filter_map(|value| value.to_str().ok());
        for preference in values.flat_map(|value| value.split(',')) {
            // Parameters of a preference are for nobody here.
            let (name, value) = match preference.split(';').next().and_then(|it| it.split_once('=')) {
                Some((name, value)) => (name, value.trim().trim_matches('"')),
                None => (preference.split(';').next().unwrap_or_default(), ""),
            };
            let name = name.trim();
            if name.eq_ignore_ascii_case("respond-async") {
                prefer.respond_async = true;
            } else if name.eq_ignore_ascii_case("wait") && prefer.wait.is_none() {
                let seconds: Option<u64> = value.parse().ok();
                prefer.wait = seconds.map(|seconds| Duration::from_secs(seconds.min(WAIT_SECONDS_MAX)));
            }
        }
        prefer
    }
}

#[cfg(test)]
mod tests {
    use super::Prefer;
    use http::{HeaderMap, HeaderValue};
    use std::time::Duration;

    fn read(lines: &[&'static str]) -> (bool, Option<u64>) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("prefer", HeaderValue::from_static(line));
        }
        let Prefer { respond_async, wait } = Prefer::from_headers(&headers);
        (respond_async, wait.map(|wait| Duration::as_secs(&wait)))
    }

    #[test]
    fn the_spellings_of_the_standard_are_understood() {
        for (lines, expected) in [
            (&[][..], (false, None)),
            (&["respond-async"], (true, None)),
            (&["Respond-Async, wait=10"], (true, Some(10))),
            (&["respond-async;x=y , WAIT = \"7\"; z"], (true, Some(7))),
            (&["wait=5", "respond-async", "wait=6"], (true, Some(5))),
            (&["return=minimal, handling=lenient"], (false, None)),
            (&["respond-asynchronously"], (false, None)),
            (&["respond-async, wait=soon"], (true, None)),
            (&["respond-async, wait=-1"], (true, None)),
            (&["wait=99999999999999999999, respond-async"], (true, None)),
            (&["wait=9999999, respond-async"], (true, Some(3600))),
        ] {
            assert_eq!(read(lines), expected, "{lines:?}");
        }
    }
}
