//! List prices of models.

use serde_json::{Value as Json, json};
use wellhead_catalog::Price;
use wellhead_catalog::model::PRICE_DOLLARS_MAX;

use super::{Leaf, Problem};
use crate::read::Written;

/// Millionths of a dollar in a dollar.
const DOLLAR: u64 = 1_000_000;

/// A list price in millionths of a dollar, written in dollars: `2.5`, `0.0036`, `0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPrice(pub u64);

impl Leaf for ListPrice {
    const WRITTEN: Written = Written::Number;

    fn expected() -> String {
        format!("an amount in US dollars from 0 to {PRICE_DOLLARS_MAX} with at most 6 decimals, such as 2.5")
    }

    fn hint(text: &str) -> Option<String> {
        let text = text.trim_start_matches('$').trim();
        Self::parse(text).ok().map(|_| text.to_owned())
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        Price::millionths(text).map(Self).map_err(Problem::new)
    }

    fn to_json(&self) -> Json {
        let (whole, part) = (self.0 / DOLLAR, self.0 % DOLLAR);
        if part == 0 {
            return json!(whole);
        }
        let text = format!("{whole}.{part:06}");
        serde_json::from_str(text.trim_end_matches('0')).unwrap_or(Json::Null)
    }

    fn schema() -> Json {
        json!({ "type": "number", "minimum": 0, "maximum": PRICE_DOLLARS_MAX })
    }
}
