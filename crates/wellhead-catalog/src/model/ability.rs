//! What a model can do. Three answers: yes, no, and nobody has said.

/// One thing that a model can do, or accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// Tools.
    Tools,
    /// A forced choice of tools.
    ToolChoice,
    /// Several tool calls in one turn.
    ParallelTools,
    /// Answers that follow a JSON Schema.
    JsonSchema,
    /// Thinks before it answers.
    Reasoning,
    /// Prompt caching.
    Caching,
    /// System messages.
    System,
    /// Sampling parameters (`temperature`, `top_p`).
    Sampling,
    /// An assistant turn at the end that it goes on with.
    Prefill,
    /// Reads pictures.
    Vision,
    /// Reads PDF documents.
    Pdf,
    /// Reads audio.
    AudioIn,
    /// Reads video.
    VideoIn,
    /// Makes pictures.
    ImageOut,
    /// Speaks.
    AudioOut,
    /// Searches the web by itself.
    WebSearch,
    /// Uses a computer's screen.
    ComputerUse,
    /// Is offered on the Responses API only.
    ResponsesOnly,
    /// Its weights are public.
    OpenWeights,
}

impl Ability {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 19] = [
        Self::Tools,
        Self::ToolChoice,
        Self::ParallelTools,
        Self::JsonSchema,
        Self::Reasoning,
        Self::Caching,
        Self::System,
        Self::Sampling,
        Self::Prefill,
        Self::Vision,
        Self::Pdf,
        Self::AudioIn,
        Self::VideoIn,
        Self::ImageOut,
        Self::AudioOut,
        Self::WebSearch,
        Self::ComputerUse,
        Self::ResponsesOnly,
        Self::OpenWeights,
    ];

    /// Its word in the catalogue, in configurations and in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::ToolChoice => "tool-choice",
            Self::ParallelTools => "parallel-tools",
            Self::JsonSchema => "json-schema",
            Self::Reasoning => "reasoning",
            Self::Caching => "caching",
            Self::System => "system",
            Self::Sampling => "sampling",
            Self::Prefill => "prefill",
            Self::Vision => "vision",
            Self::Pdf => "pdf",
            Self::AudioIn => "audio-in",
            Self::VideoIn => "video-in",
            Self::ImageOut => "image-out",
            Self::AudioOut => "audio-out",
            Self::WebSearch => "web-search",
            Self::ComputerUse => "computer-use",
            Self::ResponsesOnly => "responses-only",
            Self::OpenWeights => "open-weights",
        }
    }

    /// The ability of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ability| ability.name() == word)
    }
}

/// What is known of all abilities of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abilities {
    yes: u32,
    no: u32,
}

impl Abilities {
    /// Whether the model has it; `None` where nobody has said.
    pub const fn get(self, ability: Ability) -> Option<bool> {
        let bit = 1 << ability as u32;
        match (self.yes & bit != 0, self.no & bit != 0) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    /// Says whether the model has it.
    pub const fn set(&mut self, ability: Ability, has: bool) {
        let bit = 1 << ability as u32;
        self.yes &= !bit;
        self.no &= !bit;
        if has {
            self.yes |= bit;
        } else {
            self.no |= bit;
        }
    }

    /// All that is known, in the order of [`Ability::ALL`].
    pub fn iter(self) -> impl Iterator<Item = (Ability, bool)> {
        Ability::ALL.into_iter().filter_map(move |ability| Some((ability, self.get(ability)?)))
    }
}
