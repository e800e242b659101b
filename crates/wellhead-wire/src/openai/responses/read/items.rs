//! `input`: a text, or items of a conversation.

use super::super::proof::{Author, Proof};
use super::super::{DIALECT, names};
use super::{content, quoted, unsupported};
use crate::chat::{BadField, Fields, Message, Opaque, Part, Reasoning, Rest, Role, ToolCall, ToolResult};
use serde_json::Value;

/// Takes `input`. An assistant's turn is one message, whatever items it was cut into; results that follow each other are
/// one, too.
pub(super) fn decode(fields: &mut Fields, messages: &mut Vec<Message>) -> Result<(), BadField> {
    match fields.peek("input") {
        None => return Err(fields.missing("input", "a text or a list of items")),
        Some(Value::String(_)) => {
            let text = fields.need_text("input")?;
            messages.push(Message::new(Role::User, vec![Part::text(text)]));
            return Ok(());
        }
        Some(_) => {}
    }
    let mut turns = Turns { messages };
    let list = fields.objects("input")?.unwrap_or_default();
    if list.is_empty() {
        return Err(fields.invalid("input", "empty", "a text or at least one item"));
    }
    list.into_iter().try_for_each(|item| turns.item(item))
}

struct Turns<'a> {
    messages: &'a mut Vec<Message>,
}

impl Turns<'_> {
    fn item(&mut self, mut item: Fields) -> Result<(), BadField> {
        let kind = item.peek("type").and_then(Value::as_str).map(str::to_owned);
        match kind.as_deref() {
            Some("message") => self.message(item),
            None if item.peek("role").is_some() => self.message(item),
            Some("function_call") => {
                let call = call(&mut item, false)?;
                self.say(Part::ToolCall(call), Rest::default());
                Ok(())
            }
            Some("custom_tool_call") => {
                let call = call(&mut item, true)?;
                self.say(Part::ToolCall(call), Rest::default());
                Ok(())
            }
            Some("function_call_output" | "custom_tool_call_output") => {
                let result = result(&mut item)?;
                self.results().push(Part::ToolResult(result));
                Ok(())
            }
            Some("reasoning") => self.reasoning(item),
            Some("item_reference") => {
                let why =
                    "names an item that its vendor keeps, and this may be another one: send the item itself";
                Err(unsupported(&item, "id", why))
            }
            Some(kind) => {
                let is_result = kind.ends_with("_output") || kind.ends_with("_response");
                let members = item.rest().of(DIALECT).cloned().unwrap_or_default();
                let other = Part::Other(DIALECT, Value::Object(members));
                if is_result {
                    self.messages.push(Message::new(Role::User, vec![other]));
                } else {
                    self.say(other, Rest::default());
                }
                Ok(())
            }
            None => Err(item.missing("type", "a string such as `message` or `function_call_output`")),
        }
    }

    fn message(&mut self, mut item: Fields) -> Result<(), BadField> {
        item.take("type");
        // What the API names things by means nothing to another vendor, and nothing to the same one if it kept nothing.
        item.take("id");
        item.take("status");
        let role = match item.need_text("role")?.as_str() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            "developer" => Role::Developer,
            other => {
                let expected = "`user`, `assistant`, `system` or `developer`";
                return Err(item.invalid("role", &quoted(other), expected));
            }
        };
        let parts = content::decode(&mut item, "content")?;
        let rest = item.rest();
        if role == Role::Assistant {
            parts.into_iter().for_each(|part| self.say(part, rest.clone()));
        } else {
            self.messages.push(Message { rest, ..Message::new(role, parts) });
        }
        Ok(())
    }

    /// More of the assistant's turn. What is said in another phase of it is another message.
    fn say(&mut self, part: Part, rest: Rest) {
        match self.messages.last_mut() {
            Some(turn)
                if turn.role == Role::Assistant
                    && (rest.is_empty() || turn.rest.is_empty() || turn.rest == rest) =>
            {
                if turn.rest.is_empty() {
                    turn.rest = rest;
                }
                turn.parts.push(part);
            }
            _ => self.messages.push(Message { rest, ..Message::new(Role::Assistant, vec![part]) }),
        }
    }

    fn results(&mut self) -> &mut Vec<Part> {
        if self.messages.last().is_none_or(|last| last.role != Role::Tool) {
            self.messages.push(Message::new(Role::Tool, Vec::new()));
        }
        let last = self.messages.len() - 1;
        &mut self.messages[last].parts
    }

    fn reasoning(&mut self, mut item: Fields) -> Result<(), BadField> {
        let id = item.text("id")?.map(Into::into);
        let said = texts(&mut item, "content")?;
        let summary = texts(&mut item, "summary")?;
        let proof = item.text("encrypted_content")?.filter(|text| !text.is_empty());
        let is_summary = said.is_none() && summary.is_some();
        let mut thought =
            Reasoning { text: said.or(summary).unwrap_or_default(), is_summary, id, ..Reasoning::default() };
        match proof.map(|proof| Author::Client.proof(&proof)) {
            Some(Proof::Previous(opaque)) => {
                self.prove(opaque);
                return Ok(());
            }
            Some(Proof::Own { opaque, is_redacted }) => {
                (thought.opaque, thought.is_redacted) = (Some(opaque), is_redacted);
            }
            None => {}
        }
        // An item without words and proof names a thought that its vendor keeps.
        if !thought.text.is_empty() || thought.opaque.is_some() {
            self.say(Part::Reasoning(thought), Rest::default());
        }
        Ok(())
    }

    /// The proof of the last thing that the assistant said.
    fn prove(&mut self, proof: Opaque) {
        let turn = self.messages.last_mut().filter(|turn| turn.role == Role::Assistant);
        match turn.and_then(|turn| turn.parts.last_mut()) {
            Some(Part::Text { opaque, .. }) => *opaque = Some(proof),
            Some(Part::ToolCall(call)) => call.opaque = Some(proof),
            _ => {}
        }
    }
}

/// The texts of `summary` or `content`; paragraphs of one thought.
fn texts(item: &mut Fields, name: &str) -> Result<Option<String>, BadField> {
    let mut all: Option<String> = None;
    for mut part in item.objects(name)?.unwrap_or_default() {
        let text = part.need_text("text")?;
        match &mut all {
            None => all = Some(text),
            Some(all) => {
                all.push_str("\n\n");
                all.push_str(&text);
            }
        }
    }
    Ok(all)
}

fn call(item: &mut Fields, is_custom: bool) -> Result<ToolCall, BadField> {
    let id = item.need_text("call_id")?.into();
    let group = item.text("namespace")?;
    let name = names::flat(group.as_deref(), item.need_text("name")?).into();
    let arguments = item.text(if is_custom { "input" } else { "arguments" })?.unwrap_or_default();
    let is_empty = !is_custom && arguments.trim().is_empty();
    let arguments = if is_empty { "{}".to_owned() } else { arguments };
    Ok(ToolCall { id, name, arguments, is_custom, opaque: None, cache: None })
}

fn result(item: &mut Fields) -> Result<ToolResult, BadField> {
    let call_id = item.need_text("call_id")?.into();
    let name = item.text("name")?.map(Into::into);
    if item.peek("output").is_none() {
        return Err(item.missing("output", "a text or a list of parts"));
    }
    let mut parts = content::decode(item, "output")?;
    if parts.is_empty() {
        parts.push(Part::text(""));
    }
    Ok(ToolResult { call_id, name, parts, is_error: false, cache: None })
}
