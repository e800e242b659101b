//! Reading a client's request.

mod messages;

use super::DIALECT;
use crate::chat::{
    BadBody, BadField, Fields, Format, ReasoningAsk, ReasoningMode, Request, Sampling, Tool, ToolChoice,
    ToolKind,
};
use serde_json::Value;

/// Reads a request. It always has usage.
pub fn decode_request(body: &[u8]) -> Result<Request, BadBody> {
    let mut fields = Fields::new(DIALECT, "", BadBody::parse(body)?)?;
    let mut request = Request {
        model: fields.need_text("model")?.into(),
        messages: messages::read(&mut fields)?,
        tools: tools(&mut fields)?,
        tool_choice: choice(&mut fields)?,
        sampling: sampling(&mut fields)?,
        reasoning: thinking(&mut fields)?,
        stream: fields.flag("stream")?.unwrap_or(false),
        stream_usage: true,
        ..Request::default()
    };
    request.output.format = format(&mut fields)?;
    request.rest = fields.rest();
    Ok(request)
}

fn sampling(fields: &mut Fields) -> Result<Sampling, BadField> {
    Ok(Sampling {
        max_tokens: fields.count("max_tokens")?,
        temperature: fields.number("temperature")?,
        top_p: fields.number("p")?,
        top_k: fields.count("k")?,
        frequency_penalty: fields.number("frequency_penalty")?,
        presence_penalty: fields.number("presence_penalty")?,
        seed: fields.integer("seed")?,
        stop: fields.texts("stop_sequences")?.unwrap_or_default(),
        logprobs: fields.flag("logprobs")?,
        ..Sampling::default()
    })
}

fn tools(fields: &mut Fields) -> Result<Vec<Tool>, BadField> {
    let strict = fields.flag("strict_tools")?;
    let mut tools = Vec::new();
    for mut tool in fields.objects("tools")?.unwrap_or_default() {
        tool.take("type");
        let Some(mut function) = tool.object("function")? else {
            return Err(tool.missing("function", "an object with `name`"));
        };
        let kind = ToolKind::Function {
            name: function.need_text("name")?.into(),
            description: function.text("description")?,
            parameters: function.map("parameters")?.map(Value::Object),
            strict: strict.filter(|strict| *strict),
        };
        tools.push(Tool { kind, cache: None, rest: tool.rest() });
    }
    Ok(tools)
}

fn choice(fields: &mut Fields) -> Result<Option<ToolChoice>, BadField> {
    match fields.text("tool_choice")?.as_deref() {
        None => Ok(None),
        Some("REQUIRED") => Ok(Some(ToolChoice::Required)),
        Some("NONE") => Ok(Some(ToolChoice::None)),
        Some(_) => Err(fields.invalid("tool_choice", "an unknown word", "`REQUIRED` or `NONE`")),
    }
}

fn thinking(fields: &mut Fields) -> Result<Option<ReasoningAsk>, BadField> {
    let Some(mut thinking) = fields.object("thinking")? else { return Ok(None) };
    let mode = match thinking.need_text("type")?.as_str() {
        "enabled" => ReasoningMode::Enabled,
        "disabled" => ReasoningMode::Disabled,
        _ => return Err(thinking.invalid("type", "an unknown word", "`enabled` or `disabled`")),
    };
    let budget_tokens = thinking.count("token_budget")?;
    Ok(Some(ReasoningAsk { mode, budget_tokens, ..ReasoningAsk::default() }))
}

fn format(fields: &mut Fields) -> Result<Option<Format>, BadField> {
    let Some(mut format) = fields.object("response_format")? else { return Ok(None) };
    match format.need_text("type")?.as_str() {
        "text" => Ok(Some(Format::Text)),
        "json_object" => {
            // Its name in the vendor's guides is the older of the two.
            let schema = format.map("json_schema")?.or(format.map("schema")?);
            Ok(Some(schema.map_or(Format::JsonObject, |schema| Format::JsonSchema {
                name: None,
                description: None,
                schema: Value::Object(schema),
                strict: None,
            })))
        }
        _ => Err(format.invalid("type", "an unknown word", "`text` or `json_object`")),
    }
}
