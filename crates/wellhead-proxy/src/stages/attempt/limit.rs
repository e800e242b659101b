//! How long is waited for an attempt.

use crate::clock::nanos;
use crate::exchange::Call;
use tokio::time::Instant;
use wellhead_resilience::ladder::Ladder;
use wellhead_resilience::latency::{FirstAsk, Known};
use wellhead_types::{Cause, Failure, Stage};

/// How long the attempt may take to its first token or its answer: as long as is configured or has been learnt of the
/// target, if somebody else could answer instead (decision 10), else until the deadline.
pub(crate) fn limit(call: &Call<'_>, ladder: &Ladder, number: usize) -> Limit {
    let clock = &call.worker.gateway.clock;
    let (now, targets, streamed) = (clock.now(), call.route.targets.len(), call.head.stream);
    let by_deadline = Limit { at: clock.instant(call.deadline), by_deadline: true };
    let (latencies, model) = (&call.target(number).state.latencies, &call.route.model);
    let mut known = latencies.known(streamed);
    if !streamed && known.p99.is_none() {
        return by_deadline;
    }
    let view = |i: usize| call.view(i, now);
    let alternative = !call.body.is_once()
        && ((streamed && call.is_hurried) || ladder.has_alternative(targets, number, &view));
    if !alternative {
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
    let ask = FirstAsk { streamed, alternative, thinking: latencies.thinks(), configured, remaining };
    match known.first_limit(ask).map(|limit| now.saturating_add(limit)).filter(|at| *at < call.deadline) {
        Some(at) => Limit { at: clock.instant(at), by_deadline: false },
        None => by_deadline,
    }
}

/// The moment at which patience with an attempt ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) at: Instant,
    /// It is the caller's patience that ends: no fault of the target's.
    pub(crate) by_deadline: bool,
}

impl Limit {
    /// The failure of an attempt that ran into it.
    pub(crate) fn failure(self, stage: Stage, cause: Cause) -> Failure {
        let cause = if self.by_deadline { Cause::DeadlineExceeded } else { cause };
        Failure::endpoint(stage, cause, "no answer within the limit")
    }
}
