//! Parts of a conversation as content blocks for a target.

use super::wire::{Block, Citable, Content};
use super::{Options, media};
use crate::anthropic::read::DIALECT;
use crate::chat::ids::Ids;
use crate::chat::{
    CacheHint, Input, Loss, Opaque, Part, Reasoning, Role, Target, ToolCall, ToolResult, Unsupported,
};
use serde_json::Value;
use std::borrow::Cow;

/// What is needed to write the parts of a conversation.
pub(super) struct Writer<'a, 'l> {
    pub(super) target: &'a Target,
    pub(super) options: Options,
    pub(super) loss: Loss<'l>,
    pub(super) ids: Ids<'a>,
}

impl<'a> Writer<'a, '_> {
    /// Adds the blocks of a part. `param` is where the client wrote it.
    pub(super) fn part(
        &mut self,
        part: &'a Part,
        role: Role,
        param: &str,
        out: &mut Vec<Block<'a>>,
    ) -> Result<(), Unsupported> {
        match part {
            Part::Text { text, citations, cache, .. } => {
                out.extend(self.text(text, citations, *cache, role, param)?);
            }
            Part::Refusal(text) => out.extend(spoken(text)),
            Part::Reasoning(reasoning) => match self.thought(reasoning) {
                Some(block) => out.push(block),
                // What another vendor thought is proven to nobody else (wire.md, trap 7).
                None => self.loss.note("messages.reasoning"),
            },
            Part::ToolCall(call) => out.push(self.call(call)),
            Part::ToolResult(result) => {
                let block = self.result(result, param)?;
                out.push(block);
            }
            Part::Other(dialect, value) if *dialect == DIALECT => out.push(Block::Other(value)),
            Part::Other(dialect, _) => {
                let why = format!("is a block that only {} knows", dialect.as_str());
                self.loss.cannot(param.to_owned(), &why)?;
            }
            Part::Audio { transcript, .. } => {
                // What was said can be read; how it sounded cannot.
                self.loss.cannot(param.to_owned(), "is audio, which this target does not hear")?;
                out.extend(transcript.as_deref().and_then(spoken));
            }
            Part::Video { .. } => {
                self.loss.cannot(param.to_owned(), "is video, which this target does not see")?;
            }
            Part::Image { .. } | Part::Document { .. } => out.extend(self.shown(part, role, param)?),
        }
        Ok(())
    }

    fn text(
        &mut self,
        text: &'a str,
        citations: &'a [(crate::chat::Dialect, Value)],
        cache: Option<CacheHint>,
        role: Role,
        param: &str,
    ) -> Result<Option<Block<'a>>, Unsupported> {
        // The vendor refuses blocks without a letter.
        if text.trim().is_empty() {
            return Ok(None);
        }
        let own = |citation: &'a (_, Value)| (citation.0 == DIALECT).then_some(&citation.1);
        let mut cited: Vec<&Value> = citations.iter().filter_map(own).collect();
        if cited.len() < citations.len() {
            self.loss.note("messages.citations");
        }
        if role != Role::Assistant && !cited.is_empty() && !self.options.version.takes_user_citations() {
            self.loss
                .cannot(format!("{param}.citations"), "stands in a user's text, where the API takes none")?;
            cited.clear();
        }
        let cache_control = cache.map(Into::into);
        Ok(Some(Block::Text { text: Cow::Borrowed(text), citations: cited, cache_control }))
    }

    /// `None` if the target would not believe it.
    fn thought(&self, reasoning: &'a Reasoning) -> Option<Block<'a>> {
        let is_ours = |opaque: &&Opaque| opaque.is_for(DIALECT, &self.target.origin);
        let data = Cow::Borrowed(&*reasoning.opaque.as_ref().filter(is_ours)?.data);
        Some(if reasoning.is_redacted {
            Block::RedactedThinking { data }
        } else {
            Block::Thinking { thinking: &reasoning.text, signature: data }
        })
    }

    fn call(&mut self, call: &'a ToolCall) -> Block<'a> {
        Block::ToolUse {
            id: self.ids.call(&call.id),
            name: &call.name,
            input: Input::new(&call.arguments, call.is_custom),
            cache_control: call.cache.map(Into::into),
        }
    }

    fn result(&mut self, result: &'a ToolResult, param: &str) -> Result<Block<'a>, Unsupported> {
        let mut blocks = Vec::with_capacity(result.parts.len());
        for (number, part) in result.parts.iter().enumerate() {
            self.part(part, Role::Tool, &format!("{param}.content[{number}]"), &mut blocks)?;
        }
        Ok(Block::ToolResult {
            tool_use_id: self.ids.result(&result.call_id),
            content: Some(Content(blocks)).filter(|content| !content.0.is_empty()),
            is_error: result.is_error,
            cache_control: result.cache.map(Into::into),
        })
    }

    /// An image or a document.
    fn shown(&mut self, part: &'a Part, role: Role, param: &str) -> Result<Option<Block<'a>>, Unsupported> {
        match part {
            Part::Image { media, detail, cache } => {
                if !self.target.can.images {
                    self.loss.cannot(param.to_owned(), "is an image, which this model does not see")?;
                    return Ok(None);
                }
                if detail.as_deref().is_some_and(|detail| detail != "auto") {
                    self.loss.note("messages.image.detail");
                }
                let source = media::image(media, param, &mut self.loss)?;
                Ok(source.map(|source| Block::Image { source, cache_control: cache.map(Into::into) }))
            }
            Part::Document { media, title, context, citable, cache } => {
                let misplaced = role == Role::Assistant && !self.options.version.takes_assistant_documents();
                if misplaced || !self.target.can.documents {
                    self.loss
                        .cannot(param.to_owned(), "is a document, which this target does not take here")?;
                    return Ok(None);
                }
                let source = media::document(media, param, &mut self.loss)?;
                Ok(source.map(|source| Block::Document {
                    source,
                    title: title.as_deref(),
                    context: context.as_deref(),
                    citations: citable.map(|enabled| Citable { enabled }),
                    cache_control: cache.map(Into::into),
                }))
            }
            _ => Ok(None),
        }
    }
}

/// A text block, unless there is no letter in it.
fn spoken(text: &str) -> Option<Block<'_>> {
    (!text.trim().is_empty()).then(|| Block::text(Cow::Borrowed(text)))
}
