//! `countTokens`.

use super::written::json;
use super::{Options, Service, error, proto, request};
use crate::chat::{BadBody, Encoded, Loss, Losses, Request, Target, Unsupported};
use bytes::Bytes;
use serde_json::{Value, json as value};
use wellhead_types::{Failure, Stage};

/// Reads what is to be counted: contents, a whole request within `generateContentRequest` (AI Studio), or a request's
/// members (Vertex AI).
pub fn decode_count_request(body: &[u8], model: &str) -> Result<Request, BadBody> {
    let mut fields = proto::message("", BadBody::parse(body)?)?;
    Ok(match proto::child(&mut fields, "generateContentRequest")? {
        Some(inner) => request::read(inner, model, false)?,
        None => request::read(fields, model, false)?,
    })
}

/// Writes it for a target. AI Studio counts instructions and tools only within a whole request, which repeats the name
/// of the model.
pub fn encode_count_request(
    request: &Request,
    target: &Target,
    losses: &Losses,
    options: Options,
) -> Result<Encoded, Unsupported> {
    let mut loss = Loss::new(losses);
    let body = request::body(request, target, options, &mut loss)?;
    let bytes = json(&body);
    if options.service == Service::Vertex {
        return Ok(loss.finish(bytes.into()));
    }
    let model = &*target.origin.model;
    let name = if model.starts_with("models/") { model.to_owned() } else { format!("models/{model}") };
    let mut out = br#"{"generateContentRequest":{"model":"#.to_vec();
    out.extend(json(&name));
    // The body is an object with members: `contents` is always there.
    out.push(b',');
    out.extend_from_slice(bytes.get(1..).unwrap_or(b"}"));
    out.push(b'}');
    Ok(loss.finish(out.into()))
}

/// Reads a target's count.
pub fn decode_count(body: &[u8]) -> Result<u64, Failure> {
    let read: Value = serde_json::from_slice(body).map_err(|bad| error::no_json(&bad, Stage::FirstToken))?;
    let members = super::answer::opened(read, body, Stage::FirstToken)?;
    // Proto JSON leaves out a count of 0.
    match members.get("totalTokens") {
        None => Ok(0),
        Some(count) => count
            .as_u64()
            .or_else(|| count.as_str().and_then(|text| text.parse().ok()))
            .ok_or_else(|| error::odd(&"`totalTokens` is no count", Stage::FirstToken)),
    }
}

/// Writes a count for a client.
pub fn encode_count(tokens: u64) -> Bytes {
    value!({"totalTokens": tokens}).to_string().into()
}
