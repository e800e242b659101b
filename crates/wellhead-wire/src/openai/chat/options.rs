//! How a vendor departs from OpenAI, and how a client wants its answer.

use super::Params;
use crate::json;

/// A vendor's quirks. The default is OpenAI itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent quirks, as the catalogue lists them")]
pub struct Options {
    /// Knows `max_tokens` and not `max_completion_tokens`.
    pub max_tokens_only: bool,
    /// `content` is a text, never a list of parts.
    pub content_as_text: bool,
    /// Knows no role `developer`; `system` is written.
    pub no_developer: bool,
    /// Refuses `stream_options`.
    pub no_stream_usage: bool,
    /// Ids of tool calls have exactly nine letters or digits (Mistral).
    pub short_tool_ids: bool,
    /// The seed is called `random_seed` (Mistral).
    pub random_seed: bool,
    /// Instructions stand in one message, at the beginning (templates of open models).
    pub system_first: bool,
    /// Neighbours never have the same role.
    pub alternates: bool,
    /// A choice of tools is a word: which of them is said by offering no others.
    pub no_named_tool: bool,
    /// A call cannot be demanded.
    pub no_forced_tool: bool,
    /// Refuses `strict` on tools.
    pub no_strict_tools: bool,
    /// Begins a new answer behind an assistant's message at the end.
    pub no_prefill: bool,
    /// Knows `json_object` and no `json_schema`: the schema is told in words.
    pub no_json_schema: bool,
    /// The highest `temperature`.
    pub temperature_max: Option<u8>,
    /// Most texts in `stop`.
    pub stop_max: Option<u8>,
    /// What it knows of the parameters that OpenAI does not: `top_k`, `min_p`, `repetition_penalty`.
    pub knows: Params,
    /// What it does not know of those that OpenAI does.
    pub without: Params,
    /// Knows `cache_control` on parts and tools (OpenRouter, Z.ai).
    pub cache_control: bool,
    /// Knows `video_url`.
    pub video: bool,
    /// Fetches documents from a URL in `file_data` (OpenRouter).
    pub document_urls: bool,
    /// Results of tools may hold images.
    pub result_images: bool,
    /// Knows no tools with free text: they are refused, unless [`CustomTools`](crate::chat::CustomTools) has turned them
    /// into functions before.
    pub no_custom_tools: bool,
    /// Refuses `name` on messages.
    pub no_names: bool,
    /// How it is given its own earlier thoughts.
    pub reasoning_back: ReasoningBack,
    /// How it is asked to think.
    pub thinking: ThinkingForm,
    /// How it is told to go on with the last message.
    pub prefill: PrefillMark,
}

/// How a vendor wants to see what its model thought in earlier turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReasoningBack {
    /// Not at all.
    #[default]
    Never,
    /// As `reasoning_content`, where there is one.
    Content,
    /// As `reasoning_content` on every turn of the assistant, empty if need be (DeepSeek's thinking models).
    ContentAlways,
    /// As `reasoning`.
    Reasoning,
    /// As `reasoning_details`, unchanged (OpenRouter).
    Details,
}

/// How a vendor is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThinkingForm {
    /// `reasoning_effort`.
    #[default]
    Effort,
    /// `reasoning: {effort | max_tokens, enabled, exclude}` (OpenRouter).
    Reasoning,
    /// `thinking: {type: enabled | disabled}` (Z.ai, Moonshot).
    Thinking,
    /// The same, and how hard in `reasoning_effort` (DeepSeek).
    ThinkingEffort,
    /// `enable_thinking` and `thinking_budget` (DashScope).
    Enable,
    /// `chat_template_kwargs: {enable_thinking}` (vLLM, SGLang).
    Template,
}

/// How a vendor is told that the last message is the beginning of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrefillMark {
    /// It sees that by itself, or cannot do it.
    #[default]
    Nothing,
    /// `prefix: true` on the message (Mistral, DeepSeek).
    Prefix,
    /// `partial: true` on the message (DashScope, Moonshot).
    Partial,
    /// `continue_final_message: true, add_generation_prompt: false` on the request (vLLM, SGLang).
    Continue,
}

/// What a client of this dialect expects of its answer, besides what it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// It asked with `functions` and reads `function_call`, not `tool_calls`.
    pub functions: bool,
}

impl Style {
    /// Of the client that wrote this body.
    pub fn of(body: &[u8]) -> Self {
        let functions = json::scan(body, &["functions", "tools"])
            .is_ok_and(|spans| spans.members[0].is_some() && spans.members[1].is_none());
        Self { functions }
    }
}
