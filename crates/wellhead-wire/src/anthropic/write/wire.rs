//! The shapes on the wire, borrowed from what is written.

use crate::chat::{CacheHint, Input};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;

/// A content block.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::anthropic) enum Block<'a> {
    Text {
        text: Cow<'a, str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        citations: Vec<&'a Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Cache>,
    },
    Image {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Cache>,
    },
    Document {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        citations: Option<Citable>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Cache>,
    },
    Thinking {
        thinking: &'a str,
        signature: Cow<'a, str>,
    },
    RedactedThinking {
        data: Cow<'a, str>,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: &'a str,
        input: Input<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Cache>,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<Content<'a>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Cache>,
    },
    /// As it came.
    #[serde(untagged)]
    Other(&'a Value),
}

impl<'a> Block<'a> {
    pub(super) const fn text(text: Cow<'a, str>) -> Self {
        Block::Text { text, citations: Vec::new(), cache_control: None }
    }

    pub(super) const fn is_result(&self) -> bool {
        matches!(self, Block::ToolResult { .. })
    }

    pub(super) const fn is_thought(&self) -> bool {
        matches!(self, Block::Thinking { .. } | Block::RedactedThinking { .. })
    }
}

/// Blocks; a plain text alone is written as a string.
#[derive(Debug)]
pub(in crate::anthropic) struct Content<'a>(pub(super) Vec<Block<'a>>);

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [Block::Text { text, citations, cache_control: None }] if citations.is_empty() => {
                serializer.serialize_str(text)
            }
            blocks => serializer.collect_seq(blocks),
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(in crate::anthropic) struct Citable {
    pub(super) enabled: bool,
}

/// Where an image or a document is.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::anthropic) enum Source<'a> {
    Base64 { media_type: &'a str, data: &'a str },
    Url { url: &'a str },
    File { file_id: &'a str },
    Text { media_type: &'static str, data: Cow<'a, str> },
}

/// `cache_control`.
#[derive(Debug, Clone, Copy, Serialize)]
pub(in crate::anthropic) struct Cache {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

impl From<CacheHint> for Cache {
    /// The vendor knows two lifetimes; anything above the shorter one gets the longer.
    fn from(hint: CacheHint) -> Self {
        let ttl = hint.ttl_seconds.map(|seconds| if seconds <= 300 { "5m" } else { "1h" });
        Self { kind: "ephemeral", ttl }
    }
}
