//! Excuses: findings that are right to be there, each with its reason.

use anyhow::{Context as _, ensure};

use super::{RULES, Rule, Violation};
use crate::tree::Tree;

/// Where the excuses are.
const PATH: &str = "crates/xtask/allow.toml";

/// Shortest reason that can say something, in characters.
const REASON_CHARS_MIN: usize = 20;

/// An excuse that excuses nothing hides the next violation at its place.
static STALE: Rule = Rule {
    name: "allow",
    why: "an excuse for nothing would hide a later violation",
    fix: "remove the entry from crates/xtask/allow.toml",
    check: |_| Vec::new(),
};

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Excuses {
    #[serde(default)]
    allow: Vec<Excuse>,
}

/// One entry of `[[allow]]`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Excuse {
    /// Name of the rule.
    rule: String,
    /// The file.
    path: String,
    /// Part of the message, where the file has other findings of the same rule.
    #[serde(default)]
    contains: String,
    /// Why it is right.
    reason: String,
}

impl Excuse {
    fn covers(&self, violation: &Violation) -> bool {
        self.rule == violation.rule.name
            && self.path == violation.path
            && violation.message.contains(&self.contains)
    }
}

/// Drops what is excused and adds the excuses that excuse nothing.
pub(super) fn apply(tree: &Tree, found: Vec<Violation>) -> anyhow::Result<Vec<Violation>> {
    let text = tree.file(PATH).map_or("", |file| file.text.as_str());
    let excuses: Excuses = toml::from_str(text).with_context(|| format!("{PATH} is wrong"))?;
    for excuse in &excuses.allow {
        let Excuse { rule, path, reason, .. } = excuse;
        ensure!(RULES.iter().any(|r| r.name == rule), "{PATH}: there is no rule \"{rule}\"");
        let enough = reason.trim().chars().count() >= REASON_CHARS_MIN;
        ensure!(enough, "{PATH}: the reason for {rule} in {path} is too short to be one");
    }
    let stale = excuses.allow.iter().filter(|excuse| !found.iter().any(|v| excuse.covers(v)));
    let stale: Vec<Violation> = stale.map(|e| STALE.at(PATH, line_of(text, e), stale_message(e))).collect();
    let mut left: Vec<Violation> =
        found.into_iter().filter(|v| !excuses.allow.iter().any(|excuse| excuse.covers(v))).collect();
    left.extend(stale);
    Ok(left)
}

fn stale_message(excuse: &Excuse) -> String {
    format!("nothing violates {} in {} (any more)", excuse.rule, excuse.path)
}

fn line_of(text: &str, excuse: &Excuse) -> usize {
    let is_it = |line: &str| line.starts_with("path") && line.contains(&excuse.path);
    text.lines().position(is_it).map_or(1, |i| i + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::PATH;
    use crate::tidy::{check, sizes};
    use crate::tree::Tree;

    /// A tree whose only faults of interest are a file that is too long and these excuses.
    fn long_file_with(excuses: &str) -> Tree {
        let long = "\n".repeat(900);
        let small = [("crates/a/src/d.rs", ""), ("crates/a/src/e.rs", "")];
        Tree::planted(&[("crates/a/src/b.rs", &long), small[0], small[1], (PATH, excuses)], &[])
    }

    fn named(tree: &Tree, rule: &str) -> usize {
        check(tree).unwrap().iter().filter(|v| v.rule.name == rule).count()
    }

    #[test]
    fn an_excuse_needs_a_reason_and_covers_its_own_file_only() {
        let entry = |path, reason| {
            format!("[[allow]]\nrule = \"file-size\"\npath = \"{path}\"\nreason = \"{reason}\"\n")
        };
        let reason = "a table of facts that is read as a whole";
        let excused = long_file_with(&entry("crates/a/src/b.rs", reason));
        assert_eq!((named(&excused, sizes::RULE.name), named(&excused, "allow")), (0, 0));
        let elsewhere = long_file_with(&entry("crates/a/src/c.rs", reason));
        assert_eq!((named(&elsewhere, sizes::RULE.name), named(&elsewhere, "allow")), (1, 1));
        assert!(check(&long_file_with(&entry("crates/a/src/b.rs", "because"))).is_err());
        assert!(
            check(&long_file_with("[[allow]]\nrule = \"no-such\"\npath = \"a\"\nreason = \"\"")).is_err()
        );
    }
}
