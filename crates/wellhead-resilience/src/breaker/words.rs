//! The vocabulary of the breaker: what it is told, what it says.

use crate::Nanos;
use std::fmt;
use wellhead_types::{Cause, Failure};

/// The state of one target, without its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Never answered, never failed. Routable.
    Unknown,
    /// Answers.
    Ok,
    /// Has failed lately, or answers again after having been open: used when no better one is there.
    Suspect,
    /// Left alone until its wait is over.
    Open,
    /// One request is finding out whether it is back.
    Probing,
}

impl Phase {
    /// The word in logs, metrics and status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Suspect => "suspect",
            Self::Open => "open",
            Self::Probing => "probing",
        }
    }
}

/// How willing a target is; lower is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Answers.
    Ok,
    /// Nothing is known, or what is known is old.
    Unknown,
    /// Has failed lately.
    Suspect,
    /// Open, and its wait is over: one request may probe it.
    Due,
    /// Open, or being probed.
    Open,
}

/// What a failed attempt says about the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is at fault.
    Fault,
    /// It answered, and refused for a reason that lies elsewhere: a rate limit, the key, the request, the model.
    Answered,
    /// Nothing: the caller went away, nothing was sent, or the caller's deadline was over.
    Silent,
}

impl Kind {
    /// What this failure says.
    pub const fn of(failure: &Failure) -> Self {
        if matches!(failure.cause, Cause::RateLimited) {
            Self::Answered
        } else if crate::ladder::counts_against_target(failure) {
            Self::Fault
        } else if failure.status.is_some() {
            Self::Answered
        } else {
            Self::Silent
        }
    }
}

/// When an attempt began and when it is reported. `began` tells a probe's answer from that of a request which was sent
/// before the target opened; for a probe it must not be earlier than the `now` of [`super::Breaker::try_probe`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// When it was sent.
    pub began: Nanos,
    /// Now.
    pub now: Nanos,
}

/// A failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blow {
    /// What it says about the target.
    pub kind: Kind,
    /// Why, for the evidence.
    pub cause: Cause,
    /// How long the upstream asked to be left alone.
    pub retry_after: Option<Nanos>,
}

impl Blow {
    /// The part of a failure that concerns the target.
    pub fn of(failure: &Failure) -> Self {
        let retry_after = failure.retry_after.map(|d| u64::try_from(d.as_nanos()).unwrap_or(Nanos::MAX));
        Self { kind: Kind::of(failure), cause: failure.cause, retry_after }
    }
}

/// What the pool around the target permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// There is no other target: it never opens.
    pub sole: bool,
    /// The rate may open it: see [`may_open_by_rate`].
    pub may_open_by_rate: bool,
}

/// Whether one more of `pool` targets may open by its rate alone when `opened` have done so already: never more than
/// half, because a rate that sinks everywhere is the requests' or our own fault (survival.md 1.8).
pub const fn may_open_by_rate(opened: usize, pool: usize) -> bool {
    opened < pool / 2
}

/// Why a state changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A single failure, or as many as do not open it.
    Failed,
    /// So many failures in a row.
    Consecutive(u32),
    /// So many successes of so many requests in ten seconds.
    Rate(super::Rate),
    /// The probe failed, or what followed it before anything came to a good end.
    ProbeFailed,
    /// The upstream asked to be left alone, for so long.
    RetryAfter(Nanos),
    /// Its wait was over, and a request probes it.
    Due,
    /// The probe ended without saying anything.
    ProbeLost,
    /// It has begun to answer.
    Answering,
    /// A request came to its good end.
    Succeeded,
    /// So many failed checks in a row, and no live traffic that says otherwise.
    ChecksFailed(u32),
    /// A check passed.
    CheckPassed,
    /// The others have left the pool.
    Sole,
}

impl Why {
    /// The word in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Consecutive(_) => "consecutive",
            Self::Rate(_) => "rate",
            Self::ProbeFailed => "probe_failed",
            Self::RetryAfter(_) => "retry_after",
            Self::Due => "due",
            Self::ProbeLost => "probe_lost",
            Self::Answering => "answering",
            Self::Succeeded => "succeeded",
            Self::ChecksFailed(_) => "checks_failed",
            Self::CheckPassed => "check_passed",
            Self::Sole => "sole",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed => f.write_str("a request failed"),
            Self::Consecutive(n) => write!(f, "{n} failures in a row"),
            Self::Rate(rate) => {
                write!(f, "only {} of {} requests in 10 s succeeded", rate.succeeded, rate.of)
            }
            Self::ProbeFailed => f.write_str("the probe failed"),
            Self::RetryAfter(wait) => {
                write!(f, "it asked to be left alone for {} s", wait.div_ceil(crate::SECOND))
            }
            Self::Due => f.write_str("its wait is over"),
            Self::ProbeLost => f.write_str("the probe was given up"),
            Self::Answering => f.write_str("it answers again"),
            Self::Succeeded => f.write_str("a request succeeded"),
            Self::ChecksFailed(n) => write!(f, "{n} failed checks in a row"),
            Self::CheckPassed => f.write_str("a check passed"),
            Self::Sole => f.write_str("there is no other target"),
        }
    }
}

/// A state change. Every one is counted (`breaker_transitions_total`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Before.
    pub from: Phase,
    /// After.
    pub to: Phase,
    /// Why.
    pub why: Why,
}

impl Transition {
    /// Worth a log line: it opened after having been in use, or is in use again. Single failures, probes and their
    /// failing are counted only, because an outage would print them for its whole length.
    pub const fn is_loud(&self) -> bool {
        use Phase::{Ok, Open, Probing, Suspect, Unknown};
        matches!((self.from, self.to), (Unknown | Ok | Suspect, Open) | (Open | Probing, Ok | Suspect))
            || matches!(self.why, Why::ChecksFailed(_))
    }
}

/// What [`super::Breaker::try_probe`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The target does not rest.
    Free,
    /// This request is the probe. It should be hedged, and must be reported like any other.
    Probe(Transition),
    /// The target rests, or another request probes it.
    Later,
}

impl Admission {
    /// Whether the request may be sent.
    pub const fn may_send(self) -> bool {
        !matches!(self, Self::Later)
    }
}

/// What is known of a target, for answers, status and `explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// Its state.
    pub phase: Phase,
    /// When it may be asked again, if it rests.
    pub rests_until: Option<Nanos>,
    /// The last failure, whatever its kind.
    pub last_failure: Option<(Cause, Nanos)>,
    /// When the run of failures began that lasts until now.
    pub failing_since: Option<Nanos>,
    /// When a request last came to its good end.
    pub last_success: Option<Nanos>,
    /// Failures since then.
    pub failures_in_a_row: u32,
}

/// Checks fail, and live traffic succeeds: the check is wrong, not the target (cause `HEALTHCHECK_CONTRADICTED`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contradicted {
    /// Failed checks in a row.
    pub checks_failed: u32,
    /// Requests that succeeded meanwhile.
    pub successes: u64,
}
