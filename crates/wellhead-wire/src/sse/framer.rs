//! Chunks in, whole events out.

use super::Event;
use bytes::{Bytes, BytesMut};
use memchr::memchr2;
use std::collections::VecDeque;
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
    /// It is kept back, behind what is kept back already, until a later event releases or discards it.
    Hold,
    /// First something happens to what is kept back, then to this event.
    Release(Release),
}

/// What happens to the events that are kept back, oldest first, before the one that decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// So many go on, as they came.
    pub events: usize,
    /// The others are discarded. If not, they stay.
    pub discard_rest: bool,
    /// The event itself is kept back. If not, it goes on as it came.
    pub hold: bool,
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
/// `event_bytes_max` and by what the caller asks to keep back.
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
    line_feed: LineFeed,
    /// Events kept back, and the length of each.
    kept: BytesMut,
    kept_lens: VecDeque<usize>,
    /// No event has ended yet: a byte order mark may stand in front.
    first_event: bool,
    first_line: bool,
    failed: bool,
}

/// Where the LF of a CRLF goes whose CR ended an event at the end of a chunk: with the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineFeed {
    Passes,
    Dropped,
    Kept,
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
            line_feed: LineFeed::Passes,
            kept: BytesMut::new(),
            kept_lens: VecDeque::new(),
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

    /// Ends the stream and gives the start of an event that never ended. Events that are kept back stay so: a stream
    /// that is cut takes them along.
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
                match self.line_feed {
                    LineFeed::Passes => run.pass(&(0..1)),
                    LineFeed::Dropped => {}
                    LineFeed::Kept => self.keep_line_feed(),
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
        if self.held.is_empty() {
            let chunk = run.chunk;
            let raw = &chunk[span.clone()];
            self.check_size(raw)?;
            match on_event(parse(raw)) {
                Verdict::Pass => {
                    run.pass(&span);
                    self.line_feed = LineFeed::Passes;
                }
                verdict => self.settle(run, raw, verdict),
            }
        } else {
            self.held.extend_from_slice(&run.chunk[span]);
            self.check_size(&self.held)?;
            let raw = self.held.split().freeze();
            match on_event(parse(&raw)) {
                Verdict::Pass => {
                    run.flush();
                    run.out.push(raw);
                    self.line_feed = LineFeed::Passes;
                }
                verdict => self.settle(run, &raw, verdict),
            }
        }
        Ok(())
    }

    /// Does what was decided, where that is more than to let an event pass.
    #[cold]
    fn settle(&mut self, run: &mut Run<'_>, raw: &[u8], verdict: Verdict) {
        run.flush();
        self.line_feed = self.put(raw, verdict, run.out);
    }

    /// The same for what [`Self::finish`] gave, when the caller takes it for an event: some servers forget the last
    /// blank line. It is added to what goes on.
    pub fn settle_tail(&mut self, tail: &[u8], verdict: Verdict, out: &mut Vec<Bytes>) {
        let mut whole = Vec::with_capacity(tail.len() + 2);
        whole.extend_from_slice(tail);
        whole.extend_from_slice(b"\n\n");
        self.put(&whole, verdict, out);
    }

    fn put(&mut self, raw: &[u8], verdict: Verdict, out: &mut Vec<Bytes>) -> LineFeed {
        let hold = match verdict {
            Verdict::Drop => return LineFeed::Dropped,
            Verdict::Replace(with) => {
                // An edited event that still ends in the CR of the original wants its LF too.
                let wants = with.ends_with(b"\r");
                if !with.is_empty() {
                    out.push(with);
                }
                return if wants { LineFeed::Passes } else { LineFeed::Dropped };
            }
            Verdict::Pass => false,
            Verdict::Hold => true,
            Verdict::Release(release) => {
                let bytes = self.kept_lens.drain(..release.events.min(self.kept_lens.len())).sum();
                if bytes > 0 {
                    out.push(self.kept.split_to(bytes).freeze());
                }
                if release.discard_rest {
                    self.kept_lens.clear();
                    self.kept.clear();
                }
                release.hold
            }
        };
        if hold {
            self.kept.extend_from_slice(raw);
            self.kept_lens.push_back(raw.len());
            return LineFeed::Kept;
        }
        out.push(Bytes::copy_from_slice(raw));
        LineFeed::Passes
    }

    fn keep_line_feed(&mut self) {
        // It was the last to be kept: nothing has happened since its CR.
        if let Some(len) = self.kept_lens.back_mut() {
            *len += 1;
            self.kept.extend_from_slice(b"\n");
        }
    }

    /// Bytes of the events that are kept back.
    pub fn kept_bytes(&self) -> usize {
        self.kept.len()
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
