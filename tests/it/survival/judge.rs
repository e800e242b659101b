//! Holds what happened against what was promised.

use std::time::Duration;

use serde_json::Value;
use wellhead_sim::Ended;

use super::cases::{Case, Must, Second};
use super::faults::Effect;
use super::world::{ATTEMPTS_MAX, DEADLINE, Evidence, KEYS, SILENCE, target};
use crate::support::{Answer, Ending};

/// What a busy machine may add to a promised time.
const SLACK: Duration = Duration::from_secs(3);
/// Longest wait that official SDKs obey.
const RETRY_AFTER_S_MAX: u64 = 60;
/// Every rung that an answer may name.
const RUNGS: [&str; 11] = [
    "direct",
    "retried",
    "held",
    "hedged",
    "failed-over",
    "resumed",
    "stale",
    "cached",
    "degraded",
    "deferred",
    "refused",
];
/// What the gateway itself says when nobody answers.
const REFUSALS: [(u16, &str); 3] =
    [(503, "no_healthy_upstream"), (429, "upstream_rate_limited"), (504, "upstream_timeout")];

/// How a request ended, as its client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered,
    /// An error that is the request's own, with its status.
    PassedOn(u16),
    /// The gateway's own error, before any content.
    Refused(String),
    /// An error within the stream.
    BrokenOff(String),
}

impl Outcome {
    fn of(answer: &Answer) -> Self {
        let error = |error: &Value| error["code"].as_str().unwrap_or("no code").to_owned();
        match answer.status {
            200 => answer.stream_error().map_or(Self::Answered, |event| Self::BrokenOff(error(&event))),
            _ if answer.json()["error"].get("source").is_some() => Self::Refused(error(&answer.error())),
            status => Self::PassedOn(status),
        }
    }
}

/// One cell of the page, and the promises that were broken.
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) rung: String,
    pub(super) attempts: usize,
    pub(super) broken: Vec<String>,
}

/// Collects broken promises.
struct Judge<'a> {
    case: &'a Case,
    evidence: &'a Evidence,
    expected: &'a str,
    broken: Vec<String>,
}

/// Judges a case. `expected` is the text of the whole answer.
pub(super) fn judge(case: &Case, evidence: &Evidence, expected: &str) -> Verdict {
    let mut judge = Judge { case, evidence, expected, broken: Vec::new() };
    let (answer, record) = (&evidence.answer, &evidence.record);
    let text = |member: &str| record[member].as_str().unwrap_or("none").to_owned();
    let (rung, attempts) = (text("rung"), record["attempts"].as_array().map_or(0, Vec::len));
    let readable = std::str::from_utf8(&answer.body).is_ok()
        && (answer.header("content-type").starts_with("text/event-stream")
            || serde_json::from_slice::<Value>(&answer.body).is_ok());
    if !readable {
        judge.broken(format!("unreadable, status {}: {}", answer.status, answer.everything()));
        return Verdict {
            outcome: Outcome::Refused("unreadable".into()),
            rung,
            attempts,
            broken: judge.broken,
        };
    }
    let outcome = Outcome::of(answer);
    judge.promised(&outcome);
    match &outcome {
        Outcome::Answered => judge.complete(answer, "the answer"),
        Outcome::PassedOn(status) => judge.passed_on(*status),
        Outcome::Refused(code) => judge.refused(code),
        Outcome::BrokenOff(code) => judge.broken_off(code),
    }
    judge.in_time();
    judge.attempts(attempts);
    judge.rung(&outcome, &rung, attempts);
    judge.healthy();
    Verdict { outcome, rung, attempts, broken: judge.broken }
}

impl Judge<'_> {
    fn broken(&mut self, what: String) {
        self.broken.push(what);
    }

    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken(what());
        }
    }

    /// Somebody in reach answers; errors of the request are passed on, and nothing else is.
    fn promised(&mut self, outcome: &Outcome) {
        let must = self.case.must();
        let kept = match must {
            Must::Answer => *outcome == Outcome::Answered,
            Must::PassOn(_) => matches!(outcome, Outcome::PassedOn(_)),
            Must::Either => !matches!(outcome, Outcome::PassedOn(_)),
        };
        let told = self.evidence.answer.everything();
        self.check(kept, || format!("{must:?} was promised, but it was {outcome:?}: {told}"));
    }

    /// Everything that a healthy target says, ended as such an answer ends.
    fn complete(&mut self, answer: &Answer, what: &str) {
        let streamed = self.case.streamed;
        let (status, ending, content) = (answer.status, answer.ending, answer.content());
        self.check((status, ending) == (200, Ending::Proper), || format!("{what}: {status}, {ending:?}"));
        let expected = self.expected;
        self.check(content == expected, || format!("{what} is {content:?} instead of {expected:?}"));
        let reasons: Vec<Value> = if streamed {
            let mut reasons: Vec<_> =
                answer.events().iter().map(|e| e["choices"][0]["finish_reason"].clone()).collect();
            reasons.retain(Value::is_string);
            reasons
        } else {
            vec![answer.json()["choices"][0]["finish_reason"].clone()]
        };
        self.check(reasons == ["stop"], || format!("{what} has the finish reasons {reasons:?}"));
        if streamed {
            let (data, events) = (answer.data(), answer.events());
            self.check(data.last() == Some(&"[DONE]"), || format!("{what} ends with {:?}", data.last()));
            let strange = data.len().saturating_sub(events.len() + 1);
            self.check(strange == 0, || format!("{what} has {strange} events that are not JSON"));
            let mut ids: Vec<_> = events.iter().map(|event| event["id"].clone()).collect();
            // The simulator's huge line has none.
            ids.retain(Value::is_string);
            ids.dedup();
            self.check(ids.len() == 1, || format!("{what} is one stream with the ids {ids:?}"));
        }
    }

    /// The status and the reason that the target gave.
    fn passed_on(&mut self, status: u16) {
        let Must::PassOn(which) = self.case.must() else { return };
        let Some(variant) = self.case.variants()[which] else { return };
        let (answer, body) = (&self.evidence.answer, self.evidence.answer.json());
        self.check(Some(status) == variant.status() && Some(&body) == variant.body().as_ref(), || {
            format!("passed on was {status} {body}")
        });
        let (told, ending) = (answer.header("x-should-retry").to_owned(), answer.ending);
        self.check(told == "false" && ending == Ending::Proper, || {
            format!("x-should-retry {told:?}, {ending:?}")
        });
        let asked = self.evidence.seen.each_ref().map(Vec::len);
        let wanted = if which == 0 { [1, 0] } else { [asked[0], 1] };
        self.check(asked == wanted, || {
            format!("an error of the request went to the targets {asked:?} times")
        });
    }

    /// The members of an error, in the shape of the OpenAI dialect.
    fn shape(&mut self, error: &Value) {
        for member in ["type", "message", "param", "code", "source", "attempts", "request_id", "route"] {
            self.check(error.get(member).is_some(), || format!("{member} is missing in {error}"));
        }
        let (id, source) = (self.evidence.answer.header("x-request-id"), &error["source"]);
        self.check(error["request_id"] == id && source == "provider", || format!("{id}: {error}"));
        for attempt in error["attempts"].as_array().into_iter().flatten() {
            for member in ["target", "outcome", "status", "ms"] {
                self.check(attempt.get(member).is_some(), || format!("{member} is missing in {attempt}"));
            }
        }
        let (told, recorded) = (error["attempts"].as_array(), self.evidence.record["attempts"].as_array());
        self.check(told.map(Vec::len) == recorded.map(Vec::len), || format!("{recorded:?} were {error}"));
        let told = self.evidence.answer.everything();
        for internal in ["127.0.0.1", KEYS] {
            self.check(!told.contains(internal), || format!("{internal} is nobody's business: {told}"));
        }
    }

    fn refused(&mut self, code: &str) {
        let answer = &self.evidence.answer;
        let status = answer.status;
        self.check(REFUSALS.contains(&(status, code)), || format!("the contract has no {status} {code}"));
        self.check(answer.ending == Ending::Proper, || format!("the error ends with {:?}", answer.ending));
        self.shape(&answer.error());
        let told = (answer.header("x-should-retry"), answer.header("retry-after"));
        let wait = told.1.parse::<u64>().ok();
        let right = match told.0 {
            // A timeout names no time.
            "true" => wait.is_some_and(|wait| (1..=RETRY_AFTER_S_MAX).contains(&wait)) || status == 504,
            "false" => told.1.is_empty(),
            _ => false,
        };
        self.check(right, || format!("(x-should-retry, retry-after) is {told:?} on {status}"));
    }

    /// Told within the stream, which does not look finished.
    fn broken_off(&mut self, code: &str) {
        let answer = &self.evidence.answer;
        let (content, expected) = (answer.content(), self.expected);
        let known = if content.is_empty() {
            REFUSALS.iter().any(|(_, known)| *known == code)
        } else {
            code == "upstream_stream_interrupted"
        };
        self.check(known, || format!("{code} after the content {content:?}"));
        self.check(expected.starts_with(&content), || {
            format!("{content:?} is not the start of {expected:?}")
        });
        self.check(!answer.done() && !answer.finished(), || format!("it looks finished: {}", answer.text()));
        self.check(answer.ending == Ending::Proper, || format!("the stream ends with {:?}", answer.ending));
        let last = answer.events().last().is_some_and(|event| event.get("error").is_some());
        self.check(last, || format!("something follows the error: {}", answer.text()));
        self.shape(&answer.stream_error().unwrap_or_default());
    }

    fn in_time(&mut self) {
        let streams = if self.case.streamed { u32::try_from(ATTEMPTS_MAX).unwrap() } else { 0 };
        let (took, most) = (self.evidence.took, DEADLINE + SILENCE * streams + SLACK);
        self.check(took <= most, || format!("it took {took:?}"));
    }

    /// What the targets saw: no more than the budget, nobody who was silent twice, nobody sooner than he asked for.
    fn attempts(&mut self, attempts: usize) {
        let (seen, id) = (&self.evidence.seen, self.evidence.answer.header("x-request-id").to_owned());
        let asked = seen.each_ref().map(Vec::len);
        self.check((1..=ATTEMPTS_MAX).contains(&attempts), || format!("{attempts} attempts"));
        for (which, variant) in self.case.variants().into_iter().enumerate() {
            let told = self.evidence.record["attempts"].as_array().into_iter().flatten();
            let told = told.filter(|attempt| attempt["target"] == target(&id, which)).count();
            let wanted = if variant.is_some_and(super::faults::Variant::unseen) { 0 } else { told };
            self.check(asked[which] == wanted, || {
                format!("target {which} saw {} requests, and {told} are recorded", asked[which])
            });
            let Some(variant) = variant else { continue };
            let silent = matches!(variant.effect(self.case.streamed), Effect::Hangs | Effect::Stalls);
            self.check(!silent || told <= 1, || format!("target {which} was silent and asked {told} times"));
            let Some(wait) = variant.retry_after_s().map(Duration::from_secs) else { continue };
            // The first one was limited; a variant that recovers limits none after it.
            let soon = seen[which].windows(2).take(if variant.recovers() { 1 } else { ATTEMPTS_MAX });
            let soon = soon.map(|pair| pair[1].at - pair[0].at).find(|gap| *gap < wait);
            self.check(soon.is_none(), || format!("target {which} asked for {wait:?} and got {soon:?}"));
        }
    }

    /// The rung is one of the vocabulary, and tells what happened.
    fn rung(&mut self, outcome: &Outcome, rung: &str, attempts: usize) {
        let answer = &self.evidence.answer;
        let told = answer.header("x-wellhead-survival").to_owned();
        self.check(RUNGS.contains(&told.as_str()), || format!("x-wellhead-survival is {told:?}"));
        // The headers of a stream are gone when it is rescued.
        let late = rung == "resumed" && self.case.streamed;
        self.check(told == rung || late, || {
            format!("x-wellhead-survival is {told:?}, the record says {rung:?}")
        });
        let counted = answer.header("x-wellhead-attempts").parse::<usize>().unwrap_or(0);
        let whole = *outcome == Outcome::Answered && !late || matches!(outcome, Outcome::Refused(_));
        self.check(counted == attempts || (!whole && (1..=attempts).contains(&counted)), || {
            format!("x-wellhead-attempts is {counted}, {attempts} are recorded")
        });
        let by = self.answered_by();
        // A larger model is no less than what was asked for.
        let stands_in = matches!(self.case.second, Second::Declared) && !self.case.is_too_long();
        let right = match (outcome, rung) {
            (Outcome::Refused(_), _) => rung == "refused",
            (Outcome::Answered, "direct") => attempts == 1 && by == Some(0),
            (Outcome::Answered, "failed-over") => attempts > 1 && by == Some(1) && !stands_in,
            (Outcome::Answered, "degraded") => attempts > 1 && by == Some(1) && stands_in,
            (Outcome::PassedOn(_), "direct") => attempts == 1,
            (Outcome::PassedOn(_), "failed-over") => attempts > 1,
            (Outcome::Answered, "retried" | "held") => attempts > 1 && by == Some(0),
            (Outcome::Answered, "resumed") => attempts > 1 && late,
            (Outcome::BrokenOff(_), "direct") => counted == 1,
            (Outcome::BrokenOff(_), "retried" | "held" | "failed-over" | "resumed") => attempts > 1,
            _ => false,
        };
        self.check(right, || format!("{rung} after {attempts} attempts, answered by {by:?}: {outcome:?}"));
    }

    /// The target that the answer names, if it did say what the client has.
    fn answered_by(&self) -> Option<usize> {
        let (answer, seen) = (&self.evidence.answer, &self.evidence.seen);
        let (id, named) = (answer.header("x-request-id"), answer.header("x-wellhead-target"));
        let finished =
            |which: &usize| seen[*which].last().is_some_and(|last| last.ended == Some(Ended::Finished));
        let mut found = (0..2).filter(|which| named.is_empty() || named == target(id, *which));
        found.find(finished)
    }

    fn healthy(&mut self) {
        let answer = &self.evidence.healthy;
        let rung = answer.header("x-wellhead-survival").to_owned();
        self.check(rung == "direct", || format!("a healthy request afterwards was {rung:?}"));
        if answer.status == 200 {
            self.complete(answer, "a healthy answer afterwards");
        } else {
            self.broken(format!("a healthy request afterwards: {}", answer.everything()));
        }
    }
}
