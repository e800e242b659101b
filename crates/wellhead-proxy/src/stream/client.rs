//! The body of a streamed answer: first whatever it takes to get one, then the stream itself. A broken stream ends with
//! an error in the client's own dialect and without an end signal; it never looks finished.

use super::patience::{Over, Patience};
use super::{CLOSE_MAX, Live, resume};
use crate::answer::{Content, Opened};
use crate::exchange::{Early, Exchange};
use crate::replay::{self, Kept};
use crate::rescue::{self, Refusal};
use crate::settle::Books;
use crate::stages::attempt;
use crate::stages::attempt::{GaveUp, Outcome as Attempted};
use bytes::Bytes;
use http_body::Body;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use wellhead_resilience::ladder::{End, Event};
use wellhead_types::planted::{self, Planted};
use wellhead_types::{Cause, Failure, Outcome, Stage};
use wellhead_wire::openai::Endpoint;
use wellhead_wire::openai::stream::{Delivered, interruption_event};
use wellhead_wire::sse::original;

/// Between two keep-alive comments while no content comes. Below the 15 s at which the first proxies lose patience.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// What a client is told when an answer stays incomplete.
const BROKE_OFF: &str = "The upstream's stream broke off before its end; what was delivered is incomplete.";
/// A comment (WHATWG server-sent events): clients ignore it, proxies and sockets stay awake.
const COMMENT: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// Attempts that go on after the headers were sent.
pub(crate) type Attempts = Pin<Box<dyn Future<Output = (Box<Exchange>, Attempted)> + Send>>;

/// The stream as the client's connection reads it.
pub(crate) struct ClientStream {
    state: State,
    endpoint: Endpoint,
    /// When it has lasted as long as a stream may, whoever goes on with it; counted from its first content.
    ends: Option<Instant>,
}

enum State {
    Opening { attempts: Attempts, early: Arc<Early>, pulse: Pin<Box<Sleep>>, resumes: bool },
    Flowing(Flow),
    Done,
}

struct Flow {
    live: Box<Live>,
    /// With all that is needed to ask somebody else for the rest.
    exchange: Box<Exchange>,
    patience: Patience,
    /// Tokens, counted as events, that others had delivered before this stream, which goes on behind them.
    before: u64,
    /// The upstream has closed the stream.
    closed: bool,
    /// It failed; what came before is delivered first.
    failed: Option<Broken>,
    /// Runs while a tool call is waited for, of which the client hears nothing yet.
    pulse: Option<Pin<Box<Sleep>>>,
}

impl ClientStream {
    /// A stream whose first content is there.
    pub(crate) fn flowing(live: Box<Live>, exchange: Box<Exchange>) -> Self {
        let endpoint = exchange.endpoint;
        let ends = Instant::now() + exchange.route.model.stream_max;
        Self { state: State::Flowing(Flow::new(live, exchange, ends)), endpoint, ends: Some(ends) }
    }

    /// A stream whose headers are sent before there is content.
    pub(crate) fn opening(attempts: Attempts, early: Arc<Early>, endpoint: Endpoint) -> Self {
        early.open();
        let pulse = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self { state: State::Opening { attempts, early, pulse, resumes: false }, endpoint, ends: None }
    }

    pub(crate) fn poll_data(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            match &mut self.state {
                State::Done => return Poll::Ready(None),
                State::Flowing(flow) => match std::task::ready!(flow.poll(cx)) {
                    Step::Data(bytes) => return Poll::Ready(Some(bytes)),
                    Step::Ended => self.finish(),
                    Step::Broken(broken) => {
                        if let Some(event) = self.rescue(broken) {
                            return Poll::Ready(Some(event));
                        }
                    }
                },
                State::Opening { attempts, early, pulse, resumes } => {
                    if let Some(event) = early.pop() {
                        return Poll::Ready(Some(event));
                    }
                    if let Poll::Ready((exchange, outcome)) = attempts.as_mut().poll(cx) {
                        // What was passed on early by the last attempt goes first.
                        let (early, resumes) = (early.clone(), *resumes);
                        if let Some(event) = self.opened(exchange, outcome, &early, resumes) {
                            return Poll::Ready(Some(event));
                        }
                        continue;
                    }
                    if let Some(event) = early.pop() {
                        return Poll::Ready(Some(event));
                    }
                    std::task::ready!(pulse.as_mut().poll(cx));
                    pulse.as_mut().reset(Instant::now() + KEEP_ALIVE);
                    return Poll::Ready(Some(COMMENT));
                }
            }
        }
    }

    /// The attempts have come to an end while the client was waiting with its headers in hand.
    fn opened(
        &mut self,
        mut exchange: Box<Exchange>,
        outcome: Attempted,
        early: &Early,
        resumes: bool,
    ) -> Option<Bytes> {
        // Who was handed what there is says the rest; who begins anew says all of it.
        let goes_on = exchange.resume.take().is_some_and(|resume| resume.changed().is_some());
        let before = if goes_on { exchange.books.output_estimate } else { 0 };
        exchange.books.record.status = 200;
        match outcome {
            Ok(Opened { content: Content::Stream(mut live), rung, .. }) => {
                live.ready.prepend(std::iter::from_fn(|| early.pop()).collect());
                exchange.books.record.rung = rung;
                exchange.books.content();
                let longest = exchange.route.model.stream_max;
                let ends = *self.ends.get_or_insert_with(|| Instant::now() + longest);
                self.state = State::Flowing(Flow { before, ..Flow::new(live, exchange, ends) });
                None
            }
            Ok(Opened { content: Content::Whole(bytes, usage), target: Opened::NO_TARGET, rung, .. }) => {
                exchange.books.record.rung = rung;
                exchange.books.record.usage = usage.map(|usage| *usage);
                Some(self.stand_in(exchange.books, &bytes, early))
            }
            Ok(_) => {
                let refusal = rescue::interrupted(
                    "upstream_invalid_answer",
                    "The upstream did not answer with a stream.",
                    &mut exchange.books,
                );
                Some(self.fail_before(exchange.books, &refusal))
            }
            Err(_) if resumes => {
                let refusal = rescue::interrupted(rescue::INTERRUPTED, BROKE_OFF, &mut exchange.books);
                Some(self.fail_before(exchange.books, &refusal))
            }
            Err(gave_up) => {
                let refusal = rescue::in_stream(&gave_up, &mut exchange.books);
                Some(self.fail_before(exchange.books, &refusal))
            }
        }
    }

    /// What was declared for this moment is all that comes.
    fn stand_in(&mut self, mut books: Box<Books>, answer: &[u8], early: &Early) -> Bytes {
        self.state = State::Done;
        let mut all: Vec<u8> = Vec::new();
        while let Some(event) = early.pop() {
            all.extend_from_slice(&event);
        }
        all.extend_from_slice(answer);
        books.content();
        books.record.response_bytes += all.len() as u64;
        let outcome = books.record.rung.outcome();
        books.close(outcome);
        all.into()
    }

    fn finish(&mut self) {
        if let State::Flowing(mut flow) = std::mem::replace(&mut self.state, State::Done) {
            flow.tell();
            flow.exchange.keep_stream();
            let mut books = flow.exchange.books;
            books.end_attempt("ok");
            let outcome = books.record.rung.outcome();
            books.close(outcome);
        }
    }

    /// The stream broke off after its first content: others are asked for the rest, if request and answer allow it.
    /// Returns what the client gets if not.
    fn rescue(&mut self, broken: Broken) -> Option<Bytes> {
        let State::Flowing(mut flow) = std::mem::replace(&mut self.state, State::Done) else { return None };
        flow.exchange.stop_recording();
        let Broken::Upstream(cause) = broken else { return Some(self.interrupt(flow, broken)) };
        if cause == Cause::IdleTimeout {
            flow.tell();
        }
        let attempt = flow.exchange.books.current_target();
        let delivered = flow.live.take_delivered().filter(|_| cause != Cause::ContinuationDiffers);
        let (Some(target), Some(delivered)) = (attempt, delivered) else {
            return Some(self.interrupt(flow, broken));
        };
        let left = self.ends.map_or(Duration::ZERO, |ends| ends.saturating_duration_since(Instant::now()));
        let (mut delivered, in_memory) = (Some(delivered), matches!(flow.exchange.body, Kept::Memory(_)));
        if in_memory && !begin(&mut flow.exchange, &mut delivered, left) {
            return Some(self.interrupt(flow, broken));
        }
        let mut exchange = flow.exchange;
        let so_far = flow.before.saturating_add(flow.live.events);
        exchange.books.output_estimate = exchange.books.output_estimate.max(so_far);
        exchange.books.break_attempt(cause, flow.live.events);
        let early = exchange.early.clone().unwrap_or_default();
        let attempts = Box::pin(async move {
            let begun = in_memory
                || (replay::read_back(&mut exchange).await && begin(&mut exchange, &mut delivered, left));
            if !begun {
                return (exchange, Err(GaveUp { end: End::PassOn, last: None, answer: None }));
            }
            let failure = Failure::endpoint(Stage::Stream, cause, "the stream broke off");
            let first = exchange.decide(Event::Failed(target, &failure));
            let outcome = attempt::go_on(&mut exchange, first).await;
            (exchange, outcome)
        });
        let pulse = Box::pin(tokio::time::sleep(KEEP_ALIVE));
        self.state = State::Opening { attempts, early, pulse, resumes: true };
        None
    }

    /// The stream broke off, and nobody can be asked for the rest.
    fn interrupt(&mut self, mut flow: Flow, broken: Broken) -> Bytes {
        let books = &mut flow.exchange.books;
        books.output_estimate = books.output_estimate.max(flow.before.saturating_add(flow.live.events));
        let refusal = match broken {
            Broken::Upstream(cause) => {
                books.break_attempt(cause, flow.live.events);
                rescue::interrupted(rescue::INTERRUPTED, BROKE_OFF, books)
            }
            Broken::TooLong => {
                books.price_delivered(flow.live.events);
                books.end_attempt("stream_too_long");
                rescue::too_long(rescue::INTERRUPTED, BROKE_OFF, books)
            }
        };
        let event = flow.live.interruption(&rescue::body(&refusal, books));
        self.fail(flow.exchange.books, rescue::INTERRUPTED, event)
    }

    /// The in-band error of a stream that never began.
    fn fail_before(&mut self, books: Box<Books>, refusal: &Refusal) -> Bytes {
        let event = interruption_event(self.endpoint, &rescue::body(refusal, &books));
        self.fail(books, refusal.code, event)
    }

    fn fail(&mut self, mut books: Box<Books>, code: &'static str, event: Bytes) -> Bytes {
        self.state = State::Done;
        books.record.code = Some(code);
        books.record.response_bytes += event.len() as u64;
        books.close(Outcome::Failed);
        event
    }
}

/// Prepares the exchange for asking for the rest of what was delivered, if request and answer allow it.
fn begin(exchange: &mut Exchange, delivered: &mut Option<Delivered>, left: Duration) -> bool {
    delivered.take().is_some_and(|delivered| resume::begin(exchange, delivered, left))
}

/// What became of a stream.
enum Step {
    Data(Bytes),
    Ended,
    Broken(Broken),
}

/// Why a stream broke off.
#[derive(Debug, Clone, Copy)]
enum Broken {
    Upstream(Cause),
    /// Our own limit.
    TooLong,
}

impl Flow {
    fn new(live: Box<Live>, mut exchange: Box<Exchange>, ends: Instant) -> Self {
        exchange.settle_down();
        let idle = exchange.route.idle_limit(exchange.books.current_target());
        Self {
            live,
            patience: Patience::new(idle, ends.saturating_duration_since(Instant::now())),
            before: 0,
            closed: false,
            failed: None,
            pulse: None,
            exchange,
        }
    }

    /// Events go to the client: what it gets of them counts, and is what is kept.
    fn delivered(&mut self, events: &Bytes) {
        let (bytes, kept) = if self.live.carries() {
            let kept = self.exchange.is_recording().then(|| original::strip(events));
            (original::carried_bytes(events), kept)
        } else {
            (events.len(), self.exchange.is_recording().then(|| events.clone()))
        };
        self.exchange.books.record.response_bytes += bytes as u64;
        if let Some(kept) = kept {
            self.exchange.record_event(&kept);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            if let Some(bytes) = self.live.ready.pop() {
                self.delivered(&bytes);
                return Poll::Ready(Step::Data(bytes));
            }
            if let Some(broken) = self.failed {
                self.settle_usage();
                return Poll::Ready(Step::Broken(broken));
            }
            if self.closed {
                match self.end() {
                    Some(step) => return Poll::Ready(step),
                    None => continue,
                }
            }
            let frame = match Pin::new(&mut self.live.body).poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => match self.poll_patience(cx) {
                    Some(step) => return step,
                    None => continue,
                },
            };
            match frame {
                Some(Ok(frame)) => {
                    let Ok(chunk) = frame.into_data() else { continue };
                    let before = self.live.events;
                    if let Err(failure) = self.live.absorb(chunk) {
                        tracing::debug!(
                            detail = failure.detail,
                            "an upstream stream failed after its first content"
                        );
                        self.failed = Some(Broken::Upstream(failure.cause));
                    }
                    if self.live.events > before {
                        self.patience.touch();
                    }
                    if self.live.has_finished() {
                        self.exchange.books.completed(self.live.finish().usage);
                        self.tell_own_usage();
                    }
                }
                // What was missing is the end signal at most.
                Some(Err(_)) if self.live.has_finished() => self.closed = true,
                Some(Err(error)) => {
                    tracing::debug!(detail = error.detail, "an upstream stream broke off");
                    self.failed = Some(Broken::Upstream(error.cause));
                }
                None => {
                    self.closed = true;
                    if let Err(failure) = self.live.close() {
                        self.failed = Some(Broken::Upstream(failure.cause));
                    }
                }
            }
        }
    }

    /// Whether the client needs a sign of life: a tool call is coming, and is not passed on before it is whole.
    fn poll_pulse(&mut self, cx: &mut Context<'_>) -> bool {
        if self.live.kept_bytes() == 0 {
            self.pulse = None;
            return false;
        }
        let pulse = self.pulse.get_or_insert_with(|| Box::pin(tokio::time::sleep(KEEP_ALIVE)));
        let due = pulse.as_mut().poll(cx).is_ready();
        if due {
            pulse.as_mut().reset(Instant::now() + KEEP_ALIVE);
        }
        due
    }

    /// Nothing comes at the moment. `None`: a limit is over, look again.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Option<Poll<Step>> {
        let finished = self.live.has_finished();
        if finished {
            // The upstream gets a moment to say the rest and to close, so that the connection can be used again.
            self.patience.end_within(CLOSE_MAX);
        }
        match self.patience.poll(cx) {
            Poll::Pending if self.poll_pulse(cx) => return Some(Poll::Ready(Step::Data(COMMENT))),
            Poll::Pending => return Some(Poll::Pending),
            Poll::Ready(_) if finished => self.closed = true,
            Poll::Ready(Over::Silence) => self.failed = Some(Broken::Upstream(Cause::IdleTimeout)),
            Poll::Ready(Over::End) => self.failed = Some(Broken::TooLong),
        }
        None
    }

    /// The stream is over. `None`: its end signal has to go out first.
    fn end(&mut self) -> Option<Step> {
        if !self.settle_usage() && !planted::has(Planted::StreamEndsACutLikeAFinish) {
            return Some(Step::Broken(Broken::Upstream(Cause::ResponseIncomplete)));
        }
        (!self.live.add_terminator()).then_some(Step::Ended)
    }

    /// Tells what has been seen of the stream's pace, now that it is over.
    fn tell(&mut self) {
        let hidden = self.exchange.books.record.usage.is_some_and(|usage| usage.reasoning_tokens > 0);
        let thought = hidden || self.live.reasoning_events() > 0;
        self.exchange.books.stream_ended(self.patience.longest(), thought);
    }

    /// Writes down what the stream used; returns whether it was complete.
    fn settle_usage(&mut self) -> bool {
        let end = self.live.finish();
        let books = &mut self.exchange.books;
        books.record.usage = end.usage;
        books.output_estimate = books.output_estimate.max(self.before.saturating_add(self.live.events));
        self.tell_own_usage();
        end.complete
    }

    /// Tells what this stream used by itself, where others had delivered something before: each is paid for its part.
    fn tell_own_usage(&mut self) {
        let books = &mut self.exchange.books;
        let silent = || (self.before > 0).then(|| books.estimate(self.live.events));
        let own = self.live.own_usage().or_else(silent);
        books.set_own_usage(own);
    }
}

impl Drop for ClientStream {
    /// The client may leave at any moment: what it has had is known only here.
    fn drop(&mut self) {
        if let State::Flowing(flow) = &mut self.state {
            let books = &mut flow.exchange.books;
            let delivered = flow.before.saturating_add(flow.live.events);
            books.output_estimate = books.output_estimate.max(delivered);
        }
    }
}

impl std::fmt::Debug for ClientStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientStream")
    }
}
