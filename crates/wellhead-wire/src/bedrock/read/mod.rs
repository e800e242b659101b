//! From the wire's members to the canonical ones: what a client asks, and the blocks that requests and answers share.

mod block;
mod config;
mod turns;

pub(super) use block::blocks;

use super::DIALECT;
use crate::chat::{BadBody, BadField, Fields, Opaque, Origin, Request, Rest, Sampling};
use serde_json::{Map, Value};

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

/// Reads the body of `POST /model/{id}/converse` and `/converse-stream`. The model and whether it streams are those of
/// the path.
///
/// # Errors
/// The body is no JSON, or a member is missing or wrong.
pub fn decode_request(body: &[u8], model: &str, stream: bool) -> Result<Request, BadBody> {
    let mut fields = Fields::new(DIALECT, "", BadBody::parse(body)?)?;
    let mut request = Request { stream, stream_usage: true, model: model.into(), ..Request::default() };
    turns::system(&mut fields, &mut request.messages)?;
    let missing = fields.missing("messages", "a list of messages");
    let messages = fields.objects("messages")?.filter(|messages| !messages.is_empty()).ok_or(missing)?;
    turns::messages(messages, &mut request.messages)?;
    request.sampling = sampling(&mut fields)?;
    config::tools(&mut fields, &mut request)?;
    let output = config::output(&mut fields, &mut request)?;
    let additional = config::additional(&mut fields, &mut request)?;
    request.metadata = fields.map("requestMetadata")?;
    request.service_tier = match fields.object("serviceTier")? {
        None => None,
        Some(mut tier) => Some(tier.need_text("type")?.into()),
    };
    request.rest = rest(fields, [("outputConfig", output), ("additionalModelRequestFields", additional)]);
    Ok(request)
}

fn sampling(fields: &mut Fields) -> Result<Sampling, BadField> {
    let Some(mut config) = fields.object("inferenceConfig")? else { return Ok(Sampling::default()) };
    Ok(Sampling {
        max_tokens: config.count("maxTokens")?,
        temperature: config.number("temperature")?,
        top_p: config.number("topP")?,
        stop: config.texts("stopSequences")?.unwrap_or_default(),
        ..Sampling::default()
    })
}

/// What nobody took, and what is left of objects that were taken in part.
fn rest(fields: Fields, parts: [(&str, Map<String, Value>); 2]) -> Rest {
    let mut members = fields.rest().of(DIALECT).cloned().unwrap_or_default();
    for (name, rest) in parts {
        if !rest.is_empty() {
            members.insert(name.to_owned(), Value::Object(rest));
        }
    }
    Rest::new(DIALECT, members)
}
