//! Tool calls that come in one piece.

use super::members::{Members, object, take, text, word};
use super::thought;
use crate::chat::{Opaque, ToolCall};
use serde_json::{Map, Value, json};

/// What a call, or a piece of one, says.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) arguments: Option<String>,
    pub(super) is_custom: bool,
    pub(super) signature: Option<String>,
}

/// Takes an entry of `tool_calls` apart.
pub(super) fn said(call: &mut Members) -> Said {
    let id = word(call, "id");
    let kind = text(call, "type");
    let signature = thought::signature(call);
    if let Some(mut custom) = object(call, "custom") {
        let (name, arguments) = (word(&mut custom, "name"), text(&mut custom, "input"));
        return Said { id, name, arguments, is_custom: true, signature };
    }
    // Some write the members of `function` beside it.
    let mut function = object(call, "function").unwrap_or_else(|| std::mem::take(call));
    let is_custom = kind.as_deref() == Some("custom");
    Said { id, signature, is_custom, ..function_said(&mut function) }
}

/// Takes `function`, or the old `function_call`, apart.
pub(super) fn function_said(function: &mut Members) -> Said {
    let name = word(function, "name");
    let arguments = match take(function, "arguments") {
        Some(Value::String(text)) => Some(text),
        // Some give the object itself.
        Some(value @ Value::Object(_)) => Some(value.to_string()),
        _ => None,
    };
    Said { name, arguments, ..Said::default() }
}

impl Said {
    /// As a whole call. `number` is its place, for vendors that name none.
    pub(super) fn whole(self, number: usize, opaque: &dyn Fn(&str) -> Opaque) -> Option<ToolCall> {
        let Self { id, name, arguments, is_custom, signature } = self;
        let arguments = arguments.filter(|text| is_custom || !text.trim().is_empty());
        Some(ToolCall {
            id: id.unwrap_or_else(|| made_id(None, number)).into(),
            name: name?.into(),
            arguments: arguments.unwrap_or_else(|| if is_custom { String::new() } else { "{}".to_owned() }),
            is_custom,
            opaque: signature.as_deref().map(opaque),
            cache: None,
        })
    }
}

/// An id for a call whose vendor gave none, told from those of other answers by the answer's own id.
pub(super) fn made_id(answer: Option<&str>, number: usize) -> String {
    let answer: String = answer.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    let tail = &answer[answer.len().saturating_sub(16)..];
    if tail.is_empty() { format!("call_{number}") } else { format!("call_{tail}_{number}") }
}

/// An entry of `tool_calls`.
pub(super) fn write(call: &ToolCall, id: &str, proof: Option<&str>) -> Map<String, Value> {
    let mut entry = Map::new();
    entry.insert("id".to_owned(), json!(id));
    if call.is_custom {
        entry.insert("type".to_owned(), json!("custom"));
        entry.insert("custom".to_owned(), json!({"name": call.name, "input": call.arguments}));
    } else {
        entry.insert("type".to_owned(), json!("function"));
        entry.insert(
            "function".to_owned(),
            json!({"name": call.name, "arguments": arguments(&call.arguments)}),
        );
    }
    if let Some(proof) = proof {
        entry.insert("extra_content".to_owned(), thought::with_signature(proof));
    }
    entry
}

/// Arguments are never an empty text: clients and vendors parse them (wire.md, trap 5).
pub(super) fn arguments(text: &str) -> &str {
    if text.trim().is_empty() { "{}" } else { text }
}
