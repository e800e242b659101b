//! Invariant 8: every field that a person can set, in a configuration or in the catalogue, is read outside the crate
//! that declares it.

use super::{Rule, Violation, numbered};
use crate::mask;
use crate::tree::Tree;

/// Where settings are declared, and the crate whose own reading does not count.
const DECLARED: [(&str, &str); 3] = [
    ("crates/wellhead-config/src/snapshot.rs", "crates/wellhead-config/"),
    ("crates/wellhead-config/src/snapshot/cloud.rs", "crates/wellhead-config/"),
    ("crates/wellhead-catalog/src/kind.rs", "crates/wellhead-catalog/"),
];

/// No setting is accepted and dropped.
pub(crate) static RULE: Rule = Rule {
    name: "settings",
    why: "a setting that is accepted and then ignored is a promise that is broken in silence",
    fix: "read the field where it takes effect, or remove it",
    check,
};

fn check(tree: &Tree) -> Vec<Violation> {
    DECLARED.iter().flat_map(|(path, own)| unread(tree, path, own)).collect()
}

fn unread(tree: &Tree, path: &str, own: &str) -> Vec<Violation> {
    let Some(declared) = tree.file(path) else { return Vec::new() };
    let readers: Vec<&str> = tree
        .rust_in("crates")
        .filter(|file| !file.path.starts_with(own) && !file.path.starts_with("crates/xtask/"))
        .map(|file| file.code.as_str())
        .collect();
    let mut found = Vec::new();
    let mut owner = String::new();
    for (line, code) in numbered(&declared.code) {
        if let Some(name) = code.trim_start().strip_prefix("pub struct ") {
            owner = mask::words(name).next().unwrap_or_default().to_owned();
        }
        let Some(field) = field(code) else { continue };
        let read = format!(".{field}");
        if !readers.iter().any(|code| mask::has_word(code, &read) || destructured(code, &owner, field)) {
            found.push(RULE.at(path, line, format!("{owner}.{field} is read by nobody")));
        }
    }
    found
}

/// The public field that a line declares.
fn field(code: &str) -> Option<&str> {
    let (name, _) = code.trim_start().strip_prefix("pub ")?.split_once(": ")?;
    (!name.contains([' ', '('])).then_some(name)
}

/// Whether `code` takes `owner` apart and names the field. Building one (`field: value`) does not count.
fn destructured(code: &str, owner: &str, field: &str) -> bool {
    code.match_indices(&format!("let {owner} {{")).any(|(start, opened)| {
        let inside = &code[start + opened.len()..];
        mask::words(inside.split('}').next().unwrap_or_default()).any(|word| word == field)
    })
}

#[cfg(test)]
mod tests {
    use super::{DECLARED, check};
    use crate::tree::Tree;

    const SNAPSHOT: &str = DECLARED[0].0;
    const FIELDS: &str = "pub struct Limits {\n    pub body_bytes_max: u64,\n    pub idle: Duration,\n}\n";

    #[test]
    fn a_setting_that_nobody_reads_is_found() {
        let reader = "fn f(limits: &Limits) -> u64 { limits.body_bytes_max }";
        let tree = Tree::planted(&[(SNAPSHOT, FIELDS), ("crates/wellhead-proxy/src/a.rs", reader)], &[]);
        let found = check(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].to_string().contains("snapshot.rs:3: settings: Limits.idle is read by nobody"));
    }

    #[test]
    fn the_configuration_itself_comments_and_builders_are_no_readers() {
        let idle = "limits.idle";
        let places = [
            ("crates/wellhead-config/src/a.rs", format!("fn f() {{ {idle} }}")),
            ("crates/wellhead-proxy/src/a.rs", format!("// {idle}\n")),
            ("crates/wellhead-proxy/src/a.rs", "fn f() { Limits { idle: d } }".to_owned()),
            ("crates/wellhead-proxy/src/tests.rs", format!("fn f() {{ {idle} }}")),
        ];
        for (path, code) in &places {
            let rest = ("crates/wellhead-net/src/b.rs", "fn g() { l.body_bytes_max }");
            let tree = Tree::planted(&[(SNAPSHOT, FIELDS), (path, code), rest], &[]);
            assert_eq!(check(&tree).len(), 1, "{path}: {code}");
        }
        let taken_apart = "fn f(l: &Limits) { let Limits { body_bytes_max, idle } = l; }";
        let tree = Tree::planted(&[(SNAPSHOT, FIELDS), ("crates/wellhead-proxy/src/a.rs", taken_apart)], &[]);
        assert!(check(&tree).is_empty());
    }

    #[test]
    fn a_quirk_that_nobody_reads_is_found() {
        let quirks = "pub struct Quirks {\n    pub turned: bool,\n}\n";
        let own = ("crates/wellhead-catalog/src/check.rs", "fn f() { quirks.turned }");
        let tree = Tree::planted(&[(DECLARED[2].0, quirks), own], &[]);
        assert_eq!(check(&tree).len(), 1);
    }
}
