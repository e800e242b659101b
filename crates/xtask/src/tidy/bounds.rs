//! Invariant 6: nothing grows without a named maximum, and the maximum's name ends with its unit.

use super::{Rule, Violation, numbered};
use crate::mask;
use crate::tree::{File, Tree};

/// What grows without a bound, as it looks in code.
const GROWING: [&str; 5] =
    ["unbounded", "unbounded_channel", "mpsc::channel()", "UnboundedSender", "UnboundedReceiver"];

/// Calls that take a maximum, which the largest number is not.
const BOUNDED: [&str; 4] = ["to_bytes(", "channel(", "Limited::new(", ".take("];

/// What reads a stream to its end, and the bound that makes it right within the same statement.
const READING: [(&str, &str); 2] = [(".collect().await", "Limited::new"), (".read_to_end(", ".take(")];

/// Members of other people's formats that begin with "max_".
const FOREIGN: [&str; 10] = [
    "max_age",
    "max_completion_tokens",
    "max_concurrent_streams",
    "max_connections",
    "max_frame_size",
    "max_header_list_size",
    "max_output_tokens",
    "max_tokens",
    "max_tokens_only",
    "max_tool_calls",
];

/// Nothing grows without a maximum.
pub(crate) static MEMORY: Rule = Rule {
    name: "bounds",
    why: "whoever is on the other end decides how much memory an unbounded thing takes",
    fix: "use a bounded channel, http_body_util::Limited or AsyncReadExt::take with a named maximum",
    check: memory,
};

/// The unit is last in the name.
pub(crate) static NAMES: Rule = Rule {
    name: "limit-names",
    why: "a limit whose name ends with its unit is not mistaken for another unit",
    fix: "name it thing_unit_max, such as body_bytes_max or BODY_BYTES_MAX",
    check: names,
};

fn product(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.rust_in("crates").filter(|file| !file.path.starts_with("crates/xtask/"))
}

fn memory(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in product(tree) {
        for (line, code) in numbered(&file.code) {
            if let Some(word) = GROWING.iter().find(|word| mask::has_word(code, word)) {
                found.push(MEMORY.at(&file.path, line, format!("\"{word}\" has no maximum")));
            }
            // A conversion that saturates keeps its maximum.
            let plain = code.replace("unwrap_or(usize::MAX)", "").replace("unwrap_or(u64::MAX)", "");
            let largest = plain.contains("usize::MAX") || plain.contains("u64::MAX");
            if let Some(call) = BOUNDED.iter().find(|call| largest && code.contains(**call)) {
                found.push(MEMORY.at(
                    &file.path,
                    line,
                    format!("\"{call}\" with the largest number has no maximum"),
                ));
            }
        }
        for (reading, bound) in READING {
            for at in reads(&file.code, reading) {
                let statement = &file.code[statement_start(&file.code, at)..at];
                if !statement.contains(bound) {
                    let line = 1 + file.code[..at].matches('\n').count();
                    found.push(MEMORY.at(&file.path, line, format!("\"{reading}\" reads without a maximum")));
                }
            }
        }
    }
    found
}

/// Offsets of a call, also where it is broken over lines.
fn reads<'a>(code: &'a str, call: &'a str) -> impl Iterator<Item = usize> + 'a {
    let first = call.split_inclusive("()").next().unwrap_or(call);
    code.match_indices(first).map(|(at, _)| at).filter(move |at| {
        let tight: String = code[*at..].chars().filter(|c| !c.is_whitespace()).take(call.len()).collect();
        tight == call
    })
}

fn statement_start(code: &str, at: usize) -> usize {
    code[..at].rfind([';', '{', '}']).map_or(0, |i| i + 1)
}

fn names(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in product(tree) {
        for (line, code) in numbered(&file.code) {
            if let Some(name) = declared(code).filter(|name| badly_named(name)) {
                found.push(NAMES.at(
                    &file.path,
                    line,
                    format!("{name} does not end with its unit and \"max\""),
                ));
            }
        }
    }
    found
}

/// The name that a line declares: a constant or a public field.
fn declared(code: &str) -> Option<&str> {
    let code = code.trim_start();
    let code =
        ["pub(crate) ", "pub(super) ", "pub "].iter().find_map(|p| code.strip_prefix(p)).unwrap_or(code);
    let code = code.strip_prefix("const ").or_else(|| code.strip_prefix("static ")).unwrap_or(code);
    let (name, _) = code.split_once(':')?;
    (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')).then_some(name)
}

fn badly_named(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let starts = lower.starts_with("max_") || lower.starts_with("min_");
    let turned = ["_max_bytes", "_max_seconds", "_max_ms", "_max_chars", "_max_count"]
        .iter()
        .any(|e| lower.ends_with(e));
    (starts || turned) && !FOREIGN.contains(&lower.as_str())
}

#[cfg(test)]
mod tests {
    use super::{memory, names};
    use crate::tree::Tree;

    fn planted(code: &str) -> Tree {
        Tree::planted(&[("crates/wellhead-net/src/a.rs", code)], &[])
    }

    #[test]
    fn what_grows_without_a_maximum_is_found() {
        for code in [
            "let (tx, rx) = tokio::sync::mpsc::unbounded_channel();",
            "let (tx, rx) = std::sync::mpsc::channel();",
            "let (tx, rx) = flume::unbounded();",
            "let all = body.collect().await?;",
            "let all = response\n    .into_body()\n    .collect()\n    .await?;",
            "stream.read_to_end(&mut buffer).await?;",
            "let all = axum::body::to_bytes(body, usize::MAX).await?;",
        ] {
            assert_eq!(memory(&planted(code)).len(), 1, "{code}");
        }
    }

    #[test]
    fn what_has_a_maximum_is_left_alone() {
        for code in [
            "let (tx, rx) = tokio::sync::mpsc::channel(EVENTS_MAX);",
            "let all = Limited::new(body, BODY_BYTES_MAX)\n    .collect()\n    .await?;",
            "stream.take(BYTES_MAX).read_to_end(&mut buffer).await?;",
            "let v: Vec<_> = iter.collect();",
            "let some = all.take(usize::try_from(n).unwrap_or(usize::MAX));",
            "let bytes = usize::try_from(limits.bytes_max).unwrap_or(usize::MAX);",
            "// an unbounded queue would be wrong here",
        ] {
            assert!(memory(&planted(code)).is_empty(), "{code}");
        }
    }

    #[test]
    fn a_limit_without_its_unit_last_is_found() {
        for code in
            ["const MAX_BODY: usize = 1;", "    pub max_body_bytes: u64,", "const BODY_MAX_BYTES: u64 = 1;"]
        {
            assert_eq!(names(&planted(code)).len(), 1, "{code}");
        }
        for code in
            ["const BODY_BYTES_MAX: usize = 1;", "    pub max_tokens: Option<u32>,", "let max_seen = 3;"]
        {
            assert!(names(&planted(code)).is_empty(), "{code}");
        }
    }
}
