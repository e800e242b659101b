//! "Did you mean": the nearest of the names that exist.

/// Names that are compared with one wrong name: vendors' lists have a few thousand at most.
const CANDIDATES_MAX: usize = 10_000;
/// Longer names are not compared; the comparison costs the product of both lengths.
const NAME_BYTES_MAX: usize = 256;

/// The nearest names to `wrong`, best first, at most `count`. Near is what differs in at most a third of its letters,
/// or holds the other.
pub(crate) fn nearest<'a>(
    wrong: &str,
    names: impl IntoIterator<Item = &'a str>,
    count: usize,
) -> Vec<&'a str> {
    let folded = wrong.to_lowercase();
    if folded.is_empty() || folded.len() > NAME_BYTES_MAX {
        return Vec::new();
    }
    let allowed = (folded.chars().count() / 3).max(1);
    let distance = |name: &str| {
        let name = name.to_lowercase();
        let edits = strsim::osa_distance(&folded, &name);
        let holds = folded.len().min(name.len()) >= 3 && (name.contains(&folded) || folded.contains(&name));
        // One that holds the other comes behind a slip of one or two letters.
        if holds { edits.min(allowed) } else { edits }
    };
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .take(CANDIDATES_MAX)
        .filter(|name| name.len() <= NAME_BYTES_MAX)
        .map(|name| (distance(name), name))
        .filter(|(edits, _)| *edits <= allowed)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(count).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_come_before_names_that_hold_the_other_and_strangers_are_left_out() {
        let names = ["gpt-4.1-mini", "gpt-4.1", "gpt-4o", "whisper-1", "text-embedding-3-small"];
        assert_eq!(nearest("gpt-41", names, 3), ["gpt-4.1", "gpt-4o"]);
        assert_eq!(nearest("GPT-4.1", names, 1), ["gpt-4.1"]);
        assert_eq!(nearest("claude-sonnet", names, 3), [""; 0]);
        assert_eq!(nearest("", names, 3), [""; 0]);
    }
}
