//! Tools, and whether they have to be called.

use super::{DIALECT, cache, nothing_else};
use crate::chat::{BadField, CacheHint, Fields, Rest, Tool, ToolChoice, ToolKind};
use serde_json::Value;

/// The list of tools.
pub(in crate::anthropic) fn tools(list: Vec<Value>) -> Result<Vec<Tool>, BadField> {
    list.into_iter().enumerate().map(|(number, value)| tool(format!("tools[{number}]"), value)).collect()
}

fn tool(path: String, value: Value) -> Result<Tool, BadField> {
    let is_function = match value.get("type") {
        None | Some(Value::Null) => true,
        Some(kind) => kind == "custom",
    };
    if !is_function {
        return Ok(Tool { kind: ToolKind::Hosted(DIALECT, value), cache: None, rest: Rest::default() });
    }
    let mut fields = Fields::new(DIALECT, path, value)?;
    fields.take("type");
    let name = fields.need_text("name")?.into();
    let description = fields.text("description")?;
    let missing = fields.missing("input_schema", "a JSON Schema of the tool's input");
    let parameters = Some(Value::Object(fields.map("input_schema")?.ok_or(missing)?));
    let strict = fields.flag("strict")?;
    let cache: Option<CacheHint> = cache(&mut fields)?;
    let kind = ToolKind::Function { name, description, parameters, strict };
    Ok(Tool { kind, cache, rest: fields.rest() })
}

/// `tool_choice`, and whether several tools may be called in one turn, which stands in it.
pub(in crate::anthropic) fn tool_choice(
    fields: &mut Fields,
) -> Result<(Option<ToolChoice>, Option<bool>), BadField> {
    let Some(mut choice) = fields.object("tool_choice")? else { return Ok((None, None)) };
    let kind = choice.need_text("type")?;
    let parallel = choice.flag("disable_parallel_tool_use")?.map(|disabled| !disabled);
    let read = match kind.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Tool(choice.need_text("name")?.into()),
        other => {
            let expected = "`auto`, `any`, `tool` or `none`";
            return Err(choice.invalid("type", &format!("`{other}`"), expected));
        }
    };
    nothing_else(choice)?;
    Ok((Some(read), parallel))
}
