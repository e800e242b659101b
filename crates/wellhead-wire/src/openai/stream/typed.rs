//! Events that name their type: Responses, speech, transcriptions, pictures.

use super::super::usage::usage_at;
use super::calls::{Arguments, Candidate, Fragment};
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
    item: Option<Item<'a>>,
    output_index: Option<u32>,
    delta: Option<Text<'a>>,
    /// `arguments` or `input` of a call.
    arguments: Option<Text<'a>>,
    /// `delta`, `text`, `audio` or a picture holds something.
    content: bool,
    usage: Option<Usage>,
    error: bool,
    sequence_number: Option<u64>,
    response: ResponseFacts,
}

/// What an item says of itself.
#[derive(Debug, Clone, Copy, Default)]
struct Item<'a> {
    kind: Option<Text<'a>>,
    arguments: Option<Text<'a>>,
}

impl StreamObserver {
    pub(super) fn observe_typed(
        &mut self,
        name: Option<&[u8]>,
        data: &[u8],
        bytes: usize,
    ) -> Result<Observed, ScanError> {
        let mut event = Typed::read(data)?;
        let kind = match event.kind {
            Some(kind) => kind.decode(),
            None => String::from_utf8_lossy(name.unwrap_or_default()),
        };
        self.set_usage(event.usage);
        self.response.update(std::mem::take(&mut event.response), event.sequence_number);
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
        let (terminal, content) = match &*kind {
            // The last event repeats the whole answer; whoever has seen nothing before sees it now.
            "response.completed"
            | "transcript.text.done"
            | "speech.audio.done"
            | "image_generation.completed"
            | "image_edit.completed" => (Some(Terminal::Completed), true),
            "response.incomplete" => (Some(Terminal::Incomplete), true),
            "response.output_item.added" | "response.output_item.done" => {
                let kind = event.item.and_then(|item| item.kind);
                (None, kind.is_some_and(|kind| !SILENT_ITEMS.iter().any(|silent| kind.is(silent))))
            }
            kind if kind.contains("reasoning") => {
                self.reasoning_events = self.reasoning_events.saturating_add(u32::from(event.content));
                (None, false)
            }
            _ => (None, event.content),
        };
        self.terminal = terminal.or(self.terminal);
        let call = Step::of(&kind, &event);
        let observed = if call.is_some() || self.calls.as_ref().is_some_and(|calls| calls.keeps()) {
            self.gate_typed(call, terminal, content, bytes)
        } else {
            self.passed(content)
        };
        Ok(Observed { terminal, ..observed })
    }

    /// An event that is part of a tool call, or comes while one is kept back. Events are numbered, so none overtakes
    /// another.
    #[cold]
    fn gate_typed(
        &mut self,
        step: Option<Step<'_>>,
        terminal: Option<Terminal>,
        content: bool,
        bytes: usize,
    ) -> Observed {
        let mut calls = self.calls.take().unwrap_or_default();
        let placed = calls.step(None, |calls| {
            let mut touched = None;
            if let Some(step) = step {
                let index = step.fragment.index;
                touched = calls.take(&[step.fragment])?;
                if step.ends {
                    calls.end_one(index)?;
                }
            }
            if let Some(terminal) = terminal {
                calls.end(terminal == Terminal::Incomplete, |_| true)?;
            }
            let content = content && touched.is_none();
            Ok(Candidate { bytes, touched, content, in_order: true, text: String::new() })
        });
        self.calls = Some(calls);
        self.placed(placed)
    }
}

/// What an event does to a tool call that the client is to run.
struct Step<'a> {
    fragment: Fragment<'a>,
    /// It says that the call is done.
    ends: bool,
}

impl<'a> Step<'a> {
    fn of(kind: &str, event: &Typed<'a>) -> Option<Self> {
        let item = |ends: bool| {
            let item = event.item?;
            let kind = item.kind?;
            let free_text = kind.is("custom_tool_call");
            // Calls that the vendor answers by itself are nothing for the client to run.
            (free_text || kind.is("function_call")).then_some((
                free_text,
                true,
                ends,
                item.arguments.filter(|_| ends),
            ))
        };
        let (free_text, named, ends, all) = match kind {
            "response.output_item.added" => item(false)?,
            "response.output_item.done" => item(true)?,
            "response.function_call_arguments.delta" => (false, false, false, None),
            "response.function_call_arguments.done" => (false, false, true, event.arguments),
            "response.custom_tool_call_input.delta" => (true, false, false, None),
            "response.custom_tool_call_input.done" => (true, false, true, event.arguments),
            _ => return None,
        };
        let piece = event.delta.filter(|_| kind.ends_with(".delta")).map(Arguments::Piece);
        let arguments = all.map(Arguments::All).or(piece);
        let index = event.output_index.unwrap_or(0);
        // `output_item.done` names the call again without beginning another.
        let fragment = Fragment { choice: 0, index, named: named && !ends, free_text, arguments };
        Some(Self { fragment, ends })
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
            } else if name.is("delta") {
                event.delta = cursor.string_value()?;
                event.content |= event.delta.is_some_and(|delta| !delta.is_empty());
            } else if name.is("arguments") || name.is("input") {
                event.arguments = cursor.string_value()?;
                event.content |= event.arguments.is_some_and(|arguments| !arguments.is_empty());
            } else if ["text", "refusal", "audio", "b64_json"].iter().any(|key| name.is(key)) {
                event.content |= holds_text(cursor)?;
            } else if name.is("output_index") {
                event.output_index = read_number(cursor)?.and_then(|index| u32::try_from(index).ok());
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

fn read_item<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Item<'a>>, ScanError> {
    if cursor.peek() != Some(b'{') {
        return cursor.skip().map(|_| None);
    }
    let mut item = Item::default();
    cursor.object(|cursor, name| {
        if name.is("type") {
            item.kind = cursor.string_value()?;
        } else if name.is("arguments") || name.is("input") {
            item.arguments = cursor.string_value()?;
        } else {
            cursor.skip()?;
        }
        Ok(())
    })?;
    Ok(Some(item))
}

fn read_name(cursor: &mut Cursor<'_>) -> Result<Option<Box<str>>, ScanError> {
    let text = cursor.string_value()?;
    Ok(text.map(|text| text.decode()).filter(|name| name.len() <= NAME_BYTES_MAX).map(Box::from))
}

fn read_number(cursor: &mut Cursor<'_>) -> Result<Option<u64>, ScanError> {
    let span = cursor.skip()?;
    Ok(std::str::from_utf8(cursor.slice(span)).ok().and_then(|number| number.parse().ok()))
}
