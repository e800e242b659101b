//! Source lines that may be shown. Whatever is not known to be harmless is blacked out, because a key that was
//! written at the wrong place is still a key.

use std::ops::Range;

use crate::diagnostic::Diagnostic;

/// Longest source line that is shown, in characters; a longer one fills the screen and hides the message.
const LINE_CHARS_MAX: usize = 160;
/// What a letter or digit is replaced with.
const BLACK: char = '•';

/// Gives every diagnostic its source line. `visible` are the byte ranges that may be shown.
pub(crate) fn attach(
    diagnostics: &mut [Diagnostic],
    file: &str,
    source: &str,
    mut visible: Vec<Range<usize>>,
) {
    visible.sort_by_key(|range| range.start);
    let starts = line_starts(source);
    for diagnostic in diagnostics.iter_mut().filter(|diagnostic| diagnostic.file == file) {
        let index = (diagnostic.line as usize).saturating_sub(1);
        let Some(start) = starts.get(index).copied() else { continue };
        let end = starts.get(index + 1).copied().unwrap_or(source.len());
        let Some(line) = source.get(start..end) else { continue };
        let line = line.trim_end_matches(['\n', '\r']);
        if (diagnostic.column as usize) <= LINE_CHARS_MAX
            && !line.trim().is_empty()
            && !line.trim_start().starts_with('#')
        {
            diagnostic.excerpt = Some(blacken(line, start, &visible));
        }
    }
}

/// The range of a line's leading key (`  - name:`), for lines of which nothing else is known.
pub(crate) fn leading_key(source: &str, line: u32) -> Option<Range<usize>> {
    let starts = line_starts(source);
    let index = (line as usize).checked_sub(1)?;
    let start = *starts.get(index)?;
    let end = starts.get(index + 1).copied().unwrap_or(source.len());
    let text = source.get(start..end)?;
    let skipped = text.len() - text.trim_start_matches([' ', '-', '{', '[', '"', '\'', '?']).len();
    let word = &text[skipped..];
    let length = word.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(word.len());
    let after = word[length..].trim_start_matches(['"', '\'']);
    (after.starts_with(':') && length > 0).then(|| start + skipped..start + skipped + length)
}

fn line_starts(source: &str) -> Vec<usize> {
    // The parser counts CR LF, LF and CR alone as line ends.
    let bytes = source.as_bytes();
    let mut starts = vec![0];
    for (at, byte) in bytes.iter().enumerate() {
        let ends = *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
        if ends {
            starts.push(at + 1);
        }
    }
    starts
}

/// Cuts a trailing comment: blacked out it would only be noise. What looks like one but has something visible behind
/// it is kept.
fn without_comment(line: &str, visible_behind: impl Fn(usize) -> bool) -> &str {
    let cut = line.match_indices(" #").map(|(at, _)| at).find(|at| !visible_behind(*at));
    line[..cut.unwrap_or(line.len())].trim_end()
}

fn blacken(line: &str, offset: usize, visible: &[Range<usize>]) -> String {
    // Ranges may nest (a value within a mapping), so the ones before the line are searched back a little.
    let first = visible.partition_point(|range| range.start < offset).saturating_sub(64);
    let last = visible.partition_point(|range| range.start < offset + line.len());
    let near = visible.get(first..last).unwrap_or_default();
    let shown = |at: usize| near.iter().any(|range| range.contains(&at));
    let line = without_comment(line, |at| near.iter().any(|range| range.end > offset + at));
    let mut out = String::with_capacity(line.len());
    for (count, (at, c)) in line.char_indices().enumerate() {
        if count >= LINE_CHARS_MAX {
            out.push('…');
            break;
        }
        let harmless = "[]{},:\"'#-&*|>?! ".contains(c);
        out.push(match c {
            '\t' => ' ',
            c if harmless || shown(offset + at) => c,
            _ => BLACK,
        });
    }
    out
}
