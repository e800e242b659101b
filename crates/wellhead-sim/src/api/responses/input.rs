//! The input of a response: a text, or items of several kinds.

use serde_json::{Map, Value};
use wellhead_wire::chat::Dialect;
use wellhead_wire::translate::{Heading, read_request};

use crate::api::chat::{Talk, content_text};
use crate::api::params::{given, missing, text};
use crate::mind::{count, hash};
use crate::reply::{self, Reply};

/// Tokens that the frame of one item costs.
const ITEM_TOKENS: u64 = 4;

/// Boils the input down to what the answer depends on.
pub(super) fn talk(object: &Map<String, Value>) -> Result<Talk, Reply> {
    let instructions = text(object, "instructions")?.unwrap_or("");
    let mut talk = Talk { tokens: 3 + count(instructions), ..Talk::default() };
    if let Some(tools) = given(object, "tools") {
        talk.tokens += count(&tools.to_string());
    }
    match given(object, "input") {
        None => return Err(missing("input")),
        Some(Value::String(said)) => {
            talk.tokens += ITEM_TOKENS + count(said);
            talk.last_user.clone_from(said);
            talk.hash = hash(0, said.as_bytes());
        }
        Some(Value::Array(items)) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                add(&mut talk, index, item)?;
            }
            let begun =
                items.last().filter(|last| last.get("role").and_then(Value::as_str) == Some("assistant"));
            talk.prefill =
                begun.and_then(|begun| begun.get("content")).map(|content| content_text(content).0);
            let asked = items.get(..items.len() - usize::from(begun.is_some())).unwrap_or(items);
            talk.hash = serde_json::to_vec(asked).map_or(0, |bytes| hash(0, &bytes));
        }
        Some(_) => {
            let message =
                "Invalid value for 'input': expected a string or an array of items that is not empty.";
            return Err(reply::invalid("input", message));
        }
    }
    // Other instructions, another answer.
    talk.hash = hash(talk.hash, instructions.as_bytes());
    if let Some(same) = as_chat(object) {
        talk.hash = same;
    }
    Ok(talk)
}

/// The hash of the same conversation at the chat endpoint: a model says the same wherever it is asked. `None` where the
/// conversation has what only this endpoint knows.
fn as_chat(object: &Map<String, Value>) -> Option<u64> {
    let body = serde_json::to_vec(object).ok()?;
    let asked = read_request(Dialect::Responses, &body, Heading::default()).ok()?;
    let body: Value = serde_json::from_slice(&asked.body).ok()?;
    Talk::from_chat(body.as_object()?).ok().map(|talk| talk.hash)
}

fn add(talk: &mut Talk, index: usize, item: &Value) -> Result<(), Reply> {
    let word = |name: &str| item.get(name).and_then(Value::as_str);
    talk.tokens += ITEM_TOKENS;
    talk.after_tool = false;
    match word("type").unwrap_or("message") {
        "message" => {
            let at = format!("input[{index}].role");
            let role = word("role").ok_or_else(|| missing(&at))?;
            if !["user", "assistant", "system", "developer"].contains(&role) {
                let message =
                    format!("Invalid value for '{at}': known are user, assistant, system, developer.");
                return Err(reply::invalid(&at, &message));
            }
            let content = item.get("content").filter(|content| content.is_string() || content.is_array());
            let (said, tokens) =
                content_text(content.ok_or_else(|| missing(&format!("input[{index}].content")))?);
            talk.tokens += tokens;
            if role == "user" {
                talk.last_user = said;
            }
        }
        "function_call_output" | "custom_tool_call_output" => {
            word("call_id").ok_or_else(|| missing(&format!("input[{index}].call_id")))?;
            talk.tokens += item.get("output").map_or(0, |output| count(&output.to_string()));
            talk.after_tool = true;
        }
        // Calls, reasoning, references and the items of the vendor's own tools: counted, not understood.
        _ => talk.tokens += count(&item.to_string()),
    }
    Ok(())
}
