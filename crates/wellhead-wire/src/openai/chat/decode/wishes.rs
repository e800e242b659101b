//! What is asked of the answer.

use crate::chat::{BadField, Effort, Fields, Format, Output, ReasoningAsk, ReasoningMode, Sampling};
use serde_json::Value;

pub(super) fn sampling(fields: &mut Fields) -> Result<Sampling, BadField> {
    Ok(Sampling {
        max_tokens: max_tokens(fields)?,
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        top_k: top_k(fields)?,
        p_floor: fields.number("min_p")?,
        frequency_penalty: fields.number("frequency_penalty")?,
        presence_penalty: fields.number("presence_penalty")?,
        repetition_penalty: fields.number("repetition_penalty")?,
        seed: fields.integer("seed")?,
        stop: stop(fields)?,
        logit_bias: fields.map("logit_bias")?,
        logprobs: fields.flag("logprobs")?,
        top_logprobs: fields.count("top_logprobs")?,
        candidates: fields.count("n")?,
    })
}

/// The newer name wins; two different numbers mean nothing.
fn max_tokens(fields: &mut Fields) -> Result<Option<u64>, BadField> {
    let newer = fields.count("max_completion_tokens")?;
    // Some clients write -1 for "no limit".
    if fields.peek("max_tokens").and_then(Value::as_i64) == Some(-1) {
        fields.take("max_tokens");
    }
    let older = fields.count("max_tokens")?;
    match (newer, older) {
        (Some(newer), Some(older)) if newer != older => {
            Err(fields.invalid("max_tokens", "another number than `max_completion_tokens`", "one of the two"))
        }
        (newer, older) => Ok(newer.or(older)),
    }
}

/// Hosts of open models read -1 as "all".
fn top_k(fields: &mut Fields) -> Result<Option<u64>, BadField> {
    if fields.peek("top_k").and_then(Value::as_i64) == Some(-1) {
        fields.take("top_k");
    }
    fields.count("top_k")
}

fn stop(fields: &mut Fields) -> Result<Vec<String>, BadField> {
    match fields.peek("stop") {
        Some(Value::String(_)) => Ok(fields.text("stop")?.into_iter().collect()),
        _ => Ok(fields.texts("stop")?.unwrap_or_default()),
    }
}

pub(super) fn output(fields: &mut Fields) -> Result<Output, BadField> {
    let modalities = fields.texts("modalities")?.unwrap_or_default();
    Ok(Output {
        format: format(fields)?,
        modalities: modalities.into_iter().map(Into::into).collect(),
        audio: fields.map("audio")?,
        verbosity: fields.text("verbosity")?.map(Into::into),
    })
}

fn format(fields: &mut Fields) -> Result<Option<Format>, BadField> {
    let Some(kind) = fields.peek("response_format").and_then(|format| format.get("type")) else {
        if fields.peek("response_format").is_some() {
            return Err(fields.invalid("response_format", "without `type`", "an object with `type`"));
        }
        return Ok(None);
    };
    match kind.as_str() {
        Some("text") => {
            fields.take("response_format");
            Ok(Some(Format::Text))
        }
        Some("json_object") => {
            fields.take("response_format");
            Ok(Some(Format::JsonObject))
        }
        Some("json_schema") => json_schema(fields).map(Some),
        // Grammars of single vendors stay as they are.
        _ => Ok(None),
    }
}

fn json_schema(fields: &mut Fields) -> Result<Format, BadField> {
    let Some(mut format) = fields.object("response_format")? else {
        return Err(fields.missing("response_format", "an object"));
    };
    let Some(mut inner) = format.object("json_schema")? else {
        return Err(format.missing("json_schema", "an object with `name` and `schema`"));
    };
    let schema = inner.map("schema")?.map(Value::Object);
    Ok(Format::JsonSchema {
        name: inner.text("name")?.map(Into::into),
        description: inner.text("description")?,
        schema: schema.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
        strict: inner.flag("strict")?,
    })
}

/// `reasoning_effort`, and what OpenRouter (`reasoning`) and DeepSeek, Z.ai and others (`thinking`) have for it.
pub(super) fn reasoning(fields: &mut Fields) -> Result<Option<ReasoningAsk>, BadField> {
    let mut ask = ReasoningAsk { effort: effort(fields, "reasoning_effort")?, ..ReasoningAsk::default() };
    if let Some(Value::Object(_)) = fields.peek("reasoning")
        && let Some(mut reasoning) = fields.object("reasoning")?
    {
        ask.effort = effort(&mut reasoning, "effort")?.or(ask.effort);
        ask.budget_tokens = reasoning.count("max_tokens")?;
        ask.mode = match reasoning.flag("enabled")? {
            Some(true) => ReasoningMode::Enabled,
            Some(false) => ReasoningMode::Disabled,
            None => ReasoningMode::Default,
        };
        ask.show = reasoning.flag("exclude")?.filter(|exclude| *exclude).map(|_| "none".into());
        ask.show = reasoning.text("summary")?.map(Into::into).or(ask.show);
    }
    if let Some(Value::Object(_)) = fields.peek("thinking")
        && let Some(mut thinking) = fields.object("thinking")?
    {
        ask.mode = match thinking.need_text("type")?.as_str() {
            "enabled" => ReasoningMode::Enabled,
            "disabled" => ReasoningMode::Disabled,
            "adaptive" | "auto" => ReasoningMode::Adaptive,
            _ => return Err(thinking.invalid("type", "an unknown word", "`enabled` or `disabled`")),
        };
        ask.budget_tokens = thinking.count("budget_tokens")?.or(ask.budget_tokens);
    }
    Ok(Some(ask).filter(|ask| *ask != ReasoningAsk::default()))
}

fn effort(fields: &mut Fields, name: &str) -> Result<Option<Effort>, BadField> {
    let Some(word) = fields.text(name)? else { return Ok(None) };
    match Effort::from_word(&word) {
        Some(effort) => Ok(Some(effort)),
        None => {
            let words = Effort::ALL.map(Effort::as_str).join("`, `");
            let found = format!("`{}`", word.chars().take(40).collect::<String>());
            Err(fields.invalid(name, &found, &format!("one of `{words}`")))
        }
    }
}
