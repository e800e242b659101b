//! Tools that a model may call, in the shapes of chat completions and of responses.

use serde_json::{Map, Value, json};

use crate::api::params::{given, list, missing};
use crate::mind::{Call, Choice, Tool, count};
use crate::reply::{self, Reply};

/// The functions among `tools`. Responses have name and parameters at the top, chat completions under `function`.
pub(crate) fn tools(object: &Map<String, Value>) -> Result<Vec<Tool>, Reply> {
    let mut tools = Vec::new();
    for (index, tool) in list(object, "tools")?.into_iter().flatten().enumerate() {
        // Tools that the vendor itself runs (web search and the like) are accepted and never used.
        if tool.get("type").and_then(Value::as_str) != Some("function") {
            if tool.get("type").is_none() {
                return Err(missing(&format!("tools[{index}].type")));
            }
            continue;
        }
        let function = tool.get("function").unwrap_or(tool);
        let name = function.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| missing(&format!("tools[{index}].function.name")))?;
        let parameters = function.get("parameters").cloned().unwrap_or(Value::Null);
        tools.push(Tool { name: name.to_owned(), parameters });
    }
    Ok(tools)
}

/// `tool_choice`; naming a tool that is not there is an error.
pub(crate) fn choice(object: &Map<String, Value>, tools: &[Tool]) -> Result<Choice, Reply> {
    let wrong =
        |why: &str| reply::invalid("tool_choice", &format!("Invalid value for 'tool_choice': {why}."));
    match given(object, "tool_choice") {
        None => Ok(Choice::Auto),
        Some(_) if given(object, "tools").is_none() => {
            Err(wrong("it is only allowed when 'tools' are given"))
        }
        Some(Value::String(word)) => match word.as_str() {
            "auto" => Ok(Choice::Auto),
            "none" => Ok(Choice::None),
            "required" => Ok(Choice::Required),
            _ => Err(wrong("known are auto, none, required and an object that names a function")),
        },
        Some(Value::Object(named)) => {
            let name =
                named.get("function").and_then(|function| function.get("name")).or_else(|| named.get("name"));
            match name.and_then(Value::as_str) {
                Some(name) if tools.iter().any(|tool| tool.name == name) => {
                    Ok(Choice::Named(name.to_owned()))
                }
                Some(_) => Err(wrong("the function is not among 'tools'")),
                None => Err(wrong("the object must name a function")),
            }
        }
        Some(_) => Err(wrong("expected a string or an object")),
    }
}

/// Tokens that describing the tools costs.
pub(super) fn tokens(object: &Map<String, Value>) -> u64 {
    given(object, "tools").map_or(0, |tools| count(&tools.to_string()))
}

/// A call as chat completions write it.
pub(crate) fn call_json(call: &Call) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments.as_str()}})
}
