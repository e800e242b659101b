//! When nobody can answer as asked: what its owner has declared in place of an answer, in which order, and how much of
//! the request's time and attempts is kept for it (survival.md R7 and R9).
//!
//! The order: an earlier answer to the very same request, a smaller model, a declared text. What is left of the deadline
//! after that belongs to the model that was asked for: a substitute must never make a request fail that would have been
//! answered without it. An error that is the request's own fault is not put right by somebody else, but for one: a request
//! that is too long goes once to a larger model.

#[cfg(test)]
mod tests;

use crate::ladder::End;
use crate::{MILLI, Nanos, SECOND};
use wellhead_types::Cause;
use wellhead_types::planted::{self, Planted};

/// Kept of the deadline for what is at hand: time to find it and to send it while the client still listens.
const AT_HAND_RESERVE: Nanos = 250 * MILLI;
/// Most that is kept of it for a smaller model: it has to read and to write the whole answer.
const MODEL_RESERVE_MAX: Nanos = 10 * SECOND;
/// Part of the whole time that is kept at most.
const RESERVE_PART: Nanos = 4;
/// Time that has to be left for another model to make sense.
const MODEL_MIN: Nanos = 50 * MILLI;

/// What the owner of a model has declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Declared {
    /// Earlier answers are kept.
    pub cached: bool,
    /// There is a smaller model.
    pub smaller: bool,
    /// There is a text.
    pub text: bool,
    /// There is a larger model for what is too long.
    pub larger: bool,
}

impl Declared {
    /// Whether something stands in when the targets fail.
    const fn any(self) -> bool {
        self.cached || self.smaller || self.text
    }
}

/// Something to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The larger model.
    Larger,
    /// The earlier answer, if there is one.
    Cached,
    /// The smaller model.
    Smaller,
    /// The text, if the request can be answered by one.
    Text,
    /// The model that was asked for once more, with all the patience that it has without substitutes.
    Again,
}

/// What next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try this, until `deadline`, with at most so many attempts. If it turns out to be impossible, ask again.
    Try {
        /// What.
        step: Step,
        /// When it has to be over.
        deadline: Nanos,
        /// 1 or more.
        attempts_max: u32,
    },
    /// Answer with what the model that was asked for ended with.
    First,
    /// Answer with what the latest step ended with.
    Latest,
}

/// How the model that was asked, or the latest step, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// What it ended with.
    pub end: End,
    /// The cause of its newest failure.
    pub cause: Option<Cause>,
    /// Attempts of the whole request so far.
    pub attempts: u32,
}

/// One request's way through what was declared.
#[derive(Debug, Clone)]
pub struct Substitution {
    declared: Declared,
    started: Nanos,
    deadline: Nanos,
    attempts_max: u32,
    /// The latest step; `None` while the model that was asked is at it.
    latest: Option<Step>,
}

impl Substitution {
    /// For a request that came at `started` and must be answered by `deadline`, after at most `attempts_max` attempts in
    /// all.
    pub const fn new(declared: Declared, started: Nanos, deadline: Nanos, attempts_max: u32) -> Self {
        Self { declared, started, deadline, attempts_max, latest: None }
    }

    /// Until when the model that was asked has time: something is kept for what stands in for it.
    pub fn first_deadline(&self) -> Nanos {
        let part = self.deadline.saturating_sub(self.started) / RESERVE_PART;
        let reserve = match self.declared {
            Declared { smaller: true, .. } => MODEL_RESERVE_MAX.min(part),
            Declared { cached: true, .. } | Declared { text: true, .. } => AT_HAND_RESERVE.min(part),
            _ => 0,
        };
        self.deadline.saturating_sub(reserve)
    }

    /// How many attempts the model that was asked has: one is kept for another model.
    pub fn first_attempts_max(&self) -> u32 {
        let kept = if self.declared.smaller || self.declared.larger { 1 } else { 0 };
        let left = self.attempts_max.saturating_sub(kept);
        if left == 0 || planted::has(Planted::SubstituteIsAShortCut) { 1 } else { left }
    }

    /// Whether waiting for a recovery is cut short now, because something else can be had.
    pub const fn is_hurried(&self) -> bool {
        match self.latest {
            None => self.declared.any(),
            Some(Step::Cached | Step::Smaller) => true,
            Some(Step::Text | Step::Larger | Step::Again) => false,
        }
    }

    /// The model that answers is not the one that was asked for, and less.
    pub const fn is_degraded(&self) -> bool {
        matches!(self.latest, Some(Step::Smaller))
    }

    /// The latest step.
    pub const fn latest(&self) -> Option<Step> {
        self.latest
    }

    /// The model that was asked for, or the latest step, has come to its end without an answer: what next?
    pub fn next(&mut self, ended: Ended, now: Nanos) -> Next {
        match (self.latest, ended.end) {
            (None, End::PassOn) => {
                let too_long = ended.cause == Some(Cause::ContextLength);
                return self.allowed(Step::Larger, too_long, ended, now).unwrap_or(Next::Latest);
            }
            // Nobody routes around what a provider's filter says.
            (Some(Step::Larger | Step::Smaller), End::PassOn)
                if ended.cause == Some(Cause::ContentFiltered) =>
            {
                return Next::Latest;
            }
            // What is too long for the model that was asked for is the truth about the request.
            (Some(Step::Larger), _) => return Next::First,
            (Some(Step::Again), _) => return Next::Latest,
            _ => {}
        }
        let rest = match self.latest {
            None => &[Step::Cached, Step::Smaller, Step::Text, Step::Again][..],
            Some(Step::Cached) => &[Step::Smaller, Step::Text, Step::Again],
            Some(Step::Smaller) => &[Step::Text, Step::Again],
            _ => &[Step::Again],
        };
        rest.iter().find_map(|step| self.allowed(*step, true, ended, now)).unwrap_or(Next::First)
    }

    /// The step, if it is declared, wanted, and possible with what is left.
    fn allowed(&mut self, step: Step, wanted: bool, ended: Ended, now: Nanos) -> Option<Next> {
        let declared = match step {
            Step::Larger => self.declared.larger,
            Step::Cached => self.declared.cached,
            Step::Smaller => self.declared.smaller,
            Step::Text => self.declared.text && !planted::has(Planted::SubstituteForgetsTheText),
            Step::Again => self.declared.any(),
        };
        let deadline = match step {
            // What is at hand still has to find the client listening if the smaller model fails.
            Step::Smaller if self.declared.text => self.deadline.saturating_sub(AT_HAND_RESERVE),
            _ => self.deadline,
        };
        let asks = matches!(step, Step::Larger | Step::Smaller | Step::Again);
        let left = self.attempts_max.saturating_sub(ended.attempts);
        let possible = !asks || (left > 0 && now.saturating_add(MODEL_MIN) < deadline);
        if !(declared && wanted && possible) {
            return None;
        }
        self.latest = Some(step);
        Some(Next::Try { step, deadline, attempts_max: left.max(1) })
    }
}
