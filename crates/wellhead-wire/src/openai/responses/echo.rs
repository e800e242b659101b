//! What an answer repeats of its question: a `response` names the settings that it was made with.

use super::names::Names;
use crate::chat::{Request, Shown};
use serde_json::{Map, Value, json};

/// Members of a request that its answer has too.
const REPEATED: [&str; 16] = [
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
];

/// Repeated in every answer to one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Echo {
    members: Map<String, Value>,
    pub(super) names: Names,
}

impl Echo {
    /// Of the body that `request` was read from.
    pub(super) fn new(mut members: Map<String, Value>, request: &Request) -> Self {
        members.retain(|name, value| !value.is_null() && REPEATED.contains(&name.as_str()));
        Self { members, names: Names::of(request) }
    }

    /// The members that a body has of them, cloned before it is taken apart.
    pub(super) fn repeated(body: &Value) -> Map<String, Value> {
        let named = |name: &&str| Some(((*name).to_owned(), body.get(*name)?.clone()));
        REPEATED.iter().filter_map(named).collect()
    }

    /// A response of which nothing has been said yet, with every member that the specification requires.
    pub(super) fn response(&self, id: &str, created: u64, shown: &Shown) -> Map<String, Value> {
        let base = json!({
            "id": id,
            "object": "response",
            "created_at": created,
            "status": "in_progress",
            "background": false,
            "completed_at": null,
            "error": null,
            "incomplete_details": null,
            "instructions": null,
            "max_output_tokens": null,
            "max_tool_calls": null,
            "metadata": {},
            "model": shown.model,
            "output": [],
            "parallel_tool_calls": true,
            "previous_response_id": null,
            "reasoning": {"effort": null, "summary": null},
            "service_tier": "default",
            // Nothing is kept here for a later request to refer to.
            "store": false,
            "temperature": null,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": null,
            "truncation": "disabled",
            "usage": null,
            "user": null,
        });
        let Value::Object(mut response) = base else { return Map::new() };
        for (name, value) in &self.members {
            match (response.get_mut(name), value) {
                // A client that set the verbosity alone still finds the format.
                (Some(Value::Object(there)), Value::Object(more)) => {
                    there.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
                }
                _ => drop(response.insert(name.clone(), value.clone())),
            }
        }
        response
    }
}

/// The id of a response. Clients know it by its beginning.
pub(super) fn response_id(vendors: Option<&str>, shown: &Shown) -> String {
    match vendors {
        None => format!("resp_{}", shown.id),
        Some(id) if id.starts_with("resp") => id.to_owned(),
        Some(id) => format!("resp_{}", id.strip_prefix("chatcmpl-").unwrap_or(id)),
    }
}

/// What the ids of the items of a response share.
pub(super) fn item_base(response_id: &str) -> String {
    let base: String = response_id.chars().filter(char::is_ascii_alphanumeric).collect();
    base.strip_prefix("resp").unwrap_or(&base).to_owned()
}
