//! Which of several equal targets gets the next request: the lighter of two (P2C on peak EWMA), or the one that a key
//! or a prompt's beginning belongs to, as long as it is not overloaded.
//!
//! Everything works on slices of small views and sets of at most 64 bits, so that a choice allocates nothing.
//! A set that is not empty always yields a target: exclusion is the caller's word, class only an order.

pub mod ewma;
pub mod hash;
pub mod p2c;
pub mod prefix;
#[cfg(test)]
mod tests;

pub use ewma::PeakEwma;

use crate::breaker::Class;
use crate::ladder::TARGETS_MAX;
use crate::{Nanos, Rng, SECOND};

/// How much more than its share a target may carry before affinity yields: 5/4 (arXiv 1608.01350, c = 1.25).
const BOUND: (u64, u64) = (5, 4);
/// A target that came back is given its full share after this (survival.md R2).
pub const SLOW_START: Nanos = 30 * SECOND;
/// Its share at the beginning of that.
const SLOW_START_MIN: f64 = 0.1;

/// What is known of one target at the moment of a choice.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Stable across reloads and processes: affinity hangs on it, not on the position in the slice.
    pub id: u64,
    /// How willing it is.
    pub class: Class,
    /// Its share; 0 counts as 1.
    pub weight: u32,
    /// Expected time to answer, from [`PeakEwma::read`].
    pub estimate: Nanos,
    /// Requests that it is working on.
    pub in_flight: u32,
    /// When it came back after having been open.
    pub recovered_at: Option<Nanos>,
}

impl View {
    fn weight(&self) -> u64 {
        u64::from(self.weight.max(1))
    }

    /// Which part of its share a target gets that has just come back: 10 % to 100 % over 30 s, linear.
    fn slow_start(&self, now: Nanos) -> f64 {
        let Some(at) = self.recovered_at else { return 1.0 };
        let passed = now.saturating_sub(at).min(SLOW_START);
        SLOW_START_MIN + (1.0 - SLOW_START_MIN) * (passed as f64 / SLOW_START as f64)
    }
}

/// The target that should be tried by one request although better ones are there, so that nobody is exiled: one that is
/// due for its probe, or one that nothing is known of and that has nothing to do. `None` if there is none, or if there is
/// nothing better anyway. For requests that can be repeated elsewhere, and for their first attempt only; the caller
/// excludes tiers below the one that the traffic goes to, because a standby is not to be tried while it is not needed.
pub fn explore(views: &[View], excluded: u64, rng: &mut Rng) -> Option<usize> {
    let some_answer = views.iter().any(|v| v.class == Class::Ok);
    let wants = set_of(views, excluded, |v| match v.class {
        Class::Due => true,
        Class::Unknown => some_answer && v.in_flight == 0,
        _ => false,
    });
    let better = set_of(views, excluded, |v| v.class <= Class::Suspect) & !wants;
    if better == 0 {
        return None;
    }
    nth(wants, rng.below(u64::from(wants.count_ones())))
}

/// The members that `keep` keeps.
fn set_of(views: &[View], excluded: u64, keep: impl Fn(&View) -> bool) -> u64 {
    views
        .iter()
        .take(TARGETS_MAX)
        .enumerate()
        .filter(|(i, v)| excluded & (1 << i) == 0 && keep(v))
        .fold(0, |set, (i, _)| set | 1 << i)
}

/// The members of the best class that has any.
fn best(views: &[View], excluded: u64) -> u64 {
    match views
        .iter()
        .take(TARGETS_MAX)
        .enumerate()
        .filter(|(i, _)| excluded & (1 << i) == 0)
        .map(|(_, v)| v.class)
        .min()
    {
        Some(class) => set_of(views, excluded, |v| v.class == class),
        None => 0,
    }
}

/// As [`best`], but what is not known is as good as what answers: affinity has to hold from the first request on.
fn best_for_affinity(views: &[View], excluded: u64) -> u64 {
    match set_of(views, excluded, |v| v.class <= Class::Unknown) {
        0 => best(views, excluded),
        set => set,
    }
}

/// The positions in a set.
fn members(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let first = (set != 0).then(|| set.trailing_zeros() as usize);
        set &= set.wrapping_sub(1);
        first
    })
}

fn nth(set: u64, n: u64) -> Option<usize> {
    members(set).nth(usize::try_from(n).ok()?)
}

/// The members of `set` that can take one more request and carry at most 5/4 of their share, rounded up. Never empty
/// when `set` is not: the bounds add up to more than the load.
fn below_bound(views: &[View], set: u64) -> u64 {
    let weights: u64 = members(set).map(|i| views[i].weight()).sum();
    let load: u64 = 1 + members(set).map(|i| u64::from(views[i].in_flight)).sum::<u64>();
    set_of(views, !set, |v| {
        let bound = (u128::from(BOUND.0) * u128::from(load) * u128::from(v.weight()))
            .div_ceil(u128::from(BOUND.1) * u128::from(weights));
        u128::from(v.in_flight) < bound
    })
}
