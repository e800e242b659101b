//! Whole answers, usage and errors.

use super::super::{decode_answer, encode_answer, encode_error, error_event, read_usage};
use super::{origin, shown};
use crate::chat::{Dialect, ErrorShown, Part, StopKind};
use serde_json::{Value, json};
use wellhead_types::{Cause, Usage};

fn full() -> Value {
    json!({
        "id": "c14c80c3",
        "finish_reason": "TOOL_CALL",
        "message": {
            "role": "assistant",
            "tool_plan": "I will ask.",
            "tool_calls": [
                {"id": "f_1", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
                {"type": "function", "function": {"name": "f", "arguments": ""}},
            ],
            "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Wait."}],
            "citations": [
                {"start": 0, "end": 4, "text": "Wait", "sources": [], "content_index": 1, "type": "TEXT_CONTENT"},
                {"start": 0, "end": 1, "text": "I", "sources": [], "type": "PLAN"},
                {"start": 0, "end": 2, "text": "Hm", "sources": [], "content_index": 0, "type": "THINKING_CONTENT"},
            ],
        },
        "usage": {
            "billed_units": {"input_tokens": 5, "output_tokens": 4},
            "tokens": {"input_tokens": 71, "output_tokens": 9},
            "cached_tokens": 64,
        },
        "logprobs": [{"text": "Wait.", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]}],
    })
}

#[test]
fn an_answer_is_understood() {
    let answer = decode_answer(full().to_string().as_bytes(), &origin()).unwrap();
    assert_eq!(answer.id.as_deref(), Some("c14c80c3"));
    let usage = Usage { input_tokens: 71, output_tokens: 9, cached_input_tokens: 64, ..Usage::default() };
    assert_eq!(answer.usage, Some(usage), "what was read and written, not what is billed of it");
    let candidate = &answer.candidates[0];
    let [
        Part::Reasoning(thought),
        Part::Text { text, citations, .. },
        Part::Text { text: plan, citations: of_plan, .. },
        Part::ToolCall(first),
        Part::ToolCall(second),
    ] = &candidate.parts[..]
    else {
        panic!("{:?}", candidate.parts)
    };
    assert_eq!((&*thought.text, &**text, &**plan), ("Hm.", "Wait.", "I will ask."));
    assert_eq!((citations.len(), of_plan.len()), (1, 1));
    assert_eq!(citations[0].0, Dialect::Cohere);
    let kept = candidate.rest.of(Dialect::Cohere).unwrap();
    assert_eq!(kept["citations"][0]["type"], "THINKING_CONTENT", "a thought has no place for one");
    assert_eq!((&*first.id, &*first.arguments), ("f_1", "{\"x\":1}"));
    assert_eq!(&*second.id, "call_c14c80c3_1", "trap 6: no id");
    assert_eq!(second.arguments, "{}", "trap 5: no arguments");
    assert_eq!(candidate.stop.as_ref().unwrap().kind, StopKind::ToolCalls);
    let said = &candidate.logprobs.as_ref().unwrap()["content"][0];
    assert_eq!((&said["token"], &said["logprob"]), (&json!("Wait."), &json!(-0.75)));
}

#[test]
fn an_answer_comes_out_as_it_was() {
    let mut full = full();
    // What does not survive: a homeless citation's place in the list, ids that nobody gave, two counts of tokens.
    full["message"]["citations"].as_array_mut().unwrap().truncate(2);
    full["message"]["tool_calls"].as_array_mut().unwrap().truncate(1);
    full["usage"]["billed_units"] = full["usage"]["tokens"].clone();
    full["logprobs"] = json!([{"text": "Wait.", "token_ids": [], "logprobs": [-0.75]}]);
    full["later"] = json!({"unknown": 1});
    full["message"]["also"] = json!(true);
    let answer = decode_answer(full.to_string().as_bytes(), &origin()).unwrap();
    let written: Value = serde_json::from_slice(&encode_answer(&answer, &shown())).unwrap();
    assert_eq!(written, full);
}

/// Trap 10.
#[test]
fn reasons_are_understood() {
    let read = |reason: &str, message: &Value| {
        let body = json!({"id": "a", "finish_reason": reason, "message": message});
        decode_answer(body.to_string().as_bytes(), &origin())
            .map(|answer| answer.candidates[0].stop.as_ref().map(|stop| stop.kind))
    };
    let text = json!({"content": [{"type": "text", "text": "x"}]});
    let call = json!({"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]});
    for (reason, kind) in [
        ("COMPLETE", StopKind::End),
        ("MAX_TOKENS", StopKind::Length),
        ("STOP_SEQUENCE", StopKind::Sequence),
        ("TOOL_CALL", StopKind::ToolCalls),
        ("NEW_WORD", StopKind::Other),
    ] {
        assert_eq!(read(reason, &text).unwrap(), Some(kind), "{reason}");
    }
    assert_eq!(read("COMPLETE", &call).unwrap(), Some(StopKind::ToolCalls));
    for reason in ["ERROR", "ERROR_TOXIC", "TIMEOUT"] {
        let failure = read(reason, &text).unwrap_err();
        assert_eq!((failure.cause, failure.status), (Cause::ErrorInSuccess, Some(200)), "{reason}");
    }
}

/// Trap 9.
#[test]
fn a_success_that_is_none_is_a_failure() {
    for body in ["", "{", "[]", "{}", r#"{"id":"x","message":"internal server error"}"#] {
        assert_eq!(decode_answer(body.as_bytes(), &origin()).unwrap_err().status, Some(200), "{body}");
    }
    let failure = decode_answer(br#"{"id":"x","message":"internal server error"}"#, &origin()).unwrap_err();
    assert!(failure.detail.contains("internal server error"), "{}", failure.detail);
}

#[test]
fn counts_are_read_from_wherever_they_stand() {
    let usage = |value: Value| read_usage(&value).map(|usage| (usage.input_tokens, usage.output_tokens));
    assert_eq!(usage(full()), Some((71, 9)));
    let billed = json!({"usage": {"billed_units": {"input_tokens": 5.0, "output_tokens": 4.0}}});
    assert_eq!(usage(billed), Some((5, 4)));
    assert_eq!(usage(json!({"meta": {"billed_units": {"input_tokens": 6}}})), Some((6, 0)));
    assert_eq!(usage(json!({"meta": {"billed_units": {"search_units": 1}}})), None);
    assert_eq!(usage(json!({"usage": 7})), None);
}

#[test]
fn errors_have_the_dialects_form_and_end_no_answer() {
    let error = ErrorShown { status: 502, code: "c", message: "two\nlines", param: None, request_id: "r" };
    let body: Value = serde_json::from_slice(&encode_error(&error)).unwrap();
    assert_eq!((&body["id"], &body["message"]), (&json!("r"), &json!("two\nlines")));
    let event = error_event(&error);
    let failure = super::read([&event[..]]).unwrap_err();
    assert!(failure.detail.contains("two"), "{}", failure.detail);
    assert!(!event.ends_with(b"[DONE]\n\n"));
}
