//! Sampling, the form of the answer, and what else stands beside the conversation.

use super::part::Writer;
use super::thinking::Ask;
use crate::bedrock::{DIALECT, Family};
use crate::chat::{Dialect, Format, Request, Unsupported, is_hint};
use serde_json::{Map, Value, json};

/// Members of this dialect's requests that clients of any dialect may write: nobody else has them.
const OWN: [&str; 5] = [
    "guardrailConfig",
    "performanceConfig",
    "promptVariables",
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
];

/// Such a member, whatever dialect the client speaks.
pub(super) fn own<'a>(request: &'a Request, name: &str) -> Option<&'a Value> {
    Dialect::ALL.into_iter().find_map(|dialect| request.rest.of(dialect)?.get(name))
}

/// `inferenceConfig`, and what a vendor's models take besides.
pub(super) fn inference(
    request: &Request,
    ask: &Ask,
    additional: &mut Map<String, Value>,
    writer: &mut Writer<'_, '_>,
) -> Result<Map<String, Value>, Unsupported> {
    let sampling = &request.sampling;
    let mut config = Map::new();
    if let Some(asked) = sampling.max_tokens {
        let most = writer.target.output_tokens_max.map_or(asked, |most| asked.min(most));
        if most == 0 {
            writer.loss.cannot("max_tokens", "is 0; this target writes 1 token or more")?;
        } else {
            config.insert("maxTokens".to_owned(), most.into());
        }
    }
    let refused = if !writer.target.can.sampling {
        Some("is not taken by this model")
    } else if ask.is_derived {
        Some("cannot be changed while this model thinks")
    } else {
        None
    };
    for (name, own, value) in
        [("temperature", "temperature", sampling.temperature), ("top_p", "topP", sampling.top_p)]
    {
        match (value, refused) {
            (None, _) => {}
            // What only repeats the default changes nothing.
            (Some(1.0), Some(_)) => writer.loss.note(name),
            (Some(_), Some(why)) => writer.loss.cannot(name, why)?,
            (Some(value), None) if !(0.0..=1.0).contains(&value) => {
                writer.loss.cannot(name, "is not within 0 and 1, as this target wants it")?;
            }
            (Some(value), None) => drop(config.insert(own.to_owned(), value.into())),
        }
    }
    if let Some(top_k) = sampling.top_k {
        match (refused, writer.options.family) {
            (Some(why), _) => writer.loss.cannot("top_k", why)?,
            (None, Family::Claude | Family::Mistral | Family::Unknown) => {
                additional.insert("top_k".to_owned(), top_k.into());
            }
            (None, Family::Nova) => {
                additional.insert("inferenceConfig".to_owned(), json!({"topK": top_k}));
            }
            (None, _) => writer.loss.cannot("top_k", "is not taken by this model")?,
        }
    }
    let stops = stops(request, writer)?;
    if !stops.is_empty() {
        config.insert("stopSequences".to_owned(), stops.into());
    }
    unknown(request, writer)?;
    Ok(config)
}

/// Texts that end the answer.
fn stops(request: &Request, writer: &mut Writer<'_, '_>) -> Result<Vec<Value>, Unsupported> {
    let stop = &request.sampling.stop;
    if !stop.is_empty() && !writer.target.can.stop {
        writer.loss.cannot("stop", "is not taken by this model")?;
        return Ok(Vec::new());
    }
    // Anthropic's models refuse those without a letter, the service those without anything.
    let is_blank = |text: &str| {
        if writer.options.family == Family::Claude { text.trim().is_empty() } else { text.is_empty() }
    };
    let (blank, stops): (Vec<&String>, Vec<&String>) = stop.iter().partition(|text| is_blank(text));
    if !blank.is_empty() {
        writer.loss.cannot("stop", "has a text of white space alone, which this target does not take")?;
    }
    Ok(stops.into_iter().map(|text| text.as_str().into()).collect())
}

/// What this dialect has no word for (wire.md, trap 13). Values that say what happens anyway need none.
fn unknown(request: &Request, writer: &mut Writer<'_, '_>) -> Result<(), Unsupported> {
    let (sampling, output) = (&request.sampling, &request.output);
    let speaks = output.modalities.iter().any(|modality| &**modality != "text") || output.audio.is_some();
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
        ("modalities", speaks),
    ] {
        if is_said {
            writer.loss.cannot(name, "is unknown to this target")?;
        }
    }
    if output.verbosity.is_some() {
        writer.loss.note("verbosity");
    }
    Ok(())
}

/// `outputConfig`, with what only this dialect knows of it.
pub(super) fn output(
    request: &Request,
    ask: &Ask,
    writer: &mut Writer<'_, '_>,
) -> Result<Map<String, Value>, Unsupported> {
    let own = request.rest.of(DIALECT).and_then(|rest| rest.get("outputConfig"));
    let mut config = own.and_then(Value::as_object).cloned().unwrap_or_default();
    match &request.output.format {
        None | Some(Format::Text) => {}
        Some(Format::JsonObject) => {
            let why = "asks for JSON without a schema, which this target cannot promise";
            writer.loss.cannot("response_format", why)?;
        }
        Some(Format::JsonSchema { .. }) if !writer.target.can.json_schema => {
            let why = "asks for JSON by a schema, which this model cannot promise";
            writer.loss.cannot("response_format", why)?;
        }
        Some(Format::JsonSchema { name, description, schema, .. }) => {
            // A text, unlike everywhere else.
            let mut definition = json!({"schema": schema.to_string()});
            for (member, text) in [("name", name.as_deref()), ("description", description.as_deref())] {
                if let (Some(text), Some(members)) = (text, definition.as_object_mut()) {
                    members.insert(member.to_owned(), text.into());
                }
            }
            let format = json!({"type": "json_schema", "structure": {"jsonSchema": definition}});
            config.insert("textFormat".to_owned(), format);
        }
    }
    if let Some(effort) = ask.effort {
        config.insert("effort".to_owned(), effort.as_str().into());
    }
    Ok(config)
}

/// Most labels, and most bytes of their names and values.
const LABELS_MAX: usize = 16;
const LABEL_BYTES_MAX: usize = 256;

/// `requestMetadata`: labels in the account's own logs.
pub(super) fn metadata(request: &Request, writer: &mut Writer<'_, '_>) -> Map<String, Value> {
    if request.user.is_some() {
        writer.loss.note("user");
    }
    let fits = |text: &str| {
        let in_labels =
            |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || ":_@$#=/+,-.".contains(c);
        text.len() <= LABEL_BYTES_MAX && text.chars().all(in_labels)
    };
    let mut labels = Map::new();
    for (name, value) in request.metadata.iter().flatten() {
        match value {
            Value::String(text)
                if labels.len() < LABELS_MAX && !name.is_empty() && fits(name) && fits(text) =>
            {
                labels.insert(name.clone(), value.clone());
            }
            _ => writer.loss.note("metadata"),
        }
    }
    labels
}

/// The class of service, if this dialect has a word for it.
pub(super) fn service_tier(request: &Request, writer: &mut Writer<'_, '_>) -> Option<Value> {
    let word = match request.service_tier.as_deref()? {
        // What happens anyway.
        "auto" => return None,
        "default" | "standard" | "standard_only" => "default",
        word @ ("priority" | "flex" | "reserved") => word,
        _ => {
            writer.loss.note("service_tier");
            return None;
        }
    };
    Some(json!({"type": word}))
}

/// What only another dialect knows.
pub(super) fn foreign(request: &Request, writer: &mut Writer<'_, '_>) -> Result<(), Unsupported> {
    if request.cache_key.is_some() {
        writer.loss.note("prompt_cache_key");
    }
    for name in request.rest.foreign_to(DIALECT).filter(|name| !OWN.contains(name)) {
        if is_hint(name) {
            writer.loss.note(name.to_owned());
        } else {
            writer.loss.cannot(name.to_owned(), "is unknown to this target")?;
        }
    }
    Ok(())
}

/// What stands beside what was put together, as it came.
pub(super) fn rest(request: &Request) -> Map<String, Value> {
    let mut rest = request.rest.of(DIALECT).cloned().unwrap_or_default();
    for name in OWN {
        if let Some(value) = own(request, name) {
            rest.insert(name.to_owned(), value.clone());
        }
    }
    for name in ["outputConfig", "additionalModelRequestFields", "additionalModelResponseFieldPaths"] {
        rest.shift_remove(name);
    }
    // How the stream is watched over; without one it is unknown.
    if !request.stream
        && let Some(guardrail) = rest.get_mut("guardrailConfig").and_then(Value::as_object_mut)
    {
        guardrail.shift_remove("streamProcessingMode");
    }
    rest
}
