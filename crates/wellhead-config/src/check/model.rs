//! Models: their targets exist, and their times do not contradict each other.

use std::collections::HashSet;
use std::time::Duration;

use super::ReportAt;
use crate::defaults;
use crate::diagnostic::Report;
use crate::document::{Document, Model, ModelTimeouts};
use crate::values::time_text;

/// Names of providers; a provider that could not be read still exists.
type Providers<'d> = HashSet<&'d str>;

pub(super) fn check(document: &Document, report: &mut Report) {
    let Some(models) = &document.root.models else { return };
    let entries = document.root.providers.iter().flat_map(|providers| &providers.entries);
    let providers: Providers<'_> = entries.map(|entry| &*entry.name.value).collect();
    for (_, model) in models.iter() {
        targets(model, &providers, report);
        if let Some(timeouts) = &model.timeouts {
            times(timeouts, report);
        }
    }
}

fn targets(model: &Model, providers: &Providers<'_>, report: &mut Report) {
    let Some(targets) = &model.targets else { return };
    let mut seen: HashSet<(&str, &str)> = HashSet::new();
    for target in &targets.0 {
        let Some(provider) = &target.provider else { continue };
        if let Some(model) = &target.model
            && !seen.insert((provider, model))
        {
            let message = format!("{:?} at {:?} is already a target of this model", &*model.0, &*provider.0);
            report.error_at(target, message).expected("each target once; `weight:` gives it a larger share");
        }
        if !providers.contains(&*provider.0) && !report.is_unreadable("providers") {
            let expected = "the name of a provider of this file";
            let near = report.nearest(provider, providers.iter().copied());
            report
                .error_at(provider, format!("no provider {:?}", &*provider.0))
                .expected(expected)
                .suggest(near);
        }
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
