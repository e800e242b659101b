//! An answer that breaks off after its first content is gone on with by somebody else, so that the client gets the
//! whole of it, or is told in its own dialect that it did not; never half of something, never twice, never a false end.

use serde_json::{Value, json};
use std::time::Duration;
use wellhead_sim::{Rule, SimOptions};

use crate::support::{
    Answer, CHAT, Gateway, KEY, LIMIT, Request, chat, expected, fault, pair, sim, sim_with, tiers,
};

/// Every event of one answer names one stream.
fn coherent(answer: &Answer, what: &str) {
    for member in ["id", "created", "model"] {
        let mut named: Vec<Value> = answer.events().iter().map(|event| event[member].clone()).collect();
        named.dedup();
        assert_eq!(named.len(), 1, "{what}: {member} is {named:?}");
    }
    let ends = answer.events().iter().filter(|e| e["choices"][0]["finish_reason"].is_string()).count();
    assert_eq!(ends, 1, "{what}: one finish reason");
    assert_eq!(answer.data().iter().filter(|data| **data == "[DONE]").count(), 1, "{what}: one end signal");
    let roles = answer.events().iter().filter(|e| e["choices"][0]["delta"]["role"].is_string()).count();
    assert_eq!(roles, 1, "{what}: one greeting");
}

#[tokio::test]
async fn whatever_breaks_the_stream_the_client_gets_the_whole_answer() {
    for text in
        ["cut-after:5", "reset-after:5", "stall-after:5", "error-mid-stream:5", "cut-after:1", "cut-after:23"]
    {
        let (first, second) = (sim(), sim());
        first.set_fault(Rule::always(fault(text)));
        let settings = "timeouts: { stream_idle: 500ms }";
        let gateway = Gateway::start(&tiers(&first.base_url(), &second.base_url(), settings)).await;
        let answer = gateway.chat(true).await;
        assert_eq!(answer.content(), expected().await, "{text}: {}", answer.text());
        assert!(answer.done() && answer.stream_error().is_none(), "{text}: {}", answer.text());
        coherent(&answer, text);
        let resumed = answer.events().iter().filter(|event| event["wellhead"]["resumed"].is_string()).count();
        assert_eq!(resumed, 1, "{text}: the seam is named once: {}", answer.text());
        assert_eq!((first.requests().len(), second.requests().len()), (1, 1), "{text}");
        let record = gateway.record(answer.header("x-request-id")).await;
        assert_eq!(
            (&record["outcome"], &record["rung"]),
            (&json!("rescued"), &json!("resumed")),
            "{text}: {record}"
        );
        assert_eq!(record["attempts"].as_array().map(Vec::len), Some(2), "{text}: {record}");
        assert_ne!(record["attempts"][0]["result"], "ok", "{text}");
        assert_eq!(record["attempts"][1]["result"], "ok", "{text}");
    }
}

#[tokio::test]
async fn a_chain_of_broken_streams_is_still_one_answer() {
    let (first, second) = (sim(), sim());
    first.set_fault(Rule::always(fault("cut-after:4")).times(1));
    second.set_fault(Rule::always(fault("cut-after:9")).times(1));
    let gateway = Gateway::start(&tiers(&first.base_url(), &second.base_url(), "attempts_max: 5")).await;
    let answer = gateway.chat(true).await;
    assert_eq!(answer.content(), expected().await, "{}", answer.text());
    coherent(&answer, "two cuts");
}

#[tokio::test]
async fn a_continuation_that_says_something_else_is_never_joined() {
    let first = sim();
    let other = sim_with(SimOptions { seed: 99, tokens_default: 24, ..SimOptions::default() });
    first.set_fault(Rule::always(fault("cut-after:5")));
    let gateway = Gateway::start(&tiers(&first.base_url(), &other.base_url(), "attempts_max: 2")).await;
    let answer = gateway.chat(true).await;
    assert!(expected().await.starts_with(&answer.content()), "{}", answer.text());
    assert_eq!(answer.stream_error().unwrap()["code"], "upstream_stream_interrupted");
    assert!(!answer.done() && !answer.finished(), "{}", answer.text());
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!(record["attempts"][1]["result"], "continuation_differs", "{record}");
}

#[tokio::test]
async fn the_setting_best_goes_on_in_other_words_and_names_the_seam() {
    let first = sim();
    let other = sim_with(SimOptions { seed: 99, tokens_default: 24, ..SimOptions::default() });
    first.set_fault(Rule::always(fault("cut-after:5")));
    let gateway =
        Gateway::start(&tiers(&first.base_url(), &other.base_url(), "stream: { rescue: best }")).await;
    let answer = gateway.chat(true).await;
    assert!(answer.done() && answer.stream_error().is_none(), "{}", answer.text());
    coherent(&answer, "best");
    let seam = answer.events().into_iter().find(|event| event["wellhead"].is_object()).unwrap();
    assert_eq!(seam["wellhead"]["resumed"], "continued", "{seam}");
    let at = usize::try_from(seam["wellhead"]["seam"].as_u64().unwrap()).unwrap();
    assert_eq!(answer.content().get(..at), expected().await.get(..at), "what was delivered stands");
    let asked: Value = serde_json::from_slice(&other.requests().last().unwrap().body).unwrap();
    let last = asked["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["role"], "user", "the continuation is asked for: {asked}");
}

#[tokio::test]
async fn a_stream_lasts_no_longer_than_it_may_whoever_goes_on_with_it() {
    // Twenty-four tokens at a pace of which fifteen are allowed; the first target gives up after ten.
    let paced = || {
        let token_pace = Duration::from_millis(100);
        sim_with(SimOptions { token_pace, tokens_default: 24, ..SimOptions::default() })
    };
    let (first, second) = (paced(), paced());
    first.set_fault(Rule::always(fault("cut-after:10")));
    let settings = "timeouts: { stream_max: 1500ms }";
    let gateway = Gateway::start(&tiers(&first.base_url(), &second.base_url(), settings)).await;
    let answer = gateway.chat(true).await;
    assert_eq!(second.requests().len(), 1, "{}", answer.text());
    assert_eq!(answer.stream_error().unwrap()["code"], "upstream_stream_interrupted", "{}", answer.text());
    assert!(!answer.done() && !answer.finished(), "{}", answer.text());
}

#[tokio::test]
async fn what_was_delivered_by_two_is_estimated_as_the_sum_of_both() {
    let (first, second) = (sim(), sim());
    first.set_fault(Rule::always(fault("cut-after:10")));
    second.set_fault(Rule::always(fault("cut-after:8")));
    let config = tiers(&first.base_url(), &second.base_url(), "attempts_max: 2").replace(
        &format!("base_url: \"{}\"", second.base_url()),
        &format!("base_url: \"{}\", prefill: trailing", second.base_url()),
    );
    let gateway = Gateway::start(&config).await;
    let answer = gateway.chat(true).await;
    assert_eq!(answer.stream_error().unwrap()["code"], "upstream_stream_interrupted", "{}", answer.text());
    let told =
        |event: &Value| event["choices"][0]["delta"]["content"].as_str().is_some_and(|it| !it.is_empty());
    let delivered = answer.events().iter().filter(|event| told(event)).count() as u64;
    assert!(delivered >= 17, "{delivered} events of both: {}", answer.text());
    let record = gateway.record(answer.header("x-request-id")).await;
    let estimated = record["usage"]["output_tokens"].as_u64().unwrap();
    assert!(
        (delivered..=delivered + 4).contains(&estimated),
        "{delivered} came, {estimated} are in {record}"
    );
    assert_eq!(record["usage_estimated"], true, "{record}");
}

#[tokio::test]
async fn off_means_off() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("cut-after:5")).times(1));
    let gateway = Gateway::start(&pair(&sim, "stream: { rescue: off }")).await;
    let answer = gateway.chat(true).await;
    assert_eq!(answer.stream_error().unwrap()["code"], "upstream_stream_interrupted");
    assert_eq!(sim.requests().len(), 1);
}

#[tokio::test]
async fn several_answers_at_once_are_not_rescued() {
    let (first, second) = (sim(), sim());
    first.set_fault(Rule::always(fault("cut-after:5")));
    let gateway = Gateway::start(&tiers(&first.base_url(), &second.base_url(), "")).await;
    let mut body = chat(true);
    body["n"] = json!(2);
    let answer =
        gateway.send(Request::post(CHAT).set("authorization", &format!("Bearer {KEY}")).json(&body)).await;
    assert!(answer.stream_error().is_some() && !answer.done(), "{}", answer.text());
    assert_eq!(second.requests().len(), 0);
}

/// What is remembered for a rescue has to fit the budget for replay: without room the stream flows, but alone.
#[tokio::test]
async fn without_room_in_the_budget_a_stream_is_not_rescued() {
    let (first, second) = (sim(), sim());
    first.set_fault(Rule::always(fault("cut-after:5")).times(1));
    let mut config = tiers(&first.base_url(), &second.base_url(), "");
    config.push_str("limits: { replay_bytes_max: 8KiB }\n");
    let gateway = Gateway::start(&config).await;
    let cut = gateway.chat(true).await;
    assert_eq!(cut.stream_error().unwrap()["code"], "upstream_stream_interrupted", "{}", cut.text());
    assert_eq!(second.requests().len(), 0);
    let whole = gateway.chat(true).await;
    assert_eq!(whole.content(), expected().await, "{}", whole.text());
}

#[tokio::test]
async fn an_atomic_stream_is_whole_or_comes_from_somebody_else() {
    let (first, second) = (sim(), sim());
    first.set_fault(Rule::always(fault("cut-after:5")));
    let settings = "stream: { mode: atomic }";
    let gateway = Gateway::start(&tiers(&first.base_url(), &second.base_url(), settings)).await;
    let answer = gateway.chat(true).await;
    assert_eq!(answer.content(), expected().await, "{}", answer.text());
    assert_eq!(answer.header("x-wellhead-survival"), "failed-over", "nothing of the first was delivered");
    coherent(&answer, "atomic");
}

#[tokio::test]
async fn an_atomic_stream_that_nobody_completes_delivers_nothing() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("cut-after:5")));
    let gateway = Gateway::start(&pair(&sim, "stream: { mode: atomic }")).await;
    let answer = gateway.chat(true).await;
    assert_eq!((answer.status, answer.content()), (503, String::new()), "{}", answer.text());
}

/// A tool call reaches the client whole or not at all, wherever the stream is cut.
#[tokio::test]
async fn a_cut_never_leaves_half_a_tool_call() {
    let mut body = chat(true);
    body["tools"] = json!([{ "type": "function", "function": { "name": "look_up", "parameters": {
        "type": "object", "properties": { "city": { "type": "string" }, "days": { "type": "integer" } },
        "required": ["city", "days"] } } }]);
    body["tool_choice"] = json!("required");
    let whole = {
        let sim = sim();
        Request::post(CHAT).json(&body).send(sim.addr()).await
    };
    let arguments = calls(&whole);
    assert!(serde_json::from_str::<Value>(&arguments).is_ok(), "{arguments}");
    for after in 1..8 {
        let (first, second) = (sim(), sim());
        first.set_fault(Rule::always(fault(&format!("cut-after:{after}"))));
        let gateway = Gateway::start(&tiers(&first.base_url(), &second.base_url(), "")).await;
        let request = Request::post(CHAT).set("authorization", &format!("Bearer {KEY}")).json(&body);
        let answer = gateway.send(request).await;
        assert_eq!(calls(&answer), arguments, "cut after {after}: {}", answer.text());
        assert!(answer.done(), "cut after {after}: {}", answer.text());
    }
}

/// The arguments of all tool calls of a stream, put together as a client does it.
fn calls(answer: &Answer) -> String {
    let events = answer.events();
    let deltas = events.iter().filter_map(|event| event["choices"][0]["delta"]["tool_calls"].as_array());
    deltas.flatten().filter_map(|call| call["function"]["arguments"].as_str()).collect()
}

#[tokio::test]
async fn a_client_that_leaves_during_the_rescue_is_left() {
    let (first, second) = (sim(), sim());
    first.set_fault(Rule::always(fault("cut-after:5")));
    second.set_fault(Rule::always(fault("silence")));
    let gateway = Gateway::start(&tiers(&first.base_url(), &second.base_url(), "")).await;
    let request = Request::post(CHAT).set("authorization", &format!("Bearer {KEY}")).json(&chat(true));
    let connection = request.open(gateway.addr).await;
    second.wait_for(|log| !log.is_empty(), LIMIT).await.unwrap();
    drop(connection);
    second.wait_for(|log| log.iter().all(|seen| seen.ended.is_some()), LIMIT).await.unwrap();
}

#[tokio::test]
async fn a_prefill_goes_where_the_vendor_takes_it_and_its_refusal_is_followed_by_a_restart() {
    let (first, second) = (sim(), sim());
    first.set_fault(Rule::always(fault("cut-after:5")));
    let config = tiers(&first.base_url(), &second.base_url(), "").replace(
        &format!("base_url: \"{}\"", second.base_url()),
        &format!("base_url: \"{}\", prefill: deepseek", second.base_url()),
    );
    assert!(config.contains("prefill: deepseek"), "{config}");
    let gateway = Gateway::start(&config).await;
    let answer = gateway.chat(true).await;
    assert_eq!(answer.content(), expected().await, "{}", answer.text());
    let paths: Vec<_> = second.requests().iter().map(|request| request.path.clone()).collect();
    assert_eq!(paths, ["/beta/chat/completions", "/v1/chat/completions"]);
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!(record["attempts"].as_array().map(Vec::len), Some(3), "{record}");
}

#[tokio::test]
async fn a_switch_in_the_middle_of_thoughts_is_still_one_stream() {
    let (first, second) = (sim(), sim());
    // Its headers and its first thoughts are out when it breaks off: they wait for content for ten seconds.
    first.set_fault(Rule::always(fault("slow-tokens:1500+cut-after:8")));
    let text = tiers(&first.base_url(), &second.base_url(), "stream: { hedge: off }");
    let gateway = Gateway::start(&text.replace("m1", "practice-reason")).await;
    let answer = gateway.chat(true).await;
    assert!(answer.text().contains("reasoning_content"), "{}", answer.text());
    assert_eq!(answer.content(), expected().await, "{}", answer.text());
    coherent(&answer, "a switch after thoughts");
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!((&record["rung"], &record["outcome"]), (&json!("failed-over"), &json!("rescued")), "{record}");
}
