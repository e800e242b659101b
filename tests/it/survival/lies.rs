//! The judge itself: honest answers pass, and every kind of broken promise is planted once and has to be found.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use wellhead_sim::{Ended, LoggedRequest};

use super::cases::{Case, Second};
use super::faults::{VARIANTS, Variant};
use super::judge::judge;
use super::world::Evidence;
use crate::support::{Answer, Ending};

const TEXT: &str = "The whole answer.";

fn variant(label: &str) -> &'static Variant {
    VARIANTS.iter().find(|variant| variant.label() == label).unwrap()
}

fn case(first: &str, second: Second, streamed: bool) -> Case {
    Case { first: variant(first), second, streamed }
}

fn answer(status: u16, content_type: &str, headers: &[(&str, &str)], body: String) -> Answer {
    let base = [("content-type", content_type), ("x-request-id", "c0"), ("x-wellhead-attempts", "1")];
    // The first of a name counts.
    let headers = headers.iter().chain(&base).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Answer { status, headers: headers.collect(), body: body.into(), ending: Ending::Proper }
}

fn events(events: &[Value], done: bool) -> String {
    let mut text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    text.push_str(if done { "data: [DONE]\n\n" } else { "" });
    text
}

fn delta(text: &str) -> Value {
    json!({"id": "a", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
}

fn finish() -> Value {
    json!({"id": "a", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
}

fn stream(rung: &str, target: &str, attempts: &str, events_: &[Value], done: bool) -> Answer {
    let headers =
        [("x-wellhead-survival", rung), ("x-wellhead-target", target), ("x-wellhead-attempts", attempts)];
    answer(200, "text/event-stream", &headers, events(events_, done))
}

fn logged(at_ms: u64) -> LoggedRequest {
    LoggedRequest {
        id: 1,
        at: Duration::from_millis(at_ms),
        method: "POST".into(),
        path: String::new(),
        query: None,
        version: "HTTP/1.1",
        connection: 1,
        headers: Vec::new(),
        body: Bytes::new(),
        body_bytes: 0,
        model: None,
        key: None,
        fault: None,
        replayed: false,
        worked: false,
        status: None,
        tokens_sent: 0,
        ended: Some(Ended::Finished),
        ended_at: Some(Duration::from_millis(at_ms)),
    }
}

/// `attempts` names the target of each.
fn evidence(answer: Answer, rung: &str, attempts: &[usize]) -> Evidence {
    let told: Vec<_> =
        attempts.iter().map(|which| json!({"target": format!("c0-{which}/m{which}")})).collect();
    let seen = [0, 1].map(|which| {
        let at = attempts.iter().enumerate().filter(|(_, target)| **target == which);
        at.map(|(number, _)| logged(number as u64 * 100)).collect()
    });
    let healthy = stream("direct", "healthy-0/m0", "1", &[delta(TEXT), finish()], true);
    let record = json!({"rung": rung, "attempts": told});
    Evidence { answer, took: Duration::from_secs(1), seen, record, healthy }
}

fn direct() -> Evidence {
    evidence(stream("direct", "c0-0/m0", "1", &[delta(TEXT), finish()], true), "direct", &[0])
}

fn failed_over() -> Evidence {
    evidence(stream("failed-over", "c0-1/m1", "2", &[delta(TEXT), finish()], true), "failed-over", &[0, 1])
}

fn error(code: &str, attempts: usize) -> Value {
    let attempts = vec![json!({"target": "c0-0/m0", "outcome": "x", "status": null, "ms": 1}); attempts];
    json!({"error": {"type": "t", "message": "m", "param": null, "code": code, "source": "provider",
        "attempts": attempts, "request_id": "c0", "route": "c0"}})
}

fn cut(events_: &[Value], done: bool) -> Evidence {
    evidence(stream("direct", "c0-0/m0", "1", events_, done), "direct", &[0])
}

fn refusal(status: u16, code: &str, headers: &[(&str, &str)]) -> Evidence {
    let base = [("x-wellhead-survival", "refused"), ("x-should-retry", "true"), ("retry-after", "2")];
    let headers = [headers, &base].concat();
    evidence(answer(status, "application/json", &headers, error(code, 1).to_string()), "refused", &[0])
}

const CUT: &str = "cut-after:5";
const DOWN: &str = "status:500";
const TOO_LONG: &str = "status:400 context_length_exceeded";

fn found(case: &Case, evidence: &Evidence) -> Vec<String> {
    judge(case, evidence, TEXT).broken
}

#[test]
fn honest_answers_pass() {
    let interrupted = || error("upstream_stream_interrupted", 1);
    for (case, evidence) in [
        (case("compressed", Second::Absent, true), direct()),
        (case(DOWN, Second::Healthy, true), failed_over()),
        (case(TOO_LONG, Second::Declared, true), failed_over()),
        (case(CUT, Second::Healthy, true), cut(&[delta("The whole"), interrupted()], false)),
        (case(DOWN, Second::Absent, true), refusal(503, "no_healthy_upstream", &[])),
    ] {
        assert_eq!(found(&case, &evidence), [""; 0], "{}", case.label());
    }
}

/// `evidence` breaks a promise that is told with the words `part`.
fn lie(part: &str, case: &Case, evidence: &Evidence) {
    let found = found(case, evidence);
    assert!(found.iter().any(|what| what.contains(part)), "{part:?} is not in {found:?}");
}

#[test]
fn a_truncated_answer_that_looks_finished_is_found() {
    let case = case(CUT, Second::Healthy, true);
    let interrupted = error("upstream_stream_interrupted", 1);
    lie("instead of", &case, &cut(&[delta("The whole"), finish()], true));
    lie("finish reasons", &case, &cut(&[delta(TEXT)], true));
    lie("ends with", &case, &cut(&[delta(TEXT), finish()], false));
    lie("looks finished", &case, &cut(&[delta("The whole"), finish(), interrupted.clone()], false));
    lie("looks finished", &case, &cut(&[delta("The whole"), interrupted.clone()], true));
    lie("not the start", &case, &cut(&[delta("Another"), interrupted.clone()], false));
    lie("follows the error", &case, &cut(&[delta("The"), interrupted, delta(" whole")], false));
    lie("after the content", &case, &cut(&[delta("The"), error("upstream_timeout", 1)], false));
    lie("request_id is missing", &case, &cut(&[delta("The"), json!({"error": {"code": "x"}})], false));
    let mut broken = cut(&[delta("The whole")], false);
    broken.answer.ending = Ending::Reset;
    lie("Reset", &case, &broken);
}

#[test]
fn a_request_that_somebody_could_have_answered_is_found() {
    let case = case(DOWN, Second::Healthy, true);
    lie("Answer was promised", &case, &refusal(503, "no_healthy_upstream", &[]));
}

#[test]
fn a_dishonest_refusal_is_found() {
    let case = case(DOWN, Second::Absent, true);
    lie("the contract has no", &case, &refusal(500, "no_healthy_upstream", &[]));
    lie("x-should-retry", &case, &refusal(503, "no_healthy_upstream", &[("retry-after", "90")]));
    lie("nobody's business", &case, &refusal(503, "no_healthy_upstream", &[("server", "127.0.0.1:80")]));
    lie(
        "x-wellhead-attempts is 2",
        &case,
        &refusal(503, "no_healthy_upstream", &[("x-wellhead-attempts", "2")]),
    );
    let page =
        answer(503, "text/html", &[("x-wellhead-survival", "refused")], "<p>no healthy upstream".into());
    lie("unreadable", &case, &evidence(page, "refused", &[0]));
    let mut late = refusal(503, "no_healthy_upstream", &[]);
    late.took = Duration::from_secs(30);
    lie("it took", &case, &late);
}

#[test]
fn an_error_of_the_request_that_is_routed_around_or_changed_is_found() {
    let filtered = "status:400 content_policy_violation";
    let case = case(filtered, Second::Healthy, true);
    lie("PassOn(0) was promised", &case, &failed_over());
    let passed = |body: Value, attempts: &[usize]| {
        let headers = [("x-wellhead-survival", "direct"), ("x-should-retry", "false")];
        evidence(answer(400, "application/json", &headers, body.to_string()), "direct", attempts)
    };
    let body = variant(filtered).body().unwrap();
    assert_eq!(found(&case, &passed(body.clone(), &[0])), [""; 0]);
    lie("passed on was", &case, &passed(json!({"error": {"message": "no"}}), &[0]));
    lie("went to the targets [2, 0] times", &case, &passed(body, &[0, 0]));
}

#[test]
fn attempts_beyond_what_is_promised_are_found() {
    let refused =
        |attempts: &[usize]| evidence(refusal(504, "upstream_timeout", &[]).answer, "refused", attempts);
    lie("4 attempts", &case(DOWN, Second::Absent, true), &refused(&[0; 4]));
    lie("was silent and asked 2 times", &case("silence", Second::Absent, true), &refused(&[0; 2]));
    lie("asked for 30s", &case("status:429,retry-after=30", Second::Absent, true), &refused(&[0; 2]));
    let mut hidden = refused(&[0]);
    hidden.seen[0].push(logged(50));
    lie("saw 2 requests, and 1 are recorded", &case(DOWN, Second::Absent, true), &hidden);
}

#[test]
fn a_rung_that_is_not_the_one_is_found() {
    let compressed = case("compressed", Second::Healthy, true);
    let lying =
        |rung: &str| evidence(stream(rung, "c0-0/m0", "1", &[delta(TEXT), finish()], true), rung, &[0]);
    lie("x-wellhead-survival is \"fine\"", &compressed, &lying("fine"));
    lie("retried after 1 attempts", &compressed, &lying("retried"));
    lie("failed-over after 1 attempts", &compressed, &lying("failed-over"));
    let twice = evidence(failed_over().answer, "direct", &[0, 1]);
    lie("direct after 2 attempts", &case(DOWN, Second::Healthy, true), &twice);
    let answered = |rung: &str| {
        let answer = stream(rung, "c0-1/m1", "2", &[delta(TEXT), finish()], true);
        evidence(answer, rung, &[0, 1])
    };
    lie("degraded after 2 attempts", &case(DOWN, Second::Healthy, true), &answered("degraded"));
    lie("failed-over after 2 attempts", &case(DOWN, Second::Declared, true), &answered("failed-over"));
    lie("degraded after 2 attempts", &case(TOO_LONG, Second::Declared, true), &answered("degraded"));
    let mut other = direct();
    other.record["rung"] = "retried".into();
    lie("the record says", &compressed, &other);
}

#[test]
fn a_gateway_that_is_worn_out_afterwards_is_found() {
    let compressed = case("compressed", Second::Absent, true);
    let mut worn = direct();
    worn.healthy = refusal(503, "no_healthy_upstream", &[]).answer;
    lie("a healthy request afterwards", &compressed, &worn);
}
