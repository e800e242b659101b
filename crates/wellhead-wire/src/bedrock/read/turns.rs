//! Messages and the system prompt.

use super::{Author, blocks};
use crate::chat::{BadField, Fields, Message, Part, Role};

/// The instructions before every message, as a message of their own.
pub(super) fn system(fields: &mut Fields, out: &mut Vec<Message>) -> Result<(), BadField> {
    let Some(list) = fields.list("system")? else { return Ok(()) };
    let parts = blocks("system", list, Author::Client)?;
    if !parts.is_empty() {
        out.push(Message::new(Role::System, parts));
    }
    Ok(())
}

/// The conversation.
pub(super) fn messages(list: Vec<Fields>, out: &mut Vec<Message>) -> Result<(), BadField> {
    for mut fields in list {
        let role = fields.need_text("role")?;
        let path = fields.path("content");
        let missing = fields.missing("content", "a list of blocks");
        let parts = blocks(&path, fields.list("content")?.ok_or(missing)?, Author::Client)?;
        let unknown = fields.invalid("role", &format!("`{role}`"), "`user`, `assistant` or `system`");
        let rest = fields.rest();
        let role = match role.as_str() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            _ => return Err(unknown),
        };
        if role != Role::User {
            out.push(Message { rest, ..Message::new(role, parts) });
            continue;
        }
        // Results become a message of their own, before what the user says in the same turn.
        let (results, said): (Vec<Part>, Vec<Part>) =
            parts.into_iter().partition(|part| matches!(part, Part::ToolResult(_)));
        let is_whole = results.is_empty() || !said.is_empty() || !rest.is_empty();
        if !results.is_empty() {
            out.push(Message::new(Role::Tool, results));
        }
        if is_whole {
            out.push(Message { rest, ..Message::new(Role::User, said) });
        }
    }
    Ok(())
}
