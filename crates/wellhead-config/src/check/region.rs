//! Regions: a rule about where data may go must not fail quietly, so every region that is named has to exist, and every
//! model has to keep a target.

use std::collections::{BTreeSet, HashMap};

use super::ReportAt;
use crate::diagnostic::Report;
use crate::document::{Model, Root};
use crate::read::Spanned;
use crate::values::{List, Text};

type Regions = Spanned<List<Text, 1, 64>>;

pub(super) fn check(root: &Root, report: &mut Report) {
    let providers = root.providers.iter().flat_map(|providers| providers.iter());
    let of: HashMap<&str, &str> =
        providers.filter_map(|(name, p)| Some((name.as_str(), p.region.as_ref()?.0.as_str()))).collect();
    let known: BTreeSet<&str> = of.values().copied().collect();
    for (name, model) in root.models.iter().flat_map(|models| models.iter()) {
        let Some(regions) = &model.regions else { continue };
        if exist(regions, &known, report) {
            leaves_a_target(name, model, regions, &of, report);
            leaves_a_fallback(root, model, regions, &of, report);
        }
    }
    for (_, app) in root.apps.iter().flat_map(|apps| apps.iter()) {
        if let Some(regions) = &app.regions {
            exist(regions, &known, report);
        }
    }
}

/// Whether every region is that of a provider.
fn exist(regions: &Regions, known: &BTreeSet<&str>, report: &mut Report) -> bool {
    let mut all = true;
    for region in regions.0.iter().filter(|region| !known.contains(region.0.as_str())) {
        all = false;
        if report.is_unreadable("providers") {
            continue;
        }
        let near = report.nearest(&region.0, known.iter().copied());
        report
            .error_at(region, format!("no provider is in the region {:?}", &*region.0))
            .expected("the `region:` of a provider of this file")
            .suggest(near);
    }
    all
}

fn leaves_a_target(
    name: &Spanned<String>,
    model: &Model,
    regions: &Regions,
    of: &HashMap<&str, &str>,
    report: &mut Report,
) {
    let targets = model.targets.iter().flat_map(|targets| &targets.0);
    let mut providers = targets.filter_map(|target| target.provider.as_ref()).peekable();
    let allowed = |provider: &str| {
        of.get(provider).is_some_and(|region| regions.0.iter().any(|r| r.0.as_str() == *region))
    };
    if providers.peek().is_some() && !providers.any(|provider| allowed(&provider.0)) {
        report
            .error_at(name, "no target is left: none of this model's providers is in one of its `regions:`")
            .expected("at least one target whose provider is in one of them");
    }
}

/// The models that stand in are held to the regions of the one that is asked for (decision 19).
fn leaves_a_fallback(
    root: &Root,
    model: &Model,
    regions: &Regions,
    of: &HashMap<&str, &str>,
    report: &mut Report,
) {
    let Some(fallback) = &model.fallback else { return };
    let allowed = |provider: &str| {
        of.get(provider).is_some_and(|region| regions.0.iter().any(|r| r.0.as_str() == *region))
    };
    for other in [&fallback.model, &fallback.larger_model].into_iter().flatten() {
        let models = root.models.iter().flat_map(|models| models.iter());
        let found = models.filter(|(name, _)| *name.value == *other.0).map(|(_, model)| model).next();
        let targets = found.and_then(|model| model.targets.as_ref()).map(|targets| &targets.0);
        let Some(targets) = targets else { continue };
        let mut providers = targets.iter().filter_map(|target| target.provider.as_ref()).peekable();
        if providers.peek().is_some() && !providers.any(|provider| allowed(&provider.0)) {
            let message =
                format!("no provider of the model {:?} is in one of this model's `regions:`", &*other.0);
            report.error_at(other, message).expected("a model with a target in one of them");
        }
    }
}
