//! Tools.

use super::super::Param;
use super::Writer;
use crate::chat::{Dialect, Request, Tool, ToolChoice, ToolKind, Unsupported};
use serde_json::{Map, Value, json};

impl Writer<'_> {
    pub(super) fn tools(&mut self, request: &Request) -> Result<(), Unsupported> {
        if !request.tools.is_empty() && !self.target.can.tools {
            return self.loss.cannot("tools", "cannot be used by this model");
        }
        let only = self.offered(request);
        let mut tools = Vec::with_capacity(request.tools.len());
        for (number, tool) in request.tools.iter().enumerate() {
            if only.is_none_or(|names| names.iter().any(|name| tool_name(tool) == Some(&**name))) {
                tools.extend(self.tool(number, tool)?);
            }
        }
        let any = !tools.is_empty();
        if any {
            self.set("tools", Value::Array(tools));
        }
        if let Some(choice) = &request.tool_choice {
            self.choice(choice, request, any)?;
        }
        if let Some(parallel) = request.parallel_tool_calls {
            let known = any && !self.options.without.has(Param::ParallelToolCalls);
            if known && (self.target.can.parallel_tools || !parallel) {
                self.set("parallel_tool_calls", json!(parallel));
            } else if any && !parallel && self.target.can.parallel_tools {
                self.loss.cannot("parallel_tool_calls", "cannot be turned off at this provider")?;
            } else {
                self.loss.note("parallel_tool_calls");
            }
        }
        Ok(())
    }

    /// Where a choice cannot name a tool, nothing else is offered, which comes to the same. `None`: all are.
    fn offered<'r>(&self, request: &'r Request) -> Option<&'r [Box<str>]> {
        if !self.options.no_named_tool {
            return None;
        }
        match &request.tool_choice {
            Some(ToolChoice::Tool(name)) => Some(std::slice::from_ref(name)),
            Some(ToolChoice::Allowed { names, .. }) => Some(names),
            _ => None,
        }
    }

    fn tool(&mut self, number: usize, tool: &Tool) -> Result<Option<Value>, Unsupported> {
        let at = || format!("tools[{number}]");
        let (kind, mut inner) = match &tool.kind {
            ToolKind::Function { name, description, parameters, strict } => {
                let mut inner = named(name, description.as_deref());
                if let Some(parameters) = parameters {
                    inner.insert("parameters".to_owned(), parameters.clone());
                }
                match strict {
                    Some(true) if self.options.no_strict_tools => {
                        self.loss.note(format!("tools[{number}].strict"));
                    }
                    Some(strict) if !self.options.no_strict_tools => {
                        inner.insert("strict".to_owned(), json!(strict));
                    }
                    _ => {}
                }
                ("function", inner)
            }
            ToolKind::Custom { .. } if self.options.no_custom_tools => {
                let why = "takes free text, which the vendor does not know";
                return self.loss.cannot(at(), why).map(|()| None);
            }
            ToolKind::Custom { name, description, format } => {
                let mut inner = named(name, description.as_deref());
                if let Some(format) = format {
                    inner.insert("format".to_owned(), format.clone());
                }
                ("custom", inner)
            }
            ToolKind::Hosted(Dialect::Chat, value) => return Ok(Some(value.clone())),
            ToolKind::Hosted(_, value) => return self.loss.hosted(number, value).map(|()| None),
        };
        let mut rest = tool.rest.of(Dialect::Chat).cloned().unwrap_or_default();
        if let Some(Value::Object(more)) = rest.shift_remove(kind) {
            inner.extend(more);
        }
        for name in tool.rest.foreign_to(Dialect::Chat) {
            self.loss.note(name.to_owned());
        }
        let mut object = Map::new();
        object.insert("type".to_owned(), json!(kind));
        object.insert(kind.to_owned(), Value::Object(inner));
        if let Some(control) = self.hint(tool.cache) {
            object.insert("cache_control".to_owned(), control);
        }
        object.extend(rest);
        Ok(Some(Value::Object(object)))
    }

    fn choice(&mut self, choice: &ToolChoice, request: &Request, any: bool) -> Result<(), Unsupported> {
        let forced = matches!(choice, ToolChoice::Required | ToolChoice::Tool(_))
            || matches!(choice, ToolChoice::Allowed { required: true, .. });
        if forced && !self.target.can.forced_tool {
            return self.loss.cannot("tool_choice", "cannot force this model to call a tool");
        }
        if forced && self.options.no_forced_tool {
            return self.loss.cannot("tool_choice", "cannot demand a call of a tool at this provider");
        }
        if !any {
            // Vendors refuse a choice without anything to choose from.
            return if forced {
                self.loss.cannot("tool_choice", "asks for a tool, and there is none")
            } else {
                self.loss.note("tool_choice");
                Ok(())
            };
        }
        let value = match choice {
            ToolChoice::Auto => json!("auto"),
            ToolChoice::None => json!("none"),
            ToolChoice::Required => json!("required"),
            ToolChoice::Tool(_) if self.options.no_named_tool => json!("required"),
            ToolChoice::Allowed { required, .. } if self.options.no_named_tool => {
                json!(if *required { "required" } else { "auto" })
            }
            ToolChoice::Tool(name) => one(name, request),
            ToolChoice::Allowed { names, required } => {
                let tools: Vec<Value> = names.iter().map(|name| one(name, request)).collect();
                let mode = if *required { "required" } else { "auto" };
                json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
            }
            ToolChoice::Other(Dialect::Chat, value) => value.clone(),
            ToolChoice::Other(..) => {
                return self.loss.cannot("tool_choice", "has a form that only another dialect knows");
            }
        };
        self.set("tool_choice", value);
        Ok(())
    }
}

/// The name by which a choice may mean it.
fn tool_name(tool: &Tool) -> Option<&str> {
    match &tool.kind {
        ToolKind::Function { name, .. } | ToolKind::Custom { name, .. } => Some(name),
        ToolKind::Hosted(..) => None,
    }
}

fn named(name: &str, description: Option<&str>) -> Map<String, Value> {
    let mut inner = Map::new();
    inner.insert("name".to_owned(), json!(name));
    if let Some(description) = description {
        inner.insert("description".to_owned(), json!(description));
    }
    inner
}

/// One tool as a choice names it: its kind has to be right.
fn one(name: &str, request: &Request) -> Value {
    let is_custom = request
        .tools
        .iter()
        .any(|tool| matches!(&tool.kind, ToolKind::Custom { name: custom, .. } if &**custom == name));
    let kind = if is_custom { "custom" } else { "function" };
    json!({"type": kind, kind: {"name": name}})
}
