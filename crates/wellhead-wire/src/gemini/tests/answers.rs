//! Answers that are none, answers of other dialects, and the shapes of Google's neighbours.

use super::{json, origin, shown};
use crate::chat::{
    Answer, Candidate, Dialect, Media, Opaque, Origin, Part, Reasoning, Rest, Source, Stop, StopKind,
    ToolCall,
};
use crate::gemini::{decode_answer, encode_answer};
use serde_json::json;
use wellhead_types::{Cause, Retry, Side, Usage};

fn fails(body: &str) -> wellhead_types::Failure {
    decode_answer(body.as_bytes(), &origin("m")).unwrap_err()
}

// wire.md, 1b and trap 9.
#[test]
fn a_success_that_holds_no_answer_is_a_failure() {
    let blocked = fails(
        r#"{"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "no"}, "usageMetadata": {"promptTokenCount": 3}}"#,
    );
    assert_eq!(
        (blocked.cause, blocked.side, blocked.retry),
        (Cause::ContentFiltered, Side::Client, Retry::Never)
    );
    assert!(blocked.detail.contains("SAFETY"));
    for empty in ["{}", r#"{"candidates": []}"#, r#"{"candidates": null}"#, r#"{"promptFeedback": {}}"#] {
        assert_eq!(fails(empty).cause, Cause::ErrorInSuccess, "{empty}");
    }
    for (error, cause) in [
        (
            r#"{"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED", "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "48s"}]}}"#,
            Cause::RateLimited,
        ),
        (
            r#"{"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}"#,
            Cause::Overloaded,
        ),
        // The OpenAI-compatible endpoint's list of one.
        (
            r#"[{"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}]"#,
            Cause::Overloaded,
        ),
        ("not json", Cause::ProtocolError),
        ("", Cause::ProtocolError),
        ("7", Cause::ProtocolError),
        (r#"{"candidates": [7]}"#, Cause::ProtocolError),
        (r#"{"candidates": [{"content": {"parts": [{"text": 7}]}}]}"#, Cause::ProtocolError),
    ] {
        assert_eq!(fails(error).cause, cause, "{error}");
    }
}

#[test]
fn a_candidate_that_a_filter_cut_off_is_an_answer() {
    let answer = decode_answer(
        br#"{"candidates": [{"finishReason": "PROHIBITED_CONTENT", "finishMessage": "because", "index": 0}]}"#,
        &origin("m"),
    )
    .unwrap();
    let stop = answer.candidates[0].stop.as_ref().unwrap();
    assert_eq!((stop.kind, stop.detail.as_ref()), (StopKind::Filter, Some(&json!("because"))));
    assert!(answer.candidates[0].parts.is_empty());
}

// wire.md, trap 6.
#[test]
fn calls_without_ids_get_ids_that_no_other_answer_has() {
    let body = |id: &str| {
        json!({"responseId": id, "candidates": [{"content": {"parts": [
            {"functionCall": {"name": "f"}}, {"functionCall": {"name": "f", "args": {"a": 1}}}]}, "finishReason": "STOP"}]})
        .to_string()
    };
    let ids = |id: &str| -> Vec<Box<str>> {
        let answer = decode_answer(body(id).as_bytes(), &origin("m")).unwrap();
        answer.candidates[0]
            .parts
            .iter()
            .map(|part| if let Part::ToolCall(call) = part { call.id.clone() } else { panic!() })
            .collect()
    };
    let all: std::collections::HashSet<Box<str>> = ids("r1").into_iter().chain(ids("r2")).collect();
    assert_eq!(all.len(), 4);
    assert_eq!(ids("r1"), ids("r1"), "the same answer says the same");
}

#[test]
fn an_answer_of_another_dialect_is_told_in_this_one() {
    let opaque = Opaque {
        dialect: Dialect::Anthropic,
        origin: Some(Origin { provider: "anthropic".into(), model: "claude".into() }),
        data: "ErUB".into(),
    };
    let answer = Answer {
        candidates: vec![Candidate {
            index: 0,
            parts: vec![
                Part::Reasoning(Reasoning {
                    text: "Hm.".into(),
                    opaque: Some(opaque),
                    ..Reasoning::default()
                }),
                Part::Refusal("I will not.".into()),
                Part::ToolCall(ToolCall {
                    id: "toolu_1".into(),
                    name: "f".into(),
                    arguments: "{\"a\": 1}".into(),
                    is_custom: false,
                    opaque: None,
                    cache: None,
                }),
                Part::Audio {
                    media: Media { source: Source::Base64("QUJD".into()), media_type: None },
                    id: Some("audio_1".into()),
                    transcript: Some("Hello".into()),
                },
                Part::Other(Dialect::Responses, json!({"type": "web_search_call"})),
            ],
            stop: Some(Stop::new(StopKind::ToolCalls)),
            logprobs: None,
            rest: Rest::default(),
        }],
        usage: Some(Usage {
            input_tokens: 10,
            output_tokens: 30,
            cached_input_tokens: 4,
            reasoning_tokens: 20,
            ..Usage::default()
        }),
        ..Answer::default()
    };
    // base64 of "wh1~anthropic~anthropic~claude~ErUB": SDKs read bytes.
    let signature = "d2gxfmFudGhyb3BpY35hbnRocm9waWN+Y2xhdWRlfkVyVUI=";
    let expected = json!({
        "candidates": [{
            "content": {"role": "model", "parts": [
                {"text": "Hm.", "thought": true, "thoughtSignature": signature},
                {"text": "I will not."},
                {"functionCall": {"id": "toolu_1", "name": "f", "args": {"a": 1}}},
                {"text": "Hello"},
                {"inlineData": {"mimeType": "audio/wav", "data": "QUJD"}},
            ]},
            "finishReason": "STOP",
            "index": 0,
        }],
        "usageMetadata": {"promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 10, "thoughtsTokenCount": 20, "totalTokenCount": 40},
        "modelVersion": "my-model",
        "responseId": "made-id",
    });
    assert_eq!(json(&encode_answer(&answer, &shown("my-model"))), expected);
}
