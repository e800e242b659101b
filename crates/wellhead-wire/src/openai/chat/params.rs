//! Parameters that some vendors know and others do not.

/// A parameter beside the conversation, by its name on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "names of OpenAI's and of hosts of open models")]
pub enum Param {
    FrequencyPenalty,
    LogitBias,
    Logprobs,
    Metadata,
    MinP,
    N,
    ParallelToolCalls,
    PresencePenalty,
    PromptCacheKey,
    ReasoningEffort,
    RepetitionPenalty,
    ResponseFormat,
    Seed,
    ServiceTier,
    Stop,
    TopK,
    TopLogprobs,
    User,
    Verbosity,
}

impl Param {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 19] = [
        Self::FrequencyPenalty,
        Self::LogitBias,
        Self::Logprobs,
        Self::Metadata,
        Self::MinP,
        Self::N,
        Self::ParallelToolCalls,
        Self::PresencePenalty,
        Self::PromptCacheKey,
        Self::ReasoningEffort,
        Self::RepetitionPenalty,
        Self::ResponseFormat,
        Self::Seed,
        Self::ServiceTier,
        Self::Stop,
        Self::TopK,
        Self::TopLogprobs,
        Self::User,
        Self::Verbosity,
    ];

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FrequencyPenalty => "frequency_penalty",
            Self::LogitBias => "logit_bias",
            Self::Logprobs => "logprobs",
            Self::Metadata => "metadata",
            Self::MinP => "min_p",
            Self::N => "n",
            Self::ParallelToolCalls => "parallel_tool_calls",
            Self::PresencePenalty => "presence_penalty",
            Self::PromptCacheKey => "prompt_cache_key",
            Self::ReasoningEffort => "reasoning_effort",
            Self::RepetitionPenalty => "repetition_penalty",
            Self::ResponseFormat => "response_format",
            Self::Seed => "seed",
            Self::ServiceTier => "service_tier",
            Self::Stop => "stop",
            Self::TopK => "top_k",
            Self::TopLogprobs => "top_logprobs",
            Self::User => "user",
            Self::Verbosity => "verbosity",
        }
    }

    /// The parameter of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|param| param.as_str() == name)
    }
}

/// A set of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Params(u32);

impl Params {
    /// None.
    pub const NONE: Self = Self(0);
    /// What the writer of labels and hints may be told to leave out: they change nothing of the answer.
    pub const LABELS: Self = Self::NONE
        .with(Param::Metadata)
        .with(Param::PromptCacheKey)
        .with(Param::ServiceTier)
        .with(Param::User);
    /// How hosts of open models draw tokens besides OpenAI's ways.
    pub const SAMPLING: Self = Self::NONE.with(Param::MinP).with(Param::RepetitionPenalty).with(Param::TopK);

    /// The set with one more.
    #[must_use]
    pub const fn with(self, param: Param) -> Self {
        Self(self.0 | 1 << param as u32)
    }

    /// Whether it is in the set.
    pub const fn has(self, param: Param) -> bool {
        self.0 & (1 << param as u32) != 0
    }
}

impl FromIterator<Param> for Params {
    fn from_iter<T: IntoIterator<Item = Param>>(params: T) -> Self {
        params.into_iter().fold(Self::NONE, Self::with)
    }
}
