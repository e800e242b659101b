//! Limits that are learnt: a target that usually answers soon is not waited for as long as a strange one.

use serde_json::Value;
use wellhead_sim::{Ended, Rule, Sim};

use crate::support::{CHAT, Gateway, LIMIT, Request, chat, eventually, expected, fault, sim, single, tiers};

/// More than it takes to know.
const SAMPLES: usize = 60;
const NO_HEDGE: &str = "stream: { hedge: off }";
/// The default of `first_token`, in milliseconds.
const DEFAULT_MS: f64 = 12_000.0;

/// `SAMPLES` answers.
async fn learn(gateway: &Gateway, stream: bool) {
    for _ in 0..SAMPLES {
        let answer = gateway.chat(stream).await;
        assert_eq!(answer.status, 200, "{}", answer.everything());
    }
}

/// What `/status` says about the first target.
async fn first_target(gateway: &Gateway) -> Value {
    gateway.status().await["routes"][0]["targets"][0].clone()
}

/// A number that has been learnt of the first target's streams.
async fn learnt(gateway: &Gateway, member: &str) -> f64 {
    let target = first_target(gateway).await;
    target["streamed"][member].as_f64().unwrap_or_else(|| panic!("no {member} in {target}"))
}

async fn started(settings: &str) -> (Sim, Sim, Gateway) {
    let (first, second) = (sim(), sim());
    let gateway = Gateway::start(&tiers(&first.base_url(), &second.base_url(), settings)).await;
    (first, second, gateway)
}

#[tokio::test]
async fn a_quick_target_that_becomes_silent_is_left_after_its_learnt_limit() {
    let (first, second, gateway) = started(NO_HEDGE).await;
    gateway.chat(true).await;
    assert_eq!(first_target(&gateway).await["streamed"], Value::Null, "one answer teaches nothing");
    learn(&gateway, true).await;
    let limit_ms = learnt(&gateway, "limit_s").await * 1000.0;
    assert!((2000.0..DEFAULT_MS).contains(&limit_ms), "{limit_ms}");
    assert!(learnt(&gateway, "p50_s").await <= learnt(&gateway, "p99_s").await);
    assert_eq!(first_target(&gateway).await["unstreamed"], Value::Null, "nothing was asked for in one piece");
    first.set_fault(Rule::always(fault("silence")));
    let answer = gateway.chat(true).await;
    assert_eq!(answer.content(), expected().await);
    assert_eq!(answer.header("x-wellhead-survival"), "failed-over");
    let record = gateway.record(answer.header("x-request-id")).await;
    let attempt = &record["attempts"][0];
    assert_eq!(attempt["result"], "headers_timeout", "{record}");
    let took = attempt["duration_ms"].as_f64().unwrap();
    assert!((limit_ms - 1.0..DEFAULT_MS).contains(&took), "{took} ms, and the limit is {limit_ms}");
    assert_eq!(second.requests().len(), 1);
    first.wait_for(|log| log.iter().all(|seen| seen.ended.is_some()), LIMIT).await.unwrap();
}

#[tokio::test]
async fn what_was_learnt_survives_a_reload_and_is_never_above_what_is_written() {
    let (first, second, gateway) = started(NO_HEDGE).await;
    learn(&gateway, true).await;
    let learnt_before = learnt(&gateway, "p95_s").await;
    let settings = "timeouts: { first_token: 300ms, stream_idle: 1s }\n    stream: { hedge: off }";
    gateway.write_config(&tiers(&first.base_url(), &second.base_url(), settings));
    eventually("the new limit", async || (learnt(&gateway, "limit_s").await == 0.3).then_some(())).await;
    assert_eq!(learnt(&gateway, "p95_s").await, learnt_before);
    assert_eq!(learnt(&gateway, "idle_limit_s").await, 1.0);
}

#[tokio::test]
async fn unstreamed_answers_have_a_limit_of_their_own() {
    let (_first, _second, gateway) = started(NO_HEDGE).await;
    learn(&gateway, false).await;
    let target = first_target(&gateway).await;
    assert_eq!(target["streamed"], Value::Null, "{target}");
    let limit = target["unstreamed"]["limit_s"].as_f64().unwrap();
    assert!((30.0..600.0).contains(&limit), "{target}");
}

#[tokio::test]
async fn who_has_no_alternative_is_waited_for_until_the_deadline() {
    let only = sim();
    let text = single(&only).replace("}] }", "}], timeouts: { deadline: 3s, hold: 0s }, attempts_max: 1 }");
    let gateway = Gateway::start(&text).await;
    learn(&gateway, true).await;
    assert_eq!(first_target(&gateway).await["streamed"], Value::Null, "there is nobody to compare it with");
    only.set_fault(Rule::always(fault("silence")));
    let answer = gateway.chat(true).await;
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!(record["attempts"][0]["result"], "deadline_exceeded", "{record}");
}

#[tokio::test]
async fn a_target_is_not_left_for_one_that_rests() {
    let (first, second, gateway) = started(NO_HEDGE).await;
    learn(&gateway, true).await;
    let limit_ms = learnt(&gateway, "limit_s").await * 1000.0;
    // The second one asks for a minute's rest.
    second.set_fault(Rule::always(fault("status:503,retry-after=60")));
    first.set_fault(Rule::always(fault("status:503")).times(1));
    assert_eq!(gateway.chat(true).await.content(), expected().await);
    first.set_fault(Rule::always(fault("slow-first-token:4000")).times(1));
    let answer = gateway.chat(true).await;
    assert_eq!(answer.content(), expected().await);
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!(record["attempts"].as_array().map(Vec::len), Some(1), "{record}");
    let took = record["attempts"][0]["duration_ms"].as_f64().unwrap();
    assert!(took >= 4000.0 && 4000.0 > limit_ms, "{record}, and the limit is {limit_ms}");
}

#[tokio::test]
async fn a_stall_is_found_within_three_times_the_longest_usual_pause() {
    let (first, second, gateway) = started(NO_HEDGE).await;
    learn(&gateway, true).await;
    let limit_ms = learnt(&gateway, "idle_limit_s").await * 1000.0;
    assert!((5000.0..60_000.0).contains(&limit_ms), "{limit_ms}");
    first.set_fault(Rule::always(fault("stall-after:5")));
    let answer = gateway.chat(true).await;
    assert_eq!(answer.content(), expected().await);
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!(record["attempts"][0]["result"], "idle_timeout", "{record}");
    let took = record["attempts"][0]["duration_ms"].as_f64().unwrap();
    assert!((limit_ms..60_000.0).contains(&took), "{took} ms, and the limit is {limit_ms}");
    assert_eq!(second.requests().len(), 1);
    assert!(first.requests().iter().all(|seen| seen.ended != Some(Ended::ShutDown)));
}

#[tokio::test]
async fn a_model_that_thinks_aloud_is_not_given_up_for_it() {
    let (first, second) = (sim(), sim());
    let settings = "timeouts: { first_token: 1s }\n    stream: { hedge: off }";
    let text = tiers(&first.base_url(), &second.base_url(), settings).replace("m1", "practice-reason");
    let gateway = Gateway::start(&text).await;
    // Its thoughts alone take longer than the first token may.
    first.set_fault(Rule::always(fault("slow-tokens:60")));
    let mut body = chat(true);
    body["max_completion_tokens"] = 40.into();
    let answer = gateway.send(Request::post(CHAT).json(&body)).await;
    assert!(answer.text().contains("reasoning_content"), "{}", answer.text());
    assert_eq!(answer.header("x-wellhead-survival"), "direct");
    let record = gateway.record(answer.header("x-request-id")).await;
    assert!(record["first_byte_ms"].as_f64().unwrap() > 1000.0, "it has to think for longer: {record}");
    assert_eq!(second.requests().len(), 0);
}
