//! Messages and the system prompt.

use super::Author;
use super::block::content;
use crate::anthropic::Version;
use crate::chat::{BadField, Fields, Message, Part, Rest, Role};

/// The system prompt before every message, as a message of its own.
pub(in crate::anthropic) fn system(fields: &mut Fields) -> Result<Option<Message>, BadField> {
    let Some(parts) = content(fields, "system", Author::Client)? else { return Ok(None) };
    texts_only("system", &parts)?;
    Ok(Some(Message::new(Role::System, parts)).filter(|message| !message.parts.is_empty()))
}

/// The conversation.
pub(in crate::anthropic) fn messages(
    list: Vec<Fields>,
    version: Version,
    out: &mut Vec<Message>,
) -> Result<(), BadField> {
    for mut fields in list {
        let role = fields.need_text("role")?;
        let path = fields.path("content");
        let missing = fields.missing("content", "a string or a list of blocks");
        let parts = content(&mut fields, "content", Author::Client)?.ok_or(missing)?;
        let unknown = fields.invalid("role", &format!("`{role}`"), "`user`, `assistant` or `system`");
        let rest = fields.rest();
        match role.as_str() {
            "user" => user(&path, parts, rest, version, out)?,
            "assistant" => assistant(&path, parts, rest, version, out)?,
            "system" => {
                texts_only(&path, &parts)?;
                out.push(Message { rest, ..Message::new(Role::System, parts) });
            }
            _ => return Err(unknown),
        }
    }
    Ok(())
}

/// Results become a message of their own, before what the user says in the same turn.
fn user(
    path: &str,
    parts: Vec<Part>,
    rest: Rest,
    version: Version,
    out: &mut Vec<Message>,
) -> Result<(), BadField> {
    for (number, part) in parts.iter().enumerate() {
        let cites = matches!(part, Part::Text { citations, .. } if !citations.is_empty());
        if cites && !version.takes_user_citations() {
            return Err(not_in(version, format!("{path}[{number}].citations"), "citations in a user's text"));
        }
    }
    let (results, said): (Vec<Part>, Vec<Part>) =
        parts.into_iter().partition(|part| matches!(part, Part::ToolResult(_)));
    if !results.is_empty() {
        // Several turns of results are one to the model, as the vendor reads them.
        match out.last_mut() {
            Some(last) if last.role == Role::Tool => last.parts.extend(results),
            _ => out.push(Message::new(Role::Tool, results)),
        }
        if said.is_empty() && rest.is_empty() {
            return Ok(());
        }
    }
    out.push(Message { rest, ..Message::new(Role::User, said) });
    Ok(())
}

fn assistant(
    path: &str,
    parts: Vec<Part>,
    rest: Rest,
    version: Version,
    out: &mut Vec<Message>,
) -> Result<(), BadField> {
    for (number, part) in parts.iter().enumerate() {
        let is_document = match part {
            Part::Document { .. } => true,
            Part::Other(_, value) => value.get("type").is_some_and(|kind| kind == "document"),
            _ => false,
        };
        if is_document && !version.takes_assistant_documents() {
            return Err(not_in(version, format!("{path}[{number}]"), "documents in an assistant's turn"));
        }
    }
    match out.last_mut() {
        // Neighbours are one turn, as the vendor reads them.
        Some(last) if last.role == Role::Assistant && last.rest.is_empty() && rest.is_empty() => {
            last.parts.extend(parts);
        }
        _ => out.push(Message { rest, ..Message::new(Role::Assistant, parts) }),
    }
    Ok(())
}

fn texts_only(path: &str, parts: &[Part]) -> Result<(), BadField> {
    match parts.iter().position(|part| !matches!(part, Part::Text { .. })) {
        None => Ok(()),
        Some(number) => {
            let param = format!("{path}[{number}]");
            let message =
                format!("`{param}` is no text: expected text blocks, which instructions consist of");
            Err(BadField { param, message, code: "invalid_value" })
        }
    }
}

/// What a version of the API no longer takes.
pub(in crate::anthropic) fn not_in(version: Version, param: String, what: &str) -> BadField {
    let (name, version) = (Version::HEADER, version.as_str());
    let message = format!(
        "`{param}`: version {version} of the API takes no {what}; leave it out, or send `{name}: {}`",
        Version::V2023.as_str()
    );
    BadField { param, message, code: "invalid_value" }
}
