//! What is asked of the answer.

use super::super::DIALECT;
use super::quoted;
use crate::chat::{BadField, Effort, Fields, Format, Output, ReasoningAsk, Sampling};
use serde_json::{Map, Value, json};

/// Asks for the probabilities of tokens.
pub(in super::super) const LOGPROBS: &str = "message.output_text.logprobs";

pub(super) fn sampling(fields: &mut Fields, rest: &mut Map<String, Value>) -> Result<Sampling, BadField> {
    let mut include = fields.texts("include")?.unwrap_or_default();
    let listed = include.len();
    include.retain(|name| name != LOGPROBS);
    let logprobs = (include.len() < listed).then_some(true);
    if !include.is_empty() {
        rest.insert("include".to_owned(), json!(include));
    }
    Ok(Sampling {
        max_tokens: fields.count("max_output_tokens")?,
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        logprobs,
        top_logprobs: fields.count("top_logprobs")?,
        ..Sampling::default()
    })
}

pub(super) fn output(fields: &mut Fields, rest: &mut Map<String, Value>) -> Result<Output, BadField> {
    let Some(mut text) = fields.object("text")? else { return Ok(Output::default()) };
    let format = match text.object("format")? {
        None => None,
        Some(format) => Some(self::format(format)?),
    };
    let verbosity = text.text("verbosity")?.map(Into::into);
    keep("text", text, rest);
    Ok(Output { format, verbosity, ..Output::default() })
}

fn format(mut format: Fields) -> Result<Format, BadField> {
    match format.need_text("type")?.as_str() {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::JsonObject),
        "json_schema" => Ok(Format::JsonSchema {
            name: format.text("name")?.map(Into::into),
            description: format.text("description")?,
            schema: Value::Object(
                format.map("schema")?.ok_or_else(|| format.missing("schema", "a JSON Schema"))?,
            ),
            strict: format.flag("strict")?,
        }),
        other => Err(format.invalid("type", &quoted(other), "`text`, `json_object` or `json_schema`")),
    }
}

pub(super) fn reasoning(
    fields: &mut Fields,
    rest: &mut Map<String, Value>,
) -> Result<Option<ReasoningAsk>, BadField> {
    let Some(mut reasoning) = fields.object("reasoning")? else { return Ok(None) };
    let effort = match reasoning.text("effort")? {
        None => None,
        Some(word) => match Effort::from_word(&word) {
            Some(effort) => Some(effort),
            None => {
                let expected = format!("one of `{}`", Effort::ALL.map(Effort::as_str).join("`, `"));
                return Err(reasoning.invalid("effort", &quoted(&word), &expected));
            }
        },
    };
    let older = reasoning.text("generate_summary")?;
    let show = reasoning.text("summary")?.or(older).map(Into::into);
    keep("reasoning", reasoning, rest);
    let ask = ReasoningAsk { effort, show, ..ReasoningAsk::default() };
    Ok(Some(ask).filter(|ask| *ask != ReasoningAsk::default()))
}

/// What is left of an object, under the object's name.
fn keep(name: &str, left: Fields, rest: &mut Map<String, Value>) {
    if let Some(members) = left.rest().of(DIALECT) {
        rest.insert(name.to_owned(), Value::Object(members.clone()));
    }
}
