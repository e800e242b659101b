//! Which cases are run: every fault alone, and pairs of them.

use std::collections::{BTreeSet, HashSet};

use super::faults::{Class, Effect, VARIANTS, Variant};

/// Shifts which variants stand for their classes in the covering array.
const SEED: usize = 3;

/// The second target.
#[derive(Debug, Clone, Copy)]
pub(super) enum Second {
    /// There is only one target.
    Absent,
    Healthy,
    /// It is no target of the model, but that of the models which are declared to stand in for it: a smaller one, and a
    /// larger one for what is too long. It is healthy.
    Declared,
    Faulty(&'static Variant),
}

impl Second {
    pub(super) fn label(&self) -> String {
        match self {
            Self::Absent => "none".to_owned(),
            Self::Healthy => "healthy".to_owned(),
            Self::Declared => "declared".to_owned(),
            Self::Faulty(variant) => variant.label(),
        }
    }

    pub(super) const fn variant(&self) -> Option<&'static Variant> {
        match self {
            Self::Faulty(variant) => Some(variant),
            Self::Absent | Self::Healthy | Self::Declared => None,
        }
    }
}

/// One request to a model whose targets have these faults.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) first: &'static Variant,
    pub(super) second: Second,
    pub(super) streamed: bool,
}

/// What the promise leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Must {
    /// A target in reach answers.
    Answer,
    /// What this target (0 or 1) says of the request is passed on.
    PassOn(usize),
    /// Complete or honest.
    Either,
}

impl Case {
    pub(super) fn label(&self) -> String {
        let form = if self.streamed { "streamed" } else { "whole" };
        format!("{} / {}, {form}", self.first.label(), self.second.label())
    }

    /// The faults of the two targets.
    pub(super) const fn variants(&self) -> [Option<&'static Variant>; 2] {
        [Some(self.first), self.second.variant()]
    }

    /// What has to come of it.
    pub(super) fn must(&self) -> Must {
        // An answer in one piece that hangs may have been done all the work for: it is waited for to the deadline.
        let another = match self.first.effect(self.streamed) {
            Effect::Harmless => return Must::Answer,
            Effect::PassedOn if self.is_too_long() => return Must::Answer,
            Effect::PassedOn => return Must::PassOn(0),
            Effect::Fails => true,
            // Something of the deadline is kept for who stands in.
            Effect::Hangs => self.streamed || matches!(self.second, Second::Declared),
            Effect::Breaks | Effect::Stalls => false,
        };
        match self.second {
            Second::Absent if self.first.recovers() => Must::Answer,
            Second::Healthy | Second::Declared if another => Must::Answer,
            Second::Faulty(second) if another => match second.effect(self.streamed) {
                Effect::Harmless => Must::Answer,
                Effect::PassedOn => Must::PassOn(1),
                _ => Must::Either,
            },
            _ => Must::Either,
        }
    }

    /// The request is too long for its model, and there is a larger one.
    pub(super) fn is_too_long(&self) -> bool {
        matches!(self.second, Second::Declared) && self.first.label().ends_with("context_length_exceeded")
    }

    /// Whether some limit is waited for.
    pub(super) fn waits(&self) -> bool {
        let waiting =
            |variant: &Variant| matches!(variant.effect(self.streamed), Effect::Hangs | Effect::Stalls);
        self.variants().into_iter().flatten().any(waiting)
    }

    /// What makes it different from all others.
    pub(super) fn key(&self) -> (String, String, bool) {
        (self.first.label(), self.second.label(), self.streamed)
    }
}

fn both_forms(first: &'static Variant, second: Second) -> [Case; 2] {
    [false, true].map(|streamed| Case { first, second, streamed })
}

/// Every fault with no second target, with a healthy one, and with models that stand in.
pub(super) fn singles() -> Vec<Case> {
    let seconds = [Second::Absent, Second::Healthy, Second::Declared];
    VARIANTS
        .iter()
        .flat_map(|first| seconds.into_iter().flat_map(|second| both_forms(first, second)))
        .collect()
}

fn classes() -> BTreeSet<Class> {
    VARIANTS.iter().map(|variant| variant.class).collect()
}

/// Each pair of classes once. The variants of a class take turns, so that each comes up on both sides.
pub(super) fn covering() -> Vec<Case> {
    let classes: Vec<Vec<&'static Variant>> = classes()
        .into_iter()
        .map(|class| VARIANTS.iter().filter(|variant| variant.class == class).collect())
        .collect();
    let mut cases = Vec::new();
    for (row, firsts) in classes.iter().enumerate() {
        for (column, seconds) in classes.iter().enumerate() {
            let first = firsts[(column + SEED) % firsts.len()];
            let second = seconds[(row + 2 * SEED) % seconds.len()];
            cases.extend(both_forms(first, Second::Faulty(second)));
        }
    }
    cases
}

/// Every pair that [`covering`] leaves out.
pub(super) fn all_others() -> Vec<Case> {
    let covered: HashSet<_> = covering().iter().map(Case::key).collect();
    let pairs = VARIANTS
        .iter()
        .flat_map(|first| VARIANTS.iter().flat_map(move |second| both_forms(first, Second::Faulty(second))));
    pairs.filter(|case| !covered.contains(&case.key())).collect()
}

#[test]
fn the_covering_array_has_each_pair_of_classes_in_both_forms_and_every_variant_on_both_sides() {
    let (mut pairs, mut firsts, mut seconds) = (HashSet::new(), HashSet::new(), HashSet::new());
    for case in covering() {
        let second = case.second.variant().unwrap();
        pairs.insert((case.first.class as u8, second.class as u8, case.streamed));
        firsts.insert(case.first.label());
        seconds.insert(second.label());
    }
    assert_eq!(pairs.len(), classes().len().pow(2) * 2);
    assert_eq!((firsts.len(), seconds.len()), (VARIANTS.len(), VARIANTS.len()));
    let all: HashSet<_> = covering().iter().chain(&all_others()).map(Case::key).collect();
    assert_eq!(all.len(), VARIANTS.len().pow(2) * 2);
    assert_eq!(all.len(), covering().len() + all_others().len());
}
