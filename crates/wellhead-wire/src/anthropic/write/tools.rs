//! Tools, and whether they have to be called.

use super::part::Writer;
use super::wire::Cache;
use crate::anthropic::read::DIALECT;
use crate::chat::{Request, Tool, ToolChoice, ToolKind, Unsupported};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// A tool on the wire.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Offered<'a> {
    Function {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        input_schema: Cow<'a, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Cache>,
        #[serde(flatten)]
        rest: Option<&'a Map<String, Value>>,
    },
    Hosted(&'a Value),
}

/// What a request says of tools.
#[derive(Debug, Default)]
pub(super) struct Offer<'a> {
    pub(super) tools: Vec<Offered<'a>>,
    pub(super) choice: Option<Value>,
    /// A call is demanded.
    pub(super) is_forced: bool,
}

/// `called`: the tools that the conversation has called.
pub(super) fn offer<'a>(
    request: &'a Request,
    called: Vec<&'a str>,
    writer: &mut Writer<'a, '_>,
) -> Result<Offer<'a>, Unsupported> {
    let mut tools = Vec::with_capacity(request.tools.len());
    if !request.tools.is_empty() && !writer.target.can.tools {
        writer.loss.cannot("tools", "are offered to a model that calls none")?;
    } else {
        for (number, tool) in request.tools.iter().enumerate().filter(|(_, tool)| is_allowed(tool, request)) {
            tools.extend(offered(tool, number, writer)?);
        }
    }
    if tools.is_empty() {
        // The vendor wants to know the tools that a conversation speaks of, even if none may be called any more
        // (wire.md, trap 3).
        let tools: Vec<Offered<'a>> = called.into_iter().map(remembered).collect();
        let choice = (!tools.is_empty()).then(|| json!({"type": "none"}));
        let has_choice = request.tool_choice.as_ref().is_some_and(|choice| *choice != ToolChoice::None);
        if has_choice || request.parallel_tool_calls.is_some() {
            writer.loss.note("tool_choice");
        }
        return Ok(Offer { tools, choice, is_forced: false });
    }
    let choice = choice(request, writer)?;
    let kind = choice.as_ref().and_then(|choice| choice.get("type")).and_then(Value::as_str);
    Ok(Offer { tools, is_forced: matches!(kind, Some("any" | "tool")), choice })
}

/// A list of allowed tools is said by offering no others.
fn is_allowed(tool: &Tool, request: &Request) -> bool {
    match &request.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) => {
            tool.name().is_some_and(|name| names.iter().any(|allowed| **allowed == *name))
        }
        _ => true,
    }
}

fn offered<'a>(
    tool: &'a Tool,
    number: usize,
    writer: &mut Writer<'a, '_>,
) -> Result<Option<Offered<'a>>, Unsupported> {
    let param = format!("tools[{number}]");
    for _ in tool.rest.foreign_to(DIALECT).take(1) {
        writer.loss.note(param.clone());
    }
    match &tool.kind {
        ToolKind::Function { name, description, parameters, strict } => {
            let Some(input_schema) = schema(parameters.as_ref()) else {
                writer.loss.cannot(param, "has a schema that is no object")?;
                return Ok(None);
            };
            Ok(Some(Offered::Function {
                name,
                description: description.as_deref(),
                input_schema,
                strict: *strict,
                cache_control: tool.cache.map(Into::into),
                rest: tool.rest.of(DIALECT),
            }))
        }
        ToolKind::Hosted(dialect, value) if *dialect == DIALECT => Ok(Some(Offered::Hosted(value))),
        ToolKind::Hosted(_, value) => writer.loss.hosted(number, value).map(|()| None),
        ToolKind::Custom { .. } => {
            writer.loss.cannot(param, "takes free text; this target's tools take JSON")?;
            Ok(None)
        }
    }
}

/// The vendor wants an object and its type said. `None`: it is something else.
fn schema(parameters: Option<&Value>) -> Option<Cow<'_, Value>> {
    let Some(schema) = parameters else {
        return Some(Cow::Owned(json!({"type": "object", "properties": {}})));
    };
    let members = schema.as_object()?;
    if members.contains_key("type") {
        return Some(Cow::Borrowed(schema));
    }
    let mut typed = members.clone();
    typed.insert("type".to_owned(), "object".into());
    Some(Cow::Owned(Value::Object(typed)))
}

/// A tool of earlier turns.
fn remembered(name: &str) -> Offered<'_> {
    Offered::Function {
        name,
        description: Some("Was called earlier in this conversation; cannot be called any more."),
        input_schema: Cow::Owned(json!({"type": "object", "properties": {}})),
        strict: None,
        cache_control: None,
        rest: None,
    }
}

fn choice(request: &Request, writer: &mut Writer<'_, '_>) -> Result<Option<Value>, Unsupported> {
    let mut said = match &request.tool_choice {
        None => None,
        Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => Some(json!({"type": "auto"})),
        Some(ToolChoice::None) => return Ok(Some(json!({"type": "none"}))),
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => {
            Some(json!({"type": "any"}))
        }
        Some(ToolChoice::Tool(name)) => Some(json!({"type": "tool", "name": name})),
        Some(ToolChoice::Other(dialect, value)) if *dialect == DIALECT => return Ok(Some(value.clone())),
        Some(ToolChoice::Other(dialect, _)) => {
            let why = format!("says what only {} knows", dialect.as_str());
            writer.loss.cannot("tool_choice", &why)?;
            None
        }
    };
    let is_forced = said.as_ref().is_some_and(|choice| choice.get("type").is_some_and(|kind| kind != "auto"));
    if is_forced && !writer.target.can.forced_tool {
        writer.loss.cannot("tool_choice", "demands a call, which cannot be demanded of this model")?;
        said = Some(json!({"type": "auto"}));
    }
    let several = request.parallel_tool_calls;
    if said.is_none() && several == Some(false) {
        said = Some(json!({"type": "auto"}));
    }
    if let (Some(Value::Object(choice)), Some(several)) = (&mut said, several) {
        choice.insert("disable_parallel_tool_use".to_owned(), (!several).into());
    }
    Ok(said)
}
