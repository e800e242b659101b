//! Files stay small enough to be read as a whole.

use super::{Rule, Violation};
use crate::tree::Tree;

/// Longest file, in lines.
const FILE_LINES_MAX: usize = 800;
/// Highest median over all Rust files, in lines.
const MEDIAN_LINES_MAX: usize = 160;
/// The endings that count as code.
const CODE: [&str; 7] = [".rs", ".ts", ".tsx", ".py", ".js", ".mjs", ".sh"];
/// Parts of paths that mark data and generated text.
const DATA: [&str; 3] = ["/fixtures/", "/snapshots/", "/generated/"];

/// No file is too long.
pub(crate) static RULE: Rule = Rule {
    name: "file-size",
    why: "a file that cannot be read as a whole is where unrelated things meet",
    fix: "split it along what it is about, into modules with names of their own",
    check,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let is_code =
        |path: &str| CODE.iter().any(|end| path.ends_with(end)) && !DATA.iter().any(|d| path.contains(d));
    let mut found = Vec::new();
    let mut rust = Vec::new();
    for file in tree.files().filter(|file| is_code(&file.path)) {
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX {
            let message = format!("{lines} lines, {FILE_LINES_MAX} are allowed");
            found.push(RULE.at(&file.path, FILE_LINES_MAX + 1, message));
        }
        if file.path.ends_with(".rs") {
            rust.push(lines);
        }
    }
    rust.sort_unstable();
    let median = rust.get(rust.len() / 2).copied().unwrap_or_default();
    if median > MEDIAN_LINES_MAX {
        let message = format!("the median Rust file has {median} lines, {MEDIAN_LINES_MAX} are allowed");
        found.push(RULE.at("crates", 1, message));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tree::Tree;

    #[test]
    fn a_long_file_is_found_and_data_is_not() {
        let long = "x\n".repeat(801);
        let small = "x\n".repeat(10);
        let tree = Tree::planted(
            &[
                ("crates/a/src/a.rs", &long),
                ("crates/a/src/b.rs", &small),
                ("crates/a/src/c.rs", &small),
                ("crates/a/tests/fixtures/d.rs", &long),
                ("tests/clients/e.py", &long),
                ("docs/f.md", &long),
            ],
            &[],
        );
        let paths: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(paths.len(), 2, "{paths:?}");
        assert!(paths[0].starts_with("crates/a/src/a.rs:801: file-size: 801 lines"), "{paths:?}");
        assert!(paths[1].starts_with("tests/clients/e.py:801: "), "{paths:?}");
    }

    #[test]
    fn a_high_median_is_found() {
        let middling = "x\n".repeat(161);
        let tree = Tree::planted(&[("crates/a/src/a.rs", &middling), ("crates/a/src/b.rs", &middling)], &[]);
        assert_eq!(check(&tree).len(), 1);
    }
}
