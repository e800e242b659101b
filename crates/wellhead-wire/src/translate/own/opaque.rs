//! Opaque reasoning in bodies that are otherwise passed on as they are: where it stands, and the marks that say where it
//! came from.

use crate::anthropic::FOR_PREVIOUS;
use crate::chat::{Dialect, Opaque, Origin};
use crate::gemini;
use crate::json::{Cursor, ScanError, Splice, Text, quoted};
use std::borrow::Cow;
use std::collections::HashSet;

/// What is looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Request,
    Answer,
    Event,
}

/// Each path leads to blocks or parts; `*` is every element of a list, or the value itself where it is none.
const fn paths(dialect: Dialect, place: Place) -> &'static [&'static [&'static str]] {
    match (dialect, place) {
        (Dialect::Anthropic, Place::Request) => &[&["messages", "*", "content", "*"]],
        (Dialect::Anthropic, Place::Answer) => &[&["content", "*"]],
        (Dialect::Anthropic, Place::Event) => &[&["content_block"], &["delta"]],
        (Dialect::Gemini, Place::Request) => &[&["contents", "*", "parts", "*"]],
        (Dialect::Gemini, _) => &[&["candidates", "*", "content", "parts", "*"]],
        _ => &[],
    }
}

/// What matters of a block.
#[derive(Debug, Default)]
struct Block<'a> {
    kind: Option<Text<'a>>,
    proof: Option<Text<'a>>,
    hidden: Option<Text<'a>>,
    id: Option<Text<'a>>,
    answers: Option<Text<'a>>,
}

impl<'a> Block<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, ScanError> {
        let mut block = Self::default();
        if cursor.peek() != Some(b'{') {
            cursor.skip()?;
            return Ok(block);
        }
        cursor.object(|cursor, name| {
            let place = match &*name.decode() {
                "type" => &mut block.kind,
                "signature" | "thoughtSignature" | "thought_signature" => &mut block.proof,
                "data" => &mut block.hidden,
                "id" => &mut block.id,
                "tool_use_id" => &mut block.answers,
                _ => return cursor.skip().map(drop),
            };
            *place = cursor.string_value()?;
            Ok(())
        })?;
        Ok(block)
    }

    fn is(&self, kind: &str) -> bool {
        self.kind.is_some_and(|own| own.is(kind))
    }

    /// The text that only its origin understands.
    fn opaque(&self) -> Option<Text<'a>> {
        if self.is("redacted_thinking") { self.hidden } else { self.proof }
    }
}

fn blocks<'a>(
    dialect: Dialect,
    place: Place,
    body: &'a [u8],
    visit: &mut dyn FnMut(Block<'a>),
) -> Result<(), ScanError> {
    for path in paths(dialect, place) {
        descend(&mut Cursor::new(body)?, path, visit)?;
    }
    Ok(())
}

fn descend<'a>(
    cursor: &mut Cursor<'a>,
    path: &[&str],
    visit: &mut dyn FnMut(Block<'a>),
) -> Result<(), ScanError> {
    let Some((first, rest)) = path.split_first() else {
        visit(Block::read(cursor)?);
        return Ok(());
    };
    match (*first, cursor.peek()) {
        ("*", Some(b'[')) => cursor.array(|cursor| descend(cursor, rest, visit)).map(drop),
        ("*", _) => descend(cursor, rest, visit),
        (name, Some(b'{')) => {
            let read = cursor.object(|cursor, member| match member.is(name) {
                true => descend(cursor, rest, visit),
                false => cursor.skip().map(drop),
            });
            read.map(drop)
        }
        _ => cursor.skip().map(drop),
    }
}

/// Marks what comes from `origin`.
pub(super) fn mark(dialect: Dialect, place: Place, body: &[u8], origin: &Origin, splice: &mut Splice<'_>) {
    let mut found = Vec::new();
    let read = blocks(dialect, place, body, &mut |block| found.extend(block.opaque()));
    if read.is_err() {
        return;
    }
    for text in found.into_iter().filter(|text| !text.is_empty()) {
        let data = text.decode().into();
        let opaque = Opaque { dialect, origin: Some(origin.clone()), data };
        let marked = if dialect == Dialect::Gemini { gemini::marked(&opaque) } else { opaque.to_text() };
        splice.replace(text.span(), quoted(&marked));
    }
}

/// Whether a client's body may go to `origin` as it is, once the marks of what came from there are taken off. Not if it
/// holds what another target thought, or calls by names that this dialect's vendor does not take.
pub(super) fn unmark(dialect: Dialect, body: &[u8], origin: &Origin, splice: &mut Splice<'_>) -> bool {
    let mut found = Vec::new();
    let mut calls: HashSet<Cow<'_, str>> = HashSet::new();
    let mut is_own = true;
    let read = blocks(dialect, Place::Request, body, &mut |block| {
        found.extend(block.opaque());
        if dialect == Dialect::Anthropic {
            is_own &= !block.is("thinking") || block.proof.is_some();
            is_own &= block.answers.is_none_or(|id| is_plain(&id.decode()));
            if block.is("tool_use") {
                is_own &= block.id.is_some_and(|id| is_plain(&id.decode()) && calls.insert(id.decode()));
            }
        }
    });
    for text in found {
        let said = text.decode();
        let opaque = match dialect {
            Dialect::Gemini => gemini::unmarked(&said),
            _ => Opaque::from_text(dialect, &said),
        };
        is_own &= !opaque.data.is_empty()
            && !opaque.data.starts_with(FOR_PREVIOUS)
            && !said.starts_with(FOR_PREVIOUS);
        match &opaque.origin {
            None => {}
            Some(_) if opaque.is_for(dialect, origin) => splice.replace(text.span(), quoted(&opaque.data)),
            Some(_) => return false,
        }
    }
    is_own && read.is_ok()
}

fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}
