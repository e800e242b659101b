//! Which target: the lowest tier that has a willing one; within it one that is due for a try, else the lighter of two of
//! the best class. Open ones come last, one request at a time, and only when nobody else is left in any tier: "unhealthy"
//! re-orders candidates and never removes the last (survival.md 1.8).

use super::{Effect, TargetView, bit};
use crate::balance::{self, View, p2c};
use crate::breaker::Class;
use crate::tiers::last_light::{self, Candidate};
use crate::{Nanos, Rng};

/// What a choice needs to know besides the targets.
pub(super) struct Choice {
    /// Not to be asked now.
    pub(super) excluded: u64,
    /// The request can be repeated elsewhere, and nothing was sent yet: it may try somebody who is not the best.
    pub(super) may_explore: bool,
    /// A target whose rest is over may be asked, to find out whether it is back.
    pub(super) may_probe: bool,
    pub(super) now: Nanos,
}

impl Choice {
    /// Whether a target does not rest, has a free key and room.
    pub(super) fn takes(&self, target: usize, view: &TargetView) -> bool {
        let rests = view.class == Class::Open || (view.class == Class::Due && !self.may_probe);
        self.excluded & bit(target) == 0 && !rests && view.is_free(self.now)
    }
}

/// Whom to ask and how, or `None`.
pub(super) fn pick(
    targets: usize,
    view: &dyn Fn(usize) -> TargetView,
    choice: &Choice,
    rng: &mut Rng,
) -> Option<Effect> {
    willing(targets, view, choice, rng).map(Effect::Send).or_else(|| open(targets, view, choice))
}

/// One of the targets that do not rest, have a free key and room.
pub(super) fn willing(
    targets: usize,
    view: &dyn Fn(usize) -> TargetView,
    choice: &Choice,
    rng: &mut Rng,
) -> Option<usize> {
    let now = choice.now;
    let (mut best, mut set) = (u8::MAX, 0);
    for i in (0..targets).filter(|i| choice.excluded & bit(*i) == 0) {
        let v = view(i);
        if !choice.takes(i, &v) || v.tier > best {
            continue;
        }
        if v.tier < best {
            (best, set) = (v.tier, 0);
        }
        set |= bit(i);
    }
    if set & set.wrapping_sub(1) == 0 {
        // One or none.
        return (set != 0).then(|| set.trailing_zeros() as usize);
    }
    let members = (0..targets).filter(|i| set & bit(*i) != 0);
    let numbers: Vec<usize> = members.collect();
    let views: Vec<View> = numbers.iter().map(|i| view(*i).balanced()).collect();
    let explored = if choice.may_explore { balance::explore(&views, 0, rng) } else { None };
    let chosen = explored.or_else(|| p2c::pick(&views, 0, now, rng))?;
    numbers.get(chosen).copied()
}

/// Everybody who is left is open: the one nearest to its recovery.
fn open(targets: usize, view: &dyn Fn(usize) -> TargetView, choice: &Choice) -> Option<Effect> {
    let mut excluded = choice.excluded;
    let candidates: Vec<Candidate> = (0..targets)
        .map(|i| {
            let v = view(i);
            if v.class != Class::Open {
                excluded |= bit(i);
            }
            Candidate {
                rests_until: v.rests_until.unwrap_or(0),
                has_room: v.room_at.is_none(),
                asked_to_wait: v.key_free_at.is_some_and(|at| at > choice.now),
            }
        })
        .collect();
    last_light::nearest(&candidates, excluded).map(Effect::LastLight)
}
