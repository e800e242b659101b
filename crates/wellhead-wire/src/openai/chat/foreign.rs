//! Thoughts of other dialects' models in a conversation that goes to a target of this one: a signature that is not its own is
//! refused by every vendor that checks them (wire.md, trap 7). All else stays as the client wrote it.

use crate::chat::{Dialect, Opaque};
use serde_json::{Map, Value};

/// The request without what other vendors signed or encrypted. `None` if it is no JSON object.
pub fn without_foreign_thoughts(body: &[u8]) -> Option<Vec<u8>> {
    let mut request: Value = serde_json::from_slice(body).ok()?;
    let messages = request.as_object_mut()?.get_mut("messages").and_then(Value::as_array_mut);
    for message in messages.into_iter().flatten().filter_map(Value::as_object_mut) {
        clean(message);
        let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
        calls.into_iter().flatten().filter_map(Value::as_object_mut).for_each(clean);
    }
    serde_json::to_vec(&request).ok()
}

/// Takes the marked members out of a message or a call, and what is empty without them.
fn clean(object: &mut Map<String, Value>) {
    if let Some(Value::Array(details)) = object.get_mut("reasoning_details") {
        details.retain(|entry| !["signature", "data"].iter().any(|name| is_foreign(entry.get(name))));
        if details.is_empty() {
            object.shift_remove("reasoning_details");
        }
    }
    let Some(Value::Object(extra)) = object.get_mut("extra_content") else { return };
    if let Some(Value::Object(google)) = extra.get_mut("google") {
        google.retain(|_, value| !is_foreign(Some(value)));
        if google.is_empty() {
            extra.shift_remove("google");
        }
    }
    if extra.is_empty() {
        object.shift_remove("extra_content");
    }
}

fn is_foreign(value: Option<&Value>) -> bool {
    let text = value.and_then(Value::as_str);
    text.is_some_and(|text| Opaque::from_text(Dialect::Chat, text).origin.is_some())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::without_foreign_thoughts;
    use crate::chat::Opaque;
    use serde_json::{Value, json};

    #[test]
    fn what_others_signed_is_taken_out_and_nothing_else() {
        let marked = "wh1~anthropic~p~m~QUJD";
        let body = json!({"model": "m", "unknown": 1, "messages": [
            {"role": "user", "content": "wh1~ is a text"},
            {"role": "assistant", "content": "a", "reasoning_content": "b",
             "reasoning_details": [
                {"type": "reasoning.text", "text": "b", "signature": marked},
                {"type": "reasoning.text", "text": "own", "signature": "T3du"},
             ],
             "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"},
                "extra_content": {"google": {"thought_signature": "wh1~gemini~p~m~QUJD"}}}]},
            {"role": "assistant", "content": null, "reasoning_details": [{"type": "reasoning.encrypted", "data": marked}]},
        ]});
        let bytes = body.to_string();
        assert!(Opaque::is_in(bytes.as_bytes()));
        let left: Value =
            serde_json::from_slice(&without_foreign_thoughts(bytes.as_bytes()).unwrap()).unwrap();
        let expected = json!({"model": "m", "unknown": 1, "messages": [
            {"role": "user", "content": "wh1~ is a text"},
            {"role": "assistant", "content": "a", "reasoning_content": "b",
             "reasoning_details": [{"type": "reasoning.text", "text": "own", "signature": "T3du"}],
             "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "assistant", "content": null},
        ]});
        assert_eq!(left, expected);
        assert_eq!(without_foreign_thoughts(b"[]"), None);
    }

    #[test]
    fn a_mark_is_found_wherever_it_stands() {
        assert!(Opaque::is_in(b"\"wh1~x") && Opaque::is_in(b"~ ~wh1~"));
        assert!(!Opaque::is_in(b"wh1") && !Opaque::is_in(b"~wh1 ~ w~") && !Opaque::is_in(b""));
    }
}
