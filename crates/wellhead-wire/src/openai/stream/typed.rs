//! Events that name their type: Responses, speech, transcriptions, pictures.

use super::super::usage::usage_at;
use super::{Observed, ResponseFacts, StreamObserver, Terminal, holds_something, holds_text};
use crate::json::{Cursor, ScanError, Text};
use wellhead_types::Usage;

/// Longest id or model name kept for an in-band error.
const NAME_BYTES_MAX: usize = 256;

/// Items that the client neither reads as an answer nor acts upon.
const SILENT_ITEMS: [&str; 8] = [
    "message",
    "reasoning",
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "mcp_list_tools",
    "mcp_call",
];

/// What one event says.
#[derive(Debug, Default)]
struct Typed<'a> {
    kind: Option<Text<'a>>,
    item: Option<Text<'a>>,
    /// `delta`, `text`, `audio` or a picture holds something.
    content: bool,
    usage: Option<Usage>,
    error: bool,
    sequence_number: Option<u64>,
    response: ResponseFacts,
}

impl StreamObserver {
    pub(super) fn observe_typed(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Observed, ScanError> {
        let event = Typed::read(data)?;
        let kind = match event.kind {
            Some(kind) => kind.decode(),
            None => String::from_utf8_lossy(name.unwrap_or_default()),
        };
        self.set_usage(event.usage);
        self.response.update(event.response, event.sequence_number);
        if kind == "error" || name == Some(b"error") {
            return Ok(self.in_band(data));
        }
        if kind == "response.failed" {
            let observed = self.in_band(data_of_failed(data));
            self.terminal = Some(Terminal::Failed);
            return Ok(Observed { terminal: Some(Terminal::Failed), ..observed });
        }
        if event.error {
            return Ok(self.in_band(data));
        }
        self.saw_answer = true;
        Ok(match &*kind {
            // The last event repeats the whole answer; whoever has seen nothing before sees it now.
            "response.completed"
            | "transcript.text.done"
            | "speech.audio.done"
            | "image_generation.completed"
            | "image_edit.completed" => self.ended(Terminal::Completed, true),
            "response.incomplete" => self.ended(Terminal::Incomplete, true),
            "response.output_item.added" | "response.output_item.done" => {
                let acts = event.item.is_some_and(|item| !SILENT_ITEMS.iter().any(|silent| item.is(silent)));
                self.passed(acts)
            }
            kind if kind.contains("reasoning") => self.passed(false),
            _ => self.passed(event.content),
        })
    }
}

/// The error object of a failed response, which lies one level deeper than other errors.
fn data_of_failed(data: &[u8]) -> &[u8] {
    crate::json::find(data, &["response"]).unwrap_or(data)
}

impl<'a> Typed<'a> {
    fn read(data: &'a [u8]) -> Result<Self, ScanError> {
        let mut event = Self::default();
        let mut cursor = Cursor::new(data)?;
        cursor.object(|cursor, name| {
            if name.is("type") {
                event.kind = cursor.string_value()?;
            } else if ["delta", "text", "refusal", "arguments", "audio", "b64_json"]
                .iter()
                .any(|key| name.is(key))
            {
                event.content |= holds_text(cursor)?;
            } else if name.is("item") {
                event.item = read_item(cursor)?;
            } else if name.is("response") {
                event.read_response(cursor)?;
            } else if name.is("usage") {
                event.usage = usage_at(cursor)?.or(event.usage);
            } else if name.is("sequence_number") {
                event.sequence_number = read_number(cursor)?;
            } else if name.is("error") {
                event.error |= holds_something(cursor)?;
            } else {
                cursor.skip()?;
            }
            Ok(())
        })?;
        cursor.end()?;
        Ok(event)
    }

    fn read_response(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ScanError> {
        if cursor.peek() != Some(b'{') {
            return cursor.skip().map(drop);
        }
        let read = cursor.object(|cursor, name| {
            if name.is("usage") {
                self.usage = usage_at(cursor)?.or(self.usage);
            } else if name.is("id") {
                self.response.id = read_name(cursor)?;
            } else if name.is("model") {
                self.response.model = read_name(cursor)?;
            } else if name.is("created_at") {
                self.response.created_at = read_number(cursor)?.unwrap_or(0);
            } else {
                cursor.skip()?;
            }
            Ok(())
        });
        read.map(drop)
    }
}

impl ResponseFacts {
    fn update(&mut self, newer: Self, sequence_number: Option<u64>) {
        // Ids never change within a stream: the first is what the client has seen.
        if self.id.is_none() && newer.id.is_some() {
            *self = Self { sequence_number: self.sequence_number, ..newer };
        }
        self.sequence_number = sequence_number.or(self.sequence_number);
    }
}

fn read_item<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Text<'a>>, ScanError> {
    if cursor.peek() != Some(b'{') {
        return cursor.skip().map(|_| None);
    }
    let mut kind = None;
    cursor.object(|cursor, name| {
        if name.is("type") {
            kind = cursor.string_value()?;
            return Ok(());
        }
        cursor.skip().map(drop)
    })?;
    Ok(kind)
}

fn read_name(cursor: &mut Cursor<'_>) -> Result<Option<Box<str>>, ScanError> {
    let text = cursor.string_value()?;
    Ok(text.map(|text| text.decode()).filter(|name| name.len() <= NAME_BYTES_MAX).map(Box::from))
}

fn read_number(cursor: &mut Cursor<'_>) -> Result<Option<u64>, ScanError> {
    let span = cursor.skip()?;
    Ok(std::str::from_utf8(cursor.slice(span)).ok().and_then(|number| number.parse().ok()))
}
