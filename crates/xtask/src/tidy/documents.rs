//! Documents that lead somewhere: every crate is described, every link has an end.

use super::{Rule, Violation, numbered};
use crate::tree::Tree;

/// Where the crates are described.
const CRATES: &str = "crates/README.md";
/// The map of the whole.
const ARCHITECTURE: &str = "ARCHITECTURE.md";
/// Longest map that is still read, in lines.
const ARCHITECTURE_LINES_MAX: usize = 300;

/// Documents lead somewhere.
pub(crate) static RULE: Rule = Rule {
    name: "documents",
    why: "a map that is wrong or too long is not used",
    fix: "describe the crate in crates/README.md, correct the link, shorten the map",
    check,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    let described = tree.file(CRATES).map_or("", |file| file.text.as_str());
    for package in tree.packages().filter(|package| package.folder.starts_with("crates/")) {
        if !described.contains(&format!("`{}`", package.name)) {
            found.push(RULE.at(CRATES, 1, format!("`{}` is not described", package.name)));
        }
    }
    match tree.file(ARCHITECTURE).map(|file| file.text.lines().count()) {
        None => found.push(RULE.at(ARCHITECTURE, 1, "there is no map")),
        Some(lines) if lines > ARCHITECTURE_LINES_MAX => {
            let message = format!("{lines} lines, {ARCHITECTURE_LINES_MAX} are allowed");
            found.push(RULE.at(ARCHITECTURE, lines, message));
        }
        Some(_) => {}
    }
    for file in tree.files().filter(|file| file.path.ends_with(".md")) {
        for (line, target) in links(&file.text) {
            if resolve(&file.path, target).is_none_or(|path| !tree.has(&path)) {
                found.push(RULE.at(&file.path, line, format!("the link to {target} leads nowhere")));
            }
        }
    }
    found
}

/// Targets of the links `[text](target)` to files of the repository, outside code blocks.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (number, line) in numbered(text) {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        for (at, _) in line.match_indices("](").filter(|_| !in_code) {
            let quoted = line[..at].matches('`').count() % 2 == 1;
            let target = line[at + 2..].split([')', ' ']).next().unwrap_or_default();
            let target = target.split('#').next().unwrap_or_default();
            if !quoted && !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                found.push((number, target));
            }
        }
    }
    found
}

/// The path below the root that `target` means in the document `from`; `None` if it leaves the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    let folder =
        if target.starts_with('/') { "" } else { from.rsplit_once('/').map_or("", |(folder, _)| folder) };
    let mut path: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(path.pop()?),
            part => path.push(part),
        }
    }
    Some(path.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{ARCHITECTURE, CRATES, check};
    use crate::tree::Tree;

    #[test]
    fn a_crate_that_is_not_described_is_found() {
        let tree = Tree::planted(&[(ARCHITECTURE, ""), (CRATES, "`a`")], &[("a", &[]), ("b", &[])]);
        let found = check(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].to_string().contains("`b` is not described"));
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found_with_its_line() {
        let text = "ok [a](../ARCHITECTURE.md#x)\n[b](gone.md) [c](https://example.test/d.md)\n```\n[e](f.md)\n```\n`[g](h.md)`\n";
        let found = check(&Tree::planted(&[(ARCHITECTURE, ""), ("docs/a.md", text)], &[]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].to_string().starts_with("docs/a.md:2: documents: the link to gone.md leads nowhere")
        );
        let outside = Tree::planted(&[(ARCHITECTURE, "[a](../other/b.md)")], &[]);
        assert_eq!(check(&outside).len(), 1);
    }

    #[test]
    fn a_map_that_is_missing_or_too_long_is_found() {
        assert_eq!(check(&Tree::planted(&[], &[])).len(), 1);
        assert_eq!(check(&Tree::planted(&[(ARCHITECTURE, &"x\n".repeat(301))], &[])).len(), 1);
        assert!(check(&Tree::planted(&[(ARCHITECTURE, &"x\n".repeat(300))], &[])).is_empty());
    }
}
