//! Messages.

use super::super::{PARTS_MAX, call, members::Members, thought};
use super::content;
use crate::chat::{
    BadField, Dialect, Fields, Media, Message, Opaque, Part, Role, Source, ToolCall, ToolResult,
};
use serde_json::Value;

/// Takes `messages`. Results that follow each other are one message.
pub(super) fn decode(fields: &mut Fields) -> Result<Vec<Message>, BadField> {
    let Some(list) = fields.objects("messages")? else {
        return Err(fields.missing("messages", "a list of messages"));
    };
    if list.is_empty() {
        return Err(fields.invalid("messages", "empty", "at least one message"));
    }
    let mut messages: Vec<Message> = Vec::with_capacity(list.len());
    // The call that an old-style result, which has no id, answers.
    let mut legacy = 0_usize;
    for mut fields in list {
        let role = fields.need_text("role")?;
        let message = match role.as_str() {
            "system" => plain(Role::System, fields)?,
            "developer" => plain(Role::Developer, fields)?,
            "user" => plain(Role::User, fields)?,
            "assistant" => assistant(fields, &mut legacy)?,
            "tool" => result(fields, None)?,
            "function" => result(fields, Some(legacy_id(legacy)))?,
            other => {
                let found = format!("`{}`", other.chars().take(40).collect::<String>());
                return Err(fields.invalid(
                    "role",
                    &found,
                    "`system`, `developer`, `user`, `assistant` or `tool`",
                ));
            }
        };
        match messages.last_mut() {
            Some(last)
                if last.role == Role::Tool && message.role == Role::Tool && message.rest.is_empty() =>
            {
                last.parts.extend(message.parts);
            }
            _ => messages.push(message),
        }
    }
    Ok(messages)
}

/// The id of the calls of old, which had none.
fn legacy_id(number: usize) -> String {
    format!("call_function_{number}")
}

fn plain(role: Role, mut fields: Fields) -> Result<Message, BadField> {
    let name = fields.text("name")?.map(Into::into);
    let parts = content::decode(&mut fields, false)?;
    if parts.is_empty() {
        return Err(fields.missing("content", "a text or a list of parts"));
    }
    Ok(Message { role, name, parts, rest: fields.rest() })
}

fn assistant(mut fields: Fields, legacy: &mut usize) -> Result<Message, BadField> {
    let name = fields.text("name")?.map(Into::into);
    let opaque = |text: &str| Opaque::from_text(Dialect::Chat, text);
    let mut parts: Vec<Part> = thoughts(&mut fields, &opaque);
    parts.extend(content::decode(&mut fields, true)?);
    if let (Some(proof), Some(Part::Text { opaque: slot, .. })) = (signature(&mut fields), parts.last_mut()) {
        *slot = Some(opaque(&proof));
    }
    parts.extend(fields.text("refusal")?.filter(|text| !text.is_empty()).map(Part::Refusal));
    if let Some(mut audio) = fields.object("audio")? {
        let id = audio.need_text("id")?;
        let media = Media { source: Source::File(id.clone()), media_type: None };
        parts.push(Part::Audio { media, id: Some(id.into()), transcript: None });
    }
    for (mut call, number) in fields.objects("tool_calls")?.unwrap_or_default().into_iter().zip(0..) {
        if number >= PARTS_MAX {
            return Err(fields.invalid("tool_calls", "too long", &format!("at most {PARTS_MAX} calls")));
        }
        parts.push(Part::ToolCall(tool_call(&mut call, &opaque)?));
    }
    if let Some(mut function) = fields.object("function_call")? {
        *legacy += 1;
        parts.push(Part::ToolCall(ToolCall {
            id: legacy_id(*legacy).into(),
            name: function.need_text("name")?.into(),
            arguments: call::arguments(&function.text("arguments")?.unwrap_or_default()).to_owned(),
            is_custom: false,
            opaque: None,
            cache: None,
        }));
    }
    // Clients that send a whole answer back have lists in it that are empty.
    if fields.peek("annotations").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        fields.take("annotations");
    }
    if parts.len() > 1 {
        parts.retain(|part| !matches!(part, Part::Text { text, opaque: None, .. } if text.is_empty()));
    }
    if parts.is_empty() {
        return Err(fields.missing("content", "a text, a list of parts, or `tool_calls`"));
    }
    Ok(Message { role: Role::Assistant, name, parts, rest: fields.rest() })
}

/// Members that answers have too, in the forms that answers have.
fn taken(fields: &mut Fields, names: &[&str]) -> Members {
    names.iter().filter_map(|name| Some(((*name).to_owned(), fields.take(name)?))).collect()
}

fn thoughts(fields: &mut Fields, opaque: &dyn Fn(&str) -> Opaque) -> Vec<Part> {
    let names = ["reasoning_content", "reasoning", "reasoning_text", "reasoning_details"];
    let mut members = taken(fields, &names);
    thought::read(&mut members, opaque).into_iter().map(Part::Reasoning).collect()
}

fn signature(fields: &mut Fields) -> Option<String> {
    thought::signature(&mut taken(fields, &["extra_content"]))
}

fn tool_call(call: &mut Fields, opaque: &dyn Fn(&str) -> Opaque) -> Result<ToolCall, BadField> {
    let id = call.need_text("id")?.into();
    let kind = call.text("type")?;
    let is_custom = kind.as_deref() == Some("custom");
    let (inner, text) = if is_custom { ("custom", "input") } else { ("function", "arguments") };
    let Some(mut said) = call.object(inner)? else { return Err(call.missing(inner, "an object")) };
    let name = said.need_text("name")?.into();
    let arguments = said.text(text)?.unwrap_or_default();
    let proof = signature(call);
    Ok(ToolCall {
        id,
        name,
        arguments: if is_custom { arguments } else { call::arguments(&arguments).to_owned() },
        is_custom,
        opaque: proof.as_deref().map(opaque),
        cache: None,
    })
}

fn result(mut fields: Fields, legacy: Option<String>) -> Result<Message, BadField> {
    let call_id = match legacy {
        Some(id) => id,
        None => fields.need_text("tool_call_id")?,
    };
    let name = fields.text("name")?.map(Into::into);
    let mut parts = content::decode(&mut fields, false)?;
    if parts.is_empty() {
        parts.push(Part::text(""));
    }
    let cache = match parts.last_mut() {
        Some(Part::Text { cache, .. } | Part::Image { cache, .. }) => cache.take(),
        _ => None,
    };
    let result = ToolResult { call_id: call_id.into(), name, parts, is_error: false, cache };
    let message = Message::new(Role::Tool, vec![Part::ToolResult(result)]);
    Ok(Message { rest: fields.rest(), ..message })
}
