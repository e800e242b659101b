//! What next, given everything that was tried so far. The proxy executes the effects on sockets, a simulation on
//! virtual time (decision 8).

mod beside;
mod choose;
mod end;
pub mod late;
#[cfg(test)]
mod tests;

pub use end::End;

use choose::Choice;

use crate::balance::View;
use crate::breaker::Class;
use crate::{Nanos, Rng, SECOND, backoff};
use wellhead_types::planted::{self, Planted};
use wellhead_types::{Cause, Failure, Retry, Rung, Scope, Stage};

/// Targets per model; the tried ones are a bit set.
pub const TARGETS_MAX: usize = 64;
/// Longest pause between two tries of the same target (survival.md R4).
const WAIT_MAX: Nanos = 5 * SECOND;
/// Time that must be left of the deadline for another attempt to make sense.
const ATTEMPT_MIN: Nanos = SECOND / 20;
/// Probes that one request may make beyond its attempts while it waits for a recovery. Rests grow from one second to
/// eighteen, so that five targets are due about so often in the thirty seconds that a request waits at most by default;
/// who may wait for an hour asks no more often.
const PROBES_MAX: u32 = 32;

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
    /// How willing it is.
    pub class: Class,
    /// When its rest after failures is over; `None` means that it does not rest. A rest that is over (`<= now`) may be
    /// probed by one request.
    pub rests_until: Option<Nanos>,
    /// When it is worth asking again whether it has room; `None` means that it has some now.
    pub room_at: Option<Nanos>,
    /// It works, and has as much to do as it can take.
    pub full: bool,
    /// Expected time to answer. Only looked at where there are several targets, as the two below.
    pub estimate: Nanos,
    /// Requests that it is working on.
    pub in_flight: u32,
    /// When it came back after having been open.
    pub recovered_at: Option<Nanos>,
}

impl TargetView {
    /// Whether nothing but its class speaks against asking it now.
    fn is_free(&self, now: Nanos) -> bool {
        self.key_free_at.is_none_or(|at| at <= now) && self.room_at.is_none_or(|at| at <= now)
    }

    /// When it can be asked as far as it is concerned, 0 for now. An open one that this request has not asked yet may be
    /// asked by the last light.
    fn free_at(&self, asked: bool) -> Nanos {
        let room = self.room_at.unwrap_or(0);
        let rest = match (self.class, self.rests_until) {
            (Class::Open, Some(until)) if asked => until,
            (Class::Open, Some(until)) => until.min(room),
            _ => room,
        };
        self.key_free_at.unwrap_or(0).max(rest)
    }

    /// The part that a choice among equals needs.
    const fn balanced(&self) -> View {
        View {
            id: 0,
            class: self.class,
            weight: self.weight,
            estimate: self.estimate,
            in_flight: self.in_flight,
            recovered_at: self.recovered_at,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The request has been admitted.
    Start,
    /// The attempt on this target failed.
    Failed(usize, &'a Failure),
    /// The pause or the hold that was asked for is over.
    Waited,
    /// The hold that was asked for is not possible: no time, no patience, no place.
    Refused,
    /// Instead of asking the target that was chosen, the request has waited behind others.
    Queued(usize),
    /// The target that was chosen has no room after all.
    Full(usize),
    /// The request has waited for room for as long as it may, or would wait in vain.
    Shed {
        /// When it would have had its turn, as far as is known.
        recovery: Option<Nanos>,
    },
    /// The target that was chosen could not be used after all (its probe was taken, its last key went to rest).
    Unavailable(usize),
    /// The route cannot afford to ask the target that was chosen: retries have been too many. To ask somebody else may cost
    /// less, or nothing.
    TooDear(usize),
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Send to this target.
    Send(usize),
    /// Everybody is open: send to this target if its last light has room.
    LastLight(usize),
    /// Pause until then, and say [`Event::Waited`].
    Wait(Nanos),
    /// Nobody can be asked now: wait for a change, or say [`Event::Refused`].
    Hold {
        /// When the first target can be asked, as far as is known.
        recovery: Nanos,
    },
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
    /// Attempts of a request that waits for a recovery and finds out whether a target is back. They are part of the wait:
    /// the rests of the targets bound them and its patience does, not `attempts_max`.
    probes: u32,
    /// The target chosen last was chosen for a probe.
    probing: bool,
    /// Targets that failed in this request and are left alone while another one is there.
    tried: u64,
    /// Targets that others were quicker to ask.
    missed: u64,
    /// Targets that were silent: never asked again in this request (survival.md R4).
    silent: u64,
    /// Targets that cannot answer this request at all.
    unfit: u64,
    first_tier: Option<u8>,
    last_tier: u8,
    waited: bool,
    explores: bool,
    tally: end::Tally,
    rng: Rng,
}

impl Ladder {
    /// Starts at `now`, ends before `deadline`, makes at most `attempts_max` attempts, and while it waits for a recovery
    /// one probe for each rest of a target.
    pub fn new(now: Nanos, deadline: Nanos, attempts_max: u32, seed: u64) -> Self {
        Self {
            deadline,
            started: now,
            attempts_max: attempts_max.max(1),
            attempts: 0,
            probes: 0,
            probing: false,
            tried: 0,
            missed: 0,
            silent: 0,
            unfit: 0,
            first_tier: None,
            last_tier: 0,
            waited: false,
            explores: true,
            tally: end::Tally::default(),
            rng: Rng::new(seed),
        }
    }

    /// The answer has broken off after it had begun: from now on its rest is looked for, until `deadline`. Who was
    /// asked before may be asked again; the number of attempts counts on.
    pub const fn rescue(&mut self, deadline: Nanos) {
        self.deadline = deadline;
    }

    /// The request had been given up, and goes on after all: until `deadline`, with at most `attempts_max` attempts, the
    /// earlier ones included. Who was silent is still left alone. To be followed by [`Event::Waited`].
    pub const fn reopen(&mut self, deadline: Nanos, attempts_max: u32) {
        self.deadline = deadline;
        self.attempts_max = attempts_max;
    }

    /// The target that was chosen is asked once more, in another way: that is an attempt too. False if there are none
    /// left.
    pub const fn once_more(&mut self) -> bool {
        if self.attempts >= self.attempts_max {
            return false;
        }
        self.attempts += 1;
        self.probing = false;
        true
    }

    /// Leaves a target out of this request: it cannot answer it at all.
    pub const fn exclude(&mut self, target: usize) {
        self.unfit |= bit(target);
    }

    /// The request cannot be repeated elsewhere: it must not be the one that finds out whether a target is back.
    pub const fn explore_nothing(&mut self) {
        self.explores = false;
    }

    /// The targets that can answer this request, as bits.
    pub const fn fit(&self, targets: usize) -> u64 {
        let all = if targets >= TARGETS_MAX { u64::MAX } else { bit(targets) - 1 };
        all & !(self.silent | self.unfit)
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
            if planted::has(Planted::LadderGivesUpEarly) {
                return self.give_up(targets, view, now);
            }
            if failure.retry == Retry::Never {
                return Effect::GiveUp(End::PassOn);
            }
            self.remember(target, failure, view, now);
        }
        if let Event::Shed { recovery } = event {
            return Effect::GiveUp(End::Overloaded { recovery });
        }
        if let Event::Unavailable(_) | Event::Queued(_) | Event::Full(_) | Event::TooDear(_) = event {
            self.not_sent();
        }
        match event {
            Event::Unavailable(target) | Event::TooDear(target) => self.missed |= bit(target),
            Event::Queued(_) => self.waited = true,
            _ => {}
        }
        if matches!(event, Event::Waited) {
            self.missed = 0;
            // Whoever is still open has another chance when its rest is over: the last light is for each request once.
            self.tried = (0..targets)
                .filter(|i| self.tried & bit(*i) != 0 && view(*i).class == Class::Open)
                .fold(0, |set, i| set | bit(i));
        }
        if matches!(event, Event::Refused) {
            return self.give_up(targets, view, now);
        }
        let spent = self.attempts >= self.attempts_max || self.probes >= PROBES_MAX;
        if spent || now.saturating_add(ATTEMPT_MIN) >= self.deadline {
            return self.give_up(targets, view, now);
        }
        if matches!(event, Event::TooDear(_)) {
            return self.cheaper(targets, view, now);
        }
        self.next(targets, view, now)
    }

    /// Whether another target than this one could still be asked in time. One that is known to be down is no
    /// alternative: whoever leaves a slow target for it ends with nothing.
    pub fn has_alternative(
        &self,
        targets: usize,
        current: usize,
        view: &dyn Fn(usize) -> TargetView,
    ) -> bool {
        let out = self.silent | self.unfit | bit(current);
        (0..targets.min(TARGETS_MAX)).filter(|i| out & bit(*i) == 0).any(|i| {
            let v = view(i);
            v.class < Class::Due
                && v.key_free_at.is_none_or(|at| at.saturating_add(ATTEMPT_MIN) < self.deadline)
        })
    }

    /// The rung that an answer of the attempt just sent stands on.
    pub const fn rung(&self) -> Rung {
        match self.first_tier {
            Some(first) if self.last_tier != first || self.last_tier != 0 => Rung::FailedOver,
            _ if self.waited => Rung::Held,
            _ if self.sent() > 1 => Rung::Retried,
            _ => Rung::Direct,
        }
    }

    /// Attempts sent so far, but for the probes of a request that waits: those that `attempts_max` bounds.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether the target chosen last is asked by a request that waits, to find out whether it is back.
    pub const fn is_probing(&self) -> bool {
        self.probing
    }

    /// All attempts sent so far.
    const fn sent(&self) -> u32 {
        self.attempts.saturating_add(self.probes)
    }

    /// The target that was chosen last was not asked after all.
    fn not_sent(&mut self) {
        if std::mem::take(&mut self.probing) {
            self.probes = self.probes.saturating_sub(1);
        } else {
            self.attempts = self.attempts.saturating_sub(1);
        }
        self.first_tier = self.first_tier.filter(|_| self.sent() > 0);
    }

    fn remember(&mut self, target: usize, failure: &Failure, view: &dyn Fn(usize) -> TargetView, now: Nanos) {
        let seen = view(target);
        let other_key = !seen.keyless && seen.key_free_at.is_none_or(|at| at <= now);
        match failure.scope {
            // Another key of the same target may answer at once.
            Scope::Key | Scope::KeyModel if other_key => {}
            Scope::TargetModel => self.unfit |= bit(target),
            // Not after a failed connect: nothing was sent, and one lost packet is no silence.
            _ if failure.cause.is_timeout()
                && failure.stage > Stage::Tls
                && !planted::has(Planted::LadderAsksTheSilentAgain) =>
            {
                self.silent |= bit(target);
            }
            _ => self.tried |= bit(target),
        }
    }

    fn next(&mut self, targets: usize, view: &dyn Fn(usize) -> TargetView, now: Nanos) -> Effect {
        let excluded = self.silent | self.unfit;
        let choice = Choice {
            excluded: excluded | self.tried | self.missed,
            may_explore: self.explores && self.sent() == 0,
            may_probe: true,
            now,
        };
        if let Some(effect) = choose::pick(targets, view, &choice, &mut self.rng) {
            return self.send(effect, view);
        }
        // Everybody fit has been tried, rests or is full. The tried ones get another chance after a pause, the others
        // when they are free, whichever is first.
        let pause_max = ((self.deadline - self.started) / 4).min(WAIT_MAX);
        match self.earliest(targets, view, excluded, now) {
            Some((recovery, true)) => {
                self.waited = true;
                Effect::Hold { recovery }
            }
            Some((at, false))
                if at <= now.saturating_add(pause_max) && at.saturating_add(ATTEMPT_MIN) < self.deadline =>
            {
                Effect::Wait(at)
            }
            _ => self.give_up(targets, view, now),
        }
    }

    /// Somebody else who does not rest, or nobody: what cannot be afforded now is not waited for.
    fn cheaper(&mut self, targets: usize, view: &dyn Fn(usize) -> TargetView, now: Nanos) -> Effect {
        let excluded = self.silent | self.unfit | self.tried | self.missed;
        let choice = Choice { excluded, may_explore: false, may_probe: false, now };
        match choose::willing(targets, view, &choice, &mut self.rng) {
            Some(target) => self.send(Effect::Send(target), view),
            None => self.give_up(targets, view, now),
        }
    }

    fn send(&mut self, effect: Effect, view: &dyn Fn(usize) -> TargetView) -> Effect {
        if let Effect::Send(target) | Effect::LastLight(target) = effect {
            let TargetView { tier, class, .. } = view(target);
            self.first_tier.get_or_insert(tier);
            self.last_tier = tier;
            self.probing = self.waited && class >= Class::Due;
            if self.probing {
                self.probes += 1;
            } else {
                self.attempts += 1;
            }
        }
        effect
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
        let pause = now + backoff::full_jitter(self.sent().saturating_sub(1), &mut self.rng).max(1);
        (0..targets)
            .filter(|i| excluded & bit(*i) == 0)
            .map(|i| {
                let free = view(i).free_at(self.tried & bit(i) != 0);
                let asked = (self.tried | self.missed) & bit(i) != 0;
                // Who was called from the waiting room and finds that its target rests goes back there: its own pause
                // would keep its turn, and with it everybody behind it, beyond the end of that rest.
                let rests = !asked || (self.waited && free > now);
                let at = if rests { free.max(now + 1) } else { free.max(pause) };
                (at, free >= at || rests)
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
        Effect::GiveUp(self.tally.end(self.sent(), now, recovery, limited, now >= self.deadline))
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
