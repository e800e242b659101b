//! The page docs/reference/quirks.md is the catalogue.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{KnownQuirk, PARAMS, Quirk};
use crate::{Catalog, Dialect, Kind, SOURCES};
use std::collections::BTreeSet;
use std::path::Path;

const BLESS: &str = "WELLHEAD_BLESS=1 cargo nextest run --package wellhead-catalog quirk";

/// The word and what stands behind it, as the data writes them.
fn written(quirk: &Quirk) -> (String, String) {
    let value = toml::Value::try_from(quirk).unwrap();
    match value {
        toml::Value::String(word) => (word, String::new()),
        toml::Value::Table(table) => {
            let (word, value) = table.into_iter().next().unwrap();
            let said = match value {
                toml::Value::Array(all) => {
                    let names: Vec<String> =
                        all.iter().map(|name| format!("`{}`", name.as_str().unwrap())).collect();
                    names.join(", ")
                }
                toml::Value::String(word) => format!("`{word}`"),
                other => other.to_string(),
            };
            (word, said)
        }
        other => panic!("{other}"),
    }
}

fn cell(kind: &Kind) -> String {
    let mut said = Vec::new();
    if kind.quirks.max_tokens_only {
        said.push("`max_tokens_only`".to_owned());
    }
    if !kind.quirks.stream_usage {
        said.push("no `stream_usage`".to_owned());
    }
    for KnownQuirk { quirk, models, source } in &kind.quirks.chat {
        let (word, value) = written(quirk);
        let value = if value.is_empty() { value } else { format!(": {value}") };
        let models = models.as_deref().map(|models| format!(" of `{models}`")).unwrap_or_default();
        said.push(format!("{word}{value}{models} ({source})"));
    }
    if said.is_empty() { "–".to_owned() } else { said.join("; ") }
}

fn page() -> String {
    let mut page = include_str!("page.md").replace("{bless}", BLESS);
    for (mark, link) in
        [("{notice}", "[the notice](../../catalog/NOTICE.md)"), ("{dialects}", "[dialects](dialects.md)")]
    {
        page = page.replace(mark, link);
    }
    for kind in Catalog::builtin().unwrap().kinds().filter(|kind| kind.dialect == Dialect::Openai) {
        page += &format!("| `{}` | {} |\n", kind.name, cell(kind));
    }
    page
}

#[test]
fn the_page_of_quirks_is_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/quirks.md");
    let page = page();
    if std::env::var_os("WELLHEAD_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page,
        "docs/reference/quirks.md is not the catalogue; if the catalogue is right: {BLESS}"
    );
}

#[test]
fn every_quirk_of_the_catalogue_is_explained_on_the_page() {
    let page = include_str!("page.md");
    let catalog = Catalog::builtin().unwrap();
    let words: BTreeSet<String> =
        catalog.kinds().flat_map(|kind| &kind.quirks.chat).map(|known| written(&known.quirk).0).collect();
    for word in &words {
        assert!(page.contains(&format!("| `{word}` |")), "{word} is not explained");
    }
    assert!(words.len() >= 19, "{words:?}");
}

/// wire.md, section 1: what single vendors are known for.
#[test]
fn quirks_that_are_known_are_there() {
    let catalog = Catalog::builtin().unwrap();
    let has = |kind: &str, quirk: &Quirk| {
        catalog.kind(kind).unwrap().quirks.chat.iter().any(|known| known.quirk == *quirk)
    };
    for (kind, quirk) in [
        ("mistral", Quirk::ShortToolIds),
        ("codestral", Quirk::RandomSeed),
        ("deepseek", Quirk::NoDeveloper),
        ("sambanova", Quirk::ContentAsText),
        ("zai", Quirk::NoJsonSchema),
        ("moonshot", Quirk::TemperatureMax(1)),
        ("openai", Quirk::StopMax(4)),
        ("vllm", Quirk::SystemFirst),
    ] {
        assert!(has(kind, &quirk), "{kind}: {quirk:?}");
    }
    for kind in catalog.kinds().filter(|kind| kind.dialect != Dialect::Openai) {
        assert!(kind.quirks.chat.is_empty(), "{}: nobody would read them", kind.name);
    }
}

#[test]
fn what_is_written_wrong_is_refused_with_the_remedy() {
    for (wrong, says) in [
        (r#"{ quirk = "no-names", source = "hearsay" }"#, "source \"hearsay\" is not one of"),
        (r#"{ quirk = "no-names", source = "recorded", models = "a*b*" }"#, "at most one *"),
        (r#"{ quirk = { without = ["colour"] }, source = "recorded" }"#, "\"colour\" is not one of"),
        (r#"{ quirk = { knows = [] }, source = "recorded" }"#, "is empty"),
        (r#"{ quirk = { stop-max = 0 }, source = "recorded" }"#, "expected `without`"),
        (r#"{ quirk = "no-name", source = "recorded" }"#, "no-names"),
        (r#"{ quirk = "no-names" }"#, "source"),
    ] {
        let text = format!(
            "[acme]\ntitle = \"Acme\"\ndialect = \"openai\"\nauth = \"bearer\"\notel_name = \"a\"\nsource = \"recorded\"\n\
             [acme.quirks]\nchat = [{wrong}]\n"
        );
        let error = Catalog::parse([("x.toml", text.as_str())]).unwrap_err().to_string();
        assert!(error.contains(says), "{wrong}: {error}");
    }
    assert!(PARAMS.is_sorted() && SOURCES.contains(&"reported"));
}
