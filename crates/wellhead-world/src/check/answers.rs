//! I4 and I5, as soon as a client has its answer: every request ends in time with an answer or with a failure that has a
//! code, and what looks whole is whole.

use super::TIMERS_MS;
use crate::log::{Answer, Entries, Heard};
use crate::scenario::{STAND_IN, Scenario};

/// Longest search for somebody who goes on with an answer, where the model's deadline is not shorter.
const RESCUE_MS: u64 = 30_000;

/// Longest time over which the pieces of one tool call are said: twenty pieces of 30 ms, a quarter more, twenty times as
/// slow.
const CALL_MS: u64 = 15_000;

/// Checks one answer. What upstreams meant to say is known by now.
pub(crate) fn at_once(scenario: &Scenario, log: &mut Entries, answer: &Answer) {
    let mut wrong = Vec::new();
    if !answer.left {
        in_time(scenario, answer, &mut wrong);
        told(answer, &mut wrong);
    }
    complete(log, answer, &mut wrong);
    let (ask, at) = (answer.ask, answer.ended_ms);
    log.wrong.extend(wrong.into_iter().map(|(rule, what)| format!("{rule}: {at} ask {ask}: {what}")));
}

type Wrong = Vec<(&'static str, String)>;

fn in_time(scenario: &Scenario, answer: &Answer, wrong: &mut Wrong) {
    let (ask, model) = (&scenario.asks[answer.ask], &scenario.models[scenario.asks[answer.ask].model]);
    // A slow reader has only himself to blame.
    if ask.reads_ms > 0 {
        return;
    }
    // A call of a tool is passed on when it is whole, however slowly it was said.
    let whole_calls = if ask.tools.is_some() && ask.streamed { CALL_MS } else { 0 };
    let deadline = answer.at_ms + scenario.deadline_ms(ask) + TIMERS_MS + whole_calls;
    let heard = if ask.streamed { answer.content_ms.unwrap_or(answer.ended_ms) } else { answer.ended_ms };
    if heard > deadline {
        wrong.push(("I4", format!("heard at {heard}, its deadline was {deadline}")));
    }
    let gap = model.idle_ms + model.deadline_ms.min(RESCUE_MS) + 2 * TIMERS_MS + whole_calls;
    if answer.gap_ms > gap {
        wrong.push(("I4", format!("{} ms of silence in the middle, {gap} are allowed", answer.gap_ms)));
    }
}

/// An answer or a coded failure, and not both.
fn told(answer: &Answer, wrong: &mut Wrong) {
    if let Some(broke) = &answer.broke {
        wrong.push(("I4", format!("neither an answer nor a failure with a code: {broke}")));
        return;
    }
    let code = answer.code.as_deref();
    if answer.status != 200 && code.is_none_or(|code| code == "(no code)") {
        wrong.push(("I4", format!("status {} without a code", answer.status)));
    }
    if answer.status == 200 && code.is_none() && !answer.done {
        wrong.push(("I4", "the stream ends without an end signal and without an error".to_owned()));
    }
    if answer.status == 200 && code.is_some() && answer.done {
        wrong.push(("I5", "an end signal behind an error".to_owned()));
    }
    if answer.surplus {
        wrong.push(("I5", "something behind the end signal".to_owned()));
    }
    if answer.is_success() && answer.finish.is_none() {
        wrong.push(("I5", "it looks whole and has no finish reason".to_owned()));
    }
}

/// What looks whole is, to the byte, what one upstream meant to say; what does not is the beginning of that. An answer that
/// stands in is looked at again when it is known what it stands for.
fn complete(log: &Entries, answer: &Answer, wrong: &mut Wrong) {
    let whole = answer.is_success() && !answer.left;
    if (answer.text.is_empty() && answer.calls.is_empty() && !answer.is_success()) || is_stand_in(answer) {
        return;
    }
    let mut said = log.heard.iter().filter(|heard| Some(heard.ask) == answer.origin.or(Some(answer.ask)));
    let fits = |heard: &Heard| {
        // A call is there whole or not at all, whatever became of the rest.
        let call = match &answer.calls[..] {
            [] => !whole || heard.call.is_none(),
            [arguments] => answer.left || heard.call.as_ref() == Some(arguments),
            _ => false,
        };
        call && if whole { heard.meant == answer.text } else { heard.meant.starts_with(&answer.text) }
    };
    if !said.any(fits) {
        let what = if whole { "an incomplete or wrong answer as success" } else { "a wrong beginning" };
        let all: Vec<_> =
            log.heard.iter().filter(|h| h.ask == answer.ask).map(|h| (&h.meant, &h.call)).collect();
        wrong.push(("I5", format!("{what}: {:?} {:?}, meant were {all:?}", answer.text, answer.calls)));
    }
    let calls = answer.finish.as_deref() == Some("tool_calls");
    if whole && calls == answer.calls.is_empty() {
        wrong.push(("I5", format!("{} calls and the finish reason {:?}", answer.calls.len(), answer.finish)));
    }
}

/// The declared text. That it was declared and said to be one is for [`super::stand_ins`] to see.
fn is_stand_in(answer: &Answer) -> bool {
    answer.text == STAND_IN && answer.calls.is_empty()
}

/// Nobody is forgotten: every request has one answer and one record.
pub(super) fn all_there(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    let mut answers = vec![0_u32; scenario.asks.len()];
    let mut records = answers.clone();
    entries.answers.iter().for_each(|answer| answers[answer.ask] += 1);
    for (ask, _, _) in &entries.records {
        match records.get_mut(*ask) {
            Some(count) => *count += 1,
            None => wrong.push(format!("a record of a request that nobody sent: {ask}")),
        }
    }
    for (ask, (answers, records)) in answers.iter().zip(&records).enumerate() {
        // Who leaves at once may leave before the request is there.
        let left = scenario.asks[ask].leaves_ms.is_some();
        if *answers != 1 || (*records != 1 && !(left && *records == 0)) {
            wrong.push(format!("I4: ask {ask} has {answers} answers and {records} records"));
        }
    }
}
