//! No text panics, hangs or is accepted without surviving its canonical form.

use proptest::prelude::*;
use wellhead_config::{FILE_BYTES_MAX, fuzz_load};

use crate::support::{errors, files, folder};

fn sources() -> Vec<String> {
    let folders = ["right", "wrong"].map(folder);
    folders.iter().flat_map(|folder| files(folder)).map(|(_, text)| text).collect()
}

#[test]
fn the_fuzz_entry_accepts_what_is_right() {
    assert!(fuzz_load(
        b"version: 1\nproviders: { a: { kind: openai-compatible, base_url: 'http://a.example' } }"
    ));
    assert!(!fuzz_load(b"version: 2"));
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        fuzz_load(text.as_bytes());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        fuzz_load(&bytes);
    }

    #[test]
    fn text_made_of_yaml_never_panics(pieces in proptest::collection::vec(
        prop::sample::select(vec![
            "version: 1\n", "providers:", "models:", "apps:", "keys:", " ", "\n", "\n  ", "\n    ", "- ", "{", "}", "[",
            "]", ",", ": ", "a", "\"", "'", "&x ", "*x", "<<: ", "${SET}", "${file:x}", "${", "}", "$${", "|\n", ">-\n",
            "? ", "!!str ", "---\n", "...\n", "#c\n", "\t", "1", "-1", "null", "15s", "\u{feff}", "\r", "\u{2028}", "é",
        ]), 0..60)) {
        fuzz_load(pieces.concat().as_bytes());
    }

    #[test]
    fn a_damaged_file_never_panics(
        which: prop::sample::Index,
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..20, "[ -~\n\t]{0,6}"), 1..4),
    ) {
        let sources = sources();
        let mut bytes = which.get(&sources).clone().into_bytes();
        for (at, length, insert) in cuts {
            if bytes.is_empty() {
                break;
            }
            let start = at.index(bytes.len());
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, insert.into_bytes());
        }
        fuzz_load(&bytes);
    }
}

#[test]
fn an_alias_bomb_is_refused_by_its_size() {
    let mut text = "version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let row = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{row}]\n"));
    }
    let errors = errors(&text);
    assert!(
        errors.iter().any(|error| error.message.contains("anchors and aliases add more than")),
        "{errors:?}"
    );
}

#[test]
fn a_file_beyond_the_limit_is_refused_unread() {
    let errors = errors(&" ".repeat(FILE_BYTES_MAX + 1));
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().contains("bytes long; expected at most"), "{}", errors[0]);
}

#[test]
fn deep_nesting_is_refused_not_followed() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", "")] {
        let text = format!("{}x{}", open.repeat(100_000), close.repeat(100_000));
        assert!(!errors(&text).is_empty());
    }
}
