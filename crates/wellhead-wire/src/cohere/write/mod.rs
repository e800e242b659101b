//! Writing a request for a target.

mod messages;
mod tools;
mod wishes;

use super::DIALECT;
use crate::chat::{Encoded, Loss, Losses, Request, Target, Unsupported, is_hint};
use serde_json::{Map, Value, json};

/// Writes a request. The vendor tells usage in every stream, so nothing asks for it.
pub fn encode_request(request: &Request, target: &Target, losses: &Losses) -> Result<Encoded, Unsupported> {
    let mut writer = Writer { target, loss: Loss::new(losses), body: Map::new() };
    writer.set("model", json!(target.origin.model));
    writer.messages(&request.messages)?;
    writer.tools(request)?;
    writer.output(request)?;
    if let Some(ask) = &request.reasoning {
        writer.thinking(ask)?;
    }
    writer.sampling(&request.sampling)?;
    writer.set("stream", json!(request.stream));
    writer.unsaid(request)?;
    request.rest.add_to(DIALECT, &mut writer.body);
    // What has only texts for names cannot fail to be written.
    let body = serde_json::to_vec(&writer.body).unwrap_or_default();
    Ok(writer.loss.finish(body.into()))
}

struct Writer<'a> {
    target: &'a Target,
    loss: Loss<'a>,
    body: Map<String, Value>,
}

impl Writer<'_> {
    fn set(&mut self, name: &str, value: Value) {
        self.body.insert(name.to_owned(), value);
    }

    /// What Cohere has no word for.
    fn unsaid(&mut self, request: &Request) -> Result<(), Unsupported> {
        let labels = [
            ("user", request.user.is_some()),
            ("metadata", request.metadata.is_some()),
            ("service_tier", request.service_tier.is_some()),
            ("prompt_cache_key", request.cache_key.is_some()),
            ("cache_control", request.cache.is_some()),
        ];
        labels.into_iter().filter(|label| label.1).for_each(|label| self.loss.note(label.0));
        for name in request.rest.foreign_to(DIALECT) {
            if is_hint(name) {
                self.loss.note(name.to_owned());
            } else {
                self.loss.cannot(name.to_owned(), "is not known to Cohere")?;
            }
        }
        Ok(())
    }
}
