//! What stands in when nobody can answer as asked: never as a short cut, never for somebody else, never unsaid; and where
//! it was promised, it is there.

use super::TIMERS_MS;
use super::attempts::of_model;
use crate::log::{Answer, Entries};
use crate::scenario::{BACK_OFF_MS, Fallback, Fault, STAND_IN, Scenario, Tools};
use std::collections::BTreeMap;
use wellhead_telemetry::RequestRecord;
use wellhead_types::{Outcome, Rung};

/// What is at hand is looked for and sent within this much, its client's slowness not counted.
const AT_HAND_MS: u64 = 500;
/// After a fault a target is left alone for as long as a back-off takes, and let in step by step.
const KNOWN_AGAIN_MS: u64 = BACK_OFF_MS + 30_000;
/// Codes that say that nobody could answer. All others concern the request, its app, or an answer that had begun.
const NOBODY: [&str; 5] =
    ["no_healthy_upstream", "upstream_timeout", "upstream_rate_limited", "upstream_rejected", "overloaded"];
/// A deadline of which what is kept for a smaller model is enough for the slowest answer.
const DEADLINE_MS: u64 = 10_000;
/// Time that has to be left for another attempt to make sense.
const ATTEMPT_MIN_MS: u64 = 50;
/// Fewer requests than this say nothing about a share of twenty.
const SAMPLE_MIN: usize = 20;

/// One request with its answer and its record.
struct Case<'a> {
    scenario: &'a Scenario,
    entries: &'a Entries,
    answer: &'a Answer,
    record: &'a RequestRecord,
    fallback: Option<&'a Fallback>,
}

pub(super) fn check(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    let records: BTreeMap<usize, &RequestRecord> =
        entries.records.iter().map(|(ask, _, record)| (*ask, record)).collect();
    for answer in &entries.answers {
        let Some(record) = records.get(&answer.ask) else { continue };
        let fallback = scenario.models[scenario.asks[answer.ask].model].fallback.as_ref();
        let case = Case { scenario, entries, answer, record, fallback };
        let found = [case.is_said(), case.is_its_own(), case.is_no_short_cut(), case.is_there()];
        for what in found.into_iter().flatten() {
            wrong.push(format!("FALLBACK: {} ask {}: {what}", answer.ended_ms, answer.ask));
        }
        if record.rung == Rung::Cached
            && let Some(what) = case.is_kept_answer(&records)
        {
            wrong.push(format!("CACHE: {} ask {}: {what}", answer.ended_ms, answer.ask));
        }
    }
    over(scenario, entries, &records, wrong);
}

/// Nothing stands in while all is well.
fn over(
    scenario: &Scenario,
    entries: &Entries,
    records: &BTreeMap<usize, &RequestRecord>,
    wrong: &mut Vec<String>,
) {
    let from = scenario.quiet_ms + scenario.rest_ms + BACK_OFF_MS;
    let late: Vec<_> = entries.answers.iter().filter(|answer| answer.at_ms >= from).collect();
    let standing = |answer: &&&Answer| records.get(&answer.ask).is_some_and(|r| stands_in(r.rung));
    let standing = late.iter().filter(standing).count();
    if late.len() >= SAMPLE_MIN && standing * 20 > late.len() {
        let all = late.len();
        wrong.push(format!(
            "FALLBACK: {standing} of {all} answers stand in although all is well since {from}"
        ));
    }
}

const fn stands_in(rung: Rung) -> bool {
    matches!(rung, Rung::Cached | Rung::Degraded)
}

impl Case<'_> {
    fn is_static(&self) -> bool {
        self.answer.text == STAND_IN
    }

    /// What stands in says so, and only that does. Headers that were sent before anybody knew say nothing.
    fn is_said(&self) -> Option<String> {
        let Answer { survival, degraded, status, .. } = self.answer;
        let rung = self.record.rung;
        if *status != 200 || survival.is_empty() {
            return None;
        }
        let word = match rung {
            Rung::Degraded if self.is_static() => "static",
            Rung::Degraded => "smaller-model",
            _ => "",
        };
        let said = survival == rung.as_str() || !stands_in(rung);
        let silent = stands_in(rung) || (survival != "cached" && survival != "degraded");
        let outcome =
            !stands_in(rung) || !self.answer.is_success() || self.record.outcome == Outcome::Degraded;
        if said && silent && outcome && degraded == word && (rung == Rung::Degraded || !self.is_static()) {
            return None;
        }
        Some(format!(
            "the record says {rung:?} and {:?}, the answer {survival:?} {degraded:?}",
            self.record.outcome
        ))
    }

    /// An answer is that of the model which it says it is of, to this request.
    fn is_its_own(&self) -> Option<String> {
        let Self { answer, record, scenario, .. } = self;
        let ask = &scenario.asks[answer.ask];
        if answer.text.is_empty() && answer.calls.is_empty() {
            return None;
        }
        if self.is_static() {
            let declared = self.fallback.is_some_and(|fallback| fallback.text);
            let fits = declared && ask.tools != Some(Tools::Required);
            return (!fits)
                .then(|| "the text is said where it was not declared, or cannot be an answer".to_owned());
        }
        let model = match record.rung {
            Rung::Cached => return None,
            Rung::Degraded => self.fallback.and_then(|fallback| fallback.smaller),
            _ if ask.long => self.fallback.and_then(|fallback| fallback.larger),
            _ => Some(ask.model),
        };
        let said = |heard: &&crate::log::Heard| {
            heard.ask == answer.ask && Some(heard.model) == model && heard.meant.starts_with(&answer.text)
        };
        let own = answer.origin == Some(answer.ask) && self.entries.heard.iter().any(|heard| said(&heard));
        (!own).then(|| {
            let (rung, origin) = (record.rung, answer.origin);
            format!(
                "{rung:?}, which is v{model:?}, and an answer of somebody else ({origin:?}): {:?}",
                answer.text
            )
        })
    }

    /// An earlier answer is one to the very same request, to somebody whose answers this app may have, not too old, whole,
    /// and of the model itself.
    fn is_kept_answer(&self, records: &BTreeMap<usize, &RequestRecord>) -> Option<String> {
        let Self { answer, scenario, entries, .. } = self;
        // Who leaves before the first piece has not heard whose answer it is.
        if answer.left && answer.origin.is_none() {
            return None;
        }
        let Some(cache) = self.fallback.and_then(|fallback| fallback.cache) else {
            return Some("nothing was to be kept".to_owned());
        };
        let earlier = answer.origin.and_then(|ask| entries.answers.iter().find(|a| a.ask == ask));
        let Some(earlier) = earlier.filter(|earlier| earlier.ask != answer.ask) else {
            return Some(format!("nobody got this answer before: {:?}", answer.origin));
        };
        let (now, then) = (&scenario.asks[answer.ask], &scenario.asks[earlier.ask]);
        let same = (now.model, now.question(), now.streamed, now.tools, now.long)
            == (then.model, then.question(), then.streamed, then.tools, then.long);
        if !same {
            return Some(format!("the answer is that of ask {}, which was another one", earlier.ask));
        }
        if !cache.shared && now.app != then.app {
            return Some(format!("the answer is that of ask {} of another app", earlier.ask));
        }
        let found_ms = answer.content_ms.unwrap_or(answer.ended_ms);
        if now.reads_ms == 0 && found_ms > earlier.ended_ms + cache.ttl_ms + AT_HAND_MS {
            let age = found_ms - earlier.ended_ms;
            return Some(format!(
                "the answer of ask {} is {age} ms old, {} are allowed",
                earlier.ask, cache.ttl_ms
            ));
        }
        let own = records.get(&earlier.ask).is_some_and(|record| !stands_in(record.rung));
        // It is kept with its last byte, whatever its client did then.
        let whole = entries
            .heard
            .iter()
            .any(|h| h.ask == earlier.ask && h.model == now.model && h.meant == answer.text);
        (!(own && whole))
            .then(|| format!("the answer of ask {} was not to be kept: {:?}", earlier.ask, answer.text))
    }

    /// Nothing stands in while a target that works has not been asked.
    fn is_no_short_cut(&self) -> Option<String> {
        let Self { answer, record, scenario, .. } = self;
        let ask = &scenario.asks[answer.ask];
        let own: Vec<_> = record.attempts.iter().filter(|a| of_model(a, ask.model)).collect();
        // A third attempt has to be paid for.
        if !stands_in(record.rung) || own.len() > 1 || scenario.apps[ask.app].regions.is_some() {
            return None;
        }
        let began_ms = match record.attempts.get(own.len()) {
            Some(first) => answer.at_ms + u64::try_from(first.offset.as_millis()).unwrap_or(0),
            None => answer.content_ms.unwrap_or(answer.ended_ms),
        };
        // What is kept of the deadline is a quarter of it at most, and in less than this before that nobody is asked any more.
        if began_ms + TIMERS_MS + ATTEMPT_MIN_MS >= answer.at_ms + scenario.deadline_ms(ask) * 3 / 4 {
            return None;
        }
        let mut targets = scenario.models[ask.model].targets.iter().filter(|target| {
            scenario
                .all_models()
                .all(|models| models[ask.model].targets.iter().any(|t| t.provider == target.provider))
        });
        let works = targets.find(|target| {
            let id = scenario.target_id(ask.model, target);
            self.is_well(target.provider) && own.iter().all(|attempt| *attempt.target != *id)
        })?;
        Some(format!(
            "{:?} while {} works and was not asked",
            record.rung,
            scenario.target_id(ask.model, works)
        ))
    }

    /// Whether the smaller model was asked with all the attempts that were left: `attempts_max` is the owner's word for the
    /// whole request. One at least is kept for it, and that one may go to a target of it that fails as well.
    fn is_spent(&self, smaller: usize) -> bool {
        let attempts = &self.record.attempts;
        let most = self.scenario.models[self.scenario.asks[self.answer.ask].model].attempts_max as usize;
        attempts.len() >= most && attempts.iter().any(|attempt| of_model(attempt, smaller))
    }

    /// Whether the smaller model was asked for an answer in one piece and used all the time: who is silent or slow then is
    /// not given up before the deadline as long as nothing is known of it (decision 10).
    fn is_late(&self, smaller: usize) -> bool {
        let Self { answer, record, scenario, .. } = self;
        let whole = !scenario.asks[answer.ask].streamed || scenario.models[smaller].atomic;
        let ill = |target: &str| {
            let name = target.split('/').next().unwrap_or_default();
            let provider = scenario.providers.iter().position(|provider| provider.name == name);
            provider.is_some_and(|provider| !self.is_well(provider))
        };
        let late = |attempt: &&wellhead_telemetry::AttemptRecord| {
            of_model(attempt, smaller) && attempt.result == "deadline_exceeded" && ill(&attempt.target)
        };
        whole && record.attempts.iter().any(|attempt| late(&attempt))
    }

    /// Whether nothing was the matter with a provider for so long that it is known to work.
    fn is_well(&self, provider: usize) -> bool {
        let (from, to) = (self.answer.at_ms, self.answer.ended_ms);
        let met = |f: &Fault| {
            f.provider == provider && f.from_ms <= to && f.to_ms + f.kind.rest_ms() + KNOWN_AGAIN_MS >= from
        };
        let scenario = self.scenario;
        scenario.providers[provider].concurrency.is_none()
            && !scenario.faults.iter().any(met)
            && !scenario.name_faults.iter().any(|f| f.provider == provider)
    }

    /// What was declared is there when nobody else is: a text always, a smaller model that works all the time if there is
    /// the time.
    fn is_there(&self) -> Option<String> {
        let Self { answer, record, scenario, .. } = self;
        let ask = &scenario.asks[answer.ask];
        let code = answer.code.as_deref().filter(|code| NOBODY.contains(code))?;
        // Another model's refusal, or that of the one that was asked for, is passed on.
        let own_fault = record.outcome == Outcome::Rejected || ask.long;
        if answer.left || own_fault {
            return None;
        }
        let fallback = self.fallback?;
        if fallback.text && ask.tools != Some(Tools::Required) {
            return Some(format!("fails with {code} although a text was declared"));
        }
        let smaller = fallback.smaller.filter(|_| scenario.changes.is_empty())?;
        let open = scenario.apps[ask.app].regions.is_none();
        let works = scenario.models[smaller].targets.iter().any(|target| self.is_well(target.provider));
        let in_time = scenario.deadline_ms(ask) >= DEADLINE_MS && ask.reads_ms == 0;
        let spent = self.is_spent(smaller) || self.is_late(smaller);
        (open && works && in_time && !spent).then(|| format!("fails with {code} although m{smaller} works"))
    }
}
