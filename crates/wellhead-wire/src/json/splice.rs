//! Edits to a body by spans; every byte outside them survives as it was.

use super::{Member, ObjectSpan, push_quoted};
use bytes::Bytes;
use std::ops::Range;

/// Collects edits to one JSON text and writes the new one. Edits must not overlap; of two that do, the one that
/// begins later is left out.
#[derive(Debug, Clone)]
pub struct Splice<'a> {
    body: &'a [u8],
    edits: Vec<Edit>,
}

#[derive(Debug, Clone)]
struct Edit {
    span: Range<usize>,
    with: Vec<u8>,
    /// The last member of its object goes away, so the comma before it has to go too.
    drops_comma: bool,
}

impl<'a> Splice<'a> {
    /// Starts without edits.
    pub const fn new(body: &'a [u8]) -> Self {
        Self { body, edits: Vec::new() }
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Puts `with`, which must be JSON, in the place of a span.
    pub fn replace(&mut self, span: Range<usize>, with: impl Into<Vec<u8>>) {
        self.edits.push(Edit { span, with: with.into(), drops_comma: false });
    }

    /// Adds a member at the start of an object; `value` must be JSON.
    pub fn insert(&mut self, object: ObjectSpan, name: &str, value: &[u8]) {
        let mut with = Vec::with_capacity(name.len() + value.len() + 4);
        push_quoted(&mut with, name);
        with.push(b':');
        with.extend_from_slice(value);
        if !object.is_empty {
            with.push(b',');
        }
        let at = object.open + 1;
        self.edits.push(Edit { span: at..at, with, drops_comma: false });
    }

    /// Takes a member out, with the comma behind it or, for the last one, before it.
    pub fn remove(&mut self, member: &Member) {
        let rest = self.body.get(member.value.end..).unwrap_or_default();
        let next = rest.iter().position(|b| !b.is_ascii_whitespace());
        let comma = next.filter(|&i| rest[i] == b',');
        let end = member.value.end + comma.map_or(0, |i| i + 1);
        self.edits.push(Edit {
            span: member.name.start..end,
            with: Vec::new(),
            drops_comma: comma.is_none(),
        });
    }

    /// The edited text as pieces, most of them slices of `whole`, which must be what the edits were made against:
    /// nothing large is copied. A removed last member needs a look back and makes one copied piece.
    pub fn pieces(mut self, whole: &Bytes) -> Vec<Bytes> {
        if self.edits.iter().any(|edit| edit.drops_comma) {
            return vec![self.finish()];
        }
        self.edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let mut pieces = Vec::with_capacity(self.edits.len() * 2 + 1);
        let mut done = 0;
        for edit in self.edits {
            if edit.span.start < done || edit.span.end > whole.len() {
                continue;
            }
            pieces.push(whole.slice(done..edit.span.start));
            pieces.push(Bytes::from(edit.with));
            done = edit.span.end;
        }
        pieces.push(whole.slice(done..));
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    /// Writes the edited text.
    pub fn finish(mut self) -> Bytes {
        // An insertion stands before a removal that begins at the same byte.
        self.edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let grown: usize = self.edits.iter().map(|edit| edit.with.len()).sum();
        let mut out = Vec::with_capacity(self.body.len() + grown);
        let mut done = 0;
        for edit in &self.edits {
            let Some(kept) = self.body.get(done..edit.span.start) else { continue };
            out.extend_from_slice(kept);
            if edit.drops_comma {
                drop_trailing_comma(&mut out);
            }
            out.extend_from_slice(&edit.with);
            done = edit.span.end;
        }
        out.extend_from_slice(self.body.get(done..).unwrap_or_default());
        Bytes::from(out)
    }
}

/// Whatever stands before the last member in what was written so far is `{`, or a comma that has lost its purpose.
fn drop_trailing_comma(out: &mut Vec<u8>) {
    if let Some(last) = out.iter().rposition(|b| !b.is_ascii_whitespace())
        && out[last] == b','
    {
        out.remove(last);
    }
}
