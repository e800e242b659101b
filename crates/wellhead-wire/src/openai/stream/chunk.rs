//! Chunks with `choices`: chat completions and completions.

mod delta;

use super::super::usage::usage_at;
use super::calls::{Candidate, Fragment};
use super::{Observed, Others, StreamObserver, holds_something};
use crate::failure::has_failed;
use crate::json::{Cursor, ScanError, Text};
use crate::sse::Verdict;
use std::ops::Range;
use wellhead_types::Usage;

/// What one chunk says.
#[derive(Debug, Default)]
pub(crate) struct Chunk<'a> {
    pub(crate) choices: usize,
    pub(crate) seen: u128,
    pub(crate) finished: u128,
    /// Of these, the ones that a limit or a filter cut.
    pub(crate) truncated: u128,
    /// Text, a refusal, sound, a picture.
    pub(crate) content: bool,
    /// Pieces of tool calls.
    pub(crate) fragments: Vec<Fragment<'a>>,
    pub(crate) others: Others,
    pub(crate) usage: Option<Usage>,
    pub(crate) error: bool,
    /// Members that only an error without a wrapper has.
    bare_message: bool,
    /// Collects the text of all choices, if anybody wants it. It may hold text from before.
    pub(crate) text: Option<String>,
    /// Where the text stands that was found last, and how many there were.
    text_span: Range<usize>,
    texts: u32,
}

/// The bit of a choice. Vendors allow at most 128; beyond them the last bit stands for all.
const fn bit(choice: u32) -> u128 {
    1 << if choice < 127 { choice } else { 127 }
}

impl StreamObserver {
    pub(super) fn observe_chunk(
        &mut self,
        name: Option<&[u8]>,
        data: &[u8],
        bytes: usize,
    ) -> Result<Observed, ScanError> {
        if name == Some(b"error") {
            return Ok(self.in_band(data));
        }
        if self.calls.is_none()
            && name.is_none()
            && let Some(text) = self.likeness.text_of(data)
        {
            return Ok(self.more_text(text));
        }
        let remembers = self.delivered.as_mut().filter(|delivered| delivered.is_complete());
        let text = remembers.map(|delivered| std::mem::take(delivered.sink()));
        let before = text.as_ref().map_or(0, String::len);
        let mut chunk = Chunk::collecting(text);
        let read = chunk.read(data);
        if read.is_err() || chunk.is_error() {
            if let Some(text) = &mut chunk.text {
                text.truncate(before);
            }
            self.put_back(chunk.text);
            return read.map(|()| self.in_band(data));
        }
        self.put_back(chunk.text.take());
        self.set_usage(chunk.usage);
        self.choices_seen |= chunk.seen;
        self.choices_finished |= chunk.finished;
        self.saw_answer |= chunk.finished != 0;
        self.reasoning_events = self.reasoning_events.saturating_add(u32::from(chunk.others.reasoning));
        if chunk.choices == 0 && chunk.usage.is_some() && !self.client_asked_usage {
            return Ok(Observed { verdict: Verdict::Drop, ..Observed::PASS });
        }
        if let Some(delivered) = &mut self.delivered {
            delivered.identify(data);
            delivered.saw(chunk.others, chunk.finished != 0);
        }
        if !chunk.fragments.is_empty() || self.calls.is_some() {
            return Ok(self.gate(&chunk, bytes, before));
        }
        if let Some(delivered) = &mut self.delivered {
            delivered.pushed(before);
        }
        if let Some(text) = chunk.only_text().filter(|_| name.is_none()) {
            self.likeness.learn(data, text);
        }
        Ok(self.passed(chunk.content))
    }

    /// An event like those before, but for its text.
    fn more_text(&mut self, text: Text<'_>) -> Observed {
        if let Some(delivered) = self.delivered.as_mut().filter(|delivered| delivered.is_complete()) {
            let before = delivered.text().len();
            text.push_to(delivered.sink());
            delivered.pushed(before);
        }
        self.passed(true)
    }

    /// A chunk in an answer with tool calls.
    #[cold]
    fn gate(&mut self, chunk: &Chunk<'_>, bytes: usize, before: usize) -> Observed {
        let text = match &mut self.delivered {
            Some(delivered) => delivered.sink().split_off(before),
            None => String::new(),
        };
        let mut calls = self.calls.take().unwrap_or_default();
        let always_in_order = self.in_order;
        let placed = calls.step(self.delivered.as_deref_mut(), |calls| {
            let touched = calls.take(&chunk.fragments)?;
            // Cut choices last: what is whole beside them is not lost with them.
            calls.end(false, |choice| chunk.finished & !chunk.truncated & bit(choice) != 0)?;
            calls.end(true, |choice| chunk.truncated & bit(choice) != 0)?;
            let in_order = always_in_order || chunk.finished != 0;
            Ok(Candidate { bytes, touched, content: chunk.content, text, in_order })
        });
        self.calls = Some(calls);
        self.placed(placed)
    }

    /// Gives the collected text back to where it is remembered.
    fn put_back(&mut self, text: Option<String>) {
        if let (Some(delivered), Some(text)) = (&mut self.delivered, text) {
            *delivered.sink() = text;
        }
    }
}

impl<'a> Chunk<'a> {
    /// A chunk to be read, which appends its text to this one if it is there.
    pub(crate) fn collecting(text: Option<String>) -> Self {
        Self { text, ..Self::default() }
    }

    /// Reads a chunk. What has been collected counts even if it then turns out to be no chunk.
    pub(crate) fn read(&mut self, data: &'a [u8]) -> Result<(), ScanError> {
        let mut cursor = Cursor::new(data)?;
        cursor.object(|cursor, name| {
            if name.is("choices") {
                self.choices(cursor)
            } else if name.is("usage") {
                self.set_usage(cursor)
            } else if name.is("x_groq") {
                self.groq(cursor)
            } else if name.is("error") {
                self.error |= holds_something(cursor)?;
                Ok(())
            } else if name.is("object") || name.is("type") {
                self.error |= cursor.string_value()?.is_some_and(|kind| kind.is("error"));
                Ok(())
            } else if name.is("base_resp") {
                let status = cursor.skip()?;
                self.error |= has_failed(cursor.slice(status));
                Ok(())
            } else if name.is("message") || name.is("detail") {
                self.bare_message |= holds_something(cursor)?;
                Ok(())
            } else {
                cursor.skip().map(drop)
            }
        })?;
        cursor.end()
    }

    /// Where its text stands, if it says nothing else: nothing that the next one could say differently around its own.
    fn only_text(&self) -> Option<Range<usize>> {
        let plain = self.choices == 1
            && self.texts == 1
            && self.finished == 0
            && self.usage.is_none()
            && self.fragments.is_empty()
            && !self.error
            && self.others == Others { choices: self.others.choices, ..Others::default() };
        plain.then(|| self.text_span.clone())
    }

    /// Whether it is an error in one of the shapes that vendors send under a success.
    fn is_error(&self) -> bool {
        self.error || (self.bare_message && self.choices == 0 && self.usage.is_none())
    }

    fn set_usage(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ScanError> {
        let usage = usage_at(cursor)?;
        self.usage = usage.or(self.usage);
        Ok(())
    }

    /// Groq repeats usage, and reports errors, in a member of its own.
    #[cold]
    #[inline(never)]
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

    fn choices(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ScanError> {
        if cursor.peek() != Some(b'[') {
            return cursor.skip().map(drop);
        }
        self.choices = cursor.array(|cursor| self.choice(cursor))?;
        Ok(())
    }

    fn choice(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ScanError> {
        if cursor.peek() != Some(b'{') {
            return cursor.skip().map(drop);
        }
        let mut index = 0_u32;
        let (mut finished, mut truncated) = (false, false);
        let first_fragment = self.fragments.len();
        cursor.object(|cursor, name| {
            if name.is("delta") || name.is("message") {
                self.delta(cursor)?;
            } else if name.is("text") {
                self.content |= self.text_at(cursor)?;
            } else if name.is("finish_reason") {
                let reason = cursor.string_value()?.filter(|reason| !reason.is_empty());
                finished |= reason.is_some();
                truncated |= reason.is_some_and(|r| r.is("length") || r.is("content_filter"));
                self.error |= reason.is_some_and(|reason| reason.is("error"));
            } else if name.is("index") {
                index = number(cursor)?.unwrap_or(0);
            } else if name.is("logprobs") {
                self.others.logprobs |= holds_something(cursor)?;
            } else if name.is("usage") {
                self.set_usage(cursor)?;
            } else if name.is("error") {
                self.error |= holds_something(cursor)?;
            } else {
                cursor.skip()?;
            }
            Ok(())
        })?;
        for fragment in self.fragments.iter_mut().skip(first_fragment) {
            fragment.choice = index;
        }
        self.others.choices |= index > 0;
        self.seen |= bit(index);
        if finished {
            self.finished |= bit(index);
            self.truncated |= if truncated { bit(index) } else { 0 };
        }
        Ok(())
    }

    /// Consumes a value; whether it is text, which is then collected.
    #[inline]
    fn text_at(&mut self, cursor: &mut Cursor<'a>) -> Result<bool, ScanError> {
        cursor.peek();
        let start = cursor.position();
        let Some(text) = cursor.string_value()?.filter(|text| !text.is_empty()) else { return Ok(false) };
        self.text_span = start + 1..cursor.position() - 1;
        self.texts += 1;
        if let Some(collected) = &mut self.text {
            text.push_to(collected);
        }
        Ok(true)
    }
}

/// Consumes a value; gives it if it is a small whole number.
fn number(cursor: &mut Cursor<'_>) -> Result<Option<u32>, ScanError> {
    let span = cursor.skip()?;
    Ok(std::str::from_utf8(cursor.slice(span)).ok().and_then(|number| number.parse().ok()))
}
