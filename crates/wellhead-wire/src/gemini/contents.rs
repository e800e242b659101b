//! Conversations: turns of user and model, strictly by turns, with the instructions beside them.

use super::calls::Told;
use super::pieces::Writing;
use super::written::{Content, Piece};
use super::{GEMINI, Options, parts, proto, sign};
use crate::chat::{BadField, Fields, Loss, Message, Part, Request, Role, Target, Unsupported};
use std::borrow::Cow;

/// Takes the instructions and the conversation out of a body.
pub(super) fn read(body: &mut Fields, told: &mut Told) -> Result<Vec<Message>, BadField> {
    let mut messages = Vec::new();
    if let Some(mut system) = proto::child(body, "systemInstruction")? {
        drop(system.take("role"));
        let parts = read_parts(&mut system, told)?;
        push(&mut messages, Role::System, parts);
    }
    for mut content in proto::children(body, "contents")? {
        let role = match content.text("role")?.as_deref() {
            None | Some("" | "user" | "function" | "tool") => Role::User,
            Some("model") => Role::Assistant,
            Some(other) => return Err(content.invalid("role", &format!("`{other}`"), "`user` or `model`")),
        };
        let parts = read_parts(&mut content, told)?;
        let before = messages.len();
        // Results are a message of their own.
        let mut run = Vec::new();
        for part in parts {
            let is_result = matches!(part, Part::ToolResult(_));
            if run.last().is_some_and(|last| matches!(last, Part::ToolResult(_)) != is_result) {
                push(&mut messages, role, std::mem::take(&mut run));
            }
            run.push(part);
        }
        push(&mut messages, role, run);
        if let Some(first) = messages.get_mut(before) {
            first.rest = content.rest();
        }
    }
    Ok(messages)
}

fn push(messages: &mut Vec<Message>, role: Role, parts: Vec<Part>) {
    let role = if matches!(parts.first(), Some(Part::ToolResult(_))) { Role::Tool } else { role };
    if !parts.is_empty() {
        messages.push(Message::new(role, parts));
    }
}

fn read_parts(content: &mut Fields, told: &mut Told) -> Result<Vec<Part>, BadField> {
    let path = content.path("parts");
    let mut parts = Vec::new();
    for (at, value) in proto::repeated(content, "parts")?.into_iter().enumerate() {
        parts::read(&format!("{path}[{at}]"), value, told, &mut parts)?;
    }
    Ok(parts)
}

/// The turns, and the instructions.
pub(super) type Written<'a> = (Vec<Content<'a>>, Option<Content<'a>>);

/// Writes a conversation. Instructions at its beginning stand beside it; those in its middle become what the user says
/// there, because the dialect has no place for them and their order matters. A request of instructions alone is what
/// the user says: there has to be a turn.
pub(super) fn write<'a>(
    request: &'a Request,
    target: &Target,
    options: Options,
    loss: &mut Loss<'_>,
) -> Result<Written<'a>, Unsupported> {
    let mut writing = Writing::new(&request.messages, target, options, loss);
    let mut system: Vec<Piece<'a>> = Vec::new();
    let mut contents: Vec<Content<'a>> = Vec::new();
    for (at, message) in request.messages.iter().enumerate() {
        writing.message(at, message);
        let pieces = writing.pieces(at, message)?;
        let is_system = matches!(message.role, Role::System | Role::Developer);
        if pieces.is_empty() {
            continue;
        }
        if is_system && contents.is_empty() {
            system.extend(pieces);
            continue;
        }
        if is_system {
            writing.loss.note(format!("messages[{at}].role"));
        }
        let role = if message.role == Role::Assistant { "model" } else { "user" };
        let rest = message.rest.of(GEMINI);
        match contents.last_mut() {
            // wire.md, trap 2: turns alternate.
            Some(last) if last.role == Some(role) => last.parts.extend(pieces),
            _ => contents.push(Content { role: Some(role), parts: pieces, rest }),
        }
    }
    if contents.is_empty() && !system.is_empty() {
        contents.push(Content { role: Some("user"), parts: std::mem::take(&mut system), rest: None });
    }
    if !target.can.prefill && contents.last().is_some_and(|last| last.role == Some("model")) {
        let last = request.messages.len() - 1;
        let why = "ends the conversation with the model's own turn, which this model does not go on with";
        writing.loss.cannot(format!("messages[{last}]"), why)?;
        drop(contents.pop());
    }
    if options.wants_signatures {
        sign_calls(&mut contents);
    }
    let system = (!system.is_empty()).then_some(Content { role: None, parts: system, rest: None });
    Ok((contents, system))
}

/// The first call of each of the model's turns needs a signature (wire.md, trap 7). Earlier turns are not checked, but
/// they keep what they were given once, so that the prompt's beginning stays the same for the cache.
fn sign_calls(contents: &mut [Content<'_>]) {
    for content in contents.iter_mut().filter(|content| content.role == Some("model")) {
        let first = content.parts.iter_mut().find_map(|piece| match piece {
            Piece::Ours(ours) if ours.function_call.is_some() => Some(ours),
            _ => None,
        });
        if let Some(call) = first {
            call.thought_signature.get_or_insert(Cow::Borrowed(sign::UNCHECKED));
        }
    }
}
