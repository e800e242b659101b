//! A request for an answer.

#![expect(missing_docs, reason = "members that every dialect has under this name")]

use super::{CacheHint, Message, Rest, Tool, ToolChoice};
use serde_json::{Map, Value};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// The model as the client names it.
    pub model: Box<str>,
    /// In order; instructions are messages too.
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub tool_choice: Option<ToolChoice>,
    /// Whether the model may call several tools in one turn.
    pub parallel_tool_calls: Option<bool>,
    pub sampling: Sampling,
    pub output: Output,
    pub reasoning: Option<ReasoningAsk>,
    pub stream: bool,
    /// Whether the client wants usage in its stream. Dialects that always send it read `true`.
    pub stream_usage: bool,
    /// The end user, as the client names them to the vendor.
    pub user: Option<Box<str>>,
    /// The client's own labels.
    pub metadata: Option<Map<String, Value>>,
    /// Which of the vendor's service classes is asked for, in the dialect's own word.
    pub service_tier: Option<Box<str>>,
    /// Requests with the same key share the vendor's prompt cache.
    pub cache_key: Option<Box<str>>,
    /// The whole prompt is worth keeping in the vendor's cache.
    pub cache: Option<CacheHint>,
    /// What only one dialect knows.
    pub rest: Rest,
}

/// How the next token is drawn, and how many of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampling {
    /// Most tokens to write, reasoning included where the dialect counts so.
    pub max_tokens: Option<u64>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u64>,
    /// `min_p`: tokens less likely than this part of the likeliest are not drawn.
    pub p_floor: Option<f64>,
    pub frequency_penalty: Option<f64>,
    pub presence_penalty: Option<f64>,
    pub repetition_penalty: Option<f64>,
    pub seed: Option<i64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Token id to bias.
    pub logit_bias: Option<Map<String, Value>>,
    pub logprobs: Option<bool>,
    pub top_logprobs: Option<u64>,
    /// How many answers; `None` is one.
    pub candidates: Option<u64>,
}

/// What the answer has to look like.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Output {
    pub format: Option<Format>,
    /// `text`, `audio`, `image`, in the words of OpenAI; empty if not said.
    pub modalities: Vec<Box<str>>,
    /// Voice and container of spoken answers, as the dialect writes them.
    pub audio: Option<Map<String, Value>>,
    /// How much to say: `low`, `medium`, `high`.
    pub verbosity: Option<Box<str>>,
}

/// The form of a text answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// Free text, said explicitly.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON by a schema.
    JsonSchema {
        /// Dialects that need a name and were given none use `answer`.
        name: Option<Box<str>>,
        description: Option<String>,
        schema: Value,
        strict: Option<bool>,
    },
}

/// How much the model shall think before it speaks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReasoningAsk {
    pub mode: ReasoningMode,
    pub effort: Option<Effort>,
    /// Most tokens to think.
    pub budget_tokens: Option<u64>,
    /// Whether the thoughts (or a summary of them) shall be shown: `Some("auto")`, `"concise"`, `"detailed"`, `"full"`,
    /// `"none"`.
    pub show: Option<Box<str>>,
}

/// Whether to think at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReasoningMode {
    /// Not said.
    #[default]
    Default,
    Enabled,
    /// As much as the model sees fit.
    Adaptive,
    /// Also between two tool calls.
    BetweenTools,
    Disabled,
}

/// How hard to think, in the words that vendors share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

impl Effort {
    /// Every effort, weakest first.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::Xhigh, Self::Max];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// Reads the word, in upper or lower case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.as_str().eq_ignore_ascii_case(word))
    }
}
