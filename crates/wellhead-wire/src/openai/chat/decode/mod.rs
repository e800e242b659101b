//! Reading a client's request.

mod content;
mod messages;
mod tools;
mod wishes;

use crate::chat::{BadBody, BadField, Dialect, Fields, Request, Rest};
use serde_json::{Map, Value};

/// Reads a request. What is not known here stays in the request's rest and is written again for targets of this dialect.
pub fn decode_request(body: &[u8]) -> Result<Request, BadBody> {
    let mut fields = Fields::new(Dialect::Chat, "", BadBody::parse(body)?)?;
    let model = fields.need_text("model")?.into();
    let messages = messages::decode(&mut fields)?;
    let mut rest = Map::new();
    let mut request = Request {
        model,
        messages,
        tools: tools::decode(&mut fields)?,
        tool_choice: tools::choice(&mut fields)?,
        parallel_tool_calls: fields.flag("parallel_tool_calls")?,
        sampling: wishes::sampling(&mut fields)?,
        output: wishes::output(&mut fields)?,
        reasoning: wishes::reasoning(&mut fields)?,
        stream: fields.flag("stream")?.unwrap_or(false),
        stream_usage: stream_usage(&mut fields, &mut rest)?,
        metadata: fields.map("metadata")?,
        service_tier: fields.text("service_tier")?.map(Into::into),
        cache_key: fields.text("prompt_cache_key")?.map(Into::into),
        ..Request::default()
    };
    request.stream_usage &= request.stream;
    // The newer name for the same person stays where it is, for targets that know it.
    let newer = fields.peek("safety_identifier").and_then(Value::as_str).map(Box::from);
    request.user = fields.text("user")?.map(Into::into).or(newer);
    request.rest = joined(rest, &fields.rest());
    Ok(request)
}

fn stream_usage(fields: &mut Fields, rest: &mut Map<String, Value>) -> Result<bool, BadField> {
    let Some(mut options) = fields.object("stream_options")? else { return Ok(false) };
    let asked = options.flag("include_usage")?.unwrap_or(false);
    if let Some(more) = options.rest().of(Dialect::Chat) {
        rest.insert("stream_options".to_owned(), Value::Object(more.clone()));
    }
    Ok(asked)
}

/// What is left in two places.
fn joined(mut more: Map<String, Value>, rest: &Rest) -> Rest {
    rest.add_to(Dialect::Chat, &mut more);
    Rest::new(Dialect::Chat, more)
}

/// What is left of an object and of the one within it, under the inner one's name.
fn nested(outer: Fields, name: &str, inner: Option<Fields>) -> Rest {
    let mut more = Map::new();
    if let Some(left) = inner.and_then(|inner| inner.rest().of(Dialect::Chat).cloned()) {
        more.insert(name.to_owned(), Value::Object(left));
    }
    joined(more, &outer.rest())
}
