//! What a client asks.

use super::read::{self, DIALECT};
use super::version::Version;
use crate::chat::{BadBody, BadField, Fields, Output, ReasoningAsk, Request, Rest, Sampling};
use serde_json::{Map, Value};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An answer, which needs a limit.
    Answer,
    /// How long the prompt is.
    Count,
}

/// Reads the body of `POST /v1/messages`.
///
/// # Errors
/// The body is no JSON, a member is missing or wrong, or the version no longer takes it.
pub fn decode_request(body: &[u8], version: Version) -> Result<Request, BadBody> {
    read(body, version, Purpose::Answer)
}

/// Reads the body of a request for an answer or for a count.
pub(super) fn read(body: &[u8], version: Version, purpose: Purpose) -> Result<Request, BadBody> {
    let mut fields = Fields::new(DIALECT, "", BadBody::parse(body)?)?;
    let mut request = Request { stream_usage: true, ..Request::default() };
    request.model = fields.need_text("model")?.into();
    request.sampling = sampling(&mut fields, version, purpose)?;
    request.messages.extend(read::system(&mut fields)?);
    let missing = fields.missing("messages", "a list of messages");
    let messages = fields.objects("messages")?.filter(|messages| !messages.is_empty()).ok_or(missing)?;
    read::messages(messages, version, &mut request.messages)?;
    request.tools = read::tools(fields.list("tools")?.unwrap_or_default())?;
    (request.tool_choice, request.parallel_tool_calls) = read::tool_choice(&mut fields)?;
    request.reasoning = read::thinking(&mut fields, request.sampling.max_tokens)?;
    // A count has nothing to stream.
    request.stream = fields.flag("stream")?.unwrap_or(false) && purpose == Purpose::Answer;
    request.service_tier = fields.text("service_tier")?.map(Into::into);
    request.cache = read::cache(&mut fields)?;
    let config = output(&mut fields, &mut request)?;
    let metadata = metadata(&mut fields, &mut request)?;
    request.rest = rest(fields, [("output_config", config), ("metadata", metadata)]);
    Ok(request)
}

fn sampling(fields: &mut Fields, version: Version, purpose: Purpose) -> Result<Sampling, BadField> {
    for name in ["temperature", "top_p", "top_k"] {
        if !version.takes_sampling() && fields.peek(name).is_some() {
            return Err(read::not_in(version, name.to_owned(), "sampling parameters"));
        }
    }
    let max_tokens = fields.count("max_tokens")?;
    if max_tokens.is_none() && purpose == Purpose::Answer {
        return Err(fields.missing("max_tokens", "the most tokens to write"));
    }
    Ok(Sampling {
        max_tokens,
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        top_k: fields.count("top_k")?,
        stop: fields.texts("stop_sequences")?.unwrap_or_default(),
        ..Sampling::default()
    })
}

/// Format and effort; the rest of `output_config` comes back.
fn output(fields: &mut Fields, request: &mut Request) -> Result<Map<String, Value>, BadField> {
    let config = read::output_config(fields)?;
    request.output = Output { format: config.format, ..Output::default() };
    if config.effort.is_some() {
        request.reasoning.get_or_insert_with(ReasoningAsk::default).effort = config.effort;
    }
    Ok(config.rest)
}

/// The end user; the rest of `metadata` comes back.
fn metadata(fields: &mut Fields, request: &mut Request) -> Result<Map<String, Value>, BadField> {
    let Some(mut metadata) = fields.object("metadata")? else { return Ok(Map::new()) };
    request.user = metadata.text("user_id")?.map(Into::into);
    Ok(metadata.rest().of(DIALECT).cloned().unwrap_or_default())
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
