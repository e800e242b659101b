//! Messages.

use super::super::DIALECT;
use crate::chat::{BadField, Fields, Media, Message, Part, Reasoning, Role, Source, ToolCall, ToolResult};
use crate::openai::chat::from_data_uri;
use serde_json::{Value, json};

pub(super) fn read(fields: &mut Fields) -> Result<Vec<Message>, BadField> {
    let Some(list) = fields.objects("messages")? else {
        return Err(fields.missing("messages", "a list of messages"));
    };
    let mut messages: Vec<Message> = Vec::with_capacity(list.len());
    for mut fields in list {
        let (role, parts) = match fields.need_text("role")?.as_str() {
            "system" => (Role::System, content(&mut fields)?),
            "user" => (Role::User, content(&mut fields)?),
            "assistant" => (Role::Assistant, assistant(&mut fields)?),
            "tool" => (Role::Tool, vec![result(&mut fields)?]),
            _ => {
                let expected = "`system`, `user`, `assistant` or `tool`";
                return Err(fields.invalid("role", "an unknown word", expected));
            }
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

fn content(fields: &mut Fields) -> Result<Vec<Part>, BadField> {
    if !matches!(fields.peek("content"), Some(Value::Array(_))) {
        return Ok(vec![Part::text(fields.need_text("content")?)]);
    }
    let blocks = fields.objects("content")?.unwrap_or_default();
    blocks.into_iter().map(block).collect()
}

fn block(mut block: Fields) -> Result<Part, BadField> {
    let kind = block.need_text("type")?;
    Ok(match kind.as_str() {
        "text" => Part::text(block.need_text("text")?),
        "thinking" => {
            Part::Reasoning(Reasoning { text: block.need_text("thinking")?, ..Reasoning::default() })
        }
        "image_url" => {
            let Some(mut image) = block.object("image_url")? else {
                return Err(block.missing("image_url", "an object with `url`"));
            };
            let media = from_data_uri(image.need_text("url")?);
            Part::Image { media, detail: image.text("detail")?.map(Into::into), cache: None }
        }
        "document" => document(block)?,
        _ => other(&kind, block),
    })
}

/// A document of nothing but a text and its title is one elsewhere too.
fn document(mut block: Fields) -> Result<Part, BadField> {
    let plain = |data: &Value| {
        let data = data.as_object()?;
        let is_known = data.keys().all(|name| matches!(name.as_str(), "text" | "title"));
        let is_text = data.values().all(Value::is_string);
        let text = data.get("text")?.as_str().filter(|_| is_known && is_text)?;
        Some((text.to_owned(), data.get("title").and_then(Value::as_str).map(Box::from)))
    };
    let document = block.peek("document").and_then(Value::as_object);
    let found =
        document.filter(|document| document.len() == 1).and_then(|document| plain(document.get("data")?));
    let Some((text, title)) = found else { return Ok(other("document", block)) };
    block.take("document");
    let media = Media { source: Source::Text(text), media_type: Some("text/plain".into()) };
    Ok(Part::Document { media, title, context: None, citable: None, cache: None })
}

fn other(kind: &str, block: Fields) -> Part {
    let mut object = json!({"type": kind});
    if let (Some(object), Some(members)) = (object.as_object_mut(), block.rest().of(DIALECT)) {
        object.extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    Part::Other(DIALECT, object)
}

/// Thoughts and texts, the plan, the calls.
fn assistant(fields: &mut Fields) -> Result<Vec<Part>, BadField> {
    let mut parts = match fields.peek("content") {
        Some(_) => content(fields)?,
        None => Vec::new(),
    };
    let plan = fields.text("tool_plan")?.filter(|plan| !plan.is_empty());
    parts.extend(plan.map(Part::text));
    for call in fields.objects("tool_calls")?.unwrap_or_default() {
        parts.push(Part::ToolCall(tool_call(call)?));
    }
    // Beside calls an empty text says nothing.
    let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    parts.retain(|part| !(has_calls && matches!(part, Part::Text { text, .. } if text.is_empty())));
    Ok(parts)
}

fn tool_call(mut call: Fields) -> Result<ToolCall, BadField> {
    let id = call.need_text("id")?.into();
    let Some(mut function) = call.object("function")? else {
        return Err(call.missing("function", "an object with `name`"));
    };
    let name = function.need_text("name")?.into();
    let arguments = function.text("arguments")?.unwrap_or_else(|| "{}".to_owned());
    Ok(ToolCall { id, name, arguments, is_custom: false, opaque: None, cache: None })
}

fn result(fields: &mut Fields) -> Result<Part, BadField> {
    let call_id = fields.need_text("tool_call_id")?.into();
    let parts = content(fields)?;
    Ok(Part::ToolResult(ToolResult { call_id, name: None, parts, is_error: false, cache: None }))
}
