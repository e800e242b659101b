//! What stands in for a model: that it exists, is something else, and has an attempt to be asked with.

use super::ReportAt;
use crate::diagnostic::Report;
use crate::document::{Fallback, Model, Root};
use crate::read::Spanned;
use crate::values::Text;

pub(super) fn check(root: &Root, report: &mut Report) {
    let Some(models) = &root.models else { return };
    let names: Vec<&str> = models.entries.iter().map(|entry| entry.name.value.as_str()).collect();
    for (name, model) in models.iter() {
        let Some(fallback) = &model.fallback else { continue };
        let Fallback { after: _, cache, model: smaller, larger_model, text } = &fallback.value;
        if cache.is_none() && smaller.is_none() && larger_model.is_none() && text.is_none() {
            report
                .error_at(fallback, "nothing to fall back to")
                .expected("one of `cache:`, `model:`, `larger_model:` and `text:`");
        }
        for other in [smaller, larger_model].into_iter().flatten() {
            exists(name, other, &names, report);
            leaves_an_attempt(model, other, report);
        }
        if let Some(smaller) = smaller
            && larger_model.as_ref().is_some_and(|larger| *larger.0 == *smaller.0)
        {
            let message = "the same model cannot be both the smaller and the larger one";
            report.error_at(smaller, message).expected("two models, or one of the two settings");
        }
    }
}

fn exists(name: &Spanned<String>, other: &Spanned<Text>, names: &[&str], report: &mut Report) {
    if *name.value == *other.0 {
        report.error_at(other, "a model cannot stand in for itself").expected("another model of this file");
    } else if !names.contains(&&*other.0) {
        let near = report.nearest(&other.0, names.iter().copied());
        report
            .error_at(other, format!("no model {:?}", &*other.0))
            .expected("the name of another model of this file")
            .suggest(near);
    }
}

/// One attempt of a request is kept for the other model, and one is needed to find out that it has to be asked.
fn leaves_an_attempt(model: &Model, other: &Spanned<Text>, report: &mut Report) {
    if let Some(attempts_max) = model.attempts_max.as_ref().filter(|attempts| attempts.0 < 2) {
        let message = format!("attempts_max leaves no attempt for the model {:?}", &*other.0);
        report.error_at(attempts_max, message).expected("at least 2");
    }
}
