//! Every module says what it is for.

use super::{Rule, Violation};
use crate::tree::Tree;

/// Longest file that needs no head, in lines. Files of tests need none: they are named after what they test.
const HEADLESS_LINES_MAX: usize = 30;

/// Files begin with what they are for.
pub(crate) static RULE: Rule = Rule {
    name: "heads",
    why: "who opens a file should learn at its top what it is for and what it refuses to do",
    fix: "begin the file with `//!` and a sentence",
    check,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let in_crate = |path: &str| path.starts_with("crates/") && path.contains("/src/");
    let mut found = Vec::new();
    for file in tree.rust_in("crates").filter(|file| in_crate(&file.path)) {
        let root = ["/src/lib.rs", "/src/main.rs"].iter().any(|end| file.path.ends_with(end));
        let long = file.text.lines().count() > HEADLESS_LINES_MAX;
        let tests = file.code.is_empty();
        if (root || long && !tests) && !file.text.starts_with("//! ") {
            found.push(RULE.at(&file.path, 1, "the file does not begin with `//!`"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tree::Tree;

    #[test]
    fn a_file_without_a_head_is_found() {
        let long = "fn a() {}\n".repeat(31);
        let headed = format!("//! Why.\n{long}");
        let tree = Tree::planted(
            &[
                ("crates/a/src/lib.rs", "mod a;\n"),
                ("crates/a/src/long.rs", &long),
                ("crates/a/src/headed.rs", &headed),
                ("crates/a/src/short.rs", "fn a() {}\n"),
                ("crates/a/src/long/tests.rs", &long),
            ],
            &[],
        );
        assert_eq!(check(&tree).len(), 2, "{:?}", check(&tree));
    }
}
