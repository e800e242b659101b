//! Usage is always asked for upstream, and shown to a streaming client only if it asked.

use serde_json::{Value, json};
use wellhead_sim::Sim;

use crate::support::{Answer, CHAT, Gateway, Request, chat, sim, single};

async fn ask(options: Option<Value>) -> (Sim, Gateway, Answer) {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let mut body = chat(true);
    if let Some(options) = options {
        body["stream_options"] = options;
    }
    let answer = gateway.send(Request::post(CHAT).json(&body)).await;
    assert!(answer.done(), "{}", answer.everything());
    (sim, gateway, answer)
}

fn usages(answer: &Answer) -> Vec<Value> {
    answer.events().into_iter().filter(|event| event["usage"].is_object()).collect()
}

#[tokio::test]
async fn a_client_that_did_not_ask_for_usage_does_not_see_it() {
    for options in [None, Some(json!({"include_usage": false})), Some(json!({})), Some(Value::Null)] {
        let (sim, gateway, answer) = ask(options.clone()).await;
        assert!(usages(&answer).is_empty(), "{options:?}: {}", answer.text());
        let empty =
            answer.events().into_iter().find(|event| event["choices"].as_array().is_some_and(Vec::is_empty));
        assert_eq!(empty, None, "{options:?}: strict clients crash on an event without choices");
        assert_eq!(sim.requests()[0].json()["stream_options"]["include_usage"], true, "{options:?}");
        let record = gateway.record(answer.header("x-request-id")).await;
        assert_eq!(record["usage_estimated"], false, "{record}");
        assert!(!record["usage"].is_null(), "{record}");
    }
}

#[tokio::test]
async fn a_client_that_asked_for_usage_sees_it_once_before_the_end() {
    let (sim, _, answer) = ask(Some(json!({"include_usage": true}))).await;
    let events = answer.events();
    assert_eq!(usages(&answer).len(), 1, "{}", answer.text());
    assert_eq!(
        events.last().unwrap()["choices"],
        json!([]),
        "the usage is the last event before the end mark"
    );
    assert_eq!(events.last().unwrap()["usage"]["completion_tokens"], 24);
    assert_eq!(sim.requests()[0].json()["stream_options"], json!({"include_usage": true}));
}

#[tokio::test]
async fn other_stream_options_survive() {
    let (sim, _, answer) = ask(Some(json!({"include_obfuscation": false}))).await;
    assert!(usages(&answer).is_empty());
    let seen = sim.requests()[0].json()["stream_options"].clone();
    assert_eq!(seen, json!({"include_obfuscation": false, "include_usage": true}));
}

#[tokio::test]
async fn an_unstreamed_request_gets_no_stream_options() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let answer = gateway.chat(false).await;
    assert_eq!(answer.json()["usage"]["completion_tokens"], 24);
    assert_eq!(sim.requests()[0].json().get("stream_options"), None);
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!(record["usage_estimated"], false);
}

/// Without the one member that depends on the time of day.
fn timeless(answer: &Answer) -> Vec<String> {
    let strip = |line: &str| match line.split_once("\"created\":") {
        Some((start, rest)) => format!("{start}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => line.to_owned(),
    };
    answer.text().lines().map(strip).collect()
}

#[tokio::test]
async fn events_pass_as_they_came() {
    let options = json!({"include_usage": true});
    let (_, _, relayed) = ask(Some(options.clone())).await;
    // A fresh simulator gives the first request the same ids.
    let sim = sim();
    let mut body = chat(true);
    body["model"] = json!("m1");
    body["stream_options"] = options;
    let direct = Request::post(CHAT).json(&body).send(sim.addr()).await;
    assert_eq!(timeless(&relayed), timeless(&direct));
}
