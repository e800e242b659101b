//! Reading a client's request.

mod content;
mod items;
mod tools;
mod wishes;

use super::{DIALECT, Echo};
use crate::chat::{BadBody, BadField, Fields, Message, Part, Request, Rest, Role};
use serde_json::{Map, Value, json};

pub(super) use content::annotation;
pub(super) use wishes::LOGPROBS;

/// Reads a request. What is not known here stays in the request's rest and is written again for targets of this dialect.
pub fn decode_request(body: &[u8]) -> Result<Request, BadBody> {
    Ok(read(BadBody::parse(body)?)?)
}

/// The same, with what the answer has to repeat of it.
pub fn decode_request_and_echo(body: &[u8]) -> Result<(Request, Echo), BadBody> {
    let body = BadBody::parse(body)?;
    let repeated = Echo::repeated(&body);
    let request = read(body)?;
    let echo = Echo::new(repeated, &request);
    Ok((request, echo))
}

fn read(body: Value) -> Result<Request, BadField> {
    let mut fields = Fields::new(DIALECT, "", body)?;
    stateless(&mut fields)?;
    let model = fields.need_text("model")?.into();
    let mut messages = Vec::new();
    if let Some(text) = fields.text("instructions")? {
        messages.push(Message::new(Role::System, vec![Part::text(text)]));
    }
    items::decode(&mut fields, &mut messages)?;
    let mut rest = Map::new();
    let mut request = Request {
        model,
        messages,
        tools: tools::decode(&mut fields)?,
        tool_choice: tools::choice(&mut fields)?,
        parallel_tool_calls: fields.flag("parallel_tool_calls")?,
        sampling: wishes::sampling(&mut fields, &mut rest)?,
        output: wishes::output(&mut fields, &mut rest)?,
        reasoning: wishes::reasoning(&mut fields, &mut rest)?,
        stream: fields.flag("stream")?.unwrap_or(false),
        stream_usage: true,
        metadata: fields.map("metadata")?,
        service_tier: fields.text("service_tier")?.map(Into::into),
        cache_key: fields.text("prompt_cache_key")?.map(Into::into),
        ..Request::default()
    };
    // The newer name for the same person stays where it is, for targets that know it.
    let newer = fields.peek("safety_identifier").and_then(Value::as_str).map(Box::from);
    request.user = fields.text("user")?.map(Into::into).or(newer);
    fields.rest().add_to(DIALECT, &mut rest);
    request.rest = Rest::new(DIALECT, rest);
    Ok(request)
}

/// Refuses what lives at one vendor, and takes away what asks for nothing here.
fn stateless(fields: &mut Fields) -> Result<(), BadField> {
    const STATE: [(&str, &str); 3] = [
        (
            "previous_response_id",
            "an earlier answer, and answers are not kept: send the conversation in `input`",
        ),
        ("conversation", "a conversation kept at one vendor: send its items in `input`"),
        ("prompt", "a template kept at one vendor: send its text in `instructions` and `input`"),
    ];
    for (name, what) in STATE {
        if fields.take(name).is_some() {
            return Err(unsupported(fields, name, &format!("refers to {what}")));
        }
    }
    if fields.flag("background")? == Some(true) {
        let why = "asks for an answer to be fetched later, which only its own vendor can do: leave it out";
        return Err(unsupported(fields, "background", why));
    }
    // What is answered with is `store: false`: SDKs send `true` without a thought, and `false` is what is done anyway.
    fields.flag("store")?;
    // How events are padded.
    fields.take("stream_options");
    if fields.peek("truncation") == Some(&json!("disabled")) {
        fields.take("truncation");
    }
    Ok(())
}

/// The error for what can be said and not done. `why` completes "`param` ...".
fn unsupported(fields: &Fields, name: &str, why: &str) -> BadField {
    let param = fields.path(name);
    BadField { message: format!("`{param}` {why}"), param, code: "unsupported_parameter" }
}

/// The first characters of a word that means nothing, for an error.
fn quoted(word: &str) -> String {
    format!("`{}`", word.chars().take(40).collect::<String>())
}
