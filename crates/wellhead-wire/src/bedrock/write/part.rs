//! Parts of a conversation as content blocks for a target.

use super::ids;
use super::media::{self, Names};
use crate::bedrock::media::Kind;
use crate::bedrock::wire::{Block, CachePoint, Citable, Paper, Said, Shown, Thought};
use crate::bedrock::{DIALECT, Options};
use crate::chat::ids::Ids;
use crate::chat::{
    CacheHint, Dialect, Input, Loss, Media, Opaque, Part, Reasoning, Role, Target, ToolCall, ToolResult,
    Unsupported,
};
use serde_json::Value;
use std::borrow::Cow;

/// What is needed to write the parts of a conversation.
pub(super) struct Writer<'a, 'l> {
    pub(super) target: &'a Target,
    pub(super) options: Options,
    pub(super) loss: Loss<'l>,
    ids: Ids<'a>,
    names: Names,
}

impl<'a, 'l> Writer<'a, 'l> {
    pub(super) fn new(target: &'a Target, options: Options, loss: Loss<'l>) -> Self {
        Self { target, options, loss, ids: ids::ids(options.family), names: Names::default() }
    }

    /// Adds the blocks of a part, and the mark behind it. `param` is where the client wrote it.
    pub(super) fn part(
        &mut self,
        part: &'a Part,
        role: Role,
        param: &str,
        out: &mut Vec<Block<'a>>,
    ) -> Result<(), Unsupported> {
        let written = out.len();
        out.extend(self.block(part, role, param)?);
        let hint = match part {
            Part::Text { cache, .. } | Part::Image { cache, .. } | Part::Document { cache, .. } => *cache,
            Part::ToolCall(call) => call.cache,
            Part::ToolResult(result) => result.cache,
            _ => None,
        };
        if let Some(hint) = hint
            && out.len() > written
        {
            self.cache(hint, out);
        }
        Ok(())
    }

    /// What a part is on the wire. `None`: it is left out, which was allowed, or says nothing.
    fn block(&mut self, part: &'a Part, role: Role, param: &str) -> Result<Option<Block<'a>>, Unsupported> {
        Ok(match part {
            Part::Text { text, citations, .. } => self.text(text, citations, role),
            Part::Refusal(text) => self.text(text, &[], role),
            Part::Reasoning(reasoning) => {
                let thought = self.thought(reasoning);
                if thought.is_none() {
                    // What another vendor thought is proven to nobody else (wire.md, trap 7).
                    self.loss.note("messages.reasoning");
                }
                thought
            }
            Part::ToolCall(call) => Some(self.call(call)),
            Part::ToolResult(result) => Some(self.result(result, param)?),
            Part::Other(DIALECT, value) => Some(Block::Other(value)),
            Part::Other(dialect, _) => {
                let why = format!("is a block that only {} knows", dialect.as_str());
                self.loss.cannot(param.to_owned(), &why)?;
                None
            }
            Part::Image { media, detail, .. } => {
                if detail.as_deref().is_some_and(|detail| detail != "auto") {
                    self.loss.note("messages.image.detail");
                }
                self.shown(Kind::Image, media, role, param)?.map(Block::Image)
            }
            Part::Video { media } => self.shown(Kind::Video, media, role, param)?.map(Block::Video),
            Part::Audio { media, transcript, .. } => match self.shown(Kind::Audio, media, role, param)? {
                Some(shown) => Some(Block::Audio(shown)),
                // What was said can be read; how it sounded cannot.
                None => transcript.as_deref().and_then(|text| self.text(text, &[], role)),
            },
            Part::Document { media, title, context, citable, .. } => {
                let named = (title.as_deref(), context.as_deref(), *citable);
                self.document(media, named, role, param)?.map(Block::Document)
            }
        })
    }

    /// Marks that the prompt is worth keeping up to here.
    fn cache(&mut self, hint: CacheHint, out: &mut Vec<Block<'a>>) {
        if self.options.family.caches() {
            out.push(Block::CachePoint(CachePoint::new(hint, self.options.family.caches_tools())));
        } else {
            self.loss.note("messages.cache_control");
        }
    }

    fn text(&mut self, text: &'a str, citations: &'a [(Dialect, Value)], role: Role) -> Option<Block<'a>> {
        // The service refuses texts without a letter.
        if text.trim().is_empty() {
            return None;
        }
        let own: Vec<&Value> =
            citations.iter().filter(|citation| citation.0 == DIALECT).map(|citation| &citation.1).collect();
        if own.len() < citations.len() || (role != Role::Assistant && !own.is_empty()) {
            self.loss.note("messages.citations");
        }
        if own.is_empty() || role != Role::Assistant {
            return Some(Block::Text(Cow::Borrowed(text)));
        }
        Some(Block::CitationsContent { content: [Said { text }], citations: own })
    }

    /// `None` if the target would not believe it.
    fn thought(&self, reasoning: &'a Reasoning) -> Option<Block<'a>> {
        let is_ours = |opaque: &&Opaque| opaque.is_for(DIALECT, &self.target.origin);
        let data = Cow::Borrowed(&*reasoning.opaque.as_ref().filter(is_ours)?.data);
        Some(Block::ReasoningContent(if reasoning.is_redacted {
            Thought::RedactedContent(data)
        } else {
            Thought::ReasoningText { text: &reasoning.text, signature: Some(data) }
        }))
    }

    fn call(&mut self, call: &'a ToolCall) -> Block<'a> {
        Block::ToolUse {
            tool_use_id: self.ids.call(&call.id),
            name: ids::name(&call.name),
            input: Input::new(&call.arguments, call.is_custom),
        }
    }

    fn result(&mut self, result: &'a ToolResult, param: &str) -> Result<Block<'a>, Unsupported> {
        let mut content = Vec::with_capacity(result.parts.len());
        for (number, part) in result.parts.iter().enumerate() {
            self.part(part, Role::Tool, &format!("{param}.content[{number}]"), &mut content)?;
        }
        // There is no place for marks within results.
        if content.iter().any(|block| matches!(block, Block::CachePoint(_))) {
            self.loss.note("messages.cache_control");
            content.retain(|block| !matches!(block, Block::CachePoint(_)));
        }
        let status = match (result.is_error, self.options.family.takes_result_status()) {
            (false, _) => None,
            (true, true) => Some("error"),
            (true, false) => {
                self.loss.note("messages.is_error");
                None
            }
        };
        Ok(Block::ToolResult { tool_use_id: self.ids.result(&result.call_id), content, status })
    }

    /// An image, a sound or a film.
    fn shown(
        &mut self,
        kind: Kind,
        media: &'a Media,
        role: Role,
        param: &str,
    ) -> Result<Option<Shown<'a>>, Unsupported> {
        let can = self.target.can;
        let refused = match kind {
            _ if role == Role::Assistant => {
                Some("stands in an assistant's turn, where this target takes texts only")
            }
            Kind::Audio if role == Role::Tool => {
                Some("is audio in a result, which takes none at this target")
            }
            Kind::Image if !can.images => Some("is an image, which this model does not see"),
            Kind::Audio if !can.audio => Some("is audio, which this model does not hear"),
            _ => None,
        };
        if let Some(why) = refused {
            self.loss.cannot(param.to_owned(), why)?;
            return Ok(None);
        }
        let found = media::source(kind, media, param, &mut self.loss)?;
        Ok(found.and_then(|(format, source)| Some(Shown { format: format?, source })))
    }

    fn document(
        &mut self,
        media: &'a Media,
        (title, context, citable): (Option<&str>, Option<&'a str>, Option<bool>),
        role: Role,
        param: &str,
    ) -> Result<Option<Paper<'a>>, Unsupported> {
        if role == Role::Assistant || !self.target.can.documents {
            self.loss.cannot(param.to_owned(), "is a document, which this target does not take here")?;
            return Ok(None);
        }
        let Some((format, source)) = media::source(Kind::Document, media, param, &mut self.loss)? else {
            return Ok(None);
        };
        let citations = citable.map(|enabled| Citable { enabled });
        Ok(Some(Paper { format, name: self.names.name(title), source, context, citations }))
    }
}
