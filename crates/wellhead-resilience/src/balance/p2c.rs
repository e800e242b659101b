//! The lighter of two: nearly as good as looking at all, and without the herd that runs to the single best.

use super::{View, best, members, nth};
use crate::{MILLI, Nanos, Rng};
use wellhead_types::planted::{self, Planted};

/// Estimates below this are noise; above 0, so that requests in flight always count.
const ESTIMATE_MIN: Nanos = MILLI;
/// With unequal weights, costs that differ by less than a quarter are equal: then the weights decide.
const SLACK: f64 = 1.25;

/// Picks from the best class that is left, or `None` if everything is excluded.
///
/// With equal weights two different ones are drawn, and the lighter is taken. With unequal ones both are drawn by
/// weight, and may be the same one: so a share `w` stays between `w²` and `1 - (1 - w)²` whatever the latencies are, and
/// is exactly `w` between equals.
pub fn pick(views: &[View], excluded: u64, now: Nanos, rng: &mut Rng) -> Option<usize> {
    let set = best(views, excluded);
    let weights: u64 = members(set).map(|i| views[i].weight()).sum();
    let count = u64::from(set.count_ones());
    let first = members(set).next()?;
    if members(set).all(|i| views[i].weight() == views[first].weight()) {
        let a = nth(set, rng.below(count))?;
        let Some(b) = nth(set & !(1 << a), rng.below(count - 1)) else { return Some(a) };
        return Some(if cost(&views[b], 1.0, now) < cost(&views[a], 1.0, now) { b } else { a });
    }
    let (a, b) = (drawn(views, set, rng.below(weights))?, drawn(views, set, rng.below(weights))?);
    let relative = |i: usize| views[i].weight() as f64 * count as f64 / weights as f64;
    let (cost_a, cost_b) = (cost(&views[a], relative(a), now), cost(&views[b], relative(b), now));
    Some(if cost_b * SLACK < cost_a { b } else { a })
}

/// Expected time to answer × (requests in flight + 1), where a target of twice the mean weight may have twice as many in
/// flight, and one that has just come back is dearer.
fn cost(view: &View, relative_weight: f64, now: Nanos) -> f64 {
    let load = 1.0 + f64::from(view.in_flight) / relative_weight;
    let cost = view.estimate.max(ESTIMATE_MIN) as f64 * load / view.slow_start(now);
    if planted::has(Planted::BalanceTakesTheHeavier) { 1.0 / cost } else { cost }
}

/// The member at this point of the line on which each one is as long as its weight.
fn drawn(views: &[View], set: u64, mut point: u64) -> Option<usize> {
    members(set).find(|i| {
        let weight = views[*i].weight();
        let here = point < weight;
        point = point.saturating_sub(weight);
        here
    })
}
