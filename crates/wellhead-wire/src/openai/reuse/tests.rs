#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{stream, whole};
use crate::openai::Endpoint;
use bytes::Bytes;
use serde_json::{Value, json};

const CHAT: Endpoint = Endpoint::ChatCompletions;

fn chat(choice: &Value) -> Vec<u8> {
    json!({"id": "a", "object": "chat.completion", "choices": [choice]}).to_string().into_bytes()
}

#[test]
fn only_a_text_that_ended_by_itself_is_given_again() {
    let said = |text: &str| json!({"role": "assistant", "content": text, "refusal": null, "tool_calls": []});
    assert!(whole(CHAT, &chat(&json!({"index": 0, "message": said("x"), "finish_reason": "stop"}))));
    for (why, choice) in [
        ("cut at a limit", json!({"message": said("x"), "finish_reason": "length"})),
        ("filtered", json!({"message": said("x"), "finish_reason": "content_filter"})),
        ("no reason", json!({"message": said("x"), "finish_reason": null})),
        ("a call", json!({"message": {"tool_calls": [{"id": "c"}]}, "finish_reason": "tool_calls"})),
        ("a call with another reason", json!({"message": {"tool_calls": [{}]}, "finish_reason": "stop"})),
        ("an old call", json!({"message": {"function_call": {"name": "f"}}, "finish_reason": "stop"})),
        ("a refusal", json!({"message": {"refusal": "No."}, "finish_reason": "stop"})),
    ] {
        assert!(!whole(CHAT, &chat(&choice)), "{why}");
    }
    assert!(!whole(CHAT, br#"{"choices":[]}"#));
    assert!(!whole(CHAT, br#"{"choices":[{"finish_reason":"stop"}],"error":{"code":"x"}}"#));
    assert!(!whole(CHAT, b"{"));
    assert!(whole(Endpoint::Completions, br#"{"choices":[{"text":"x","finish_reason":"stop"}]}"#));
    assert!(whole(Endpoint::Embeddings, br#"{"data":[{"embedding":[0.5]}]}"#));
    assert!(!whole(Endpoint::AudioSpeech, b"sound"));
}

#[test]
fn a_response_has_to_be_completed_and_without_calls() {
    let response = |status: &str, item: Value| {
        json!({"status": status, "error": null, "incomplete_details": null, "output": [item]})
            .to_string()
            .into_bytes()
    };
    let message = |kind: &str| json!({"type": "message", "content": [{"type": kind, "text": "x"}]});
    assert!(whole(Endpoint::Responses, &response("completed", message("output_text"))));
    assert!(!whole(Endpoint::Responses, &response("completed", message("refusal"))));
    assert!(!whole(Endpoint::Responses, &response("incomplete", message("output_text"))));
    assert!(!whole(Endpoint::Responses, &response("queued", message("output_text"))));
    assert!(!whole(Endpoint::Responses, &response("completed", json!({"type": "function_call"}))));
    assert!(!whole(Endpoint::Responses, br#"{"status":"completed","output":[]}"#));
}

fn events(events: &[Value], end: &str) -> Bytes {
    let mut text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    text.push_str(end);
    text.into()
}

fn delta(delta: &Value, reason: Option<&str>) -> Value {
    json!({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
}

#[test]
fn a_stream_has_to_be_whole_and_plain() {
    const DONE: &str = "data: [DONE]\n\n";
    let text = delta(&json!({"content": "x"}), None);
    let stop = delta(&json!({}), Some("stop"));
    let usage = json!({"choices": [], "usage": {"total_tokens": 3}});
    let whole = [text.clone(), stop.clone(), usage];
    assert!(stream(CHAT, &events(&whole, DONE)));
    assert!(stream(CHAT, &events(&whole, ": a comment\n\ndata: [DONE]\n\n")));
    for (why, said, end) in [
        ("no end signal", vec![text.clone(), stop.clone()], ""),
        ("a torn end signal", vec![text.clone(), stop.clone()], "data: [DONE]\n"),
        ("something behind the end", vec![text.clone(), stop.clone()], "data: [DONE]\n\ndata: {}\n\n"),
        ("no reason", vec![text.clone()], DONE),
        ("a limit", vec![text.clone(), delta(&json!({}), Some("length"))], DONE),
        ("a call", vec![delta(&json!({"tool_calls": [{"index": 0}]}), None), stop.clone()], DONE),
        ("a refusal", vec![delta(&json!({"refusal": "No"}), None), stop], DONE),
        ("an error", vec![text, json!({"error": {"code": "x"}})], DONE),
        ("no choices", vec![json!({"choices": []})], DONE),
    ] {
        assert!(!stream(CHAT, &events(&said, end)), "{why}");
    }
    assert!(!stream(CHAT, &Bytes::from_static(b"data: {broken\n\ndata: [DONE]\n\n")));
}

#[test]
fn a_typed_stream_ends_with_the_whole_answer() {
    let completed = |status: &str| {
        let output = json!([{"type": "message", "content": [{"type": "output_text", "text": "x"}]}]);
        json!({"type": "response.completed", "response": {"status": status, "output": output}})
    };
    let text = json!({"type": "response.output_text.delta", "delta": "x"});
    let failed = json!({"type": "response.failed"});
    assert!(stream(Endpoint::Responses, &events(&[text.clone(), completed("completed")], "")));
    assert!(!stream(Endpoint::Responses, &events(&[text.clone(), completed("incomplete")], "")));
    assert!(!stream(Endpoint::Responses, &events(std::slice::from_ref(&text), "")));
    assert!(!stream(Endpoint::Responses, &events(&[text, failed], "")));
}
