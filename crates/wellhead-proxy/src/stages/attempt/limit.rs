//! How long is waited for an attempt.

use crate::clock::nanos;
use crate::exchange::Call;
use tokio::time::Instant;
use wellhead_resilience::ladder::Ladder;
use wellhead_resilience::ladder::late::{self, Late};
use wellhead_resilience::latency::{FirstAsk, Known};
use wellhead_types::{Cause, Failure, Stage};

/// How long the attempt may take to its first token or its answer: as long as is configured or has been learnt of the
/// target, if somebody else could answer instead (decision 10), else until the deadline.
pub(crate) fn limit(call: &Call<'_>, ladder: &Ladder, number: usize) -> Limit {
    let clock = &call.worker.gateway.clock;
    let (now, targets, streamed) = (clock.now(), call.route.targets.len(), call.head.stream);
    let by_deadline = Limit { at: clock.instant(call.deadline), by_deadline: true, others: 0 };
    let (latencies, model) = (&call.target(number).state.latencies, &call.route.model);
    let mut known = latencies.known(streamed);
    if !streamed && known.p99.is_none() {
        return by_deadline;
    }
    let view = |i: usize| call.view(i, now);
    let alternative = !call.body.is_once()
        && ((streamed && call.is_hurried) || ladder.has_alternative(targets, number, &view));
    // A stream that has nobody else to go to now is looked at again when it is late.
    let others = if alternative || call.body.is_once() { 0 } else { ladder.others(targets, number) };
    let is_looked_at = streamed && others != 0;
    if !(alternative || is_looked_at) {
        return by_deadline;
    }
    // The rest of an answer takes as long as what the client has of it, where it is said again. And whoever is merely
    // slower than usual is not left for somebody who rests.
    let helps = || call.resume.is_none() && ladder.has_willing(number, targets, &view, now);
    if known.p99.is_some() && !helps() {
        known = Known::default();
    }
    let configured = model.first_token_timeout.filter(|_| streamed).map(nanos);
    let remaining = call.deadline.saturating_sub(now);
    let thinking = latencies.thinks();
    let ask = FirstAsk { streamed, alternative: true, thinking, configured, remaining };
    match known.first_limit(ask).map(|limit| now.saturating_add(limit)).filter(|at| *at < call.deadline) {
        Some(at) => Limit { at: clock.instant(at), by_deadline: false, others },
        None => by_deadline,
    }
}

/// The moment at which patience with an attempt ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) at: Instant,
    /// It is the caller's patience that ends: no fault of the target's.
    pub(crate) by_deadline: bool,
    /// Unless none of these targets works at that moment, as bits; 0: it ends whatever they do.
    pub(crate) others: u64,
}

impl Limit {
    /// Its moment has come: what counts from now on; `None`: it is over.
    pub(crate) fn later(self, call: &Call<'_>) -> Option<Self> {
        if self.others == 0 {
            return None;
        }
        let (now, clock) = (call.now(), &call.worker.gateway.clock);
        match late::look(self.others, &|i| call.view(i, now), now, call.deadline) {
            Late::Leave => None,
            Late::Until(at) => Some(Self { at: clock.instant(at), ..self }),
            Late::Stay => Some(self.settled(call)),
        }
    }

    /// The same for what is not looked at again: until the deadline, if nobody else could answer.
    pub(crate) fn settled(self, call: &Call<'_>) -> Self {
        match self.others {
            0 => self,
            _ => Self { at: call.worker.gateway.clock.instant(call.deadline), by_deadline: true, others: 0 },
        }
    }

    /// The failure of an attempt that ran into it.
    pub(crate) fn failure(self, stage: Stage, cause: Cause) -> Failure {
        let cause = if self.by_deadline { Cause::DeadlineExceeded } else { cause };
        Failure::endpoint(stage, cause, "no answer within the limit")
    }
}
