//! Whole numbers, switches and money.

use serde_json::{Value as Json, json};

use super::{Leaf, Problem};
use crate::read::Written;

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int<const MIN: u64, const MAX: u64>(pub u64);

impl<const MIN: u64, const MAX: u64> Leaf for Int<MIN, MAX> {
    const WRITTEN: Written = Written::Number;

    fn expected() -> String {
        match (MIN, MAX) {
            (min, max) if min == max => format!("the number {min}"),
            (min, max) => format!("a whole number from {min} to {max}"),
        }
    }

    fn hint(text: &str) -> Option<String> {
        Self::parse(text).ok().map(|number| number.0.to_string())
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return Err(Problem::new("is not a whole number"));
        }
        match text.parse::<u64>() {
            Ok(number) if MIN == MAX && number != MIN => Err(Problem::new("is not known")),
            Ok(number) if number < MIN => Err(Problem::new("is too small")),
            Ok(number) if number <= MAX => Ok(Self(number)),
            _ => Err(Problem::new("is too large")),
        }
    }

    fn to_json(&self) -> Json {
        json!(self.0)
    }

    fn schema() -> Json {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// `true` or `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch(pub bool);

impl Leaf for Switch {
    const WRITTEN: Written = Written::Bool;

    fn expected() -> String {
        "true or false".to_owned()
    }

    fn hint(text: &str) -> Option<String> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some("true".to_owned()),
            "false" | "no" | "off" | "0" => Some("false".to_owned()),
            _ => None,
        }
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "true" | "True" | "TRUE" => Ok(Self(true)),
            "false" | "False" | "FALSE" => Ok(Self(false)),
            _ => Err(Problem::new("is neither true nor false").suggest(Self::hint(text))),
        }
    }

    fn to_json(&self) -> Json {
        json!(self.0)
    }

    fn schema() -> Json {
        json!({ "type": "boolean" })
    }
}

/// Nano-dollars in a dollar.
const NANOS: u64 = 1_000_000_000;
/// Decimals that are read: hundredths of a cent. JSON numbers carry them without loss up to [`DOLLARS_MAX`].
const DECIMALS_MAX: usize = 4;
/// Largest amount in dollars; no team spends more in a month, and a slip of the hand is caught.
const DOLLARS_MAX: u64 = 100_000_000;

/// Money in nano-dollars, written as dollars: `5`, `0.25`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dollars(pub u64);

impl Leaf for Dollars {
    const WRITTEN: Written = Written::Number;

    fn expected() -> String {
        format!("an amount in US dollars from 0.0001 to {DOLLARS_MAX}, such as 5 or 0.25")
    }

    fn hint(text: &str) -> Option<String> {
        let text = text.trim_start_matches('$').trim();
        Self::parse(text).ok().map(|_| text.to_owned())
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(part) {
            return Err(Problem::new("is not an amount"));
        }
        if part.len() > DECIMALS_MAX {
            return Err(Problem::new("has too many decimals").expected(format!("at most {DECIMALS_MAX}")));
        }
        let whole: u64 = whole.parse().unwrap_or(u64::MAX);
        let part: u64 = format!("{part:0<9}").parse().unwrap_or(0);
        if whole > DOLLARS_MAX || (whole == DOLLARS_MAX && part > 0) {
            return Err(Problem::new("is too large"));
        }
        match whole * NANOS + part {
            0 => Err(Problem::new("would allow nothing")),
            nanos => Ok(Self(nanos)),
        }
    }

    fn to_json(&self) -> Json {
        let (whole, part) = (self.0 / NANOS, self.0 % NANOS);
        if part == 0 {
            return json!(whole);
        }
        let text = format!("{whole}.{part:09}");
        serde_json::from_str(text.trim_end_matches('0')).unwrap_or(Json::Null)
    }

    fn schema() -> Json {
        json!({ "type": "number", "exclusiveMinimum": 0, "maximum": DOLLARS_MAX })
    }
}
