//! Requests: what a client asks, and what a target is asked.

use super::calls::Told;
use super::written::{Body, json};
use super::{GEMINI, Options, Service, config, contents, proto, tools};
use crate::chat::{
    BadBody, BadField, Encoded, Fields, Loss, Losses, Request, Rest, Target, Unsupported, is_hint,
};
use serde_json::{Map, Value};

/// Reads a client's body. Model and streaming are said by its path (see [`super::Call`]).
pub fn decode_request(body: &[u8], model: &str, stream: bool) -> Result<Request, BadBody> {
    let fields = proto::message("", BadBody::parse(body)?)?;
    Ok(read(fields, model, stream)?)
}

/// Reads a body that is an object already.
pub(super) fn read(mut fields: Fields, model: &str, stream: bool) -> Result<Request, BadField> {
    // Some clients repeat what the path says.
    drop(fields.take("model"));
    let mut request = Request { model: model.into(), stream, stream_usage: true, ..Request::default() };
    let mut told = Told::default();
    request.messages = contents::read(&mut fields, &mut told)?;
    let mut rest = Map::new();
    request.tools = tools::read(&mut fields)?;
    request.tool_choice = tools::read_choice(&mut fields, &mut rest)?;
    config::read(&mut fields, &mut request, &mut rest)?;
    request.metadata = fields.map("labels")?;
    request.service_tier = fields.text("serviceTier")?.map(Into::into);
    for (name, value) in fields.rest().of(GEMINI).into_iter().flatten() {
        rest.insert(name.clone(), value.clone());
    }
    request.rest = Rest::new(GEMINI, rest);
    Ok(request)
}

/// Writes the body for a target.
pub fn encode_request(
    request: &Request,
    target: &Target,
    losses: &Losses,
    options: Options,
) -> Result<Encoded, Unsupported> {
    let mut loss = Loss::new(losses);
    let body = body(request, target, options, &mut loss)?;
    Ok(loss.finish(json(&body).into()))
}

/// The body, not yet as bytes.
pub(super) fn body<'a>(
    request: &'a Request,
    target: &Target,
    options: Options,
    loss: &mut Loss<'_>,
) -> Result<Body<'a>, Unsupported> {
    let (contents, system_instruction) = contents::write(request, target, options, loss)?;
    let mut tool_config = Map::new();
    let tools = tools::write(request, target, options, &mut tool_config, loss)?;
    let mut generation_config = config::write(request, target, options, loss)?;
    let mut rest = Map::new();
    hints(request, options, &mut rest, loss);
    for (name, value) in request.rest.of(GEMINI).into_iter().flatten() {
        put(&mut [&mut generation_config, &mut tool_config, &mut rest], name, value);
    }
    for name in request.rest.foreign_to(GEMINI) {
        if is_hint(name) {
            loss.note(name.to_owned());
        } else {
            loss.cannot(name.to_owned(), "is unknown to the Gemini API")?;
        }
    }
    Ok(Body { contents, system_instruction, tools, tool_config, generation_config, rest })
}

/// Puts a member that was kept under its whole name where it belongs.
fn put([config, tools, rest]: &mut [&mut Map<String, Value>; 3], name: &str, value: &Value) {
    let within = |outer: &mut Map<String, Value>, object: &str, name: &str| {
        if let Value::Object(inner) = outer.entry(object).or_insert_with(|| Map::new().into()) {
            inner.insert(name.to_owned(), value.clone());
        }
    };
    if let Some(name) = name.strip_prefix("generationConfig.thinkingConfig.") {
        within(config, "thinkingConfig", name);
    } else if let Some(name) = name.strip_prefix("generationConfig.") {
        config.insert(name.to_owned(), value.clone());
    } else if let Some(name) = name.strip_prefix("toolConfig.functionCallingConfig.") {
        within(tools, "functionCallingConfig", name);
    } else if let Some(name) = name.strip_prefix("toolConfig.") {
        tools.insert(name.to_owned(), value.clone());
    } else {
        rest.insert(name.to_owned(), value.clone());
    }
}

/// What changes nothing of the answer.
fn hints(request: &Request, options: Options, rest: &mut Map<String, Value>, loss: &mut Loss<'_>) {
    if let Some(tier) = &request.service_tier {
        // The word that other dialects have for "as configured".
        let known = ["standard", "flex", "priority", "unspecified"];
        match known.iter().find(|known| tier.eq_ignore_ascii_case(known)) {
            Some(_) => drop(rest.insert("serviceTier".to_owned(), (&**tier).into())),
            None => loss.note("service_tier"),
        }
    }
    if let Some(metadata) = &request.metadata {
        let texts = metadata.values().all(Value::is_string);
        if options.service == Service::Vertex && texts {
            rest.insert("labels".to_owned(), metadata.clone().into());
        } else {
            loss.note("metadata");
        }
    }
    if request.user.is_some() {
        loss.note("user");
    }
    if request.cache_key.is_some() {
        loss.note("prompt_cache_key");
    }
    if request.cache.is_some() {
        loss.note("cache_control");
    }
    if request.output.verbosity.is_some() {
        loss.note("verbosity");
    }
}
