//! Writing a request for a target.

mod content;
mod messages;
mod order;
mod tools;
mod wishes;

pub(crate) use messages::short_id;
pub(crate) use wishes::effort_of;

use super::{Options, Param, PrefillMark};
use crate::chat::{
    CacheHint, Dialect, Encoded, Loss, Losses, Request, Rest, Role, Target, Unsupported, is_hint,
};
use serde_json::{Map, Value, json};

/// Writes a request. Usage is always asked for: whether the client sees it is decided when it is written to.
pub fn encode_request(
    request: &Request,
    target: &Target,
    losses: &Losses,
    options: &Options,
) -> Result<Encoded, Unsupported> {
    let mut writer = Writer { target, options, loss: Loss::new(losses), body: Map::new() };
    writer.set("model", json!(target.origin.model));
    writer.messages(request)?;
    writer.tools(request)?;
    writer.sampling(&request.sampling)?;
    writer.output(&request.output)?;
    if let Some(ask) = &request.reasoning {
        writer.reasoning(ask)?;
    }
    if request.stream {
        writer.set("stream", json!(true));
        if !options.no_stream_usage {
            writer.set("stream_options", json!({"include_usage": true}));
        }
    }
    writer.labels(request);
    writer.rest(&request.rest)?;
    let goes_on = request.messages.last().is_some_and(|message| message.role == Role::Assistant);
    if goes_on && options.prefill == PrefillMark::Continue {
        writer.set("add_generation_prompt", json!(false));
        writer.set("continue_final_message", json!(true));
    }
    // What has only texts for names cannot fail to be written.
    let body = serde_json::to_vec(&writer.body).unwrap_or_default();
    Ok(writer.loss.finish(body.into()))
}

/// A body that is being written.
struct Writer<'a> {
    target: &'a Target,
    options: &'a Options,
    loss: Loss<'a>,
    body: Map<String, Value>,
}

impl Writer<'_> {
    fn set(&mut self, name: &str, value: Value) {
        self.body.insert(name.to_owned(), value);
    }

    /// Sets a parameter where the vendor knows it. `idle`: what it says happens anyway.
    fn set_known(&mut self, param: Param, value: Value, idle: bool) -> Result<(), Unsupported> {
        if !self.options.without.has(param) {
            self.set(param.as_str(), value);
            return Ok(());
        }
        if idle { Ok(()) } else { self.loss.cannot(param.as_str(), "is not known to this provider") }
    }

    /// What changes nothing of the answer.
    fn labels(&mut self, request: &Request) {
        let tiers = ["auto", "default", "flex", "scale", "priority"];
        let tier = request.service_tier.as_deref();
        if tier.is_some_and(|tier| !tiers.contains(&tier)) {
            self.loss.note("service_tier");
        }
        let newer = request.rest.of(Dialect::Chat).and_then(|rest| rest.get("safety_identifier"));
        let user = request.user.as_deref().filter(|user| newer.and_then(Value::as_str) != Some(user));
        let labels = [
            (Param::ServiceTier, tier.filter(|tier| tiers.contains(tier)).map(|tier| json!(tier))),
            (Param::PromptCacheKey, request.cache_key.as_ref().map(|key| json!(key))),
            (Param::Metadata, request.metadata.clone().map(Value::Object)),
            (Param::User, user.map(|user| json!(user))),
        ];
        for (param, value) in labels {
            match value {
                None => {}
                Some(_) if self.options.without.has(param) => self.loss.note(param.as_str()),
                Some(value) => self.set(param.as_str(), value),
            }
        }
        if request.cache.is_some() {
            self.loss.note("cache_control");
        }
    }

    /// What only one dialect knows: written again in its own, refused or noted in another.
    fn rest(&mut self, rest: &Rest) -> Result<(), Unsupported> {
        for (name, value) in rest.of(Dialect::Chat).into_iter().flatten() {
            match (self.body.get_mut(name), value) {
                (Some(Value::Object(there)), Value::Object(more)) => {
                    let more = more.iter().map(|(name, value)| (name.clone(), value.clone()));
                    there.extend(more);
                }
                (Some(_), _) => {}
                // The client's wishes for its stream mean nothing where there is none.
                (None, _) if name == "stream_options" => {}
                (None, value) => drop(self.body.insert(name.clone(), value.clone())),
            }
        }
        for name in rest.foreign_to(Dialect::Chat) {
            if is_hint(name) {
                self.loss.note(name.to_owned());
            } else {
                self.loss.cannot(name.to_owned(), "is not known to Chat Completions")?;
            }
        }
        Ok(())
    }
}

/// `cache_control` of a hint.
pub(super) fn cache_control(hint: CacheHint) -> Value {
    match hint.ttl_seconds {
        None => json!({"type": "ephemeral"}),
        Some(seconds) if seconds <= 300 => json!({"type": "ephemeral", "ttl": "5m"}),
        Some(_) => json!({"type": "ephemeral", "ttl": "1h"}),
    }
}
