//! Models: their targets exist, and their times do not contradict each other.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::{ReportAt, has_effect};
use crate::defaults;
use crate::diagnostic::Report;
use crate::document::{Document, Model, ModelTimeouts, Provider};
use crate::read::Spanned;
use crate::values::time_text;

/// Providers by name; a provider that could not be read still exists.
type Providers<'d> = HashMap<&'d str, Option<&'d Provider>>;

pub(super) fn check(document: &Document, report: &mut Report) {
    let Some(models) = &document.root.models else { return };
    let entries = document.root.providers.iter().flat_map(|providers| &providers.entries);
    let providers: Providers<'_> = entries.map(|entry| (&*entry.name.value, entry.value.as_ref())).collect();
    for (name, model) in models.iter() {
        targets(document, name, model, &providers, report);
        if let Some(timeouts) = &model.timeouts {
            times(timeouts, report);
        }
    }
}

fn targets(
    document: &Document,
    name: &Spanned<String>,
    model: &Model,
    providers: &Providers<'_>,
    report: &mut Report,
) {
    let Some(targets) = &model.targets else { return };
    let mut seen: HashSet<(&str, &str)> = HashSet::new();
    let (mut usable, mut left_out) = (0, 0);
    for target in &targets.0 {
        let Some(provider) = &target.provider else {
            usable += 1;
            continue;
        };
        if let Some(model) = &target.model
            && !seen.insert((provider, model))
        {
            let message = format!("{:?} at {:?} is already a target of this model", &*model.0, &*provider.0);
            report.error_at(target, message).expected("each target once; `weight:` gives it a larger share");
        }
        let Some(found) = providers.get(&*provider.0) else {
            usable += 1;
            if report.is_unreadable("providers") {
                continue;
            }
            let expected = "the name of a provider of this file";
            let near = report.nearest(provider, providers.keys().copied());
            report
                .error_at(provider, format!("no provider {:?}", &*provider.0))
                .expected(expected)
                .suggest(near);
            continue;
        };
        let kind = found.and_then(|provider| document.kind_of(provider));
        if kind.is_none_or(|kind| has_effect(kind)) {
            usable += 1;
            continue;
        }
        left_out += 1;
        let message = format!(
            "accepted, no effect yet: the provider {:?} is left out, so this target is too",
            &*provider.0
        );
        report.warning_at(target, message);
    }
    if usable == 0 && left_out > 0 {
        report
            .error_at(
                name,
                "no target is left: every provider of this model is of a kind that has no effect yet",
            )
            .expected("at least one target whose provider speaks the dialect of OpenAI, Anthropic, Gemini or Bedrock");
    }
}

fn times(timeouts: &ModelTimeouts, report: &mut Report) {
    let pairs = [
        (
            timeouts.first_token.as_ref().map(|time| (time.line(), time.column(), time.path(), time.0)),
            timeouts.deadline.as_ref().map(|time| time.0),
            defaults::DEADLINE,
            "first_token",
            "deadline",
        ),
        (
            timeouts.stream_idle.as_ref().map(|time| (time.line(), time.column(), time.path(), time.0)),
            timeouts.stream_max.as_ref().map(|time| time.0),
            defaults::STREAM_MAX,
            "stream_idle",
            "stream_max",
        ),
    ];
    for (part, written, default, part_name, whole_name) in pairs {
        let Some((line, column, path, part)) = part else { continue };
        let whole = written.unwrap_or(default);
        if part > whole {
            let whose = if written.is_some() { "" } else { " (the default)" };
            let message = format!(
                "{part_name} is {} and so never ends before {whole_name}, which is {}{whose}",
                words(part),
                words(whole)
            );
            let at = crate::diagnostic::At { line, column };
            report.error(at, path, message).expected(format!("at most {}", words(whole)));
        }
    }
}

fn words(time: Duration) -> String {
    time_text(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
