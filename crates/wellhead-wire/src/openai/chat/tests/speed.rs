//! Translation of a long conversation takes time in proportion to its length.

use super::super::{Options, decode_request, encode_request};
use super::target;
use crate::chat::Losses;
use serde_json::{Value, json};

fn conversation(turns: usize) -> Vec<u8> {
    let call = |n: usize| json!([{"id": format!("call_{n}"), "type": "function", "function": {"name": "f", "arguments": "{\"path\":\"src/lib.rs\"}"}}]);
    let turn = |n: usize| {
        [
            json!({"role": "user", "content": "Please change it. ".repeat(20)}),
            json!({"role": "assistant", "content": null, "tool_calls": call(n)}),
            json!({"role": "tool", "tool_call_id": format!("call_{n}"), "content": "line of a file\n".repeat(100)}),
            json!({"role": "assistant", "content": "Done. ".repeat(20)}),
        ]
    };
    let messages: Vec<Value> = (0..turns).flat_map(turn).collect();
    json!({"model": "m", "messages": messages}).to_string().into_bytes()
}

/// Allocations would be the better measure; bytes out against bytes in shows at least that nothing is doubled, and the
/// size that it is for a conversation of a megabyte.
#[test]
fn a_megabyte_goes_through_whole() {
    let body = conversation(500);
    assert!(body.len() > 1_000_000);
    let request = decode_request(&body).unwrap();
    assert_eq!(request.messages.len(), 2000);
    let encoded = encode_request(&request, &target(), &Losses::NONE, &Options::default()).unwrap();
    assert!(encoded.body.len().abs_diff(body.len()) < 1000, "{} {}", encoded.body.len(), body.len());
}

/// `cargo test --release -p wellhead-wire -- --ignored --nocapture megabyte` prints milliseconds.
#[test]
#[ignore = "a measurement: its number depends on the machine"]
fn milliseconds_for_a_megabyte() {
    let body = conversation(500);
    let start = std::time::Instant::now();
    for _ in 0..20 {
        let request = decode_request(&body).unwrap();
        let encoded = encode_request(&request, &target(), &Losses::NONE, &Options::default()).unwrap();
        assert!(!encoded.body.is_empty());
    }
    let each = start.elapsed() / 20;
    #[allow(clippy::print_stderr, reason = "this is what it is for")]
    {
        eprintln!("{} bytes: {each:?}", body.len());
    }
}
