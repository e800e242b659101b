//! `generationConfig`: how to draw tokens, and what the answer has to look like.

use super::{GEMINI, Options, proto, schema, thinking};
use crate::chat::{BadField, Fields, Format, Loss, Request, Target, Unsupported};
use serde_json::{Map, Value};

/// Takes it out of a body. What only this dialect knows goes into `rest`, under its whole name.
pub(super) fn read(
    body: &mut Fields,
    request: &mut Request,
    rest: &mut Map<String, Value>,
) -> Result<(), BadField> {
    let Some(mut config) = proto::child(body, "generationConfig")? else { return Ok(()) };
    let sampling = &mut request.sampling;
    sampling.max_tokens = proto::count(&mut config, "maxOutputTokens")?;
    sampling.temperature = proto::number(&mut config, "temperature")?;
    sampling.top_p = proto::number(&mut config, "topP")?;
    sampling.top_k = proto::count(&mut config, "topK")?;
    sampling.frequency_penalty = proto::number(&mut config, "frequencyPenalty")?;
    sampling.presence_penalty = proto::number(&mut config, "presencePenalty")?;
    sampling.seed = proto::integer(&mut config, "seed")?;
    sampling.stop = config.texts("stopSequences")?.unwrap_or_default();
    sampling.logprobs = config.flag("responseLogprobs")?;
    sampling.top_logprobs = proto::count(&mut config, "logprobs")?;
    sampling.candidates = proto::count(&mut config, "candidateCount")?;
    request.output.format = format(&mut config)?;
    let modalities = config.texts("responseModalities")?.unwrap_or_default();
    request.output.modalities = modalities.iter().map(|word| word.to_ascii_lowercase().into()).collect();
    request.reasoning = thinking::read(&mut config, rest)?;
    for (name, value) in config.rest().of(GEMINI).into_iter().flatten() {
        rest.insert(format!("generationConfig.{name}"), value.clone());
    }
    Ok(())
}

/// `responseMimeType` with a schema in either form. A list of texts to choose from (`text/x.enum`) is only known here.
fn format(config: &mut Fields) -> Result<Option<Format>, BadField> {
    let schema = match config.peek("responseJsonSchema") {
        Some(_) => config.take("responseJsonSchema"),
        None if config.peek("responseMimeType").and_then(Value::as_str) == Some("text/x.enum") => None,
        None => config.take("responseSchema").map(schema::to_json_schema),
    };
    if let Some(schema) = schema {
        // Says nothing besides: without it, Google refuses the schema.
        drop(config.text("responseMimeType")?);
        return Ok(Some(Format::JsonSchema { name: None, description: None, schema, strict: None }));
    }
    let format = match config.peek("responseMimeType").and_then(Value::as_str) {
        Some("text/plain") => Format::Text,
        Some("application/json") => Format::JsonObject,
        // Kept as it is.
        _ => return Ok(None),
    };
    drop(config.take("responseMimeType"));
    Ok(Some(format))
}

/// Writes it for a target.
pub(super) fn write(
    request: &Request,
    target: &Target,
    options: Options,
    loss: &mut Loss<'_>,
) -> Result<Map<String, Value>, Unsupported> {
    let mut config = Map::new();
    sampling(request, target, &mut config, loss)?;
    output(request, target, options, &mut config, loss)?;
    thinking::write(request, target, options, &mut config, loss)?;
    Ok(config)
}

fn sampling(
    request: &Request,
    target: &Target,
    config: &mut Map<String, Value>,
    loss: &mut Loss<'_>,
) -> Result<(), Unsupported> {
    let sampling = &request.sampling;
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            config.insert(name.to_owned(), value);
        }
    };
    put("maxOutputTokens", sampling.max_tokens.map(Value::from));
    for (name, param, value) in [
        ("temperature", "temperature", sampling.temperature.map(proto::json_number)),
        ("topP", "top_p", sampling.top_p.map(proto::json_number)),
        ("topK", "top_k", sampling.top_k.map(Value::from)),
    ] {
        if value.is_some() && !target.can.sampling {
            loss.cannot(param, "cannot be set for this model")?;
        } else {
            put(name, value);
        }
    }
    put("frequencyPenalty", sampling.frequency_penalty.map(proto::json_number));
    put("presencePenalty", sampling.presence_penalty.map(proto::json_number));
    match sampling.seed {
        Some(seed) if i32::try_from(seed).is_err() => {
            loss.cannot("seed", "is beyond the 32 bits that the Gemini API has for it")?;
        }
        seed => put("seed", seed.map(Value::from)),
    }
    if !sampling.stop.is_empty() {
        if target.can.stop {
            put("stopSequences", Some(sampling.stop.iter().map(String::as_str).collect()));
        } else {
            loss.cannot("stop", "cannot be set for this model")?;
        }
    }
    put("responseLogprobs", sampling.logprobs.map(Value::from));
    put("logprobs", sampling.top_logprobs.map(Value::from));
    put("candidateCount", sampling.candidates.map(Value::from));
    for (param, is_set) in [
        ("min_p", sampling.p_floor.is_some()),
        ("repetition_penalty", sampling.repetition_penalty.is_some()),
        ("logit_bias", sampling.logit_bias.is_some()),
    ] {
        if is_set {
            loss.cannot(param, "is unknown to the Gemini API")?;
        }
    }
    Ok(())
}

fn output(
    request: &Request,
    target: &Target,
    options: Options,
    config: &mut Map<String, Value>,
    loss: &mut Loss<'_>,
) -> Result<(), Unsupported> {
    let output = &request.output;
    let mime_type = match &output.format {
        None => None,
        Some(Format::Text) => Some("text/plain"),
        Some(Format::JsonObject) if target.can.json_object => Some("application/json"),
        Some(Format::JsonSchema { schema, .. }) if target.can.json_schema => {
            if options.json_schema {
                config.insert("responseJsonSchema".to_owned(), schema.clone());
            } else {
                let (schema, is_weaker) = schema::to_openapi(schema);
                config.insert("responseSchema".to_owned(), schema);
                if is_weaker {
                    loss.note("response_format");
                }
            }
            Some("application/json")
        }
        Some(_) => {
            loss.cannot("response_format", "is a form that this model cannot keep to")?;
            None
        }
    };
    if let Some(mime_type) = mime_type {
        config.insert("responseMimeType".to_owned(), mime_type.into());
    }
    if !output.modalities.is_empty() {
        let words: Vec<String> = output.modalities.iter().map(|word| word.to_ascii_uppercase()).collect();
        config.insert("responseModalities".to_owned(), words.into());
    }
    if output.audio.is_some() {
        loss.cannot("audio", "names a voice of another vendor's")?;
    }
    Ok(())
}
