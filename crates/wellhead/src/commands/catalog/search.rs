//! `wellhead catalog search`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::anyhow;
use serde_json::{Value, json};
use wellhead_catalog::{Ability, Kind, Model, Price, Unit};

use super::known::Known;
use super::{model_json, price_text};
use crate::cli::CatalogSearchArgs;
use crate::ui;

pub(super) fn run(args: &CatalogSearchArgs, known: &Known<'_>) -> anyhow::Result<ExitCode> {
    let found = found(args, known)?;
    let shown = found.get(..args.limit).unwrap_or(&found);
    if args.json {
        let models: Vec<Value> = shown.iter().map(|(kind, model)| model_json(&kind.name, model)).collect();
        ui::out(&format!("{:#}\n", json!({ "found": found.len(), "models": models })))?;
    } else {
        ui::out(&table(shown))?;
        match found.len() - shown.len() {
            0 if found.is_empty() => ui::note("no model has all of that"),
            0 => (),
            more => ui::note(&format!("{more} more; --limit {} shows them all", found.len())),
        }
    }
    Ok(if found.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

type Found<'a> = Vec<(&'a Arc<Kind>, Model)>;

fn found<'a>(args: &CatalogSearchArgs, known: &'a Known<'_>) -> anyhow::Result<Found<'a>> {
    let kinds: Vec<&Arc<Kind>> = match &args.provider {
        None => known.sellers().collect(),
        Some(name) => vec![kind(known, name)?],
    };
    let abilities = args.can.iter().map(|word| ability(word)).collect::<anyhow::Result<Vec<_>>>()?;
    let price_max = args
        .price_max
        .as_deref()
        .map(|text| {
            Price::parse(text, Unit::Input).map_err(|problem| anyhow!("--price-max \"{text}\" {problem}"))
        })
        .transpose()?;
    let words: Vec<String> = args.words.iter().map(|word| word.to_lowercase()).collect();
    let fits = |kind: &Kind, model: &Model| {
        let name = format!("{}/{}", kind.name, model.id).to_lowercase();
        words.iter().all(|word| name.contains(word.as_str()))
            && abilities.iter().all(|ability| model.abilities.get(*ability) == Some(true))
            && args.mode.as_deref().is_none_or(|mode| model.mode.is_some_and(|m| m.name() == mode))
            && price_max
                .is_none_or(|max| model.prices.base.get(Unit::Input).is_some_and(|price| price <= max))
    };
    let all =
        kinds.into_iter().flat_map(|kind| known.of_kind(kind).into_iter().map(move |model| (kind, model)));
    Ok(all.filter(|(kind, model)| fits(kind, model)).collect())
}

/// The kind of that name, or an error with the name that was probably meant.
pub(super) fn kind<'a>(known: &'a Known<'_>, name: &str) -> anyhow::Result<&'a Arc<Kind>> {
    known.catalog.kinds().find(|kind| &*kind.name == name).ok_or_else(|| {
        let near = wellhead_config::nearest(name, known.catalog.names());
        let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        anyhow!("there is no kind of provider \"{name}\"{near} `wellhead catalog kinds` lists them")
    })
}

fn ability(word: &str) -> anyhow::Result<Ability> {
    Ability::named(word).ok_or_else(|| {
        let words = Ability::ALL.map(Ability::name);
        let near = wellhead_config::nearest(word, words);
        let near = near.map(|near| format!("did you mean \"{near}\"? ")).unwrap_or_default();
        anyhow!("there is no ability \"{word}\"; {near}they are: {}", words.join(", "))
    })
}

pub(super) fn table(models: &[(&Arc<Kind>, Model)]) -> String {
    if models.is_empty() {
        return String::new();
    }
    let head = ["MODEL", "MODE", "WINDOW", "OUTPUT", "INPUT $/1M", "OUTPUT $/1M", "DEPRECATED"];
    let count =
        |number: Option<u64>| number.map_or_else(|| "unknown".to_owned(), |number| number.to_string());
    let rows = models.iter().map(|(kind, model)| {
        vec![
            format!("{}/{}", kind.name, model.id),
            model.mode.map_or("unknown", |mode| mode.name()).to_owned(),
            count(model.window),
            count(model.output_max),
            price_text(model, Unit::Input),
            price_text(model, Unit::Output),
            model.deprecated.as_deref().unwrap_or_default().to_owned(),
        ]
    });
    ui::table(&std::iter::once(head.map(str::to_owned).to_vec()).chain(rows).collect::<Vec<_>>())
}
