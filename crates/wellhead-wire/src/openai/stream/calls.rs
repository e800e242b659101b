//! Tool calls go out whole or not at all (decision 14).
//!
//! The events that hold pieces of a call are kept back until the call has its own end signal and its arguments are
//! JSON or empty. The signals are: the next call of the same choice begins, the choice has its finish reason, the
//! event that says "done", the stream's terminator. Arguments that happen to parse end nothing.
//!
//! - The next call's beginning ends only a call whose arguments are there and whole. Some vendors announce all calls
//!   first and send their arguments in turns; those wait for the finish reason.
//! - Kept events go out in their own order. Text does not wait for them, since a client collects text and calls
//!   apart; only text that would overtake kept text waits too. Where events are numbered, everything waits.
//! - A call that the answer's own limit or the vendor's filter cut (`length`, `content_filter`) is discarded, and the
//!   finish reason passes: that is a true ending, and no other target would do better.

mod call;

#[cfg(test)]
mod tests;

use super::Delivered;
use crate::sse::{Release, Verdict};
pub(crate) use call::{Arguments, Fragment};
use call::{Call, State};
use std::collections::VecDeque;

/// Longest arguments of one call. Whole files fit, and 250,000 tokens are more than any model writes at a time.
pub const TOOL_CALL_BYTES_MAX: usize = 1024 * 1024;

/// Most bytes of events kept back by one stream: half a mebibyte of arguments, sent token by token in the usual
/// 250 bytes of wrapping. The caller accounts what is really kept.
pub const KEPT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most calls of one answer; vendors allow 128 tools at a time.
const CALLS_MAX: usize = 1024;

/// The index under which the call of the old `function_call` member goes.
pub(crate) const LEGACY_INDEX: u32 = u32::MAX;

/// Why the calls of a stream cannot be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    #[error("the arguments of a tool call are longer than {TOOL_CALL_BYTES_MAX} bytes")]
    TooLong,
    #[error("more than {KEPT_BYTES_MAX} bytes of events had to be kept back for tool calls")]
    TooMuchKept,
    #[error("more than {CALLS_MAX} tool calls")]
    TooMany,
    #[error("a tool call ended with arguments that are not JSON")]
    NotJson,
    #[error("arguments came behind the end of their tool call")]
    BehindTheEnd,
    #[error("a tool call was cut off, and what came with it cannot be told apart")]
    Tangled,
}

/// A run of calls by their serial numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Touched {
    first: usize,
    last: usize,
}

/// An event for which a place is sought.
#[derive(Debug, Default)]
pub(crate) struct Candidate {
    /// Its size.
    pub(crate) bytes: usize,
    /// The calls that it holds pieces of.
    pub(crate) touched: Option<Touched>,
    /// It holds content besides calls.
    pub(crate) content: bool,
    /// Its text, if somebody keeps account of it.
    pub(crate) text: String,
    /// It must not overtake what is kept.
    pub(crate) in_order: bool,
}

/// The calls of one answer, and what is known of the events that are kept back for them. The events themselves lie
/// with the framer.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    calls: Vec<Call>,
    kept: VecDeque<Candidate>,
    kept_bytes: usize,
    /// Nothing goes out any more.
    broken: Option<CallError>,
}

impl Calls {
    /// Whether an event that has nothing to do with calls has to be placed too, if events are numbered.
    pub(crate) fn keeps(&self) -> bool {
        !self.kept.is_empty() || self.broken.is_some()
    }

    /// What one event does: `change` takes its pieces and end signals, then it is placed.
    pub(crate) fn step(
        &mut self,
        delivered: Option<&mut Delivered>,
        change: impl FnOnce(&mut Self) -> Result<Candidate, CallError>,
    ) -> Result<(Verdict, bool), CallError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let placed = change(self).and_then(|event| self.place(event, delivered));
        self.broken = placed.as_ref().err().copied();
        placed
    }

    /// Bytes of the events that are kept back.
    pub(crate) const fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    /// Takes the pieces of calls that one event holds.
    pub(crate) fn take(&mut self, fragments: &[Fragment<'_>]) -> Result<Option<Touched>, CallError> {
        let mut touched: Option<Touched> = None;
        for fragment in fragments {
            let serial = self.find(fragment)?;
            self.calls[serial].push(fragment)?;
            touched = Some(touched.map_or(Touched { first: serial, last: serial }, |run| Touched {
                first: run.first.min(serial),
                last: run.last.max(serial),
            }));
        }
        Ok(touched)
    }

    /// The call that a piece belongs to. A new one is an end signal for the others of its choice.
    fn find(&mut self, fragment: &Fragment<'_>) -> Result<usize, CallError> {
        let same = |call: &Call| call.choice == fragment.choice && call.index == fragment.index;
        if let Some(serial) = self.calls.iter().rposition(same)
            && !self.calls[serial].is_followed_by(fragment)
        {
            return Ok(serial);
        }
        if self.calls.len() >= CALLS_MAX {
            return Err(CallError::TooMany);
        }
        for call in self.calls.iter_mut().filter(|call| call.choice == fragment.choice) {
            call.end_if_there();
        }
        self.calls.push(Call::new(fragment));
        Ok(self.calls.len() - 1)
    }

    /// The calls that `ends` picks have had their end signal. `truncated`: the answer's own limit cut it.
    pub(crate) fn end(&mut self, truncated: bool, ends: impl Fn(u32) -> bool) -> Result<(), CallError> {
        for call in self.calls.iter_mut().filter(|call| call.state == State::Open && ends(call.choice)) {
            if !call.end() {
                if !truncated {
                    return Err(CallError::NotJson);
                }
                call.state = State::Discarded;
            }
        }
        Ok(())
    }

    /// The call of `index` is said to be done.
    pub(crate) fn end_one(&mut self, index: u32) -> Result<(), CallError> {
        let found = self.calls.iter_mut().rev().find(|call| call.index == index);
        let ended = found.is_none_or(|call| call.state != State::Open || call.end());
        if ended { Ok(()) } else { Err(CallError::NotJson) }
    }

    /// Decides what happens to an event and to those before it; tells whether content goes out. The text of what goes
    /// out is added to `delivered`.
    fn place(
        &mut self,
        event: Candidate,
        mut delivered: Option<&mut Delivered>,
    ) -> Result<(Verdict, bool), CallError> {
        let events = self.kept.iter().take_while(|kept| self.are_whole(kept.touched)).count();
        let discard_rest = self.discards(events)?;
        let mut commits = false;
        for kept in self.kept.drain(..events) {
            self.kept_bytes -= kept.bytes;
            commits |= kept.account(delivered.as_deref_mut());
        }
        if discard_rest {
            self.kept.clear();
            self.kept_bytes = 0;
        }
        let hold = self.must_wait(&event)?;
        if hold {
            self.kept_bytes += event.bytes;
            if self.kept_bytes > KEPT_BYTES_MAX {
                return Err(CallError::TooMuchKept);
            }
            self.kept.push_back(event);
        } else {
            commits |= event.account(delivered);
        }
        let verdict = match (events, discard_rest, hold) {
            (0, false, false) => Verdict::Pass,
            (0, false, true) => Verdict::Hold,
            _ => Verdict::Release(Release { events, discard_rest, hold }),
        };
        Ok((verdict, commits))
    }

    fn must_wait(&self, event: &Candidate) -> Result<bool, CallError> {
        if self.calls_of(event.touched).any(|call| call.state == State::Discarded) {
            return Err(CallError::Tangled);
        }
        if self.kept.is_empty() {
            return Ok(!self.are_whole(event.touched));
        }
        let overtakes_text = event.content && self.kept.iter().any(|kept| kept.content);
        Ok(event.touched.is_some() || event.in_order || overtakes_text)
    }

    /// Whether what is kept behind the first `events` is cut off. Nothing else may be lost with it.
    fn discards(&self, events: usize) -> Result<bool, CallError> {
        let is_lost = |call: &Call| call.state == State::Discarded;
        let mut rest = self.kept.iter().skip(events);
        if !rest.clone().any(|kept| self.calls_of(kept.touched).any(is_lost)) {
            return Ok(false);
        }
        let lost = rest.all(|kept| !kept.content && self.calls_of(kept.touched).all(is_lost));
        if lost { Ok(true) } else { Err(CallError::Tangled) }
    }

    fn are_whole(&self, touched: Option<Touched>) -> bool {
        self.calls_of(touched).all(|call| call.state == State::Whole)
    }

    fn calls_of(&self, touched: Option<Touched>) -> impl Iterator<Item = &Call> {
        let run = touched.and_then(|run| self.calls.get(run.first..=run.last));
        run.unwrap_or_default().iter()
    }
}

impl Candidate {
    /// It goes out: tells whether that is content.
    fn account(&self, delivered: Option<&mut Delivered>) -> bool {
        if let Some(delivered) = delivered {
            delivered.push(&self.text);
            if self.touched.is_some() {
                delivered.saw_tool_call();
            }
        }
        self.content || self.touched.is_some()
    }
}
