//! Earlier answers, for the very same request of who had them, and only when nobody can answer.

use serde_json::{Value, json};
use wellhead_sim::{Fault, Faults, Rule, Sim};

use super::{OTHER, asked, assert_stands_in, breaks, metric, post, with, world};
use crate::support::{Answer, CHAT, Gateway, Request, eventually, fault, json_reply, sim};

const CACHE: &str = "{ cache: { ttl: 1h } }";

async fn start(sim: &Sim, fallback: &str) -> Gateway {
    let text = world(sim, fallback, "attempts_max: 2").replacen("    attempts_max: 4\n", "", 1);
    Gateway::start(&text).await
}

/// Waits until so many answers have been kept: they are when their last byte is gone.
async fn kept(gateway: &Gateway, answers: u64) {
    let what = format!("{answers} answers are kept");
    eventually(&what, async || {
        (metric(gateway, "wellhead_cache_stored_total").await == answers).then_some(())
    })
    .await;
}

fn assert_refused(answer: &Answer, why: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (503, "no_healthy_upstream"), "{why}");
}

#[tokio::test]
async fn the_very_same_request_gets_the_answer_that_it_had() {
    let sim = sim();
    let gateway = start(&sim, CACHE).await;
    let bodies = [
        (CHAT, with(&json!({}))),
        (CHAT, with(&json!({"stream": true}))),
        (CHAT, with(&json!({"stream": true, "stream_options": {"include_usage": true}}))),
        ("/v1/completions", json!({"model": "chat", "prompt": "A well", "max_tokens": 100})),
        ("/v1/completions", json!({"model": "chat", "prompt": "A well", "max_tokens": 100, "stream": true})),
        ("/v1/responses", json!({"model": "chat", "input": "A well?"})),
        ("/v1/responses", json!({"model": "chat", "input": "A well?", "stream": true})),
        ("/v1/embeddings", json!({"model": "chat", "input": "a"})),
    ];
    let mut fresh = Vec::new();
    for (path, body) in &bodies {
        let answer = post(&gateway, path, body).await;
        assert_eq!((answer.status, answer.header("x-wellhead-survival")), (200, "direct"), "{path}");
        assert_eq!(answer.header("cache-status"), "", "{path}: the cache is no short cut");
        fresh.push(answer);
        kept(&gateway, fresh.len() as u64).await;
    }
    breaks(&sim, "m1", "status:500");
    for ((path, body), fresh) in bodies.iter().zip(&fresh) {
        let answer = post(&gateway, path, body).await;
        assert_stands_in(&gateway, &answer, "cached", "cached").await;
        assert_eq!(answer.text(), fresh.text(), "{path}: byte for byte");
        assert_eq!(answer.header("content-type"), fresh.header("content-type").split(';').next().unwrap());
        assert_eq!(answer.header("x-wellhead-target"), "a/m1", "{path}: who gave it");
        let status = answer.header("cache-status");
        let ttl = status.strip_prefix("wellhead; hit; ttl=").unwrap_or_else(|| panic!("{status}"));
        assert!((3_000..=3_600).contains(&ttl.parse::<u32>().unwrap()), "{status}");
        let record = gateway.record(answer.header("x-request-id")).await;
        assert_eq!(record["usage"]["input_tokens"], 0, "nothing was used: {record}");
    }
    assert_eq!(metric(&gateway, "wellhead_cache_lookups_total{result=\"hit\"}").await, bodies.len() as u64);
    assert!(metric(&gateway, "wellhead_cache_bytes").await > 0);
}

#[tokio::test]
async fn spelling_does_not_matter_and_everything_else_does() {
    let sim = sim();
    let gateway = start(&sim, CACHE).await;
    let base = with(&json!({"temperature": 0, "user": "a"}));
    assert_eq!(post(&gateway, CHAT, &base).await.status, 200);
    kept(&gateway, 1).await;
    breaks(&sim, "m1", "status:500");
    let respelt = r#"{ "user":"\u0061", "temperature":0,"stream" : false, "model":"chat",
        "messages":[{"content":"Tell me about wells.","role":"user"}] }"#;
    let answer = gateway.send(Request::post(CHAT).body("application/json", respelt)).await;
    assert_eq!(answer.header("x-wellhead-survival"), "cached", "{}", answer.everything());
    for other in [
        json!({"temperature": 1, "user": "a"}),
        json!({"temperature": 0, "user": "b"}),
        json!({"temperature": 0}),
        json!({"temperature": 0, "user": "a", "stream": true}),
        json!({"temperature": 0, "user": "a", "messages": [{"role": "user", "content": "Tell me about wells!"}]}),
    ] {
        assert_refused(&post(&gateway, CHAT, &with(&other)).await, &other.to_string());
    }
    let beta = Request::post(CHAT).header("openai-beta", "x=v2").json(&base);
    assert_refused(&gateway.send(beta).await, "another version of the endpoint");
}

#[tokio::test]
async fn no_app_gets_what_another_was_told_unless_the_model_says_so() {
    for (fallback, shared) in [(CACHE, false), ("{ cache: { scope: all } }", true)] {
        let sim = sim();
        let gateway = start(&sim, fallback).await;
        assert_eq!(gateway.chat(false).await.status, 200);
        kept(&gateway, 1).await;
        breaks(&sim, "m1", "status:500");
        let request = Request::post(CHAT).set("authorization", &format!("Bearer {OTHER}"));
        let answer = gateway.send(request.json(&with(&json!({})))).await;
        if shared {
            assert_eq!(answer.header("x-wellhead-survival"), "cached", "{}", answer.everything());
        } else {
            assert_refused(&answer, "another app");
        }
        assert_eq!(gateway.chat(false).await.header("x-wellhead-survival"), "cached", "its own app");
    }
}

#[tokio::test]
async fn what_is_over_its_time_is_not_given_again() {
    let sim = sim();
    let gateway = start(&sim, "{ cache: { ttl: 1s } }").await;
    assert_eq!(gateway.chat(false).await.status, 200);
    kept(&gateway, 1).await;
    breaks(&sim, "m1", "status:500");
    eventually("the answer is over its time", async || {
        let answer = gateway.chat(false).await;
        (answer.header("x-wellhead-survival") == "refused").then_some(())
    })
    .await;
    assert_eq!(metric(&gateway, "wellhead_cache_dropped_total{why=\"expired\"}").await, 1);
    assert_eq!(metric(&gateway, "wellhead_cache_answers").await, 0);
}

#[tokio::test]
async fn an_earlier_answer_comes_before_a_smaller_model_whose_answers_are_not_kept() {
    let sim = sim();
    let gateway = start(&sim, "{ cache: {}, model: small, text: Later. }").await;
    assert_eq!(gateway.chat(false).await.status, 200);
    kept(&gateway, 1).await;
    breaks(&sim, "m1", "status:500");
    assert_eq!(gateway.chat(false).await.header("x-wellhead-survival"), "cached");
    assert_eq!(asked(&sim, "tiny"), 0);
    let other = with(&json!({"user": "else"}));
    for _ in 0..2 {
        let answer = post(&gateway, CHAT, &other).await;
        assert_eq!(answer.header("x-wellhead-degraded"), "smaller-model", "{}", answer.everything());
    }
    assert_eq!(metric(&gateway, "wellhead_cache_stored_total").await, 1);
}

/// An unstreamed chat that ended like this.
fn ended(reason: &str, message: &Value) -> Faults {
    json_reply(
        200,
        json!({
            "id": "a", "object": "chat.completion", "created": 1, "model": "m1",
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }),
    )
}

#[tokio::test]
async fn only_whole_answers_that_ended_by_themselves_are_kept() {
    let call = json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function",
        "function": {"name": "dig", "arguments": "{}"}}]});
    let said = json!({"role": "assistant", "content": "x"});
    let refusal = json!({"role": "assistant", "content": null, "refusal": "No."});
    let faults = [
        ended("length", &said),
        ended("content_filter", &said),
        ended("tool_calls", &call),
        ended("stop", &refusal),
    ];
    let sim = sim();
    let gateway = start(&sim, CACHE).await;
    for faults in faults {
        sim.set_fault(Rule::always(faults));
        let answer = gateway.chat(false).await;
        assert_eq!((answer.status, answer.header("x-wellhead-survival")), (200, "direct"));
        sim.clear_faults();
    }
    // A stream that breaks off, and one that is stopped at the request's own limit.
    sim.set_fault(Rule::always(fault("slow-tokens:20+cut-after:5")));
    assert!(!gateway.chat(true).await.done());
    sim.clear_faults();
    assert!(post(&gateway, CHAT, &with(&json!({"stream": true, "max_tokens": 3}))).await.done());
    // What would be kept, to see that all of the others have been looked at.
    assert_eq!(post(&gateway, CHAT, &with(&json!({"user": "last"}))).await.status, 200);
    kept(&gateway, 1).await;
}

#[tokio::test]
async fn memory_is_bounded_and_the_oldest_answer_goes_first() {
    let sim = sim();
    let text = world(&sim, CACHE, "") + "limits: { cache_bytes_max: 4KiB }\n";
    let gateway = Gateway::start(&text).await;
    for number in 0..20 {
        assert_eq!(post(&gateway, CHAT, &with(&json!({"seed": number}))).await.status, 200);
        kept(&gateway, number + 1).await;
        assert!(metric(&gateway, "wellhead_cache_bytes").await <= 4096);
    }
    assert!(metric(&gateway, "wellhead_cache_dropped_total{why=\"space\"}").await > 0);
    breaks(&sim, "m1", "status:500");
    let newest = post(&gateway, CHAT, &with(&json!({"seed": 19}))).await;
    assert_eq!(newest.header("x-wellhead-survival"), "cached");
    assert_refused(&post(&gateway, CHAT, &with(&json!({"seed": 0}))).await, "the oldest");
}

#[tokio::test]
async fn what_is_larger_than_the_model_keeps_is_not_kept() {
    let sim = sim();
    let gateway = start(&sim, "{ cache: { answer_bytes_max: 200B } }").await;
    for stream in [false, true] {
        assert_eq!(gateway.chat(stream).await.status, 200);
    }
    // A large request is read in the blocking pool, and found there as well.
    let gateway = start(&sim, CACHE).await;
    let large = with(&json!({"user": "u".repeat(200_000)}));
    assert_eq!(post(&gateway, CHAT, &large).await.status, 200);
    kept(&gateway, 1).await;
    sim.set_fault(Rule::always(Faults::from(Fault::Refuse)).model("m1"));
    let answer = post(&gateway, CHAT, &large).await;
    assert_eq!(answer.header("x-wellhead-survival"), "cached", "{}", answer.everything());
}
