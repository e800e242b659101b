//! I2, I6 and I10: what must be true when nothing is wrong any more, and for those who had nothing to do with it.

use crate::log::{Answer, Entries};
use crate::scenario::{Scenario, Target};
use wellhead_types::Outcome;

/// From the end of the last fault to normal work (judged at 15 s by the issue of the ladder).
const BACK_MS: u64 = 15_000;
/// Fewer requests than this say nothing about a share of twenty.
const SAMPLE_MIN: usize = 20;
/// So many requests are expected to have reached a target before its absence counts: by chance it happens once in
/// e²⁰ times.
const EXPECTED_MIN: f64 = 20.0;

pub(super) fn check(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    goodput(scenario, entries, wrong);
    no_exile(scenario, entries, wrong);
}

/// Requests that the gateway was bound to answer: not those that broke a limit or a rule of their own app.
fn accepted(entries: &Entries, from_ms: u64) -> impl Iterator<Item = &Answer> {
    let rejected: std::collections::BTreeSet<usize> = entries
        .records
        .iter()
        .filter(|(_, _, record)| record.outcome == Outcome::Rejected)
        .map(|(ask, _, _)| *ask)
        .collect();
    entries.answers.iter().filter(move |a| a.at_ms >= from_ms && !a.left && !rejected.contains(&a.ask))
}

/// I6: after all faults have ended, 95 of 100 are answered.
fn goodput(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    let from = scenario.quiet_ms + scenario.rest_ms + BACK_MS;
    let (mut all, mut good, mut bad) = (0, 0, Vec::new());
    for answer in accepted(entries, from) {
        all += 1;
        if answer.is_success() {
            good += 1;
        } else {
            bad.push(answer.ask);
        }
    }
    if all >= SAMPLE_MIN && good * 100 < all * 95 {
        bad.truncate(8);
        wrong.push(format!("I6: {good} of {all} are answered although nothing is wrong since; not: {bad:?}"));
    }
}

/// I2: whoever is well and in use gets requests, once the longest back-off is over.
fn no_exile(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    let from = scenario.quiet_ms + scenario.rest_ms + crate::scenario::BACK_OFF_MS;
    for (number, model) in scenario.last_models().iter().enumerate() {
        let first = model.targets.iter().map(|t| t.tier).min().unwrap_or(0);
        let mut used: Vec<&Target> = model.targets.iter().filter(|t| t.tier == first).collect();
        used.dedup();
        let open = |a: &&Answer| scenario.apps[scenario.asks[a.ask].app].regions.is_none();
        let weights: u32 = used.iter().map(|t| t.weight).sum();
        for target in &used {
            let from = from.max(last_lost(entries, target.provider, number) + crate::scenario::BACK_OFF_MS);
            let asks = accepted(entries, from).filter(|a| scenario.asks[a.ask].model == number);
            let count = asks.filter(open).count() as f64;
            // Both of two draws by weight fall on it: then it is taken whatever it takes. Between equals the lighter
            // is, and an estimate that nobody confirms grows lighter by the second.
            let share = f64::from(target.weight) / f64::from(weights);
            let equal = used.iter().all(|t| t.weight == target.weight);
            let expected = if equal { count / used.len() as f64 } else { count * share * share };
            let id = scenario.target_id(number, target);
            let asked = entries
                .heard
                .iter()
                .any(|h| h.at_ms >= from && h.provider == target.provider && h.model == number);
            if expected >= EXPECTED_MIN && !asked {
                wrong.push(format!("I2: nobody asks {id} although it is well since {}", scenario.quiet_ms));
            }
        }
    }
}

/// When the last request ended that met a fault there: one that is lost in silence is noticed when its caller's patience
/// is over, and that may be long after the fault.
fn last_lost(entries: &Entries, provider: usize, model: usize) -> u64 {
    let lost =
        entries.heard.iter().filter(|h| h.provider == provider && h.model == model && h.fault.is_some());
    lost.map(|h| h.ended_ms).max().unwrap_or(0)
}

/// I10: the slowness of an upstream is nobody else's. Compares the same world with and without it.
pub(crate) fn isolation(scenario: &Scenario, with: &Entries, without: &Entries) -> Vec<String> {
    // Of the worlds of this theme, the second model has nothing to do with the first provider.
    let own = |entries: &Entries| {
        let unrelated = entries.answers.iter().filter(|a| scenario.asks[a.ask].model == 1);
        let mut times: Vec<u64> = unrelated.map(|a| a.ended_ms - a.at_ms).collect();
        times.sort_unstable();
        times.get(times.len().saturating_sub(1) * 99 / 100).copied()
    };
    let failed = with.answers.iter().filter(|a| scenario.asks[a.ask].model == 1 && !a.is_success());
    let mut wrong: Vec<String> =
        failed.map(|a| format!("I10: ask {} of another model fails: {:?}", a.ask, a.code)).collect();
    if let (Some(slow), Some(calm)) = (own(with), own(without))
        && slow * 10 > calm * 11
    {
        wrong.push(format!("I10: p99 of another model is {slow} ms instead of {calm}"));
    }
    wrong
}
