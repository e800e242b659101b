//! Ids and names that the service takes (wire.md, trap 6).

use super::super::Family;
use crate::chat::ids::{Ids, Naming, hash};
use std::borrow::Cow;

/// Longest id and longest name in bytes.
pub(super) const NAME_BYTES_MAX: usize = 64;

/// Mistral's models know only ids of so many letters and digits.
const MISTRAL_BYTES: usize = 9;

/// For the models of a vendor.
pub(super) fn ids<'a>(family: Family) -> Ids<'a> {
    let naming: Naming = if family == Family::Mistral { short } else { plain };
    Ids::new(naming)
}

fn plain(id: &str, number: usize) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    if number == 0 && !id.is_empty() && id.len() <= NAME_BYTES_MAX && id.chars().all(is_plain) {
        return Cow::Borrowed(id);
    }
    let letters: String = id.chars().filter(|c| is_plain(*c)).take(24).collect();
    Cow::Owned(format!("{letters}-{:016x}-{number}", hash(id)))
}

fn short(id: &str, number: usize) -> Cow<'_, str> {
    if number == 0 && id.len() == MISTRAL_BYTES && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Cow::Borrowed(id);
    }
    let mixed = hash(id).wrapping_add(u64::try_from(number).unwrap_or(u64::MAX));
    let digits = format!("{mixed:016x}");
    Cow::Owned(digits.get(digits.len() - MISTRAL_BYTES..).unwrap_or_default().to_owned())
}

/// Whether a tool may have this name.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(in_names)
}

/// The name of a call in the conversation. Models invent names that no tool can have; what they did stays readable.
pub(super) fn name(name: &str) -> Cow<'_, str> {
    if is_name(name) {
        return Cow::Borrowed(name);
    }
    let letters = name.chars().map(|c| if in_names(c) { c } else { '_' }).take(NAME_BYTES_MAX);
    let letters: String = letters.collect();
    Cow::Owned(if letters.is_empty() { "_".to_owned() } else { letters })
}

const fn in_names(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{Family, ids, name};
    use std::collections::HashSet;

    #[test]
    fn trap_6_ids_have_letters_and_lengths_that_the_service_takes_and_stay_apart() {
        let long = "x".repeat(200);
        let foreign = ["call_1", "", "größe", "a b", "functions.get:0", "toolu_01A", &long, "123456789"];
        for family in [Family::Claude, Family::Mistral] {
            let mut ids = ids(family);
            let names: Vec<_> = foreign.iter().map(|id| ids.call(id)).collect();
            assert_eq!(names.iter().collect::<HashSet<_>>().len(), foreign.len());
            for (id, name) in foreign.iter().zip(&names) {
                assert!((1..=64).contains(&name.len()), "{name}");
                let fits = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
                assert!(name.chars().all(fits), "{name}");
                if family == Family::Mistral {
                    assert!(name.len() == 9 && name.bytes().all(|b| b.is_ascii_alphanumeric()), "{name}");
                }
                assert_eq!(&ids.result(id), name);
            }
            // Numbered anew in every turn.
            let again: HashSet<_> = (0..1000).map(|_| ids.call("call_1").into_owned()).collect();
            assert_eq!(again.len(), 1000);
        }
        assert_eq!(ids(Family::Claude).call("functions.get:0"), "functions.get:0");
        assert_eq!(ids(Family::Mistral).call("123456789"), "123456789");
    }

    #[test]
    fn trap_6_names_of_calls_have_letters_that_the_service_takes() {
        for (said, written) in [
            ("get_weather", "get_weather"),
            ("functions.get", "functions_get"),
            ("", "_"),
            ("größe", "gr__e"),
        ] {
            assert_eq!(name(said), written);
        }
        assert_eq!(name(&"ö".repeat(100)).len(), 64);
    }
}
