//! `wellhead catalog`: what is known of providers, models and prices, from the built-in catalogue and, where a
//! configuration is given, from its section `catalog`.

mod known;
mod search;
mod show;

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use wellhead_catalog::{Ability, Catalog, Kind, Model, Rates, Unit};

use super::EXIT_INVALID_CONFIG;
use super::load::{catalog, load};
use crate::cli::CatalogCommand;
use crate::ui;
use known::Known;

pub(super) fn run(command: &CatalogCommand) -> anyhow::Result<ExitCode> {
    let catalog = catalog()?;
    match command {
        CatalogCommand::Search(args) => {
            with(&catalog, args.config.as_deref(), |known| search::run(args, &known))
        }
        CatalogCommand::Show(args) => with(&catalog, args.config.as_deref(), |known| show::run(args, &known)),
        CatalogCommand::Kinds { json } => kinds(&catalog, *json),
    }
}

/// Runs a command with everything that is known; a configuration that is invalid ends it.
fn with(
    catalog: &Catalog,
    config: Option<&Path>,
    command: impl FnOnce(Known<'_>) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let Some(file) = config else { return command(Known::new(catalog, Default::default())) };
    match load(file, catalog)? {
        Ok(loaded) => command(Known::new(catalog, loaded.document.facts().clone())),
        Err(diagnostics) => {
            ui::note(wellhead_config::render(&diagnostics).trim_end());
            Ok(ExitCode::from(EXIT_INVALID_CONFIG))
        }
    }
}

/// `wellhead catalog kinds`.
fn kinds(catalog: &Catalog, as_json: bool) -> anyhow::Result<ExitCode> {
    let known = Known::new(catalog, Default::default());
    let page = if as_json {
        let kinds: Vec<Value> =
            catalog.kinds().map(|kind| kind_json(kind, known.of_kind(kind).len())).collect();
        format!("{:#}\n", json!({ "kinds": kinds }))
    } else {
        let head = ["KIND", "NAME", "DIALECT", "MODELS", "BASE URL", "SOURCE"].map(str::to_owned).to_vec();
        let rows = catalog.kinds().map(|kind| {
            vec![
                kind.name.to_string(),
                kind.title.clone(),
                dialect(kind),
                known.of_kind(kind).len().to_string(),
                kind.base_url.clone().unwrap_or_else(|| "yours".to_owned()),
                kind.source.clone(),
            ]
        });
        ui::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
    };
    ui::out(&page)?;
    Ok(ExitCode::SUCCESS)
}

fn kind_json(kind: &Kind, models: usize) -> Value {
    json!({
        "kind": &*kind.name,
        "title": kind.title,
        "dialect": dialect(kind),
        "base_url": kind.base_url,
        "key_env": kind.key_env,
        "models": models,
        "lists": kind.models,
        "source": kind.source,
    })
}

fn dialect(kind: &Kind) -> String {
    format!("{:?}", kind.dialect).to_lowercase()
}

/// A model with everything that is known of it. What is unknown is null.
fn model_json(kind: &str, model: &Model) -> Value {
    let abilities: serde_json::Map<String, Value> =
        Ability::ALL.iter().map(|a| (a.name().to_owned(), json!(model.abilities.get(*a)))).collect();
    let tiers: Vec<Value> = model
        .prices
        .tiers
        .iter()
        .map(|tier| json!({ "above_input_tokens": tier.above, "prices": rates_json(&tier.rates) }))
        .collect();
    let overlay = model.overlay.as_ref();
    json!({
        "kind": kind,
        "model": &*model.id,
        "mode": model.mode.map(|mode| mode.name()),
        "window": model.window,
        "output_max": model.output_max,
        "price_unknown": model.prices.is_empty(),
        "prices": if model.prices.is_empty() { Value::Null } else { rates_json(&model.prices.base) },
        "tiers": tiers,
        "abilities": abilities,
        "deprecated": model.deprecated.as_deref(),
        "family": model.family.as_deref(),
        "sources": model.sources.split_ascii_whitespace().collect::<Vec<_>>(),
        "configured": overlay.map(|overlay| json!({ "at": &*overlay.place, "facts": overlay.facts })),
    })
}

/// Prices as their list has them, and in the whole pico-dollars that are calculated with.
fn rates_json(rates: &Rates) -> Value {
    let listed = rates.iter().map(|(unit, price)| {
        let dollars: Value = serde_json::from_str(&price.dollars(unit).to_string()).unwrap_or(Value::Null);
        let value = json!({ "dollars": dollars, "per": unit.per(), "pico_dollars": price.pico_dollars() });
        (unit.name().to_owned(), value)
    });
    Value::Object(listed.collect())
}

/// A price for people: `2.5`, or `unknown`.
fn price_text(model: &Model, unit: Unit) -> String {
    model.prices.base.get(unit).map_or_else(|| "unknown".to_owned(), |price| price.dollars(unit).to_string())
}
