//! Golden bills: usage as vendors write it, read and priced as the data plane does it. What they cost is compared with
//! an independent calculator by `tests/money/test_bills.py`.
//!
//! `WELLHEAD_BLESS=1` writes the costs anew after a change of prices in the catalogue.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use wellhead_catalog::{Catalog, Cost, Models};
use wellhead_types::Usage;
use wellhead_wire::openai::read_usage;

fn file() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "money", "bills.json"].iter().collect()
}

fn bills() -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(file()).unwrap()).unwrap()
}

fn cost(bill: &Value) -> Option<u64> {
    let text = |member: &str| bill[member].as_str().unwrap();
    let kind = Catalog::builtin().unwrap().kind(text("kind")).unwrap();
    let model = Models::BUILTIN.find(&kind, text("model")).unwrap_or_else(|| panic!("no such model: {bill}"));
    let usage: Usage = serde_json::from_value(bill["read"].clone()).unwrap();
    match Cost::of(Some(&model.prices), &usage) {
        Cost::Known(cost) => Some(cost.0),
        Cost::Unknown | Cost::Nothing => None,
    }
}

#[test]
fn every_bill_costs_what_was_reviewed() {
    let mut bills = bills();
    if std::env::var_os("WELLHEAD_BLESS").is_some() {
        for bill in &mut bills {
            bill["cost_nanos"] = json!(cost(bill));
        }
        let lines: Vec<String> = bills.iter().map(Value::to_string).collect();
        std::fs::write(file(), format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
    }
    for bill in &bills {
        assert_eq!(json!(cost(bill)), bill["cost_nanos"], "{bill}");
    }
    let vendors: BTreeSet<&str> = bills.iter().map(|bill| bill["kind"].as_str().unwrap()).collect();
    assert!(bills.len() >= 40 && vendors.len() >= 10, "{} bills of {} vendors", bills.len(), vendors.len());
}

/// The usage of the dialects that are read here already comes out as the bill says.
#[test]
fn usage_is_read_as_the_bills_say() {
    for bill in bills() {
        if ["openai", "responses", "duration", "realtime"].contains(&bill["dialect"].as_str().unwrap()) {
            let read: Usage = serde_json::from_value(bill["read"].clone()).unwrap();
            assert_eq!(read_usage(bill["usage"].to_string().as_bytes()), Some(read), "{bill}");
        }
    }
}
