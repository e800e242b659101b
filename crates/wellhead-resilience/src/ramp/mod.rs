//! After an outage everybody comes at once, and what has just come back falls over again, kept down by retries alone
//! (metastability, survival.md section 4). So the first requests after it are let in slowly, and faster with success.
//! It never blocks wholly and it ends by itself. Who is not let in waits or is refused; that is not decided here.

mod rate;
#[cfg(test)]
mod tests;

use crate::breaker::Class;
use crate::{Nanos, SECOND};
use rate::Rate;
use wellhead_types::planted::{self, Planted};

/// A shorter time with nothing healthy has gathered no crowd.
pub const OUTAGE_MIN: Nanos = 5 * SECOND;
/// A step lasts for this long at most.
pub const STEP_MAX: Nanos = 5 * SECOND;
/// A step lasts for this long at least, so that what it admits is felt.
const STEP_MIN: Nanos = SECOND;
/// With this many outcomes a step need not last for [`STEP_MAX`]: with it, full traffic is back within 15 s.
const STEP_OUTCOMES: u64 = 20;
/// Nor need it where fewer come than that, if after this time most of those that it let in are answered and none has
/// failed: six steps are over within 15 s at any rate.
const STEP_QUIET: Nanos = 2 * SECOND;
/// Share of attempts that must succeed for the next step, in percent.
const SUCCESS_PERCENT_MIN: u64 = 95;
/// Whatever happens, the lowest step rises every time this has passed ...
const FLOOR_RISES: Nanos = 10 * SECOND;
/// ... and everybody is let in after this: success may be rare for reasons that have nothing to do with load.
pub const RAMP_MAX: Nanos = 60 * SECOND;
/// Lowest rate, in thousandths of a request per second: it never blocks wholly, and where fewer come there is no crowd.
/// The last light and the waiting room, which double with every success, are ramp enough for those.
const RATE_MIN: u64 = 10_000;
/// What may come at once after a pause, in nanoseconds of the rate.
const BURST: Nanos = SECOND / 10;

/// Shares of the rate before the outage, in thousandths: 10 %, then ×1.5 per step. The last ones are above what was
/// usual, because those who were kept out come back as well.
const STEPS: [u64; 10] = [100, 150, 225, 338, 506, 759, 1_139, 1_709, 2_563, 3_844];

/// Whether an outage it is: none of a route's targets works, whoever may use it. Where those that one request may use are
/// all away and others answer, nobody is kept from those. A limit on a key is none either: its end is known, and those who
/// wait for it are called a few at a time.
pub fn is_down(mut targets: impl Iterator<Item = Class>) -> bool {
    targets.all(|class| class >= Class::Due)
}

/// Proof of admission; goes back with the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    ramp: u64,
    step: u64,
}

/// Whether a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admit {
    /// Yes.
    Go(Permit),
    /// Not before this moment; one request will be let in then.
    Later(Nanos),
}

#[derive(Debug, Clone)]
enum State {
    Open,
    Down { since: Nanos },
    Ramping(Ramping),
}

#[derive(Debug, Clone)]
struct Ramping {
    began: Nanos,
    step_began: Nanos,
    level: usize,
    admitted: u64,
    kept_out: bool,
    good: u64,
    bad: u64,
    /// When the next request may be let in (GCRA).
    next: Nanos,
}

/// The ramp of one model.
#[derive(Debug, Clone)]
pub struct Ramp {
    state: State,
    usual: Rate,
    ramps: u64,
    steps: u64,
}

impl Default for Ramp {
    fn default() -> Self {
        Self { state: State::Open, usual: Rate::default(), ramps: 0, steps: 0 }
    }
}

impl Ramp {
    /// Nothing healthy is left. To be said at the change; saying it again does nothing.
    pub const fn on_down(&mut self, now: Nanos) {
        self.state = match self.state {
            State::Down { .. } => return,
            State::Open => State::Down { since: now },
            // It has fallen over again: that is the same outage, however short the second part of it is.
            State::Ramping(_) => State::Down { since: now.saturating_sub(OUTAGE_MIN) },
        };
    }

    /// How many requests a second are usual, in thousandths of a request: for callers that count them elsewhere, and
    /// ask [`Ramp::admit`] only while it says [`Ramp::is_asked`]. To be said with [`Ramp::on_down`]; what is said during
    /// an outage or a ramp is not usual, and not believed.
    pub const fn learn(&mut self, per_second: u64) {
        if matches!(self.state, State::Open) {
            self.usual.set(per_second);
        }
    }

    /// Whether anything is to be asked or told: not while everybody is let in.
    pub const fn is_asked(&self) -> bool {
        !matches!(self.state, State::Open)
    }

    /// Something is healthy again.
    pub fn on_up(&mut self, now: Nanos) {
        let State::Down { since } = self.state else { return };
        self.ramps += 1;
        self.steps += 1;
        self.usual.restart(now);
        let level = lowest(self.usual.per_second());
        self.state = if now.saturating_sub(since) < OUTAGE_MIN {
            State::Open
        } else {
            State::Ramping(Ramping {
                began: now,
                step_began: now,
                level,
                admitted: 0,
                kept_out: false,
                good: 0,
                bad: 0,
                next: now,
            })
        };
    }

    /// A request wants to be sent for the first time, or to be retried. While nothing is healthy the answer is yes: who
    /// may probe is decided elsewhere.
    pub fn admit(&mut self, now: Nanos) -> Admit {
        if !planted::has(Planted::RampLetsNobodyIn) {
            self.advance(now);
        }
        let permit = Permit { ramp: self.ramps, step: self.steps };
        let ramping = match &mut self.state {
            State::Open => {
                self.usual.count(now);
                return Admit::Go(permit);
            }
            State::Down { .. } => return Admit::Go(permit),
            State::Ramping(ramping) => ramping,
        };
        if planted::has(Planted::RampLetsNobodyIn) {
            return Admit::Later(now.saturating_add(SECOND));
        }
        if ramping.next > now {
            ramping.kept_out = true;
            return Admit::Later(ramping.next);
        }
        let apart = 1_000 * SECOND / allowed(self.usual.per_second(), ramping.level);
        ramping.next = ramping.next.max(now.saturating_sub(BURST)).saturating_add(apart);
        ramping.admitted += 1;
        Admit::Go(permit)
    }

    /// An admitted request was answered, or failed through its target's fault.
    pub fn on_outcome(&mut self, permit: Permit, success: bool, now: Nanos) {
        if let State::Ramping(ramping) = &mut self.state
            && permit.ramp == self.ramps
        {
            // A failure takes longer than a success: one from an earlier step still counts.
            ramping.bad += u64::from(!success);
            ramping.good += u64::from(success && permit.step == self.steps);
        }
        self.advance(now);
    }

    /// What is let in per second, in thousandths of a request; `None` when everybody is.
    pub fn rate(&self) -> Option<u64> {
        match &self.state {
            State::Ramping(ramping) => Some(allowed(self.usual.per_second(), ramping.level)),
            State::Open | State::Down { .. } => None,
        }
    }

    /// Ends the step if it is time, and the ramp if it was the last.
    fn advance(&mut self, now: Nanos) {
        let usual = self.usual.per_second();
        let State::Ramping(ramping) = &mut self.state else { return };
        let age = now.saturating_sub(ramping.began);
        let length = now.saturating_sub(ramping.step_began);
        let outcomes = ramping.good + ramping.bad;
        let is_full = length >= STEP_MIN && outcomes >= STEP_OUTCOMES;
        let is_quiet =
            length >= STEP_QUIET && ramping.bad == 0 && outcomes > 0 && outcomes * 2 >= ramping.admitted;
        let is_full = is_full || is_quiet;
        if age < RAMP_MAX && !is_full && length < STEP_MAX {
            return;
        }
        // A step that let nobody in, because nobody came, has nothing to protect.
        let succeeds =
            ramping.good * 100 >= outcomes * SUCCESS_PERCENT_MIN && (outcomes > 0 || ramping.admitted == 0);
        let enough = allowed(usual, ramping.level) >= usual && !ramping.kept_out;
        if age >= RAMP_MAX || (succeeds && enough) {
            self.usual.restart(now);
            self.state = State::Open;
            return;
        }
        ramping.level = match (succeeds, outcomes) {
            (true, _) => ramping.level + 1,
            // Nothing has been heard of it yet.
            (false, 0) => ramping.level,
            (false, _) => ramping.level.saturating_sub(1),
        };
        let risen = usize::try_from(age / FLOOR_RISES).unwrap_or(usize::MAX);
        let floor = lowest(usual).saturating_add(risen);
        ramping.level = ramping.level.max(floor).min(STEPS.len() - 1);
        (ramping.step_began, ramping.kept_out) = (now, false);
        (ramping.admitted, ramping.good, ramping.bad) = (0, 0, 0);
        self.steps += 1;
    }
}

/// The step that everybody begins with, and nobody falls below: the last of those that let no more in than the lowest
/// rate. The steps before it would be climbed for nothing, while those who were kept out go on waiting.
fn lowest(usual: u64) -> usize {
    STEPS.iter().rposition(|share| usual.saturating_mul(*share) / 1_000 <= RATE_MIN).unwrap_or(0)
}

/// The rate at a level, from the usual one; both in thousandths of a request per second.
fn allowed(usual: u64, level: usize) -> u64 {
    let share = STEPS.get(level).copied().unwrap_or(1_000);
    (usual.saturating_mul(share) / 1_000).max(RATE_MIN)
}
