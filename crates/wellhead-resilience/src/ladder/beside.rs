//! Two attempts of one request at the same time ([`crate::hedge`]): which target the second one goes to, and what a
//! failure means while the other still runs.

use super::choose::{self, Choice};
use super::{ATTEMPT_MIN, Ladder, TARGETS_MAX, TargetView, bit};
use crate::Nanos;
use wellhead_types::Failure;

impl Ladder {
    /// The attempt at `running` is late: the target that may be asked beside it, which counts as an attempt. It does not
    /// rest, not even so that it is due for a probe: what is wanted is somebody who answers. `None`: there is nobody, no
    /// attempt or no time left; the first one is waited for as if nothing had been asked.
    ///
    /// The answer of `running` stands on the rung that was true when it was sent.
    pub fn beside(
        &mut self,
        running: usize,
        targets: usize,
        view: &dyn Fn(usize) -> TargetView,
        now: Nanos,
    ) -> Option<usize> {
        if self.attempts >= self.attempts_max || now.saturating_add(ATTEMPT_MIN) >= self.deadline {
            return None;
        }
        let choice = self.choice_beside(running, now);
        let chosen = choose::willing(targets.min(TARGETS_MAX), view, &choice, &mut self.rng)?;
        self.attempts += 1;
        Some(chosen)
    }

    /// Whether somebody who answers could be asked now instead of `running`.
    pub fn has_willing(
        &self,
        running: usize,
        targets: usize,
        view: &dyn Fn(usize) -> TargetView,
        now: Nanos,
    ) -> bool {
        let choice = self.choice_beside(running, now);
        (0..targets.min(TARGETS_MAX)).any(|i| choice.takes(i, &view(i)))
    }

    const fn choice_beside(&self, running: usize, now: Nanos) -> Choice {
        let excluded = self.silent | self.unfit | self.tried | self.missed | bit(running);
        Choice { excluded, may_explore: false, may_probe: false, now }
    }

    /// The target that [`Self::beside`] has chosen could not be asked after all (its last key went to rest).
    pub const fn unsent(&mut self, target: usize) {
        self.attempts = self.attempts.saturating_sub(1);
        self.missed |= bit(target);
    }

    /// One of two attempts has failed while the other still runs: nothing is decided before that one has failed too,
    /// and [`Self::step`] is told so.
    pub fn failed_beside(
        &mut self,
        target: usize,
        failure: &Failure,
        view: &dyn Fn(usize) -> TargetView,
        now: Nanos,
    ) {
        self.tally.count(failure);
        self.remember(target, failure, view, now);
    }
}
