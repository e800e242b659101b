//! The shapes on the wire, borrowed from what is written.

use crate::chat::{CacheHint, Input};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;

/// A content block: an object of one member.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Block<'a> {
    Text(Cow<'a, str>),
    Image(Shown<'a>),
    Video(Shown<'a>),
    Audio(Shown<'a>),
    Document(Paper<'a>),
    ToolUse {
        tool_use_id: Cow<'a, str>,
        name: Cow<'a, str>,
        input: Input<'a>,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<&'static str>,
    },
    CachePoint(CachePoint),
    ReasoningContent(Thought<'a>),
    CitationsContent {
        content: [Said<'a>; 1],
        citations: Vec<&'a Value>,
    },
    /// As it came.
    #[serde(untagged)]
    Other(&'a Value),
}

impl Block<'_> {
    pub(super) const fn is_result(&self) -> bool {
        matches!(self, Block::ToolResult { .. })
    }

    pub(super) const fn is_thought(&self) -> bool {
        matches!(self, Block::ReasoningContent(_))
    }
}

/// A text within citations.
#[derive(Debug, Serialize)]
pub(super) struct Said<'a> {
    pub(super) text: &'a str,
}

/// An image, a sound, a film.
#[derive(Debug, Serialize)]
pub(super) struct Shown<'a> {
    pub(super) format: &'static str,
    pub(super) source: Source<'a>,
}

/// A document.
#[derive(Debug, Serialize)]
pub(super) struct Paper<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<&'static str>,
    pub(super) name: String,
    pub(super) source: Source<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) citations: Option<Citable>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Citable {
    pub(super) enabled: bool,
}

/// Where bytes are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Source<'a> {
    /// As base64.
    Bytes(&'a str),
    S3Location {
        uri: &'a str,
    },
    Text(&'a str),
}

/// What was thought.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Thought<'a> {
    ReasoningText {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<Cow<'a, str>>,
    },
    /// As base64.
    RedactedContent(Cow<'a, str>),
}

/// Up to here the prompt is worth keeping.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct CachePoint {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

impl CachePoint {
    /// The vendor knows two lifetimes; anything above the shorter one gets the longer. `with_ttl`: the model may be told.
    pub(super) fn new(hint: CacheHint, with_ttl: bool) -> Self {
        let ttl =
            hint.ttl_seconds.filter(|_| with_ttl).map(|seconds| if seconds <= 300 { "5m" } else { "1h" });
        Self { kind: "default", ttl }
    }
}
