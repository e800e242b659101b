//! Answers: words, counts, failures under a success.

use super::{CLAUDE, GPT, json, origin, shown};
use crate::bedrock::{decode_answer, encode_answer, read_usage};
use crate::chat::{Answer, Candidate, Part, Rest, Stop, StopKind, ToolCall};
use serde_json::{Value, json};
use wellhead_types::{Cause, Usage};

fn said(content: &Value, reason: &str) -> Value {
    json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": reason,
        "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}, "metrics": {"latencyMs": 1}})
}

fn read(value: &Value) -> Answer {
    decode_answer(value.to_string().as_bytes(), &origin(CLAUDE)).unwrap()
}

#[test]
fn trap_10_why_it_ended() {
    for (word, kind) in [
        ("end_turn", StopKind::End),
        ("tool_use", StopKind::ToolCalls),
        ("max_tokens", StopKind::Length),
        ("stop_sequence", StopKind::Sequence),
        ("guardrail_intervened", StopKind::Filter),
        ("content_filtered", StopKind::Filter),
        ("malformed_model_output", StopKind::Other),
        ("malformed_tool_use", StopKind::MalformedCall),
        ("model_context_window_exceeded", StopKind::ContextWindow),
        ("newly_invented", StopKind::Other),
    ] {
        let answer = read(&said(&json!([{"text": "x"}]), word));
        assert_eq!(answer.candidates[0].stop.as_ref().unwrap().kind, kind, "{word}");
        assert_eq!(json(&encode_answer(&answer, &shown()))["stopReason"], word);
    }
}

#[test]
fn trap_10_the_text_that_ended_it_is_not_lost() {
    let mut value = said(&json!([{"text": "x"}]), "stop_sequence");
    value["additionalModelResponseFields"] = json!({"stop_sequence": "END"});
    let stop = read(&value).candidates[0].stop.clone().unwrap();
    assert_eq!((stop.kind, stop.sequence.as_deref()), (StopKind::Sequence, Some("END")));
}

#[test]
fn trap_10_what_a_guardrail_had_against_it_is_told() {
    let mut value = said(&json!([{"text": "Sorry."}]), "guardrail_intervened");
    value["trace"] = json!({"guardrail": {"actionReason": "Guardrail blocked."}});
    let stop = read(&value).candidates[0].stop.clone().unwrap();
    assert_eq!(stop.detail, Some(json!({"actionReason": "Guardrail blocked."})));
}

#[test]
fn trap_10_calls_of_other_vendors_are_told_as_such() {
    let call = ToolCall {
        id: "1".into(),
        name: "f".into(),
        arguments: "{}".into(),
        is_custom: false,
        opaque: None,
        cache: None,
    };
    for (parts, kind, word) in [
        (vec![Part::ToolCall(call)], StopKind::End, "tool_use"),
        (vec![Part::text("x")], StopKind::ToolCalls, "end_turn"),
        (vec![Part::Refusal("no".into())], StopKind::Refusal, "content_filtered"),
        (vec![], StopKind::Pause, "end_turn"),
    ] {
        let candidate =
            Candidate { index: 0, parts, stop: Some(Stop::new(kind)), logprobs: None, rest: Rest::default() };
        let answer = Answer { candidates: vec![candidate], ..Answer::default() };
        assert_eq!(json(&encode_answer(&answer, &shown()))["stopReason"], word, "{kind:?}");
    }
}

#[test]
fn trap_5_a_call_without_arguments_has_an_empty_object() {
    for input in [json!({}), Value::Null] {
        let call = json!([{"toolUse": {"toolUseId": "1", "name": "f", "input": input}}]);
        let answer = read(&said(&call, "tool_use"));
        assert!(matches!(&answer.candidates[0].parts[0], Part::ToolCall(call) if call.arguments == "{}"));
    }
}

#[test]
fn trap_8_what_the_cache_served_is_part_of_the_input() {
    let counts = json!({"inputTokens": 4, "outputTokens": 95, "totalTokens": 1299, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 1200});
    let expected =
        Usage { input_tokens: 1204, output_tokens: 95, cache_write_tokens: 1200, ..Usage::default() };
    assert_eq!(read_usage(&counts), Some(expected));
    // The names that older models had.
    let counts = json!({"inputTokens": 4, "outputTokens": 95, "cacheReadInputTokenCount": 10, "cacheWriteInputTokenCount": 0});
    assert_eq!(read_usage(&counts).unwrap().cached_input_tokens, 10);
    assert_eq!(read_usage(&counts).unwrap().input_tokens, 14);
    assert_eq!(read_usage(&json!({})), None);
    assert_eq!(read_usage(&json!({"inputTokens": "x"})), None);
    assert_eq!(
        read_usage(&json!({"inputTokens": u64::MAX, "cacheReadInputTokens": 9})).unwrap().input_tokens,
        u64::MAX
    );
    // Reported of OpenAI's models: theirs are in it already.
    let mut value = said(&json!([{"text": "x"}]), "end_turn");
    value["usage"] =
        json!({"inputTokens": 1200, "outputTokens": 350, "totalTokens": 1550, "cacheReadInputTokens": 800});
    let answer = decode_answer(value.to_string().as_bytes(), &origin(GPT)).unwrap();
    assert_eq!((answer.usage.unwrap().input_tokens, answer.usage.unwrap().cached_input_tokens), (1200, 800));
}

#[test]
fn a_success_that_is_none_is_a_failure() {
    for (body, cause) in [
        ("", Cause::ProtocolError),
        ("<html>", Cause::ProtocolError),
        ("{}", Cause::ErrorInSuccess),
        (r#"{"output":{"message":{"role":"assistant"}}}"#, Cause::ErrorInSuccess),
        // What the service says where it does not know the operation.
        (
            r#"{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}"#,
            Cause::ErrorInSuccess,
        ),
        (
            r#"{"__type":"com.amazon.coral.service#ThrottlingException","message":"Rate exceeded"}"#,
            Cause::RateLimited,
        ),
        (r#"{"message":"Too many tokens per day, please wait before trying again."}"#, Cause::ErrorInSuccess),
        (r#"{"output":{"message":{"role":"assistant","content":[7]}}}"#, Cause::ProtocolError),
    ] {
        let failure = decode_answer(body.as_bytes(), &origin(CLAUDE)).unwrap_err();
        assert_eq!(failure.cause, cause, "{body}: {failure:?}");
    }
}
