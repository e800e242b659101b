//! The whole check: a clean repository passes, and a violation of each invariant makes it fail.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::{RULES, check};
use crate::tree::Tree;

/// A small repository in which nothing is to fix.
const CLEAN: [(&str, &str); 4] = [
    ("ARCHITECTURE.md", "# The map\n"),
    ("crates/README.md", "`wellhead-types` `wellhead-config` `wellhead-proxy` `wellhead`\n"),
    ("crates/wellhead-config/src/snapshot.rs", "//! Head.\npub struct Boot {\n    pub workers: usize,\n}\n"),
    ("crates/wellhead-proxy/src/lib.rs", "//! Head.\nfn f(boot: &Boot) -> usize {\n    boot.workers\n}\n"),
];

/// A package and what it depends on.
type Planted<'a> = (&'a str, &'a [&'a str]);

const PACKAGES: [Planted<'_>; 4] = [
    ("wellhead-types", &["serde"]),
    ("wellhead-config", &["wellhead-types"]),
    ("wellhead-proxy", &["wellhead-config", "tokio"]),
    ("wellhead", &["wellhead-proxy", "wellhead-store"]),
];

/// Names of the rules that find something in the clean repository with a file and a package more.
fn found(file: Option<(&str, &str)>, package: Option<Planted<'_>>) -> Vec<&'static str> {
    let mut files = CLEAN.to_vec();
    files.extend(file);
    let mut packages: Vec<Planted<'_>> = PACKAGES.to_vec();
    packages.extend(package);
    let mut names: Vec<&str> = check(&Tree::planted(&files, &packages))
        .unwrap()
        .iter()
        .map(|violation| violation.rule.name)
        .collect();
    names.dedup();
    names
}

#[test]
fn a_clean_repository_passes() {
    assert_eq!(found(None, None), [""; 0]);
}

#[test]
fn a_violation_of_each_invariant_in_source_is_found() {
    let table = [
        (1, "crates/wellhead-types/src/a.rs", "let now = Instant::now();", "decider-effects"),
        (3, "crates/wellhead-wire/src/a.rs", "fn encode(key: &Secret) {}", "adapters"),
        (4, "crates/wellhead/src/cli.rs", "use wellhead_store::Store;", "surfaces"),
        (4, "web/src/a.ts", "fetch(\"/private/apps\")", "surfaces"),
        (5, "crates/wellhead-control/src/a.rs", "let q = \"DELETE FROM apps\";", "sql"),
        (6, "crates/wellhead-net/src/a.rs", "let c = mpsc::unbounded_channel();", "bounds"),
        (6, "crates/wellhead-net/src/a.rs", "const MAX_BODY: usize = 1;", "limit-names"),
        (7, "crates/wellhead-proxy/src/a.rs", "let s = StatusCode::BAD_GATEWAY;", "rescue"),
    ];
    for (invariant, path, code, rule) in table {
        assert_eq!(found(Some((path, code)), None), [rule], "invariant {invariant}: {path}: {code}");
    }
    // Invariant 8: a setting that is declared and read by nobody.
    let dropped = "//! Head.\npub struct Boot {\n    pub workers: usize,\n    pub dropped: bool,\n}\n";
    assert_eq!(found(Some(("crates/wellhead-config/src/snapshot.rs", dropped)), None), ["settings"]);
}

#[test]
fn a_violation_of_each_invariant_in_manifests_is_found() {
    let table: [(u8, Planted<'_>, &str); 4] = [
        (1, ("wellhead-types", &["tokio"]), "decider-dependencies"),
        (2, ("wellhead-proxy", &["wellhead-config", "wellhead-store"]), "planes"),
        (5, ("wellhead-proxy", &["wellhead-config", "sqlx"]), "drivers"),
        (0, ("wellhead-types", &["wellhead-config"]), "layers"),
    ];
    for (invariant, package, rule) in table {
        let names = found(None, Some(package));
        assert!(names.contains(&rule), "invariant {invariant}: {package:?}: {names:?}");
    }
}

#[test]
fn a_violation_on_disk_is_found_through_cargo() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n");
    for (name, dependencies) in [
        ("wellhead-proxy", "[dependencies]\nwellhead-store = { path = \"../wellhead-store\" }\n"),
        ("wellhead-store", ""),
    ] {
        let head =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{dependencies}");
        write(&format!("crates/{name}/Cargo.toml"), &head);
        write(&format!("crates/{name}/src/lib.rs"), "//! Head.\n");
    }
    write("crates/README.md", "`wellhead-proxy` `wellhead-store`\n");
    write("ARCHITECTURE.md", "# The map\n");
    write("target/skipped.rs", "#[cfg(test)] is not read");
    let root = root.path().canonicalize().unwrap();
    let violations = check(&Tree::read(&root).unwrap()).unwrap();
    let texts: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(
        texts[0]
            .starts_with("crates/wellhead-proxy/Cargo.toml:6: planes: wellhead-proxy reaches wellhead-store")
    );
}

#[test]
fn rules_have_names_of_their_own_and_say_why_and_how() {
    let mut names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), RULES.len());
    assert!(RULES.iter().all(|rule| rule.why.len() > 20 && rule.fix.len() > 20));
}
