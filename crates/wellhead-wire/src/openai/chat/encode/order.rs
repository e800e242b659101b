//! The order of messages, for vendors who are strict about it.

use super::super::Options;
use crate::chat::{Dialect, Format, Loss, Message, Part, Request, Role};
use std::borrow::Cow;

/// Each message with its place in the request, which is what the client knows it by.
type Placed<'a> = (usize, Cow<'a, Message>);

/// The messages as this vendor takes them.
pub(super) fn arrange<'a>(request: &'a Request, options: &Options, loss: &mut Loss<'_>) -> Vec<Placed<'a>> {
    let mut messages: Vec<Placed<'a>> =
        request.messages.iter().enumerate().map(|(at, message)| (at, Cow::Borrowed(message))).collect();
    if let Some(told) = schema_in_words(request, options) {
        let at = messages.iter().position(|(_, message)| !instructs(message)).unwrap_or(messages.len());
        messages.insert(at, (at, Cow::Owned(told)));
    }
    if options.system_first {
        messages = instructions_first(messages, loss);
    }
    if options.alternates {
        messages = alternating(messages, loss);
    }
    messages
}

fn instructs(message: &Message) -> bool {
    matches!(message.role, Role::System | Role::Developer)
}

/// Where a schema cannot be handed over, the model is told of it. JSON mode keeps the form, the model the schema.
fn schema_in_words(request: &Request, options: &Options) -> Option<Message> {
    let Some(Format::JsonSchema { schema, description, .. }) = &request.output.format else { return None };
    if !options.no_json_schema {
        return None;
    }
    let about = description.as_deref().map(|text| format!(" ({text})")).unwrap_or_default();
    let text = format!(
        "Answer with one JSON object{about} and nothing else. It has to be valid against this JSON Schema:\n{schema}"
    );
    Some(Message::new(Role::System, vec![Part::text(text)]))
}

/// All instructions in one message at the beginning: they keep their weight and lose their place.
fn instructions_first<'a>(messages: Vec<Placed<'a>>, loss: &mut Loss<'_>) -> Vec<Placed<'a>> {
    let first_turn = messages.iter().position(|(_, message)| !instructs(message)).unwrap_or(messages.len());
    let (instructions, mut turns): (Vec<Placed<'a>>, Vec<Placed<'a>>) =
        messages.into_iter().enumerate().fold((Vec::new(), Vec::new()), |mut both, (place, placed)| {
            if instructs(&placed.1) {
                if place > first_turn {
                    loss.note(format!("messages[{}].role", placed.0));
                }
                both.0.push(placed);
            } else {
                both.1.push(placed);
            }
            both
        });
    let merged = instructions.into_iter().reduce(|all, next| joined(all, next, loss));
    if let Some(merged) = merged {
        turns.insert(0, merged);
    }
    turns
}

/// Neighbours of one role become one message. Results of tools are messages of their own and stay so.
fn alternating<'a>(messages: Vec<Placed<'a>>, loss: &mut Loss<'_>) -> Vec<Placed<'a>> {
    let speaks = |message: &Message| {
        matches!(message.role, Role::User | Role::Assistant)
            && !message.parts.iter().any(|part| matches!(part, Part::ToolResult(_)))
    };
    let mut turns: Vec<Placed<'a>> = Vec::with_capacity(messages.len());
    for next in messages {
        match turns.pop() {
            Some(last) if last.1.role == next.1.role && speaks(&last.1) && speaks(&next.1) => {
                turns.push(joined(last, next, loss));
            }
            last => {
                turns.extend(last);
                turns.push(next);
            }
        }
    }
    turns
}

fn joined<'a>(first: Placed<'a>, next: Placed<'a>, loss: &mut Loss<'_>) -> Placed<'a> {
    let (number, next) = next;
    if next.name.is_some() {
        loss.note(format!("messages[{number}].name"));
    }
    for (name, _) in next.rest.of(Dialect::Chat).into_iter().flatten() {
        loss.note(format!("messages[{number}].{name}"));
    }
    for name in next.rest.foreign_to(Dialect::Chat) {
        loss.note(name.to_owned());
    }
    let mut message = first.1.into_owned();
    message.parts.extend(next.into_owned().parts);
    (first.0, Cow::Owned(message))
}
