//! An upstream's stream under observation: whole events pass as they came, or are left out; nothing is held back but
//! the start of an event and tool calls that are not complete yet.

use super::queue::Queue;
use crate::exchange::{Call, Early};
use crate::replay::Share;
use bytes::Bytes;
use wellhead_net::InBody;
use wellhead_types::{Cause, Failure, Retry, Scope, Stage, Usage};
use wellhead_wire::openai::error::ErrorBody;
use wellhead_wire::openai::resume::{Broken, Plan, Resumed};
use wellhead_wire::openai::stream::{Delivered, END_SIGNAL, Identity, StreamEnd, StreamObserver};
use wellhead_wire::sse::{Framer, Tail, Verdict};
use wellhead_wire::translate::{Inbound, carried_bytes_max};

/// Delivered text is counted in the budget for replay in pieces of this size: a counter that all threads share is not
/// touched for every word.
const COUNTED_BYTES: u64 = 16 * 1024;

/// A stream and what is known of it.
pub(crate) struct Live {
    pub(crate) body: InBody,
    /// Turns what the target says into the client's dialect, where it speaks another one.
    inbound: Option<Box<Inbound>>,
    framer: Framer,
    observer: StreamObserver,
    /// There if the client has the beginning of the answer from elsewhere.
    resumed: Option<Box<Resumed>>,
    /// Events that are ready to go to the client.
    pub(crate) ready: Queue,
    /// The stream's own end signal has been seen.
    pub(crate) terminal: bool,
    committed: bool,
    /// The client asked for one answer: its finish reason is the end, whatever becomes of the end signal.
    single: bool,
    chunks: bool,
    /// What the delivered text holds of the budget for replay, and the most that all may hold; while it is remembered.
    text: Option<(Share, u64)>,
    /// Events with data so far; comments prove life, not progress (decision 11).
    pub(crate) events: u64,
}

impl Live {
    pub(crate) fn new(body: InBody, call: &Call<'_>, inbound: Option<Box<Inbound>>) -> Self {
        let resumed = call.resume.map(|resume| resume.joint(call)).or_else(|| renamed(call));
        let remembers = resumed.is_none() && call.is_rescuable();
        let watch = if remembers { StreamObserver::remembering } else { StreamObserver::new };
        let observer = watch(call.endpoint, call.head.asked_usage);
        let carries = inbound.as_ref().is_some_and(|inbound| inbound.carries());
        let event_bytes_max = call.plan.limits.event_bytes_max;
        Self {
            body,
            inbound,
            framer: Framer::new(if carries { carried_bytes_max(event_bytes_max) } else { event_bytes_max }),
            observer: if carries { observer.in_order() } else { observer },
            resumed,
            ready: Queue::default(),
            terminal: false,
            committed: false,
            single: call.head.n <= 1,
            chunks: call.endpoint.streams_chunks(),
            text: remembers.then(|| (call.worker.gateway.replay.share(), call.plan.limits.replay_bytes_max)),
            events: 0,
        }
    }

    /// Takes one piece of the upstream's body. Returns whether content has begun (decision 9).
    pub(crate) fn absorb(&mut self, chunk: Bytes) -> Result<bool, Failure> {
        let Some(inbound) = &mut self.inbound else { return self.watch(chunk) };
        let (chunk, failed) = inbound.push(chunk);
        let begun = self.watch(chunk)?;
        failed.map_or(Ok(begun), |failure| Err(Failure { stage: self.stage(), ..failure }))
    }

    /// The same for what is in the client's dialect.
    fn watch(&mut self, chunk: Bytes) -> Result<bool, Failure> {
        let Self { framer, observer, ready, resumed, terminal, committed, events, .. } = self;
        let mut failed = None;
        // Behind a joint the events have to pass that first.
        let mut unjoined = Vec::new();
        let out = if resumed.is_some() { &mut unjoined } else { ready.sink() };
        let framed = framer.push(
            chunk,
            &mut |event| {
                // What comes behind an error must not make a broken answer look finished.
                if failed.is_some() {
                    return Verdict::Drop;
                }
                *events += u64::from(!event.is_comment_only());
                let observed = observer.observe(&event);
                *committed |= observed.commits;
                *terminal |= observed.terminal.is_some();
                failed = observed.error;
                observed.verdict
            },
            out,
        );
        let joined = self.join(unjoined);
        self.count_text();
        if let Err(error) = framed {
            return Err(Failure::endpoint(self.stage(), Cause::ResponseTooLarge, error.to_string()));
        }
        joined?;
        match failed {
            Some(failure) => Err(failure),
            None => Ok(self.has_begun()),
        }
    }

    /// What the framer gave out passes the joint, if there is one, and becomes ready.
    fn join(&mut self, events: Vec<Bytes>) -> Result<(), Failure> {
        let Some(resumed) = &mut self.resumed else {
            self.ready.sink().extend(events);
            return Ok(());
        };
        let mut outcome = Ok(());
        for event in events {
            outcome = resumed.push(event, self.ready.sink());
            if outcome.is_err() {
                break;
            }
        }
        outcome.map_err(|broken| unjoined(&broken, self.stage()))
    }

    /// Text that the budget has no room for is not remembered (decision 16): the stream goes on without rescue.
    fn count_text(&mut self) {
        let Some((share, bytes_max)) = &mut self.text else { return };
        if self.observer.remembered_bytes() as u64 > share.bytes() && !share.grow(COUNTED_BYTES, *bytes_max) {
            self.observer.forget();
            self.text = None;
        }
    }

    /// The upstream has closed the stream. A last event that lacks only its blank line is delivered with one; a torn
    /// one is not.
    pub(crate) fn close(&mut self) -> Result<(), Failure> {
        if let Some(inbound) = &mut self.inbound {
            let (rest, failed) = inbound.close();
            self.watch(rest)?;
            if let Some(failure) = failed {
                return Err(Failure { stage: self.stage(), ..failure });
            }
        }
        let Tail::Incomplete(tail) = self.framer.finish() else { return Ok(()) };
        let Some(observed) = self.observer.observe_tail(&tail) else { return Ok(()) };
        self.terminal |= observed.terminal.is_some();
        self.committed |= observed.commits;
        let mut last = Vec::new();
        self.framer.settle_tail(&tail, observed.verdict, &mut last);
        self.join(last)?;
        observed.error.map_or(Ok(()), Err)
    }

    /// Whether the client gets something of this stream that it has not yet.
    fn has_begun(&self) -> bool {
        self.resumed.as_ref().map_or(self.committed, |resumed| resumed.began())
    }

    /// Whether the answer is there: only usage and the end signal may follow.
    pub(crate) const fn has_finished(&self) -> bool {
        self.terminal || (self.single && self.observer.is_finished())
    }

    /// Adds the end signal that an upstream forgot behind a finished answer: clients wait for it. Returns whether it did.
    pub(crate) fn add_terminator(&mut self) -> bool {
        if self.terminal || !self.chunks {
            return false;
        }
        self.terminal = true;
        self.ready.sink().push(END_SIGNAL);
        true
    }

    /// What is known of the stream when nothing more comes; its usage is that of the whole answer.
    pub(crate) fn finish(&self) -> StreamEnd {
        let mut end = self.observer.finish();
        if let Some(resumed) = &self.resumed {
            end.usage = end.usage.map(|own| resumed.usage(own));
        }
        end
    }

    /// What this stream used by itself, where it is the rest of an answer that another one began.
    pub(crate) fn own_usage(&self) -> Option<Usage> {
        self.resumed.as_ref().and_then(|_| self.observer.finish().usage)
    }

    /// What the client has of the answer, if that was remembered.
    pub(crate) fn take_delivered(&mut self) -> Option<Delivered> {
        match self.resumed.take() {
            Some(resumed) => Some(resumed.into_delivered()),
            None => self.observer.take_delivered(),
        }
    }

    /// Events in which the model was seen thinking.
    pub(crate) const fn reasoning_events(&self) -> u32 {
        self.observer.reasoning_events()
    }

    /// What identifies the stream, once it has said so.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.observer.identity()
    }

    /// Bytes that wait for a tool call to be whole.
    pub(crate) fn kept_bytes(&self) -> usize {
        self.observer.kept_bytes()
    }

    /// The in-band error that fits what the client has seen.
    pub(crate) fn interruption(&self, error: &ErrorBody) -> Bytes {
        self.observer.interruption(error)
    }

    /// Whether its events carry what the target wrote itself.
    pub(crate) fn carries(&self) -> bool {
        self.inbound.as_ref().is_some_and(|inbound| inbound.carries())
    }

    /// How far the stream has come.
    pub(crate) fn stage(&self) -> Stage {
        if self.has_begun() { Stage::Stream } else { Stage::FirstToken }
    }
}

/// Thoughts of another target have reached the client: for the client it is still the same stream.
fn renamed(call: &Call<'_>) -> Option<Box<Resumed>> {
    let identity = call.early.and_then(Early::identity)?;
    let event_bytes_max = call.plan.limits.event_bytes_max;
    let delivered = Delivered::named(identity.clone());
    Some(Box::new(Resumed::new(call.endpoint, Plan::Restart, delivered, false, event_bytes_max)))
}

/// The stream does not fit to what the client has.
fn unjoined(broken: &Broken, stage: Stage) -> Failure {
    Failure {
        scope: Scope::Request,
        retry: Retry::Elsewhere,
        ..Failure::endpoint(stage, Cause::ContinuationDiffers, broken.to_string())
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("terminal", &self.terminal).finish_non_exhaustive()
    }
}
