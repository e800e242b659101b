//! Whole answers, both ways.

use super::{origin, shown, target, written_with};
use crate::anthropic::{Options, Version, decode_answer, decode_request, encode_answer, read_usage};
use crate::chat::{
    Answer, Candidate, Dialect, Losses, Media, Opaque, Origin, Part, Reasoning, Rest, Source, Stop, StopKind,
    ToolCall,
};
use serde_json::{Value, json};
use wellhead_types::{Cause, Usage};

fn said(parts: Vec<Part>, stop: Option<Stop>) -> Answer {
    let candidate = Candidate { index: 0, parts, stop, logprobs: None, rest: Rest::default() };
    Answer { candidates: vec![candidate], ..Answer::default() }
}

fn shown_to_client(answer: &Answer) -> Value {
    serde_json::from_slice(&encode_answer(answer, &shown())).unwrap()
}

#[test]
fn every_member_survives_its_way_through_the_model() {
    let mut full: Value = serde_json::from_str(include_str!("answer_full.json")).unwrap();
    let answer = decode_answer(full.to_string().as_bytes(), &origin()).unwrap();
    let usage = answer.usage.unwrap();
    assert_eq!(
        (usage.input_tokens, usage.cached_input_tokens),
        (180, 50),
        "here the cache is part of the input"
    );
    assert_eq!((usage.cache_write_tokens, usage.cache_write_1h_tokens), (30, 10));
    assert_eq!((usage.output_tokens, usage.reasoning_tokens), (40, 12));
    full["model"] = "mine".into();
    // Signatures say where they came from once they leave towards a client.
    let proof =
        |data: &str| Opaque { dialect: Dialect::Anthropic, origin: Some(origin()), data: data.into() };
    full["content"][0]["signature"] = proof("ErUBCkYI").to_text().into();
    full["content"][1]["data"] = proof("EmwKAhgB").to_text().into();
    assert_eq!(shown_to_client(&answer), full);
}

#[test]
fn trap_10_every_reason_to_stop_has_its_kind() {
    for (word, kind) in [
        ("end_turn", StopKind::End),
        ("max_tokens", StopKind::Length),
        ("stop_sequence", StopKind::Sequence),
        ("tool_use", StopKind::ToolCalls),
        ("pause_turn", StopKind::Pause),
        ("refusal", StopKind::Refusal),
        ("model_context_window_exceeded", StopKind::ContextWindow),
        ("invented_tomorrow", StopKind::Other),
    ] {
        let details = if word == "refusal" {
            json!({"type": "refusal", "category": "bio", "explanation": "No."})
        } else {
            Value::Null
        };
        let sequence = if word == "stop_sequence" { json!("END") } else { Value::Null };
        let body = json!({"type": "message", "content": [], "stop_reason": word, "stop_sequence": sequence, "stop_details": details});
        let answer = decode_answer(body.to_string().as_bytes(), &origin()).unwrap();
        let stop = answer.candidates[0].stop.clone().unwrap();
        assert_eq!(stop.kind, kind);
        assert_eq!(stop.sequence.as_deref(), sequence.as_str());
        let again = shown_to_client(&answer);
        assert_eq!((&again["stop_reason"], &again["stop_sequence"]), (&json!(word), &sequence));
        assert_eq!(again.get("stop_details").cloned().unwrap_or_default(), details);
    }
}

#[test]
fn trap_10_reasons_of_other_vendors_have_their_word() {
    let call = || {
        let arguments = "{}".to_owned();
        let (id, name) = ("c".into(), "f".into());
        Part::ToolCall(ToolCall { id, name, arguments, is_custom: false, opaque: None, cache: None })
    };
    let text = || Part::text("t");
    for (parts, kind, word) in [
        (vec![text()], Some(StopKind::End), "end_turn"),
        (vec![text()], None, "end_turn"),
        (vec![text(), call()], Some(StopKind::End), "tool_use"),
        (vec![call()], None, "tool_use"),
        (vec![call()], Some(StopKind::ToolCalls), "tool_use"),
        (vec![text()], Some(StopKind::ToolCalls), "end_turn"),
        (vec![call()], Some(StopKind::Length), "max_tokens"),
        (vec![text()], Some(StopKind::Filter), "refusal"),
        (vec![text()], Some(StopKind::Refusal), "refusal"),
        (vec![text()], Some(StopKind::MalformedCall), "end_turn"),
        (vec![text()], Some(StopKind::ContextWindow), "model_context_window_exceeded"),
    ] {
        let stop = kind.map(|kind| Stop { raw: Some((Dialect::Gemini, "STOP".into())), ..Stop::new(kind) });
        assert_eq!(shown_to_client(&said(parts, stop))["stop_reason"], word, "{kind:?}");
    }
    let filtered = Stop { detail: Some(json!("hate")), ..Stop::new(StopKind::Filter) };
    let details = json!({"type": "refusal", "category": null, "explanation": "hate"});
    assert_eq!(shown_to_client(&said(vec![], Some(filtered)))["stop_details"], details);
}

#[test]
fn an_answer_of_another_vendor_has_every_member_that_clients_need() {
    let answer = said(vec![Part::text("Hi"), Part::Refusal("No.".into())], Some(Stop::new(StopKind::End)));
    let expected = json!({
        "id": "msg_abc",
        "type": "message",
        "role": "assistant",
        "model": "mine",
        "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "No."}],
        "stop_reason": "end_turn",
        "stop_sequence": null,
        "usage": {"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0},
    });
    assert_eq!(shown_to_client(&answer), expected);
}

#[test]
fn what_clients_have_no_block_for_is_shown_in_words() {
    let media = |source, kind: &str| Media { source, media_type: Some(kind.into()) };
    let png = media(Source::Base64("QUJD".into()), "image/png");
    let spoken = Part::Audio {
        media: media(Source::Base64("QUJD".into()), "audio/wav"),
        id: None,
        transcript: Some("Good day".into()),
    };
    let foreign = Part::Other(Dialect::Responses, json!({"type": "web_search_call"}));
    let parts = vec![Part::Image { media: png, detail: None, cache: None }, spoken, foreign];
    let content = shown_to_client(&said(parts, None))["content"].clone();
    let expected = json!([
        {"type": "text", "text": "![image](data:image/png;base64,QUJD)"},
        {"type": "text", "text": "Good day"},
    ]);
    assert_eq!(content, expected);
}

#[test]
fn trap_7_proofs_of_every_vendor_pass_through_a_client_and_find_their_block_again() {
    let gemini = Origin { provider: "google".into(), model: "gemini-3".into() };
    let proof = |data: &str| {
        Some(Opaque { dialect: Dialect::Gemini, origin: Some(gemini.clone()), data: data.into() })
    };
    let parts = vec![
        Part::Reasoning(Reasoning { text: "Hm".into(), opaque: proof("a"), ..Reasoning::default() }),
        Part::Reasoning(Reasoning { opaque: proof("b"), ..Reasoning::default() }),
        Part::Text { text: "T".into(), citations: Vec::new(), cache: None, opaque: proof("c") },
        Part::ToolCall(ToolCall {
            id: "1".into(),
            name: "f".into(),
            arguments: "{}".into(),
            is_custom: false,
            opaque: proof("d"),
            cache: None,
        }),
        Part::Reasoning(Reasoning { opaque: proof("e"), is_redacted: true, ..Reasoning::default() }),
    ];
    let content = shown_to_client(&said(parts.clone(), None))["content"].clone();
    let body = json!({"model": "m", "max_tokens": 1, "messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": content},
    ]});
    let request = decode_request(body.to_string().as_bytes(), Version::V2026).unwrap();
    assert_eq!(request.messages[1].parts, parts);
    // A client that keeps the thoughts and loses what they prove has lost the place, not the origin.
    let alone = json!({"model": "m", "max_tokens": 1, "messages": [
        {"role": "assistant", "content": [content[5]]},
    ]});
    let alone = decode_request(alone.to_string().as_bytes(), Version::V2026).unwrap();
    let [Part::Reasoning(thought)] = &alone.messages[0].parts[..] else { panic!("{alone:?}") };
    assert_eq!(thought.opaque, proof("d"));
    // Should the conversation move on to this dialect, nothing of it is sent.
    let (body, dropped) = written_with(&request, &target(), &Losses::NONE, Options::default());
    assert!(!body.to_string().contains("wh1~"), "{body}");
    assert_eq!(dropped, ["messages.reasoning"]);
}

#[test]
fn trap_9_a_success_that_is_none_is_a_failure() {
    let cause = |body: &str| decode_answer(body.as_bytes(), &origin()).unwrap_err().cause;
    let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    assert_eq!(cause(overloaded), Cause::Overloaded);
    assert_eq!(cause(r#"{"error":{"message":"boom"}}"#), Cause::ErrorInSuccess);
    assert_eq!(cause("{}"), Cause::ErrorInSuccess);
    assert_eq!(cause(r#"{"type":"message","content":"text"}"#), Cause::ErrorInSuccess);
    assert_eq!(cause("<html>"), Cause::ProtocolError);
    assert_eq!(cause(""), Cause::ProtocolError);
    assert_eq!(cause(r#"{"type":"message","content":[{"type":"text"}]}"#), Cause::ProtocolError);
}

#[test]
fn usage_counts_the_cache_as_input_wherever_it_is_said() {
    let read = |usage: &Value| read_usage(usage).unwrap();
    let plain = read(&json!({"input_tokens": 10, "output_tokens": 5}));
    assert_eq!(plain, Usage { input_tokens: 10, output_tokens: 5, ..Usage::default() });
    let cached = read(
        &json!({"input_tokens": 10, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 60,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10}, "output_tokens": 5}),
    );
    assert_eq!((cached.input_tokens, cached.cached_input_tokens), (100, 60));
    assert_eq!((cached.cache_write_tokens, cached.cache_write_1h_tokens), (30, 10));
    let details =
        json!({"cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10}});
    assert_eq!(read(&details).input_tokens, 30, "hosts that give the breakdown alone");
    let more = json!({"output_tokens": 5, "output_tokens_details": {"thinking_tokens": 9}});
    assert_eq!(read(&more).reasoning_tokens, 5, "never more than there was");
    for nothing in [json!(null), json!({}), json!({"input_tokens": null}), json!({"speed": "fast"})] {
        assert_eq!(read_usage(&nothing), None, "{nothing}");
    }
    let huge = json!({"input_tokens": u64::MAX, "cache_read_input_tokens": u64::MAX});
    assert_eq!(read(&huge).input_tokens, u64::MAX);
}
