//! Tools.

use super::super::{DIALECT, names};
use super::Writer;
use crate::chat::{Request, Tool, ToolChoice, ToolKind, Unsupported};
use serde_json::{Map, Value, json};

impl Writer<'_> {
    pub(super) fn tools(&mut self, request: &Request) -> Result<(), Unsupported> {
        if !request.tools.is_empty() && !self.target.can.tools {
            return self.loss.cannot("tools", "cannot be used by this model");
        }
        let mut tools: Vec<Value> = Vec::with_capacity(request.tools.len());
        for (number, tool) in request.tools.iter().enumerate() {
            let Some(written) = self.tool(number, tool)? else { continue };
            match names::group(tool) {
                None => tools.push(written),
                Some(group) => grouped(group, written, &mut tools),
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
            if any && (self.target.can.parallel_tools || !parallel) {
                self.set("parallel_tool_calls", json!(parallel));
            } else {
                self.loss.note("parallel_tool_calls");
            }
        }
        Ok(())
    }

    fn tool(&mut self, number: usize, tool: &Tool) -> Result<Option<Value>, Unsupported> {
        let mut object = match &tool.kind {
            ToolKind::Function { name, description, parameters, strict } => {
                let mut object = self.named("function", name, description.as_deref());
                let none = || json!({"type": "object", "properties": {}});
                object.insert("parameters".to_owned(), parameters.clone().unwrap_or_else(none));
                // This dialect is strict unless it is told otherwise, and its schemas have to be written for that.
                object.insert("strict".to_owned(), json!(strict.unwrap_or(false)));
                object
            }
            ToolKind::Custom { name, description, format } => {
                let mut object = self.named("custom", name, description.as_deref());
                if let Some(format) = format {
                    object.insert("format".to_owned(), own_format(format.clone()));
                }
                object
            }
            ToolKind::Hosted(DIALECT, value) => return Ok(Some(value.clone())),
            ToolKind::Hosted(_, value) => return self.loss.hosted(number, value).map(|()| None),
        };
        if tool.cache.is_some() {
            self.loss.note("cache_control");
        }
        for name in tool.rest.foreign_to(DIALECT) {
            self.loss.note(name.to_owned());
        }
        let own = tool.rest.of(DIALECT).into_iter().flatten().filter(|(name, _)| *name != names::GROUP);
        object.extend(own.map(|(name, value)| (name.clone(), value.clone())));
        Ok(Some(Value::Object(object)))
    }

    fn named(&self, kind: &str, name: &str, description: Option<&str>) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("type".to_owned(), json!(kind));
        object.insert("name".to_owned(), json!(self.names.split(name).1));
        if let Some(description) = description {
            object.insert("description".to_owned(), json!(description));
        }
        object
    }

    fn choice(&mut self, choice: &ToolChoice, request: &Request, any: bool) -> Result<(), Unsupported> {
        let forced = matches!(choice, ToolChoice::Required | ToolChoice::Tool(_))
            || matches!(choice, ToolChoice::Allowed { required: true, .. });
        if forced && !self.target.can.forced_tool {
            return self.loss.cannot("tool_choice", "cannot force this model to call a tool");
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
            ToolChoice::Tool(name) => self.one(name, request),
            ToolChoice::Allowed { names, required } => {
                let tools: Vec<Value> = names.iter().map(|name| self.one(name, request)).collect();
                let mode = if *required { "required" } else { "auto" };
                json!({"type": "allowed_tools", "mode": mode, "tools": tools})
            }
            ToolChoice::Other(DIALECT, value) => value.clone(),
            ToolChoice::Other(..) => {
                return self.loss.cannot("tool_choice", "has a form that only another dialect knows");
            }
        };
        self.set("tool_choice", value);
        Ok(())
    }

    /// One tool as a choice names it: its kind has to be right.
    fn one(&self, name: &str, request: &Request) -> Value {
        let is_custom = request
            .tools
            .iter()
            .any(|tool| matches!(&tool.kind, ToolKind::Custom { name: custom, .. } if &**custom == name));
        let (group, short) = self.names.split(name);
        let mut tool = json!({"type": if is_custom { "custom" } else { "function" }, "name": short});
        if let Some(group) = group {
            tool["namespace"] = json!(group);
        }
        tool
    }
}

/// Adds a tool to its group, which is the last one if it has begun.
fn grouped(group: &Map<String, Value>, tool: Value, tools: &mut Vec<Value>) {
    let is_open =
        |last: &Value| last.get("type") == Some(&json!("namespace")) && last.get("name") == group.get("name");
    if let Some(Value::Array(inner)) =
        tools.last_mut().filter(|last| is_open(last)).and_then(|last| last.get_mut("tools"))
    {
        inner.push(tool);
        return;
    }
    let mut object = Map::new();
    object.insert("type".to_owned(), json!("namespace"));
    object.extend(group.iter().map(|(name, value)| (name.clone(), value.clone())));
    object.insert("tools".to_owned(), json!([tool]));
    tools.push(Value::Object(object));
}

/// A grammar without the object that Chat Completions puts around it.
fn own_format(mut format: Value) -> Value {
    match format.get_mut("grammar").map(Value::take) {
        Some(Value::Object(grammar)) => {
            let mut own = Map::new();
            own.insert("type".to_owned(), json!("grammar"));
            own.extend(grammar);
            Value::Object(own)
        }
        _ => format,
    }
}
