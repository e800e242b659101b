//! Reading a client's request.

use crate::chat::{
    BadBody, BadField, Dialect, Effort, Fields, Format, Media, Message, Opaque, Part, Reasoning,
    ReasoningAsk, ReasoningMode, Request, Rest, Role, Sampling, Source, Tool, ToolCall, ToolKind, ToolResult,
};
use serde_json::{Map, Value};
use std::collections::VecDeque;

const DIALECT: Dialect = Dialect::Ollama;

/// Reads a request. It streams unless it says otherwise, and always has usage.
pub fn decode_request(body: &[u8]) -> Result<Request, BadBody> {
    let mut fields = Fields::new(DIALECT, "", BadBody::parse(body)?)?;
    let mut rest = Map::new();
    let mut sampling = options(&mut fields, &mut rest)?;
    sampling.logprobs = fields.flag("logprobs")?;
    sampling.top_logprobs = fields.count("top_logprobs")?;
    let mut request = Request {
        model: fields.need_text("model")?.into(),
        messages: messages(&mut fields)?,
        tools: tools(&mut fields)?,
        sampling,
        reasoning: think(&mut fields)?,
        stream: fields.flag("stream")?.unwrap_or(true),
        stream_usage: true,
        ..Request::default()
    };
    request.output.format = match fields.take("format") {
        None => None,
        Some(Value::String(word)) if word.is_empty() => None,
        Some(Value::String(word)) if word == "json" => Some(Format::JsonObject),
        Some(schema @ Value::Object(_)) => {
            Some(Format::JsonSchema { name: None, description: None, schema, strict: None })
        }
        Some(_) => return Err(fields.invalid("format", "neither", "`json` or a JSON schema").into()),
    };
    fields.rest().add_to(DIALECT, &mut rest);
    request.rest = Rest::new(DIALECT, rest);
    Ok(request)
}

fn options(fields: &mut Fields, rest: &mut Map<String, Value>) -> Result<Sampling, BadField> {
    let Some(mut options) = fields.object("options")? else { return Ok(Sampling::default()) };
    // -1 and -2 mean "no limit" here.
    if options.peek("num_predict").and_then(Value::as_i64).is_some_and(|limit| limit < 0) {
        options.take("num_predict");
    }
    let stop = match options.peek("stop") {
        Some(Value::String(_)) => options.text("stop")?.into_iter().collect(),
        _ => options.texts("stop")?.unwrap_or_default(),
    };
    let sampling = Sampling {
        max_tokens: options.count("num_predict")?,
        temperature: options.number("temperature")?,
        top_p: options.number("top_p")?,
        top_k: options.count("top_k")?,
        p_floor: options.number("min_p")?,
        frequency_penalty: options.number("frequency_penalty")?,
        presence_penalty: options.number("presence_penalty")?,
        repetition_penalty: options.number("repeat_penalty")?,
        seed: options.integer("seed")?,
        stop,
        ..Sampling::default()
    };
    if let Some(more) = options.rest().of(DIALECT) {
        rest.insert("options".to_owned(), Value::Object(more.clone()));
    }
    Ok(sampling)
}

fn think(fields: &mut Fields) -> Result<Option<ReasoningAsk>, BadField> {
    let (mode, effort) = match fields.take("think") {
        None => return Ok(None),
        Some(Value::Bool(true)) => (ReasoningMode::Enabled, None),
        Some(Value::Bool(false)) => (ReasoningMode::Disabled, None),
        Some(Value::String(word)) => match Effort::from_word(&word) {
            Some(effort) => (ReasoningMode::Default, Some(effort)),
            None => {
                return Err(fields.invalid(
                    "think",
                    "an unknown word",
                    "true, false, `low`, `medium` or `high`",
                ));
            }
        },
        Some(_) => return Err(fields.invalid("think", "neither", "true, false, `low`, `medium` or `high`")),
    };
    Ok(Some(ReasoningAsk { mode, effort, ..ReasoningAsk::default() }))
}

fn tools(fields: &mut Fields) -> Result<Vec<Tool>, BadField> {
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
            strict: None,
        };
        tools.push(Tool { kind, cache: None, rest: tool.rest() });
    }
    Ok(tools)
}

fn messages(fields: &mut Fields) -> Result<Vec<Message>, BadField> {
    let Some(list) = fields.objects("messages")? else {
        return Err(fields.missing("messages", "a list of messages"));
    };
    let mut messages: Vec<Message> = Vec::with_capacity(list.len());
    // Results may name no call: they answer the calls before them in their order, by name where there is one.
    let mut asked: VecDeque<(Box<str>, Box<str>)> = VecDeque::new();
    let mut calls = 0_usize;
    for mut fields in list {
        let role = match fields.need_text("role")?.as_str() {
            "system" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "tool" => Role::Tool,
            _ => {
                return Err(fields.invalid(
                    "role",
                    "an unknown word",
                    "`system`, `user`, `assistant` or `tool`",
                ));
            }
        };
        let parts = if role == Role::Tool {
            vec![result(&mut fields, &mut asked)?]
        } else {
            parts(&mut fields, role, &mut asked, &mut calls)?
        };
        let message = Message { rest: fields.rest(), ..Message::new(role, parts) };
        match messages.last_mut() {
            Some(last) if role == Role::Tool && last.role == Role::Tool && message.rest.is_empty() => {
                last.parts.extend(message.parts);
            }
            _ => messages.push(message),
        }
    }
    Ok(messages)
}

fn parts(
    fields: &mut Fields,
    role: Role,
    asked: &mut VecDeque<(Box<str>, Box<str>)>,
    calls: &mut usize,
) -> Result<Vec<Part>, BadField> {
    let mut parts = Vec::new();
    if role == Role::Assistant {
        asked.clear();
        let text = fields.text("thinking")?.filter(|text| !text.is_empty());
        parts.extend(text.map(|text| Part::Reasoning(Reasoning { text, ..Reasoning::default() })));
    }
    let text = fields.text("content")?.unwrap_or_default();
    let images = fields.texts("images")?.unwrap_or_default();
    let called = fields.objects("tool_calls")?.unwrap_or_default();
    if !text.is_empty() || (images.is_empty() && called.is_empty() && parts.is_empty()) {
        parts.push(Part::text(text));
    }
    parts.extend(images.into_iter().map(|data| {
        let media_type = Some(super::answer::image_type(&data).into());
        let media = Media { source: Source::Base64(data), media_type };
        Part::Image { media, detail: None, cache: None }
    }));
    for mut call in called {
        *calls += 1;
        let call = tool_call(&mut call, *calls)?;
        asked.push_back((call.name.clone(), call.id.clone()));
        parts.push(Part::ToolCall(call));
    }
    Ok(parts)
}

fn tool_call(call: &mut Fields, number: usize) -> Result<ToolCall, BadField> {
    let id = call.text("id")?.filter(|id| !id.is_empty());
    let Some(mut function) = call.object("function")? else {
        return Err(call.missing("function", "an object with `name`"));
    };
    let arguments =
        function.map("arguments")?.map_or_else(|| "{}".to_owned(), |map| Value::Object(map).to_string());
    Ok(ToolCall {
        id: id.unwrap_or_else(|| format!("call_{number}")).into(),
        name: function.need_text("name")?.into(),
        arguments,
        is_custom: false,
        opaque: None::<Opaque>,
        cache: None,
    })
}

fn result(fields: &mut Fields, asked: &mut VecDeque<(Box<str>, Box<str>)>) -> Result<Part, BadField> {
    let name: Option<Box<str>> = fields.text("tool_name")?.or(fields.text("name")?).map(Into::into);
    let given: Option<Box<str>> = fields.text("tool_call_id")?.map(Into::into);
    let at = asked.iter().position(|(called, id)| match (&given, &name) {
        (Some(given), _) => given == id,
        (None, Some(name)) => name == called,
        (None, None) => true,
    });
    let met = at.and_then(|at| asked.remove(at)).map(|(_, id)| id);
    let Some(call_id) = given.or(met) else {
        return Err(
            fields.missing("tool_call_id", "the id of a call, or `tool_name` of one that has no result yet")
        );
    };
    let mut parts = vec![Part::text(fields.text("content")?.unwrap_or_default())];
    for data in fields.texts("images")?.unwrap_or_default() {
        let media_type = Some(super::answer::image_type(&data).into());
        let media = Media { source: Source::Base64(data), media_type };
        parts.push(Part::Image { media, detail: None, cache: None });
    }
    Ok(Part::ToolResult(ToolResult { call_id, name, parts, is_error: false, cache: None }))
}
