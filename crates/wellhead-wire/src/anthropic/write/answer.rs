//! Parts of an answer as content blocks for a client.

use super::wire::Block;
use crate::anthropic::read::{DIALECT, FOR_PREVIOUS};
use crate::chat::{Input, Media, Opaque, Part, Source};
use serde_json::Value;
use std::borrow::Cow;

/// Adds the blocks of a part. `described` is what [`extra_text`] says of it.
pub(in crate::anthropic) fn answer_block<'a>(
    part: &'a Part,
    described: Option<&'a str>,
    out: &mut Vec<Block<'a>>,
) {
    match part {
        Part::Text { text, citations, opaque, .. } => {
            let own = |citation: &'a (_, Value)| (citation.0 == DIALECT).then_some(&citation.1);
            let citations: Vec<&Value> = citations.iter().filter_map(own).collect();
            if !text.is_empty() || !citations.is_empty() {
                out.push(Block::Text { text: Cow::Borrowed(text), citations, cache_control: None });
            }
            out.extend(opaque.as_ref().map(proof_of_previous));
        }
        Part::Refusal(text) => out.push(Block::text(Cow::Borrowed(text))),
        Part::Reasoning(reasoning) => {
            let proof = reasoning.opaque.as_ref().map(Opaque::to_text);
            match proof {
                Some(data) if reasoning.is_redacted => {
                    out.push(Block::RedactedThinking { data: data.into() });
                }
                None if reasoning.text.is_empty() => {}
                proof => out.push(Block::Thinking {
                    thinking: &reasoning.text,
                    signature: proof.unwrap_or_default().into(),
                }),
            }
        }
        Part::ToolCall(call) => {
            out.push(Block::ToolUse {
                id: Cow::Borrowed(&call.id),
                name: &call.name,
                input: Input::new(&call.arguments, call.is_custom),
                cache_control: None,
            });
            out.extend(call.opaque.as_ref().map(proof_of_previous));
        }
        Part::Other(dialect, value) if *dialect == DIALECT => out.push(Block::Other(value)),
        _ => out.extend(described.map(|text| Block::text(Cow::Borrowed(text)))),
    }
}

/// A proof that belongs to a call or a text: an empty thought behind it, which clients send back as it came.
fn proof_of_previous<'a>(opaque: &Opaque) -> Block<'a> {
    Block::Thinking { thinking: "", signature: previous_text(opaque).into() }
}

/// The signature of such a thought.
pub(in crate::anthropic) fn previous_text(opaque: &Opaque) -> String {
    format!("{FOR_PREVIOUS}{}", opaque.to_text())
}

/// What a part is in words, where clients of this dialect have no block for it. Answers hold texts, thoughts and calls
/// there; an image becomes Markdown, speech becomes what was said.
pub(in crate::anthropic) fn extra_text(part: &Part) -> Option<String> {
    match part {
        Part::Image { media, .. } => Some(format!("![image]({})", link(media))),
        Part::Audio { transcript: Some(said), .. } => Some(said.clone()),
        Part::Audio { media, .. } => Some(format!("[audio]({})", link(media))),
        Part::Video { media } => Some(format!("[video]({})", link(media))),
        Part::Document { media, title, .. } => {
            Some(format!("[{}]({})", title.as_deref().unwrap_or("document"), link(media)))
        }
        _ => None,
    }
    .filter(|text| !text.is_empty())
}

fn link(media: &Media) -> String {
    let media_type = media.media_type.as_deref().unwrap_or("application/octet-stream");
    match &media.source {
        Source::Base64(data) => format!("data:{media_type};base64,{data}"),
        Source::Url(url) => url.clone(),
        Source::File(id) => id.clone(),
        Source::Text(text) => text.clone(),
    }
}
