//! The books of one request. They are opened when it arrives and closed exactly once: by an answer that ended, by a
//! refusal, or, when everything else is dropped because the client went away, by `Drop`.

use crate::diagnosis::{self, Met, Told};
use crate::gateway::Worker;
use crate::plan::{KeyPlan, Route, TargetPlan};
use crate::state::{Changed, Entry, Slot};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use wellhead_quota::Admission;
use wellhead_resilience::balance::PeakEwma;
use wellhead_resilience::breaker::{Attempt, Blow, Kind, Phase};
use wellhead_resilience::ladder::TARGETS_MAX;
use wellhead_resilience::ramp::{self, Permit};
use wellhead_resilience::{Nanos, Rng};
use wellhead_telemetry::metrics::InFlight;
use wellhead_telemetry::{AttemptRecord, RequestRecord};
use wellhead_types::{Cause, Failure, Outcome, Scope, Side, Stage, Usage};

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
    /// Admission after an outage, for the attempt that is next or under way.
    pub(crate) permit: Option<Permit>,
    current: Option<Current>,
    /// The answer has come to its end, even if the client leaves before it has taken the last byte.
    complete: bool,
    closed: bool,
    _counted: InFlight,
}

/// The attempt under way.
#[derive(Debug)]
struct Current {
    target: usize,
    started: Nanos,
    entry: Entry,
    /// An answer has begun.
    answering: bool,
    /// It takes one of the provider's slots.
    slot: Option<Slot>,
    record: AttemptRecord,
}

/// Failures in a row after which the only target of a route is taken for down, if they took long enough.
const SOLE_FAILURES_MIN: u32 = 5;

/// How an attempt ended, as far as its target's health is concerned.
#[derive(Clone, Copy)]
enum End {
    Good,
    Failed(Blow),
    /// It says nothing about the target.
    GivenUp,
}

impl Books {
    pub(crate) fn open(worker: Arc<Worker>, record: RequestRecord, started: Nanos) -> Box<Self> {
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
            permit: None,
            current: None,
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
        entry: Entry,
        slot: Option<Slot>,
        span_id: [u8; 8],
    ) {
        let now = self.worker.gateway.clock.now();
        if target.compared {
            target.state.estimate(self.worker.number, now, PeakEwma::on_start);
        }
        if self.record.attempts.is_empty() {
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
            },
        });
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

    /// The attempt's answer has begun.
    pub(crate) fn answering(&mut self, now: Nanos) {
        let (Some(current), Some(route)) = (&mut self.current, &self.route) else { return };
        let Some(target) = route.targets.get(current.target) else { return };
        let took = now.saturating_sub(current.started);
        if !std::mem::replace(&mut current.answering, true) {
            if target.compared {
                target.state.estimate(self.worker.number, now, |estimate| estimate.on_answer(took, now));
            }
            let in_flight = target.state.in_flight.load(Relaxed);
            if target.state.load.on_answer(self.record.streamed, took, in_flight, now) {
                self.worker.gateway.room.open_crowds(now);
            }
            route.ramp.on_answer(self.permit.take(), now);
        }
        let changed = target.state.on_answering(Attempt { began: current.started, now }, &mut current.entry);
        if target.compared && changed.is_back {
            target.state.on_recovery(took, now);
        }
        changed_for_all(&self.worker, target, &changed, now);
    }

    /// The attempt has ended; `result` is `ok`, or why it was given up.
    pub(crate) fn end_attempt(&mut self, result: &'static str) {
        self.end(result, if result == "ok" { End::Good } else { End::GivenUp });
    }

    /// The attempt failed before its answer had begun.
    pub(crate) fn fail_attempt(&mut self, failure: &Failure) {
        let (Some(current), Some(route)) = (&self.current, &self.route) else { return };
        let Some(target) = route.targets.get(current.target) else { return };
        let mut blow = Blow::of(failure);
        // Without a key to rest, a limit or a rejection is the target's own.
        if target.provider.keys.is_empty() && matches!(failure.scope, Scope::Key | Scope::KeyModel) {
            blow.kind = Kind::Fault;
        }
        // An error of the request is an answer, and says nothing against anybody.
        let blow = if failure.side == Side::Client && blow.kind == Kind::Answered {
            self.answering(self.worker.gateway.clock.now());
            End::GivenUp
        } else if self.is_only_load(failure, target) {
            End::GivenUp
        } else {
            End::Failed(blow)
        };
        self.note(failure);
        self.end(failure.cause.as_str(), blow);
    }

    /// Whether the target is well, and only has too much to do: it will be given less. One that says when it wants to be
    /// asked again is not asked before, whatever the reason.
    fn is_only_load(&self, failure: &Failure, target: &TargetPlan) -> bool {
        let keyless = target.provider.keys.is_empty() && failure.scope == Scope::KeyModel;
        let refuses = failure.cause == Cause::Overloaded || (failure.cause == Cause::RateLimited && keyless);
        let others = target.state.in_flight.load(Relaxed).saturating_sub(1);
        let now = self.worker.gateway.clock.now();
        refuses && target.state.load.on_refusal(others, now) && failure.retry_after.is_none()
    }

    /// The attempt's answer broke off through the upstream's fault, after it had begun.
    pub(crate) fn break_attempt(&mut self, cause: Cause) {
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
        let now = self.worker.gateway.clock.now();
        let (Some(mut current), Some(route)) = (self.current.take(), &self.route) else { return };
        current.record.duration = since(current.started, now);
        current.record.result = result;
        if let Some(target) = route.targets.get(current.target) {
            target.state.in_flight.fetch_sub(1, Relaxed);
            if !current.answering {
                target.state.load.on_end();
            }
            drop(current.slot.take());
            self.ramp(route, target, &end, now);
            target.metrics.record(self.worker.number, &current.record);
            if target.compared && !current.answering {
                estimate(self.worker.number, target, &end, current.started, now);
            }
            let (state, attempt) = (&target.state, Attempt { began: current.started, now });
            let changed = match end {
                End::Good => state.on_success(attempt, current.entry),
                End::GivenUp => state.on_given_up(attempt, current.entry),
                End::Failed(blow) => {
                    if blow.cause != Cause::Internal {
                        state.failures.fetch_add(1, Relaxed);
                    }
                    let mut rng = Rng::new(self.worker.gateway.entropy.next());
                    state.on_failure(attempt, blow, route.pool(self.sole), current.entry, &mut rng)
                }
            };
            changed_for_all(&self.worker, target, &changed, now);
            self.worker.gateway.room.open_crowds(now);
        }
        // Nearly always the only one: room for four would be most of the record.
        self.record.attempts.reserve_exact(1);
        self.record.attempts.push(current.record);
    }

    /// Tells the ramp of a failure. A target without an alternative never opens: it is down when it has failed for a
    /// while and nothing else has come of it.
    fn ramp(&self, route: &Route, target: &TargetPlan, end: &End, now: Nanos) {
        let End::Failed(Blow { kind: Kind::Fault, .. }) = end else { return };
        if let Some(permit) = self.permit {
            route.ramp.on_failure(permit, now);
        }
        if self.sole {
            let evidence = target.state.evidence();
            let since = evidence.failing_since.filter(|since| now.saturating_sub(*since) >= ramp::OUTAGE_MIN);
            if let Some(since) = since.filter(|_| evidence.failures_in_a_row >= SOLE_FAILURES_MIN) {
                let usual = route.budget.requests_per_second(now);
                route.ramp.on_down(usual, since);
            }
        }
    }

    /// The answer's own end has been seen: whatever happens to the connection now, it was complete.
    pub(crate) const fn completed(&mut self, usage: Option<Usage>) {
        self.complete = true;
        self.record.usage = usage;
    }

    /// The request has ended. Everything about it is written down, reserved tokens are trued up.
    pub(crate) fn close(mut self: Box<Self>, outcome: Outcome) {
        self.write(outcome);
    }

    fn write(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        self.end_attempt(if self.complete { "ok" } else { "cancelled" });
        let gateway = self.worker.gateway.clone();
        let now = gateway.clock.now();
        self.record.outcome = outcome;
        self.record.duration = since(self.started, now);
        self.estimate_usage();
        if let Some(admission) = self.admission.take() {
            admission.settle(self.record.usage.map_or(0, |usage| usage.total()), now);
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
        let asked = !self.record.attempts.is_empty();
        // Who breaks off before the answer has still had the vendor read the request.
        let broken_off = self.record.outcome == Outcome::Cancelled && asked;
        if self.record.usage.is_some() || !(self.record.first_byte.is_some() || broken_off) {
            return;
        }
        self.record.usage_estimated = true;
        self.record.usage = Some(Usage {
            input_tokens: self.input_estimate,
            output_tokens: self.output_estimate,
            ..Usage::default()
        });
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        let outcome = if self.complete { self.record.rung.outcome() } else { Outcome::Cancelled };
        self.write(outcome);
        self.worker.gateway.in_flight.fetch_sub(1, Relaxed);
    }
}

/// Writes a change of a target's state down, and calls those who wait for it.
fn changed_for_all(worker: &Worker, target: &TargetPlan, changed: &Changed, now: Nanos) {
    target.note(changed.transition);
    if changed.transition.is_some_and(|change| change.to == Phase::Open) {
        target.state.load.forget();
    }
    if changed.makes_room || changed.is_back {
        worker.gateway.room.open_all(now);
    }
}

/// What an attempt without an answer says about the time that the target takes.
fn estimate(worker: usize, target: &TargetPlan, end: &End, started: Nanos, now: Nanos) {
    let took = now.saturating_sub(started);
    target.state.estimate(worker, now, |estimate| match end {
        End::Good => estimate.on_answer(took, now),
        End::Failed(Blow { kind: Kind::Fault, retry_after, .. }) => estimate.on_failure(*retry_after, now),
        End::Failed(Blow { kind: Kind::Answered, .. }) => estimate.on_answer(took, now),
        End::Failed(_) | End::GivenUp => estimate.on_cancelled(took, now),
    });
}

/// The time between two readings.
pub(crate) const fn since(from: Nanos, to: Nanos) -> Duration {
    Duration::from_nanos(to.saturating_sub(from))
}
