//! `POST /v1/responses`.

mod input;
mod object;
mod stream;

use serde_json::{Map, Value};

use super::Call;
use super::chat::{reasons, tool_choice, tools};
use super::params::{flag, given, missing, number, text};
use crate::mind::{Ask, Format, answer};
use crate::reply::{self, Reply};
use object::Response;
use stream::ResponseEvents;

/// Least that the vendor accepts as `max_output_tokens`.
const OUTPUT_TOKENS_MIN: u64 = 16;

/// Answers a request for a response.
pub(crate) fn responses(call: &Call<'_>) -> Result<Reply, Reply> {
    let object = call.parsed.object()?;
    let model = call.parsed.known_model()?;
    if let Some(previous) = text(object, "previous_response_id")? {
        let message = format!("Previous response with id '{previous}' not found.");
        let (code, param) = (Some("previous_response_not_found"), Some("previous_response_id"));
        return Err(reply::error(400, "invalid_request_error", code, param, &message));
    }
    let ask = ask(call, object, model)?;
    let answer = answer(&ask, call.core.options.seed, 0);
    let response = Response::new(call, object, model, ask.prompt_tokens, answer);
    if flag(object, "stream")? {
        return Ok(Reply::events(Box::new(ResponseEvents::new(response))));
    }
    let tokens = response.answer.tokens();
    Ok(Reply::json(200, &response.finished(), tokens))
}

fn ask(call: &Call<'_>, object: &Map<String, Value>, model: &str) -> Result<Ask, Reply> {
    let talk = input::talk(object)?;
    let tools = tools(object)?;
    let choice = tool_choice(object, &tools)?;
    Ok(Ask {
        hash: talk.hash,
        last_user: talk.last_user,
        prompt_tokens: talk.tokens,
        tools,
        choice,
        parallel: given(object, "parallel_tool_calls") != Some(&Value::Bool(false)),
        after_tool: talk.after_tool,
        prefill: talk.prefill,
        format: format(object)?,
        tokens_wanted: call.tokens_wanted,
        tokens_max: number(object, "max_output_tokens", OUTPUT_TOKENS_MIN, u64::MAX)?,
        stop: Vec::new(),
        reasons: reasons(model),
        practice: model.starts_with("practice"),
    })
}

fn format(object: &Map<String, Value>) -> Result<Format, Reply> {
    let format = given(object, "text").and_then(|text| text.get("format"));
    let Some(format) = format.filter(|format| !format.is_null()) else { return Ok(Format::Text) };
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::Object),
        Some("json_schema") => match format.get("schema") {
            Some(schema @ Value::Object(_)) => Ok(Format::Schema(schema.clone())),
            _ => Err(missing("text.format.schema")),
        },
        _ => {
            let message = "Invalid value for 'text.format.type': known are text, json_object, json_schema.";
            Err(reply::invalid("text.format.type", message))
        }
    }
}
