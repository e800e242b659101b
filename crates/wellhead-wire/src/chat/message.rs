//! Messages and their parts.

#![expect(missing_docs, reason = "members that every dialect has under this name")]

use super::{Dialect, Opaque, Rest};
use serde_json::Value;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Instructions; anywhere in a conversation, not only at its beginning.
    System,
    /// Instructions, as OpenAI's newer models call them. Dialects that know only `system` write that.
    Developer,
    User,
    Assistant,
    /// Results of tool calls; holds nothing but [`Part::ToolResult`].
    Tool,
}

/// One turn, or a piece of one: dialects that want strictly alternating turns merge neighbours when they write.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub role: Role,
    /// A participant's name, in dialects that have one.
    pub name: Option<Box<str>>,
    /// In the order in which they were said.
    pub parts: Vec<Part>,
    /// What only one dialect knows of it.
    pub rest: Rest,
}

impl Message {
    /// A message without a name.
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Self { role, name: None, parts, rest: Rest::default() }
    }
}

/// A piece of a message or of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    Text {
        text: String,
        /// Citations or annotations, each in its dialect's form.
        citations: Vec<(Dialect, Value)>,
        cache: Option<CacheHint>,
        /// What the vendor wants back with this text.
        opaque: Option<Opaque>,
    },
    Image {
        media: Media,
        /// `low`, `high`, `auto`, as written.
        detail: Option<Box<str>>,
        cache: Option<CacheHint>,
    },
    Audio {
        media: Media,
        /// The vendor's name for it, by which a client may refer to it later.
        id: Option<Box<str>>,
        /// What is said in it, where the model says so.
        transcript: Option<String>,
    },
    Video {
        media: Media,
    },
    Document {
        media: Media,
        /// Its name or title.
        title: Option<Box<str>>,
        /// What the reader should know of it.
        context: Option<String>,
        /// Whether the answer may cite it.
        citable: Option<bool>,
        cache: Option<CacheHint>,
    },
    /// The model says that it will not answer.
    Refusal(String),
    Reasoning(Reasoning),
    ToolCall(ToolCall),
    ToolResult(ToolResult),
    /// A block that only one dialect knows (tools that run at the vendor, and their results).
    Other(Dialect, Value),
}

impl Part {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), citations: Vec::new(), cache: None, opaque: None }
    }
}

/// Where the bytes of an image, a sound or a document are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Here, as base64, unchecked: whoever receives it decodes it.
    Base64(String),
    /// To be fetched by the vendor.
    Url(String),
    /// Uploaded to the vendor before; the id means nothing elsewhere.
    File(String),
    /// A document's own text.
    Text(String),
}

/// Bytes with their type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    pub source: Source,
    /// Such as `image/png`; may be missing where it is fetched.
    pub media_type: Option<Box<str>>,
}

/// Up to here the prompt is worth keeping in the vendor's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CacheHint {
    /// For how long, in seconds, if it is said.
    pub ttl_seconds: Option<u32>,
}

/// What the model thought before it spoke.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reasoning {
    /// In words, where the vendor shows them. Empty if they are only in `opaque`.
    pub text: String,
    /// The words are a summary of what was thought, not the thought itself.
    pub is_summary: bool,
    /// The vendor's proof of it, or the thought itself in encrypted form.
    pub opaque: Option<Opaque>,
    /// `opaque` is all there is, because the vendor's filter hid the words.
    pub is_redacted: bool,
    /// The item's id, in dialects that name it.
    pub id: Option<Box<str>>,
}

/// The model wants a tool to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The dialect's own, or made from the position where a dialect has none.
    pub id: Box<str>,
    pub name: Box<str>,
    /// JSON text of an object; `{}` if nothing was said. Free text for custom tools.
    pub arguments: String,
    /// The tool takes free text instead of JSON.
    pub is_custom: bool,
    /// What the vendor wants back with this call.
    pub opaque: Option<Opaque>,
    pub cache: Option<CacheHint>,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// The call that it answers.
    pub call_id: Box<str>,
    /// The tool's name, in dialects that repeat it.
    pub name: Option<Box<str>>,
    /// Text, images, documents.
    pub parts: Vec<Part>,
    /// The tool failed, and `parts` say how.
    pub is_error: bool,
    pub cache: Option<CacheHint>,
}
