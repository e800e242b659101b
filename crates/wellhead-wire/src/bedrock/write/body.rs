//! The body of a request.

use super::config;
use super::part::Writer;
use super::thinking;
use super::tools;
use super::turns::{Turn, Turns};
use crate::bedrock::wire::Block;
use crate::bedrock::{Family, Options, stop};
use crate::chat::{Encoded, Loss, Losses, Request, Target, Unsupported};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    inference_config: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    output_config: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    additional_model_request_fields: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_model_response_field_paths: Option<Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    request_metadata: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Writes a request for a target that speaks this dialect. The model and whether it streams stand in the path.
///
/// # Errors
/// The request asks for something that the target cannot do, and nothing allows to leave it out.
pub fn encode_request(
    request: &Request,
    target: &Target,
    losses: &Losses,
    options: Options,
) -> Result<Encoded, Unsupported> {
    let mut writer = Writer::new(target, options, Loss::new(losses));
    let turns = Turns::new(request, &mut writer)?;
    let offer = tools::offer(request, &turns.called(), &mut writer)?;
    let mut ask = thinking::ask(request, target, options, &mut writer.loss)?;
    let loses_thought = ask.is_strict && turns.answers_unthinking();
    if (ask.is_derived && offer.is_forced) || loses_thought {
        // Anthropic's models refuse to think before a call that is demanded, and after a turn that began without a
        // thought, as one does that another vendor said. The answer is worth more than the thought.
        writer.loss.note(if loses_thought { "thinking" } else { "reasoning_effort" });
        ask.additional.shift_remove("thinking");
        (ask.thinks, ask.is_derived) = (false, false);
    }
    config::foreign(request, &mut writer)?;
    let mut additional = std::mem::take(&mut ask.additional);
    let inference_config = config::inference(request, &ask, &mut additional, &mut writer)?;
    if let Some(choice) = offer.additional {
        additional.insert("tool_choice".to_owned(), choice);
    }
    let body = Body {
        messages: turns.list,
        system: turns.system,
        inference_config,
        tool_config: offer.config,
        output_config: config::output(request, &ask, &mut writer)?,
        additional_model_request_fields: with_own(request, additional),
        additional_model_response_field_paths: paths(request, options),
        request_metadata: config::metadata(request, &mut writer),
        service_tier: config::service_tier(request, &mut writer),
        rest: config::rest(request),
    };
    // Texts, numbers and JSON that was read before cannot fail to be written.
    let bytes = serde_json::to_vec(&body).map_or_else(|_| Bytes::new(), Bytes::from);
    Ok(writer.loss.finish(bytes))
}

/// What the client wrote itself counts.
fn with_own(request: &Request, mut additional: Map<String, Value>) -> Map<String, Value> {
    let own = config::own(request, "additionalModelRequestFields").and_then(Value::as_object);
    for (name, value) in own.into_iter().flatten() {
        additional.insert(name.clone(), value.clone());
    }
    additional
}

/// What the model shall add to its answer: which text ended it is said only if it is asked for.
fn paths(request: &Request, options: Options) -> Option<Value> {
    let own = config::own(request, "additionalModelResponseFieldPaths").cloned();
    let asks = options.family == Family::Claude && !request.sampling.stop.is_empty();
    own.or_else(|| asks.then(|| vec![Value::from(format!("/{}", stop::SEQUENCE))].into()))
}
