//! Where vendors of the OpenAI family depart from OpenAI Chat Completions, one word per quirk.

/// Parameters of Chat Completions, and of hosts of open models, that a quirk may name.
pub const PARAMS: [&str; 19] = [
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "metadata",
    "min_p",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "prompt_cache_key",
    "reasoning_effort",
    "repetition_penalty",
    "response_format",
    "seed",
    "service_tier",
    "stop",
    "top_k",
    "top_logprobs",
    "user",
    "verbosity",
];

/// One way in which a vendor departs from OpenAI.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quirk {
    /// `content` that is nothing but text is a string, never a list of parts.
    ContentAsText,
    /// There is no role `developer`; `system` says it.
    NoDeveloper,
    /// Instructions stand in one message, at the beginning.
    SystemFirst,
    /// Neighbouring messages never have the same role.
    Alternates,
    /// `name` on messages is refused.
    NoNames,
    /// Ids of tool calls have exactly nine letters or digits.
    ShortToolIds,
    /// The seed is called `random_seed`.
    RandomSeed,
    /// A choice of tools is a word and names no tool.
    NoNamedTool,
    /// A call cannot be demanded (`tool_choice: required`).
    NoForcedTool,
    /// Tools are functions; there are none with free text.
    NoCustomTools,
    /// `strict` on tools is refused, or means nothing.
    NoStrictTools,
    /// An assistant's message at the end is not gone on with.
    NoPrefill,
    /// `response_format` knows `json_object` and no `json_schema`.
    NoJsonSchema,
    /// The highest `temperature`.
    TemperatureMax(u8),
    /// Most texts in `stop`.
    StopMax(u8),
    /// These parameters are refused, or mean nothing.
    Without(Vec<String>),
    /// These are known besides OpenAI's.
    Knows(Vec<String>),
    /// `cache_control` on parts and tools is known.
    CacheControl,
    /// `video_url` is known.
    Video,
    /// Documents are fetched from a URL in `file_data`.
    DocumentUrls,
    /// Results of tools may hold pictures.
    ResultImages,
    /// How the model is given its own earlier thoughts.
    ReasoningBack(ReasoningBack),
    /// How the model is asked to think.
    Thinking(Thinking),
}

/// How a vendor wants to see what its model thought in earlier turns. Without the quirk: not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasoningBack {
    /// As `reasoning_content`, where there is some.
    Content,
    /// As `reasoning_content` on every turn of the assistant.
    ContentAlways,
    /// As `reasoning`.
    Reasoning,
    /// As `reasoning_details`, unchanged.
    Details,
}

/// How a vendor is asked to think. Without the quirk: `reasoning_effort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thinking {
    /// `reasoning: {effort, max_tokens, enabled, exclude}`.
    Reasoning,
    /// `thinking: {type}`.
    Thinking,
    /// `thinking: {type}` and `reasoning_effort`.
    ThinkingEffort,
    /// `enable_thinking` and `thinking_budget`.
    Enable,
    /// `chat_template_kwargs: {enable_thinking}`.
    Template,
}

/// A quirk of a kind, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct KnownQuirk {
    /// The departure.
    pub quirk: Quirk,
    /// The models that have it, as a pattern with at most one `*`; all if there is none.
    pub models: Option<String>,
    /// One of [`crate::SOURCES`].
    pub source: String,
}

impl KnownQuirk {
    /// Whether a model has it.
    pub fn concerns(&self, model: &str) -> bool {
        self.models.as_deref().is_none_or(|pattern| crate::fits(pattern, model))
    }

    /// What is wrong with it.
    pub(crate) fn check(&self) -> Result<(), String> {
        let wrong = |what: String| Err(format!("chat: {what}"));
        if !crate::SOURCES.contains(&self.source.as_str()) {
            let known = crate::SOURCES.join(", ");
            return wrong(format!("source \"{}\" is not one of: {known}", self.source));
        }
        if let Some(pattern) = self.models.as_ref().filter(|text| !crate::check::is_pattern(text)) {
            return wrong(format!("models: \"{pattern}\": expected a model's name, with at most one *"));
        }
        match &self.quirk {
            Quirk::Without(params) | Quirk::Knows(params) => {
                if params.is_empty() {
                    return wrong("a list of parameters is empty".to_owned());
                }
                match params.iter().find(|param| !PARAMS.contains(&param.as_str())) {
                    Some(bad) => {
                        wrong(format!("\"{bad}\" is not one of the parameters: {}", PARAMS.join(", ")))
                    }
                    None => Ok(()),
                }
            }
            Quirk::TemperatureMax(0) | Quirk::StopMax(0) => {
                wrong("a maximum of 0 forbids it altogether; expected `without`".to_owned())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
