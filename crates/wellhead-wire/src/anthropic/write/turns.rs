//! Messages as turns: users and assistants by turns, results first, instructions where the vendor takes them
//! (wire.md, traps 1 and 2).

use super::part::Writer;
use super::wire::{Block, Content};
use crate::anthropic::read::DIALECT;
use crate::chat::{Message, Part, Role, Unsupported};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::HashSet;

/// One turn.
#[derive(Debug, Serialize)]
pub(super) struct Turn<'a> {
    role: &'static str,
    content: Content<'a>,
}

const USER: &str = "user";
const ASSISTANT: &str = "assistant";

/// A conversation: the instructions before it, and its turns.
#[derive(Debug, Default)]
pub(super) struct Turns<'a> {
    pub(super) system: Vec<Block<'a>>,
    pub(super) list: Vec<Turn<'a>>,
    /// Instructions that wait for the end of the user's turn: the vendor takes them only there.
    waiting: Vec<Block<'a>>,
}

impl<'a> Turns<'a> {
    pub(super) fn new(messages: &'a [Message], writer: &mut Writer<'a, '_>) -> Result<Self, Unsupported> {
        let mut turns = Self::default();
        for (number, message) in messages.iter().enumerate() {
            let param = format!("messages[{number}]");
            turns.message(message, &param, writer)?;
        }
        turns.instruct(writer);
        turns.end(messages.len().saturating_sub(1), writer)?;
        turns.results_first();
        Ok(turns)
    }

    fn message(
        &mut self,
        message: &'a Message,
        param: &str,
        writer: &mut Writer<'a, '_>,
    ) -> Result<(), Unsupported> {
        for name in message.rest.foreign_to(DIALECT) {
            writer.loss.note(format!("messages.{name}"));
        }
        if message.name.is_some() {
            writer.loss.note("messages.name");
        }
        let mut blocks = Vec::with_capacity(message.parts.len());
        for (number, part) in message.parts.iter().enumerate() {
            let param = format!("{param}.content[{number}]");
            let is_text = matches!(part, Part::Text { .. } | Part::Refusal(_));
            if matches!(message.role, Role::System | Role::Developer) && !is_text {
                writer.loss.cannot(param, "is no text, which instructions have to be")?;
                continue;
            }
            writer.part(part, message.role, &param, &mut blocks)?;
        }
        // Nothing is left of it: neighbours close up.
        if blocks.is_empty() {
            return Ok(());
        }
        match message.role {
            Role::System | Role::Developer if self.list.is_empty() => self.system.extend(blocks),
            Role::System | Role::Developer if writer.target.can.system_anywhere => {
                self.waiting.extend(blocks);
            }
            Role::System | Role::Developer => {
                // The model reads instructions at the beginning only: they keep their weight and lose their place.
                writer.loss.note("messages.role");
                self.system.extend(blocks);
            }
            Role::User | Role::Tool => self.say(USER, blocks),
            Role::Assistant => {
                self.instruct(writer);
                self.say(ASSISTANT, blocks);
            }
        }
        Ok(())
    }

    /// Adds to the last turn if it is of the same role.
    fn say(&mut self, role: &'static str, blocks: Vec<Block<'a>>) {
        match self.list.last_mut() {
            Some(last) if last.role == role => last.content.0.extend(blocks),
            _ => self.list.push(Turn { role, content: Content(blocks) }),
        }
    }

    /// The user's turn is over: instructions given during it, or before it, come now. Between two turns of the
    /// assistant there is no place for them.
    fn instruct(&mut self, writer: &mut Writer<'a, '_>) {
        if self.waiting.is_empty() {
            return;
        }
        let blocks = std::mem::take(&mut self.waiting);
        if self.list.last().is_some_and(|last| last.role == USER) {
            self.list.push(Turn { role: "system", content: Content(blocks) });
        } else {
            writer.loss.note("messages.role");
            self.system.extend(blocks);
        }
    }

    /// An assistant's turn at the end is to be gone on with.
    fn end(&mut self, number: usize, writer: &mut Writer<'a, '_>) -> Result<(), Unsupported> {
        let Some(last) = self.list.last_mut().filter(|last| last.role == ASSISTANT) else { return Ok(()) };
        if !writer.target.can.prefill {
            let why = "ends the conversation with an assistant's turn, which this model does not go on with";
            writer.loss.cannot(format!("messages[{number}]"), why)?;
            self.list.pop();
            return Ok(());
        }
        // The vendor refuses white space there.
        if let Some(Block::Text { text, .. }) = last.content.0.last_mut() {
            let end = text.trim_end().len();
            if end < text.len() {
                *text = match std::mem::take(text) {
                    Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or(text)),
                    Cow::Owned(text) => Cow::Owned(text.trim_end().to_owned()),
                };
            }
        }
        Ok(())
    }

    fn results_first(&mut self) {
        for turn in self.list.iter_mut().filter(|turn| turn.role == USER) {
            let blocks = &mut turn.content.0;
            if !blocks.is_sorted_by_key(|block| !block.is_result()) {
                blocks.sort_by_key(|block| !block.is_result());
            }
        }
    }

    /// The names of tools that the conversation has called.
    pub(super) fn called(&self) -> Vec<&'a str> {
        let mut seen = HashSet::new();
        let blocks = self.list.iter().flat_map(|turn| &turn.content.0);
        let names = blocks.filter_map(|block| match block {
            Block::ToolUse { name, .. } => Some(*name),
            _ => None,
        });
        names.filter(|name| seen.insert(*name)).collect()
    }

    /// Whether results are answered in a turn that the assistant began without a thought.
    pub(super) fn answers_unthinking(&self) -> bool {
        let mut back = self.list.iter().rev().filter(|turn| turn.role != "system");
        let Some(user) = back.next().filter(|turn| turn.content.0.iter().any(Block::is_result)) else {
            return false;
        };
        debug_assert_eq!(user.role, USER, "results are a user's");
        back.next().is_some_and(|turn| !turn.content.0.first().is_some_and(Block::is_thought))
    }
}
