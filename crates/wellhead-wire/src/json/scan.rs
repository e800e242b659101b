//! Finding members: at the top level for requests, by path for answers.

use super::{Cursor, NESTING_MAX};
use std::ops::Range;

/// Why a text was refused. Offsets are bytes from its start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// Not JSON.
    #[error("invalid JSON at byte {at}: expected {expected}")]
    Syntax {
        /// Where it stops being JSON.
        at: usize,
        /// What would have been right there.
        expected: &'static str,
    },
    /// More levels than any parser behind us accepts.
    #[error("invalid JSON at byte {at}: nested deeper than {NESTING_MAX} levels")]
    TooDeep {
        /// Where the level too many opens.
        at: usize,
    },
    /// Valid JSON, but an array, a string, a number or a literal.
    #[error("expected a JSON object")]
    NotAnObject,
    /// A member that was asked for stands there twice: two parsers could disagree about which one counts.
    #[error("member `{name}` appears twice (again at byte {at}); send it once")]
    Duplicate {
        /// Its name.
        name: &'static str,
        /// Where the second one is.
        at: usize,
    },
}

/// Where one member lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name with the quotes.
    pub name: Range<usize>,
    /// Its value without the white space around it.
    pub value: Range<usize>,
}

/// Where an object opens, and whether anything is in it; what an insertion needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectSpan {
    /// Offset of `{`.
    pub open: usize,
    /// Whether it has no members.
    pub is_empty: bool,
}

/// The members that were asked for, in the order of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans<const N: usize> {
    /// The object itself.
    pub object: ObjectSpan,
    /// One entry per key asked for.
    pub members: [Option<Member>; N],
}

/// Checks that `body` is one JSON value, exactly as strictly as `serde_json` does.
pub fn validate(body: &[u8]) -> Result<(), ScanError> {
    let mut cursor = Cursor::new(body)?;
    cursor.skip()?;
    cursor.end()
}

/// Checks that `body` is one JSON object and finds the top-level members named `keys`.
pub fn scan<const N: usize>(body: &[u8], keys: &[&'static str; N]) -> Result<Spans<N>, ScanError> {
    scan_with(body, keys, |cursor, _| cursor.skip().map(drop))
}

/// The same, for a caller that reads values on the way: `value` gets the cursor in front of the value of a member
/// that was asked for, and the index of its key, and must consume exactly that value.
pub(crate) fn scan_with<const N: usize>(
    body: &[u8],
    keys: &[&'static str; N],
    mut value: impl FnMut(&mut Cursor<'_>, usize) -> Result<(), ScanError>,
) -> Result<Spans<N>, ScanError> {
    let mut cursor = Cursor::new(body)?;
    if cursor.peek().is_some_and(|first| first != b'{') {
        cursor.skip()?;
        cursor.end()?;
        return Err(ScanError::NotAnObject);
    }
    let open = cursor.position();
    let mut members = [const { None }; N];
    let count = cursor.object(|cursor, name| {
        let Some(index) = keys.iter().position(|key| name.is(key)) else { return cursor.skip().map(drop) };
        let name = name.span();
        if members[index].is_some() {
            return Err(ScanError::Duplicate { name: keys[index], at: name.start });
        }
        cursor.peek();
        let start = cursor.position();
        value(cursor, index)?;
        members[index] = Some(Member { name, value: start..cursor.position() });
        Ok(())
    })?;
    cursor.end()?;
    Ok(Spans { object: ObjectSpan { open, is_empty: count == 0 }, members })
}

/// The bytes of the value at `path` (member names, from the outside in), or `None` if it is not there, something on
/// the way is not an object, or the text is not JSON. Of members with the same name the last one counts, as in
/// every common parser.
pub fn find<'a>(body: &'a [u8], path: &[&str]) -> Option<&'a [u8]> {
    let mut cursor = Cursor::new(body).ok()?;
    let mut found = None;
    descend(&mut cursor, path, &mut found).ok()?;
    cursor.end().ok()?;
    found.map(|span| cursor.slice(span))
}

fn descend(
    cursor: &mut Cursor<'_>,
    path: &[&str],
    found: &mut Option<Range<usize>>,
) -> Result<(), ScanError> {
    let Some((first, rest)) = path.split_first() else {
        *found = Some(cursor.skip()?);
        return Ok(());
    };
    if cursor.peek() != Some(b'{') {
        return cursor.skip().map(drop);
    }
    cursor
        .object(|cursor, name| {
            if !name.is(first) {
                return cursor.skip().map(drop);
            }
            *found = None;
            descend(cursor, rest, found)
        })
        .map(drop)
}
