//! Does the vendor know the models of the targets?

use super::list::List;
use crate::evidence::KeyEvidence;
use crate::finding::{Finding, Layer, Level};
use crate::nearest::nearest;
use crate::subject::{Subject, SubjectTarget};
use wellhead_types::Diagnosis;

/// Names that are offered instead of a wrong one.
const NEAR_MAX: usize = 3;
/// Servers for one model at a time, which answer under any name.
const ANY_NAME: [&str; 3] = ["llama-cpp", "llamafile", "lm-studio"];

pub(super) fn judge(subject: &Subject, keys: &[KeyEvidence], lists: &[Option<List>]) -> Vec<Finding> {
    let kind = &*subject.provider.kind.name;
    let seen: Vec<(Option<usize>, &List)> =
        keys.iter().zip(lists).filter_map(|(key, list)| Some((key.key, list.as_ref()?))).collect();
    let one = |target: &SubjectTarget| {
        let skipped = |why: &str| Finding::new(Layer::Model, Level::Skipped, format!("not checked: {why}"));
        let finding = if kind == "azure-openai" {
            skipped("Azure lists models, and targets are deployments of them")
        } else if seen.is_empty() {
            skipped("there is no list of models")
        } else {
            known(subject, target, &seen)
        };
        finding.about(format!("{} → {}", target.model, target.vendor_model))
    };
    subject.targets.iter().map(one).collect()
}

fn known(subject: &Subject, target: &SubjectTarget, seen: &[(Option<usize>, &List)]) -> Finding {
    let wanted = &*target.vendor_model;
    let has = |list: &List| list.names.iter().any(|name| name == wanted || is_variant(wanted, name, subject));
    let count = seen.iter().map(|(_, list)| list.names.len()).max().unwrap_or(0);
    let without: Vec<String> = seen
        .iter()
        .filter(|(_, list)| !has(list) && !list.partial)
        .filter_map(|(key, _)| subject.key_text(*key))
        .collect();
    if seen.iter().any(|(_, list)| has(list)) {
        let text = format!("{wanted} is in the vendor's list of {count}");
        if without.is_empty() {
            return Finding::new(Layer::Model, Level::Ok, text);
        }
        return Finding::new(
            Layer::Model,
            Level::Warn,
            format!("{text}, but not in that of {}", without.join(", ")),
        )
        .code(Diagnosis::ModelUnknown.as_str())
        .fix("give those keys access to the model at the vendor; requests with them are tried in vain");
    }
    if seen.iter().any(|(_, list)| list.partial) {
        let text =
            format!("not checked: {wanted} is not on the first page of the vendor's list, which has more");
        return Finding::new(Layer::Model, Level::Skipped, text);
    }
    let names = || seen.iter().flat_map(|(_, list)| &list.names).map(String::as_str);
    let near = match nearest(wanted, names(), NEAR_MAX) {
        none if none.is_empty() && count <= NEAR_MAX => {
            let mut all: Vec<&str> = names().collect();
            all.sort_unstable();
            all.dedup();
            all
        }
        near => near,
    };
    let any_name = ANY_NAME.contains(&&*subject.provider.kind.name);
    let text = format!("the vendor's list of {count} does not have {wanted:?}");
    let finding = Finding::new(Layer::Model, if any_name { Level::Warn } else { Level::Fail }, text);
    let fix = match &near[..] {
        [] => format!("{}: write a model that the vendor has, or get access to this one", target.place),
        near => format!("{}: write {}", target.place, near.join(" or ")),
    };
    finding.code(Diagnosis::ModelUnknown.as_str()).fix(fix).at(&target.place)
}

/// `vendor/model:free`: OpenRouter lists the model and takes how it is to be served behind a colon.
fn is_variant(wanted: &str, listed: &str, subject: &Subject) -> bool {
    &*subject.provider.kind.name == "openrouter"
        && wanted.rsplit_once(':').is_some_and(|(model, _)| model == listed)
}
