//! The table itself: every row can be met, and says what comes out.

use crate::failure::classify;
use crate::failure::means::Means;
use crate::failure::row::{For, Row, Sign};
use crate::failure::rows::TABLES;
use crate::failure::vendor::{VENDORS, Vendor};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use std::collections::BTreeSet;
use wellhead_types::Retry;

fn rows() -> impl Iterator<Item = &'static Row> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// The smallest answer that holds a sign, and nothing else that could be one.
fn smallest(row: &Row) -> (HeaderMap, Vec<u8>) {
    let mut headers = HeaderMap::new();
    let code =
        |code: &str, message: &str| json!({ "error": { "type": code, "message": message } }).to_string();
    let body = match row.sign {
        Sign::Status => json!({ "error": { "message": "something" } }).to_string(),
        Sign::Code(word) => match word.strip_prefix("base_resp:") {
            Some(number) => {
                let number: u32 = number.parse().unwrap();
                json!({ "base_resp": { "status_code": number, "status_msg": "something" } }).to_string()
            }
            None => code(word, "something"),
        },
        Sign::CodeStart(start) => code(&format!("{start}.more"), "something"),
        Sign::Phrase(phrase) => code("some_error", &format!("Something: {phrase} 7")),
        Sign::CodeAndPhrase(word, phrase) => code(word, &format!("Something{phrase} 7")),
        Sign::Words(nouns, verbs) => code("some_error", &format!("The {} x is {}", nouns[0], verbs[0])),
        Sign::Header(name, value) => {
            let value = if value.is_empty() { "x" } else { value };
            headers.insert(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
            "<html></html>".to_owned()
        }
        Sign::NoBody => String::new(),
    };
    (headers, body.into_bytes())
}

#[test]
fn what_a_row_says_is_what_comes_out_under_each_of_its_statuses() {
    for row in rows() {
        let vendor =
            if row.of == For::All && row.vendor == Vendor::Everyone { None } else { Some(row.vendor) };
        let (headers, body) = smallest(row);
        for (from, to) in row.at.statuses {
            // Overloaded vendors say 529 whatever they write beside it, and specials are checked one by one.
            for status in
                [*from, *to].into_iter().filter(|status| *status != 529 || row.at.statuses.len() == 1)
            {
                let failure = classify(vendor, status, &headers, &body, 0);
                let expected = row.means.judgement();
                assert_eq!(
                    (failure.side, failure.scope, failure.retry, failure.cause),
                    (expected.side, expected.scope, expected.retry, expected.cause),
                    "{row:?} under {status}: {}",
                    String::from_utf8_lossy(&body)
                );
                assert_eq!(failure.status, Some(status));
                assert!(failure.retry != Retry::Never || failure.retry_after.is_none());
            }
        }
    }
}

#[test]
fn signs_are_written_as_they_are_looked_for() {
    /// A phrase of fewer letters occurs in messages about something else.
    const PHRASE_CHARS_MIN: usize = 8;
    for row in rows() {
        let texts: Vec<&str> = match row.sign {
            Sign::Code(text) | Sign::CodeStart(text) | Sign::Phrase(text) => vec![text],
            Sign::CodeAndPhrase(a, b) | Sign::Header(a, b) => vec![a, b],
            Sign::Words(a, b) => a.iter().chain(b).copied().collect(),
            Sign::Status | Sign::NoBody => vec![],
        };
        for text in texts {
            assert_eq!(text, text.to_lowercase(), "{row:?}");
        }
        if let Sign::Phrase(phrase) = row.sign {
            assert!(phrase.chars().count() >= PHRASE_CHARS_MIN, "{row:?}");
        }
        assert!(!row.at.statuses.is_empty(), "{row:?}");
        assert!(row.at.statuses.iter().all(|(from, to)| 400 <= *from && from <= to && *to <= 599), "{row:?}");
    }
}

#[test]
fn no_row_stands_there_twice() {
    let mut seen = BTreeSet::new();
    for row in rows().filter(|row| row.sign != Sign::Status) {
        assert!(
            seen.insert(format!("{:?} {:?} {:?} {:?}", row.sign, row.at, row.of, row.of == For::Vendor)),
            "{row:?}"
        );
    }
}

#[test]
fn every_status_of_an_error_means_something() {
    for status in 400..600 {
        let failure = classify(None, status, &HeaderMap::new(), b"{}", 0);
        assert_ne!(failure.cause, Means::NotTheApi.judgement().cause, "{status}");
    }
    for status in (100..400).chain(600..1000) {
        let failure = classify(None, status, &HeaderMap::new(), b"{}", 0);
        assert_eq!(failure.cause, Means::NotTheApi.judgement().cause, "{status}");
    }
}

#[test]
fn every_vendor_is_named_and_its_kinds_lead_to_it() {
    let mut kinds = BTreeSet::new();
    for (vendor, title, names) in VENDORS {
        assert_eq!(vendor.title(), title);
        for name in names {
            assert!(kinds.insert(*name), "{name} twice");
            assert_eq!(Vendor::of_kind(name), Some(vendor));
        }
    }
    let used: BTreeSet<Vendor> = rows().map(|row| row.vendor).collect();
    for vendor in used {
        assert!(!vendor.title().is_empty(), "{vendor:?}");
    }
    assert_eq!(Vendor::of_kind("openai-compatible"), None);
}
