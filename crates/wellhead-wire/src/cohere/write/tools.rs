//! Tools, and which of them are to be called.

use super::super::DIALECT;
use super::Writer;
use crate::chat::{Request, Tool, ToolChoice, ToolKind, Unsupported};
use serde_json::{Map, Value, json};

impl Writer<'_> {
    pub(super) fn tools(&mut self, request: &Request) -> Result<(), Unsupported> {
        if request.tools.is_empty() {
            if request.tool_choice.is_some() || request.parallel_tool_calls.is_some() {
                // Of nothing there is no choice.
                self.loss.note("tool_choice");
            }
            return Ok(());
        }
        if !self.target.can.tools {
            return self.loss.cannot("tools", "cannot be used by this model");
        }
        if request.parallel_tool_calls == Some(false) {
            self.loss.cannot("parallel_tool_calls", "cannot be forbidden to Cohere's models")?;
        }
        let shown = self.choice(request)?;
        let mut tools = Vec::with_capacity(request.tools.len());
        let mut is_strict = false;
        for (number, tool) in request.tools.iter().enumerate() {
            let is_shown =
                shown.is_none_or(|shown| tool.name().is_some_and(|name| shown.iter().any(|s| &**s == name)));
            if !is_shown {
                continue;
            }
            is_strict |= matches!(tool.kind, ToolKind::Function { strict: Some(true), .. });
            tools.extend(self.tool(number, tool)?);
        }
        if !tools.is_empty() {
            self.set("tools", Value::Array(tools));
            if is_strict {
                // There is one switch for all tools: the others are held to schemas that their client wrote.
                self.set("strict_tools", json!(true));
            }
        }
        Ok(())
    }

    /// Writes the choice. Returns the tools that the model is shown, if not all: Cohere cannot be told which of them to
    /// call, but it calls none that it does not know.
    fn choice<'r>(&mut self, request: &'r Request) -> Result<Option<&'r [Box<str>]>, Unsupported> {
        let (shown, required) = match &request.tool_choice {
            None | Some(ToolChoice::Auto) => return Ok(None),
            Some(ToolChoice::None) => {
                self.set("tool_choice", json!("NONE"));
                return Ok(None);
            }
            Some(ToolChoice::Required) => (None, true),
            Some(ToolChoice::Tool(name)) => (Some(std::slice::from_ref(name)), true),
            Some(ToolChoice::Allowed { names, required }) => (Some(&**names), *required),
            Some(ToolChoice::Other(..)) => {
                self.loss.cannot("tool_choice", "is of a form that Cohere does not know")?;
                return Ok(None);
            }
        };
        let is_known = |name: &str| request.tools.iter().any(|tool| tool.name() == Some(name));
        if shown.is_some_and(|shown| !shown.iter().any(|name| is_known(name))) {
            self.loss.cannot("tool_choice", "names a tool that is not among `tools`")?;
            return Ok(None);
        }
        if required {
            if self.target.can.forced_tool {
                self.set("tool_choice", json!("REQUIRED"));
            } else {
                self.loss.cannot("tool_choice", "cannot force this model to call a tool")?;
            }
        }
        Ok(shown)
    }

    fn tool(&mut self, number: usize, tool: &Tool) -> Result<Option<Value>, Unsupported> {
        let ToolKind::Function { name, description, parameters, .. } = &tool.kind else {
            self.loss.cannot(format!("tools[{number}]"), "is of a kind that Cohere does not know")?;
            return Ok(None);
        };
        if tool.cache.is_some() {
            self.loss.note("cache_control");
        }
        let mut function = Map::new();
        function.insert("name".to_owned(), json!(name));
        if let Some(description) = description {
            function.insert("description".to_owned(), json!(description));
        }
        // Required here, also of tools that take nothing.
        let none = || json!({"type": "object", "properties": {}});
        function.insert("parameters".to_owned(), parameters.clone().unwrap_or_else(none));
        let mut object = Map::new();
        object.insert("type".to_owned(), json!("function"));
        object.insert("function".to_owned(), Value::Object(function));
        tool.rest.add_to(DIALECT, &mut object);
        tool.rest.foreign_to(DIALECT).for_each(|name| self.loss.note(name.to_owned()));
        Ok(Some(Value::Object(object)))
    }
}
