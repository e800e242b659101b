//! What can be asked of the next target.

/// How a target takes the beginning of an answer that it shall go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PrefillForm {
    /// It does not.
    #[default]
    None,
    /// A last message of the assistant is enough (llama.cpp, Groq).
    LastAssistant,
    /// `continue_final_message: true` and `add_generation_prompt: false` (vLLM, SGLang).
    VllmContinue,
    /// `"prefix": true` in that message; the answer repeats the prefix (Mistral).
    MistralPrefix,
    /// `"prefix": true` in that message, and another base path (DeepSeek).
    DeepSeekPrefix,
    /// `"partial": true` in that message (Qwen, Moonshot).
    Partial,
}

impl PrefillForm {
    /// The path that takes the place of the base URL's own, where prefills are served apart.
    pub const fn base_path(self) -> Option<&'static str> {
        match self {
            Self::DeepSeekPrefix => Some("/beta"),
            _ => None,
        }
    }

    /// Whether the stream begins with the prefill instead of what comes behind it.
    pub const fn echoes(self) -> bool {
        matches!(self, Self::MistralPrefix)
    }

    /// The member that marks the message.
    pub(super) const fn mark(self) -> &'static str {
        match self {
            Self::MistralPrefix | Self::DeepSeekPrefix => ",\"prefix\":true",
            Self::Partial => ",\"partial\":true",
            Self::None | Self::LastAssistant | Self::VllmContinue => "",
        }
    }
}

/// One way to get the rest of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// The target goes on with the text itself. For completions, whose prompt simply grows, in any form.
    Prefill(PrefillForm),
    /// The target answers afresh; as long as it says the same, the client hears nothing.
    Restart,
    /// The target is told to go on where the text stops. Not exact.
    Continue,
}

impl Plan {
    /// The word in records and in the stream's metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prefill(_) => "prefill",
            Self::Restart => "restart",
            Self::Continue => "continued",
        }
    }
}

/// Why a plan is not open to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Only chat completions and completions can be joined.
    #[error("answers of this endpoint cannot be joined")]
    Endpoint,
    /// The body is not what it was when it was routed.
    #[error("the request body cannot be read")]
    Unreadable,
    /// More than one answer at a time.
    #[error("the request asks for several answers")]
    SeveralAnswers,
    /// Log-probabilities of the parts do not add up.
    #[error("the request asks for log-probabilities")]
    Logprobs,
    /// The finish reason was delivered.
    #[error("the answer is finished")]
    Finished,
    /// Something that cannot be repeated or continued was delivered.
    #[error("more than plain text was delivered")]
    NotPlainText,
    /// The target knows no form of it.
    #[error("the target cannot continue an answer")]
    NoPrefill,
    /// Nothing but white space was delivered.
    #[error("there is no text to continue")]
    NoText,
    /// The output has to have a form that this plan cannot keep to.
    #[error("the form of the answer is prescribed")]
    Structured,
    /// Tools are offered, or a call is forced.
    #[error("the answer may have to be a tool call")]
    Tools,
    /// The last message is the assistant's own.
    #[error("the request ends in the beginning of an answer")]
    OwnPrefill,
    /// A prompt in several parts or tokens, `echo`, or `suffix`.
    #[error("the prompt cannot be extended")]
    Prompt,
    /// The answer was as long as the request allows.
    #[error("the request's limit is used up")]
    LimitUsedUp,
}
