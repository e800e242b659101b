//! The books of one request. They are opened when it arrives and closed exactly once: by an answer that ended, by a
//! refusal, or, when everything else is dropped because the client went away, by `Drop`.

mod current;
mod received;

pub(crate) use current::{Detached, Signs};

use crate::clock::nanos;
use crate::diagnosis::{self, Met, Told};
use crate::gateway::Worker;
use crate::plan::{KeyPlan, Route, TargetPlan};
use crate::state::{Entry, Slot, Turn};
use current::{Current, End, Of, Place};
use http::HeaderValue;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use wellhead_catalog::Cost;
use wellhead_quota::Admission;
use wellhead_resilience::Nanos;
use wellhead_resilience::balance::PeakEwma;
use wellhead_resilience::breaker::{Blow, Kind};
use wellhead_resilience::ladder::TARGETS_MAX;
use wellhead_resilience::ramp::Permit;
use wellhead_telemetry::metrics::InFlight;
use wellhead_telemetry::{AttemptRecord, RequestRecord};
use wellhead_types::{Cause, Failure, Outcome, Side, Stage, Usage};

/// The books. Boxed: they are handed on a dozen times, from the first header to the last byte.
#[derive(Debug)]
pub(crate) struct Books {
    worker: Arc<Worker>,
    pub(crate) record: RequestRecord,
    pub(crate) started: Nanos,
    pub(crate) route: Option<Arc<Route>>,
    /// The route that was asked for, while another one stands in.
    pub(crate) asked: Option<Arc<Route>>,
    pub(crate) admission: Option<Admission>,
    /// Input tokens as estimated when the request came, for answers that report no usage.
    pub(crate) input_estimate: u64,
    /// Output tokens delivered, as far as they can be counted from outside: events of a stream.
    pub(crate) output_estimate: u64,
    /// Only one target can answer the request.
    pub(crate) sole: bool,
    /// Targets of the route that was asked for that cannot answer the request at all, as bits.
    pub(crate) unfit: u64,
    /// When it has to be answered; 0: refused before that was known.
    pub(crate) deadline: Nanos,
    /// What went wrong, if anything did.
    pub(crate) told: Option<Box<Told>>,
    /// What the attempt under way has used by itself, where that is only a part of the answer's usage.
    own_usage: Option<Box<Usage>>,
    /// Admission after an outage, for the attempt that is next or under way.
    pub(crate) permit: Option<Permit>,
    /// There if it came out of a queue, where its app was charged for what it would use.
    pub(crate) queued: Option<Box<Turn>>,
    current: Option<Current>,
    /// Another one beside it, while a stream is hedged.
    beside: Option<Box<Current>>,
    /// The answer has come to its end, even if the client leaves before it has taken the last byte.
    complete: bool,
    closed: bool,
    _counted: InFlight,
}

/// Borrows the parts by themselves, so that the attempt can be changed meanwhile.
macro_rules! of {
    ($books:expr) => {
        $books.route.as_deref().map(|route| Of {
            worker: &$books.worker,
            route,
            sole: $books.sole,
            streamed: $books.record.streamed,
        })
    };
}

impl Books {
    fn open(worker: Arc<Worker>, record: RequestRecord, started: Nanos) -> Box<Self> {
        worker.gateway.in_flight.fetch_add(1, Relaxed);
        Box::new(Self {
            _counted: worker.gateway.metrics.in_flight(worker.number),
            worker,
            record,
            started,
            route: None,
            asked: None,
            admission: None,
            input_estimate: 0,
            output_estimate: 0,
            sole: true,
            unfit: 0,
            deadline: 0,
            told: None,
            own_usage: None,
            permit: None,
            queued: None,
            current: None,
            beside: None,
            complete: false,
            closed: false,
        })
    }

    pub(crate) const fn worker(&self) -> &Arc<Worker> {
        &self.worker
    }

    /// The route that the client asked for.
    pub(crate) fn asked_route(&self) -> Option<&Arc<Route>> {
        self.asked.as_ref().or(self.route.as_ref())
    }

    /// Whether the target cannot answer the request at all.
    pub(crate) const fn is_unfit(&self, target: usize) -> bool {
        self.unfit & (1 << (target % TARGETS_MAX)) != 0
    }

    /// An attempt is about to be sent.
    pub(crate) fn begin_attempt(
        &mut self,
        number: usize,
        target: &TargetPlan,
        key: Option<&KeyPlan>,
        (entry, slot): (Entry, Option<Slot>),
        span_id: [u8; 8],
        learns: bool,
    ) {
        let now = self.worker.gateway.clock.now();
        if target.compared {
            target.state.estimate(self.worker.number, now, PeakEwma::on_start);
        }
        if self.record.attempts.is_empty() && self.beside.is_none() {
            self.record.overhead = since(self.started, now);
        }
        target.state.in_flight.fetch_add(1, Relaxed);
        target.state.load.on_start();
        self.current = Some(Current {
            target: number,
            started: now,
            entry,
            answering: false,
            slot,
            waits: learns,
            signs: None,
            record: AttemptRecord {
                target: target.id.clone(),
                provider: target.provider.name.clone(),
                otel_provider: target.provider.otel_name.clone(),
                model: target.model.clone(),
                key_id: key.map(|key| key.id.clone()),
                span_id,
                offset: since(self.started, now),
                duration: Duration::ZERO,
                first_byte: None,
                status: None,
                result: "cancelled",
                cost: Cost::Nothing,
            },
        });
    }

    /// Another attempt may run beside the one under way. What is seen of it meanwhile goes to `signs`.
    pub(crate) fn watch(&mut self, signs: Arc<Signs>) {
        if let Some(current) = &mut self.current {
            current.signs = Some(signs);
        }
    }

    /// Of two attempts the other one: what is written next concerns that. Without another one the place is free for it.
    pub(crate) fn turn(&mut self) {
        let other = self.beside.take().map(|other| *other);
        self.beside = std::mem::replace(&mut self.current, other).map(Box::new);
    }

    /// The target of the attempt under way.
    pub(crate) fn current_target(&self) -> Option<usize> {
        self.current.as_ref().map(|current| current.target)
    }

    /// Whether an attempt has been begun and not ended.
    pub(crate) const fn attempt_under_way(&self) -> bool {
        self.current.is_some()
    }

    /// Response headers of the attempt are there.
    pub(crate) const fn attempt_status(&mut self, status: u16) {
        if let Some(current) = &mut self.current {
            current.record.status = Some(status);
        }
    }

    /// The first content of the answer is there and goes to the client.
    pub(crate) fn content(&mut self) {
        let now = self.worker.gateway.clock.now();
        if let Some(current) = &mut self.current {
            current.record.first_byte.get_or_insert(since(current.started, now));
        }
        self.record.first_byte.get_or_insert(since(self.started, now));
    }

    /// The first token of the attempt came at this time.
    pub(crate) fn first_token(&mut self, at: Nanos) {
        let of = of!(self);
        if let (Some(current), Some(of)) = (&mut self.current, of) {
            current.first_token(of, at);
        }
    }

    /// The attempt's stream is over, by itself or because it stalled.
    pub(crate) fn stream_ended(&mut self, longest_silence: Duration, thought: bool) {
        let (Some(current), Some(route)) = (&self.current, &self.route) else { return };
        let Some(target) = route.targets.get(current.target).filter(|target| target.compared) else { return };
        if thought {
            target.state.latencies.saw_thinking();
        }
        let now = self.worker.gateway.clock.now();
        target.state.latencies.learn(true, |latency| latency.on_silence(nanos(longest_silence), now));
    }

    /// The attempt's answer has begun.
    pub(crate) fn answering(&mut self, now: Nanos) {
        let of = of!(self);
        if let (Some(current), Some(of)) = (&mut self.current, of) {
            let permit = if current.answering { None } else { self.permit.take() };
            current.answering(of, permit, now);
        }
    }

    /// The attempt has ended; `result` is `ok`, or why it was given up.
    pub(crate) fn end_attempt(&mut self, result: &'static str) {
        if result == "ok" {
            self.estimate_usage();
            self.price_answer();
        }
        self.end_priced(result);
    }

    /// The same for an attempt whose cost is known already, or that has none.
    fn end_priced(&mut self, result: &'static str) {
        self.end(result, if result == "ok" { End::Good } else { End::GivenUp });
    }

    /// The attempt failed before its answer had begun.
    pub(crate) fn fail_attempt(&mut self, failure: &Failure) {
        let (Some(current), Some(route)) = (&self.current, &self.route) else { return };
        let Some(target) = route.targets.get(current.target) else { return };
        let end = End::of(target, failure, self.worker.gateway.clock.now());
        // An error of the request is an answer, and says nothing against anybody.
        if matches!(end, End::Answered) {
            self.answering(self.worker.gateway.clock.now());
        }
        self.note(failure);
        self.end(failure.cause.as_str(), end);
    }

    /// The attempt's answer broke off through the upstream's fault, after it had begun and delivered so many tokens.
    pub(crate) fn break_attempt(&mut self, cause: Cause, delivered: u64) {
        self.price_delivered(delivered);
        self.note(&Failure::endpoint(Stage::Stream, cause, "the answer broke off"));
        self.end(cause.as_str(), End::Failed(Blow { kind: Kind::Fault, cause, retry_after: None }));
    }

    /// Remembers what the attempt under way has met, for whoever asks why.
    fn note(&mut self, failure: &Failure) {
        let (Some(current), Some(route)) = (&self.current, &self.route) else { return };
        let Some(target) = route.targets.get(current.target) else { return };
        let now = self.worker.gateway.clock.now();
        let met = Met::new(self.record.attempts.len(), target.id.clone(), failure, now);
        // What the request itself is to blame for says nothing about the target.
        if failure.side != Side::Client {
            target.state.note_fault(met.fault.clone());
        }
        self.told.get_or_insert_default().met.push(met);
    }

    fn end(&mut self, result: &'static str, end: End) {
        let Some(mut current) = self.current.take() else { return };
        let now = self.worker.gateway.clock.now();
        let Some(of) = of!(self) else { return };
        current.conclude(of, end, self.permit, now);
        let (place, record) = current.into_record();
        write_attempt(&mut self.record, of, place, record, result, now);
    }

    /// The attempt goes on without the request, in whose record it ends here.
    pub(crate) fn detach(&mut self, result: &'static str) -> Option<Detached> {
        let (current, of, route) = (self.current.take()?, of!(self)?, self.route.clone()?);
        let now = self.worker.gateway.clock.now();
        write_attempt(&mut self.record, of, current.place(), current.record.clone(), result, now);
        let (worker, streamed) = (self.worker.clone(), self.record.streamed);
        Some(Detached { worker, route, sole: self.sole, streamed, current: Some(current) })
    }

    /// The answer's own end has been seen: whatever happens to the connection now, it was complete.
    pub(crate) const fn completed(&mut self, usage: Option<Usage>) {
        self.complete = true;
        self.record.usage = usage;
    }

    /// What the attempt under way has used by itself, where that is only a part of the answer's usage: the beginning came
    /// from another one.
    pub(crate) fn set_own_usage(&mut self, usage: Option<Usage>) {
        self.own_usage = usage.map(Box::new);
    }

    /// The attempt under way has answered: it costs what it used.
    fn price_answer(&mut self) {
        let own = self.own_usage.take().map(|usage| *usage);
        if let Some(usage) = own.or(self.record.usage) {
            self.price(&usage);
        }
    }

    /// The attempt under way has delivered so many tokens of an answer and is given up: it costs what can be seen of that.
    pub(crate) fn price_delivered(&mut self, delivered: u64) {
        self.own_usage = None;
        if self.record.first_byte.is_some() {
            self.price(&self.estimate(delivered));
        }
    }

    /// What the attempts that have ended cost together.
    fn cost(&self) -> Cost {
        self.record.attempts.iter().fold(Cost::Nothing, |sum, attempt| sum.plus(attempt.cost))
    }

    /// The cost of a whole answer as a header says it, in dollars: only where it is known and not estimated.
    pub(crate) fn cost_header(&self) -> Option<HeaderValue> {
        let nanos = self.cost().nanos().filter(|_| !self.record.usage_estimated)?;
        dollars(nanos)
    }

    fn price(&mut self, usage: &Usage) {
        let (Some(current), Some(route)) = (&mut self.current, &self.route) else { return };
        let prices = route.targets.get(current.target).and_then(|target| target.prices.as_deref());
        current.record.cost = Cost::of(prices, usage);
    }

    /// The request will be asked for again; it is written down when it has been answered.
    pub(crate) fn postpone(mut self: Box<Self>) {
        self.end_attempt("cancelled");
        self.closed = true;
    }

    /// The request has ended. Everything about it is written down, reserved tokens are trued up.
    pub(crate) fn close(mut self: Box<Self>, outcome: Outcome) {
        self.write(outcome);
    }

    fn write(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        self.record.outcome = outcome;
        self.estimate_usage();
        self.price_answer();
        self.end_priced(if self.complete { "ok" } else { "cancelled" });
        if self.beside.is_some() {
            self.turn();
            self.end_priced("cancelled");
        }
        let gateway = self.worker.gateway.clone();
        let now = gateway.clock.now();
        self.record.duration = since(self.started, now);
        self.record.cost = self.cost();
        let used = self.record.usage.map_or(0, |usage| usage.total());
        if let Some(admission) = self.admission.take() {
            admission.settle(used, now);
        }
        if let (Some(turn), Some(app)) = (self.queued.take(), &self.record.app) {
            gateway.room.on_used(&turn, self.record.priority, app, used);
        }
        let straight = outcome == Outcome::Ok
            && self.told.is_none()
            && !self.asked_route().is_some_and(|route| route.trouble.is_set());
        if !straight {
            diagnosis::settle(self, outcome, now);
        }
        let metrics = &gateway.metrics;
        match self.asked_route() {
            Some(route) => route.metrics.record(self.worker.number, &self.record),
            None => metrics.no_route().record(self.worker.number, &self.record),
        }
        // Everything but the attempts is cheap to clone; those are moved.
        let attempts = std::mem::take(&mut self.record.attempts);
        gateway.telemetry.emit(self.worker.number, RequestRecord { attempts, ..self.record.clone() });
    }

    /// An answer that was cut, or a vendor that reports nothing: what was delivered is estimated, one token an event,
    /// and marked. What is no text (audio, pictures) is not estimated: its bytes say nothing about tokens.
    fn estimate_usage(&mut self) {
        let asked = !self.record.attempts.is_empty() || self.current.is_some();
        // Who breaks off before the answer has still had the vendor read the request.
        let broken_off = self.record.outcome == Outcome::Cancelled && asked;
        if self.record.usage.is_some() || !(self.record.first_byte.is_some() || broken_off) {
            return;
        }
        self.record.usage_estimated = true;
        self.record.usage = Some(self.estimate(self.output_estimate));
    }

    /// What has been read, as far as that can be seen from outside, and what was delivered.
    pub(crate) fn estimate(&self, delivered: u64) -> Usage {
        Usage { input_tokens: self.input_estimate, output_tokens: delivered, ..Usage::default() }
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        let outcome = if self.complete { self.record.rung.outcome() } else { Outcome::Cancelled };
        self.write(outcome);
        self.worker.gateway.in_flight.fetch_sub(1, Relaxed);
    }
}

/// An attempt has ended, as far as its request is concerned. They stand in the order of their ends, so that the one which
/// answered is the last.
fn write_attempt(
    request: &mut RequestRecord,
    of: Of<'_>,
    place: Place,
    mut record: AttemptRecord,
    result: &'static str,
    now: Nanos,
) {
    record.duration = since(place.started, now);
    record.status = record.status.or(place.status);
    record.result = result;
    if let Some(target) = of.route.targets.get(place.target) {
        target.metrics.record(of.worker.number, request.app.as_ref(), &record);
    }
    // Nearly always the only one: room for four would be most of the record.
    request.attempts.reserve_exact(1);
    request.attempts.push(record);
}

/// Nano-dollars as dollars with nine decimals. By hand, because every answer passes here.
fn dollars(nanos: u64) -> Option<HeaderValue> {
    const POINT: usize = 20;
    let (mut digits, mut rest, mut at) = ([b'0'; POINT + 10], nanos, POINT + 10);
    // The point, and one digit before it, are always there.
    while rest > 0 || at >= POINT {
        at -= 1;
        if at == POINT {
            digits[at] = b'.';
            continue;
        }
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    HeaderValue::from_bytes(&digits[at..]).ok()
}

/// The time between two readings.
pub(crate) const fn since(from: Nanos, to: Nanos) -> Duration {
    Duration::from_nanos(to.saturating_sub(from))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::dollars;
    use wellhead_catalog::NanoDollars;

    #[test]
    fn a_cost_is_written_as_money_is() {
        for nanos in [0, 1, 12_500, 999_999_999, 1_000_000_000, 10_000_000_001, u64::MAX] {
            assert_eq!(dollars(nanos).unwrap().to_str().unwrap(), NanoDollars(nanos).to_string());
        }
        assert_eq!(dollars(12_500).unwrap(), "0.000012500");
    }
}
