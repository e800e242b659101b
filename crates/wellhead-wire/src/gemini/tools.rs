//! Tools, and whether they have to be called.

use super::{GEMINI, Options, proto, schema};
use crate::chat::{BadField, Fields, Loss, Request, Rest, Target, Tool, ToolChoice, ToolKind, Unsupported};
use serde_json::{Map, Value, json};

/// Takes the tools out of a body: each declared function is one, and everything else that an item holds.
pub(super) fn read(body: &mut Fields) -> Result<Vec<Tool>, BadField> {
    let mut tools = Vec::new();
    for mut item in proto::children(body, "tools")? {
        for declared in proto::children(&mut item, "functionDeclarations")? {
            tools.push(function(declared)?);
        }
        for (name, value) in item.rest().of(GEMINI).into_iter().flatten() {
            let hosted = ToolKind::Hosted(GEMINI, json!({name: value}));
            tools.push(Tool { kind: hosted, cache: None, rest: Rest::default() });
        }
    }
    Ok(tools)
}

fn function(mut declared: Fields) -> Result<Tool, BadField> {
    let name = declared.need_text("name")?.into();
    let description = declared.text("description")?;
    let parameters = match declared.take("parametersJsonSchema") {
        Some(schema) => Some(schema),
        None => declared.take("parameters").map(schema::to_json_schema),
    };
    let kind = ToolKind::Function { name, description, parameters, strict: None };
    Ok(Tool { kind, cache: None, rest: declared.rest() })
}

/// Takes `toolConfig` out of a body. What only this dialect knows of it goes into `rest`, under its whole name.
pub(super) fn read_choice(
    body: &mut Fields,
    rest: &mut Map<String, Value>,
) -> Result<Option<ToolChoice>, BadField> {
    let Some(mut config) = proto::child(body, "toolConfig")? else { return Ok(None) };
    let mut choice = None;
    if let Some(mut calling) = proto::child(&mut config, "functionCallingConfig")? {
        let mode = calling.text("mode")?;
        let names = calling.texts("allowedFunctionNames")?.unwrap_or_default();
        let mut names: Vec<Box<str>> = names.into_iter().map(Box::from).collect();
        choice = match mode.as_deref() {
            None | Some("MODE_UNSPECIFIED") => None,
            Some("AUTO") => Some(ToolChoice::Auto),
            Some("NONE") => Some(ToolChoice::None),
            Some("ANY") if names.len() == 1 => names.pop().map(ToolChoice::Tool),
            Some("ANY") if names.is_empty() => Some(ToolChoice::Required),
            Some("ANY") => Some(ToolChoice::Allowed { names, required: true }),
            Some("VALIDATED") if names.is_empty() => {
                rest.insert("toolConfig.functionCallingConfig.mode".to_owned(), "VALIDATED".into());
                Some(ToolChoice::Auto)
            }
            Some("VALIDATED") => Some(ToolChoice::Allowed { names, required: false }),
            Some(other) => {
                let found = format!("`{other}`");
                return Err(calling.invalid("mode", &found, "AUTO, ANY, NONE or VALIDATED"));
            }
        };
        for (name, value) in calling.rest().of(GEMINI).into_iter().flatten() {
            rest.insert(format!("toolConfig.functionCallingConfig.{name}"), value.clone());
        }
    }
    for (name, value) in config.rest().of(GEMINI).into_iter().flatten() {
        rest.insert(format!("toolConfig.{name}"), value.clone());
    }
    Ok(choice)
}

/// Writes tools and choice for a target. All functions stand in one item: several are refused.
pub(super) fn write(
    request: &Request,
    target: &Target,
    options: Options,
    tool_config: &mut Map<String, Value>,
    loss: &mut Loss<'_>,
) -> Result<Vec<Value>, Unsupported> {
    if !target.can.tools && !request.tools.is_empty() {
        loss.cannot("tools", "cannot be used by this model")?;
        return Ok(Vec::new());
    }
    if request.parallel_tool_calls == Some(false) && !request.tools.is_empty() {
        loss.cannot("parallel_tool_calls", "cannot be turned off at the Gemini API")?;
    }
    let strict =
        request.tools.iter().any(|tool| matches!(tool.kind, ToolKind::Function { strict: Some(true), .. }));
    let hidden = choice(request, target, options, strict, tool_config, loss)?;
    let (mut functions, mut items) = (Vec::new(), Vec::new());
    for (at, tool) in request.tools.iter().enumerate() {
        if tool.cache.is_some() {
            loss.note("cache_control");
        }
        match &tool.kind {
            ToolKind::Function { name, .. } if hidden.iter().any(|shown| !shown.contains(&&**name)) => {}
            ToolKind::Function { .. } => functions.push(declaration(at, tool, options, loss)),
            ToolKind::Hosted(GEMINI, value) => items.push(value.clone()),
            ToolKind::Hosted(_, value) => loss.hosted(at, value)?,
            ToolKind::Custom { .. } => {
                loss.cannot(format!("tools[{at}]"), "takes free text: tools of the Gemini API take objects")?;
            }
        }
    }
    if !functions.is_empty() {
        items.insert(0, json!({"functionDeclarations": functions}));
    }
    Ok(items)
}

fn declaration(at: usize, tool: &Tool, options: Options, loss: &mut Loss<'_>) -> Value {
    let mut declared = Map::new();
    if let ToolKind::Function { name, description, parameters, strict } = &tool.kind {
        declared.insert("name".to_owned(), (&**name).into());
        if let Some(description) = description {
            declared.insert("description".to_owned(), description.as_str().into());
        }
        match parameters {
            Some(schema) if options.json_schema => {
                declared.insert("parametersJsonSchema".to_owned(), schema.clone());
            }
            // An object without members is refused where a function has no arguments (wire.md, trap 14).
            Some(schema) if !is_empty_object(schema) => {
                let (schema, is_weaker) = schema::to_openapi(schema);
                declared.insert("parameters".to_owned(), schema);
                if is_weaker {
                    loss.note(format!("tools[{at}].parameters"));
                }
            }
            _ => {}
        }
        if *strict == Some(true) && !options.validated {
            loss.note(format!("tools[{at}].strict"));
        }
    }
    for name in tool.rest.foreign_to(GEMINI) {
        loss.note(format!("tools[{at}].{name}"));
    }
    tool.rest.add_to(GEMINI, &mut declared);
    declared.into()
}

fn is_empty_object(schema: &Value) -> bool {
    let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
    is_object && schema.get("properties").and_then(Value::as_object).is_none_or(Map::is_empty)
}

/// Writes the mode. Gives the only functions that may be shown, where the mode cannot say it.
fn choice<'a>(
    request: &'a Request,
    target: &Target,
    options: Options,
    strict: bool,
    tool_config: &mut Map<String, Value>,
    loss: &mut Loss<'_>,
) -> Result<Option<Vec<&'a str>>, Unsupported> {
    let forced = matches!(
        request.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Tool(_) | ToolChoice::Allowed { required: true, .. })
    );
    if forced && !target.can.forced_tool {
        loss.cannot("tool_choice", "demands a call, which this model cannot be made to do")?;
        return Ok(None);
    }
    let validated = strict && options.validated;
    let (mode, names): (&str, Vec<&str>) = match &request.tool_choice {
        None if validated => ("VALIDATED", Vec::new()),
        None => return Ok(None),
        Some(ToolChoice::Auto) => (if validated { "VALIDATED" } else { "AUTO" }, Vec::new()),
        Some(ToolChoice::None) => ("NONE", Vec::new()),
        Some(ToolChoice::Required) => ("ANY", Vec::new()),
        Some(ToolChoice::Tool(name)) => ("ANY", vec![name]),
        Some(ToolChoice::Allowed { names, required }) => {
            // A name that is not declared is an error; what became of its tool is said where it is lost.
            let is_declared = |name: &&str| {
                let is_it = |tool: &Tool| matches!(&tool.kind, ToolKind::Function { name: own, .. } if **own == **name);
                request.tools.iter().any(is_it)
            };
            let names: Vec<&str> = names.iter().map(|name| &**name).filter(is_declared).collect();
            match (required, options.validated) {
                (true, _) => ("ANY", names),
                (false, true) => ("VALIDATED", names),
                // No mode says it: the others are not shown.
                (false, false) => {
                    tool_config.insert("functionCallingConfig".to_owned(), json!({"mode": "AUTO"}));
                    return Ok(Some(names));
                }
            }
        }
        Some(ToolChoice::Other(..)) => {
            loss.cannot("tool_choice", "is a choice that only another dialect knows")?;
            return Ok(None);
        }
    };
    let mut calling = Map::new();
    calling.insert("mode".to_owned(), mode.into());
    if !names.is_empty() {
        calling.insert("allowedFunctionNames".to_owned(), names.into());
    }
    tool_config.insert("functionCallingConfig".to_owned(), calling.into());
    Ok(None)
}
