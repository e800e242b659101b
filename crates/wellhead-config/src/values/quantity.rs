//! Times and sizes. Both want their unit: a bare `30` has cost somebody an outage in every gateway there is.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{Leaf, Problem};
use crate::read::Written;

const TIME_UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZE_UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

/// A time from `MIN` to `MAX` milliseconds: `250ms`, `15s`, `5m`, `24h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time<const MIN: u64, const MAX: u64>(pub Duration);

impl<const MIN: u64, const MAX: u64> Leaf for Time<MIN, MAX> {
    const WRITTEN: Written = Written::Text;

    fn expected() -> String {
        format!("a time with its unit (ms, s, m, h, d) from {} to {}", time_text(MIN), time_text(MAX))
    }

    fn hint(text: &str) -> Option<String> {
        let hint = format!("{text}s");
        Self::parse(&hint).ok().map(|_| hint)
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        match quantity(text, &TIME_UNITS)? {
            0 if MIN > 0 => Err(Problem::new("would leave no time at all")),
            ms if ms < MIN => Err(Problem::new("is too short")),
            ms if ms > MAX => Err(Problem::new("is too long")),
            ms => Ok(Self(Duration::from_millis(ms))),
        }
    }

    fn to_json(&self) -> Json {
        json!(time_text(u64::try_from(self.0.as_millis()).unwrap_or(MAX)))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$", "examples": [time_text(MIN), time_text(MAX)] })
    }
}

/// A size from `MIN` to `MAX` bytes: `500B`, `64KiB`, `32MiB`, `1GB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes<const MIN: u64, const MAX: u64>(pub u64);

impl<const MIN: u64, const MAX: u64> Leaf for Bytes<MIN, MAX> {
    const WRITTEN: Written = Written::Text;

    fn expected() -> String {
        let (min, max) = (size_text(MIN), size_text(MAX));
        format!("a size with its unit (B, KiB, MiB, GiB, kB, MB, GB) from {min} to {max}")
    }

    fn hint(text: &str) -> Option<String> {
        // A bare number is nearly always meant in bytes when it is large, and in MiB when it is small.
        [format!("{text}MiB"), format!("{text}B")].into_iter().find(|hint| Self::parse(hint).is_ok())
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        match quantity(text, &SIZE_UNITS)? {
            bytes if bytes < MIN => Err(Problem::new("is too small")),
            bytes if bytes > MAX => Err(Problem::new("is too large")),
            bytes => Ok(Self(bytes)),
        }
    }

    fn to_json(&self) -> Json {
        json!(size_text(self.0))
    }

    fn schema() -> Json {
        json!({
            "type": "string",
            "pattern": "^[0-9]+(B|KiB|MiB|GiB|kB|MB|GB)$",
            "examples": [size_text(MIN), size_text(MAX)],
        })
    }
}

/// A whole number and its unit, in the smallest unit. Values beyond `u64` are as good as too large.
fn quantity(text: &str, units: &[(&str, u64)]) -> Result<u64, Problem> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(Problem::new("does not begin with a number"));
    }
    let unit = unit.trim_start();
    if let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) {
        if text.contains(' ') {
            let suggestion = Some(format!("{number}{unit}"));
            return Err(Problem::new("has a blank between number and unit").suggest(suggestion));
        }
        return Ok(number.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(*factor));
    }
    if unit.is_empty() {
        return Err(Problem::new("has no unit"));
    }
    if unit.starts_with('.') {
        let smaller = "whole numbers only; use a smaller unit, such as 1500ms for 1.5s";
        return Err(Problem::new("has decimals").expected(smaller));
    }
    let folded = unit.to_ascii_lowercase();
    let folded = match folded.as_str() {
        "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "m",
        "hr" | "hour" | "hours" => "h",
        "day" | "days" => "d",
        "msec" | "millis" | "milliseconds" => "ms",
        "k" | "ki" => "kib",
        "mi" => "mib",
        "g" | "gi" => "gib",
        other => other,
    };
    let near = units.iter().find(|(name, _)| name.to_ascii_lowercase() == folded);
    let suggestion = near.map(|(name, _)| format!("{number}{name}"));
    Err(Problem::new("has an unknown unit").suggest(suggestion))
}

/// In the largest unit that leaves a whole number.
pub(crate) fn time_text(ms: u64) -> String {
    match ms {
        0 => "0s".to_owned(),
        ms if ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{}m", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

fn size_text(bytes: u64) -> String {
    match bytes {
        0 => "0B".to_owned(),
        bytes if bytes % (1 << 30) == 0 => format!("{}GiB", bytes >> 30),
        bytes if bytes % (1 << 20) == 0 => format!("{}MiB", bytes >> 20),
        bytes if bytes % (1 << 10) == 0 => format!("{}KiB", bytes >> 10),
        bytes => format!("{bytes}B"),
    }
}
