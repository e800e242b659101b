//! Whole answers.

use super::super::{Style, decode_answer, encode_answer, encode_answer_for};
use super::{origin, shown};
use crate::chat::{Answer, Candidate, Part, Rest, Stop, StopKind, ToolCall};
use serde_json::{Value, json};
use wellhead_types::{Cause, Usage};

fn read(body: &Value) -> Answer {
    decode_answer(body.to_string().as_bytes(), &origin()).unwrap()
}

fn with(message: Value, reason: &str) -> Value {
    json!({"id": "i", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": reason}]})
}

#[test]
fn an_answer_with_every_member_comes_out_as_it_was() {
    let full: Value = serde_json::from_str(include_str!("full_answer.json")).unwrap();
    let mut answer = read(&full);
    assert_eq!(
        answer.usage,
        Some(Usage {
            input_tokens: 19,
            output_tokens: 10,
            cached_input_tokens: 4,
            reasoning_tokens: 3,
            audio_tokens: 4,
            audio_output_tokens: 1,
            cache_write_tokens: 2,
            ..Usage::default()
        })
    );
    let kinds: Vec<StopKind> =
        answer.candidates.iter().map(|candidate| candidate.stop.as_ref().unwrap().kind).collect();
    assert_eq!(kinds, [StopKind::ToolCalls, StopKind::Refusal, StopKind::Length, StopKind::Sequence]);
    let Part::Reasoning(thought) = &mut answer.candidates[0].parts[0] else { panic!() };
    let proof = thought.opaque.as_mut().unwrap();
    assert!(proof.is_for(crate::chat::Dialect::Chat, &origin()));
    assert!(
        proof.to_text().starts_with("wh1~openai-chat~vendor~"),
        "a client brings it back with its origin"
    );
    // The golden is the vendor's; only the proof is written differently for a client.
    proof.origin = None;
    let written: Value = serde_json::from_slice(&encode_answer(&answer, &shown("model-1"))).unwrap();
    assert_eq!(written, full);
}

#[test]
fn words_for_the_end_mean_what_vendors_mean() {
    // Trap 10.
    let call = json!({"content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]});
    let text = json!({"content": "x"});
    for (message, reason, kind, word) in [
        (&text, "stop", StopKind::End, "stop"),
        (&text, "eos", StopKind::End, "stop"),
        (&text, "length", StopKind::Length, "length"),
        (&text, "model_length", StopKind::ContextWindow, "length"),
        (&text, "content_filter", StopKind::Filter, "content_filter"),
        (&text, "sensitive", StopKind::Filter, "content_filter"),
        (&call, "tool_calls", StopKind::ToolCalls, "tool_calls"),
        (&call, "stop", StopKind::ToolCalls, "tool_calls"),
        (&call, "function_call", StopKind::ToolCalls, "tool_calls"),
        (&text, "never_heard_of", StopKind::Other, "stop"),
    ] {
        let answer = read(&with(message.clone(), reason));
        let stop = answer.candidates[0].stop.clone().unwrap();
        assert_eq!((stop.kind, stop.raw_for(crate::chat::Dialect::Chat)), (kind, Some(reason)));
        let written: Value = serde_json::from_slice(&encode_answer(&answer, &shown("m"))).unwrap();
        assert_eq!(written["choices"][0]["finish_reason"], word);
    }
    // vLLM's and SGLang's way to say which text was met; a number is a token.
    for (name, value, expected) in [
        ("stop_reason", json!("END"), Some("END")),
        ("matched_stop", json!("END"), Some("END")),
        ("matched_stop", json!(128_009), None),
        ("stop_reason", Value::Null, None),
    ] {
        let mut body = with(text.clone(), "stop");
        body["choices"][0][name] = value;
        let stop = read(&body).candidates[0].stop.clone().unwrap();
        assert_eq!(stop.sequence.as_deref(), expected);
        assert_eq!(stop.kind, if expected.is_some() { StopKind::Sequence } else { StopKind::End });
    }
}

#[test]
fn vendors_forms_of_thoughts_and_texts_are_understood() {
    for (message, thought, said) in [
        (json!({"content": "x", "reasoning_content": "hm"}), "hm", "x"),
        (json!({"content": "x", "reasoning": "hm"}), "hm", "x"),
        (json!({"content": "x", "reasoning": "hm", "reasoning_content": "hm"}), "hm", "x"),
        (
            json!({"content": "x", "reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm", "index": 0}]}),
            "hm",
            "x",
        ),
        (
            json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "x"}]}),
            "hm",
            "x",
        ),
    ] {
        let answer = read(&with(message.clone(), "stop"));
        let [Part::Reasoning(found), Part::Text { text, .. }] = &answer.candidates[0].parts[..] else {
            panic!("{message}")
        };
        assert_eq!((found.text.as_str(), text.as_str()), (thought, said), "{message}");
    }
}

#[test]
fn calls_are_read_in_the_forms_that_vendors_write() {
    for (call, id, arguments) in [
        (
            json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}}),
            "a",
            "{\"x\":1}",
        ),
        (json!({"id": "a", "function": {"name": "f", "arguments": {"x": 1}}}), "a", "{\"x\":1}"),
        (json!({"id": "", "function": {"name": "f", "arguments": ""}}), "call_0", "{}"),
        (json!({"id": null, "function": {"name": "f"}}), "call_0", "{}"),
    ] {
        let answer = read(&with(json!({"content": "", "tool_calls": [call]}), "tool_calls"));
        let [Part::ToolCall(found)] = &answer.candidates[0].parts[..] else { panic!("{call}") };
        assert_eq!((&*found.id, found.arguments.as_str()), (id, arguments), "{call}");
    }
    let old = read(&with(
        json!({"content": null, "function_call": {"name": "f", "arguments": "{}"}}),
        "function_call",
    ));
    assert!(matches!(&old.candidates[0].parts[..], [Part::ToolCall(call)] if &*call.name == "f"));
}

#[test]
fn a_success_that_is_none_is_a_failure() {
    // Trap 9.
    let failed = |body: &str| decode_answer(body.as_bytes(), &origin()).unwrap_err();
    for body in [
        "",
        "<html></html>",
        "{",
        "[]",
        r#"{"choices":[]}"#,
        r#"{"error":{"message":"boom","code":500}}"#,
        r#"{"choices":[{"index":0,"error":{"code":502,"message":"upstream"},"message":{"content":""}}]}"#,
        r#"{"choices":[{"index":0,"finish_reason":"error","message":{"content":""}}]}"#,
        r#"{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"},"choices":null}"#,
    ] {
        assert!(matches!(failed(body).status, Some(200)), "{body}");
    }
    let limited = failed(r#"{"error":{"message":"slow down","type":"rate_limit_error","code":429}}"#);
    assert_eq!(limited.cause, Cause::RateLimited);
}

#[test]
fn choices_with_the_same_number_are_told_apart_by_their_places() {
    let choice = |text: &str| json!({"index": 0, "message": {"content": text}, "finish_reason": "stop"});
    let answer = read(&json!({"id": "i", "choices": [choice("a"), choice("b")]}));
    let indices: Vec<u32> = answer.candidates.iter().map(|candidate| candidate.index).collect();
    assert_eq!(indices, [0, 1]);
}

#[test]
fn clients_of_functions_get_functions() {
    let call = ToolCall {
        id: "c".into(),
        name: "f".into(),
        arguments: "{}".into(),
        is_custom: false,
        opaque: None,
        cache: None,
    };
    let candidate = Candidate {
        index: 0,
        parts: vec![Part::ToolCall(call)],
        stop: Some(Stop::new(StopKind::ToolCalls)),
        logprobs: None,
        rest: Rest::default(),
    };
    let answer = Answer { candidates: vec![candidate], ..Answer::default() };
    let body = encode_answer_for(&answer, &shown("m"), Style { functions: true });
    let written: Value = serde_json::from_slice(&body).unwrap();
    let choice = &written["choices"][0];
    assert_eq!(choice["message"]["function_call"], json!({"name": "f", "arguments": "{}"}));
    assert_eq!(
        (choice["message"].get("tool_calls"), &choice["finish_reason"]),
        (None, &json!("function_call"))
    );
    assert_eq!((&written["id"], &written["created"]), (&json!("chatcmpl-r1"), &json!(1_700_000_000)));
}
