//! Tools that a model may ask for.

#![expect(missing_docs, reason = "members that every dialect has under this name")]

use super::{CacheHint, Dialect, Rest};
use serde_json::Value;

/// One tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    pub kind: ToolKind,
    pub cache: Option<CacheHint>,
    /// What only one dialect knows of it.
    pub rest: Rest,
}

/// What a tool is.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolKind {
    /// Run by the client, with arguments by a schema.
    Function {
        name: Box<str>,
        description: Option<String>,
        /// JSON Schema of the arguments; `None`: no arguments.
        parameters: Option<Value>,
        /// Whether the vendor has to hold the model to the schema.
        strict: Option<bool>,
    },
    /// Run by the client, with free text.
    Custom {
        name: Box<str>,
        description: Option<String>,
        /// The grammar that the text has to follow.
        format: Option<Value>,
    },
    /// Run by the vendor; as its dialect writes it.
    Hosted(Dialect, Value),
}

impl Tool {
    /// The name that calls use.
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            ToolKind::Function { name, .. } | ToolKind::Custom { name, .. } => Some(name),
            ToolKind::Hosted(..) => None,
        }
    }
}

/// Whether a tool has to be called.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolChoice {
    /// As the model sees fit.
    Auto,
    /// None may be called.
    None,
    /// At least one, whichever.
    Required,
    /// This one.
    Tool(Box<str>),
    /// Of these only.
    Allowed {
        names: Vec<Box<str>>,
        /// At least one of them.
        required: bool,
    },
    /// As only one dialect can say it.
    Other(Dialect, Value),
}
