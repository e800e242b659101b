//! How much of what was said is said again.

/// How far back a repetition is looked for. Models repeat a phrase or a line, not a page.
const WINDOW_BYTES_MAX: usize = 1024;

/// Shorter repetitions are taken for chance: "the " or "and then" may well follow itself.
const OVERLAP_CHARS_MIN: usize = 8;

/// Bytes at the start of `new` that repeat the end of `seen`: the longest such piece within the window, 0 if there is
/// none. `None` as long as more of `new` could make one; not when `last`.
pub(super) fn overlap(seen: &str, new: &str, last: bool) -> Option<usize> {
    let mut start = seen.len().saturating_sub(WINDOW_BYTES_MAX);
    while !seen.is_char_boundary(start) {
        start += 1;
    }
    let window = seen.get(start..).unwrap_or_default();
    let chars = window.chars().count();
    let candidates = (chars + 1).saturating_sub(OVERLAP_CHARS_MIN);
    for (at, _) in window.char_indices().take(candidates) {
        let suffix = window.get(at..).unwrap_or_default();
        if new.starts_with(suffix) {
            return Some(suffix.len());
        }
        if !last && suffix.starts_with(new) {
            return None;
        }
    }
    Some(0)
}
