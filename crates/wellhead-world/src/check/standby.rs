//! While somebody is away: others answer, and the one who is away sees probes, not requests.

use crate::log::Entries;
use crate::scenario::{Fault, Kind, Scenario, Theme};

/// From its failure on, until the breaker has had the chance to see it: seven failures in a row, at one a second for as
/// long as each makes it a suspect.
const NOTICED_MS: u64 = 12_000;
/// Attempts at one that is away which are no probes: those that opened it, and those that were on their way.
const BEFORE_OPEN: u64 = 16;

pub(super) fn check(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    match scenario.theme {
        Theme::Standby => {
            nobody_fails(scenario, entries, wrong);
            slower_gets_less(scenario, entries, wrong);
            // Waits of an open target double from one second to twenty: a few at first, then one in ten seconds at most.
            probes_only(scenario, entries, wrong, |seconds| 6 + seconds / 10);
        }
        // The last light lets in one a second.
        Theme::Outage => probes_only(scenario, entries, wrong, |seconds| 6 + seconds),
        _ => {}
    }
}

/// Nobody is refused while somebody works all the time. A request whose caller's patience is shorter than it takes to
/// find out about silence may fail: an unstreamed one is not given up before (decision 10). Nor is a stream that is
/// delivered whole and comes word for word, however slowly: its time runs to its end as well, and its first token was
/// there in time.
fn nobody_fails(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    let quick = |f: &Fault| !matches!(f.kind, Kind::Silent | Kind::Slow(_));
    let quick = scenario.faults.iter().all(quick);
    let slow = scenario.faults.iter().any(|f| matches!(f.kind, Kind::Slow(_)));
    for answer in entries.answers.iter().filter(|a| !a.left && !a.is_success()) {
        let ask = &scenario.asks[answer.ask];
        // After its first content it depends on the setting, and on whether others would say the same.
        let model = &scenario.models[ask.model];
        let goes_on =
            model.rescue != "off" && model.targets.iter().all(|t| scenario.providers[t.provider].voice == 0);
        if answer.code.as_deref() == Some("upstream_stream_interrupted") && !goes_on {
            continue;
        }
        let needed = scenario.models[ask.model].first_token_ms + 4_000;
        let known = quick || (ask.streamed && !(slow && model.atomic));
        let had_time = scenario.deadline_ms(ask) > needed && known;
        if had_time || answer.code.as_deref() == Some("no_healthy_upstream") {
            let (at, number, code) = (answer.ended_ms, answer.ask, &answer.code);
            wrong.push(format!("STANDBY: {at} ask {number} fails with {code:?} while p1 and p2 work"));
        }
    }
}

/// Attempts at a target that is away, from when that can be known on.
fn probes_only(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>, probes: impl Fn(u64) -> u64) {
    // One that only takes no new connections goes on with those that are open.
    let away = |f: &&Fault| {
        matches!(f.kind, Kind::Refuse | Kind::Status(_) | Kind::ResetBeforeHeaders | Kind::ErrorInSuccess)
    };
    for fault in scenario.faults.iter().filter(away) {
        let (from, to) = (fault.from_ms + NOTICED_MS, fault.to_ms);
        if to <= from {
            continue;
        }
        for number in 0..scenario.models.len() {
            let Some(target) = scenario.models[number].targets.iter().find(|t| t.provider == fault.provider)
            else {
                continue;
            };
            let id = scenario.target_id(number, target);
            let at = |ask: usize, offset: std::time::Duration| {
                scenario.asks[ask].at_ms + u64::try_from(offset.as_millis()).unwrap_or(u64::MAX)
            };
            let attempts = entries
                .records
                .iter()
                .flat_map(|(ask, _, record)| record.attempts.iter().map(move |a| (*ask, a)))
                .filter(|(_, attempt)| *attempt.target == *id)
                .filter(|(ask, attempt)| (from..to).contains(&at(*ask, attempt.offset)))
                .count() as u64;
            let allowed = BEFORE_OPEN + probes((to - from) / 1000);
            if attempts > allowed {
                wrong.push(format!(
                    "PROBES: {id} is away from {} to {to} and was asked {attempts} times from {from} on; {allowed} \
                     are allowed",
                    fault.from_ms
                ));
            }
        }
    }
}

/// Of two in the same tier with the same weight, the one that takes ten times as long gets less than the other.
fn slower_gets_less(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    for fault in scenario.faults.iter().filter(|f| matches!(f.kind, Kind::Slow(_))) {
        for (number, model) in scenario.models.iter().enumerate() {
            let [slow, other, ..] = &model.targets[..] else { continue };
            if (slow.tier, slow.provider) != (other.tier, fault.provider) {
                continue;
            }
            let count = |provider: usize| {
                let from = fault.from_ms + NOTICED_MS;
                let here = |h: &&crate::log::Heard| {
                    h.provider == provider && h.model == number && (from..fault.to_ms).contains(&h.at_ms)
                };
                entries.heard.iter().filter(here).count()
            };
            let (asked, spared) = (count(slow.provider), count(other.provider));
            if asked > spared && asked > 10 {
                wrong.push(format!(
                    "SLOWER: p{} is slow and was asked {asked} times, p{} {spared}",
                    slow.provider, other.provider
                ));
            }
        }
    }
}
