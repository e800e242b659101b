//! Functions fit a screen.

use super::{Rule, Violation};
use crate::mask;
use crate::tree::Tree;

/// Longest function, in lines from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 80;

/// No function is too long.
pub(crate) static RULE: Rule = Rule {
    name: "function-size",
    why: "a function that does not fit a screen is read in pieces and changed by guess",
    fix: "give a name to each of its steps",
    check,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in tree.files().filter(|file| !file.code.is_empty()) {
        for (name, line, lines) in functions(&file.code) {
            if lines > FUNCTION_LINES_MAX {
                let message = format!("fn {name} has {lines} lines, {FUNCTION_LINES_MAX} are allowed");
                found.push(RULE.at(&file.path, line, message));
            }
        }
    }
    found
}

/// Functions with a body: name, line, length in lines.
fn functions(code: &str) -> impl Iterator<Item = (&str, usize, usize)> {
    code.match_indices("fn ").filter_map(move |(start, _)| {
        let boundary = start == 0 || code.as_bytes()[start - 1].is_ascii_whitespace();
        let name = mask::words(&code[start + 3..]).next().filter(|_| boundary)?;
        let open = body(code, start)?;
        let end = mask::block_end(code.as_bytes(), open);
        let line = 1 + code[..start].matches('\n').count();
        Some((name, line, 1 + code[start..end].matches('\n').count()))
    })
}

/// The opening brace of the body; `None` for a declaration without one.
fn body(code: &str, start: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (i, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(i),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tree::Tree;

    #[test]
    fn a_long_function_is_found_and_a_long_test_is_not() {
        let body = "    work();\n".repeat(80);
        let long = format!("trait T {{ fn short(a: [u8; 3]); }}\nfn long(a: [u8; 3]) -> u8 {{\n{body}}}\n");
        let tree = Tree::planted(&[("crates/a/src/a.rs", &long)], &[]);
        let found = check(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].to_string().starts_with("crates/a/src/a.rs:2: function-size: fn long has 82 lines"));
        let test = format!("#[cfg(test)]\nmod tests {{\n{long}}}\n");
        assert!(check(&Tree::planted(&[("crates/a/src/a.rs", &test)], &[])).is_empty());
    }
}
