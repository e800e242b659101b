//! Invariant 5: SQL only in the store, Redis only in the cluster.

use super::{Rule, Violation, numbered};
use crate::tree::Tree;

/// Drivers and the one package that may depend on each.
const OWNERS: [(&str, &str); 6] = [
    ("sqlx", "wellhead-store"),
    ("rusqlite", "wellhead-store"),
    ("tokio-postgres", "wellhead-store"),
    ("libsqlite3-sys", "wellhead-store"),
    ("redis", "wellhead-cluster"),
    ("fred", "wellhead-cluster"),
];

/// Statements: the first part, and a part that must follow somewhere on the line or the next two.
const VERBS: [(&str, &str); 8] = [
    ("SELECT ", " FROM "),
    ("INSERT INTO ", ""),
    ("UPDATE ", " SET "),
    ("DELETE FROM ", ""),
    ("CREATE TABLE ", ""),
    ("CREATE INDEX ", ""),
    ("ALTER TABLE ", ""),
    ("PRAGMA ", ""),
];

/// SQL only in the store.
pub(crate) static STATEMENTS: Rule = Rule {
    name: "sql",
    why: "storage that is asked questions can be SQLite or PostgreSQL; SQL elsewhere ties it to one",
    fix: "add a method to a trait of wellhead-store that asks the question",
    check: statements,
};

/// Drivers only where their language is spoken.
pub(crate) static DRIVERS: Rule = Rule {
    name: "drivers",
    why: "who has the driver will sooner or later speak its language",
    fix: "depend on wellhead-store (SQL) or wellhead-cluster (Redis) instead",
    check: drivers,
};

fn statements(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    let outside =
        |path: &str| !path.starts_with("crates/wellhead-store/") && !path.starts_with("crates/xtask/");
    for file in tree.rust_in("crates").filter(|file| outside(&file.path)) {
        let lines: Vec<&str> = file.code_and_strings.lines().collect();
        for (number, line) in numbered(&file.code_and_strings) {
            let near = lines[number - 1..lines.len().min(number + 2)].join(" ");
            let verb = VERBS.iter().find(|(verb, then)| {
                line.find(verb).is_some_and(|at| near[at + verb.len() - 1..].contains(then))
            });
            if let Some((verb, _)) = verb {
                found.push(STATEMENTS.at(
                    &file.path,
                    number,
                    format!("\"{}\" outside the store", verb.trim()),
                ));
            }
        }
    }
    found
}

fn drivers(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in tree.packages() {
        for dependency in &package.dependencies {
            let owner = OWNERS.iter().find(|(driver, _)| *driver == dependency.name).map(|(_, owner)| *owner);
            if let Some(owner) = owner.filter(|owner| *owner != package.name) {
                let (path, line) = tree.declared_at(package, &dependency.name);
                let message = format!("{} depends on {}, which is {owner}'s", package.name, dependency.name);
                found.push(DRIVERS.at(&path, line, message));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{drivers, statements};
    use crate::tree::Tree;

    #[test]
    fn sql_outside_the_store_is_found() {
        for sql in ["\"SELECT id FROM apps\"", "\"UPDATE apps\n SET name = ?\"", "\"DELETE FROM apps\""] {
            let code = format!("fn f() {{ query({sql}) }}");
            let planted = Tree::planted(&[("crates/wellhead-control/src/a.rs", &code)], &[]);
            assert_eq!(statements(&planted).len(), 1, "{sql}");
            let store = Tree::planted(&[("crates/wellhead-store/src/a.rs", &code)], &[]);
            assert!(statements(&store).is_empty(), "{sql}");
        }
        let prose = "// SELECT a FROM b\nconst A: &str = \"UPDATE the settings\";";
        assert!(statements(&Tree::planted(&[("crates/wellhead-control/src/a.rs", prose)], &[])).is_empty());
    }

    #[test]
    fn a_driver_outside_its_crate_is_found() {
        assert_eq!(drivers(&Tree::planted(&[], &[("wellhead-control", &["sqlx"])])).len(), 1);
        assert_eq!(drivers(&Tree::planted(&[], &[("wellhead-quota", &["redis"])])).len(), 1);
        assert!(drivers(&Tree::planted(&[], &[("wellhead-store", &["sqlx"])])).is_empty());
    }
}
