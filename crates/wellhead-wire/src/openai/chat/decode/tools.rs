//! Tools, and whether they have to be called.

use super::{content, nested};
use crate::chat::{BadField, Dialect, Fields, Rest, Tool, ToolChoice, ToolKind};
use serde_json::Value;

/// Takes `tools`, or the `functions` of old.
pub(super) fn decode(fields: &mut Fields) -> Result<Vec<Tool>, BadField> {
    let mut tools = Vec::new();
    for tool in fields.objects("tools")?.unwrap_or_default() {
        tools.push(decode_one(tool)?);
    }
    for mut function in fields.objects("functions")?.unwrap_or_default() {
        let kind = function_of(&mut function)?;
        tools.push(Tool { kind, cache: None, rest: function.rest() });
    }
    Ok(tools)
}

fn decode_one(mut tool: Fields) -> Result<Tool, BadField> {
    let kind = tool.peek("type").and_then(Value::as_str).unwrap_or("function").to_owned();
    if kind != "function" && kind != "custom" {
        // Run by the vendor: only its own dialect knows what it does.
        let members = tool.rest().of(Dialect::Chat).cloned().unwrap_or_default();
        let kind = ToolKind::Hosted(Dialect::Chat, Value::Object(members));
        return Ok(Tool { kind, cache: None, rest: Rest::default() });
    }
    tool.take("type");
    let cache = content::cache(&mut tool)?;
    let Some(mut inner) = tool.object(&kind)? else {
        return Err(tool.missing(&kind, "an object with `name`"));
    };
    let known = if kind == "custom" {
        ToolKind::Custom {
            name: inner.need_text("name")?.into(),
            description: inner.text("description")?,
            format: inner.take("format"),
        }
    } else {
        function_of(&mut inner)?
    };
    Ok(Tool { kind: known, cache, rest: nested(tool, &kind, Some(inner)) })
}

fn function_of(function: &mut Fields) -> Result<ToolKind, BadField> {
    Ok(ToolKind::Function {
        name: function.need_text("name")?.into(),
        description: function.text("description")?,
        parameters: function.map("parameters")?.map(Value::Object),
        strict: function.flag("strict")?,
    })
}

/// Takes `tool_choice`, or the `function_call` of old.
pub(super) fn choice(fields: &mut Fields) -> Result<Option<ToolChoice>, BadField> {
    let name = if fields.peek("tool_choice").is_some() { "tool_choice" } else { "function_call" };
    match fields.take(name) {
        None => Ok(None),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            // Mistral's word is `any`.
            "required" | "any" => Ok(Some(ToolChoice::Required)),
            other => {
                let found = format!("`{}`", other.chars().take(40).collect::<String>());
                Err(fields.invalid(name, &found, "`auto`, `none`, `required` or an object that names a tool"))
            }
        },
        Some(value) => object(Fields::new(Dialect::Chat, fields.path(name), value)?, name).map(Some),
    }
}

fn object(mut choice: Fields, member: &str) -> Result<ToolChoice, BadField> {
    if member == "function_call" {
        return Ok(ToolChoice::Tool(choice.need_text("name")?.into()));
    }
    let kind = choice.peek("type").and_then(Value::as_str).unwrap_or("").to_owned();
    match kind.as_str() {
        "function" | "custom" => {
            let Some(mut inner) = choice.object(&kind)? else {
                return Err(choice.missing(&kind, "an object with `name`"));
            };
            Ok(ToolChoice::Tool(inner.need_text("name")?.into()))
        }
        "allowed_tools" => allowed(choice),
        "" => Err(choice.missing("type", "`function`, `custom` or `allowed_tools`")),
        _ => {
            let members = choice.rest().of(Dialect::Chat).cloned().unwrap_or_default();
            Ok(ToolChoice::Other(Dialect::Chat, Value::Object(members)))
        }
    }
}

fn allowed(mut choice: Fields) -> Result<ToolChoice, BadField> {
    let Some(mut inner) = choice.object("allowed_tools")? else {
        return Err(choice.missing("allowed_tools", "an object with `mode` and `tools`"));
    };
    let required = match inner.need_text("mode")?.as_str() {
        "auto" => false,
        "required" => true,
        _ => return Err(inner.invalid("mode", "an unknown word", "`auto` or `required`")),
    };
    let mut names = Vec::new();
    for mut tool in inner.objects("tools")?.unwrap_or_default() {
        let kind = tool.need_text("type")?;
        let Some(mut named) = tool.object(&kind)? else {
            return Err(tool.missing(&kind, "an object with `name`"));
        };
        names.push(named.need_text("name")?.into());
    }
    Ok(ToolChoice::Allowed { names, required })
}
