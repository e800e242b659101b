//! Tools, and whether they have to be called.

use super::super::{DIALECT, names};
use super::quoted;
use crate::chat::{BadField, Fields, Rest, Tool, ToolChoice, ToolKind};
use serde_json::{Map, Value, json};

/// Takes `tools`.
pub(super) fn decode(fields: &mut Fields) -> Result<Vec<Tool>, BadField> {
    let mut tools = Vec::new();
    for mut tool in fields.objects("tools")?.unwrap_or_default() {
        if tool.peek("type").and_then(Value::as_str) != Some("namespace") {
            tools.push(decode_one(tool, None)?);
            continue;
        }
        tool.take("type");
        let inner = tool.objects("tools")?.unwrap_or_default();
        let name = tool.peek("name").and_then(Value::as_str).map(str::to_owned);
        let Some(name) = name else { return Err(tool.missing("name", "a string")) };
        let group = tool.rest().of(DIALECT).cloned().unwrap_or_default();
        for tool in inner {
            tools.push(decode_one(tool, Some((&name, &group)))?);
        }
    }
    Ok(tools)
}

fn decode_one(mut tool: Fields, group: Option<(&str, &Map<String, Value>)>) -> Result<Tool, BadField> {
    let kind = tool.peek("type").and_then(Value::as_str).unwrap_or("function").to_owned();
    if kind != "function" && kind != "custom" {
        // Run by the vendor: only its own dialect knows what it does.
        let members = tool.rest().of(DIALECT).cloned().unwrap_or_default();
        let kind = ToolKind::Hosted(DIALECT, Value::Object(members));
        return Ok(Tool { kind, cache: None, rest: Rest::default() });
    }
    tool.take("type");
    let name = names::flat(group.map(|group| group.0), tool.need_text("name")?).into();
    let description = tool.text("description")?;
    let known = if kind == "custom" {
        ToolKind::Custom { name, description, format: tool.take("format").map(chat_format) }
    } else {
        let parameters = tool.map("parameters")?.map(Value::Object);
        ToolKind::Function { name, description, parameters, strict: tool.flag("strict")? }
    };
    let mut rest = tool.rest().of(DIALECT).cloned().unwrap_or_default();
    if let Some((_, members)) = group {
        rest.insert(names::GROUP.to_owned(), Value::Object(members.clone()));
    }
    Ok(Tool { kind: known, cache: None, rest: Rest::new(DIALECT, rest) })
}

/// A grammar as Chat Completions nests it.
fn chat_format(mut format: Value) -> Value {
    match &mut format {
        Value::Object(members)
            if members.get("type") == Some(&json!("grammar")) && !members.contains_key("grammar") =>
        {
            members.shift_remove("type");
            json!({"type": "grammar", "grammar": std::mem::take(members)})
        }
        _ => format,
    }
}

/// Takes `tool_choice`.
pub(super) fn choice(fields: &mut Fields) -> Result<Option<ToolChoice>, BadField> {
    match fields.take("tool_choice") {
        None => Ok(None),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            "required" => Ok(Some(ToolChoice::Required)),
            other => {
                let expected = "`auto`, `none`, `required` or an object that names a tool";
                Err(fields.invalid("tool_choice", &quoted(other), expected))
            }
        },
        Some(value) => {
            let mut choice = Fields::new(DIALECT, fields.path("tool_choice"), value)?;
            let kind = choice.peek("type").and_then(Value::as_str).unwrap_or("").to_owned();
            match kind.as_str() {
                "function" | "custom" => Ok(Some(ToolChoice::Tool(named(&mut choice)?.into()))),
                "allowed_tools" if names_all(&choice) => allowed(choice).map(Some),
                "" => Err(choice.missing("type", "`function`, `custom` or `allowed_tools`")),
                _ => {
                    let members = choice.rest().of(DIALECT).cloned().unwrap_or_default();
                    Ok(Some(ToolChoice::Other(DIALECT, Value::Object(members))))
                }
            }
        }
    }
}

fn named(tool: &mut Fields) -> Result<String, BadField> {
    let group = tool.text("namespace")?;
    Ok(names::flat(group.as_deref(), tool.need_text("name")?))
}

/// Whether every tool of the list has a name: those that the vendor runs have none, and are known to it alone.
fn names_all(choice: &Fields) -> bool {
    let tools = choice.peek("tools").and_then(Value::as_array);
    tools.is_none_or(|tools| tools.iter().all(|tool| tool.get("name").is_some_and(Value::is_string)))
}

fn allowed(mut choice: Fields) -> Result<ToolChoice, BadField> {
    let required = match choice.need_text("mode")?.as_str() {
        "auto" => false,
        "required" => true,
        other => return Err(choice.invalid("mode", &quoted(other), "`auto` or `required`")),
    };
    let mut names = Vec::new();
    for mut tool in choice.objects("tools")?.unwrap_or_default() {
        names.push(named(&mut tool)?.into());
    }
    Ok(ToolChoice::Allowed { names, required })
}
