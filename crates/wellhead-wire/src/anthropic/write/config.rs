//! Sampling, the form of the answer, and what else stands beside the conversation.

use super::part::Writer;
use super::thinking::Ask;
use crate::anthropic::read::DIALECT;
use crate::chat::{Format, Request, Sampling, Unsupported, is_hint};
use serde_json::{Map, Value, json};

/// The sampling parameters that are written.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) top_k: Option<u64>,
}

/// `derived`: the model thinks although the client named no form of it, so that its other wishes have to be checked
/// against that.
pub(super) fn sampling(
    sampling: &Sampling,
    derived: bool,
    writer: &mut Writer<'_, '_>,
) -> Result<Drawn, Unsupported> {
    let mut drawn = Drawn { temperature: sampling.temperature, top_p: sampling.top_p, top_k: sampling.top_k };
    let refused = if !writer.target.can.sampling || !writer.options.version.takes_sampling() {
        Some("is not taken by this model")
    } else if derived {
        Some("cannot be changed while this model thinks")
    } else {
        None
    };
    if let Some(why) = refused {
        // What only repeats the default changes nothing.
        leave_out(&mut drawn.temperature, "temperature", |value| *value == 1.0, why, writer)?;
        leave_out(&mut drawn.top_p, "top_p", |value| *value == 1.0, why, writer)?;
        leave_out(&mut drawn.top_k, "top_k", |_| false, why, writer)?;
    }
    let too_hot = "is above 1, the highest of this dialect";
    if drawn.temperature.is_some_and(|temperature| temperature > 1.0) {
        leave_out(&mut drawn.temperature, "temperature", |_| false, too_hot, writer)?;
    }
    unknown(sampling, writer)?;
    Ok(drawn)
}

fn leave_out<T>(
    slot: &mut Option<T>,
    name: &'static str,
    is_default: impl Fn(&T) -> bool,
    why: &str,
    writer: &mut Writer<'_, '_>,
) -> Result<(), Unsupported> {
    match slot.take() {
        None => Ok(()),
        Some(value) if is_default(&value) => {
            writer.loss.note(name);
            Ok(())
        }
        Some(_) => writer.loss.cannot(name, why),
    }
}

/// What this dialect has no word for (wire.md, trap 13). Values that say what happens anyway need none.
fn unknown(sampling: &Sampling, writer: &mut Writer<'_, '_>) -> Result<(), Unsupported> {
    for (name, is_said) in [
        ("min_p", sampling.p_floor.is_some_and(|value| value != 0.0)),
        ("frequency_penalty", sampling.frequency_penalty.is_some_and(|value| value != 0.0)),
        ("presence_penalty", sampling.presence_penalty.is_some_and(|value| value != 0.0)),
        ("repetition_penalty", sampling.repetition_penalty.is_some_and(|value| value != 1.0)),
        ("seed", sampling.seed.is_some()),
        ("logit_bias", sampling.logit_bias.as_ref().is_some_and(|bias| !bias.is_empty())),
        ("logprobs", sampling.logprobs == Some(true)),
        ("top_logprobs", sampling.top_logprobs.is_some_and(|count| count > 0)),
        ("n", sampling.candidates.is_some_and(|count| count > 1)),
    ] {
        if is_said {
            writer.loss.cannot(name, "is unknown to this target")?;
        }
    }
    Ok(())
}

/// Texts that end the answer; the vendor refuses those without a letter.
pub(super) fn stops<'a>(
    sampling: &'a Sampling,
    writer: &mut Writer<'_, '_>,
) -> Result<Vec<&'a str>, Unsupported> {
    if !sampling.stop.is_empty() && !writer.target.can.stop {
        writer.loss.cannot("stop", "is not taken by this model")?;
        return Ok(Vec::new());
    }
    let (blank, stops): (Vec<&str>, Vec<&str>) =
        sampling.stop.iter().map(String::as_str).partition(|text| text.trim().is_empty());
    if !blank.is_empty() {
        writer.loss.cannot("stop", "has a text of white space alone, which this target does not take")?;
    }
    Ok(stops)
}

/// `output_config`, with what only this dialect knows of it.
pub(super) fn output(
    request: &Request,
    ask: &Ask,
    writer: &mut Writer<'_, '_>,
) -> Result<Map<String, Value>, Unsupported> {
    let output = &request.output;
    let mut config = own_object(request, "output_config");
    match &output.format {
        None | Some(Format::Text) => {}
        Some(Format::JsonObject) => {
            writer.loss.cannot(
                "response_format",
                "asks for JSON without a schema, which this target cannot promise",
            )?;
        }
        Some(Format::JsonSchema { .. }) if !writer.target.can.json_schema => {
            writer
                .loss
                .cannot("response_format", "asks for JSON by a schema, which this model cannot promise")?;
        }
        Some(Format::JsonSchema { description, schema, .. }) => {
            if description.is_some() {
                writer.loss.note("response_format.description");
            }
            config.insert("format".to_owned(), json!({"type": "json_schema", "schema": schema}));
        }
    }
    if let Some(effort) = ask.effort {
        config.insert("effort".to_owned(), effort.as_str().into());
    }
    if output.modalities.iter().any(|modality| &**modality != "text") || output.audio.is_some() {
        writer.loss.cannot("modalities", "asks for more than text, which is all that this target writes")?;
    }
    if output.verbosity.is_some() {
        // How many words are enough is a wish; every adapter without a word for it leaves it out.
        writer.loss.note("verbosity");
    }
    Ok(config)
}

/// `metadata`: the end user. Labels of clients have no place there.
pub(super) fn metadata(request: &Request, writer: &mut Writer<'_, '_>) -> Map<String, Value> {
    let mut metadata = own_object(request, "metadata");
    if let Some(user) = &request.user {
        metadata.insert("user_id".to_owned(), (**user).into());
    }
    if request.metadata.as_ref().is_some_and(|labels| !labels.is_empty()) {
        writer.loss.note("metadata");
    }
    metadata
}

fn own_object(request: &Request, name: &str) -> Map<String, Value> {
    let member = request.rest.of(DIALECT).and_then(|rest| rest.get(name));
    member.and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The class of service, if this dialect has a word for it.
pub(super) fn service_tier(request: &Request, writer: &mut Writer<'_, '_>) -> Option<&'static str> {
    match request.service_tier.as_deref()? {
        "auto" => Some("auto"),
        "default" | "standard" | "standard_only" => Some("standard_only"),
        _ => {
            writer.loss.note("service_tier");
            None
        }
    }
}

/// What only another dialect knows.
pub(super) fn foreign(request: &Request, writer: &mut Writer<'_, '_>) -> Result<(), Unsupported> {
    if request.cache_key.is_some() {
        writer.loss.note("prompt_cache_key");
    }
    for name in request.rest.foreign_to(DIALECT) {
        if is_hint(name) {
            writer.loss.note(name.to_owned());
        } else {
            writer.loss.cannot(name.to_owned(), "is unknown to this target")?;
        }
    }
    Ok(())
}
