//! What a target cannot do: refused with the parameter's name, or left out where a setting of the model says so.

#![expect(missing_docs, reason = "members that every dialect has under this name")]

use super::CustomTools;
use bytes::Bytes;
use serde_json::Value;
use std::borrow::Cow;

/// Longest type of a tool that is repeated in an error or a header.
const TOOL_TYPE_CHARS_MAX: usize = 64;

/// Parameters that may be left out when a target cannot do them: their names as the client wrote them, or `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses(Vec<Box<str>>);

impl Losses {
    /// Nothing may be left out.
    pub const NONE: Self = Self(Vec::new());

    /// These may.
    pub fn allowed(names: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    fn allows(&self, param: &str) -> bool {
        self.0.iter().any(|name| &**name == "*" || &**name == param)
    }

    /// Whether a tool of this type may be left out, or all of them.
    fn allows_tool(&self, kind: &str) -> bool {
        self.allows(kind) || self.allows("tools")
    }
}

/// Members of one dialect without which a target of another says the same: labels, and hints for the stores, caches and
/// filters of their own vendor. Every adapter leaves them out.
const HINTS: [&str; 21] = [
    "anthropic_beta",
    "anthropic_version",
    "betas",
    "client_metadata",
    "context_management",
    "include",
    "keep_alive",
    "labels",
    // Of OpenAI's own tools, which are refused by themselves.
    "max_tool_calls",
    "metadata",
    "prediction",
    "prompt_cache_options",
    "prompt_cache_retention",
    "requestMetadata",
    "safety_identifier",
    "safety_settings",
    "safetySettings",
    "store",
    "stream_options",
    "text",
    // What is left out where a prompt is too long.
    "truncation",
];

/// Whether a target that does not know this member may go without it.
pub(crate) fn is_hint(name: &str) -> bool {
    HINTS.contains(&name)
}

/// A parameter was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// As the client's dialect names it: `messages[2].content[0]`, `top_k`.
    pub param: Cow<'static, str>,
}

/// A target cannot do what is asked, and nothing allows to leave it out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unsupported {
    /// As the client's dialect names it.
    pub param: Cow<'static, str>,
    /// What cannot be done, and what to do about it.
    pub message: String,
}

/// A body in a target's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    pub body: Bytes,
    /// What the target will not hear of.
    pub dropped: Vec<Dropped>,
    /// Tools with free text that the target knows as functions.
    pub customs: Option<Box<CustomTools>>,
}

/// Collects what is lost while a body is written.
#[derive(Debug)]
pub struct Loss<'a> {
    losses: &'a Losses,
    dropped: Vec<Dropped>,
}

impl<'a> Loss<'a> {
    /// By a model's setting.
    pub const fn new(losses: &'a Losses) -> Self {
        Self { losses, dropped: Vec::new() }
    }

    /// The target cannot do this: leaves it out if that is allowed. `why` completes "`param` ...".
    pub fn cannot(&mut self, param: impl Into<Cow<'static, str>>, why: &str) -> Result<(), Unsupported> {
        let param = param.into();
        if self.losses.allows(&param) {
            self.note(param);
            return Ok(());
        }
        let message = format!(
            "`{param}` {why}; leave it out, ask another model, or list it under the model's `drop_unsupported`"
        );
        Err(Unsupported { param, message })
    }

    /// The target cannot run this tool, which is another vendor's own. Where such a tool stands changes from request to
    /// request: its type may be listed instead, or `tools`.
    pub fn hosted(&mut self, number: usize, tool: &Value) -> Result<(), Unsupported> {
        let param = format!("tools[{number}]");
        let Some(kind) = tool.get("type").and_then(Value::as_str) else {
            return self.cannot(param, "is run by another vendor");
        };
        if self.losses.allows_tool(kind) {
            self.note(kind.chars().take(TOOL_TYPE_CHARS_MAX).collect::<String>());
            return Ok(());
        }
        let kind: String = kind.chars().take(TOOL_TYPE_CHARS_MAX).collect();
        self.cannot(param, &format!("(`{kind}`) is run by another vendor and by nobody else"))
    }

    /// Something that changes nothing of what is answered (a hint, a label) was left out.
    pub fn note(&mut self, param: impl Into<Cow<'static, str>>) {
        let param = param.into();
        if !self.dropped.iter().any(|dropped| dropped.param == param) {
            self.dropped.push(Dropped { param });
        }
    }

    /// The body with what was lost on the way.
    pub fn finish(self, body: Bytes) -> Encoded {
        Encoded { body, dropped: self.dropped, customs: None }
    }
}
