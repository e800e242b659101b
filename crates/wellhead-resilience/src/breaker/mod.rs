//! Health of one target (endpoint × protocol × model) from what requests to it end with (survival.md 1.8 and R3).
//!
//! ```text
//! Unknown → Ok ⇄ Suspect → Open(wait) → Probing → Suspect (it answers) → Ok (it has answered)
//!                            ↑              └── failed: longer wait ──┘
//! ```
//!
//! An open target is asked last, never not at all: the state re-orders candidates, and the ladder and the last light
//! see to it that somebody is asked. Reports of requests that were sent before the target opened change nothing but
//! the evidence: the timeouts of an outage must not open a target that has recovered meanwhile.

mod checks;
mod passive;
pub(crate) mod ring;
#[cfg(test)]
mod tests;
mod words;

pub use checks::{CHECKS_FAILED_MIN, CONTRADICTING_SUCCESSES_MIN, Checked};
pub use passive::{PASSIVE_FRESH, Passive, RATE_REQUESTS_MIN, Rate, SUCCESS_RATE_PERCENT_MIN};
pub use words::{
    Admission, Attempt, Blow, Class, Contradicted, Evidence, Kind, Phase, Pool, Transition, Why,
    may_open_by_rate,
};

use crate::{Nanos, Rng, SECOND};
use wellhead_types::Cause;
use wellhead_types::planted::{self, Planted};

/// Failures in a row that open a target, the number that Linkerd found to tell an outage from a hiccup. Already the
/// first one makes it suspect, so that few requests pay for the others.
pub const FAILURES_IN_A_ROW_MAX: u32 = 7;
/// First wait of an open target; doubled each time.
pub const OPEN_FIRST: Nanos = SECOND;
/// Longest wait before jitter, which makes it 27 s at most, counted from the last probe's beginning: 30 s after its return
/// a target has answered a probe and has traffic again, however long it was away and however it failed. Longer waits
/// would save next to nothing: one probe in eighteen seconds is no load.
pub const OPEN_MAX: Nanos = 18 * SECOND;
/// Shortest wait after a probe that took longer to fail than its next wait is long.
const OPEN_MIN: Nanos = OPEN_FIRST / 2;
/// Longest wait that an upstream can ask for with `Retry-After`.
pub const RETRY_AFTER_MAX: Nanos = 300 * SECOND;
/// How long one failure moves a target behind the others. As long as the shortest wait: then it gets a request again,
/// because a target that is never asked can never prove itself.
pub const SUSPECT: Nanos = SECOND;
/// A probe that has said nothing for so long does not keep others away any more. Longer than the usual limit to the
/// first token (12 s), so that a slow probe is not doubled.
pub const PROBE_LEASE: Nanos = 15 * SECOND;
/// Wait after a probe that ended without saying anything.
const PROBE_LOST: Nanos = SECOND;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Unknown,
    Ok,
    Suspect {
        /// From then on it is no worse than unknown.
        until: Nanos,
    },
    Open {
        until: Nanos,
    },
    Probing {
        since: Nanos,
        /// The lease.
        until: Nanos,
    },
}

/// The state machine of one target. Lives behind a short mutex: it is touched on failure, probe and recovery only, as
/// long as the caller asks [`Breaker::is_calm`] before reporting a success.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    state: State,
    /// Openings since the last recovery; above 0 it is on probation, even when it answers again.
    opens: u32,
    /// When it last opened.
    opened_at: Option<Nanos>,
    opened_by_rate: bool,
    failures_in_a_row: u32,
    failing_since: Option<Nanos>,
    last_failure: Option<(Cause, Nanos)>,
    asked_until: Nanos,
    recovered_at: Option<Nanos>,
    checks: checks::Checks,
}

impl Breaker {
    /// An attempt has begun to answer (headers, first content): everybody may ask it again. It is forgiven only when
    /// an answer has come to its end, so that a target whose streams all break off opens again at once.
    pub fn on_answering(&mut self, attempt: Attempt) -> Option<Transition> {
        match self.state {
            State::Unknown => self.go(State::Ok, Why::Answering),
            State::Open { .. } | State::Probing { .. } if self.tells(attempt) => {
                self.recovered_at = Some(attempt.now);
                let until = attempt.now.saturating_add(SUSPECT);
                self.go(State::Suspect { until }, Why::Answering)
            }
            _ => None,
        }
    }

    /// An attempt came to its good end. `passive` has counted it already.
    pub fn on_success(&mut self, attempt: Attempt, passive: &Passive) -> Option<Transition> {
        if !self.tells(attempt) {
            return None;
        }
        self.failures_in_a_row = 0;
        self.failing_since = None;
        if self.opens > 0 {
            self.recover(attempt.now, passive);
        } else if matches!(self.state, State::Suspect { .. }) && passive.rate(attempt.now).is_low() {
            // It may not open by its rate (the pool's cap), and one success in between makes it no better.
            return None;
        }
        self.go(State::Ok, Why::Succeeded)
    }

    /// An attempt failed.
    pub fn on_failure(
        &mut self,
        attempt: Attempt,
        blow: Blow,
        pool: Pool,
        passive: &Passive,
        rng: &mut Rng,
    ) -> Option<Transition> {
        let now = attempt.now;
        if blow.kind == Kind::Silent {
            return self.on_given_up(attempt);
        }
        self.last_failure = Some((blow.cause, now));
        if blow.kind == Kind::Answered {
            return self.on_answering(attempt);
        }
        let asked = self.leave_alone(blow.retry_after, now);
        if !self.is_newer_than_opening(attempt) {
            return None;
        }
        passive.on_failure(now);
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        self.failing_since.get_or_insert(now);
        if matches!(self.state, State::Open { .. } | State::Probing { .. }) && !self.tells(attempt) {
            return None;
        }
        if pool.sole || planted::has(Planted::BreakerNeverOpens) {
            return self.suspect(now, Why::Failed);
        }
        let rate = passive.rate(now);
        match self.state {
            // Asked although it is open, for want of a better one: its wait goes on.
            State::Open { .. } => None,
            _ if self.opens > 0 => self.open(Why::ProbeFailed, now, rng),
            _ if self.failures_in_a_row >= FAILURES_IN_A_ROW_MAX => {
                self.open(Why::Consecutive(self.failures_in_a_row), now, rng)
            }
            _ if rate.is_low() && pool.may_open_by_rate => self.open(Why::Rate(rate), now, rng),
            _ => match asked {
                Some(wait) => self.open(Why::RetryAfter(wait), now, rng),
                None => self.suspect(now, Why::Failed),
            },
        }
    }

    /// An attempt ended without saying anything about the target: the caller went away, or nothing was sent. If it was
    /// the probe, another request may probe soon.
    pub fn on_given_up(&mut self, attempt: Attempt) -> Option<Transition> {
        match self.state {
            State::Probing { .. } if self.tells(attempt) => {
                self.go(State::Open { until: attempt.now.saturating_add(PROBE_LOST) }, Why::ProbeLost)
            }
            _ => None,
        }
    }

    /// Every other target has left the pool: a sole one does not rest.
    pub fn on_sole(&mut self, now: Nanos) -> Option<Transition> {
        match self.state {
            State::Open { .. } | State::Probing { .. } => self.suspect(now, Why::Sole),
            _ => None,
        }
    }

    /// Asks for the right to send. An open target whose wait is over gives it to one request at a time.
    pub fn try_probe(&mut self, now: Nanos) -> Admission {
        let from = self.phase();
        match self.state {
            State::Open { until } | State::Probing { until, .. } if until <= now => {
                self.state = State::Probing { since: now, until: now.saturating_add(PROBE_LEASE) };
                Admission::Probe(Transition { from, to: Phase::Probing, why: Why::Due })
            }
            State::Open { .. } | State::Probing { .. } => Admission::Later,
            _ => Admission::Free,
        }
    }

    /// When the target may be asked again; `None` when it does not rest. A time that is past means that one request
    /// may probe it.
    pub const fn rests_until(&self) -> Option<Nanos> {
        match self.state {
            State::Open { until } | State::Probing { until, .. } => Some(until),
            _ => None,
        }
    }

    /// Until when the upstream asked to be left alone, if that is still to come. Holds for a sole target too, and for
    /// the last light: who says when he is back is not asked before.
    pub fn asked_until(&self, now: Nanos) -> Option<Nanos> {
        Some(self.asked_until).filter(|until| *until > now)
    }

    /// How willing it is.
    pub const fn class(&self, now: Nanos) -> Class {
        match self.state {
            State::Ok => Class::Ok,
            State::Suspect { until } if until > now => Class::Suspect,
            State::Unknown | State::Suspect { .. } => Class::Unknown,
            State::Open { until } | State::Probing { until, .. } => {
                if until <= now {
                    Class::Due
                } else {
                    Class::Open
                }
            }
        }
    }

    /// Its state.
    pub const fn phase(&self) -> Phase {
        match self.state {
            State::Unknown => Phase::Unknown,
            State::Ok => Phase::Ok,
            State::Suspect { .. } => Phase::Suspect,
            State::Open { .. } => Phase::Open,
            State::Probing { .. } => Phase::Probing,
        }
    }

    /// Nothing that a success could change: it need not be reported here.
    pub const fn is_calm(&self) -> bool {
        matches!(self.state, State::Ok) && self.failures_in_a_row == 0
    }

    /// It rests because of its rate; such ones are counted for [`may_open_by_rate`].
    pub const fn is_open_by_rate(&self) -> bool {
        self.opened_by_rate && self.rests_until().is_some()
    }

    /// When it last came back; from then on it is given more and more to do (slow start).
    pub const fn recovered_at(&self) -> Option<Nanos> {
        self.recovered_at
    }

    /// What is known of it.
    pub fn evidence(&self, passive: &Passive) -> Evidence {
        Evidence {
            phase: self.phase(),
            rests_until: self.rests_until(),
            last_failure: self.last_failure,
            failing_since: self.failing_since,
            last_success: passive.last_success(),
            failures_in_a_row: self.failures_in_a_row,
        }
    }

    /// Whether the end of this attempt says something about now: it was sent after the target opened and, while a
    /// request probes, not before the probe.
    const fn tells(&self, attempt: Attempt) -> bool {
        match self.state {
            State::Probing { since, .. } => attempt.began >= since,
            _ => self.is_newer_than_opening(attempt),
        }
    }

    const fn is_newer_than_opening(&self, attempt: Attempt) -> bool {
        match self.opened_at {
            Some(at) => attempt.began > at,
            None => true,
        }
    }

    /// Notes a wish to be left alone; a later, shorter one never shortens it. Returns its length if it lies ahead.
    fn leave_alone(&mut self, wish: Option<Nanos>, now: Nanos) -> Option<Nanos> {
        let wait = wish?.min(RETRY_AFTER_MAX);
        self.asked_until = self.asked_until.max(now.saturating_add(wait));
        if let State::Open { until } = &mut self.state {
            *until = self.asked_until.max(*until);
        }
        (wait > 0).then_some(wait)
    }

    fn suspect(&mut self, now: Nanos, why: Why) -> Option<Transition> {
        self.go(State::Suspect { until: now.saturating_add(SUSPECT) }, why)
    }

    /// Doubles from one second to eighteen, ± 50 % so that gateways do not probe in step. After a probe it is counted from
    /// the probe's beginning: how long a silent target took to fail says nothing about when it is back.
    fn open(&mut self, why: Why, now: Nanos, rng: &mut Rng) -> Option<Transition> {
        let length = (OPEN_FIRST << self.opens.min(6)).min(OPEN_MAX);
        let wait = match why {
            _ if planted::has(Planted::BreakerNeverDue) => Nanos::MAX / 4,
            Why::RetryAfter(_) => 0,
            _ => length / 2 + rng.below(length),
        };
        match why {
            Why::Rate(_) => self.opened_by_rate = true,
            Why::ProbeFailed => self.checks.on_probe_failed(),
            _ => self.opened_by_rate = false,
        }
        let until = match self.state {
            State::Probing { since, .. } => since.saturating_add(wait).max(now.saturating_add(OPEN_MIN)),
            _ => now.saturating_add(wait),
        };
        self.opens = self.opens.saturating_add(1);
        self.opened_at = Some(now);
        self.go(State::Open { until: until.max(self.asked_until) }, why)
    }

    fn recover(&mut self, now: Nanos, passive: &Passive) {
        self.opens = 0;
        self.opened_by_rate = false;
        self.asked_until = 0;
        self.checks.on_recovered();
        if self.rests_until().is_some() {
            self.recovered_at = Some(now);
        }
        passive.clear();
    }

    fn go(&mut self, state: State, why: Why) -> Option<Transition> {
        let from = self.phase();
        self.state = state;
        let to = self.phase();
        (from != to).then_some(Transition { from, to, why })
    }
}
