//! A key that is rejected or limited rests, while the others carry on.

use std::time::{Duration, Instant};

use serde_json::json;
use wellhead_sim::{Rule, Sim};

use crate::support::{CHAT, Gateway, Request, chat, config, fault, sim, single};

const FIRST: &str = "sk-rest-first-0001";
const SECOND: &str = "sk-rest-second-0002";

fn two_keys(sim: &Sim) -> String {
    config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"{FIRST}\", \"{SECOND}\"] }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}] }}\n  \
           other: {{ targets: [{{ provider: a, model: m2 }}] }}\n",
        sim.base_url()
    ))
}

fn seen(sim: &Sim, key: &str, model: &str) -> usize {
    let log = sim.requests();
    log.iter().filter(|seen| seen.key.as_deref() == Some(key) && seen.model.as_deref() == Some(model)).count()
}

async fn ask(gateway: &Gateway, model: &str) {
    let mut body = chat(false);
    body["model"] = json!(model);
    let answer = gateway.send(Request::post(CHAT).json(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.everything());
}

#[tokio::test]
async fn a_rejected_key_rests_for_every_model_and_the_other_answers() {
    for status in ["status:401", "status:403"] {
        let sim = sim();
        sim.set_fault(Rule::always(fault(status)).key(FIRST));
        let gateway = Gateway::start(&two_keys(&sim)).await;
        for _ in 0..8 {
            ask(&gateway, "chat").await;
        }
        assert_eq!(seen(&sim, FIRST, "m1"), 1, "{status}: asked once, then rested");
        for _ in 0..8 {
            ask(&gateway, "other").await;
        }
        assert_eq!(
            (seen(&sim, FIRST, "m2"), seen(&sim, SECOND, "m2")),
            (0, 8),
            "{status}: it rests for all models"
        );
        let keys = gateway.status().await["providers"][0]["keys"].clone();
        assert_eq!((&keys[0]["state"], &keys[1]["state"]), (&json!("rejected"), &json!("ok")), "{status}");
    }
}

#[tokio::test]
async fn a_limited_key_rests_for_that_model_only() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:429,retry-after=30")).key(FIRST).model("m1"));
    let gateway = Gateway::start(&two_keys(&sim)).await;
    for _ in 0..8 {
        ask(&gateway, "chat").await;
    }
    assert_eq!((seen(&sim, FIRST, "m1"), seen(&sim, SECOND, "m1")), (1, 8));
    for _ in 0..8 {
        ask(&gateway, "other").await;
    }
    assert!(seen(&sim, FIRST, "m2") > 0, "the key still serves the other model");
    let keys = gateway.status().await["providers"][0]["keys"].clone();
    let limited = keys[0]["limited_models"][0].clone();
    assert_eq!(limited[0], "m1", "{keys}");
    let left = limited[1].as_f64().unwrap();
    assert!((20.0..=31.0).contains(&left), "Retry-After said 30 s, and {left} are left");
}

#[tokio::test]
async fn retry_after_of_a_provider_is_waited_for() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:429,retry-after=2")).times(1));
    let gateway = Gateway::start(&single(&sim)).await;
    let began = Instant::now();
    let answer = gateway.chat(false).await;
    let log = sim.requests();
    match answer.status {
        200 => assert!(log[1].at - log[0].at >= Duration::from_millis(1900), "{log:?}"),
        429 => {
            assert_eq!((log.len(), answer.code().as_str()), (1, "upstream_rate_limited"));
            let wait: u64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=3).contains(&wait), "{wait}");
            assert!(began.elapsed() < Duration::from_secs(2));
        }
        status => panic!("{status}: {}", answer.everything()),
    }
}

#[tokio::test]
async fn a_wait_above_a_minute_is_told_truly_and_not_worth_a_retry() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:429,retry-after=3600")));
    let gateway = Gateway::start(&single(&sim)).await;
    let answer = gateway.chat(false).await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "upstream_rate_limited"));
    assert_eq!(answer.header("x-should-retry"), "false");
    let told = answer.error()["retry_after_s"].as_f64().unwrap();
    assert!((3500.0..=3700.0).contains(&told), "{told}");
    let header = answer.header("retry-after");
    assert!(header.is_empty() || header.parse::<u64>().unwrap() <= 60, "SDKs ignore longer waits: {header}");
}

#[tokio::test]
async fn a_target_comes_back_when_its_fault_is_over() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:503")));
    let gateway = Gateway::start(&single(&sim)).await;
    for _ in 0..3 {
        assert_eq!(gateway.chat(false).await.status, 503);
    }
    sim.clear_faults();
    crate::support::eventually("an answer after the fault", async || {
        (gateway.chat(false).await.status == 200).then_some(())
    })
    .await;
}
