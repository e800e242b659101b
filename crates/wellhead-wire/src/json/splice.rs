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

/// A part of an edited text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// These bytes of the text as it was.
    Kept(Range<usize>),
    /// These bytes instead of what was there.
    New(Bytes),
}

impl Part {
    /// The part's bytes; `whole` is the text that the edits were made against. What is kept shares its memory.
    pub fn of(&self, whole: &Bytes) -> Bytes {
        match self {
            Self::Kept(range) if range.end <= whole.len() => whole.slice(range.clone()),
            Self::Kept(_) => Bytes::new(),
            Self::New(bytes) => bytes.clone(),
        }
    }

    fn bytes<'a>(&'a self, body: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Kept(range) => body.get(range.clone()).unwrap_or_default(),
            Self::New(bytes) => bytes,
        }
    }

    /// The part without the byte at `at`.
    fn without(self, at: usize) -> [Self; 2] {
        match self {
            Self::Kept(range) => {
                let at = range.start + at;
                [Self::Kept(range.start..at), Self::Kept(at + 1..range.end)]
            }
            Self::New(bytes) => [Self::New(bytes.slice(..at)), Self::New(bytes.slice(at + 1..))],
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Kept(range) => range.is_empty(),
            Self::New(bytes) => bytes.is_empty(),
        }
    }
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
        let at = object.open + 1;
        let mut with = Vec::with_capacity(name.len() + value.len() + 4);
        if object.is_empty && self.edits.iter().any(|edit| edit.span == (at..at)) {
            with.push(b',');
        }
        push_quoted(&mut with, name);
        with.push(b':');
        with.extend_from_slice(value);
        if !object.is_empty {
            with.push(b',');
        }
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

    /// The edited text as what is kept and what is new, in order and without empty parts: for texts that are too large
    /// to be copied, or that are elsewhere by the time they are needed.
    pub fn parts(mut self) -> Vec<Part> {
        self.edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let mut parts = Vec::with_capacity(self.edits.len() * 2 + 1);
        let mut done = 0;
        for edit in self.edits {
            if edit.span.start < done || edit.span.end > self.body.len() {
                continue;
            }
            parts.push(Part::Kept(done..edit.span.start));
            if edit.drops_comma {
                drop_comma(&mut parts, self.body);
            }
            parts.push(Part::New(Bytes::from(edit.with)));
            done = edit.span.end;
        }
        parts.push(Part::Kept(done..self.body.len()));
        parts.retain(|part| !part.is_empty());
        parts
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

/// The text with another value at `path`. `None`: nothing is there, or it is that value already.
pub(crate) fn replaced(body: &[u8], path: &[&str], with: &[u8]) -> Option<Bytes> {
    let value = super::find(body, path).filter(|value| *value != with)?;
    let start = value.as_ptr().addr().checked_sub(body.as_ptr().addr())?;
    let mut splice = Splice::new(body);
    splice.replace(start..start + value.len(), with);
    Some(splice.finish())
}

/// Whatever stands before the last member in what was written so far is `{`, or a comma that has lost its purpose.
fn drop_trailing_comma(out: &mut Vec<u8>) {
    if let Some(last) = out.iter().rposition(|b| !b.is_ascii_whitespace())
        && out[last] == b','
    {
        out.remove(last);
    }
}

/// The same for parts.
fn drop_comma(parts: &mut Vec<Part>, body: &[u8]) {
    for i in (0..parts.len()).rev() {
        let bytes = parts[i].bytes(body);
        let Some(last) = bytes.iter().rposition(|b| !b.is_ascii_whitespace()) else { continue };
        if bytes[last] == b',' {
            let halves = parts.remove(i).without(last);
            parts.splice(i..i, halves);
        }
        return;
    }
}
