//! Blocks that have begun, and those that come whole.

use crate::bedrock::DIALECT;
use crate::bedrock::media::{Kind as Of, media_type};
use crate::chat::{Media, Part, Source};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// Most bytes that the input of one tool call may have. Inputs are kept by whoever checks them.
pub const TOOL_INPUT_BYTES_MAX: usize = 1 << 20;

/// Most bytes of a block that comes whole: an image, the result of a tool that ran at the vendor.
const WHOLE_BYTES_MAX: usize = 16 << 20;

/// A block that has begun.
#[derive(Debug)]
pub(super) struct Open {
    /// The vendor's number.
    pub(super) index: u64,
    /// The canonical one; blocks that come whole get theirs at their end.
    pub(super) part: u32,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Thought,
    Call {
        bytes: usize,
    },
    /// A call of a tool that runs at the vendor.
    ServerCall {
        start: Value,
        input: String,
    },
    /// What came of it.
    ServerResult {
        start: Value,
        content: Vec<Value>,
        bytes: usize,
    },
    Image {
        format: String,
        data: Vec<u8>,
        place: Option<Value>,
    },
}

impl Kind {
    /// What a `start` says that begins; `None` for what is not known here.
    pub(super) fn of(start: &mut Value) -> Option<Self> {
        if let Some(call) = start.get_mut("toolUse") {
            return Some(if call.get("type").is_some_and(|kind| !kind.is_null()) {
                Self::ServerCall { start: call.take(), input: String::new() }
            } else {
                Self::Call { bytes: 0 }
            });
        }
        if let Some(result) = start.get_mut("toolResult") {
            return Some(Self::ServerResult { start: result.take(), content: Vec::new(), bytes: 0 });
        }
        let format = start.get("image")?.get("format").and_then(Value::as_str).unwrap_or_default();
        Some(Self::Image { format: format.to_owned(), data: Vec::new(), place: None })
    }

    /// More of a block that comes whole. `None`: it cannot hold that, or has grown too long.
    pub(super) fn grow(&mut self, delta: &mut Value) -> Option<()> {
        match self {
            Self::ServerCall { input, .. } => {
                let more = delta.pointer("/toolUse/input")?.as_str()?;
                (input.len() + more.len() <= TOOL_INPUT_BYTES_MAX).then(|| input.push_str(more))
            }
            Self::ServerResult { content, bytes, .. } => {
                let more = delta.get_mut("toolResult")?.as_array_mut()?;
                for item in more {
                    *bytes = bytes.saturating_add(item.to_string().len());
                    content.push(item.take());
                }
                (*bytes <= WHOLE_BYTES_MAX).then_some(())
            }
            Self::Image { data, place, .. } => {
                let mut source = delta.get_mut("image")?.get_mut("source")?.take();
                match source.get("bytes").and_then(Value::as_str) {
                    Some(bytes) => data.extend(BASE64_STANDARD.decode(bytes).ok()?),
                    None => *place = source.get_mut("s3Location").map(Value::take),
                }
                (data.len() <= WHOLE_BYTES_MAX).then_some(())
            }
            Self::Text | Self::Thought | Self::Call { .. } => None,
        }
    }

    /// The part that a block has become that comes whole; `None` for the others.
    pub(super) fn whole(self) -> Option<Part> {
        let member = |mut start: Value, name: &str, value: Value| {
            if let Some(members) = start.as_object_mut() {
                members.insert(name.to_owned(), value);
            }
            start
        };
        Some(match self {
            Self::Text | Self::Thought | Self::Call { .. } => return None,
            Self::ServerCall { start, input } => {
                let input = serde_json::from_str(&input).unwrap_or_else(|_| json!({}));
                Part::Other(DIALECT, json!({"toolUse": member(start, "input", input)}))
            }
            Self::ServerResult { start, content, .. } => {
                Part::Other(DIALECT, json!({"toolResult": member(start, "content", content.into())}))
            }
            Self::Image { format, data, place } => {
                let source = match place.as_ref().and_then(|place| place.get("uri")?.as_str()) {
                    Some(uri) if data.is_empty() => Source::Url(uri.to_owned()),
                    _ => Source::Base64(BASE64_STANDARD.encode(data)),
                };
                let media_type = media_type(Of::Image, &format).map(Into::into);
                Part::Image { media: Media { source, media_type }, detail: None, cache: None }
            }
        })
    }
}
