//! Watching a streamed answer: when it commits, what it used, how it ended, and what it must not end like.
//!
//! Every event is parsed once, by spans and without a tree. Nothing is re-written: an event passes, is dropped, or is
//! kept back until the tool call that it is part of is whole. What is kept back lies with the framer.

mod calls;
mod chunk;
mod delivered;
mod interruption;
mod likeness;
mod typed;

#[cfg(test)]
mod tests;

use super::Endpoint;
use super::error::ErrorBody;
use crate::failure::{classify_in_success, protocol_failure, success_failure};
use crate::json::{Cursor, ScanError};
use crate::sse::{Event, Verdict, original};
use bytes::Bytes;
use calls::{CallError, Calls, Candidate};
pub use calls::{KEPT_BYTES_MAX, TOOL_CALL_BYTES_MAX};
pub(crate) use chunk::Chunk;
pub use delivered::{DELIVERED_BYTES_MAX, Delivered, Identity, Others};
pub use interruption::interruption_event;
use wellhead_types::{Cause, Failure, Stage, Usage};

/// The success that all streams begin with.
const STATUS: u16 = 200;

/// The event that ends a stream of chunks.
pub const END_SIGNAL: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

/// Bytes of a malformed event that go into our own log.
const SAMPLE_BYTES_MAX: usize = 120;

/// How a stream said that it was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminal {
    /// `data: [DONE]`.
    Done,
    /// An event that says that the answer is complete.
    Completed,
    /// An event that says that the answer stops at a limit; a legitimate end.
    Incomplete,
    /// An event that says that the answer failed.
    Failed,
}

/// What one event meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// What becomes of the event. Errors are dropped: the caller decides what the client gets instead.
    pub verdict: Verdict,
    /// Content goes out with it, its own or what was kept back: from here on another target cannot take over silently.
    pub commits: bool,
    /// It ends the answer.
    pub terminal: Option<Terminal>,
    /// It says that the attempt failed, or is not what the protocol promises.
    pub error: Option<Failure>,
}

impl Observed {
    const PASS: Self = Self { verdict: Verdict::Pass, commits: false, terminal: None, error: None };
}

/// What is known when the bytes end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEnd {
    /// It ended as the protocol says, and without an error.
    pub complete: bool,
    /// How it said so; `None` with `complete` if every choice had its finish reason and the bytes then ended.
    pub terminal: Option<Terminal>,
    /// Content went by.
    pub saw_content: bool,
    /// The newest usage.
    pub usage: Option<Usage>,
    /// Why the stream counts as failed, if it does.
    pub failure: Option<Failure>,
}

/// Watches one streamed answer.
#[derive(Debug)]
pub struct StreamObserver {
    endpoint: Endpoint,
    client_asked_usage: bool,
    /// No event overtakes another.
    in_order: bool,
    saw_content: bool,
    saw_answer: bool,
    reasoning_events: u32,
    choices_seen: u128,
    choices_finished: u128,
    terminal: Option<Terminal>,
    failure: Option<Failure>,
    usage: Option<Usage>,
    response: ResponseFacts,
    /// What events with nothing but text look like.
    likeness: likeness::Likeness,
    /// There once a tool call has begun.
    calls: Option<Box<Calls>>,
    /// There if the client's view is to be remembered.
    delivered: Option<Box<Delivered>>,
}

/// What an in-band error of the Responses protocol has to repeat.
#[derive(Debug, Default)]
struct ResponseFacts {
    id: Option<Box<str>>,
    model: Option<Box<str>>,
    created_at: u64,
    sequence_number: Option<u64>,
}

impl StreamObserver {
    /// Watches an answer of `endpoint`. Unless `client_asked_usage`, chunks that hold nothing but usage are dropped.
    pub fn new(endpoint: Endpoint, client_asked_usage: bool) -> Self {
        Self {
            endpoint,
            client_asked_usage,
            in_order: false,
            saw_content: false,
            saw_answer: false,
            reasoning_events: 0,
            choices_seen: 0,
            choices_finished: 0,
            terminal: None,
            failure: None,
            usage: None,
            response: ResponseFacts::default(),
            likeness: likeness::Likeness::default(),
            calls: None,
            delivered: None,
        }
    }

    /// The same, and remembers what the client has seen, so that another target can go on with it. Streams whose
    /// events name their type cannot be rescued; of them nothing is remembered.
    pub fn remembering(endpoint: Endpoint, client_asked_usage: bool) -> Self {
        let delivered = endpoint.streams_chunks().then(Box::default);
        Self { delivered, ..Self::new(endpoint, client_asked_usage) }
    }

    /// The same, where events carry what the target wrote itself ([`crate::sse::original`]): its order is kept, so that
    /// nothing overtakes a tool call that is not whole.
    #[must_use]
    pub fn in_order(self) -> Self {
        Self { in_order: true, ..self }
    }

    /// What the client has seen, once the stream has broken off. `None` if it was not remembered, or was too long.
    /// What is kept back was not seen.
    pub fn take_delivered(&mut self) -> Option<Delivered> {
        let mut delivered = *self.delivered.take()?;
        delivered.used(self.usage);
        Some(delivered).filter(Delivered::is_complete)
    }

    /// Bytes of events that wait for a tool call to be whole. The client needs keep-alive comments meanwhile.
    pub fn kept_bytes(&self) -> usize {
        self.calls.as_ref().map_or(0, |calls| calls.kept_bytes())
    }

    /// Remembers nothing any more: from now on nobody can go on with the answer.
    pub fn forget(&mut self) {
        self.delivered = None;
    }

    /// What identifies the stream, as far as that is remembered.
    pub fn identity(&self) -> Option<&Identity> {
        self.delivered.as_ref().map(|delivered| delivered.identity()).filter(|identity| identity.id.is_some())
    }

    /// Bytes of text that are remembered.
    pub fn remembered_bytes(&self) -> usize {
        self.delivered.as_ref().map_or(0, |delivered| delivered.text().len())
    }

    /// Looks at the next event.
    pub fn observe(&mut self, event: &Event<'_>) -> Observed {
        let Some(data) = event.data() else { return self.without_data(event) };
        let data = data.trim_ascii();
        if data.is_empty() {
            return Observed::PASS;
        }
        if data == b"[DONE]" {
            return self.done(event.raw().len());
        }
        let bytes = event.raw().len();
        let read = if self.endpoint.streams_chunks() {
            self.observe_chunk(event.event(), data, bytes)
        } else {
            self.observe_typed(event.event(), data, bytes)
        };
        read.unwrap_or_else(|error| self.malformed(event.event(), data, &error))
    }

    /// Looks at what was left when the bytes ended inside an event. Some servers forget the last blank line: an event
    /// whose data is whole counts, and the caller may deliver it with the blank line added. Anything else was cut off:
    /// `None`, and it must not be delivered.
    pub fn observe_tail(&mut self, tail: &[u8]) -> Option<Observed> {
        let event = Event::parse(tail);
        let data = event.data()?;
        let data = data.trim_ascii();
        let whole = data == b"[DONE]" || (data.starts_with(b"{") && crate::json::validate(data).is_ok());
        whole.then(|| self.observe(&event))
    }

    /// Whether every choice that has been seen has its finish reason: what may follow is usage and the end signal.
    pub const fn is_finished(&self) -> bool {
        self.endpoint.streams_chunks()
            && self.failure.is_none()
            && self.choices_seen != 0
            && self.choices_seen == self.choices_finished
    }

    /// Whether content has gone by.
    pub const fn saw_content(&self) -> bool {
        self.saw_content
    }

    /// Events in which the model was seen thinking: reasoning is progress, although it commits to nothing.
    pub const fn reasoning_events(&self) -> u32 {
        self.reasoning_events
    }

    /// The newest usage, while the stream is still running.
    pub const fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// Sums up when the bytes have ended.
    pub fn finish(&self) -> StreamEnd {
        let finished = self.choices_seen != 0 && self.choices_seen == self.choices_finished;
        let ended = match self.terminal {
            Some(Terminal::Failed) => false,
            Some(_) => true,
            None => self.endpoint.streams_chunks() && finished,
        };
        let failure = self.failure.clone().or_else(|| {
            if !ended {
                let detail = "the stream ended without a terminal event";
                let cut = Failure::endpoint(self.stage(), Cause::ResponseIncomplete, detail);
                Some(Failure { status: Some(STATUS), ..cut })
            } else if !self.saw_content && !self.saw_answer {
                Some(success_failure(STATUS, Stage::FirstToken, "the stream ended without an answer"))
            } else {
                None
            }
        });
        StreamEnd {
            complete: ended && failure.is_none(),
            terminal: self.terminal,
            saw_content: self.saw_content,
            usage: self.usage,
            failure,
        }
    }

    /// The in-band error that fits what the client has seen of this stream; see [`interruption_event`].
    pub fn interruption(&self, error: &ErrorBody) -> Bytes {
        interruption::write(self.endpoint, error, &self.response)
    }

    const fn stage(&self) -> Stage {
        if self.saw_content { Stage::Stream } else { Stage::FirstToken }
    }

    /// `[DONE]`, which also ends every call that is still open.
    fn done(&mut self, bytes: usize) -> Observed {
        self.terminal = Some(Terminal::Done);
        let observed = match &mut self.calls {
            Some(calls) if calls.keeps() => {
                let placed = calls.step(self.delivered.as_deref_mut(), |calls| {
                    calls.end(false, |_| true)?;
                    Ok(Candidate { bytes, in_order: true, ..Candidate::default() })
                });
                self.placed(placed)
            }
            _ => Observed::PASS,
        };
        Observed { terminal: self.terminal, ..observed }
    }

    /// An event of which nothing was made: what it carries keeps its place among what is kept back.
    fn without_data(&mut self, event: &Event<'_>) -> Observed {
        match &mut self.calls {
            Some(calls) if self.in_order && calls.keeps() && original::waits(event.raw()) => {
                let event = Candidate { bytes: event.raw().len(), in_order: true, ..Candidate::default() };
                let placed = calls.step(self.delivered.as_deref_mut(), |_| Ok(event));
                self.placed(placed)
            }
            _ => Observed::PASS,
        }
    }

    /// What became of an event in an answer with tool calls.
    fn placed(&mut self, placed: Result<(Verdict, bool), CallError>) -> Observed {
        match placed {
            Ok((verdict, commits)) => Observed { verdict, ..self.passed(commits) },
            Err(error) => {
                let failure = protocol_failure(STATUS, self.stage(), error.to_string());
                self.failed(match error {
                    CallError::TooLong | CallError::TooMuchKept | CallError::TooMany => {
                        Failure { cause: Cause::ResponseTooLarge, ..failure }
                    }
                    _ => failure,
                })
            }
        }
    }

    fn passed(&mut self, commits: bool) -> Observed {
        self.saw_content |= commits;
        Observed { commits, ..Observed::PASS }
    }

    fn failed(&mut self, failure: Failure) -> Observed {
        // The first error is the cause; what follows it is its consequence.
        self.failure.get_or_insert_with(|| failure.clone());
        Observed { verdict: Verdict::Drop, error: Some(failure), ..Observed::PASS }
    }

    fn in_band(&mut self, data: &[u8]) -> Observed {
        let failure = classify_in_success(data, self.stage());
        self.failed(failure)
    }

    fn malformed(&mut self, name: Option<&[u8]>, data: &[u8], error: &ScanError) -> Observed {
        match name {
            Some(b"error") => self.in_band(data),
            // An event under a name of its own may hold anything: pings, vendors' extensions.
            Some(name) if !matches!(name, b"message") && !name.starts_with(b"response.") => Observed::PASS,
            // No piece of an answer begins like this, so nothing is missing without it; clients choke on it. What
            // began like a piece and is torn may have held text: without that the rest would not be sound.
            _ if data.first() != Some(&b'{') => Observed { verdict: Verdict::Drop, ..Observed::PASS },
            _ => {
                let sample = String::from_utf8_lossy(&data[..data.len().min(SAMPLE_BYTES_MAX)]);
                let failure =
                    protocol_failure(STATUS, self.stage(), format!("{error} in an event: {sample}"));
                self.failed(failure)
            }
        }
    }

    /// Sets, never adds: usage is cumulative wherever it comes more than once. Zeros say nothing.
    fn set_usage(&mut self, usage: Option<Usage>) {
        if let Some(usage) = usage
            && (usage.total() > 0 || self.usage.is_none())
        {
            self.usage = Some(usage);
        }
    }
}

/// Consumes a value; whether it is a string with at least one character.
fn holds_text(cursor: &mut Cursor<'_>) -> Result<bool, ScanError> {
    Ok(cursor.string_value()?.is_some_and(|text| !text.is_empty()))
}

/// Consumes a value; whether it is anything but `null`, `false`, `""`, `{}` or `[]`.
#[inline(never)]
fn holds_something(cursor: &mut Cursor<'_>) -> Result<bool, ScanError> {
    match cursor.peek() {
        Some(b'{') => Ok(cursor.object(|cursor, _| cursor.skip().map(drop))? > 0),
        Some(b'[') => Ok(cursor.array(|cursor| cursor.skip().map(drop))? > 0),
        Some(b'"') => holds_text(cursor),
        _ => {
            let span = cursor.skip()?;
            Ok(!matches!(cursor.slice(span), b"null" | b"false"))
        }
    }
}
