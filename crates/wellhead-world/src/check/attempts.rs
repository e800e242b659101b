//! I3 and what belongs to it: how often upstreams are asked, when they are asked again, and when not at all.

use super::TIMERS_MS;
use crate::log::{Ended, Entries, Heard};
use crate::scenario::{Kind, Scenario};
use std::collections::BTreeMap;
use wellhead_resilience::budget::{RETRIES_PER_SECOND_MIN, RETRY_PERCENT, TTL_SECONDS};
use wellhead_telemetry::{AttemptRecord, RequestRecord};

/// So many pauses in a row are not all nothing by chance: each is drawn from a quarter of a second or more.
const PAUSES_MIN: usize = 8;

pub(super) fn check(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    budget(scenario, entries, wrong);
    witnessed(scenario, entries, wrong);
    handed_over(entries, wrong);
    let records = entries.records.iter().map(|(ask, _, record)| (*ask, record)).collect();
    silent_once(scenario, entries, &records, wrong);
    limits_kept(scenario, entries, &records, wrong);
    pauses(scenario, entries, wrong);
}

/// The way in which the rest of an answer was asked for did not suit the target: it is asked in the next way.
fn is_another_way(attempt: &AttemptRecord) -> bool {
    matches!(attempt.result, "bad_request" | "continuation_differs")
}

/// Attempts that a route has to pay from its budget: not the first, not the first that goes to a standby (survival.md
/// R4), not another way of asking the same.
fn paid(attempts: &[&AttemptRecord]) -> u64 {
    let free = |(i, attempt): (usize, &&AttemptRecord)| {
        let before = attempts[i];
        (i == 0 && before.target != attempt.target)
            || (before.target == attempt.target && is_another_way(before))
    };
    attempts.iter().skip(1).enumerate().filter(|pair| !free(*pair)).count() as u64
}

/// I3: attempts ≤ requests · (1 + ratio) + min · t, with the ten seconds that the budget looks back added to t. When all
/// of several targets are open the last light decides instead: one request per second and target. A request that goes on
/// to another model is one of that model's requests as well.
fn budget(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    let seconds = scenario.end_ms / 1000 + TTL_SECONDS + 1;
    for (number, model) in scenario.models.iter().enumerate() {
        let (mut requests, mut spent) = (0, 0);
        for (ask, _, record) in &entries.records {
            let asked = scenario.asks.get(*ask).is_some_and(|ask| ask.model == number);
            let own: Vec<_> = record.attempts.iter().filter(|a| of_model(a, number)).collect();
            requests += u64::from(asked || !own.is_empty());
            spent += paid(&own);
        }
        let most = scenario.all_models().map(|models| models[number].targets.len()).max().unwrap_or(1);
        let lights = if most > 1 { most as u64 * seconds } else { 0 };
        let allowed =
            requests * u64::from(RETRY_PERCENT) / 100 + u64::from(RETRIES_PER_SECOND_MIN) * seconds + lights;
        if spent > allowed {
            let name = &model.name;
            wrong.push(format!("I3: {name} made {spent} retries, {allowed} were allowed"));
        }
    }
}

/// Whether an attempt was at a target of this model.
pub(super) fn of_model(attempt: &AttemptRecord, model: usize) -> bool {
    attempt.model.strip_prefix('v').and_then(|number| number.parse().ok()) == Some(model)
}

/// Upstreams hear of no attempt that the gateway does not own up to. A connection that was reused and closed without a
/// byte of an answer is replaced silently, which is no attempt.
fn witnessed(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    let mut heard = vec![0_usize; scenario.asks.len()];
    for one in &entries.heard {
        let replaced = one.reused && one.status.is_none() && one.ended == Ended::Broken;
        heard[one.ask] += usize::from(!replaced);
    }
    for (ask, _, record) in &entries.records {
        let (said, seen) = (record.attempts.len(), heard.get(*ask).copied().unwrap_or(0));
        if seen > said {
            wrong.push(format!("I3: upstreams heard {seen} attempts of ask {ask}, its record has {said}"));
        }
    }
}

/// I5: what is handed over as the beginning of an answer is what somebody said before.
fn handed_over(entries: &Entries, wrong: &mut Vec<String>) {
    for (i, heard) in entries.heard.iter().enumerate() {
        let Some(given) = &heard.given else { continue };
        let mut before = entries.heard[..i].iter().filter(|h| h.ask == heard.ask);
        if !before.any(|h| h.meant.starts_with(given.trim_end())) {
            let (ask, provider) = (heard.ask, heard.provider);
            wrong.push(format!("I5: p{provider} is told that ask {ask} was answered with {given:?}"));
        }
    }
}

/// What the gateway wrote down, by the number of the request.
type Records<'a> = BTreeMap<usize, &'a RequestRecord>;

/// The attempt that upstreams heard as `heard`, by the gateway's own record: what it ended with, and when it began and
/// ended.
fn attempts_of<'a>(
    scenario: &'a Scenario,
    records: &'a Records<'_>,
    heard: &'a Heard,
) -> impl Iterator<Item = (&'static str, u64, u64)> + 'a {
    let of_provider = |attempt: &&AttemptRecord| {
        let name = attempt.target.split('/').next().unwrap_or_default();
        name == scenario.providers[heard.provider].name && of_model(attempt, heard.model)
    };
    let ms = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let attempts = records.get(&heard.ask).into_iter().flat_map(|record| &record.attempts);
    attempts.filter(of_provider).map(move |attempt| {
        let began = scenario.asks[heard.ask].at_ms + ms(attempt.offset);
        (attempt.result, began, began + ms(attempt.duration))
    })
}

/// A target that was silent is asked once by each request (survival.md R4). One that another was quicker than was not
/// found to be silent, as long as its own time was not over: it is as good as any other for the rest of an answer.
fn silent_once(scenario: &Scenario, entries: &Entries, records: &Records<'_>, wrong: &mut Vec<String>) {
    for (i, first) in entries.heard.iter().enumerate() {
        let model = &scenario.models[first.model];
        let patience = model.first_token_ms.min(model.idle_ms);
        let since = first.said_ms.unwrap_or(first.at_ms);
        let silent = first.ended == Ended::Left && first.ended_ms + TIMERS_MS >= since + patience;
        let has_lost = || {
            attempts_of(scenario, records, first).any(|(result, began, ended)| {
                result == "hedge_lost"
                    && (began..=ended).contains(&first.at_ms)
                    && ended.abs_diff(first.ended_ms) <= TIMERS_MS
                    && ended < began + model.first_token_ms
            })
        };
        let again = |later: &&Heard| {
            (later.ask, later.provider, later.model) == (first.ask, first.provider, first.model)
                && later.at_ms >= first.ended_ms
        };
        if silent
            && let Some(later) = entries.heard[i + 1..].iter().find(again)
            && !has_lost()
        {
            let (ask, provider, at) = (first.ask, first.provider, later.at_ms);
            wrong.push(format!("SILENT: {at} ask {ask} asks p{provider} again, which was silent"));
        }
    }
}

/// `Retry-After` is kept: the key is not used for the model before. A request that took the key before that was said is on
/// its way, for as long as it takes to connect: where a name has several addresses, one after another is tried.
fn limits_kept(scenario: &Scenario, entries: &Entries, records: &Records<'_>, wrong: &mut Vec<String>) {
    let same = |a: &Heard, b: &Heard| (a.provider, a.key, a.model) == (b.provider, b.key, b.model);
    for limited in &entries.heard {
        let (Some(Kind::Limited(Some(seconds))), Some(429), Some(at)) =
            (limited.fault, limited.status, limited.status_ms)
        else {
            continue;
        };
        let until = at + u64::from(seconds) * 1000;
        let on_its_way = |h: &Heard| {
            attempts_of(scenario, records, h)
                .any(|(_, began, ended)| began <= at + TIMERS_MS && (began..=ended).contains(&h.at_ms))
        };
        let early =
            |h: &&Heard| same(h, limited) && h.at_ms > at + TIMERS_MS && h.at_ms < until && !on_its_way(h);
        if let Some(early) = entries.heard.iter().find(early) {
            let (provider, ask, then) = (early.provider, early.ask, early.at_ms);
            wrong.push(format!(
                "RETRY-AFTER: {then} ask {ask} asks p{provider}, which asked at {at} to be left alone until {until}"
            ));
        }
    }
}

/// There is a pause between two tries of the same target by one request.
fn pauses(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    let one_key = |target: &str| {
        let of = |p: &&crate::scenario::Provider| target.starts_with(&format!("{}/", p.name));
        scenario.providers.iter().find(of).is_some_and(|p| p.keys <= 1)
    };
    let mut pauses = Vec::new();
    for (_, _, record) in &entries.records {
        for pair in record.attempts.windows(2) {
            let [a, b] = pair else { continue };
            if a.target == b.target && one_key(&a.target) && !is_another_way(a) {
                pauses.push(b.offset.saturating_sub(a.offset + a.duration).as_millis());
            }
        }
    }
    if pauses.len() >= PAUSES_MIN && pauses.iter().all(|ms| *ms <= 1) {
        wrong.push(format!("PAUSE: {} repetitions on the same target without a pause", pauses.len()));
    }
}
