//! One text for all spellings of a JSON value, so that equal requests can be told by their bytes.

use super::{Cursor, ScanError, Text, push_quoted};
use std::borrow::Cow;
use std::ops::Range;

/// Why a text has no canonical form. Offsets are bytes from its start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// It is not JSON, or nested too deep.
    #[error(transparent)]
    Invalid(#[from] ScanError),
    /// An object has two members of one name: two parsers could disagree about which one counts, so nobody can say what
    /// the text means.
    #[error("a member appears twice in an object that ends at byte {at}")]
    Duplicate {
        /// Where that object ends.
        at: usize,
    },
}

/// Writes `body` without white space, its members sorted by name, its strings with as few escapes as possible.
///
/// Two texts have the same canonical form if they hold the same members with the same values, whatever the order of the
/// members and however strings are escaped. Numbers stay as they were written: `1` and `1.0` may mean different things to
/// who reads them, so they differ here. The result is at most three times as long as `body` (`\b` becomes `\u0008`).
pub fn canonical(body: &[u8]) -> Result<Vec<u8>, NotCanonical> {
    let mut cursor = Cursor::new(body)?;
    let mut out = Out { bytes: Vec::with_capacity(body.len()), duplicate: None };
    value(&mut cursor, &mut out)?;
    cursor.end()?;
    match out.duplicate {
        Some(at) => Err(NotCanonical::Duplicate { at }),
        None => Ok(out.bytes),
    }
}

struct Out {
    bytes: Vec<u8>,
    /// Where an object ends that has a name twice.
    duplicate: Option<usize>,
}

/// One value. The cursor bounds the depth of the recursion.
fn value(cursor: &mut Cursor<'_>, out: &mut Out) -> Result<(), ScanError> {
    match cursor.peek() {
        Some(b'{') => object(cursor, out),
        Some(b'[') => {
            out.bytes.push(b'[');
            let start = out.bytes.len();
            cursor.array(|cursor| {
                separate(&mut out.bytes, start);
                value(cursor, out)
            })?;
            out.bytes.push(b']');
            Ok(())
        }
        Some(b'"') => {
            if let Some(text) = cursor.string_value()? {
                string(&text, &mut out.bytes);
            }
            Ok(())
        }
        _ => {
            let span = cursor.skip()?;
            out.bytes.extend_from_slice(cursor.slice(span));
            Ok(())
        }
    }
}

fn object(cursor: &mut Cursor<'_>, out: &mut Out) -> Result<(), ScanError> {
    out.bytes.push(b'{');
    let start = out.bytes.len();
    let mut members: Vec<(Cow<'_, str>, Range<usize>)> = Vec::new();
    cursor.object(|cursor, name| {
        separate(&mut out.bytes, start);
        let from = out.bytes.len();
        string(&name, &mut out.bytes);
        out.bytes.push(b':');
        value(cursor, out)?;
        members.push((name.decode(), from..out.bytes.len()));
        Ok(())
    })?;
    // Most clients write their members in the same order every time, but hardly ever in that of the alphabet.
    if !members.is_sorted_by(|a, b| a.0 < b.0) {
        members.sort_by(|a, b| a.0.cmp(&b.0));
        if members.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
            out.duplicate.get_or_insert(cursor.position());
        }
        let unsorted = out.bytes.split_off(start);
        for (_, span) in members {
            separate(&mut out.bytes, start);
            let span = span.start - start..span.end - start;
            out.bytes.extend_from_slice(unsorted.get(span).unwrap_or_default());
        }
    }
    out.bytes.push(b'}');
    Ok(())
}

/// Writes a comma unless nothing stands behind `start` yet.
fn separate(bytes: &mut Vec<u8>, start: usize) {
    if bytes.len() > start {
        bytes.push(b',');
    }
}

fn string(text: &Text<'_>, bytes: &mut Vec<u8>) {
    push_quoted(bytes, &text.decode());
}

#[cfg(test)]
mod tests;
