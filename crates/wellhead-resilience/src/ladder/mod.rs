//! What next, given everything that was tried so far. The proxy executes the effects on sockets, a simulation on
//! virtual time (decision 8).

mod choose;
mod end;
#[cfg(test)]
mod tests;

pub use end::End;

use crate::{Nanos, Rng, SECOND, backoff};
use wellhead_types::{Cause, Failure, Retry, Rung, Scope, Stage};

/// Targets per model; the tried ones are a bit set.
pub const TARGETS_MAX: usize = 64;
/// Longest wait for a resting target when there is no alternative (survival.md R4).
const WAIT_MAX: Nanos = 5 * SECOND;
/// Time that must be left of the deadline for another attempt to make sense.
const ATTEMPT_MIN: Nanos = SECOND / 20;

/// What the ladder is told about a target at the moment of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetView {
    /// 0 is used first.
    pub tier: u8,
    /// Share within the tier, 1 or more.
    pub weight: u32,
    /// When a credential is free for it, and the pause that it asked for is over; `None` means now.
    pub key_free_at: Option<Nanos>,
    /// What the credentials wait for is a rate limit, not a rejection or spent credit.
    pub key_limited: bool,
    /// It takes no credential: there is no other key to try after a refusal.
    pub keyless: bool,
    /// When its rest after failures is over; `None` means that it does not rest. A rest that is over (`<= now`) may be
    /// probed by one request.
    pub rests_until: Option<Nanos>,
}

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The request has been admitted.
    Start,
    /// The attempt on this target failed.
    Failed(usize, &'a Failure),
    /// The wait that was asked for is over.
    Waited,
    /// The target that was chosen could not be used after all (its probe was taken, its last key went to rest).
    Unavailable(usize),
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Send to this target.
    Send(usize),
    /// Wait until then, and say [`Event::Waited`].
    Wait(Nanos),
    /// Stop, and answer with this.
    GiveUp(End),
}

/// The state of one request on its way down.
#[derive(Debug)]
pub struct Ladder {
    deadline: Nanos,
    started: Nanos,
    attempts_max: u32,
    attempts: u32,
    /// Targets that failed in this request and are left alone while another one is there.
    tried: u64,
    /// Targets that were silent: never asked again in this request (survival.md R4).
    silent: u64,
    /// Targets that cannot answer this request at all.
    unfit: u64,
    first_tier: Option<u8>,
    last_tier: u8,
    waited: bool,
    tally: end::Tally,
    rng: Rng,
}

impl Ladder {
    /// Starts at `now`, ends before `deadline`, makes at most `attempts_max` attempts.
    pub fn new(now: Nanos, deadline: Nanos, attempts_max: u32, seed: u64) -> Self {
        Self {
            deadline,
            started: now,
            attempts_max: attempts_max.max(1),
            attempts: 0,
            tried: 0,
            silent: 0,
            unfit: 0,
            first_tier: None,
            last_tier: 0,
            waited: false,
            tally: end::Tally::default(),
            rng: Rng::new(seed),
        }
    }

    /// Leaves a target out of this request: it cannot answer it at all.
    pub const fn exclude(&mut self, target: usize) {
        self.unfit |= bit(target);
    }

    /// Takes one event and says what to do. `view(i)` describes target `i` of `targets` (at most [`TARGETS_MAX`]).
    pub fn step(
        &mut self,
        event: Event<'_>,
        targets: usize,
        view: &dyn Fn(usize) -> TargetView,
        now: Nanos,
    ) -> Effect {
        let targets = targets.min(TARGETS_MAX);
        if let Event::Failed(target, failure) = event {
            self.tally.count(failure);
            if failure.retry == Retry::Never {
                return Effect::GiveUp(End::PassOn);
            }
            self.remember(target, failure, view, now);
        }
        if let Event::Unavailable(target) = event {
            // Nothing was sent.
            self.attempts = self.attempts.saturating_sub(1);
            self.tried |= bit(target);
        }
        if self.attempts >= self.attempts_max || now.saturating_add(ATTEMPT_MIN) >= self.deadline {
            return self.give_up(targets, view, now);
        }
        self.next(targets, view, now)
    }

    /// Whether another target than this one could still be asked.
    pub fn has_alternative(&self, targets: usize, current: usize) -> bool {
        let out = self.silent | self.unfit | bit(current);
        (0..targets.min(TARGETS_MAX)).any(|i| out & bit(i) == 0)
    }

    /// The rung that an answer of the attempt just sent stands on.
    pub const fn rung(&self) -> Rung {
        match self.first_tier {
            Some(first) if self.last_tier != first || self.last_tier != 0 => Rung::FailedOver,
            _ if self.waited => Rung::Held,
            _ if self.attempts > 1 => Rung::Retried,
            _ => Rung::Direct,
        }
    }

    /// Attempts sent so far.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    fn remember(&mut self, target: usize, failure: &Failure, view: &dyn Fn(usize) -> TargetView, now: Nanos) {
        let seen = view(target);
        let other_key = !seen.keyless && seen.key_free_at.is_none_or(|at| at <= now);
        match failure.scope {
            // Another key of the same target may answer at once.
            Scope::Key | Scope::KeyModel if other_key => {}
            Scope::TargetModel => self.unfit |= bit(target),
            // Not after a failed connect: nothing was sent, and one lost packet is no silence.
            _ if failure.cause.is_timeout() && failure.stage > Stage::Tls => self.silent |= bit(target),
            _ => self.tried |= bit(target),
        }
    }

    fn next(&mut self, targets: usize, view: &dyn Fn(usize) -> TargetView, now: Nanos) -> Effect {
        let excluded = self.silent | self.unfit;
        if let Some(target) = choose::pick(targets, view, self.tried | excluded, now, &mut self.rng) {
            return self.send(target, view);
        }
        // Everybody fit has been tried or rests. The tried ones get another chance after a pause, the resting ones
        // when they are free, whichever is first; never later than is worth waiting.
        let again = self.earliest(targets, view, excluded, now);
        let patience = ((self.deadline - self.started) / 4).min(WAIT_MAX);
        match again {
            Some((at, recovers))
                if at <= now.saturating_add(patience) && at.saturating_add(ATTEMPT_MIN) < self.deadline =>
            {
                self.tried = 0;
                self.waited |= recovers;
                Effect::Wait(at)
            }
            _ => self.give_up(targets, view, now),
        }
    }

    fn send(&mut self, target: usize, view: &dyn Fn(usize) -> TargetView) -> Effect {
        let tier = view(target).tier;
        self.first_tier.get_or_insert(tier);
        self.last_tier = tier;
        self.attempts += 1;
        Effect::Send(target)
    }

    /// When the first target that is not excluded can be asked (again), and whether it is its recovery that is waited
    /// for rather than a pause between two attempts.
    fn earliest(
        &mut self,
        targets: usize,
        view: &dyn Fn(usize) -> TargetView,
        excluded: u64,
        now: Nanos,
    ) -> Option<(Nanos, bool)> {
        let pause = now + backoff::full_jitter(self.attempts.saturating_sub(1), &mut self.rng).max(1);
        (0..targets)
            .filter(|i| excluded & bit(*i) == 0)
            .map(|i| {
                let v = view(i);
                let free = v.key_free_at.unwrap_or(0);
                let at = if self.tried & bit(i) == 0 { free.max(now + 1) } else { free.max(pause) };
                (at, free >= at)
            })
            .min()
    }

    fn give_up(&self, targets: usize, view: &dyn Fn(usize) -> TargetView, now: Nanos) -> Effect {
        let recovery = (0..targets)
            .filter(|i| self.unfit & bit(*i) == 0)
            .map(|i| {
                // One that does not rest yet is asked again as soon as somebody comes.
                let v = view(i);
                v.key_free_at.unwrap_or(0).max(v.rests_until.unwrap_or(0)).max(now.saturating_add(SECOND))
            })
            .min();
        let limited = (0..targets).filter(|i| self.unfit & bit(*i) == 0).all(|i| {
            let v = view(i);
            v.key_limited && v.key_free_at.is_some_and(|at| at > now)
        });
        Effect::GiveUp(self.tally.end(self.attempts, now, recovery, limited, now >= self.deadline))
    }
}

/// The bit of a target in a set.
const fn bit(target: usize) -> u64 {
    1 << (target % TARGETS_MAX)
}

/// Whether a failure says something about the target's health.
pub const fn counts_against_target(failure: &Failure) -> bool {
    matches!(failure.scope, Scope::Endpoint | Scope::Provider)
        && !matches!(failure.cause, Cause::Conflict409 | Cause::RequestTimeout408 | Cause::DeadlineExceeded)
}
