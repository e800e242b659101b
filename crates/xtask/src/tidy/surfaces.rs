//! Invariant 4: the console and the command line use the public management API, like everybody else.

use super::{Rule, Violation, numbered};
use crate::mask;
use crate::tree::Tree;

/// The binary. Its role `serve` wires the planes together; everything else in it is a client.
const BINARY: &str = "crates/wellhead/src";

/// Folder of the binary that may know the store.
const WIRING: &str = "crates/wellhead/src/serve/";

/// What a client must not know.
const INSIDE: [&str; 4] = ["wellhead_store", "wellhead_proxy", "wellhead_net", "sqlx"];

/// No surface takes a back door.
pub(crate) static RULE: Rule = Rule {
    name: "surfaces",
    why: "what the console and the command line can do, an API client must be able to do as well",
    fix: "call /api/v1 of the admin listener, and add what is missing there",
    check,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in tree.rust_in(BINARY).filter(|file| !file.path.starts_with(WIRING)) {
        for (line, code) in numbered(&file.code) {
            if let Some(word) = INSIDE.iter().find(|word| mask::has_word(code, word)) {
                found.push(RULE.at(&file.path, line, format!("the command line uses {word}")));
            }
        }
    }
    let is_web = |path: &str| path.starts_with("web/") && (path.ends_with(".ts") || path.ends_with(".tsx"));
    for file in tree.files().filter(|file| is_web(&file.path)) {
        for (line, text) in numbered(&file.text) {
            if let Some(address) = fetched(text).filter(|address| !address.starts_with("/api/")) {
                found.push(RULE.at(&file.path, line, format!("the console fetches \"{address}\"")));
            }
        }
    }
    found
}

/// The address in `fetch("/...`, in whichever quotes.
fn fetched(line: &str) -> Option<&str> {
    let rest = line.split_once("fetch(")?.1;
    let rest = rest.strip_prefix(['"', '\'', '`'])?;
    rest.split(['"', '\'', '`']).next().filter(|address| address.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tree::Tree;

    #[test]
    fn a_back_door_of_the_command_line_is_found() {
        let code = "use wellhead_store::Store;";
        for path in ["crates/wellhead/src/cli.rs", "crates/wellhead/src/commands/key.rs"] {
            assert_eq!(check(&Tree::planted(&[(path, code)], &[])).len(), 1, "{path}");
        }
        let wiring = Tree::planted(&[("crates/wellhead/src/serve/mod.rs", code)], &[]);
        assert!(check(&wiring).is_empty());
    }

    #[test]
    fn a_back_door_of_the_console_is_found() {
        let code = "const a = await fetch('/internal/apps');";
        assert_eq!(check(&Tree::planted(&[("web/src/a.ts", code)], &[])).len(), 1);
        let public = "const a = await fetch(`/api/v1/apps/${id}`);";
        assert!(check(&Tree::planted(&[("web/src/a.ts", public)], &[])).is_empty());
    }
}
