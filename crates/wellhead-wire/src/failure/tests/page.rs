//! The page docs/reference/signals.md is the table.

use crate::failure::WAIT_SECONDS_MAX;
use crate::failure::means::Means;
use crate::failure::row::{At, For, Known, Row, Sign, Wait};
use crate::failure::rows::TABLES;
use crate::failure::vendor::VENDORS;
use std::fmt::Write as _;
use std::path::Path;
use wellhead_types::{Retry, Scope};

const BLESS: &str = "WELLHEAD_BLESS=1 cargo nextest run --package wellhead-wire page";

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Request => "request",
        Scope::Key => "key",
        Scope::KeyModel => "key for the model",
        Scope::TargetModel => "model",
        Scope::Endpoint => "target",
        Scope::Provider => "provider",
    }
}

fn known(known: Known) -> &'static str {
    match known {
        Known::Recorded => "recorded",
        Known::Measured => "measured",
        Known::Specified => "specification",
        Known::Documented => "vendor-page",
        Known::Reported => "reported",
        Known::Believed => "unverified",
    }
}

fn statuses(at: At) -> String {
    match at {
        At::ANY => return "any".to_owned(),
        At::BAD => return "400 and the like".to_owned(),
        At::LONG => return "4xx, 5xx".to_owned(),
        At::REFUSED => return "400, 403 and the like".to_owned(),
        At::MONEY => return "4xx".to_owned(),
        At::SERVER => return "5xx".to_owned(),
        At::FAULT => return "5xx but 503".to_owned(),
        _ => {}
    }
    let range =
        |(from, to): &(u16, u16)| if from == to { from.to_string() } else { format!("{from}–{to}") };
    at.statuses.iter().map(range).collect::<Vec<_>>().join(", ")
}

fn sign(row: &Row) -> String {
    let text = match row.sign {
        Sign::Status => "nothing else that is known".to_owned(),
        Sign::Code(word) => match word.strip_prefix("base_resp:") {
            Some(number) => format!("`base_resp.status_code` {number}"),
            None => format!("code `{word}`"),
        },
        Sign::CodeStart(start) => format!("code `{start}…`"),
        Sign::Phrase(phrase) => format!("“{phrase}”"),
        Sign::CodeAndPhrase(word, phrase) => format!("code `{word}` and “{phrase}”"),
        Sign::Words(nouns, verbs) => {
            format!("one of “{}” and one of “{}”", nouns.join(", "), verbs.join(", "))
        }
        Sign::Header(name, "") => format!("header `{name}`"),
        Sign::Header(name, value) => format!("header `{name}: {value}`"),
        Sign::NoBody => "no body".to_owned(),
    };
    let only = if row.of == For::Vendor { ", from this vendor only" } else { "" };
    let untold = if row.unless_told { ", and no time to come back" } else { "" };
    format!("{text}{only}{untold}")
}

fn wait(row: &Row) -> String {
    if row.means.judgement().retry == Retry::Never {
        return "–".to_owned();
    }
    match row.wait {
        Wait::Told => "as told".to_owned(),
        Wait::NextMonth => "as told, or until the next month".to_owned(),
        Wait::PacificMidnight => "as told above 120 s, or until midnight in California".to_owned(),
        Wait::Said(_) => "until the date in the message".to_owned(),
        Wait::Seconds(seconds) => format!("as told, or {seconds} s"),
    }
}

fn line(row: &Row) -> String {
    let judged = row.means.judgement();
    format!(
        "| {} | {} | `{}` | {} | {} | {} |",
        statuses(row.at),
        sign(row).replace('|', "\\|"),
        judged.cause.as_str(),
        scope(judged.scope),
        wait(row),
        known(row.known)
    )
}

fn page() -> String {
    let mut page = String::from(include_str!("page.md"));
    let days = WAIT_SECONDS_MAX / 86_400;
    page = page.replace("{days}", &days.to_string()).replace("{bless}", BLESS);
    for (vendor, title, kinds) in VENDORS {
        let rows: Vec<&Row> =
            TABLES.iter().flat_map(|table| table.iter()).filter(|row| row.vendor == vendor).collect();
        if rows.is_empty() {
            continue;
        }
        let mut heading = title.to_owned();
        if let Some(first) = heading.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        // "xAI" is written so.
        let heading = if title == "xAI" { title.to_owned() } else { heading };
        write!(page, "\n## {heading}\n\n").unwrap();
        if !kinds.is_empty() {
            let kinds = kinds.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ");
            write!(page, "Kinds: {kinds}.\n\n").unwrap();
        }
        page.push_str(
            "| Status | Signal | Cause | Scope | Wait | Known |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        for row in rows {
            page.push_str(&line(row));
            page.push('\n');
        }
    }
    page
}

#[test]
fn the_page_of_signals_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/signals.md");
    let page = page();
    if std::env::var_os("WELLHEAD_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/reference/signals.md is not the table; if the table is right: {BLESS}");
}

#[test]
fn every_meaning_has_a_row_but_the_one_that_is_left() {
    let said = |means| TABLES.iter().flat_map(|table| table.iter()).any(|row| row.means == means);
    for means in [
        Means::Limited,
        Means::TooLargeForLimit,
        Means::Spent,
        Means::ModelSpent,
        Means::KeyRejected,
        Means::ModelUnknown,
        Means::ProviderOverloaded,
        Means::Busy,
        Means::ServerError,
        Means::ModelFailed,
        Means::NotImplemented,
        Means::TimedOut,
        Means::Conflict,
        Means::NotTheApi,
        Means::TooLong,
        Means::Filtered,
        Means::BadRequest,
    ] {
        assert!(said(means), "{means:?}");
    }
    assert!(!said(Means::ErrorInSuccess), "what is left of a success that failed");
}
