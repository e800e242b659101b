//! A second target is asked when the first token of a stream is late: seldom, and never at the cost of the first one.

use std::time::Duration;

use serde_json::{Value, json};
use wellhead_sim::{Ended, LoggedRequest, Rule, Sim};

use crate::support::{
    Answer, CHAT, Gateway, KEY, LIMIT, PROVIDER_KEY, Request, chat, config, eventually, expected, fault, sim,
    tiers,
};

/// Enough to know the target, and to pay for two hedges.
const SAMPLES: usize = 110;
/// What the target usually takes. Nothing here is as quick as this by chance.
const USUAL: &str = "slow-first-token:1000";

/// Streams that all begin before anything is known, so that none of them is hedged.
async fn learn(gateway: &Gateway, first: &Sim) {
    first.set_fault(Rule::always(fault(USUAL)));
    for answer in crowd(gateway, SAMPLES).await {
        assert_eq!(answer.status, 200, "{}", answer.everything());
    }
    first.clear_faults();
    let metrics = gateway.metrics().await;
    assert!(!metrics.contains("wellhead_hedges_total{"), "{metrics}");
}

/// So many streams at once.
async fn crowd(gateway: &Gateway, count: usize) -> Vec<Answer> {
    let ask = |_| tokio::spawn(Request::post(CHAT).json(&chat(true)).send(gateway.addr));
    let asked: Vec<_> = (0..count).map(ask).collect();
    let mut answers = Vec::new();
    for answer in asked {
        answers.push(answer.await.unwrap());
    }
    answers
}

async fn started(settings: &str) -> (Sim, Sim, Gateway) {
    let (first, second) = (sim(), sim());
    let gateway = Gateway::start(&tiers(&first.base_url(), &second.base_url(), settings)).await;
    learn(&gateway, &first).await;
    assert_eq!(second.requests().len(), 0);
    first.clear_log();
    (first, second, gateway)
}

/// How many hedges ended in this way.
async fn hedges(gateway: &Gateway, result: &str) -> u64 {
    let start = format!("wellhead_hedges_total{{route=\"chat\",result=\"{result}\"}} ");
    let metrics = gateway.metrics().await;
    metrics.lines().find_map(|line| line.strip_prefix(&start)?.parse().ok()).unwrap_or(0)
}

async fn ended(sim: &Sim) -> Vec<LoggedRequest> {
    sim.wait_for(|log| log.iter().all(|seen| seen.ended.is_some()), LIMIT).await.unwrap()
}

/// Nothing is left over of any attempt.
async fn assert_nothing_in_flight(gateway: &Gateway) {
    eventually("no attempt is in flight", async || {
        let status = gateway.status().await;
        let targets = status["routes"][0]["targets"].as_array().unwrap().clone();
        targets.iter().all(|target| target["in_flight"] == 0).then_some(())
    })
    .await;
}

/// What has been learnt of the first target's streams, in milliseconds.
async fn learnt_ms(gateway: &Gateway, member: &str) -> f64 {
    let status = gateway.status().await;
    status["routes"][0]["targets"][0]["streamed"][member].as_f64().unwrap() * 1000.0
}

/// Late enough to be hedged, and before the limit of at least one and a half times the p99.
async fn late(gateway: &Gateway) -> String {
    format!("slow-first-token:{:.0}", learnt_ms(gateway, "p95_s").await * 1.3)
}

fn results(record: &Value) -> Vec<(&str, &str)> {
    let attempts = record["attempts"].as_array().unwrap().iter();
    attempts.map(|a| (a["target"].as_str().unwrap(), a["result"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_late_stream_is_answered_by_the_second_target_and_the_first_one_is_cancelled() {
    let (first, second, gateway) = started("").await;
    first.set_fault(Rule::always(fault("slow-first-token:60000")));
    let answer = gateway.chat(true).await;
    assert_eq!(answer.content(), expected().await, "{}", answer.everything());
    assert!(answer.done(), "{}", answer.text());
    for (header, value) in
        [("x-wellhead-survival", "hedged"), ("x-wellhead-attempts", "2"), ("x-wellhead-target", "b/m2")]
    {
        assert_eq!(answer.header(header), value, "{}", answer.everything());
    }
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!((&record["outcome"], &record["rung"]), (&json!("rescued"), &json!("hedged")), "{record}");
    assert_eq!(results(&record), [("a/m1", "hedge_lost"), ("b/m2", "ok")], "{record}");
    assert_eq!(record["target"], "b/m2", "{record}");
    let log = ended(&first).await;
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].ended, log[0].tokens_sent), (Some(Ended::ClientDisconnected), 0), "{log:?}");
    assert_eq!(ended(&second).await[0].ended, Some(Ended::Finished));
    let lost = gateway.status().await["routes"][0]["targets"][0].clone();
    assert_eq!((&lost["failures"], &lost["state"]), (&json!(0), &json!("ok")), "it has done nothing wrong");
    assert_eq!(hedges(&gateway, "won").await, 1);
    assert_nothing_in_flight(&gateway).await;
}

#[tokio::test]
async fn the_first_target_wins_when_it_is_quicker_after_all() {
    let (first, second, gateway) = started("timeouts: { first_token: 15s }").await;
    first.set_fault(Rule::always(fault(&late(&gateway).await)));
    second.set_fault(Rule::always(fault("slow-first-token:60000")));
    let answer = gateway.chat(true).await;
    assert_eq!(answer.content(), expected().await, "{}", answer.everything());
    assert_eq!(answer.header("x-wellhead-survival"), "direct", "{}", answer.everything());
    assert_eq!(answer.header("x-wellhead-target"), "a/m1");
    assert_eq!(answer.header("x-wellhead-attempts"), "2");
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!(results(&record), [("b/m2", "hedge_lost"), ("a/m1", "ok")], "{record}");
    assert_eq!(record["target"], "a/m1", "{record}");
    assert_eq!(ended(&second).await[0].ended, Some(Ended::ClientDisconnected));
    assert_eq!(hedges(&gateway, "lost").await, 1);
    assert_nothing_in_flight(&gateway).await;
}

#[tokio::test]
async fn not_more_than_one_stream_in_fifty_is_hedged() {
    let (first, second, gateway) = started("attempts_max: 3").await;
    first.set_fault(Rule::always(fault("slow-first-token:60000")));
    let slow = 40;
    for answer in crowd(&gateway, slow).await {
        assert_eq!((answer.status, answer.content()), (200, expected().await), "{}", answer.everything());
    }
    let won = hedges(&gateway, "won").await;
    let most = ((SAMPLES + slow) / 50) as u64;
    assert!((1..=most).contains(&won), "{won} of {} streams were hedged", SAMPLES + slow);
    assert_eq!(second.requests().len(), slow, "each was answered once");
}

#[tokio::test]
async fn after_two_failures_the_ladder_goes_on() {
    let (first, second, gateway) = started("").await;
    first.set_fault(Rule::always(fault("silence")));
    second.set_fault(Rule::always(fault("status:503")).times(1));
    let answer = gateway.chat(true).await;
    assert_eq!(answer.content(), expected().await, "{}", answer.everything());
    assert_eq!(answer.header("x-wellhead-survival"), "failed-over");
    assert_eq!(answer.header("x-wellhead-attempts"), "3");
    let record = gateway.record(answer.header("x-request-id")).await;
    let wanted = [("b/m2", "overloaded"), ("a/m1", "headers_timeout"), ("b/m2", "ok")];
    assert_eq!(results(&record), wanted, "{record}");
    assert_eq!(ended(&first).await.len(), 1, "a silent target is asked once");
    assert_eq!(ended(&second).await.len(), 2);
    assert_eq!(hedges(&gateway, "failed").await, 1);
    assert_nothing_in_flight(&gateway).await;
}

#[tokio::test]
async fn attempts_max_counts_both() {
    let (first, second, gateway) = started("attempts_max: 2").await;
    first.set_fault(Rule::always(fault("silence")));
    second.set_fault(Rule::always(fault("status:503")));
    let answer = gateway.chat(true).await;
    assert_eq!(answer.status, 503, "{}", answer.everything());
    assert_eq!(answer.header("x-wellhead-attempts"), "2");
    assert_eq!((ended(&first).await.len(), ended(&second).await.len()), (1, 1));
}

#[tokio::test]
async fn one_that_fails_leaves_the_answer_to_the_other() {
    let (first, second, gateway) = started("").await;
    // The first one fails while the second one has not begun yet.
    first.set_fault(Rule::always(fault("silence")));
    let later = format!("slow-first-token:{:.0}", learnt_ms(&gateway, "limit_s").await + 500.0);
    second.set_fault(Rule::always(fault(&later)));
    let answer = gateway.chat(true).await;
    assert_eq!(answer.content(), expected().await, "{}", answer.everything());
    assert_eq!(answer.header("x-wellhead-survival"), "hedged");
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!(results(&record), [("a/m1", "headers_timeout"), ("b/m2", "ok")], "{record}");
    assert_eq!((ended(&first).await.len(), ended(&second).await.len()), (1, 1));
}

#[tokio::test]
async fn a_mistake_of_the_request_is_passed_on_and_the_second_one_cancelled() {
    let (first, second, gateway) = started("").await;
    first.set_fault(Rule::always(fault(&format!("{}+status:400", late(&gateway).await))));
    second.set_fault(Rule::always(fault("slow-first-token:60000")));
    let answer = gateway.chat(true).await;
    assert_eq!(answer.status, 400, "{}", answer.everything());
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!(results(&record), [("b/m2", "hedge_lost"), ("a/m1", "bad_request")], "{record}");
    assert_eq!((ended(&first).await.len(), ended(&second).await.len()), (1, 1));
    assert_nothing_in_flight(&gateway).await;
}

#[tokio::test]
async fn a_second_target_that_refuses_the_request_says_nothing_about_the_first() {
    let (first, second, gateway) = started("").await;
    first.set_fault(Rule::always(fault(&late(&gateway).await)));
    second.set_fault(Rule::always(fault("status:400")));
    let answer = gateway.chat(true).await;
    assert_eq!(answer.content(), expected().await, "{}", answer.everything());
    assert_eq!(answer.header("x-wellhead-survival"), "direct");
    assert_eq!(hedges(&gateway, "failed").await, 1);
}

#[tokio::test]
async fn unstreamed_calls_and_models_without_hedging_are_left_alone() {
    let (first, second, gateway) = started("").await;
    first.set_fault(Rule::always(fault("slow-first-token:4000")));
    assert_eq!(gateway.chat(false).await.header("x-wellhead-survival"), "direct");
    assert_eq!(second.requests().len(), 0);
    let (first, second, gateway) = started("stream: { hedge: off }\n    timeouts: { first_token: 9s }").await;
    first.set_fault(Rule::always(fault(&late(&gateway).await)));
    assert_eq!(gateway.chat(true).await.header("x-wellhead-survival"), "direct");
    assert_eq!(second.requests().len(), 0);
}

#[tokio::test]
async fn no_hedge_leaves_the_regions_of_an_app() {
    let (first, second) = (sim(), sim());
    let text = config(&format!(
        "apps:\n  dev: {{ keys: [\"{KEY}\"], regions: [eu] }}\n\
         providers:\n  \
           a: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"{PROVIDER_KEY}\"], region: eu }}\n  \
           b: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"{PROVIDER_KEY}\"], region: us }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}, {{ provider: b, model: m2, tier: 1 }}] }}\n",
        first.base_url(),
        second.base_url()
    ));
    let gateway = Gateway::start(&text).await;
    learn(&gateway, &first).await;
    first.set_fault(Rule::always(fault("slow-first-token:5000")));
    let answer = gateway.chat(true).await;
    assert_eq!(answer.content(), expected().await);
    assert_eq!((answer.header("x-wellhead-survival"), second.requests().len()), ("direct", 0));
}

#[tokio::test]
async fn a_client_that_leaves_cancels_both() {
    let (first, second, gateway) = started("").await;
    for target in [&first, &second] {
        target.set_fault(Rule::always(fault("slow-first-token:60000")));
    }
    let client = Request::post(CHAT).json(&chat(true)).open(gateway.addr).await;
    for target in [&first, &second] {
        target.wait_for(|log| log.len() == 1, LIMIT).await.unwrap();
    }
    drop(client);
    for target in [&first, &second] {
        assert_eq!(ended(target).await[0].ended, Some(Ended::ClientDisconnected));
    }
    let record = eventually("its access record", async || {
        gateway.records().into_iter().find(|record| record["outcome"] == "cancelled")
    })
    .await;
    assert_eq!(results(&record), [("a/m1", "cancelled"), ("b/m2", "cancelled")], "{record}");
    eventually("the hedge is counted", async || (hedges(&gateway, "left").await == 1).then_some(())).await;
    assert_nothing_in_flight(&gateway).await;
}

/// A gateway whose first target is open, with nothing learnt.
async fn opened() -> (Sim, Sim, Gateway) {
    let (first, second) = (sim(), sim());
    first.set_fault(Rule::always(fault("status:503")));
    let gateway = Gateway::start(&tiers(&first.base_url(), &second.base_url(), "attempts_max: 3")).await;
    eventually("the first target is left alone", async || {
        assert_eq!(gateway.chat(true).await.status, 200);
        (gateway.status().await["routes"][0]["targets"][0]["phase"] == "open").then_some(())
    })
    .await;
    first.clear_faults();
    (first, second, gateway)
}

#[tokio::test]
async fn the_application_does_not_pay_for_a_probe_that_hangs() {
    let (first, _second, gateway) = opened().await;
    first.set_fault(Rule::always(fault("silence")));
    let answer = eventually("a request that probes", async || {
        let answer = gateway.chat(true).await;
        assert_eq!(answer.content(), expected().await, "{}", answer.everything());
        (answer.header("x-wellhead-survival") == "hedged").then_some(answer)
    })
    .await;
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!(results(&record), [("a/m1", "hedge_lost"), ("b/m2", "ok")], "{record}");
    let waited = record["attempts"][0]["duration_ms"].as_f64().unwrap();
    assert!((900.0..11_000.0).contains(&waited), "a second, and not the first token's limit: {record}");
    assert_eq!(hedges(&gateway, "won").await, 1, "the budget was empty: it is not paid from that");
}

#[tokio::test]
async fn a_probe_that_is_slower_than_its_stand_in_still_brings_its_target_back() {
    let (first, second, gateway) = opened().await;
    first.clear_log();
    // Slower than the second after which a probe is hedged.
    first.set_fault(Rule::always(fault("slow-first-token:2500")));
    let back = eventually("the first target has its traffic back", async || {
        let answer = gateway.chat(true).await;
        assert_eq!(answer.content(), expected().await, "{}", answer.everything());
        (answer.header("x-wellhead-target") == "a/m1").then_some(answer)
    })
    .await;
    assert_eq!(back.header("x-wellhead-survival"), "direct");
    let probe = ended(&first).await[0].clone();
    assert_eq!(probe.ended, Some(Ended::ClientDisconnected), "it was listened to until it had begun");
    assert!(probe.tokens_sent > 0, "{probe:?}");
    assert!(!second.requests().is_empty());
    assert_nothing_in_flight(&gateway).await;
    tokio::time::timeout(Duration::from_secs(5), gateway.record(back.header("x-request-id"))).await.unwrap();
}
