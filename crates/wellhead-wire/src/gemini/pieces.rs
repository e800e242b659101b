//! Writing the parts of a message for a target.

use super::media::{bytes, level_of};
use super::written::{Answered, Args, Call, Ours, Piece, Resolution, Response};
use super::{GEMINI, Options, Service, calls};
use crate::chat::{Loss, Message, Opaque, Part, Reasoning, Role, Target, ToolCall, ToolResult, Unsupported};
use std::borrow::Cow;
use std::collections::HashMap;

/// The calls of a conversation: their order and their names.
struct Calls<'a>(HashMap<&'a str, (usize, &'a str)>);

impl<'a> Calls<'a> {
    fn of(messages: &'a [Message]) -> Self {
        let calls = messages.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
            Part::ToolCall(call) => Some((&*call.id, &*call.name)),
            _ => None,
        });
        Self(calls.enumerate().map(|(at, (id, name))| (id, (at, name))).collect())
    }
}

/// Writes one message after the other, and notes what is lost.
pub(super) struct Writing<'a, 'w, 'l> {
    target: &'w Target,
    options: Options,
    pub(super) loss: &'w mut Loss<'l>,
    calls: Calls<'a>,
    /// Media of results, for models that take them only beside the results.
    after: Vec<Piece<'a>>,
}

impl<'a, 'w, 'l> Writing<'a, 'w, 'l> {
    /// For a conversation.
    pub(super) fn new(
        messages: &'a [Message],
        target: &'w Target,
        options: Options,
        loss: &'w mut Loss<'l>,
    ) -> Self {
        Self { target, options, loss, calls: Calls::of(messages), after: Vec::new() }
    }

    /// Notes what is lost of a message besides its parts.
    pub(super) fn message(&mut self, at: usize, message: &Message) {
        if message.name.is_some() {
            self.loss.note(format!("messages[{at}].name"));
        }
        for name in message.rest.foreign_to(GEMINI) {
            self.loss.note(format!("messages[{at}].{name}"));
        }
    }

    /// Its parts.
    pub(super) fn pieces(&mut self, at: usize, message: &'a Message) -> Result<Vec<Piece<'a>>, Unsupported> {
        let mut parts: Vec<(usize, &'a Part)> = message.parts.iter().enumerate().collect();
        let made = |part: &Part| matches!(part, Part::ToolResult(result) if calls::is_made(&result.call_id));
        if message.role == Role::Tool && message.parts.iter().any(made) {
            // Without ids, results are told apart by their order.
            parts.sort_by_key(|(_, part)| match part {
                Part::ToolResult(result) => {
                    self.calls.0.get(&*result.call_id).map_or(usize::MAX, |call| call.0)
                }
                _ => usize::MAX,
            });
        }
        let mut pieces = Vec::with_capacity(parts.len());
        let mut signature = None;
        for (number, part) in parts {
            let path = format!("messages[{at}].content[{number}]");
            if let Part::Reasoning(Reasoning { text, opaque: Some(opaque), .. }) = part
                && text.is_empty()
                && opaque.is_for(GEMINI, &self.target.origin)
                && matches!(message.parts.get(number + 1), Some(next) if is_medium(next))
            {
                signature = Some(&*opaque.data);
                continue;
            }
            let before = pieces.len();
            self.piece(&path, part, &mut pieces)?;
            if let Some(signature) = signature.take()
                && let Some(Piece::Ours(ours)) = pieces.get_mut(before)
            {
                ours.thought_signature = Some(Cow::Borrowed(signature));
            }
        }
        pieces.append(&mut self.after);
        Ok(pieces)
    }

    fn piece(&mut self, path: &str, part: &'a Part, out: &mut Vec<Piece<'a>>) -> Result<(), Unsupported> {
        match part {
            Part::Text { text, citations, cache, opaque } => {
                self.cached(cache.is_some());
                if !citations.is_empty() {
                    self.loss.note(format!("{path}.citations"));
                }
                let thought_signature = self.signature(opaque.as_ref());
                // An empty text says nothing, and alone is refused.
                if !text.is_empty() || thought_signature.is_some() {
                    out.push(Ours { thought_signature, ..Ours::text(text.as_str()) }.into());
                }
            }
            Part::Refusal(text) => out.push(Ours::text(text.as_str()).into()),
            Part::Reasoning(reasoning) => out.extend(self.thought(reasoning)),
            Part::ToolCall(call) => out.push(self.call(call)),
            Part::ToolResult(result) => out.extend(self.result(path, result)?),
            Part::Other(dialect, value) if *dialect == GEMINI => out.push(Piece::Theirs(value)),
            Part::Other(dialect, _) => {
                let why = format!("is a part that only {} knows", dialect.as_str());
                self.loss.cannot(path.to_owned(), &why)?;
            }
            Part::Image { .. } | Part::Audio { .. } | Part::Video { .. } | Part::Document { .. } => {
                self.medium(path, part, out)?;
            }
        }
        Ok(())
    }

    fn cached(&mut self, is_cached: bool) {
        if is_cached {
            self.loss.note("cache_control");
        }
    }

    fn signature(&mut self, opaque: Option<&'a Opaque>) -> Option<Cow<'a, str>> {
        let opaque = opaque?;
        if opaque.is_for(GEMINI, &self.target.origin) {
            return Some(Cow::Borrowed(&opaque.data));
        }
        self.loss.note("reasoning");
        None
    }

    /// Another origin's thoughts are left out, as are all where the model does not think.
    fn thought(&mut self, reasoning: &'a Reasoning) -> Option<Piece<'a>> {
        if !self.target.can.reasoning {
            self.loss.note("reasoning");
            return None;
        }
        let thought_signature = match &reasoning.opaque {
            None => None,
            Some(opaque) => Some(self.signature(Some(opaque))?),
        };
        if reasoning.text.is_empty() && thought_signature.is_none() {
            return None;
        }
        Some(Ours { thought: true, thought_signature, ..Ours::text(reasoning.text.as_str()) }.into())
    }

    fn call(&mut self, call: &'a ToolCall) -> Piece<'a> {
        self.cached(call.cache.is_some());
        let id = (!calls::is_made(&call.id)).then_some(Cow::Borrowed(&*call.id));
        let args = if call.is_custom {
            Args::Text(Cow::Borrowed(&call.arguments))
        } else {
            Args::of(&call.arguments)
        };
        let function_call = Some(Call { id, name: Cow::Borrowed(&call.name), args });
        let thought_signature = self.signature(call.opaque.as_ref());
        Ours { function_call, thought_signature, ..Ours::default() }.into()
    }

    fn result(&mut self, path: &str, result: &'a ToolResult) -> Result<Option<Piece<'a>>, Unsupported> {
        self.cached(result.cache.is_some());
        // The dialect repeats the name, which others leave out.
        let name = result.name.as_deref().or_else(|| self.calls.0.get(&*result.call_id).map(|call| call.1));
        let Some(name) = name else {
            self.loss.cannot(path.to_owned(), "answers a call that is not in the conversation")?;
            return Ok(None);
        };
        let (mut texts, mut media) = (Vec::new(), Vec::new());
        for (number, part) in result.parts.iter().enumerate() {
            let path = format!("{path}.content[{number}]");
            match part {
                Part::Text { text, .. } | Part::Refusal(text) => texts.push(text.as_str()),
                part => self.piece(&path, part, &mut media)?,
            }
        }
        if !self.options.media_in_results {
            self.after.append(&mut media);
        }
        let response = match texts[..] {
            [] => Answered::Nothing,
            [text] => Answered::Text(Cow::Borrowed(text), result.is_error),
            _ => Answered::Text(Cow::Owned(texts.join("\n")), result.is_error),
        };
        let id = (!calls::is_made(&result.call_id)).then_some(&*result.call_id);
        let function_response = Some(Response { id, name, response, parts: media });
        Ok(Some(Ours { function_response, ..Ours::default() }.into()))
    }

    fn medium(&mut self, path: &str, part: &'a Part, out: &mut Vec<Piece<'a>>) -> Result<(), Unsupported> {
        let can = self.target.can;
        let (media, able, fallback) = match part {
            Part::Image { media, .. } => (media, can.images, "image/jpeg"),
            Part::Audio { media, .. } => (media, can.audio, "audio/wav"),
            Part::Document { media, .. } => (media, can.documents, "application/pdf"),
            Part::Video { media } => (media, true, "video/mp4"),
            _ => return Ok(()),
        };
        if !able {
            return self.loss.cannot(path.to_owned(), "is a medium that this model cannot read");
        }
        let mut display_name = None;
        let mut media_resolution = None;
        match part {
            Part::Image { detail, cache, .. } => {
                self.cached(cache.is_some());
                let level = detail.as_deref().and_then(level_of).filter(|_| self.options.media_resolution);
                media_resolution = level.map(|level| Resolution { level });
                if level.is_none() && detail.as_deref().is_some_and(|detail| detail != "auto") {
                    self.loss.note(format!("{path}.detail"));
                }
            }
            Part::Document { title, context, citable, cache, .. } => {
                self.cached(cache.is_some());
                if *citable == Some(true) {
                    self.loss.cannot(format!("{path}.citations"), "cannot be asked for at the Gemini API")?;
                }
                out.extend(context.as_deref().map(|context| Piece::from(Ours::text(context))));
                if self.options.service == Service::Vertex {
                    display_name = title.as_deref();
                } else if title.is_some() {
                    self.loss.note(format!("{path}.title"));
                }
            }
            _ => {}
        }
        match bytes(media, fallback, display_name) {
            Some(ours) => out.push(Ours { media_resolution, ..ours }.into()),
            None => {
                let why =
                    "is a file that was uploaded somewhere else: Google knows `gs://` and its own files";
                self.loss.cannot(path.to_owned(), why)?;
            }
        }
        Ok(())
    }
}

const fn is_medium(part: &Part) -> bool {
    matches!(part, Part::Image { .. } | Part::Audio { .. } | Part::Video { .. } | Part::Document { .. })
}
