//! "Did you mean": the nearest of the names that exist.

/// Names that are compared with one wrong name; keeps a wrong reference in a huge file cheap.
const CANDIDATES_MAX: usize = 20_000;

/// The nearest of `names` to `wrong`, if one is near enough to be meant: at most a third of its letters differ
/// (a swap of neighbours counts as one), or one is the beginning of the other.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let folded = wrong.to_lowercase();
    if folded.is_empty() || folded.len() > 256 {
        return None;
    }
    let allowed = (folded.chars().count() / 3).max(1);
    let distance = |name: &str| {
        let name = name.to_lowercase();
        let edits = strsim::osa_distance(&folded, &name);
        let shorter = folded.len().min(name.len());
        let is_prefix = shorter >= 3 && (name.starts_with(&folded) || folded.starts_with(&name));
        if is_prefix { edits.min(allowed) } else { edits }
    };
    names
        .into_iter()
        .take(CANDIDATES_MAX)
        .filter(|name| name.len() <= 256)
        .map(|name| (distance(name), name))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typos_find_their_word_and_strangers_find_none() {
        let names = ["first", "second", "base_url", "keys"];
        assert_eq!(nearest("frist", names).as_deref(), Some("first"));
        assert_eq!(nearest("baseurl", names).as_deref(), Some("base_url"));
        assert_eq!(nearest("Keys", names).as_deref(), Some("keys"));
        assert_eq!(nearest("key", names).as_deref(), Some("keys"));
        assert_eq!(nearest("anthropic", names), None);
        assert_eq!(nearest("", names), None);
    }
}
