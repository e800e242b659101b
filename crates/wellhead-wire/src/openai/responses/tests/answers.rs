//! Answers of targets, answers and errors for clients.

use super::super::{decode_answer, decode_request_and_echo, encode_answer, encode_answer_for, encode_error};
use super::{FULL_ANSWER, FULL_REQUEST, origin, shown};
use crate::chat::{Answer, Candidate, Dialect, ErrorShown, Part, Rest, Source, Stop, StopKind, ToolCall};
use serde_json::{Value, json};
use wellhead_types::{Cause, Usage};

#[test]
fn an_answer_is_read_whole() {
    let answer = decode_answer(FULL_ANSWER.as_bytes(), &origin()).unwrap();
    assert_eq!((answer.id.as_deref(), answer.created), (Some("resp_1"), Some(1_700_000_001)));
    let expected = Usage {
        input_tokens: 36,
        output_tokens: 87,
        cached_input_tokens: 6,
        reasoning_tokens: 7,
        cache_write_tokens: 2,
        ..Usage::default()
    };
    assert_eq!(answer.usage, Some(expected));
    let candidate = &answer.candidates[0];
    let Part::Reasoning(thought) = &candidate.parts[0] else { panic!("{candidate:?}") };
    assert_eq!(thought.opaque.as_ref().unwrap().origin, Some(origin()));
    let Part::Text { text, citations, .. } = &candidate.parts[1] else { panic!("{candidate:?}") };
    assert_eq!(text, "Hi");
    let cited = json!({"url": "https://example.org", "title": "T", "start_index": 0, "end_index": 2});
    assert_eq!(
        citations,
        &[(Dialect::Chat, json!({"type": "url_citation", "url_citation": cited}))],
        "in the form that both of OpenAI's dialects can be written from"
    );
    let calls: Vec<(&str, &str)> = candidate
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::ToolCall(ToolCall { name, arguments, .. }) => Some((&**name, &**arguments)),
            _ => None,
        })
        .collect();
    assert_eq!(calls, [("shell", "{\"cmd\":\"ls\"}"), ("patch", "*** x")]);
    let Part::Image { media, .. } = &candidate.parts[4] else { panic!("{candidate:?}") };
    assert_eq!(
        (&media.source, media.media_type.as_deref()),
        (&Source::Base64("UklGRg==".into()), Some("image/webp"))
    );
    assert!(matches!(candidate.parts[5], Part::Other(Dialect::Responses, _)));
    assert_eq!(candidate.stop.as_ref().unwrap().kind, StopKind::ToolCalls);
    assert_eq!(candidate.logprobs.as_ref().unwrap()["content"][0]["token"], "Hi");
}

/// Wire.md, trap 9: a success that is none.
#[test]
fn responses_that_failed_or_have_not_ended_are_failures() {
    let with = |status: &str, error: Value, details: Value| {
        let mut body: Value = serde_json::from_str(FULL_ANSWER).unwrap();
        body["status"] = json!(status);
        body["error"] = error;
        body["incomplete_details"] = details;
        decode_answer(body.to_string().as_bytes(), &origin())
    };
    let failed =
        with("failed", json!({"code": "server_error", "message": "broken"}), Value::Null).unwrap_err();
    assert!(failed.detail.contains("broken"), "{failed:?}");
    let limited = with("failed", json!({"code": "rate_limit_exceeded", "message": "slow down"}), Value::Null)
        .unwrap_err();
    assert_eq!(limited.cause, Cause::RateLimited, "{limited:?}");
    for status in ["queued", "in_progress", "cancelled"] {
        with(status, Value::Null, Value::Null).unwrap_err();
    }
    for body in ["", "<html>", "{}", "[]", r#"{"status":"completed"}"#, r#"{"error":{"message":"x"}}"#] {
        decode_answer(body.as_bytes(), &origin()).unwrap_err();
    }
    for (reason, kind) in [
        ("max_output_tokens", StopKind::Length),
        ("content_filter", StopKind::Filter),
        ("new", StopKind::Other),
    ] {
        let answer = with("incomplete", Value::Null, json!({"reason": reason})).unwrap();
        assert_eq!(answer.candidates[0].stop.as_ref().unwrap().kind, kind);
    }
}

fn said(parts: Vec<Part>, kind: StopKind) -> Answer {
    let stop = Some(Stop::new(kind));
    let candidate = Candidate { index: 0, parts, stop, logprobs: None, rest: Rest::default() };
    Answer { candidates: vec![candidate], ..Answer::default() }
}

fn call(name: &str) -> Part {
    let (id, name) = ("call_1".into(), name.into());
    Part::ToolCall(ToolCall {
        id,
        name,
        arguments: String::new(),
        is_custom: false,
        opaque: None,
        cache: None,
    })
}

#[test]
fn an_answer_repeats_its_question_and_keeps_nothing() {
    let (_, echo) = decode_request_and_echo(FULL_REQUEST.as_bytes()).unwrap();
    let answer = said(vec![call("agents__close_agent")], StopKind::ToolCalls);
    let body: Value = serde_json::from_slice(&encode_answer_for(&answer, &shown(), &echo)).unwrap();
    let asked: Value = serde_json::from_str(FULL_REQUEST).unwrap();
    for name in ["instructions", "tools", "tool_choice", "temperature", "text", "reasoning", "metadata"] {
        assert_eq!(body[name], asked[name], "{name}");
    }
    assert_eq!(
        (&body["store"], &body["model"], &body["object"]),
        (&json!(false), &json!("chat"), &json!("response"))
    );
    let item = &body["output"][0];
    assert_eq!((&item["namespace"], &item["name"]), (&json!("agents"), &json!("close_agent")));
    assert_eq!(item["arguments"], "{}", "wire.md, trap 5");
    assert_eq!(body["status"], "completed");
    // A class that only another vendor has is none to clients of strict types.
    let foreign = Answer { service_tier: Some("standard".into()), ..answer };
    let body: Value = serde_json::from_slice(&encode_answer(&foreign, &shown())).unwrap();
    assert_eq!(body["service_tier"], "default");
}

#[test]
fn why_an_answer_ended_is_said_in_the_dialects_words() {
    let text = || vec![Part::text("x")];
    for (kind, parts, status, reason) in [
        (StopKind::End, text(), "completed", Value::Null),
        (StopKind::Sequence, text(), "completed", Value::Null),
        (StopKind::ToolCalls, vec![call("f")], "completed", Value::Null),
        (StopKind::Length, text(), "incomplete", json!("max_output_tokens")),
        (StopKind::ContextWindow, text(), "incomplete", json!("max_output_tokens")),
        (StopKind::Filter, text(), "incomplete", json!("content_filter")),
        (StopKind::Refusal, text(), "incomplete", json!("content_filter")),
        (StopKind::Refusal, vec![Part::Refusal("no".into())], "completed", Value::Null),
    ] {
        let body: Value = serde_json::from_slice(&encode_answer(&said(parts, kind), &shown())).unwrap();
        assert_eq!(
            (&body["status"], &body["incomplete_details"]["reason"]),
            (&json!(status), &reason),
            "{kind:?}"
        );
    }
}

#[test]
fn errors_have_the_form_of_openais_other_endpoints() {
    let error = ErrorShown {
        status: 400,
        code: "unsupported_parameter",
        message: "`x` is not known",
        param: Some("x"),
        request_id: "req_1",
    };
    let body: Value = serde_json::from_slice(&encode_error(&error)).unwrap();
    assert_eq!(body["error"]["type"], "invalid_request_error");
    assert_eq!(
        (&body["error"]["code"], &body["error"]["param"]),
        (&json!("unsupported_parameter"), &json!("x"))
    );
}
