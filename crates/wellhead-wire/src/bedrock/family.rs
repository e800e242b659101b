//! Whose model it is, and which part of the dialect its vendor's models take.

use crate::anthropic::{Thinking, generation};

/// The vendor of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Anthropic's models, which take nearly everything.
    Claude,
    /// Amazon's own.
    Nova,
    /// Mistral's.
    Mistral,
    /// OpenAI's.
    OpenAi,
    /// Anybody else's.
    Other,
    /// The name says nothing: the ARN of an inference profile, of a prompt, of an imported model. What it is asked for
    /// is written; the vendor's refusal is clearer than a guess.
    Unknown,
}

/// What stands in the ids of models (`eu.anthropic.claude-…`), and in ARNs of them.
const NAMES: [(&str, Family); 21] = [
    ("anthropic.", Family::Claude),
    ("claude", Family::Claude),
    ("amazon.nova", Family::Nova),
    ("mistral.", Family::Mistral),
    ("openai.", Family::OpenAi),
    ("ai21.", Family::Other),
    ("amazon.", Family::Other),
    ("cohere.", Family::Other),
    ("deepseek.", Family::Other),
    ("google.", Family::Other),
    ("luma.", Family::Other),
    ("meta.", Family::Other),
    ("minimax.", Family::Other),
    ("moonshot.", Family::Other),
    ("moonshotai.", Family::Other),
    ("nvidia.", Family::Other),
    ("qwen.", Family::Other),
    ("stability.", Family::Other),
    ("twelvelabs.", Family::Other),
    ("writer.", Family::Other),
    ("zai.", Family::Other),
];

impl Family {
    /// By the model's id or ARN.
    pub fn of(model: &str) -> Self {
        // Of `arn:aws:bedrock:…`, what follows the last slash names the model, if anything does.
        let name = if model.starts_with("arn:") { model.rsplit('/').next().unwrap_or(model) } else { model };
        NAMES.iter().find(|(part, _)| name.contains(part)).map_or(Self::Unknown, |(_, family)| *family)
    }

    /// Whether its models keep the beginnings of prompts where they are asked to. The others answer with an error.
    pub(super) const fn caches(self) -> bool {
        matches!(self, Self::Claude | Self::Nova | Self::Unknown)
    }

    /// The same for the list of tools, and for how long.
    pub(super) const fn caches_tools(self) -> bool {
        matches!(self, Self::Claude | Self::Unknown)
    }

    /// Whether a turn may hold results of tools and something else. The others answer with an error (wire.md, trap 2).
    pub(super) const fn mixes_results(self) -> bool {
        matches!(self, Self::Claude | Self::Nova | Self::Unknown)
    }

    /// Whether a result may say that the tool failed.
    pub(super) const fn takes_result_status(self) -> bool {
        matches!(self, Self::Claude | Self::Nova | Self::Unknown)
    }

    /// Whether `inputTokens` holds what came from the cache. Amazon documents that it does not; of OpenAI's models it
    /// was reported that it does.
    pub(super) const fn counts_cached_input(self) -> bool {
        matches!(self, Self::OpenAi)
    }
}

/// What is known of a target beside [`crate::chat::Target`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whose model it is.
    pub family: Family,
    /// How a model of Anthropic's wants to be asked to think.
    pub thinking: Thinking,
    /// Whether it takes instructions in the middle of a conversation.
    pub system_turns: bool,
    /// Whether a model of Amazon's can be asked to think.
    pub nova_reasoning: bool,
}

/// The first generation of Anthropic's models that takes instructions anywhere (wire.md, trap 1).
const SYSTEM_TURNS: (u32, u32) = (4, 8);

impl Options {
    /// For a model of this id or ARN.
    pub fn of(model: &str) -> Self {
        let family = Family::of(model);
        Self {
            family,
            thinking: crate::anthropic::Options::of(model).thinking,
            system_turns: family == Family::Claude
                && generation(model).is_some_and(|generation| generation >= SYSTEM_TURNS),
            nova_reasoning: family == Family::Nova && model.contains("nova-2"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{Family, Options};
    use crate::anthropic::Thinking;

    #[test]
    fn ids_and_arns_say_whose_model_it_is() {
        for (model, family) in [
            ("anthropic.claude-sonnet-4-5-20250929-v1:0", Family::Claude),
            ("eu.anthropic.claude-haiku-4-5-20251001-v1:0", Family::Claude),
            (
                "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
                Family::Claude,
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0",
                Family::Nova,
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6",
                Family::Unknown,
            ),
            ("amazon.nova-2-lite-v1:0", Family::Nova),
            ("amazon.titan-text-express-v1", Family::Other),
            ("mistral.mistral-large-2407-v1:0", Family::Mistral),
            ("openai.gpt-oss-120b-1:0", Family::OpenAi),
            ("us.meta.llama4-maverick-17b-instruct-v1:0", Family::Other),
            ("our-own", Family::Unknown),
        ] {
            assert_eq!(Family::of(model), family, "{model}");
        }
    }

    #[test]
    fn what_a_model_takes_is_in_its_name() {
        let old = Options::of("anthropic.claude-sonnet-4-5-20250929-v1:0");
        assert_eq!((old.thinking, old.system_turns), (Thinking::Budget, false));
        let new = Options::of("global.anthropic.claude-opus-5-v1:0");
        assert_eq!((new.thinking, new.system_turns), (Thinking::Adaptive, true));
        assert!(Options::of("us.amazon.nova-2-lite-v1:0").nova_reasoning);
        assert!(!Options::of("us.amazon.nova-pro-v1:0").nova_reasoning);
    }
}
