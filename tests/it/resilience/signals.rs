//! What vendors say when they fail, in their own words: who rests, who answers instead, and what the client is told.
//! The table of signals has tests of its own; these are about what follows from it.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use wellhead_sim::{Rule, Sim};

use crate::support::{CHAT, Gateway, Request, chat, config, json_reply, pair, sim, single};

const FIRST: &str = "sk-says-first-0001";
const SECOND: &str = "sk-says-second-0002";

/// One provider of this kind with two keys, and two models of it.
fn two_keys(sim: &Sim, kind: &str) -> String {
    config(&format!(
        "providers:\n  a: {{ kind: {kind}, base_url: \"{}\", keys: [\"{FIRST}\", \"{SECOND}\"] }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}] }}\n  \
           other: {{ targets: [{{ provider: a, model: m2 }}] }}\n",
        sim.base_url()
    ))
}

fn seen(sim: &Sim, key: &str, model: &str) -> usize {
    let log = sim.requests();
    log.iter().filter(|seen| seen.key.as_deref() == Some(key) && seen.model.as_deref() == Some(model)).count()
}

async fn ask(gateway: &Gateway, model: &str, stream: bool) {
    let mut body = chat(stream);
    body["model"] = json!(model);
    let answer = gateway.send(Request::post(CHAT).json(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.everything());
}

async fn keys(gateway: &Gateway) -> Value {
    gateway.status().await["providers"][0]["keys"].clone()
}

fn spend_limit() -> Value {
    json!({ "type": "error", "error": {
        "type": "rate_limit_error", "message": "You have reached your monthly cap.",
        "details": { "error_code": "enforced_spend_limit_reached" },
    } })
}

/// Seconds until the next month begins (UTC), by counting months.
fn to_next_month() -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    let (mut begins, mut year) = (0.0, 1970);
    loop {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for days in [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
            begins += f64::from(days) * 86_400.0;
            if begins > now {
                return begins - now;
            }
        }
        year += 1;
    }
}

#[tokio::test]
async fn a_spent_key_rests_for_every_model_until_the_time_that_its_vendor_names() {
    let sim = sim();
    sim.set_fault(Rule::always(json_reply(429, spend_limit())).key(FIRST));
    let gateway = Gateway::start(&two_keys(&sim, "openai-compatible")).await;
    for model in ["chat", "other"] {
        for _ in 0..4 {
            ask(&gateway, model, false).await;
        }
    }
    assert_eq!((seen(&sim, FIRST, "m1"), seen(&sim, FIRST, "m2")), (1, 0), "asked once for all models");
    assert_eq!(keys(&gateway).await[0]["state"], "exhausted");

    let alone = crate::support::sim();
    alone.set_fault(Rule::always(json_reply(429, spend_limit())));
    let gateway = Gateway::start(&single(&alone)).await;
    let answer = gateway.chat(false).await;
    assert_eq!(answer.header("x-should-retry"), "false", "{}", answer.everything());
    let told = answer.error()["retry_after_s"].as_f64().unwrap();
    assert!((told - to_next_month()).abs() < 30.0, "{told} s, and the month ends in {} s", to_next_month());
}

#[tokio::test]
async fn an_overloaded_vendor_costs_no_key_its_name() {
    let sim = sim();
    let overloaded =
        json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    sim.set_fault(Rule::always(json_reply(529, overloaded)).times(2));
    let gateway = Gateway::start(&two_keys(&sim, "openai-compatible")).await;
    gateway.chat(false).await;
    let keys = keys(&gateway).await;
    assert_eq!((&keys[0]["state"], &keys[1]["state"]), (&json!("ok"), &json!("ok")), "{keys}");
}

#[tokio::test]
async fn the_same_code_means_what_the_vendor_means_by_it() {
    let code =
        json!({ "error": { "message": "m", "type": "insufficient_quota", "code": "insufficient_quota" } });
    for (kind, state, asked) in [("openai-compatible", "exhausted", 0), ("dashscope", "limited", 1)] {
        let sim = sim();
        sim.set_fault(Rule::always(json_reply(429, code.clone())).key(FIRST));
        let gateway = Gateway::start(&two_keys(&sim, kind)).await;
        ask(&gateway, "chat", false).await;
        assert_eq!(keys(&gateway).await[0]["state"], state, "{kind}");
        // Keys take turns: of two requests one would have been the first key's.
        for _ in 0..2 {
            ask(&gateway, "other", false).await;
        }
        assert_eq!(seen(&sim, FIRST, "m2"), asked, "{kind}");
    }
}

#[tokio::test]
async fn a_failure_inside_a_success_is_the_keys_if_it_says_so() {
    for stream in [false, true] {
        let sim = sim();
        let body = json!({ "choices": null, "base_resp": { "status_code": 1008, "status_msg": "insufficient balance" } });
        sim.set_fault(Rule::always(json_reply(200, body)).key(FIRST));
        let gateway = Gateway::start(&two_keys(&sim, "minimax")).await;
        ask(&gateway, "chat", stream).await;
        assert_eq!((seen(&sim, FIRST, "m1"), seen(&sim, SECOND, "m1")), (1, 1), "stream: {stream}");
        assert_eq!(keys(&gateway).await[0]["state"], "exhausted", "stream: {stream}");
    }
}

#[tokio::test]
async fn a_tool_call_that_the_model_got_wrong_is_tried_elsewhere() {
    let sim = sim();
    let failed = json!({ "error": { "message": "Failed to call a function.", "type": "invalid_request_error",
        "code": "tool_use_failed", "failed_generation": "<function" } });
    sim.set_fault(Rule::always(json_reply(400, failed)).times(1));
    let gateway = Gateway::start(&pair(&sim, "")).await;
    let answer = gateway.chat(false).await;
    assert_eq!((answer.status, answer.header("x-wellhead-attempts")), (200, "2"), "{}", answer.everything());
}

#[tokio::test]
async fn a_wait_in_the_body_is_told_to_the_client() {
    let sim = sim();
    let limited = json!([{ "error": { "code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota", "details": [
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "48s" },
    ] } }]);
    sim.set_fault(Rule::always(json_reply(429, limited)));
    let gateway = Gateway::start(&single(&sim)).await;
    let began = std::time::Instant::now();
    let answer = gateway.chat(false).await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "upstream_rate_limited"));
    let told = Duration::from_secs_f64(answer.error()["retry_after_s"].as_f64().unwrap());
    let at_least = Duration::from_secs(48).saturating_sub(began.elapsed());
    assert!((at_least..=Duration::from_secs(48)).contains(&told), "{told:?}");
}
