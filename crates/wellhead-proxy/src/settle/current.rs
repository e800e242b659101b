//! One attempt under way, and what its end says about its target.

use crate::diagnosis::Met;
use crate::gateway::Worker;
use crate::plan::{Route, TargetPlan};
use crate::state::{Changed, Entry, Slot};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering::Relaxed};
use wellhead_resilience::balance::PeakEwma;
use wellhead_resilience::breaker::{Attempt, Blow, Kind, Phase};
use wellhead_resilience::ramp::{self, Permit};
use wellhead_resilience::{Nanos, Rng};
use wellhead_telemetry::AttemptRecord;
use wellhead_types::{Cause, Failure, Scope, Side};

/// Failures in a row after which the only target of a route is taken for down, if they took long enough.
const SOLE_FAILURES_MIN: u32 = 5;

/// The attempt under way.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) target: usize,
    pub(super) started: Nanos,
    pub(super) entry: Entry,
    /// An answer has begun.
    pub(super) answering: bool,
    /// It takes one of the provider's slots.
    pub(super) slot: Option<Slot>,
    /// How long it takes to its first token is learnt from it, and that has not come yet.
    pub(super) waits: bool,
    /// There if another one may run beside it.
    pub(super) signs: Option<Arc<Signs>>,
    pub(super) record: AttemptRecord,
}

/// What is seen of an attempt from outside while another one may run beside it.
#[derive(Debug, Default)]
pub(crate) struct Signs {
    /// 0: no headers yet.
    status: AtomicU16,
    begun: AtomicBool,
    quiet: AtomicBool,
}

impl Signs {
    /// Its headers are there.
    pub(crate) fn set_status(&self, status: u16) {
        self.status.store(status, Relaxed);
    }

    pub(super) fn status(&self) -> Option<u16> {
        Some(self.status.load(Relaxed)).filter(|status| *status != 0)
    }

    /// Its first token is there.
    pub(crate) fn begin(&self) {
        self.begun.store(true, Relaxed);
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Relaxed)
    }

    /// Whether nothing of it goes to the client before it has won.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet.load(Relaxed)
    }

    pub(crate) fn set_quiet(&self, quiet: bool) {
        self.quiet.store(quiet, Relaxed);
    }
}

/// How an attempt ended, as far as its target's health is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    Good,
    Failed(Blow),
    /// It was answered, and the request is at fault.
    Answered,
    /// It says nothing about the target.
    GivenUp,
}

impl End {
    /// How a failure ends it. A target that refuses because it has too much to do takes note of that.
    pub(super) fn of(target: &TargetPlan, failure: &Failure, now: Nanos) -> Self {
        let mut blow = Blow::of(failure);
        // Without a key to rest, a limit or a rejection is the target's own.
        if target.provider.keys.is_empty() && matches!(failure.scope, Scope::Key | Scope::KeyModel) {
            blow.kind = Kind::Fault;
        }
        // An error of the request is an answer, and says nothing against anybody.
        if failure.side == Side::Client && blow.kind == Kind::Answered {
            Self::Answered
        } else if is_only_load(failure, target, now) {
            Self::GivenUp
        } else {
            Self::Failed(blow)
        }
    }
}

/// Whose attempt it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) worker: &'a Worker,
    pub(super) route: &'a Route,
    /// Only one target can answer the request.
    pub(super) sole: bool,
    pub(super) streamed: bool,
}

impl Current {
    /// Its first token came at this time.
    pub(super) fn first_token(&mut self, of: Of<'_>, at: Nanos) {
        let Some(target) = of.route.targets.get(self.target) else { return };
        if std::mem::take(&mut self.waits) {
            let took = at.saturating_sub(self.started);
            target.state.latencies.learn(of.streamed, |latency| latency.on_first(took, at));
        }
    }

    /// Its answer has begun. `permit`: it was let in after an outage.
    pub(super) fn answering(&mut self, of: Of<'_>, permit: Option<Permit>, now: Nanos) {
        let Some(target) = of.route.targets.get(self.target) else { return };
        let took = now.saturating_sub(self.started);
        if !std::mem::replace(&mut self.answering, true) {
            if target.compared {
                target.state.estimate(of.worker.number, now, |estimate| estimate.on_answer(took, now));
            }
            let in_flight = target.state.in_flight.load(Relaxed);
            if target.state.load.on_answer(of.streamed, took, in_flight, now) {
                of.worker.gateway.room.open_crowds(now);
            }
            of.route.ramp.on_answer(permit, now);
        }
        let changed = target.state.on_answering(Attempt { began: self.started, now }, &mut self.entry);
        if target.compared && changed.is_back {
            target.state.on_recovery(took, now);
        }
        changed_for_all(of.worker, target, &changed, now);
    }

    /// It is over: its target learns so.
    pub(super) fn conclude(&mut self, of: Of<'_>, end: End, permit: Option<Permit>, now: Nanos) {
        let Some(target) = of.route.targets.get(self.target) else { return };
        target.state.in_flight.fetch_sub(1, Relaxed);
        if !self.answering {
            target.state.load.on_end();
        }
        drop(self.slot.take());
        ramp(of, self.target, &end, permit, now);
        if self.waits {
            learn(target, of.streamed, &end, self.started, now);
        }
        if target.compared && !self.answering {
            estimate(of.worker.number, target, &end, self.started, now);
        }
        let (state, attempt) = (&target.state, Attempt { began: self.started, now });
        let changed = match end {
            End::Good => state.on_success(attempt, self.entry),
            End::Answered | End::GivenUp => state.on_given_up(attempt, self.entry),
            End::Failed(blow) => {
                if blow.cause != Cause::Internal {
                    state.failures.fetch_add(1, Relaxed);
                }
                let mut rng = Rng::new(of.worker.gateway.entropy.next());
                state.on_failure(attempt, blow, of.route.pool(of.sole), self.entry, &mut rng)
            }
        };
        changed_for_all(of.worker, target, &changed, now);
        of.worker.gateway.room.open_crowds(now);
    }

    /// What its record needs to know besides itself.
    pub(super) fn place(&self) -> Place {
        let status = self.signs.as_ref().and_then(|signs| signs.status());
        Place { target: self.target, started: self.started, status }
    }

    pub(super) fn into_record(self) -> (Place, AttemptRecord) {
        (self.place(), self.record)
    }
}

/// Where and when an attempt was made, and the status that was seen from outside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) target: usize,
    pub(super) started: Nanos,
    pub(super) status: Option<u16>,
}

/// An attempt that goes on without its request, whose target shall learn how it ends.
#[derive(Debug)]
pub(crate) struct Detached {
    pub(crate) worker: Arc<Worker>,
    pub(crate) route: Arc<Route>,
    pub(super) sole: bool,
    pub(super) streamed: bool,
    /// Until it has ended.
    pub(super) current: Option<Current>,
}

impl Detached {
    /// It answers, and is not listened to any further.
    pub(crate) fn answers(mut self, first_at: Nanos, now: Nanos) {
        let Some(mut current) = self.current.take() else { return };
        let of = self.of();
        current.first_token(of, first_at);
        current.answering(of, None, now);
        current.conclude(of, End::GivenUp, None, now);
    }

    /// It failed.
    pub(crate) fn fails(mut self, failure: &Failure, now: Nanos) {
        let Some(mut current) = self.current.take() else { return };
        let of = self.of();
        let Some(target) = self.route.targets.get(current.target) else { return };
        let end = End::of(target, failure, now);
        if matches!(end, End::Answered) {
            current.answering(of, None, now);
        } else {
            target.state.note_fault(Met::new(0, target.id.clone(), failure, now).fault);
        }
        current.conclude(of, end, None, now);
    }

    fn of(&self) -> Of<'_> {
        Of { worker: &self.worker, route: &self.route, sole: self.sole, streamed: self.streamed }
    }
}

impl Drop for Detached {
    /// The process ends.
    fn drop(&mut self) {
        if let Some(mut current) = self.current.take() {
            current.conclude(self.of(), End::GivenUp, None, self.worker.gateway.clock.now());
        }
    }
}

/// Whether the target is well, and only has too much to do: it will be given less. One that says when it wants to be
/// asked again is not asked before, whatever the reason.
fn is_only_load(failure: &Failure, target: &TargetPlan, now: Nanos) -> bool {
    let keyless = target.provider.keys.is_empty() && failure.scope == Scope::KeyModel;
    let refuses = failure.cause == Cause::Overloaded || (failure.cause == Cause::RateLimited && keyless);
    let others = target.state.in_flight.load(Relaxed).saturating_sub(1);
    refuses && target.state.load.on_refusal(others, now) && failure.retry_after.is_none()
}

/// Tells the ramp of a failure. A target without an alternative never opens: it is down when it has failed for a while
/// and nothing else has come of it. Requests that may use others as well may still be answered by those.
fn ramp(of: Of<'_>, current: usize, end: &End, permit: Option<Permit>, now: Nanos) {
    let Some(target) = of.route.targets.get(current) else { return };
    let End::Failed(Blow { kind: Kind::Fault, .. }) = end else { return };
    if let Some(permit) = permit {
        of.route.ramp.on_failure(permit, now);
    }
    if of.sole && of.route.is_down(Some(current), now) {
        let evidence = target.state.evidence();
        let since = evidence.failing_since.filter(|since| now.saturating_sub(*since) >= ramp::OUTAGE_MIN);
        if let Some(since) = since.filter(|_| evidence.failures_in_a_row >= SOLE_FAILURES_MIN) {
            let usual = of.route.budget.requests_per_second(now);
            of.route.ramp.on_down(usual, since);
        }
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

/// What an attempt without a first token says about the time that it takes.
fn learn(target: &TargetPlan, streamed: bool, end: &End, started: Nanos, now: Nanos) {
    let took = now.saturating_sub(started);
    match end {
        End::Failed(Blow { cause: Cause::FirstTokenTimeout | Cause::HeadersTimeout, .. }) => {
            target.state.latencies.learn(streamed, |latency| latency.on_first_missed(took, now));
        }
        End::GivenUp | End::Failed(Blow { cause: Cause::DeadlineExceeded, .. }) => {
            target.state.latencies.learn(streamed, |latency| latency.on_cancelled(took, now));
        }
        _ => {}
    }
}

/// What an attempt without an answer says about the time that the target takes.
fn estimate(worker: usize, target: &TargetPlan, end: &End, started: Nanos, now: Nanos) {
    let took = now.saturating_sub(started);
    target.state.estimate(worker, now, |estimate: &mut PeakEwma| match end {
        End::Good => estimate.on_answer(took, now),
        End::Failed(Blow { kind: Kind::Fault, retry_after, .. }) => estimate.on_failure(*retry_after, now),
        End::Failed(Blow { kind: Kind::Answered, .. }) => estimate.on_answer(took, now),
        End::Failed(_) | End::Answered | End::GivenUp => estimate.on_cancelled(took, now),
    });
}
