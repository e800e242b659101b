//! A target's own events, put beside the chunks that were made of them.

use super::opaque::{self, Place};
use crate::chat::{Delta, Dialect, Event, Origin, PartKind};
use crate::json::Splice;
use crate::openai::chat::StreamEncoder;
use crate::sse;
use crate::sse::original::{self, Kind};
use memchr::memmem;

/// What is remembered from event to event.
#[derive(Debug)]
pub(in super::super) struct Carrier {
    dialect: Dialect,
    /// Opaque reasoning is marked as coming from here.
    origin: Option<Origin>,
    has_begun: bool,
    /// Kept for its memory.
    chunks: Vec<u8>,
}

impl Carrier {
    pub(in super::super) const fn new(dialect: Dialect, origin: Option<Origin>) -> Self {
        Self { dialect, origin, has_begun: false, chunks: Vec::new() }
    }

    /// Writes what an event of the target's says as chunks, with the event itself beside the last of them: whoever has
    /// seen all of them has seen it. Pieces of calls go first, since what stands behind them waits with them until they are
    /// whole.
    pub(in super::super) fn write(
        &mut self,
        event: &sse::Event<'_>,
        said: &mut Vec<Event>,
        encoder: &mut StreamEncoder,
        out: &mut Vec<u8>,
    ) {
        let kind = match said.as_slice() {
            [Event::Ping] => Kind::Ping,
            _ if self.has_begun => Kind::Next,
            _ => Kind::First,
        };
        let calls = calls(said);
        let mut chunks = std::mem::take(&mut self.chunks);
        let mut later = Vec::new();
        for event in said.drain(..) {
            let is_call = calls.is_empty() || part(&event).is_some_and(|part| calls.contains(&part));
            encoder.push(&event, if is_call { &mut chunks } else { &mut later });
        }
        chunks.append(&mut later);
        if event.is_comment_only() {
            // Proxies' comments: what they are in the client's dialect is said at the other end.
            out.extend_from_slice(&chunks);
        } else if self.is_for_clients(event) {
            self.has_begun |= kind == Kind::First;
            let chunks: &[u8] = if kind == Kind::Ping { &[] } else { &chunks };
            self.beside(event, kind, chunks, out);
        }
        chunks.clear();
        self.chunks = chunks;
    }

    /// The chunks that end a stream whose dialect has no event for that.
    pub(in super::super) fn end(chunks: &[u8], out: &mut Vec<u8>) {
        for chunk in pieces(chunks) {
            out.extend_from_slice(chunk);
            out.push(b'\n');
            original::write(Kind::Part, b"", out);
            out.push(b'\n');
        }
    }

    /// Some hosts begin a message twice (wire.md, trap 17), or end it in two dialects.
    fn is_for_clients(&self, event: &sse::Event<'_>) -> bool {
        let is_second = self.has_begun && event.event() == Some(b"message_start");
        let is_other_end = || event.data().is_some_and(|data| data.trim_ascii() == b"[DONE]");
        !is_second && !is_other_end()
    }

    fn beside(&self, event: &sse::Event<'_>, kind: Kind, chunks: &[u8], out: &mut Vec<u8>) {
        let mut whole = Vec::new();
        let marked = self.marked(event);
        let original = marked.as_deref().unwrap_or_else(|| event.raw());
        let original = match end_of(original) {
            "" => original,
            end => {
                whole.extend_from_slice(original);
                whole.extend_from_slice(end.as_bytes());
                &whole
            }
        };
        let mut rest = pieces(chunks).peekable();
        if rest.peek().is_none() {
            return original::write(kind, original, out);
        }
        while let Some(chunk) = rest.next() {
            out.extend_from_slice(chunk);
            out.push(b'\n');
            match rest.peek() {
                Some(_) => original::write(Kind::Part, b"", out),
                None => original::write(kind, original, out),
            }
            out.push(b'\n');
        }
    }

    fn marked(&self, event: &sse::Event<'_>) -> Option<Vec<u8>> {
        let origin = self.origin.as_ref()?;
        let has = |word: &str| memmem::find(event.raw(), word.as_bytes()).is_some();
        if !has("ignature") && !has("redacted_thinking") {
            return None;
        }
        let data = event.data()?;
        let mut splice = Splice::new(&data);
        opaque::mark(self.dialect, Place::Event, &data, origin, &mut splice);
        let mut out = Vec::new();
        event.write_with(&splice.finish(), &mut out);
        Some(out)
    }
}

/// What an event lacks that came before its end did: a blank line, or the last half of one.
fn end_of(raw: &[u8]) -> &'static str {
    let has_crlf = memmem::find(raw, b"\r\n").is_some();
    if raw.ends_with(b"\n\r") || raw.ends_with(b"\r\n\r") {
        return if has_crlf { "\n" } else { "" };
    }
    let ends = [&b"\n\n"[..], b"\r\r", b"\r\n\r\n"];
    match (ends.iter().any(|end| raw.ends_with(end)), has_crlf) {
        (true, _) => "",
        (false, true) if raw.ends_with(b"\n") => "\r\n",
        (false, true) => "\r\n\r\n",
        (false, false) if raw.ends_with(b"\n") => "\n",
        (false, false) => "\n\n",
    }
}

/// Chunks without the blank lines behind them.
fn pieces(chunks: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memmem::find_iter(chunks, b"\n\n").map(move |end| {
        let chunk = chunks.get(start..end).unwrap_or_default();
        start = end + 2;
        chunk
    })
}

/// The calls that begin in an event which says something else too.
fn calls(said: &[Event]) -> Vec<(u32, u32)> {
    let begins = |event: &Event| match event {
        Event::PartStart { candidate, part, kind: PartKind::ToolCall { .. } } => Some((*candidate, *part)),
        _ => None,
    };
    let has_text = said.iter().any(|event| matches!(event, Event::Delta { delta: Delta::Text(_), .. }));
    if has_text { said.iter().filter_map(begins).collect() } else { Vec::new() }
}

const fn part(event: &Event) -> Option<(u32, u32)> {
    match event {
        Event::PartStart { candidate, part, .. }
        | Event::Delta { candidate, part, .. }
        | Event::PartEnd { candidate, part } => Some((*candidate, *part)),
        _ => None,
    }
}
