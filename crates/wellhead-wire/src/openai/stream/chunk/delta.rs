//! What a delta adds to an answer.

use super::super::calls::{Arguments, Fragment, LEGACY_INDEX};
use super::super::{holds_something, holds_text};
use super::{Chunk, number};
use crate::json::{Cursor, ScanError, Text};

impl<'a> Chunk<'a> {
    /// Text, a refusal, sound and pictures are content; role, reasoning and padding are not. Tool calls go apart.
    #[inline]
    pub(super) fn delta(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ScanError> {
        if cursor.peek() != Some(b'{') {
            return cursor.skip().map(drop);
        }
        let read = cursor.object(|cursor, name| {
            if name.is("content") {
                self.content |= self.content(cursor)?;
                Ok(())
            } else if name.is("role") {
                cursor.skip().map(drop)
            } else {
                self.rare(cursor, name)
            }
        });
        read.map(drop)
    }

    /// A member that most deltas do not have.
    #[inline(never)]
    fn rare(&mut self, cursor: &mut Cursor<'a>, name: Text<'a>) -> Result<(), ScanError> {
        if name.is("refusal") {
            let refusal = holds_text(cursor)?;
            self.others.refusal |= refusal;
            self.content |= refusal;
        } else if name.is("tool_calls") {
            self.tool_calls(cursor)?;
        } else if name.is("function_call") {
            self.function_call(cursor)?;
        } else if name.is("images") {
            let media = holds_something(cursor)?;
            self.others.media |= media;
            self.content |= media;
        } else if name.is("audio") {
            let media = audio(cursor)?;
            self.others.media |= media;
            self.content |= media;
        } else if name.is("annotations") {
            self.others.media |= holds_something(cursor)?;
        } else if name.is("reasoning_content") || name.is("reasoning") {
            self.others.reasoning |= holds_something(cursor)?;
        } else {
            cursor.skip()?;
        }
        Ok(())
    }

    /// Content as text, or as a list of parts of which those that think do not count (Mistral's reasoning models).
    fn content(&mut self, cursor: &mut Cursor<'a>) -> Result<bool, ScanError> {
        if cursor.peek() == Some(b'[') { self.parts(cursor) } else { self.text_at(cursor) }
    }

    #[cold]
    #[inline(never)]
    fn parts(&mut self, cursor: &mut Cursor<'a>) -> Result<bool, ScanError> {
        let mut content = false;
        cursor.array(|cursor| {
            let (thinks, part) = part(cursor)?;
            self.others.reasoning |= thinks;
            content |= part;
            Ok(())
        })?;
        // Clients keep parts apart; nobody can tell where one would go on.
        self.others.media |= content;
        Ok(content)
    }

    #[cold]
    #[inline(never)]
    fn tool_calls(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ScanError> {
        match cursor.peek() {
            Some(b'[') => cursor.array(|cursor| self.tool_call(cursor)).map(drop),
            _ => self.tool_call(cursor),
        }
    }

    fn tool_call(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ScanError> {
        if cursor.peek() != Some(b'{') {
            return cursor.skip().map(drop);
        }
        let mut call = Fragment { choice: 0, index: 0, named: false, free_text: false, arguments: None };
        cursor.object(|cursor, name| {
            if name.is("index") {
                // The highest number is taken, and no vendor counts so far.
                call.index = number(cursor)?.unwrap_or(0).min(LEGACY_INDEX - 1);
                Ok(())
            } else if name.is("function") {
                function(cursor, &mut call)
            } else if name.is("custom") {
                call.free_text = true;
                function(cursor, &mut call)
            } else {
                cursor.skip().map(drop)
            }
        })?;
        self.fragments.push(call);
        Ok(())
    }

    /// The member that calls had before there were several.
    #[cold]
    #[inline(never)]
    fn function_call(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ScanError> {
        let mut call =
            Fragment { choice: 0, index: LEGACY_INDEX, named: false, free_text: false, arguments: None };
        let is_call = cursor.peek() == Some(b'{');
        function(cursor, &mut call)?;
        if is_call {
            self.fragments.push(call);
        }
        Ok(())
    }
}

/// Name and arguments, or the input of a custom tool.
fn function<'a>(cursor: &mut Cursor<'a>, call: &mut Fragment<'a>) -> Result<(), ScanError> {
    if cursor.peek() != Some(b'{') {
        return cursor.skip().map(drop);
    }
    let read = cursor.object(|cursor, name| {
        if name.is("name") {
            call.named |= holds_text(cursor)?;
        } else if name.is("arguments") || name.is("input") {
            call.arguments = arguments(cursor)?.or(call.arguments.take());
        } else {
            cursor.skip()?;
        }
        Ok(())
    });
    read.map(drop)
}

fn arguments<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Arguments<'a>>, ScanError> {
    match cursor.peek() {
        Some(b'"') => Ok(cursor.string_value()?.filter(|text| !text.is_empty()).map(Arguments::Piece)),
        Some(b'{') => {
            let span = cursor.skip()?;
            Ok(Some(Arguments::Object(cursor.text(span))))
        }
        _ => cursor.skip().map(|_| None),
    }
}

/// One part of a list of content: whether it thinks, and whether it is content.
fn part(cursor: &mut Cursor<'_>) -> Result<(bool, bool), ScanError> {
    if cursor.peek() != Some(b'{') {
        return Ok((false, holds_text(cursor)?));
    }
    let (mut thinks, mut text) = (false, None);
    cursor.object(|cursor, name| {
        if name.is("type") {
            thinks = cursor.string_value()?.is_some_and(|kind| kind.is("thinking") || kind.is("reasoning"));
        } else if name.is("text") {
            text = Some(holds_text(cursor)?);
        } else {
            cursor.skip()?;
        }
        Ok(())
    })?;
    Ok((thinks, !thinks && text.unwrap_or(true)))
}

/// Sound commits with its first samples or words, not with its id.
#[cold]
#[inline(never)]
fn audio(cursor: &mut Cursor<'_>) -> Result<bool, ScanError> {
    if cursor.peek() != Some(b'{') {
        return cursor.skip().map(|_| false);
    }
    let mut content = false;
    cursor.object(|cursor, name| {
        if name.is("data") || name.is("transcript") {
            content |= holds_text(cursor)?;
            Ok(())
        } else {
            cursor.skip().map(drop)
        }
    })?;
    Ok(content)
}
