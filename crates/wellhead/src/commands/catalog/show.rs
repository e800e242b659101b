//! `wellhead catalog show`: every fact about one model, and how it is known.

use std::fmt::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use serde_json::{Value, json};
use wellhead_catalog::{Ability, Kind, Model, Rates};

use super::known::Known;
use super::{model_json, search};
use crate::cli::CatalogShowArgs;
use crate::ui;

pub(super) fn run(args: &CatalogShowArgs, known: &Known<'_>) -> anyhow::Result<ExitCode> {
    let found = found(&args.model, known)?;
    if args.json {
        let models: Vec<Value> = found.iter().map(|(kind, model)| model_json(&kind.name, model)).collect();
        ui::out(&format!("{:#}\n", json!({ "models": models })))?;
        return Ok(ExitCode::SUCCESS);
    }
    match found.as_slice() {
        [(kind, model)] => ui::out(&page(&kind.name, model))?,
        several => {
            ui::out(&search::table(several))?;
            ui::note("several vendors sell a model of this name; show one of them by KIND/MODEL");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The model of `KIND/MODEL`, or every model of this name.
fn found<'a>(name: &str, known: &'a Known<'_>) -> anyhow::Result<Vec<(&'a Arc<Kind>, Model)>> {
    let of = |kind: &'a Arc<Kind>, id: &str| known.model(kind, id).map(|model| (kind, model));
    let kind = name.split_once('/').and_then(|(kind, id)| {
        known.catalog.kinds().find(|known| &*known.name == kind).map(|kind| (kind, id))
    });
    let exact: Vec<_> = kind.iter().filter_map(|(kind, id)| of(kind, id)).collect();
    if !exact.is_empty() {
        return Ok(exact);
    }
    let everywhere: Vec<_> = known.sellers().filter_map(|kind| of(kind, name)).collect();
    if !everywhere.is_empty() {
        return Ok(everywhere);
    }
    let near = match kind {
        Some((kind, id)) => {
            let ids: Vec<Arc<str>> = known.of_kind(kind).into_iter().map(|model| model.id).collect();
            wellhead_config::nearest(id, ids.iter().map(|id| &**id)).map(|id| format!("{}/{id}", kind.name))
        }
        None => {
            let ids: Vec<Arc<str>> =
                known.sellers().flat_map(|kind| known.of_kind(kind)).map(|model| model.id).collect();
            wellhead_config::nearest(name, ids.iter().map(|id| &**id))
        }
    };
    let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    bail!(
        "the catalogue has no model \"{name}\"{near}\nA model that is not listed works all the same: its price is \
         unknown. `catalog.models` of the configuration gives it facts of its own."
    )
}

/// Writing to a `String` cannot fail.
fn page(kind: &str, model: &Model) -> String {
    let mut out = format!("{kind}/{}\n", model.id);
    if let Some(family) = &model.family {
        let _ = writeln!(
            out,
            "  This snapshot is not listed. Its facts are those of {family}; prices are not taken over."
        );
    }
    let count = |number: Option<u64>| number.map_or_else(|| "unknown".to_owned(), |n| format!("{n} tokens"));
    let mut rows = vec![["  FACT", "VALUE", "SOURCE"].map(str::to_owned).to_vec()];
    let mut fact = |name: &str, value: String, of: &str| {
        let known = !value.starts_with("unknown") && !value.starts_with("price unknown");
        let source = if known { model.source_of(of).replace(' ', ", ") } else { "-".to_owned() };
        rows.push(vec![format!("  {name}"), value, source]);
    };
    fact("mode", model.mode.map_or("unknown", |mode| mode.name()).to_owned(), "mode");
    fact("window", count(model.window), "window");
    fact("output max", count(model.output_max), "output_max");
    fact("deprecated", model.deprecated.as_deref().unwrap_or("unknown").to_owned(), "deprecated");
    if model.prices.is_empty() {
        fact("prices", "price unknown".to_owned(), "prices");
    }
    rates("price", &model.prices.base, &mut fact);
    for tier in &model.prices.tiers {
        rates(&format!("above {} input tokens,", tier.above), &tier.rates, &mut fact);
    }
    for ability in Ability::ALL {
        let value = match model.abilities.get(ability) {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        fact(ability.name(), value.to_owned(), ability.name());
    }
    out.push_str(&ui::table(&rows));
    out
}

fn rates(label: &str, rates: &Rates, fact: &mut impl FnMut(&str, String, &str)) {
    for (unit, price) in rates.iter() {
        let name = format!("{label} {}", unit.name().replace('_', " "));
        fact(&name, format!("${} / {}", price.dollars(unit), unit.per()), "prices");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{Known, found, page};
    use std::sync::Arc;
    use wellhead_catalog::{Catalog, Model, Overlay, Price, Unit};

    #[test]
    fn a_page_tells_every_fact_with_its_source_and_what_is_unknown() {
        let mut model = Model::unknown("m");
        model.window = Some(8_192);
        model.sources = "models.dev litellm".into();
        model.prices.base.set(Unit::Input, Price::parse("2.5", Unit::Input).unwrap());
        model.overlay = Some(Overlay { place: "wellhead.yaml:7".into(), facts: vec!["prices"] });
        let page = page("acme", &model);
        for line in [
            "acme/m\n",
            "  window          8192 tokens       models.dev, litellm\n",
            "  output max      unknown           -\n",
            "  price input     $2.5 / 1M tokens  wellhead.yaml:7\n",
            "  tools           unknown           -\n",
        ] {
            assert!(page.contains(line), "{line:?} is not in\n{page}");
        }
        assert!(!page.contains("price unknown"));
        assert!(super::page("acme", &Model::unknown("m")).contains("price unknown"));
    }

    #[test]
    fn models_are_found_by_kind_and_name_or_name_alone_and_typos_are_answered() {
        let catalog = Catalog::builtin().unwrap();
        let known = Known::new(&catalog, Default::default());
        let names = |name: &str| -> Vec<String> {
            let found = found(name, &known).unwrap();
            found.iter().map(|(kind, model)| format!("{}/{}", kind.name, model.id)).collect()
        };
        assert_eq!(names("openai/gpt-4o"), ["openai/gpt-4o"]);
        let several = names("gpt-4o");
        assert!(several.len() > 1 && several.contains(&"azure-openai/gpt-4o".to_owned()), "{several:?}");
        // The first part of a vendor's own name may look like a kind.
        assert!(names("openai/gpt-oss-20b").contains(&"groq/openai/gpt-oss-20b".to_owned()));
        let error = found("openai/gpt-4oo", &known).unwrap_err().to_string();
        assert!(error.contains("did you mean \"openai/gpt-4o\"?"), "{error}");
        let error = found("nothing-of-the-kind-at-all", &known).unwrap_err().to_string();
        assert!(error.contains("its price is unknown") && !error.contains("did you mean"), "{error}");
    }

    #[test]
    fn what_is_configured_stands_before_what_is_built_in() {
        let catalog = Catalog::builtin().unwrap();
        let mut model = Model::unknown("gpt-4o");
        model.window = Some(7);
        let configured = [("openai/gpt-4o".to_owned(), Arc::new(model))].into();
        let known = Known::new(&catalog, configured);
        let kind = catalog.kind("openai").unwrap();
        assert_eq!(known.model(&kind, "gpt-4o").unwrap().window, Some(7));
        let all = known.of_kind(&kind);
        assert_eq!(all.iter().filter(|model| &*model.id == "gpt-4o").count(), 1);
    }
}
