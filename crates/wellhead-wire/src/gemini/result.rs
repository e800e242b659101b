//! What a tool answered: an object in this dialect, text in all others.
//!
//! `output` and `error` are the names that Google documents for a plain result and for a failure. A text that is itself
//! a compact JSON object goes as that object and comes back as the same text.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// What a response says, as text, and whether it is a failure. `None`: nothing at all.
pub(super) fn text_of(response: Map<String, Value>) -> (Option<String>, bool) {
    if response.len() > 1 {
        return (Some(to_text(&response)), false);
    }
    let Some((name, value)) = response.into_iter().next() else { return (None, false) };
    match (name.as_str(), value) {
        ("error", Value::String(error)) => (Some(error), true),
        ("output", Value::String(output)) if !is_compact_object(&output) => (Some(output), false),
        ("output", Value::Object(inner)) if is_named(&inner) => (Some(to_text(&inner)), false),
        (_, value) => (Some(to_text(&Map::from_iter([(name, value)]))), false),
    }
}

/// A response that says a text.
pub(super) enum Said<'a> {
    /// As it is.
    Object(&'a RawValue),
    /// Under one of the two names.
    Named(&'static str, &'a str),
    /// Under a name, as an object.
    Within(&'static str, &'a RawValue),
}

/// The inverse of [`text_of`].
pub(super) fn said(text: &str, is_error: bool) -> Said<'_> {
    if is_error {
        return Said::Named("error", text);
    }
    let Some(object) = compact_object(text) else { return Said::Named("output", text) };
    let Ok(raw) = serde_json::from_str(text) else { return Said::Named("output", text) };
    if is_named(&object) { Said::Within("output", raw) } else { Said::Object(raw) }
}

/// Whether [`text_of`] would look into it.
fn is_named(object: &Map<String, Value>) -> bool {
    object.len() == 1
        && match (object.get("output"), object.get("error")) {
            (_, Some(Value::String(_))) => true,
            (Some(Value::String(output)), _) => !is_compact_object(output),
            (Some(Value::Object(inner)), _) => is_named(inner),
            _ => false,
        }
}

fn is_compact_object(text: &str) -> bool {
    compact_object(text).is_some()
}

/// The object that the text is, if it is one with members, written without spaces.
fn compact_object(text: &str) -> Option<Map<String, Value>> {
    if !text.starts_with("{\"") || !text.ends_with('}') {
        return None;
    }
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    (to_text(&object) == text).then_some(object)
}

pub(super) fn to_text(object: &Map<String, Value>) -> String {
    // Maps of JSON values have nothing that cannot be written.
    serde_json::to_string(object).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{Said, said, text_of};
    use serde_json::{Map, Value, json};

    fn written(text: &str, is_error: bool) -> Map<String, Value> {
        let value = match said(text, is_error) {
            Said::Object(raw) => serde_json::from_str(raw.get()).unwrap(),
            Said::Named(name, text) => json!({name: text}),
            Said::Within(name, raw) => json!({name: serde_json::from_str::<Value>(raw.get()).unwrap()}),
        };
        value.as_object().unwrap().clone()
    }

    #[test]
    fn texts_survive_as_objects() {
        for text in [
            "",
            "21 degrees",
            "{}",
            "{\"a\":1}",
            "{ \"a\": 1 }",
            "{\"output\":\"x\"}",
            "{\"error\":\"x\"}",
            "{\"error\":5}",
            "{\"output\":\"{\\\"a\\\":1}\"}",
            "{\"output\":{\"output\":\"x\"}}",
            "{\"output\":{\"a\":1}}",
            "[1]",
            "{\"a\":1",
            "{\"n\":12345678901234567890123}",
        ] {
            for is_error in [false, true] {
                let response = written(text, is_error);
                assert_eq!(text_of(response.clone()), (Some(text.to_owned()), is_error), "{response:?}");
            }
        }
    }

    #[test]
    fn objects_survive_as_texts() {
        for object in [
            json!({"a": [1, {"b": null}]}),
            json!({"output": "x"}),
            json!({"output": "{\"a\":1}"}),
            json!({"output": {"error": "x"}}),
            json!({"output": 7}),
            json!({"error": "no"}),
            json!({"error": {"code": 7}}),
            json!({"output": "x", "error": "y"}),
        ] {
            let (text, is_error) = text_of(object.as_object().unwrap().clone());
            assert_eq!(Value::Object(written(&text.unwrap(), is_error)), object);
        }
        assert_eq!(text_of(Map::new()), (None, false));
    }
}
