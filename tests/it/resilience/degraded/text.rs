//! A declared text: the last thing before an honest no, and never where it would be taken for what it is not.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{assert_stands_in, breaks, impatient, post, with, world};
use crate::support::{CHAT, Ending, Gateway, chat, sim};

const TEXT: &str = "The well is dry: we are back soon.";

fn declared() -> String {
    format!("{{ text: \"{TEXT}\" }}")
}

#[tokio::test]
async fn a_text_is_said_in_the_dialect_of_every_endpoint_that_talks() {
    let sim = sim();
    breaks(&sim, "m1", "status:500");
    let gateway = Gateway::start(&world(&sim, &declared(), "")).await;
    let requests = [
        (CHAT, chat(false), "/choices/0/message/content"),
        ("/v1/completions", json!({"model": "chat", "prompt": "A well"}), "/choices/0/text"),
        ("/v1/responses", json!({"model": "chat", "input": "A well?"}), "/output/0/content/0/text"),
    ];
    for (path, mut body, place) in requests {
        let answer = post(&gateway, path, &body).await;
        assert_stands_in(&gateway, &answer, "degraded", "static").await;
        assert_eq!(answer.json().pointer(place), Some(&json!(TEXT)), "{path}: {}", answer.text());
        assert_eq!(answer.header("x-wellhead-degraded"), "static");
        assert_eq!(answer.header("x-wellhead-target"), "", "nobody has answered");
        assert_eq!(answer.header("content-type"), "application/json");
        let record = gateway.record(answer.header("x-request-id")).await;
        let usage = &record["usage"];
        assert_eq!((&usage["input_tokens"], &usage["output_tokens"]), (&json!(0), &json!(0)), "{record}");

        body["stream"] = json!(true);
        let answer = post(&gateway, path, &body).await;
        assert_stands_in(&gateway, &answer, "degraded", "static").await;
        assert_eq!((answer.header("content-type"), answer.ending), ("text/event-stream", Ending::Proper));
        let said: String = answer.events().iter().filter_map(text_of).collect();
        assert_eq!(said, TEXT, "{path}: {}", answer.text());
        assert!(answer.done() || answer.text().contains("event: response.completed"), "{}", answer.text());
    }
}

/// The new text of an event.
fn text_of(event: &Value) -> Option<String> {
    let delta = &event["choices"][0]["delta"]["content"];
    let typed = Some(&event["delta"]).filter(|_| event["type"] == "response.output_text.delta");
    let text = delta.as_str().or(event["choices"][0]["text"].as_str()).or(typed.and_then(Value::as_str));
    text.map(str::to_owned)
}

#[tokio::test]
async fn a_request_for_more_than_text_gets_the_honest_no() {
    let sim = sim();
    breaks(&sim, "m1", "status:500");
    let gateway =
        Gateway::start(&world(&sim, &declared(), "attempts_max: 2").replacen("    attempts_max: 4\n", "", 1))
            .await;
    let tool = json!({"type": "function", "function": {"name": "dig", "parameters": {"type": "object"}}});
    let schema = json!({"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}});
    for members in [
        json!({"tools": [tool], "tool_choice": "required"}),
        json!({"tools": [tool], "tool_choice": {"type": "function", "function": {"name": "dig"}}}),
        json!({"response_format": schema}),
        json!({"response_format": {"type": "json_object"}, "stream": true}),
    ] {
        let answer = post(&gateway, CHAT, &with(&members)).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "no_healthy_upstream"), "{members}");
        assert_eq!(answer.header("x-wellhead-degraded"), "");
    }
    let answer = post(&gateway, "/v1/embeddings", &json!({"model": "chat", "input": "a"})).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "no_healthy_upstream"));
    // Tools that may be called need not be.
    let answer = post(&gateway, CHAT, &with(&json!({"tools": [tool]}))).await;
    assert_eq!((answer.status, answer.content().as_str()), (200, TEXT));
}

#[tokio::test]
async fn the_text_reaches_a_caller_before_its_patience_ends() {
    for stream in [false, true] {
        let sim = sim();
        breaks(&sim, "m1", "silence");
        breaks(&sim, "tiny", "silence");
        let both = format!("{{ model: small, text: \"{TEXT}\" }}");
        let gateway = Gateway::start(&world(&sim, &both, "")).await;
        let began = Instant::now();
        let answer = gateway.send(impatient(&chat(stream), Duration::from_secs(3))).await;
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        assert_eq!(answer.content(), TEXT, "{}", answer.everything());
        assert_eq!(answer.header("x-wellhead-attempts"), "2");
    }
}

#[tokio::test]
async fn a_stream_whose_headers_are_out_already_gets_the_text_too() {
    let sim = sim();
    breaks(&sim, "m1", "silence");
    // Longer than headers wait for the first content.
    let gateway = Gateway::start(&world(&sim, &declared(), "timeouts: { first_token: 11s }")).await;
    let answer = gateway.chat(true).await;
    assert_eq!(
        (answer.status, answer.content().as_str(), answer.done()),
        (200, TEXT, true),
        "{}",
        answer.text()
    );
    assert!(answer.text().starts_with(": keep-alive\n\n"), "{}", answer.text());
    assert_eq!(answer.header("x-wellhead-degraded"), "", "it was not known yet");
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!((&record["rung"], &record["outcome"]), (&json!("degraded"), &json!("degraded")), "{record}");
}

#[tokio::test]
async fn a_request_whose_body_went_to_a_file_gets_the_text_too() {
    let sim = sim();
    breaks(&sim, "m1", "status:404");
    let gateway = Gateway::start(&world(&sim, &declared(), "")).await;
    let message = json!({"role": "user", "content": "word ".repeat(400_000)});
    let answer = post(&gateway, CHAT, &with(&json!({"messages": [message]}))).await;
    assert_eq!((answer.status, answer.content().as_str()), (200, TEXT), "{}", answer.everything());
    let format = json!({"type": "json_object"});
    let answer =
        post(&gateway, CHAT, &with(&json!({"messages": [message], "response_format": format}))).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "no_healthy_upstream"));
}
