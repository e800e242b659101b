//! Chunks in, whole events out.

use super::Event;
use bytes::{Bytes, BytesMut};
use memchr::memchr2;
use std::ops::Range;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on as it came.
    Pass,
    /// It is left out.
    Drop,
    /// These bytes go in its place; they must be whole events.
    Replace(Bytes),
}

/// Why a stream cannot be cut into events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// An event is longer than the limit, or has not ended within it.
    #[error("an event of the stream is longer than {event_bytes_max} bytes")]
    EventTooLarge {
        /// The limit.
        event_bytes_max: usize,
    },
}

/// What was left when the stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// Nothing: it ended between two events.
    Clean,
    /// The start of an event that never ended. By the standard it does not count; it was not delivered.
    Incomplete(Bytes),
}

/// Cuts a stream into events. Time is linear in the bytes pushed, whatever the chunks; memory is bounded by
/// `event_bytes_max`.
#[derive(Debug)]
pub struct Framer {
    event_bytes_max: usize,
    /// The current event's bytes that came with earlier chunks.
    held: BytesMut,
    line: Line,
    /// The current event has a line that is not a comment.
    has_fields: bool,
    /// The last chunk ended in CR; an LF now belongs to it.
    after_cr: bool,
    /// What happens to that LF if the CR ended an event.
    passes: bool,
    /// No event has ended yet: a byte order mark may stand in front.
    first_event: bool,
    first_line: bool,
    failed: bool,
}

/// What has to be known of a line that began in an earlier chunk: whether it is blank or a comment.
#[derive(Debug, Default)]
struct Line {
    head: [u8; 4],
    len: usize,
}

impl Line {
    fn extend(&mut self, bytes: &[u8]) {
        for (slot, byte) in self.head.iter_mut().skip(self.len).zip(bytes) {
            *slot = *byte;
        }
        self.len += bytes.len();
    }

    /// The first bytes of the line, without the byte order mark of the stream.
    fn start(&self, first: bool) -> &[u8] {
        let head = &self.head[..self.len.min(4)];
        if first { head.strip_prefix(BOM).unwrap_or(head) } else { head }
    }
}

/// The bytes of the current chunk that have passed and not been handed out.
struct Run<'c> {
    chunk: &'c Bytes,
    span: Range<usize>,
    out: &'c mut Vec<Bytes>,
}

impl Run<'_> {
    fn pass(&mut self, span: &Range<usize>) {
        if self.span.end != span.start {
            self.flush();
            self.span.start = span.start;
        }
        self.span.end = span.end;
    }

    fn flush(&mut self) {
        if self.span.is_empty() {
            return;
        }
        self.out.push(self.chunk.slice(self.span.clone()));
        self.span.start = self.span.end;
    }
}

impl Framer {
    /// `event_bytes_max` bounds one event and thereby everything that is held back.
    pub fn new(event_bytes_max: usize) -> Self {
        Self {
            event_bytes_max,
            held: BytesMut::new(),
            line: Line::default(),
            has_fields: false,
            after_cr: false,
            passes: true,
            first_event: true,
            first_line: true,
            failed: false,
        }
    }

    /// Takes the next chunk, shows every event that it completes, and appends to `out` what goes to the client.
    /// Events before one that is too large are still delivered; after an error every call fails.
    pub fn push(
        &mut self,
        chunk: Bytes,
        on_event: &mut dyn FnMut(Event<'_>) -> Verdict,
        out: &mut Vec<Bytes>,
    ) -> Result<(), FrameError> {
        if self.failed {
            return Err(self.too_large());
        }
        if chunk.is_empty() {
            return Ok(());
        }
        let mut run = Run { chunk: &chunk, span: 0..0, out };
        let result = self.cut(&mut run, on_event);
        self.failed = result.is_err();
        if run.span.len() < chunk.len() {
            run.flush();
        } else {
            out.push(chunk);
        }
        result
    }

    /// Ends the stream and gives what was held back.
    pub fn finish(&mut self) -> Tail {
        if self.held.is_empty() { Tail::Clean } else { Tail::Incomplete(self.held.split().freeze()) }
    }

    fn cut(
        &mut self,
        run: &mut Run<'_>,
        on_event: &mut dyn FnMut(Event<'_>) -> Verdict,
    ) -> Result<(), FrameError> {
        let chunk = run.chunk;
        let mut start = 0;
        let mut at = 0;
        if std::mem::take(&mut self.after_cr) && chunk[0] == b'\n' {
            at = 1;
            if self.held.is_empty() {
                start = 1;
                if self.passes {
                    run.pass(&(0..1));
                }
            }
        }
        while let Some(found) = memchr2(b'\n', b'\r', &chunk[at..]) {
            self.line.extend(&chunk[at..at + found]);
            let end = at + found;
            at = end + 1;
            if chunk[end] == b'\r' {
                match chunk.get(at) {
                    Some(b'\n') => at += 1,
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            if self.line_ends_event() {
                self.complete(run, start..at, on_event)?;
                start = at;
            }
        }
        self.line.extend(&chunk[at..]);
        if start < chunk.len() {
            self.held.extend_from_slice(&chunk[start..]);
            self.check_size(&self.held)?;
        }
        Ok(())
    }

    /// A blank line ends an event. So does a comment in front of one: it is not part of what follows, and pings
    /// must not wait for the next event.
    fn line_ends_event(&mut self) -> bool {
        let start = self.line.start(std::mem::take(&mut self.first_line));
        let ends = start.is_empty() || (start[0] == b':' && !self.has_fields);
        self.has_fields = !ends;
        self.line.len = 0;
        ends
    }

    fn complete(
        &mut self,
        run: &mut Run<'_>,
        span: Range<usize>,
        on_event: &mut dyn FnMut(Event<'_>) -> Verdict,
    ) -> Result<(), FrameError> {
        let parse = if std::mem::take(&mut self.first_event) { Event::parse_first } else { Event::parse };
        let verdict = if self.held.is_empty() {
            let raw = &run.chunk[span.clone()];
            self.check_size(raw)?;
            let verdict = on_event(parse(raw));
            if verdict == Verdict::Pass {
                run.pass(&span);
            }
            verdict
        } else {
            self.held.extend_from_slice(&run.chunk[span]);
            self.check_size(&self.held)?;
            let raw = self.held.split().freeze();
            let verdict = on_event(parse(&raw));
            if verdict == Verdict::Pass {
                run.flush();
                run.out.push(raw);
            }
            verdict
        };
        self.passes = verdict == Verdict::Pass;
        if let Verdict::Replace(with) = verdict {
            run.flush();
            if !with.is_empty() {
                run.out.push(with);
            }
        }
        Ok(())
    }

    /// An LF behind a final CR does not count: it may come with the next chunk.
    fn check_size(&self, event: &[u8]) -> Result<(), FrameError> {
        let len = event.len() - usize::from(event.ends_with(b"\r\n"));
        if len > self.event_bytes_max { Err(self.too_large()) } else { Ok(()) }
    }

    const fn too_large(&self) -> FrameError {
        FrameError::EventTooLarge { event_bytes_max: self.event_bytes_max }
    }
}
