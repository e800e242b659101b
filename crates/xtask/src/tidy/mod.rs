//! The rules, each in a file of its own, and how their findings are reported and excused.
//!
//! A rule looks for what must be absent. A finding that is right to be there is excused in `crates/xtask/allow.toml`,
//! with a reason; an excuse that excuses nothing is a finding itself.

mod allow;
mod bounds;
mod documents;
mod functions;
mod heads;
mod layers;
mod pure;
mod rescue;
mod settings;
mod sizes;
mod sql;
mod surfaces;
mod words;

use std::fmt;

use crate::tree::Tree;

/// What a rule is about.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Name, as it is written in `allow.toml`.
    pub(crate) name: &'static str,
    /// Why what it looks for must be absent.
    pub(crate) why: &'static str,
    /// What to do instead.
    pub(crate) fix: &'static str,
    /// Finds the violations.
    pub(crate) check: fn(&Tree) -> Vec<Violation>,
}

/// All rules.
pub(crate) const RULES: [&Rule; 17] = [
    &layers::ORDER,
    &layers::SEPARATION,
    &pure::DEPENDENCIES,
    &pure::EFFECTS,
    &pure::ADAPTERS,
    &surfaces::RULE,
    &sql::STATEMENTS,
    &sql::DRIVERS,
    &bounds::MEMORY,
    &bounds::NAMES,
    &rescue::RULE,
    &settings::RULE,
    &sizes::RULE,
    &functions::RULE,
    &heads::RULE,
    &words::RULE,
    &documents::RULE,
];

/// Something to fix. Displays as `path:line: rule: message (why; how to fix)`.
#[derive(Debug)]
pub(crate) struct Violation {
    rule: &'static Rule,
    path: String,
    line: usize,
    message: String,
}

impl Rule {
    /// A violation of this rule; `line` counts from 1.
    pub(crate) fn at(&'static self, path: &str, line: usize, message: impl Into<String>) -> Violation {
        Violation { rule: self, path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, path, line, message } = self;
        write!(f, "{path}:{line}: {}: {message} ({}; {})", rule.name, rule.why, rule.fix)
    }
}

/// Everything that is to fix in the repository.
///
/// # Errors
/// If `allow.toml` cannot be read.
pub(crate) fn check(tree: &Tree) -> anyhow::Result<Vec<Violation>> {
    let found = RULES.iter().flat_map(|rule| (rule.check)(tree)).collect();
    allow::apply(tree, found)
}

/// Lines with their numbers, counted from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line))
}

#[cfg(test)]
mod tests;
