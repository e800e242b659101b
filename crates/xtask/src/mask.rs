//! Rust source with the parts blanked out that a rule must not look at, so that rules can search for plain words.
//!
//! Not a parser: it knows comments, strings, characters and braces, which is what telling code from prose takes.
//! Blanked bytes become spaces; line breaks stay, so that line numbers hold.

/// Which parts stay.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Code only: comments and the contents of strings are blank.
    Code,
    /// Code and strings: only comments are blank.
    CodeAndStrings,
}

/// `source` with everything blanked that `keep` does not name.
pub(crate) fn mask(source: &str, keep: Keep) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let (end, blank) = token(bytes, at, keep);
        if blank {
            out[at..end].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).unwrap_or_default()
}

/// Where the token at `at` ends, and whether it is to be blanked.
fn token(bytes: &[u8], at: usize, keep: Keep) -> (usize, bool) {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return (at + find(rest, b"\n").unwrap_or(rest.len()), true);
    }
    if rest.starts_with(b"/*") {
        return (at + block_comment(rest), true);
    }
    let boundary = at == 0 || !is_word(bytes[at - 1]);
    if let Some(length) = raw_string(rest).filter(|_| boundary) {
        return (at + length, keep == Keep::Code);
    }
    match rest[0] {
        b'"' => (at + quoted(rest, b'"'), keep == Keep::Code),
        b'\'' => match character(rest) {
            Some(length) => (at + length, keep == Keep::Code),
            None => (at + 1, false),
        },
        _ => (at + 1, false),
    }
}

/// Length of a block comment, which may nest.
fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut i) = (0_usize, 0);
    while i < rest.len() {
        if rest[i..].starts_with(b"/*") {
            depth += 1;
            i += 2;
        } else if rest[i..].starts_with(b"*/") {
            depth -= 1;
            i += 2;
            if depth == 0 {
                return i;
            }
        } else {
            i += 1;
        }
    }
    rest.len()
}

/// Length of `r"..."`, `br#"..."#` and their kin.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix = [&b"br"[..], b"cr", b"r"].into_iter().find(|p| rest.starts_with(p))?.len();
    let hashes = rest[prefix..].iter().take_while(|&&b| b == b'#').count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    Some(find(&rest[open + 1..], &close).map_or(rest.len(), |i| open + 1 + i + close.len()))
}

/// Length of a literal with escapes, its quotes included.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut i = 1;
    while i < rest.len() {
        match rest[i] {
            b'\\' => i += 2,
            b if b == quote => return i + 1,
            _ => i += 1,
        }
    }
    rest.len()
}

/// Length of a character literal; `None` for a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return Some(quoted(rest, b'\''));
    }
    // One character of up to four bytes, then the quote.
    (2..=5)
        .find(|&i| rest.get(i) == Some(&b'\''))
        .filter(|&i| std::str::from_utf8(&rest[1..i]).is_ok_and(|text| text.chars().count() == 1))
        .map(|i| i + 1)
}

/// `masked` (see [`mask`]) without the items that are compiled for tests only.
pub(crate) fn without_tests(code: &str, masked: &str) -> String {
    let mut out = masked.as_bytes().to_vec();
    let mut from = 0;
    while let Some(start) = find(&code.as_bytes()[from..], b"#[cfg(test)]").map(|i| from + i) {
        let end = item_end(code, start);
        out[start..end].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
        from = end.max(start + 1);
    }
    String::from_utf8(out).unwrap_or_default()
}

/// Names of the modules that a file declares for tests only, in files of their own.
pub(crate) fn test_modules(code: &str) -> Vec<String> {
    let items = code.match_indices("#[cfg(test)]").map(|(start, _)| &code[start..item_end(code, start)]);
    let names =
        items.filter_map(|item| item.strip_suffix(';')?.rsplit_once("mod ").map(|(_, name)| name.trim()));
    names.map(str::to_owned).collect()
}

/// Where the item that starts at `start` ends: after its `;` or its closing brace.
fn item_end(code: &str, start: usize) -> usize {
    let bytes = code.as_bytes();
    let Some(stop) = (start..bytes.len()).find(|&i| matches!(bytes[i], b';' | b'{')) else {
        return bytes.len();
    };
    if bytes[stop] == b';' { stop + 1 } else { block_end(bytes, stop) }
}

/// Just after the brace that closes the one at `open`; the end if there is none.
pub(crate) fn block_end(code: &[u8], open: usize) -> usize {
    let mut depth = 0_usize;
    for (i, byte) in code.iter().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return i + 1;
        }
    }
    code.len()
}

/// Whether `line` contains `word` as a word of its own where it begins or ends with a letter, digit or `_`.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let bytes = line.as_bytes();
    line.match_indices(word).any(|(start, _)| {
        let end = start + word.len();
        let open = start > 0 && is_word(bytes[start - 1]) && word.bytes().next().is_some_and(is_word);
        let close = end < bytes.len() && is_word(bytes[end]) && word.bytes().last().is_some_and(is_word);
        !open && !close
    })
}

/// The words of `text`: runs of letters, digits and `_`.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{Keep, has_word, mask, test_modules, without_tests};

    #[test]
    fn comments_strings_and_characters_are_told_from_code() {
        let table = [
            ("a // b\nc", "a     \nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e", "a                   e"),
            ("f(\"x // y\") // z", "f(        )     ", "f(\"x // y\")     "),
            ("r#\"a\"b\"# c", "         c", "r#\"a\"b\"# c"),
            ("br\"a\\\" + b", "       + b", "br\"a\\\" + b"),
            ("'\"' + \"b\"", "    +    ", "'\"' + \"b\""),
            ("'\\'' + b", "     + b", "'\\'' + b"),
            ("<'a>(x: &'a str)", "<'a>(x: &'a str)", "<'a>(x: &'a str)"),
            ("\"\\\"\" x", "     x", "\"\\\"\" x"),
        ];
        for (source, code, both) in table {
            assert_eq!(mask(source, Keep::Code), code, "{source}");
            assert_eq!(mask(source, Keep::CodeAndStrings), both, "{source}");
        }
    }

    #[test]
    fn items_for_tests_are_blanked_and_nothing_else() {
        let code = "fn a() { b } #[cfg(test)] mod tests { fn c() { d } } fn e() {}";
        let left = without_tests(code, code);
        assert_eq!(left.split_whitespace().collect::<Vec<_>>().join(" "), "fn a() { b } fn e() {}");
        let code = "#[cfg(test)]\nmod helpers;\nfn e() {}";
        assert_eq!(test_modules(code), ["helpers"]);
        assert_eq!(without_tests(code, code).trim(), "fn e() {}");
    }

    #[test]
    fn words_are_whole_words() {
        assert!(has_word("a.unbounded()", "unbounded"));
        assert!(!has_word("a.unbounded_ok()", "unbounded"));
        assert!(has_word("x::Instant::now()", "Instant::now"));
        assert!(has_word("y.await?", ".await"));
        assert!(!has_word("y.awaited", ".await"));
    }
}
