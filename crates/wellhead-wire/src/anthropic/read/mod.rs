//! From the wire's members to the canonical ones: what requests of clients and answers of vendors share, and the pieces
//! of requests.

mod ask;
mod block;
mod message;
mod source;
mod tool;

pub(crate) use ask::thinking;
pub(super) use ask::{BUDGET_TOKENS_MIN, output_config};
pub(super) use block::{attach, block, is_plain_call};
pub(super) use message::{messages, not_in, system};
pub(super) use tool::{tool_choice, tools};

use crate::chat::{BadField, CacheHint, Dialect, Fields, Opaque, Origin};
use serde_json::Value;

pub(super) const DIALECT: Dialect = Dialect::Anthropic;

/// Before the tagged proof of a block that is no thought (Gemini signs calls and texts too). This dialect has a place
/// for proofs in thoughts alone, so such a proof travels in an empty thought right behind its block.
pub(crate) const FOR_PREVIOUS: &str = "whp~";

/// Who wrote what is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Author<'a> {
    /// A client, who may have got signatures from anywhere.
    Client,
    /// A target, whose signatures are its own.
    Target(&'a Origin),
}

impl Author<'_> {
    pub(super) fn opaque(self, text: &str) -> Opaque {
        match self {
            Self::Client => Opaque::from_text(DIALECT, text),
            Self::Target(origin) => {
                Opaque { dialect: DIALECT, origin: Some(origin.clone()), data: text.into() }
            }
        }
    }
}

/// Whether an object has no other members than these.
fn has_only(value: &Value, names: &[&str]) -> bool {
    let Some(members) = value.as_object() else { return true };
    members.iter().all(|(name, value)| value.is_null() || names.contains(&name.as_str()))
}

/// `cache_control`. A lifetime is a number with a unit; members that steer the vendor's cache further are its own.
pub(super) fn cache(fields: &mut Fields) -> Result<Option<CacheHint>, BadField> {
    let Some(mut cache) = fields.object("cache_control")? else { return Ok(None) };
    let kind = cache.need_text("type")?;
    if kind != "ephemeral" {
        return Err(cache.invalid("type", &format!("`{kind}`"), "`ephemeral`"));
    }
    let Some(ttl) = cache.text("ttl")? else { return Ok(Some(CacheHint { ttl_seconds: None })) };
    match ttl.as_str() {
        "5m" => Ok(Some(CacheHint { ttl_seconds: Some(300) })),
        "1h" => Ok(Some(CacheHint { ttl_seconds: Some(3600) })),
        other => Err(cache.invalid("ttl", &format!("`{other}`"), "`5m` or `1h`")),
    }
}

/// Refuses members that nobody has taken: where this dialect takes no others, a misspelt one would be lost in silence.
fn nothing_else(fields: Fields) -> Result<(), BadField> {
    let here = fields.here().to_owned();
    match fields.rest().of(DIALECT).and_then(|rest| rest.keys().next()) {
        None => Ok(()),
        Some(name) => {
            let param = format!("{here}.{name}");
            let message = format!("`{param}` is unknown here: leave it out");
            Err(BadField { param, message, code: "unknown_parameter" })
        }
    }
}
