//! Which target: the lowest tier that has a willing one; within it by weight; resting ones only when nobody else is
//! left, because "unhealthy" re-orders candidates and never removes the last (survival.md 1.8).

use super::{TargetView, bit};
use crate::{Nanos, Rng};

/// How willing a target is. Lower is asked first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Healthy, or due for its probe.
    Ready,
    /// Resting after failures: asked when nobody is ready in any tier.
    Resting,
}

/// Picks one of the targets that are not in `excluded` and have a free key, or `None`.
pub(super) fn pick(
    targets: usize,
    view: &dyn Fn(usize) -> TargetView,
    excluded: u64,
    now: Nanos,
    rng: &mut Rng,
) -> Option<usize> {
    let mut best: Option<(Class, u8)> = None;
    let mut chosen = None;
    let mut weight_sum: u64 = 0;
    for i in (0..targets).filter(|i| excluded & bit(*i) == 0) {
        let v = view(i);
        if v.key_free_at.is_some_and(|at| at > now) {
            continue;
        }
        let class = if v.rests_until.is_some_and(|at| at > now) { Class::Resting } else { Class::Ready };
        let rank = (class, v.tier);
        if best.is_some_and(|b| rank > b) {
            continue;
        }
        if best != Some(rank) {
            best = Some(rank);
            weight_sum = 0;
        }
        // Weighted reservoir of size one: each target ends up chosen with probability weight / sum.
        let weight = u64::from(v.weight.max(1));
        weight_sum += weight;
        if rng.below(weight_sum) < weight {
            chosen = Some(i);
        }
    }
    chosen
}
