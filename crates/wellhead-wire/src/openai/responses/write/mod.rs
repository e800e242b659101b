//! Writing a request for a target.

mod items;
mod tools;
mod wishes;

pub(super) use items::annotation;

use super::names::Names;
use super::{DIALECT, TIERS};
use crate::chat::{Encoded, Loss, Losses, Part, Request, Target, Unsupported};
use serde_json::{Map, Value, json};

/// Writes a request. Nothing is kept at the vendor: what a later request needs travels through the client.
pub fn encode_request(request: &Request, target: &Target, losses: &Losses) -> Result<Encoded, Unsupported> {
    let names = Names::of(request);
    let mut writer =
        Writer { target, loss: Loss::new(losses), names, customs: customs(request), body: Map::new() };
    writer.set("model", json!(target.origin.model));
    writer.items(&request.messages)?;
    writer.tools(request)?;
    writer.sampling(&request.sampling)?;
    writer.output(&request.output)?;
    if let Some(ask) = &request.reasoning {
        writer.reasoning(ask)?;
    }
    if request.stream {
        writer.set("stream", json!(true));
    }
    writer.set("store", json!(false));
    writer.labels(request);
    writer.rest(request)?;
    // What has only texts for names cannot fail to be written.
    let body = serde_json::to_vec(&writer.body).unwrap_or_default();
    Ok(writer.loss.finish(body.into()))
}

/// The calls of tools with free text: their results are items of another type.
fn customs(request: &Request) -> Vec<Box<str>> {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let custom = |part: &Part| match part {
        Part::ToolCall(call) if call.is_custom => Some(call.id.clone()),
        _ => None,
    };
    parts.filter_map(custom).collect()
}

/// A body that is being written.
struct Writer<'a> {
    target: &'a Target,
    loss: Loss<'a>,
    names: Names,
    customs: Vec<Box<str>>,
    body: Map<String, Value>,
}

impl Writer<'_> {
    fn set(&mut self, name: &str, value: Value) {
        self.body.insert(name.to_owned(), value);
    }

    /// What changes nothing of the answer.
    fn labels(&mut self, request: &Request) {
        let tier = request.service_tier.as_deref();
        if tier.is_some_and(|tier| !TIERS.contains(&tier)) {
            self.loss.note("service_tier");
        }
        let newer = request.rest.of(DIALECT).and_then(|rest| rest.get("safety_identifier"));
        let user = request.user.as_deref().filter(|user| newer.and_then(Value::as_str) != Some(user));
        let labels = [
            ("service_tier", tier.filter(|tier| TIERS.contains(tier)).map(|tier| json!(tier))),
            ("prompt_cache_key", request.cache_key.as_ref().map(|key| json!(key))),
            ("metadata", request.metadata.clone().map(Value::Object)),
            ("user", user.map(|user| json!(user))),
        ];
        for (name, value) in labels {
            if let Some(value) = value {
                self.set(name, value);
            }
        }
        if request.cache.is_some() {
            self.loss.note("cache_control");
        }
    }

    /// What only one dialect knows: written again in its own, refused or noted in another.
    fn rest(&mut self, request: &Request) -> Result<(), Unsupported> {
        let own = request.rest.of(DIALECT);
        for (name, value) in own.into_iter().flatten() {
            match (self.body.get_mut(name), value) {
                (Some(Value::Object(there)), Value::Object(more)) => {
                    let more = more.iter().map(|(name, value)| (name.clone(), value.clone()));
                    there.extend(more);
                }
                (Some(Value::Array(there)), Value::Array(more)) => there.extend(more.iter().cloned()),
                (Some(_), _) => {}
                (None, value) => drop(self.body.insert(name.clone(), value.clone())),
            }
        }
        // Without it a thought could not go on in the next turn, and a client of another dialect cannot ask for it.
        if own.is_none() && self.target.can.reasoning {
            let proofs = "reasoning.encrypted_content";
            match self.body.get_mut("include") {
                Some(Value::Array(include)) => include.push(json!(proofs)),
                _ => self.set("include", json!([proofs])),
            }
        }
        for name in request.rest.foreign_to(DIALECT) {
            if changes_nothing(name) {
                self.loss.note(name.to_owned());
            } else {
                self.loss.cannot(name.to_owned(), "is not known to the Responses API")?;
            }
        }
        Ok(())
    }
}

/// Members of other dialects without which the answer is the same.
fn changes_nothing(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "anthropic_beta",
        "anthropic_version",
        "betas",
        "context_management",
        "keep_alive",
        "labels",
        "prediction",
        "prompt_cache_options",
        "prompt_cache_retention",
        "requestMetadata",
        "safety_identifier",
        "safetySettings",
        "store",
        "stream_options",
    ];
    NAMES.contains(&name)
}
