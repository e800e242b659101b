//! What a model is asked, whichever endpoint it came through.

use serde_json::Value;

/// A function that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tool {
    pub(crate) name: String,
    /// JSON Schema of the arguments; null if there are none.
    pub(crate) parameters: Value,
}

/// Whether the model has to call a tool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Choice {
    #[default]
    Auto,
    None,
    Required,
    Named(String),
}

/// The shape that the answer must have.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Format {
    #[default]
    Text,
    Object,
    Schema(Value),
}

/// One question to a model.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Ask {
    /// Hash of the conversation: all that the answer depends on, besides the seed.
    pub(crate) hash: u64,
    /// The last thing that the user said.
    pub(crate) last_user: String,
    pub(crate) prompt_tokens: u64,
    pub(crate) tools: Vec<Tool>,
    pub(crate) choice: Choice,
    /// May several tools be called at once?
    pub(crate) parallel: bool,
    /// The conversation ends with the result of a tool.
    pub(crate) after_tool: bool,
    /// The conversation ends with the beginning of the answer.
    pub(crate) prefill: Option<String>,
    pub(crate) format: Format,
    /// Tokens of the answer when nothing limits it.
    pub(crate) tokens_wanted: usize,
    pub(crate) tokens_max: Option<u64>,
    pub(crate) stop: Vec<String>,
    /// A reasoning model.
    pub(crate) reasons: bool,
    /// The practice model, which explains itself.
    pub(crate) practice: bool,
}
