//! Invariants 1 and 3: deciders decide, adapters translate; neither touches the world.

use super::{Rule, Violation, layers, numbered};
use crate::mask;
use crate::tree::Tree;

/// The vocabulary and the deciders.
const DECIDERS: [&str; 8] = [
    "wellhead-catalog",
    "wellhead-config",
    "wellhead-http",
    "wellhead-policy",
    "wellhead-quota",
    "wellhead-resilience",
    "wellhead-types",
    "wellhead-wire",
];

/// Packages that bring a runtime, sockets, a clock or randomness.
const PACKAGES: [&str; 20] = [
    "async-std",
    "axum",
    "fastrand",
    "getrandom",
    "h2",
    "hyper",
    "hyper-util",
    "mio",
    "quanta",
    "rand",
    "redis",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "tempfile",
    "tokio",
    "tokio-rustls",
    "tokio-util",
];

/// Words that reach for the world: clocks, randomness, the environment, files, sockets, threads, runtimes.
const WORLD: [&str; 20] = [
    "Instant::now",
    "SystemTime::now",
    "thread_rng",
    "RandomState",
    "getrandom",
    "env::",
    "std::env",
    "fs::",
    "std::fs",
    "File::open",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "std::thread",
    "thread::",
    "std::process",
    "tokio::",
    "async fn",
    ".await",
    "thread_local!",
];

/// Parts of the standard library that a nested `use std::{...}` must not name either.
const STD_MODULES: [&str; 4] = ["env", "fs", "process", "thread"];

/// Types that make a `static` changeable.
const CHANGEABLE: [&str; 9] =
    ["Mutex", "RwLock", "OnceLock", "OnceCell", "LazyLock", "LazyCell", "Cell", "RefCell", "UnsafeCell"];

/// No decider brings a runtime along.
pub(crate) static DEPENDENCIES: Rule = Rule {
    name: "decider-dependencies",
    why: "what decides must run the same on virtual time, without sockets, from a seed",
    fix: "move the effect into net, proxy, store or telemetry and pass its result in",
    check: dependencies,
};

/// No decider reads a clock, a file, the environment or a global.
pub(crate) static EFFECTS: Rule = Rule {
    name: "decider-effects",
    why: "a decision that depends on more than its arguments cannot be replayed",
    fix: "take `now`, the seed or the text as an argument, or ask through a trait",
    check: effects,
};

/// Adapters hold no credentials.
pub(crate) static ADAPTERS: Rule = Rule {
    name: "adapters",
    why: "a translator of dialects that never sees a key cannot leak one",
    fix: "let the proxy put the credential on the request after the adapter has written it",
    check: adapters,
};

fn dependencies(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in DECIDERS.iter().filter_map(|name| tree.package(name)) {
        for dependency in package.dependencies.iter().filter(|d| !d.dev) {
            let reached = PACKAGES.iter().find_map(|banned| match dependency.name == *banned {
                true => Some((*banned).to_owned()),
                false => layers::way(tree, &dependency.name, banned),
            });
            if let Some(way) = reached {
                let (path, line) = tree.declared_at(package, &dependency.name);
                found.push(DEPENDENCIES.at(&path, line, format!("{} → {way}", package.name)));
            }
        }
    }
    found
}

fn effects(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in DECIDERS.iter().flat_map(|name| sources(tree, name)) {
        for (line, code) in numbered(&file.code) {
            if let Some(word) = WORLD.iter().find(|word| mask::has_word(code, word)) {
                found.push(EFFECTS.at(&file.path, line, format!("\"{word}\" in a decider")));
            } else if let Some(what) = changeable_static(code) {
                found.push(EFFECTS.at(&file.path, line, format!("a static that can change ({what})")));
            }
        }
        for (start, statement) in uses(&file.code) {
            if let Some(module) = STD_MODULES.iter().find(|module| names_module(statement, module)) {
                let line = 1 + file.code[..start].matches('\n').count();
                found.push(EFFECTS.at(&file.path, line, format!("use of std::{module} in a decider")));
            }
        }
    }
    found
}

fn sources<'a>(tree: &'a Tree, name: &str) -> Vec<&'a crate::tree::File> {
    let folder = format!("crates/{name}/src");
    tree.files().filter(|f| f.path.ends_with(".rs") && f.path.starts_with(&format!("{folder}/"))).collect()
}

/// What makes the `static` of this line changeable.
fn changeable_static(code: &str) -> Option<&'static str> {
    let item =
        code.split_once("static ").filter(|(before, _)| !before.ends_with('\'')).map(|(_, item)| item)?;
    if item.starts_with("mut ") {
        return Some("mut");
    }
    let declared = item.split_once(':')?.1;
    let atomic = mask::words(declared).any(|word| word.starts_with("Atomic")).then_some("Atomic");
    atomic.or_else(|| CHANGEABLE.iter().find(|kind| mask::has_word(declared, kind)).copied())
}

/// `use std::...;` statements with their offsets.
fn uses(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.match_indices("use std::").map(|(start, _)| {
        let rest = &code[start..];
        (start, rest.split_once(';').map_or(rest, |(statement, _)| statement))
    })
}

/// Whether a `use std::{...}` with braces names a module. Plain paths are found as words already.
fn names_module(statement: &str, module: &str) -> bool {
    statement.starts_with("use std::{") && mask::words(statement).any(|word| word == module)
}

fn adapters(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in sources(tree, "wellhead-wire") {
        for (line, code) in numbered(&file.code) {
            if let Some(word) = ["Secret", "ProviderKey"].iter().find(|word| mask::has_word(code, word)) {
                found.push(ADAPTERS.at(&file.path, line, format!("\"{word}\" in an adapter")));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{adapters, dependencies, effects};
    use crate::tree::Tree;

    #[test]
    fn a_decider_that_brings_a_runtime_is_found_directly_and_through_others() {
        let direct = Tree::planted(&[], &[("wellhead-quota", &["tokio"])]);
        assert_eq!(dependencies(&direct).len(), 1);
        let through =
            Tree::planted(&[], &[("wellhead-config", &["wellhead-net"]), ("wellhead-net", &["hyper"])]);
        let found = dependencies(&through);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].to_string().contains("wellhead-config → wellhead-net → hyper"), "{}", found[0]);
        let for_tests = Tree::planted(&[], &[("wellhead-quota", &["dev:tokio"])]);
        assert!(dependencies(&for_tests).is_empty());
    }

    #[test]
    fn a_decider_that_reaches_for_the_world_is_found() {
        let planted = [
            "let t = Instant::now();",
            "let t = std::time::SystemTime::now();",
            "let v = std::env::var(\"X\");",
            "use std::{collections::BTreeMap, fs};",
            "use std::{\n    env,\n};",
            "static mut COUNT: u8 = 0;",
            "static CACHE: LazyLock<Vec<u8>> = LazyLock::new(Vec::new);",
            "pub static SEEN: std::sync::atomic::AtomicU64 = AtomicU64::new(0);",
            "async fn decide() {}",
            "let s = std::net::TcpStream::connect(a);",
        ];
        for code in planted {
            let tree = Tree::planted(&[("crates/wellhead-resilience/src/a.rs", code)], &[]);
            assert_eq!(effects(&tree).len(), 1, "{code}");
        }
    }

    #[test]
    fn what_only_looks_like_an_effect_is_left_alone() {
        let innocent = "//! Never calls Instant::now().\n\
            use std::{collections::BTreeMap, net::SocketAddr};\n\
            const HELP: &str = \"std::env is not read\";\n\
            static NAMES: [&'static str; 1] = [\"a\"];\n\
            fn f(now: std::time::Instant, x: &'static Cell<u8>) {}\n\
            #[cfg(test)]\nmod tests { fn t() { let t = Instant::now(); } }\n";
        let tree = Tree::planted(&[("crates/wellhead-resilience/src/a.rs", innocent)], &[]);
        assert!(effects(&tree).is_empty(), "{:?}", effects(&tree));
        let shell = Tree::planted(&[("crates/wellhead-net/src/a.rs", "let t = Instant::now();")], &[]);
        assert!(effects(&shell).is_empty());
    }

    #[test]
    fn an_adapter_that_sees_a_key_is_found() {
        let tree = Tree::planted(&[("crates/wellhead-wire/src/a.rs", "fn encode(key: &Secret) {}")], &[]);
        assert_eq!(adapters(&tree).len(), 1);
    }
}
