//! `catalog:` what is said about models is possible, and what it comes to together with the built-in catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;

use wellhead_catalog::{
    Ability, Kind, Mode, Model, Models, Overlay, Price, Prices, Rates, Tier, Unit, model,
};

use super::ReportAt;
use crate::diagnostic::Report;
use crate::document::{Document, ModelFacts, ModelPrices};
use crate::kinds::KindSource;
use crate::read::Spanned;
use crate::values::{List, ListPrice, Text};

type Facts = BTreeMap<String, Arc<Model>>;
type Words = Spanned<List<Text, 1, 64>>;

/// Checks the section, and joins it with the catalogue.
pub(super) fn resolve(document: &Document, kinds: &dyn KindSource, report: &mut Report) -> Facts {
    let models = document.root.catalog.iter().filter_map(|catalog| catalog.models.as_ref());
    let mut facts = Facts::new();
    let mut names = None;
    for entry in models.flat_map(|models| &models.entries) {
        let Some((kind, id)) = entry.name.value.split_once('/') else { continue };
        let Some(found) = kinds.kind(kind) else {
            let names = names.get_or_insert_with(|| kinds.names());
            let near = report.nearest(kind, names.iter().map(String::as_str));
            report
                .error_at(&entry.name, format!("no kind {kind:?}"))
                .expected("KIND/MODEL with a kind of the catalog: the `kind:` of the model's provider")
                .suggest(near.map(|kind| format!("{kind}/{id}")));
            continue;
        };
        let Some(written) = &entry.value else { continue };
        if facts.contains_key(&entry.name.value) {
            // Told where the mapping was read.
            continue;
        }
        let origin = document.origin_of(entry.name.line());
        let model = joined(written, &found, id, &origin, kinds, report);
        facts.insert(entry.name.value.clone(), Arc::new(model));
    }
    facts
}

/// The model as the catalogue has it, with what is written in its place.
fn joined(
    written: &ModelFacts,
    kind: &Kind,
    id: &str,
    origin: &str,
    kinds: &dyn KindSource,
    report: &mut Report,
) -> Model {
    let listed = Models::BUILTIN.find(kind, id);
    let like = written.like.as_ref().and_then(|like| model_like(like, kind, kinds, report));
    let mut model = like.or(listed).unwrap_or_else(|| Model::unknown(id));
    model.id = id.into();
    let mut facts = Vec::new();
    if let Some(mode) = &written.mode {
        model.mode = known(mode, "mode", Mode::named, &Mode::ALL.map(Mode::name), report).or(model.mode);
        facts.push("mode");
    }
    if let Some(window) = &written.window {
        model.window = Some(window.0);
        facts.push("window");
    }
    if let Some(output_max) = &written.output_max {
        model.output_max = Some(output_max.0);
        facts.push("output_max");
    }
    if let Some(prices) = &written.prices {
        model.prices = Prices { base: rates(prices), tiers: tiers(written, report) };
        facts.push("prices");
    } else if let Some(tiers) = &written.tiers {
        report.error_at(tiers, "tiers without prices").expected("`prices:` that they differ from");
    }
    abilities(written, &mut model, &mut facts, report);
    if let Some(day) = &written.deprecated {
        if model::is_date(day) {
            model.deprecated = Some(day.0.as_str().into());
            facts.push("deprecated");
        } else {
            report.error_at(day, format!("{:?} is not a day", &*day.0)).expected("a day written YYYY-MM-DD");
        }
    }
    model.overlay = Some(Overlay { place: origin.into(), facts });
    model
}

/// The model that another one is like.
fn model_like(
    like: &Spanned<Text>,
    kind: &Kind,
    kinds: &dyn KindSource,
    report: &mut Report,
) -> Option<Model> {
    let other = like.split_once('/').and_then(|(name, id)| Some((kinds.kind(name)?, id)));
    let here = Models::BUILTIN.find(kind, like);
    let found = here.or_else(|| other.as_ref().and_then(|(kind, id)| Models::BUILTIN.find(kind, id)));
    if found.is_none() {
        let (kind, id) = other.as_ref().map_or((kind, &***like), |(kind, id)| (&**kind, *id));
        let ids: Vec<Arc<str>> = Models::BUILTIN.of_kind(kind).map(|model| model.id).collect();
        let near = report.nearest(id, ids.iter().map(|id| &**id));
        report
            .error_at(like, format!("the catalogue has no model {id:?} of kind {:?}", &*kind.name))
            .expected("a model of `wellhead catalog search`, as KIND/MODEL or as MODEL of the same kind")
            .suggest(near);
    }
    found
}

/// What a word names, or an error that tells which words there are.
fn known<T>(
    word: &Spanned<Text>,
    what: &str,
    named: fn(&str) -> Option<T>,
    words: &[&str],
    report: &mut Report,
) -> Option<T> {
    let found = named(word);
    if found.is_none() {
        let near = report.nearest(word, words.iter().copied());
        report
            .error_at(word, format!("no {what} {:?}", &*word.0))
            .expected(format!("one of {}", words.join(", ")))
            .suggest(near);
    }
    found
}

fn abilities(written: &ModelFacts, model: &mut Model, facts: &mut Vec<&'static str>, report: &mut Report) {
    let said = |words: &Option<Words>, has: bool| -> Vec<(Spanned<Text>, bool)> {
        words.iter().flat_map(|words| words.0.iter().map(move |word| (word.clone(), has))).collect()
    };
    for (word, has) in [said(&written.can, true), said(&written.cannot, false)].concat() {
        let Some(ability) = known(&word, "ability", Ability::named, &Ability::ALL.map(Ability::name), report)
        else {
            continue;
        };
        if facts.contains(&ability.name()) {
            report.error_at(&word, format!("{:?} is given twice", &*word.0)).expected("it once");
        }
        model.abilities.set(ability, has);
        facts.push(ability.name());
    }
}

fn tiers(written: &ModelFacts, report: &mut Report) -> Vec<Tier> {
    let mut tiers: Vec<Tier> = Vec::new();
    for tier in written.tiers.iter().flat_map(|tiers| &tiers.0) {
        let (Some(above), Some(prices)) = (&tier.above, &tier.prices) else { continue };
        if tiers.last().is_some_and(|last| last.above >= above.0) {
            report.error_at(above, "this tier is not above the one before").expected("tiers by rising size");
        }
        let rates = rates(prices);
        if rates.is_empty() {
            report.error_at(prices, "this tier has no price").expected("at least one price that differs");
        }
        tiers.push(Tier { above: above.0, rates });
    }
    tiers
}

fn rates(written: &ModelPrices) -> Rates {
    let mut rates = Rates::default();
    for unit in Unit::ALL {
        if let Some(price) = written_price(written, unit) {
            rates.set(unit, Price::listed(price.0, unit));
        }
    }
    rates
}

const fn written_price(written: &ModelPrices, unit: Unit) -> Option<&Spanned<ListPrice>> {
    match unit {
        Unit::Input => written.input.as_ref(),
        Unit::Output => written.output.as_ref(),
        Unit::CacheRead => written.cache_read.as_ref(),
        Unit::CacheWrite => written.cache_write.as_ref(),
        Unit::CacheWrite1h => written.cache_write_1h.as_ref(),
        Unit::Reasoning => written.reasoning.as_ref(),
        Unit::AudioInput => written.audio_input.as_ref(),
        Unit::AudioOutput => written.audio_output.as_ref(),
        Unit::AudioCacheRead => written.audio_cache_read.as_ref(),
        Unit::ImageInput => written.image_input.as_ref(),
        Unit::ImageOutput => written.image_output.as_ref(),
        Unit::Image => written.image.as_ref(),
        Unit::Hour => written.hour.as_ref(),
        Unit::Request => written.request.as_ref(),
    }
}
