#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{Heading, Inbound, Outbound, read_request};
use crate::chat::{Dialect, Origin, Shown};
use crate::gemini::Framing;
use bytes::Bytes;
use serde_json::json;
use wellhead_types::Cause;

const EVENT_BYTES_MAX: usize = 1 << 16;

fn shown() -> Shown {
    Shown { model: "mine".into(), id: "id".into(), created: 7, stream_usage: true }
}

fn origin() -> Origin {
    Origin { provider: "p".into(), model: "m".into() }
}

/// A finished answer as the gateway's own chunks.
fn chunks() -> Bytes {
    let chunk = |delta: serde_json::Value, finish: serde_json::Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        format!("data: {}\n\n", json!({"id": "c1", "model": "m", "created": 7, "choices": [choice]}))
    };
    let call = json!({"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}});
    let usage = json!({"id": "c1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}});
    let text = [
        chunk(json!({"role": "assistant", "content": "Grüße "}), json!(null)),
        chunk(json!({"content": "👋"}), json!(null)),
        chunk(json!({"tool_calls": [call]}), json!(null)),
        chunk(json!({}), json!("tool_calls")),
        format!("data: {usage}\n\ndata: [DONE]\n\n"),
    ];
    text.concat().into()
}

/// The same as a target of this dialect sends it.
fn sent(dialect: Dialect) -> Bytes {
    let mut outbound = Outbound::new((dialect, Framing::Sse), &origin(), shown(), "r", EVENT_BYTES_MAX);
    [outbound.push(chunks()), outbound.close()].concat().into()
}

fn received(dialect: Dialect, pieces: &[Bytes]) -> (String, Option<Cause>) {
    let mut inbound = Inbound::new(dialect, &origin(), shown(), EVENT_BYTES_MAX);
    let (mut out, mut failed) = (Vec::new(), None);
    for piece in pieces.iter().cloned().map(|piece| inbound.push(piece)).collect::<Vec<_>>() {
        out.extend_from_slice(&piece.0);
        failed = failed.or(piece.1);
    }
    let (rest, failure) = inbound.close();
    out.extend_from_slice(&rest);
    (String::from_utf8(out).unwrap(), failed.or(failure).map(|failure| failure.cause))
}

#[test]
fn every_framing_is_read_whatever_its_cuts() {
    for dialect in [Dialect::Anthropic, Dialect::Gemini, Dialect::Bedrock, Dialect::Chat] {
        let stream = sent(dialect);
        let whole = received(dialect, std::slice::from_ref(&stream));
        assert_eq!(whole.1, None, "{dialect:?}: {}", whole.0);
        for part in ["Grüße ", "👋", "\"name\":\"f\"", "tool_calls", "\"total_tokens\":7", "[DONE]"] {
            assert!(whole.0.contains(part), "{dialect:?}: {part}: {}", whole.0);
        }
        for at in 1..stream.len() {
            let cut = received(dialect, &[stream.slice(..at), stream.slice(at..)]);
            assert_eq!(cut, whole, "{dialect:?}, cut at {at}");
        }
        let bytes: Vec<Bytes> = (0..stream.len()).map(|at| stream.slice(at..=at)).collect();
        assert_eq!(received(dialect, &bytes), whole, "{dialect:?}");
        let torn = received(dialect, &[stream.slice(..stream.len() / 2)]);
        assert!(!torn.0.contains("[DONE]"), "{dialect:?}: {}", torn.0);
    }
}

#[test]
fn bytes_of_another_framing_are_a_failure_and_no_answer() {
    for (bytes, cause) in [
        (Bytes::from_static(b"data: {\"choices\":[]}\n\n"), Cause::ProtocolError),
        (sent(Dialect::Bedrock).slice(1..), Cause::ProtocolError),
        (
            Bytes::from(crate::eventstream::encode([], &vec![b'x'; 2 * EVENT_BYTES_MAX]).unwrap()),
            Cause::ResponseTooLarge,
        ),
    ] {
        let (out, failed) = received(Dialect::Bedrock, &[bytes, sent(Dialect::Bedrock)]);
        assert_eq!((&*out, failed), ("", Some(cause)));
    }
}

#[test]
fn the_path_says_what_bedrock_is_asked_for() {
    let body =
        br#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"inferenceConfig":{"maxTokens":5}}"#;
    let heading = Heading { model: "a.b:0", stream: true, ..Heading::default() };
    let asked = read_request(Dialect::Bedrock, body, heading).unwrap();
    let chat: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!((&chat["model"], &chat["stream"]), (&json!("a.b:0"), &json!(true)));
    assert_eq!(chat["messages"][0]["content"], "Hi");
}
