//! What clients of other dialects ask, as it is written for this one: goldens of every pair. `WELLHEAD_BLESS=1` writes
//! them; Amazon's own model of the operation judges them in tests/clients/python/test_bedrock_types.py.

use super::random::CAN;
use super::{CLAUDE, LLAMA, MISTRAL, NEWER, NOVA, encode, json};
use crate::anthropic::Version;
use crate::chat::{Losses, Request};
use crate::checks::chat::{Can, request};
use crate::{anthropic, gemini, openai};
use serde_json::{Value, json};
use std::path::Path;

const CHAT: &str = include_str!("../../openai/chat/tests/full_request.json");
const GEMINI: &str = include_str!("../../gemini/tests/data/full_request.json");

/// A request in Anthropic's dialect with whatever this one has a place for.
fn from_anthropic() -> Request {
    let asked = json!({
        "model": "mine", "max_tokens": 3000,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
                {"type": "document", "title": "a_b.pdf", "citations": {"enabled": true},
                    "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": 1}},
                {"type": "tool_use", "id": "toolu_2", "name": "look", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "seen"},
                {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": true, "content": [{"type": "text", "text": "dark"}]},
                {"type": "text", "text": "Well?", "cache_control": {"type": "ephemeral"}},
            ]},
        ],
        "tools": [{"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {"at": {"type": "integer"}}}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}, "additionalProperties": false}}},
        "top_k": 5, "stop_sequences": ["END"], "stream": true, "metadata": {"user_id": "u"},
    });
    anthropic::decode_request(asked.to_string().as_bytes(), Version::V2023).unwrap()
}

/// Compares with the golden, or writes it.
fn golden(name: &str, value: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bedrock/tests/data").join(name);
    let text = serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("WELLHEAD_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let known = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
    assert_eq!(json(known.as_bytes()), *value, "{name}: WELLHEAD_BLESS=1 writes what is new");
}

/// The body, and what was left out.
fn told(request: &Request, model: &str) -> Value {
    let encoded = encode(request, model, &Losses::allowed(["*"])).unwrap();
    let dropped: Vec<&str> = encoded.dropped.iter().map(|dropped| &*dropped.param).collect();
    json!({"model": model, "body": json(&encoded.body), "dropped": dropped})
}

#[test]
fn what_clients_of_other_dialects_ask() {
    let chat = openai::chat::decode_request(CHAT.as_bytes()).unwrap();
    let gemini = gemini::decode_request(GEMINI.as_bytes(), "mine", false).unwrap();
    let anthropic = from_anthropic();
    for (name, request) in
        [("from_chat.json", chat), ("from_gemini.json", gemini), ("from_anthropic.json", anthropic)]
    {
        let told: Vec<Value> =
            [CLAUDE, NEWER, NOVA, MISTRAL, LLAMA].map(|model| told(&request, model)).into();
        golden(name, &told.into());
    }
}

/// Conversations of every kind, for Amazon's own judge.
#[test]
fn conversations_for_the_judge() {
    let bodies: Vec<Value> = (0..150)
        .map(|seed| {
            // Proofs of the generator are no base64, which these have to be.
            let said = request(seed, &Can { redacted: false, ..CAN });
            told(&said, [CLAUDE, NEWER, NOVA, MISTRAL, LLAMA][usize::try_from(seed % 5).unwrap()])["body"]
                .clone()
        })
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bedrock_conversations.json");
    if path.parent().is_some_and(Path::is_dir) {
        std::fs::write(&path, Value::from(bodies.clone()).to_string()).unwrap();
    }
    assert!(bodies.iter().all(|body| body["messages"].is_array()));
}
