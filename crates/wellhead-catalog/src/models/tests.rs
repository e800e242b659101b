//! The shipped lists keep their promises, and wrong lines are refused with a place and a remedy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;

use super::{Models, check_list, line_of, undated};
use crate::model::COLUMNS;
use crate::{Ability, Catalog, Kind, Mode, Model, Unit};
use std::sync::Arc;

const MODELS: Models = Models::BUILTIN;

fn kind(name: &str) -> Arc<Kind> {
    Catalog::builtin().unwrap().kind(name).unwrap_or_else(|| panic!("no kind {name}"))
}

fn model(kind_name: &str, id: &str) -> Model {
    MODELS.find(&kind(kind_name), id).unwrap_or_else(|| panic!("no {kind_name}/{id}"))
}

fn price(model: &Model, unit: Unit) -> Option<String> {
    model.prices.base.get(unit).map(|price| price.dollars(unit).to_string())
}

#[test]
fn every_line_is_right_and_there_are_as_many_models_as_promised() {
    MODELS.check().unwrap_or_else(|error| panic!("{error}"));
    let models = MODELS.lists().flat_map(|list| MODELS.of_list(list)).count();
    assert!(models >= 1_500, "{models}");
    let priced =
        MODELS.lists().flat_map(|list| MODELS.of_list(list)).filter(|m| !m.prices.is_empty()).count();
    assert!(priced >= 1_500, "{priced}");
}

#[test]
fn the_lists_are_all_those_of_the_folder_and_each_belongs_to_a_kind() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/models");
    let found: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            entry.unwrap().file_name().into_string().unwrap().strip_suffix(".csv").unwrap().to_owned()
        })
        .collect();
    let lists: Vec<&str> = MODELS.lists().collect();
    assert!(lists.is_sorted(), "bisection finds a list by its name");
    assert_eq!(found, lists.iter().map(|list| (*list).to_owned()).collect());
    let catalog = Catalog::builtin().unwrap();
    let sold: BTreeSet<&str> = catalog.kinds().flat_map(|kind| kind.lists()).collect();
    assert_eq!(lists.iter().filter(|list| !sold.contains(**list)).count(), 0, "a list that nobody sells");
}

#[test]
fn every_model_is_found_by_its_name_and_is_itself() {
    for list in MODELS.lists() {
        let text = MODELS.text(list).unwrap();
        for (number, line) in text.lines().enumerate().skip(1) {
            let id = line.split(',').next().unwrap();
            assert_eq!(line_of(text, id), Some(line), "{list}:{}", number + 1);
            for neighbour in
                [format!("{id}!"), id[..id.len() - id.chars().last().unwrap().len_utf8()].to_owned()]
            {
                let known = text.lines().skip(1).any(|line| line.split(',').next() == Some(&neighbour));
                assert_eq!(line_of(text, &neighbour).is_some(), known, "{list}: {neighbour}");
            }
        }
        assert_eq!(line_of(text, "model"), None, "the header is no model");
    }
}

/// Facts of wire.md and of the vendors' price pages.
#[test]
fn well_known_facts_are_there() {
    let haiku = model("anthropic", "claude-haiku-4-5");
    assert_eq!(haiku.window, Some(200_000));
    for (unit, dollars) in [
        (Unit::Input, "1"),
        (Unit::Output, "5"),
        (Unit::CacheRead, "0.1"),
        (Unit::CacheWrite, "1.25"),
        (Unit::CacheWrite1h, "2"),
    ] {
        assert_eq!(price(&haiku, unit).as_deref(), Some(dollars), "{unit:?}");
    }
    // wire.md section 3: Claude up to 4.5 goes on with a prefill, 4.6 and later refuse it.
    assert_eq!(haiku.abilities.get(Ability::Prefill), Some(true));
    assert_eq!(model("anthropic", "claude-opus-4-6").abilities.get(Ability::Prefill), Some(false));
    assert_eq!(model("anthropic", "claude-opus-4-7").abilities.get(Ability::Sampling), Some(false));
    assert_eq!(price(&model("openai", "whisper-1"), Unit::Hour).as_deref(), Some("0.36"));
    let pro = model("gemini", "gemini-2.5-pro");
    assert_eq!(pro.prices.tiers.first().map(|tier| tier.above), Some(200_000));
    let picture = model("gemini", "imagen-4.0-generate-001");
    assert_eq!((picture.mode, price(&picture, Unit::Image).as_deref()), (Some(Mode::Image), Some("0.04")));
}

#[test]
fn kinds_that_share_a_list_find_the_same_models() {
    assert_eq!(model("gemini-openai", "gemini-2.5-pro"), model("gemini", "gemini-2.5-pro"));
    assert_eq!(model("codestral", "codestral-latest"), model("mistral", "codestral-latest"));
    // The OpenAI-shaped endpoints of Bedrock have names of their own, and sell the others as well.
    assert!(MODELS.find(&kind("bedrock-openai"), "amazon.nova-lite-v1:0").is_some());
    assert!(MODELS.of_kind(&kind("openai-compatible")).next().is_none());
}

#[test]
fn a_listed_snapshot_is_itself_and_a_strange_one_has_no_prices() {
    let listed = model("openai", "gpt-4o-2024-08-06");
    assert_eq!((listed.family.as_deref(), price(&listed, Unit::Input).as_deref()), (None, Some("2.5")));
    let strange = model("openai", "gpt-4o-2031-01-31");
    assert_eq!(strange.family.as_deref(), Some("gpt-4o"));
    assert_eq!(strange.window, Some(128_000));
    assert!(strange.prices.is_empty(), "another snapshot may cost something else");
    assert_eq!(&*strange.id, "gpt-4o-2031-01-31");
    for nobody in ["gpt-4o-2031", "gpt-4o-", "GPT-4o", "", "gpt-4o-2031-13-01", "gpt-4", "my-gpt-4o"] {
        let found = MODELS.find(&kind("openai"), nobody);
        assert_eq!(found.is_some(), nobody == "gpt-4", "{nobody}");
    }
}

#[test]
fn dates_are_told_from_other_endings() {
    assert_eq!(undated("a-2024-08-06"), Some("a"));
    assert_eq!(undated("claude-x-20250929"), Some("claude-x"));
    assert_eq!(undated("claude-x@20250929"), Some("claude-x"));
    for none in [
        "2024-08-06",
        "-20250929",
        "a-2024-8-6",
        "a-20251329",
        "a-19990101",
        "a-123456789",
        "ä-2024-08-0ö",
        "a",
    ] {
        assert_eq!(undated(none), None, "{none}");
    }
}

#[test]
fn wrong_lines_are_refused_with_their_line_and_what_was_expected() {
    const RIGHT: &str =
        "m,chat,8192,4096,2.5,10,1.25,,cache_write_1h=4,200000: input=5,tools !sampling,2027-01-31,litellm";
    let check =
        |line: &str| check_list("models.csv", &format!("{COLUMNS}\na,chat,,,,,,,,,,,litellm\n{line}\n"));
    assert_eq!(check(RIGHT), Ok(()));
    for (right, wrong, message) in [
        (",chat,", ",chats,", "mode \"chats\" is not one of: chat, completion"),
        ("8192", "8k", "window \"8k\" is not a number of tokens"),
        ("4096", "0", "output_max \"0\" is not a number of tokens"),
        ("2.5", "$2.5", "the price \"input\": \"$2.5\" is not an amount in dollars"),
        ("2.5", "2.1234567", "has more than 6 decimals"),
        (",10,", ",1000000,", "is above 100000 dollars"),
        ("cache_write_1h=4", "cache_write_2h=4", "price \"cache_write_2h\" is not one of: input"),
        ("cache_write_1h=4", "input=4", "the price \"input\" is given twice"),
        ("cache_write_1h=4", "cache_write_1h", "expected NAME=DOLLARS"),
        ("200000: input=5", "input=5", "expected TOKENS: NAME=DOLLARS"),
        ("200000: input=5", "200000:", "expected TOKENS: NAME=DOLLARS"),
        ("200000: input=5", "200000: input=5; 100000: input=6", "tiers begin with the smallest"),
        ("tools ", "tool ", "ability \"tool\" is not one of: tools"),
        ("tools ", "tools !tools ", "the ability \"tools\" is given twice"),
        ("2027-01-31", "31.1.2027", "is not a day written YYYY-MM-DD"),
        ("litellm", "hearsay", "source \"hearsay\" is not one of: models.dev"),
        (",litellm", ",", "sources is empty"),
        (",litellm", "", "12 fields; expected 13"),
        ("m,chat", "a,chat", "lines are sorted by name"),
        ("m,chat", ",chat", "the model's name is empty"),
    ] {
        let error = check(&RIGHT.replacen(right, wrong, 1)).expect_err(wrong).to_string();
        assert!(error.starts_with("models.csv:3: ") && error.contains(message), "{wrong}: {error}");
    }
    let error = check_list("models.csv", "model,window\n").expect_err("another header").to_string();
    assert!(error.starts_with("models.csv:1: the first line has to be: model,mode"), "{error}");
}
