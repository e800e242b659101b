//! Tools, and whether they have to be called. This dialect has no word for "none of them", and wants to know the tools
//! that a conversation speaks of (wire.md, trap 3).

use super::ids::is_name;
use super::part::Writer;
use crate::bedrock::wire::CachePoint;
use crate::bedrock::{DIALECT, Family};
use crate::chat::{Request, Tool, ToolChoice, ToolKind, Unsupported};
use serde_json::{Map, Value, json};

/// What a request says of tools.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// `toolConfig`.
    pub(super) config: Option<Value>,
    /// A choice that is said in the words of Anthropic's models: that only one call may come in a turn.
    pub(super) additional: Option<Value>,
    /// A call is demanded.
    pub(super) is_forced: bool,
}

/// `called`: the tools that the conversation has called.
pub(super) fn offer(
    request: &Request,
    called: &[String],
    writer: &mut Writer<'_, '_>,
) -> Result<Offer, Unsupported> {
    let mut tools = Vec::with_capacity(request.tools.len());
    let is_none = request.tool_choice == Some(ToolChoice::None);
    if !request.tools.is_empty() && !writer.target.can.tools {
        writer.loss.cannot("tools", "are offered to a model that calls none")?;
    } else if !is_none {
        let allowed = request.tools.iter().enumerate().filter(|(_, tool)| is_allowed(tool, request, writer));
        for (number, tool) in allowed.collect::<Vec<_>>() {
            offered(tool, number, writer, &mut tools)?;
        }
    }
    if tools.is_empty() {
        if !is_none && (request.tool_choice.is_some() || request.parallel_tool_calls.is_some()) {
            writer.loss.note("tool_choice");
        }
        let tools: Vec<Value> = called.iter().map(|name| remembered(name)).collect();
        let config = (!tools.is_empty()).then(|| json!({"tools": tools}));
        return Ok(Offer { config, ..Offer::default() });
    }
    let (choice, additional, is_forced) = choice(request, &tools, writer)?;
    let mut config = Map::new();
    config.insert("tools".to_owned(), Value::Array(tools));
    if let Some(choice) = choice {
        config.insert("toolChoice".to_owned(), choice);
    }
    Ok(Offer { config: Some(Value::Object(config)), additional, is_forced })
}

/// A list of allowed tools is said by offering no others. So is the one that has to be called, to models that can only
/// be told to call any.
fn is_allowed(tool: &Tool, request: &Request, writer: &Writer<'_, '_>) -> bool {
    let name = tool.name();
    match &request.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) => names.iter().any(|allowed| name == Some(&**allowed)),
        Some(ToolChoice::Tool(demanded)) if writer.options.family == Family::Mistral => {
            name == Some(&**demanded)
        }
        _ => true,
    }
}

fn offered(
    tool: &Tool,
    number: usize,
    writer: &mut Writer<'_, '_>,
    out: &mut Vec<Value>,
) -> Result<(), Unsupported> {
    let param = format!("tools[{number}]");
    for _ in tool.rest.foreign_to(DIALECT).take(1) {
        writer.loss.note(param.clone());
    }
    match &tool.kind {
        ToolKind::Function { name, description, parameters, strict } => {
            if !is_name(name) {
                let why = "has a name that this target does not take: 1 to 64 letters, digits, `_` and `-`";
                return writer.loss.cannot(format!("{param}.name"), why);
            }
            let Some(schema) = schema(parameters.as_ref()) else {
                return writer.loss.cannot(param, "has a schema that is no object");
            };
            let mut spec = Map::new();
            spec.insert("name".to_owned(), (**name).into());
            if let Some(description) = description.as_deref().filter(|text| !text.is_empty()) {
                spec.insert("description".to_owned(), description.into());
            }
            spec.insert("inputSchema".to_owned(), json!({"json": schema}));
            if let Some(strict) = strict {
                spec.insert("strict".to_owned(), (*strict).into());
            }
            tool.rest.add_to(DIALECT, &mut spec);
            out.push(json!({"toolSpec": spec}));
        }
        ToolKind::Hosted(dialect, value) if *dialect == DIALECT => out.push(value.clone()),
        ToolKind::Hosted(dialect, _) => {
            let why = format!("runs at the vendors that speak {}, and nowhere else", dialect.as_str());
            writer.loss.cannot(param, &why)?;
        }
        ToolKind::Custom { .. } => {
            writer.loss.cannot(param, "takes free text; this target's tools take JSON")?;
        }
    }
    if let Some(hint) = tool.cache {
        if writer.options.family.caches_tools() {
            out.push(json!({"cachePoint": CachePoint::new(hint, true)}));
        } else {
            writer.loss.note("tools.cache_control");
        }
    }
    Ok(())
}

/// The vendor wants an object and its type said. `None`: it is something else.
fn schema(parameters: Option<&Value>) -> Option<Value> {
    let Some(schema) = parameters else {
        return Some(json!({"type": "object", "properties": {}}));
    };
    let mut members = schema.as_object()?.clone();
    if !members.contains_key("type") {
        members.insert("type".to_owned(), "object".into());
    }
    Some(Value::Object(members))
}

/// A tool of earlier turns, or one that may not be called now.
fn remembered(name: &str) -> Value {
    let description = "Was called earlier in this conversation; cannot be called any more.";
    let schema = json!({"json": {"type": "object", "properties": {}}});
    json!({"toolSpec": {"name": name, "description": description, "inputSchema": schema}})
}

type Choice = (Option<Value>, Option<Value>, bool);

/// `offered`: a tool that was left out cannot be demanded; that it was is said where it was.
fn choice(request: &Request, offered: &[Value], writer: &mut Writer<'_, '_>) -> Result<Choice, Unsupported> {
    let is_offered =
        |name: &str| offered.iter().any(|tool| tool.pointer("/toolSpec/name").is_some_and(|own| own == name));
    let mut said = match &request.tool_choice {
        Some(ToolChoice::Tool(name)) if !is_offered(name) => None,
        None | Some(ToolChoice::None) => None,
        Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => Some(("auto", None)),
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => Some(("any", None)),
        Some(ToolChoice::Tool(_)) if writer.options.family == Family::Mistral => Some(("any", None)),
        Some(ToolChoice::Tool(name)) => Some(("tool", Some(&**name))),
        Some(ToolChoice::Other(dialect, value)) if *dialect == DIALECT => {
            return Ok((Some(value.clone()), None, value.get("auto").is_none()));
        }
        Some(ToolChoice::Other(dialect, _)) => {
            writer.loss.cannot("tool_choice", &format!("says what only {} knows", dialect.as_str()))?;
            None
        }
    };
    let mut is_forced = said.is_some_and(|(kind, _)| kind != "auto");
    if is_forced && !writer.target.can.forced_tool {
        writer.loss.cannot("tool_choice", "demands a call, which cannot be demanded of this model")?;
        (said, is_forced) = (Some(("auto", None)), false);
    }
    if request.parallel_tool_calls == Some(false) {
        if writer.options.family == Family::Claude {
            // Said twice, in both places, it is refused (litellm#36536).
            return Ok((None, Some(single(said)), is_forced));
        }
        writer.loss.cannot("parallel_tool_calls", "cannot be forbidden to this model")?;
    }
    let choice = said.map(|(kind, name)| match name {
        None => json!({kind: {}}),
        Some(name) => json!({kind: {"name": name}}),
    });
    Ok((choice, None, is_forced))
}

/// At most one call in a turn.
fn single(said: Option<(&str, Option<&str>)>) -> Value {
    let (kind, name) = said.unwrap_or(("auto", None));
    let mut choice = json!({"type": kind, "disable_parallel_tool_use": true});
    if let (Some(name), Some(members)) = (name, choice.as_object_mut()) {
        members.insert("name".to_owned(), name.into());
    }
    choice
}
