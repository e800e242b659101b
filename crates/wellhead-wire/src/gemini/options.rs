//! What an adapter has to know of a Gemini target besides what every target has.

use crate::chat::Effort;

/// The two services that speak the dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Service {
    /// `generativelanguage.googleapis.com`.
    #[default]
    AiStudio,
    /// `aiplatform.googleapis.com`.
    Vertex,
}

/// How a model is told how much to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// `thinkingBudget`, in tokens.
    Budget {
        /// Fewest tokens, where it thinks at all.
        min: u64,
        /// Most tokens.
        max: u64,
        /// Whether it can be told not to think.
        can_be_off: bool,
    },
    /// `thinkingLevel`: the levels that it knows, weakest first. It always thinks.
    Levels(&'static [Effort]),
}

/// Facts of a model that change what is written for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Where it is asked.
    pub service: Service,
    /// Refuses a turn whose first call has no signature (Gemini 3 and later).
    pub wants_signatures: bool,
    /// Takes whole JSON Schema; otherwise schemas are written in the subset of OpenAPI that all models know.
    pub json_schema: bool,
    /// Media may be part of a function's response (Gemini 3 and later).
    pub media_in_results: bool,
    /// Each medium may have its own resolution (Gemini 3 and later).
    pub media_resolution: bool,
    /// Mode `VALIDATED`: calls keep to their schemas although none is demanded (Gemini 3 and later).
    pub validated: bool,
    /// How it is told how much to think.
    pub thinking: Thinking,
}

const ALL_LEVELS: &[Effort] = &[Effort::Minimal, Effort::Low, Effort::Medium, Effort::High];

impl Options {
    /// As Google documents it for a model of this name. A name that says nothing of its generation is taken for that
    /// of a new model, as those of gateways and of tuned models are.
    pub fn of(service: Service, model: &str) -> Self {
        let generation = generation(model).unwrap_or(NEWEST);
        let is_new = generation >= (3, 0);
        Self {
            service,
            wants_signatures: is_new,
            json_schema: generation >= (2, 5),
            media_in_results: is_new,
            media_resolution: is_new,
            validated: is_new,
            thinking: if is_new { Thinking::Levels(levels(model, generation)) } else { budget(model) },
        }
    }
}

const NEWEST: (u32, u32) = (u32::MAX, 0);

/// `gemini-2.5-pro` is `(2, 5)`, `gemini-3-flash` is `(3, 0)`.
fn generation(model: &str) -> Option<(u32, u32)> {
    let (_, after) = model.rsplit_once("gemini-")?;
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (major, rest) = after.split_at(digits(after));
    let minor = rest.strip_prefix('.').map_or("0", |rest| &rest[..digits(rest)]);
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// From Google's pages on thinking: Pro knows no `MINIMAL`, the first Pro no `MEDIUM` either, and of the Flash models
/// `MINIMAL` has gone with 3.7.
fn levels(model: &str, generation: (u32, u32)) -> &'static [Effort] {
    if model.contains("flash") && generation < (3, 7) {
        ALL_LEVELS
    } else if model.contains("gemini-3-pro") {
        &[Effort::Low, Effort::High]
    } else {
        &[Effort::Low, Effort::Medium, Effort::High]
    }
}

/// The documented ranges of Gemini 2.5; older models do not think.
fn budget(model: &str) -> Thinking {
    if model.contains("flash-lite") {
        Thinking::Budget { min: 512, max: 24_576, can_be_off: true }
    } else if model.contains("pro") {
        Thinking::Budget { min: 128, max: 32_768, can_be_off: false }
    } else {
        Thinking::Budget { min: 1, max: 24_576, can_be_off: true }
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, Service, Thinking, generation};
    use crate::chat::Effort;

    #[test]
    fn a_models_name_says_its_generation() {
        for (model, expected) in [
            ("gemini-2.5-pro", Some((2, 5))),
            ("models/gemini-3-flash-preview", Some((3, 0))),
            ("google/gemini-3.8-flash", Some((3, 8))),
            ("gemini-4-argon", Some((4, 0))),
            ("gemini-flash-latest", None),
            ("my-tuned-model", None),
            ("gemini-99999999999", None),
        ] {
            assert_eq!(generation(model), expected, "{model}");
        }
    }

    #[test]
    fn new_models_want_signatures_and_old_ones_openapi() {
        let of = |model| Options::of(Service::AiStudio, model);
        assert!(of("gemini-3-flash").wants_signatures && of("gemini-flash-latest").wants_signatures);
        assert!(!of("gemini-2.5-flash").wants_signatures && of("gemini-2.5-flash").json_schema);
        assert!(!of("gemini-2.0-flash").json_schema);
        assert_eq!(of("gemini-3-pro-preview").thinking, Thinking::Levels(&[Effort::Low, Effort::High]));
    }
}
