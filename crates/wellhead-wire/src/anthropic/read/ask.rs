//! How much to think, and what the answer has to look like.

use super::nothing_else;
use crate::chat::{BadField, Effort, Fields, Format, ReasoningAsk, ReasoningMode};
use serde_json::{Map, Value};

/// Fewest tokens that a budget may have.
pub(in crate::anthropic) const BUDGET_TOKENS_MIN: u64 = 1024;

/// `thinking`. `max_tokens` is `None` where none is needed.
pub(crate) fn thinking(
    fields: &mut Fields,
    max_tokens: Option<u64>,
) -> Result<Option<ReasoningAsk>, BadField> {
    let Some(mut thinking) = fields.object("thinking")? else { return Ok(None) };
    let kind = thinking.need_text("type")?;
    let mode = match kind.as_str() {
        "enabled" => ReasoningMode::Enabled,
        "adaptive" => ReasoningMode::Adaptive,
        "between_tools" => ReasoningMode::BetweenTools,
        "disabled" => ReasoningMode::Disabled,
        other => {
            let expected = "`enabled`, `adaptive`, `between_tools` or `disabled`";
            return Err(thinking.invalid("type", &format!("`{other}`"), expected));
        }
    };
    let mut ask = ReasoningAsk { mode, ..ReasoningAsk::default() };
    if ask.mode == ReasoningMode::Enabled {
        ask.budget_tokens = Some(budget(&mut thinking, max_tokens)?);
    }
    if matches!(ask.mode, ReasoningMode::Enabled | ReasoningMode::Adaptive) {
        ask.show = display(&mut thinking)?;
    }
    nothing_else(thinking)?;
    Ok(Some(ask))
}

fn budget(thinking: &mut Fields, max_tokens: Option<u64>) -> Result<u64, BadField> {
    let expected = "tokens to think, 1024 or more and fewer than `max_tokens`";
    let missing = thinking.missing("budget_tokens", expected);
    let budget = thinking.count("budget_tokens")?.ok_or(missing)?;
    if budget < BUDGET_TOKENS_MIN || max_tokens.is_some_and(|max| budget >= max) {
        return Err(thinking.invalid("budget_tokens", &budget.to_string(), expected));
    }
    Ok(budget)
}

fn display(thinking: &mut Fields) -> Result<Option<Box<str>>, BadField> {
    match thinking.text("display")?.as_deref() {
        None => Ok(None),
        Some("summarized") => Ok(Some("auto".into())),
        Some("omitted") => Ok(Some("none".into())),
        Some(other) => Err(thinking.invalid("display", &format!("`{other}`"), "`summarized` or `omitted`")),
    }
}

/// What stands in `output_config`.
#[derive(Debug, Default)]
pub(in crate::anthropic) struct Config {
    pub(in crate::anthropic) format: Option<Format>,
    pub(in crate::anthropic) effort: Option<Effort>,
    /// What only this dialect knows.
    pub(in crate::anthropic) rest: Map<String, Value>,
}

/// Reads `output_config`, and the older name of its format.
pub(in crate::anthropic) fn output_config(fields: &mut Fields) -> Result<Config, BadField> {
    let older = format(fields, "output_format")?;
    let Some(mut config) = fields.object("output_config")? else {
        return Ok(Config { format: older, ..Config::default() });
    };
    let newer = format(&mut config, "format")?;
    let effort = match config.text("effort")? {
        None => None,
        Some(word) => match Effort::from_word(&word).filter(|effort| *effort >= Effort::Low) {
            Some(effort) => Some(effort),
            None => {
                let expected = "`low`, `medium`, `high`, `xhigh` or `max`";
                return Err(config.invalid("effort", &format!("`{word}`"), expected));
            }
        },
    };
    let rest = config.rest().of(super::DIALECT).cloned().unwrap_or_default();
    Ok(Config { format: newer.or(older), effort, rest })
}

fn format(fields: &mut Fields, name: &str) -> Result<Option<Format>, BadField> {
    let Some(mut format) = fields.object(name)? else { return Ok(None) };
    let kind = format.need_text("type")?;
    if kind != "json_schema" {
        return Err(format.invalid("type", &format!("`{kind}`"), "`json_schema`"));
    }
    let missing = format.missing("schema", "a JSON Schema");
    let schema = Value::Object(format.map("schema")?.ok_or(missing)?);
    nothing_else(format)?;
    Ok(Some(Format::JsonSchema { name: None, description: None, schema, strict: None }))
}
