//! One request with at most two attempts in flight: who won, who is cancelled, who is still running.

use super::Budget;

/// One of the two attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// The attempt that the ladder sent.
    First,
    /// The hedge.
    Second,
}

impl Runner {
    /// The one that it runs against.
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The moment that [`super::when`] named has come, and another target can still be asked.
    Due,
    /// The hedge could not be sent after all (its probe was taken, its last key went to rest).
    Unsent,
    /// The first piece that commits (decision 9) came from this attempt.
    Content(Runner),
    /// This attempt failed before any content.
    Failed(Runner),
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// Send the hedge to another target.
    SendSecond,
    /// This attempt answers. The other one, if it runs, is cancelled now and accounted with what it used; its time so
    /// far goes to [`crate::latency::Latency::on_cancelled`].
    Take {
        /// Whose answer is delivered: [`Runner::Second`] stands on the rung `hedged`.
        winner: Runner,
        /// Whom to cancel.
        cancel: Option<Runner>,
    },
    /// One failed, the other one still runs: the failure is written down, and the ladder is not asked yet.
    GoOn,
    /// Nobody runs any more: the ladder is next, with all failures of this race.
    Lost,
}

/// The state of a race. It begins when the first attempt has been sent.
#[derive(Debug, Clone)]
pub struct Race {
    probe: bool,
    /// A hedge has been decided on: there is never another.
    hedged: bool,
    first_runs: bool,
    second_runs: bool,
    over: bool,
}

impl Race {
    /// A race of which the first attempt has just been sent; `probe` as in [`super::Ask`]. A probe's hedge is not paid
    /// from the budget: there is one per rest of a target.
    pub const fn new(probe: bool) -> Self {
        Self { probe, hedged: false, first_runs: true, second_runs: false, over: false }
    }

    /// Takes one event and says what to do. Events of an attempt that does not run any more are ignored.
    pub fn step(&mut self, event: Event, budget: &Budget) -> Effect {
        match event {
            Event::Due if self.may_hedge() && (self.probe || budget.try_take()) => {
                (self.hedged, self.second_runs) = (true, true);
                Effect::SendSecond
            }
            Event::Unsent if self.second_runs => {
                self.second_runs = false;
                if !self.probe {
                    budget.give_back();
                }
                self.after_end()
            }
            Event::Content(winner) if self.runs(winner) => {
                let cancel = Some(winner.other()).filter(|loser| self.runs(*loser));
                (self.over, self.first_runs, self.second_runs) = (true, false, false);
                Effect::Take { winner, cancel }
            }
            Event::Failed(runner) if self.runs(runner) => {
                match runner {
                    Runner::First => self.first_runs = false,
                    Runner::Second => self.second_runs = false,
                }
                self.after_end()
            }
            _ => Effect::Nothing,
        }
    }

    /// Whether a hedge has been sent.
    pub const fn is_hedged(&self) -> bool {
        self.hedged
    }

    const fn may_hedge(&self) -> bool {
        !self.over && !self.hedged && self.first_runs
    }

    const fn runs(&self, runner: Runner) -> bool {
        match runner {
            Runner::First => self.first_runs,
            Runner::Second => self.second_runs,
        }
    }

    fn after_end(&mut self) -> Effect {
        if self.first_runs || self.second_runs {
            return Effect::GoOn;
        }
        self.over = true;
        Effect::Lost
    }
}
