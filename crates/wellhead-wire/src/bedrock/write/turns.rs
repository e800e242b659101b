//! Messages as turns: users and assistants strictly by turns, results first (wire.md, traps 1 and 2).

use super::part::Writer;
use crate::bedrock::DIALECT;
use crate::bedrock::wire::{Block, CachePoint};
use crate::chat::{Message, Part, Request, Role, Unsupported};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::HashSet;

/// One turn.
#[derive(Debug, Serialize)]
pub(super) struct Turn<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

const USER: &str = "user";
const ASSISTANT: &str = "assistant";
const SYSTEM: &str = "system";

/// A conversation: the instructions before it, and its turns.
#[derive(Debug, Default)]
pub(super) struct Turns<'a> {
    pub(super) system: Vec<Block<'a>>,
    pub(super) list: Vec<Turn<'a>>,
    /// Instructions that wait for the end of the user's turn: Anthropic's models take them only there.
    waiting: Vec<Block<'a>>,
}

impl<'a> Turns<'a> {
    pub(super) fn new(request: &'a Request, writer: &mut Writer<'a, '_>) -> Result<Self, Unsupported> {
        let mut turns = Self::default();
        for (number, message) in request.messages.iter().enumerate() {
            turns.message(message, &format!("messages[{number}]"), writer)?;
        }
        turns.instruct(writer);
        turns.begin(writer)?;
        turns.end(request.messages.len().saturating_sub(1), writer)?;
        for turn in turns.list.iter_mut().filter(|turn| turn.role == USER) {
            results_first(&mut turn.content);
            if !writer.options.family.mixes_results() {
                results_alone(&mut turn.content);
            }
            named_by_text(&mut turn.content);
        }
        if let (Some(hint), Some(last)) = (request.cache, turns.list.last_mut()) {
            if writer.options.family.caches() {
                let point = CachePoint::new(hint, writer.options.family.caches_tools());
                last.content.push(Block::CachePoint(point));
            } else {
                writer.loss.note("cache_control");
            }
        }
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
            let instructs = matches!(part, Part::Text { .. } | Part::Refusal(_))
                || matches!(part, Part::Other(DIALECT, _));
            if matches!(message.role, Role::System | Role::Developer) && !instructs {
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
            Role::System | Role::Developer
                if writer.options.system_turns && writer.target.can.system_anywhere =>
            {
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
            Some(last) if last.role == role => last.content.extend(blocks),
            _ => self.list.push(Turn { role, content: blocks }),
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
            self.list.push(Turn { role: SYSTEM, content: blocks });
        } else {
            writer.loss.note("messages.role");
            self.system.extend(blocks);
        }
    }

    /// A conversation begins with the user.
    fn begin(&mut self, writer: &mut Writer<'a, '_>) -> Result<(), Unsupported> {
        if self.list.first().is_some_and(|first| first.role == ASSISTANT) {
            let why = "begin with an assistant's turn; at this target a conversation begins with the user's";
            writer.loss.cannot("messages", why)?;
            self.list.remove(0);
        }
        Ok(())
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
        // Anthropic's models refuse white space there.
        if let Some(Block::Text(text)) = last.content.last_mut() {
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

    /// The names of tools that the conversation has called.
    pub(super) fn called(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let blocks = self.list.iter().flat_map(|turn| &turn.content);
        let names = blocks.filter_map(|block| match block {
            Block::ToolUse { name, .. } => Some(&**name),
            _ => None,
        });
        let mut called: Vec<String> = names.filter(|name| seen.insert(*name)).map(str::to_owned).collect();
        // A result whose call is gone.
        let has_result = || self.list.iter().flat_map(|turn| &turn.content).any(Block::is_result);
        if called.is_empty() && has_result() {
            called.push("earlier".to_owned());
        }
        called
    }

    /// Whether results are answered in a turn that the assistant began without a thought.
    pub(super) fn answers_unthinking(&self) -> bool {
        let mut back = self.list.iter().rev().filter(|turn| turn.role != SYSTEM);
        if !back.next().is_some_and(|turn| turn.content.iter().any(Block::is_result)) {
            return false;
        }
        back.next().is_some_and(|turn| !turn.content.first().is_some_and(Block::is_thought))
    }
}

/// Results come first in their turn, each with the mark behind it.
fn results_first(blocks: &mut Vec<Block<'_>>) {
    let mut belongs = false;
    let keys: Vec<bool> = blocks
        .iter()
        .map(|block| {
            belongs = block.is_result() || (belongs && matches!(block, Block::CachePoint(_)));
            !belongs
        })
        .collect();
    if keys.is_sorted() {
        return;
    }
    let mut keyed: Vec<(bool, Block<'_>)> = keys.into_iter().zip(std::mem::take(blocks)).collect();
    keyed.sort_by_key(|(key, _)| *key);
    blocks.extend(keyed.into_iter().map(|(_, block)| block));
}

/// Models that refuse results and something else in one turn hear the rest within the last result, as far as a result
/// can hold it.
fn results_alone(blocks: &mut Vec<Block<'_>>) {
    let results = blocks.iter().take_while(|block| block.is_result()).count();
    if results == 0 || results == blocks.len() {
        return;
    }
    let (held, rest): (Vec<_>, Vec<_>) = blocks.split_off(results).into_iter().partition(|block| {
        matches!(block, Block::Text(_) | Block::Image(_) | Block::Document(_) | Block::Video(_))
    });
    if let Some(Block::ToolResult { content, .. }) = blocks.last_mut() {
        content.extend(held);
    }
    blocks.extend(rest);
}

/// The service refuses documents in a turn without any text: their names are one.
fn named_by_text(blocks: &mut Vec<Block<'_>>) {
    let has_text = blocks.iter().any(|block| matches!(block, Block::Text(_)));
    let first = blocks.iter().position(|block| matches!(block, Block::Document(_)));
    if let (false, Some(at)) = (has_text, first)
        && let Some(Block::Document(paper)) = blocks.get(at)
    {
        let name = Cow::Owned(paper.name.clone());
        blocks.insert(at, Block::Text(name));
    }
}
