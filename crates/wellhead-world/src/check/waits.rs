//! The waiting room: when the rest that everybody waits for is over, somebody is called at once.

use crate::log::{Entries, Heard};
use crate::scenario::{Kind, Scenario};
use wellhead_types::Rung;

/// From the end of a rest to the first request: connecting, and nothing else. Well below the second after which one who
/// was never called looks by himself.
const CALLED_WITHIN_MS: u64 = 500;

pub(super) fn check(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    for (number, model) in scenario.models.iter().enumerate() {
        let [target] = &model.targets[..] else { continue };
        // With several keys, or several targets, what is waited for is a matter of many times.
        if scenario.providers[target.provider].keys > 1 || !scenario.changes.is_empty() {
            continue;
        }
        let asked: Vec<&Heard> = entries.heard.iter().filter(|h| h.model == number).collect();
        for limited in &asked {
            let (Some(Kind::Limited(Some(seconds))), Some(at)) = (limited.fault, limited.status_ms) else {
                continue;
            };
            let over = at + u64::from(seconds) * 1000;
            let prolonged = asked.iter().any(|h| {
                matches!(h.fault, Some(Kind::Limited(_)))
                    && h.status_ms.is_some_and(|ms| ms > at && ms < over + CALLED_WITHIN_MS)
            });
            let waits = entries.records.iter().any(|(ask, ended, record)| {
                let came = scenario.asks[*ask].at_ms;
                scenario.asks[*ask].model == number
                    && record.rung == Rung::Held
                    && came + CALLED_WITHIN_MS < over
                    && *ended > over + CALLED_WITHIN_MS
            });
            let called = asked.iter().any(|h| (over..over + CALLED_WITHIN_MS).contains(&h.at_ms));
            if waits && !prolonged && !called {
                let name = &model.name;
                wrong.push(format!(
                    "WAITS: {name} may be asked again from {over} on, and nobody who waits is called"
                ));
            }
        }
    }
}
