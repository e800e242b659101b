//! Chunks with `choices`: chat completions and completions.

use super::super::usage::usage_at;
use super::{Observed, StreamObserver, holds_something, holds_text};
use crate::json::{Cursor, ScanError};
use crate::sse::Verdict;
use wellhead_types::Usage;

/// What one chunk says.
#[derive(Debug, Default)]
struct Chunk {
    choices: usize,
    seen: u128,
    finished: u128,
    content: bool,
    usage: Option<Usage>,
    error: bool,
    /// Members that only an error without a wrapper has.
    bare_message: bool,
}

impl StreamObserver {
    pub(super) fn observe_chunk(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Observed, ScanError> {
        if name == Some(b"error") {
            return Ok(self.in_band(data));
        }
        let chunk = Chunk::read(data)?;
        if chunk.error || (chunk.bare_message && chunk.choices == 0 && chunk.usage.is_none()) {
            return Ok(self.in_band(data));
        }
        self.set_usage(chunk.usage);
        self.choices_seen |= chunk.seen;
        self.choices_finished |= chunk.finished;
        self.saw_answer |= chunk.finished != 0;
        if chunk.choices == 0 && chunk.usage.is_some() && !self.client_asked_usage {
            return Ok(Observed { verdict: Verdict::Drop, ..Observed::PASS });
        }
        Ok(self.passed(chunk.content))
    }
}

impl Chunk {
    fn read(data: &[u8]) -> Result<Self, ScanError> {
        let mut chunk = Self::default();
        let mut cursor = Cursor::new(data)?;
        cursor.object(|cursor, name| {
            if name.is("choices") {
                chunk.choices(cursor)
            } else if name.is("usage") {
                chunk.set_usage(cursor)
            } else if name.is("x_groq") {
                chunk.groq(cursor)
            } else if name.is("error") {
                chunk.error |= holds_something(cursor)?;
                Ok(())
            } else if name.is("object") || name.is("type") {
                chunk.error |= cursor.string_value()?.is_some_and(|kind| kind.is("error"));
                Ok(())
            } else if name.is("message") || name.is("detail") {
                chunk.bare_message |= holds_something(cursor)?;
                Ok(())
            } else {
                cursor.skip().map(drop)
            }
        })?;
        cursor.end()?;
        Ok(chunk)
    }

    fn set_usage(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ScanError> {
        let usage = usage_at(cursor)?;
        self.usage = usage.or(self.usage);
        Ok(())
    }

    /// Groq repeats usage, and reports errors, in a member of its own.
    fn groq(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ScanError> {
        if cursor.peek() != Some(b'{') {
            return cursor.skip().map(drop);
        }
        let read = cursor.object(|cursor, name| {
            if name.is("usage") {
                self.set_usage(cursor)
            } else if name.is("error") {
                self.error |= holds_something(cursor)?;
                Ok(())
            } else {
                cursor.skip().map(drop)
            }
        });
        read.map(drop)
    }

    fn choices(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ScanError> {
        if cursor.peek() != Some(b'[') {
            return cursor.skip().map(drop);
        }
        self.choices = cursor.array(|cursor| self.choice(cursor))?;
        Ok(())
    }

    fn choice(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ScanError> {
        if cursor.peek() != Some(b'{') {
            return cursor.skip().map(drop);
        }
        let mut index = 0_u32;
        let mut finished = false;
        cursor.object(|cursor, name| {
            if name.is("delta") || name.is("message") {
                self.content |= delta(cursor)?;
            } else if name.is("text") {
                self.content |= holds_text(cursor)?;
            } else if name.is("finish_reason") {
                let reason = cursor.string_value()?.filter(|reason| !reason.is_empty());
                finished |= reason.is_some();
                self.error |= reason.is_some_and(|reason| reason.is("error"));
            } else if name.is("index") {
                let span = cursor.skip()?;
                index =
                    std::str::from_utf8(cursor.slice(span)).ok().and_then(|n| n.parse().ok()).unwrap_or(0);
            } else if name.is("usage") {
                self.set_usage(cursor)?;
            } else if name.is("error") {
                self.error |= holds_something(cursor)?;
            } else {
                cursor.skip()?;
            }
            Ok(())
        })?;
        // Vendors allow at most 128 choices; beyond them the last bit stands for all.
        let bit = 1_u128 << index.min(127);
        self.seen |= bit;
        if finished {
            self.finished |= bit;
        }
        Ok(())
    }
}

/// Whether a delta holds text, a refusal, sound, a picture or a tool call. Role, reasoning and padding do not count.
fn delta(cursor: &mut Cursor<'_>) -> Result<bool, ScanError> {
    if cursor.peek() != Some(b'{') {
        return cursor.skip().map(|_| false);
    }
    let mut content = false;
    cursor.object(|cursor, name| {
        content |= if name.is("content") {
            content_parts(cursor)?
        } else if name.is("refusal") {
            holds_text(cursor)?
        } else if name.is("tool_calls") || name.is("function_call") || name.is("images") {
            holds_something(cursor)?
        } else if name.is("audio") {
            audio(cursor)?
        } else {
            cursor.skip()?;
            false
        };
        Ok(())
    })?;
    Ok(content)
}

/// Content as text, or as a list of parts of which those that think do not count (Mistral's reasoning models).
fn content_parts(cursor: &mut Cursor<'_>) -> Result<bool, ScanError> {
    if cursor.peek() != Some(b'[') {
        return holds_text(cursor);
    }
    let mut content = false;
    cursor.array(|cursor| {
        if cursor.peek() != Some(b'{') {
            content |= holds_text(cursor)?;
            return Ok(());
        }
        let (mut thinks, mut text) = (false, None);
        cursor.object(|cursor, name| {
            if name.is("type") {
                thinks =
                    cursor.string_value()?.is_some_and(|kind| kind.is("thinking") || kind.is("reasoning"));
            } else if name.is("text") {
                text = Some(holds_text(cursor)?);
            } else {
                cursor.skip()?;
            }
            Ok(())
        })?;
        content |= !thinks && text.unwrap_or(true);
        Ok(())
    })?;
    Ok(content)
}

/// Sound commits with its first samples or words, not with its id.
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
