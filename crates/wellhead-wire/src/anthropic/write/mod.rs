//! From the canonical members to the wire's: requests for targets, and the blocks of answers for clients.

mod answer;
mod body;
mod config;
mod media;
mod part;
pub(crate) mod thinking;
mod tools;
mod turns;
mod wire;

pub use body::encode_request;
pub use thinking::Thinking;

pub(super) use answer::{answer_block, extra_text, previous_text};
pub(super) use body::encode;
pub(super) use wire::Block;

use super::version::{Envelope, Version};

/// What is known of a target beside [`crate::chat::Target`], because it is this dialect's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The version that is named to the target.
    pub version: Version,
    /// Whose endpoint it is.
    pub envelope: Envelope,
    /// How the model wants to be asked to think.
    pub thinking: Thinking,
}

impl Options {
    /// As Anthropic documents it for a model of this name: from 4.6 on models decide themselves how much to think. Of a
    /// name that says nothing of its generation (a gateway's, a tuned model's) nothing is assumed.
    pub fn of(model: &str) -> Self {
        let thinking = match generation(model) {
            None => Thinking::AsAsked,
            Some(generation) if generation >= (4, 6) => Thinking::Adaptive,
            Some(_) => Thinking::Budget,
        };
        Self { thinking, ..Self::default() }
    }
}

/// The generation in a name such as `claude-sonnet-4-5-20250929`, `claude-opus-5` or `claude-3-7-sonnet-latest`.
pub(crate) fn generation(model: &str) -> Option<(u32, u32)> {
    /// Longer numbers are dates.
    const DIGITS_MAX: usize = 2;
    let rest = &model[model.find("claude-")? + "claude-".len()..];
    let numbers = |word: &&str| word.len() <= DIGITS_MAX && word.bytes().all(|byte| byte.is_ascii_digit());
    let words = rest.split(['-', '@', ':', '.']);
    let mut numbers = words.skip_while(|word| !numbers(word)).map_while(|word| word.parse::<u32>().ok());
    let major = numbers.next()?;
    Some((major, numbers.next().filter(|minor| *minor < 100).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{Options, Thinking};

    #[test]
    fn how_a_model_is_asked_to_think_is_in_its_name() {
        for (model, expected) in [
            ("claude-3-7-sonnet-20250219", Thinking::Budget),
            ("claude-sonnet-4-20250514", Thinking::Budget),
            ("claude-haiku-4-5", Thinking::Budget),
            ("anthropic.claude-opus-4-5-20251101-v1:0", Thinking::Budget),
            ("claude-opus-4-6", Thinking::Adaptive),
            ("claude-sonnet-5-5", Thinking::Adaptive),
            ("claude-opus-5@20260801", Thinking::Adaptive),
            ("claude-fable-5-1", Thinking::Adaptive),
            ("our-own", Thinking::AsAsked),
            ("claude-", Thinking::AsAsked),
        ] {
            assert_eq!(Options::of(model).thinking, expected, "{model}");
        }
    }
}
