//! Parts of an answer as content blocks for a client.

use crate::bedrock::DIALECT;
use crate::bedrock::media::{Kind, format, seen};
use crate::bedrock::wire::{Block, Said, Shown, Source, Thought};
use crate::chat::{self, Input, Opaque, Part};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::borrow::Cow;

/// The blocks of parts. What this dialect cannot show is left out.
pub(in crate::bedrock) fn blocks(parts: &[Part]) -> Vec<Block<'_>> {
    parts.iter().filter_map(block).collect()
}

fn block(part: &Part) -> Option<Block<'_>> {
    let text = |text| Some(Block::Text(Cow::Borrowed(text)));
    match part {
        Part::Text { text: said, citations, .. } => {
            let own: Vec<_> = citations
                .iter()
                .filter(|citation| citation.0 == DIALECT)
                .map(|citation| &citation.1)
                .collect();
            if own.is_empty() {
                return text(said);
            }
            Some(Block::CitationsContent { content: [Said { text: said }], citations: own })
        }
        Part::Refusal(said) => text(said),
        // Speech is shown by what is said.
        Part::Audio { transcript, .. } => text(transcript.as_deref()?),
        Part::Reasoning(reasoning) => {
            let opaque = reasoning.opaque.as_ref();
            Some(Block::ReasoningContent(match opaque {
                Some(opaque) if reasoning.is_redacted => Thought::RedactedContent(redacted(opaque)),
                opaque => Thought::ReasoningText {
                    text: &reasoning.text,
                    signature: opaque.map(|opaque| Cow::Owned(opaque.to_text())),
                },
            }))
        }
        Part::ToolCall(call) => Some(Block::ToolUse {
            tool_use_id: Cow::Borrowed(&call.id),
            name: Cow::Borrowed(&call.name),
            input: Input::new(&call.arguments, call.is_custom),
        }),
        Part::Image { media, .. } => {
            let chat::Source::Base64(data) = &media.source else { return None };
            let named = media.media_type.as_deref().and_then(|named| format(Kind::Image, named));
            let format = named.or_else(|| seen(Kind::Image, data))?;
            Some(Block::Image(Shown { format, source: Source::Bytes(data) }))
        }
        Part::Other(DIALECT, value) => Some(Block::Other(value)),
        Part::Video { .. } | Part::Document { .. } | Part::ToolResult(_) | Part::Other(..) => None,
    }
}

/// Has to be base64, which a text that says where it came from is not.
pub(in crate::bedrock) fn redacted(opaque: &Opaque) -> Cow<'_, str> {
    match &opaque.origin {
        None => Cow::Borrowed(&*opaque.data),
        Some(_) => Cow::Owned(BASE64_STANDARD.encode(opaque.to_text())),
    }
}
