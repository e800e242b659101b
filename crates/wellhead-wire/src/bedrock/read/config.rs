//! Tools, the form of the answer, and what a vendor's models take besides.

use super::block::tool_cache;
use crate::anthropic;
use crate::bedrock::DIALECT;
use crate::chat::{
    BadField, Effort, Fields, Format, ReasoningAsk, ReasoningMode, Request, Rest, Tool, ToolChoice, ToolKind,
};
use serde_json::{Map, Value};

/// `toolConfig`.
pub(super) fn tools(fields: &mut Fields, request: &mut Request) -> Result<(), BadField> {
    let Some(mut config) = fields.object("toolConfig")? else { return Ok(()) };
    let path = config.path("tools");
    for (number, value) in config.list("tools")?.unwrap_or_default().into_iter().enumerate() {
        if let Some(hint) = tool_cache(&value)
            && let Some(last) = request.tools.last_mut()
            && last.cache.is_none()
        {
            last.cache = Some(hint);
            continue;
        }
        request.tools.push(tool(format!("{path}[{number}]"), value)?);
    }
    let Some(choice) = config.take("toolChoice") else { return Ok(()) };
    let is = |name: &str| choice.get(name).is_some_and(Value::is_object);
    let named = choice.pointer("/tool/name").and_then(Value::as_str);
    request.tool_choice = Some(match named {
        Some(name) => ToolChoice::Tool(name.into()),
        None if is("auto") => ToolChoice::Auto,
        None if is("any") => ToolChoice::Required,
        None => ToolChoice::Other(DIALECT, choice),
    });
    Ok(())
}

fn tool(path: String, value: Value) -> Result<Tool, BadField> {
    if value.get("toolSpec").is_none() {
        let kind = ToolKind::Hosted(DIALECT, value);
        return Ok(Tool { kind, cache: None, rest: Rest::default() });
    }
    let mut fields = Fields::new(DIALECT, path, value)?;
    let missing = fields.missing("toolSpec", "an object");
    let mut spec = fields.object("toolSpec")?.ok_or(missing)?;
    let name = spec.need_text("name")?.into();
    let description = spec.text("description")?;
    let missing = spec.missing("inputSchema", "an object with `json`");
    let mut schema = spec.object("inputSchema")?.ok_or(missing)?;
    let missing = schema.missing("json", "a JSON Schema of the tool's input");
    let parameters = Some(Value::Object(schema.map("json")?.ok_or(missing)?));
    let strict = spec.flag("strict")?;
    let kind = ToolKind::Function { name, description, parameters, strict };
    Ok(Tool { kind, cache: None, rest: spec.rest() })
}

/// `outputConfig`; what is left of it comes back.
pub(super) fn output(fields: &mut Fields, request: &mut Request) -> Result<Map<String, Value>, BadField> {
    let Some(mut config) = fields.object("outputConfig")? else { return Ok(Map::new()) };
    if let Some(word) = config.text("effort")? {
        let expected = "`low`, `medium`, `high`, `xhigh` or `max`";
        let unknown = config.invalid("effort", &format!("`{word}`"), expected);
        let effort = Effort::from_word(&word).ok_or(unknown)?;
        request.reasoning.get_or_insert_with(ReasoningAsk::default).effort = Some(effort);
    }
    if let Some(format) = config.object("textFormat")? {
        request.output.format = Some(text_format(format)?);
    }
    Ok(config.rest().of(DIALECT).cloned().unwrap_or_default())
}

fn text_format(mut format: Fields) -> Result<Format, BadField> {
    let kind = format.need_text("type")?;
    if kind != "json_schema" {
        return Err(format.invalid("type", &format!("`{kind}`"), "`json_schema`"));
    }
    let missing = format.missing("structure", "an object with `jsonSchema`");
    let mut structure = format.object("structure")?.ok_or(missing)?;
    let missing = structure.missing("jsonSchema", "an object with `schema`");
    let mut definition = structure.object("jsonSchema")?.ok_or(missing)?;
    let text = definition.need_text("schema")?;
    let wrong = definition.invalid("schema", "no JSON", "a JSON Schema as a text");
    Ok(Format::JsonSchema {
        name: definition.text("name")?.map(Into::into),
        description: definition.text("description")?,
        schema: serde_json::from_str(&text).map_err(|_| wrong)?,
        strict: None,
    })
}

/// `additionalModelRequestFields`; what is left of it comes back.
pub(super) fn additional(fields: &mut Fields, request: &mut Request) -> Result<Map<String, Value>, BadField> {
    let Some(mut more) = fields.object("additionalModelRequestFields")? else { return Ok(Map::new()) };
    request.sampling.top_k = match more.peek("inferenceConfig").and_then(|config| config.get("topK")) {
        Some(_) => match more.object("inferenceConfig")? {
            Some(mut config) => config.count("topK")?,
            None => None,
        },
        None => more.count("top_k")?,
    };
    if let Some(ask) = anthropic::read_thinking(&mut more, None)? {
        let effort = request.reasoning.take().and_then(|reasoning| reasoning.effort);
        request.reasoning = Some(ReasoningAsk { effort, ..ask });
    }
    if let Some(config) = more.object("reasoningConfig")? {
        request.reasoning = Some(reasoning_config(config)?);
    }
    let word = more.peek("reasoning_effort").and_then(Value::as_str).and_then(Effort::from_word);
    if let Some(effort) = word {
        more.take("reasoning_effort");
        request.reasoning.get_or_insert_with(ReasoningAsk::default).effort = Some(effort);
    }
    if let Some(mut choice) = more.object("tool_choice")? {
        request.parallel_tool_calls = choice.flag("disable_parallel_tool_use")?.map(|disabled| !disabled);
        let name = choice.text("name")?;
        request.tool_choice = match (choice.text("type")?.as_deref(), name) {
            (Some("auto"), _) => Some(ToolChoice::Auto),
            (Some("any"), _) => Some(ToolChoice::Required),
            (Some("none"), _) => Some(ToolChoice::None),
            (Some("tool"), Some(name)) => Some(ToolChoice::Tool(name.into())),
            _ => request.tool_choice.take(),
        };
    }
    Ok(more.rest().of(DIALECT).cloned().unwrap_or_default())
}

/// How models of Amazon's are asked to think.
fn reasoning_config(mut config: Fields) -> Result<ReasoningAsk, BadField> {
    let is_off = config.text("type")?.as_deref() == Some("disabled");
    let mode = if is_off { ReasoningMode::Disabled } else { ReasoningMode::Enabled };
    let effort = config.text("maxReasoningEffort")?.as_deref().and_then(Effort::from_word);
    Ok(ReasoningAsk { mode, effort, ..ReasoningAsk::default() })
}
