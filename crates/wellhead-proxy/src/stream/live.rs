//! An upstream's stream under observation: whole events pass as they came, or are left out; nothing is held back but
//! the start of an event that is not complete yet.

use crate::exchange::Exchange;
use bytes::Bytes;
use std::collections::VecDeque;
use wellhead_net::InBody;
use wellhead_types::{Cause, Failure, Stage};
use wellhead_wire::openai::error::ErrorBody;
use wellhead_wire::openai::stream::{StreamEnd, StreamObserver};
use wellhead_wire::sse::{Framer, Tail, Verdict};

/// A stream and what is known of it.
pub(crate) struct Live {
    pub(crate) body: InBody,
    framer: Framer,
    observer: StreamObserver,
    /// Events that are ready to go to the client.
    pub(crate) ready: VecDeque<Bytes>,
    scratch: Vec<Bytes>,
    /// The stream's own end signal has been seen.
    pub(crate) terminal: bool,
    committed: bool,
    /// Events with data so far; comments prove life, not progress (decision 11).
    pub(crate) events: u64,
}

impl Live {
    pub(crate) fn new(body: InBody, exchange: &Exchange) -> Self {
        Self {
            body,
            framer: Framer::new(exchange.plan.limits.event_bytes_max),
            observer: StreamObserver::new(exchange.endpoint, exchange.head.asked_usage),
            ready: VecDeque::new(),
            scratch: Vec::new(),
            terminal: false,
            committed: false,
            events: 0,
        }
    }

    /// Takes one piece of the upstream's body. Returns whether content has begun (decision 9).
    pub(crate) fn absorb(&mut self, chunk: Bytes) -> Result<bool, Failure> {
        let Self { framer, observer, scratch, terminal, committed, events, .. } = self;
        let mut failed = None;
        let framed = framer.push(
            chunk,
            &mut |event| {
                *events += u64::from(!event.is_comment_only());
                let observed = observer.observe(&event);
                *committed |= observed.commits;
                *terminal |= observed.terminal.is_some();
                failed = failed.take().or(observed.error);
                observed.verdict
            },
            scratch,
        );
        self.ready.extend(scratch.drain(..));
        if let Err(error) = framed {
            return Err(Failure::endpoint(self.stage(), Cause::ResponseTooLarge, error.to_string()));
        }
        match failed {
            Some(failure) => Err(failure),
            None => Ok(self.committed),
        }
    }

    /// The upstream has closed the stream. A last event that lacks only its blank line is delivered with one; a torn
    /// one is not.
    pub(crate) fn close(&mut self) {
        let Tail::Incomplete(tail) = self.framer.finish() else { return };
        let Some(observed) = self.observer.observe_tail(&tail) else { return };
        self.terminal |= observed.terminal.is_some();
        if observed.verdict == Verdict::Pass {
            self.ready.push_back([&tail[..], b"\n\n"].concat().into());
        }
    }

    /// What is known of the stream when nothing more comes.
    pub(crate) fn finish(&self) -> StreamEnd {
        self.observer.finish()
    }

    /// The in-band error that fits what the client has seen.
    pub(crate) fn interruption(&self, error: &ErrorBody) -> Bytes {
        self.observer.interruption(error)
    }

    /// How far the stream has come.
    pub(crate) const fn stage(&self) -> Stage {
        if self.committed { Stage::Stream } else { Stage::FirstToken }
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("terminal", &self.terminal).finish_non_exhaustive()
    }
}
