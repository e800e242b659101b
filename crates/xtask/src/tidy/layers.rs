//! Invariant 2 and the order of the crates: arrows point down only.

use super::{Rule, Violation};
use crate::tree::{Package, Tree};

/// A crate may depend on crates of a lower rank only. The ranks are those of ARCHITECTURE.md.
const RANKS: [(&str, u8); 23] = [
    // Vocabulary and deciders.
    ("wellhead-types", 0),
    ("wellhead-catalog", 1),
    ("wellhead-http", 1),
    ("wellhead-policy", 1),
    ("wellhead-quota", 1),
    ("wellhead-resilience", 1),
    ("wellhead-wire", 1),
    ("wellhead-config", 2),
    // Effects.
    ("wellhead-telemetry", 3),
    ("wellhead-cluster", 4),
    ("wellhead-net", 4),
    ("wellhead-store", 4),
    ("wellhead-credentials", 5),
    ("wellhead-proxy", 6),
    // Surfaces.
    ("wellhead-control", 7),
    ("wellhead-doctor", 7),
    ("wellhead-console", 7),
    // Proof: drives the loop of the proxy, and is part of the binary.
    ("wellhead-sim", 7),
    ("wellhead", 8),
    // Proof too, and a dependency of nobody.
    ("wellhead-world", 9),
    ("wellhead-it", 9),
    ("wellhead-fuzz", 9),
    ("xtask", 9),
];

/// Arrows that point down and are wrong all the same: (from, to).
const FORBIDDEN: [(&str, &str); 5] = [
    ("wellhead-proxy", "wellhead-store"),
    ("wellhead-proxy", "wellhead-control"),
    ("wellhead-proxy", "wellhead-cluster"),
    ("wellhead-net", "wellhead-store"),
    ("wellhead-control", "wellhead-proxy"),
];

/// Arrows point down only.
pub(crate) static ORDER: Rule = Rule {
    name: "layers",
    why: "a crate that knows a crate above it can no longer be understood or tested alone",
    fix: "pass what is needed as an argument or a trait of the lower crate; a new crate needs a rank in layers.rs",
    check: order,
};

/// The data plane runs without the store and the control plane.
pub(crate) static SEPARATION: Rule = Rule {
    name: "planes",
    why: "the data plane must answer when the store and the control plane do not",
    fix: "hand it an Arc<Snapshot> and take its events from the bounded spool",
    check: separation,
};

fn rank(name: &str) -> Option<u8> {
    RANKS.iter().find(|(known, _)| *known == name).map(|(_, rank)| *rank)
}

fn order(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in tree.packages() {
        let Some(own) = rank(&package.name) else {
            let manifest = format!("{}/Cargo.toml", package.folder);
            found.push(ORDER.at(&manifest, 1, format!("{} has no rank", package.name)));
            continue;
        };
        for dependency in &package.dependencies {
            // Fakes are there to be tested against, from everywhere.
            let fake = dependency.dev && dependency.name == "wellhead-sim";
            if tree.package(&dependency.name).is_none() || fake {
                continue;
            }
            if rank(&dependency.name).is_none_or(|rank| rank >= own) {
                let (path, line) = tree.declared_at(package, &dependency.name);
                found.push(ORDER.at(&path, line, format!("{} depends on {}", package.name, dependency.name)));
            }
        }
    }
    found
}

fn separation(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (from, to) in FORBIDDEN {
        let Some(package) = tree.package(from) else { continue };
        for dependency in package.dependencies.iter().filter(|d| !d.dev) {
            if let Some(path) = way(tree, &dependency.name, to) {
                let (file, line) = tree.declared_at(package, &dependency.name);
                found.push(SEPARATION.at(&file, line, format!("{from} reaches {to}: {from} → {path}")));
            }
        }
    }
    found
}

/// How `from` reaches `to` through packages of the workspace, if it does.
pub(super) fn way(tree: &Tree, from: &str, to: &str) -> Option<String> {
    fn walk(tree: &Tree, package: &Package, to: &str, seen: &mut Vec<String>) -> Option<String> {
        if seen.contains(&package.name) {
            return None;
        }
        seen.push(package.name.clone());
        package.dependencies.iter().filter(|d| !d.dev).find_map(|d| {
            let rest =
                if d.name == to { to.to_owned() } else { walk(tree, tree.package(&d.name)?, to, seen)? };
            Some(format!("{} → {rest}", package.name))
        })
    }
    if from == to {
        return Some(to.to_owned());
    }
    walk(tree, tree.package(from)?, to, &mut Vec::new())
}

#[cfg(test)]
mod tests {
    use super::{order, separation};
    use crate::tree::Tree;

    #[test]
    fn an_upward_or_level_arrow_is_found_with_its_line() {
        let manifest = "[dependencies]\nwellhead-types.workspace = true\nwellhead-proxy.workspace = true\n";
        let tree = Tree::planted(
            &[("crates/wellhead-wire/Cargo.toml", manifest)],
            &[
                ("wellhead-wire", &["wellhead-types", "wellhead-proxy"]),
                ("wellhead-types", &[]),
                ("wellhead-proxy", &[]),
            ],
        );
        let found = order(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].to_string().starts_with(
            "crates/wellhead-wire/Cargo.toml:3: layers: wellhead-wire depends on wellhead-proxy ("
        ));
        let level = Tree::planted(&[], &[("wellhead-net", &["wellhead-store"]), ("wellhead-store", &[])]);
        assert_eq!(order(&level).len(), 1);
        let unknown = Tree::planted(&[], &[("wellhead-misc", &[])]);
        assert_eq!(order(&unknown).len(), 1);
    }

    #[test]
    fn fakes_may_be_used_by_every_test_but_by_no_product_code_below() {
        let dev = Tree::planted(&[], &[("wellhead-net", &["dev:wellhead-sim"]), ("wellhead-sim", &[])]);
        assert!(order(&dev).is_empty());
        let product = Tree::planted(&[], &[("wellhead-net", &["wellhead-sim"]), ("wellhead-sim", &[])]);
        assert_eq!(order(&product).len(), 1);
    }

    #[test]
    fn the_proxy_reaching_the_store_is_found_even_on_a_detour() {
        let direct = Tree::planted(&[], &[("wellhead-proxy", &["wellhead-store"]), ("wellhead-store", &[])]);
        assert_eq!(separation(&direct).len(), 1);
        let detour = Tree::planted(
            &[],
            &[
                ("wellhead-proxy", &["wellhead-telemetry"]),
                ("wellhead-telemetry", &["wellhead-control"]),
                ("wellhead-control", &[]),
            ],
        );
        let found = separation(&detour);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].to_string().contains("wellhead-proxy → wellhead-telemetry → wellhead-control"));
        let in_tests =
            Tree::planted(&[], &[("wellhead-proxy", &["dev:wellhead-store"]), ("wellhead-store", &[])]);
        assert!(separation(&in_tests).is_empty());
    }
}
