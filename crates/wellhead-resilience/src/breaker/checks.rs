//! Active checks only add evidence: they re-order, they never take a target out, and live traffic outranks them.

use super::{Breaker, Contradicted, Passive, Phase, State, Transition, Why};
use crate::{Nanos, SECOND};

/// Failed checks in a row before they say something: one lost packet is no outage (the same number as HAProxy's).
pub const CHECKS_FAILED_MIN: u32 = 3;
/// Successes of live traffic, while the checks fail, that prove the check wrong.
pub const CONTRADICTING_SUCCESSES_MIN: u64 = 20;
/// Failed checks move a target behind the others for this long, then leave it alone for as long, so that a wrong check
/// cannot keep it from the traffic that would prove the check wrong.
const CHECK_SUSPECT: Nanos = 10 * SECOND;

/// What checks of one target have said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Checks {
    failed_in_a_row: u32,
    successes_before: u64,
    contradicted: bool,
    /// When checks last moved the target back, 0: never.
    suspected_at: Option<Nanos>,
    /// A check has ended the current wait early.
    shortened: bool,
    /// The probe after that failed: checks do not end a wait again until the target has recovered.
    misled: bool,
}

impl Checks {
    pub(super) const fn on_probe_failed(&mut self) {
        self.misled |= self.shortened;
        self.shortened = false;
    }

    pub(super) const fn on_recovered(&mut self) {
        self.misled = false;
        self.shortened = false;
    }
}

/// What a check changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checked {
    /// The state, if it changed.
    pub transition: Option<Transition>,
    /// The check is wrong; said once per run of failed checks.
    pub finding: Option<Contradicted>,
}

impl Breaker {
    /// An active check has ended.
    pub fn on_check(&mut self, passed: bool, now: Nanos, passive: &Passive) -> Checked {
        if passed {
            return Checked { transition: self.check_passed(now, passive), finding: None };
        }
        if self.checks.failed_in_a_row == 0 {
            self.checks.successes_before = passive.successes();
        }
        self.checks.failed_in_a_row = self.checks.failed_in_a_row.saturating_add(1);
        if passive.is_fresh(now) {
            return Checked { transition: None, finding: self.contradiction(passive) };
        }
        Checked { transition: self.checks_failed(now), finding: None }
    }

    /// Whether live traffic has proved the check wrong, and it still fails.
    pub const fn is_check_contradicted(&self) -> bool {
        self.checks.contradicted
    }

    fn contradiction(&mut self, passive: &Passive) -> Option<Contradicted> {
        let successes = passive.successes().saturating_sub(self.checks.successes_before);
        if self.checks.contradicted || successes < CONTRADICTING_SUCCESSES_MIN {
            return None;
        }
        self.checks.contradicted = true;
        Some(Contradicted { checks_failed: self.checks.failed_in_a_row, successes })
    }

    fn checks_failed(&mut self, now: Nanos) -> Option<Transition> {
        let failed = self.checks.failed_in_a_row;
        let rested = self.checks.suspected_at.is_none_or(|at| now.saturating_sub(at) >= 2 * CHECK_SUSPECT);
        if failed < CHECKS_FAILED_MIN || !rested || matches!(self.phase(), Phase::Open | Phase::Probing) {
            return None;
        }
        self.checks.suspected_at = Some(now);
        let until = now.saturating_add(CHECK_SUSPECT);
        self.go(State::Suspect { until }, Why::ChecksFailed(failed))
    }

    fn check_passed(&mut self, now: Nanos, passive: &Passive) -> Option<Transition> {
        self.checks.failed_in_a_row = 0;
        self.checks.contradicted = false;
        self.checks.suspected_at = None;
        match self.state {
            State::Unknown => self.go(State::Ok, Why::CheckPassed),
            State::Suspect { .. }
                if self.failures_in_a_row == 0 && self.opens == 0 && !passive.rate(now).is_low() =>
            {
                self.go(State::Ok, Why::CheckPassed)
            }
            // Not straight to Ok: what failed were requests, and one request shall tell.
            State::Open { until }
                if until > now && self.asked_until(now).is_none() && !self.checks.misled =>
            {
                self.checks.shortened = true;
                self.state = State::Open { until: now };
                None
            }
            _ => None,
        }
    }
}
