//! Words that say that something is unfinished, or that it works on one machine only.

use super::{Rule, Violation, numbered};
use crate::mask;
use crate::tree::Tree;

/// Marks of unfinished work. Written in two parts, so that this file does not contain them.
const UNFINISHED: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("unimplemented", "!")];

/// Folders of one machine.
const MACHINE: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// A test that is switched off without a word.
const SWITCHED_OFF: &str = concat!("#[ig", "nore]");

/// Nothing is left for later without a trace.
pub(crate) static RULE: Rule = Rule {
    name: "words",
    why: "unfinished work and one machine's paths do not belong into what others build on",
    fix: "finish it, remove it, or say in a sentence what is missing and why; give ignored tests a reason",
    check,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in tree.files() {
        for (line, text) in numbered(&file.text) {
            if let Some(word) = UNFINISHED.iter().find(|word| mask::has_word(text, word)) {
                found.push(RULE.at(&file.path, line, format!("\"{word}\"")));
            }
            if let Some(folder) = MACHINE.iter().find(|folder| names_folder(text, folder)) {
                found.push(RULE.at(&file.path, line, format!("\"{folder}\" is a folder of one machine")));
            }
            if file.path.ends_with(".rs") && text.trim_start().starts_with(SWITCHED_OFF) {
                found.push(RULE.at(&file.path, line, "a test is ignored without a reason"));
            }
        }
    }
    found
}

/// Whether the folder is named as an absolute path, not as a part of a longer one or of an address.
fn names_folder(text: &str, folder: &str) -> bool {
    text.match_indices(folder).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-}/~".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::{MACHINE, SWITCHED_OFF, UNFINISHED, check};
    use crate::tree::Tree;

    #[test]
    fn unfinished_work_is_found_in_every_kind_of_file() {
        for word in UNFINISHED {
            for path in ["crates/a/src/a.rs", "docs/a.md", "tests/a.py", "Makefile"] {
                let text = format!("ok\n# {word}: later\n");
                assert_eq!(check(&Tree::planted(&[(path, &text)], &[])).len(), 1, "{word} in {path}");
            }
        }
        assert!(check(&Tree::planted(&[("a.md", "A mastodon.")], &[])).is_empty());
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_an_address_is_not() {
        for folder in MACHINE {
            let text = format!("open(\"{folder}x\")");
            assert_eq!(check(&Tree::planted(&[("a.py", &text)], &[])).len(), 1, "{folder}");
            let address = format!("https://example.test{folder}x and target{folder}x");
            assert!(check(&Tree::planted(&[("a.py", &address)], &[])).is_empty(), "{folder}");
        }
    }

    #[test]
    fn an_ignored_test_needs_a_reason() {
        let off = format!("{SWITCHED_OFF}\nfn t() {{}}");
        assert_eq!(check(&Tree::planted(&[("crates/a/src/a.rs", &off)], &[])).len(), 1);
        let reason = off.replace(']', " = \"needs an hour\"]");
        assert!(check(&Tree::planted(&[("crates/a/src/a.rs", &reason)], &[])).is_empty());
    }
}
