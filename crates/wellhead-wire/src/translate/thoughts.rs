//! The whole way: a target's stream to a client of another dialect, and the client's next question back to the target.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{Heading, Inbound, Outbound, Way, read_request, write_request};
use crate::chat::{Abilities, Dialect, Losses, Origin, Shown, Target};
use crate::gemini::{Framing, Service};
use crate::openai::chat::Options;
use bytes::Bytes;
use serde_json::{Value, json};

const EVENT_BYTES_MAX: usize = 1 << 20;

fn shown() -> Shown {
    Shown { model: "assistant".into(), id: "1".into(), created: 7, stream_usage: true }
}

/// What a client of Responses gets of a stream, and what the target is told of that in the next turn.
fn next_turn(dialect: Dialect, stream: &str, origin: &Origin) -> (Value, Value) {
    let mut inbound = Inbound::new(dialect, origin, shown(), EVENT_BYTES_MAX);
    let (chunks, failure) = inbound.push(Bytes::copy_from_slice(stream.as_bytes()));
    assert_eq!(failure, None);
    let unknown = Origin { provider: "".into(), model: "".into() };
    let way = (Dialect::Responses, Framing::Sse);
    let mut outbound = Outbound::new(way, &unknown, shown(), "req-1", EVENT_BYTES_MAX);
    let mut out = outbound.push(chunks).to_vec();
    out.extend_from_slice(&outbound.push(inbound.close().0));
    out.extend_from_slice(&outbound.close());
    let text = String::from_utf8(out).unwrap();
    let last = text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(last["type"], "response.completed", "{text}");
    let mut input = vec![json!({"role": "user", "content": "How is it?"})];
    input.extend(last["response"]["output"].as_array().unwrap().iter().cloned());
    input.push(json!({"type": "function_call_output", "call_id": "toolu_1", "output": "7"}));
    let tool = json!({"type": "function", "name": "weather", "parameters": {"type": "object"}});
    let asked = json!({"model": "assistant", "input": input, "tools": [tool]}).to_string();
    let asked = read_request(Dialect::Responses, asked.as_bytes(), Heading::default()).unwrap();
    let target = |origin: &Origin| Target {
        origin: origin.clone(),
        output_tokens_max: Some(4096),
        can: Abilities::default(),
    };
    let way = Way { dialect, service: Service::AiStudio, quirks: Options::default() };
    let written = |origin: &Origin| -> Value {
        let encoded = write_request(way, &asked.request, &target(origin), &Losses::allowed(["*"])).unwrap();
        serde_json::from_slice(&encoded.body).unwrap()
    };
    (written(origin), written(&Origin { provider: "other".into(), model: "other".into() }))
}

/// Wire.md, trap 7: thoughts go back to where they came from, through a client of another dialect.
#[test]
fn a_signed_thought_finds_its_way_back_through_a_client_of_responses() {
    let origin = Origin { provider: "claude".into(), model: "claude-x".into() };
    let event = |data: Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap());
    let usage = json!({"input_tokens": 1, "output_tokens": 1});
    let start = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage});
    let block = |index: u32, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let delta =
        |index: u32, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let stop = |index: u32| json!({"type": "content_block_stop", "index": index});
    let stream: String = [
        json!({"type": "message_start", "message": start}),
        block(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        delta(0, json!({"type": "thinking_delta", "thinking": "Let me see."})),
        delta(0, json!({"type": "signature_delta", "signature": "ErUBCkYI"})),
        stop(0),
        block(1, json!({"type": "redacted_thinking", "data": "EmwKAhgB"})),
        stop(1),
        block(2, json!({"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}})),
        delta(2, json!({"type": "input_json_delta", "partial_json": "{\"city\":\"Oslo\"}"})),
        stop(2),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": usage}),
        json!({"type": "message_stop"}),
    ]
    .into_iter()
    .map(event)
    .collect();
    let (own, other) = next_turn(Dialect::Anthropic, &stream, &origin);
    let turn = own["messages"][1]["content"].as_array().unwrap();
    assert_eq!(
        turn[0],
        json!({"type": "thinking", "thinking": "Let me see.", "signature": "ErUBCkYI"}),
        "{own}"
    );
    assert_eq!(turn[1], json!({"type": "redacted_thinking", "data": "EmwKAhgB"}), "{own}");
    assert_eq!((&turn[2]["type"], &turn[2]["id"]), (&json!("tool_use"), &json!("toolu_1")), "{own}");
    assert!(!other.to_string().contains("ErUBCkYI") && !other.to_string().contains("EmwKAhgB"), "{other}");
}
