//! How much to think: from what clients of any dialect ask to what a model takes (wire.md, trap 7).

use crate::anthropic::read::BUDGET_TOKENS_MIN;
use crate::chat::{Effort, ReasoningAsk, ReasoningMode};
use serde_json::{Value, json};

/// How a model wants to be asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Thinking {
    /// Not known: what the client said is written as it is said in this dialect, and nothing is added.
    #[default]
    AsAsked,
    /// By effort: models that decide themselves how much to think, and refuse budgets.
    Adaptive,
    /// By a budget of tokens: older models, which know neither effort nor `adaptive`.
    Budget,
}

/// What is written.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Ask {
    pub(crate) thinking: Option<Value>,
    pub(crate) effort: Option<Effort>,
    /// The client said that it wants thoughts, rather than an effort of any kind.
    pub(crate) is_explicit: bool,
}

impl Ask {
    /// Whether the model will think.
    pub(crate) fn thinks(&self) -> bool {
        self.thinking.as_ref().is_some_and(|thinking| {
            thinking.get("type").is_some_and(|kind| kind == "enabled" || kind == "adaptive")
        })
    }

    /// Whether thoughts are demanded before everything else that the assistant says in a turn.
    pub(crate) fn is_strict(&self) -> bool {
        self.thinking
            .as_ref()
            .is_some_and(|thinking| thinking.get("type").is_some_and(|kind| kind == "enabled"))
    }
}

/// `max_tokens`: what the answer may have, thoughts included.
pub(crate) fn ask(ask: &ReasoningAsk, style: Thinking, max_tokens: u64) -> Ask {
    use ReasoningMode::{Adaptive, BetweenTools, Default, Disabled, Enabled};
    let is_explicit = ask.mode != Default || ask.budget_tokens.is_some();
    let effort = ask.effort.filter(|effort| *effort != Effort::None);
    let off = ask.mode == Disabled
        || (ask.mode == Default && (ask.effort == Some(Effort::None) || ask.budget_tokens == Some(0)));
    if off {
        let effort = effort.filter(|_| style != Thinking::Budget).map(known);
        return Ask { thinking: Some(json!({"type": "disabled"})), effort, is_explicit };
    }
    let wants = is_explicit || effort.is_some();
    let with_budget = |budget: u64| fitting(budget, max_tokens).map(|budget| enabled(budget, ask));
    let adaptive = || Some(shown(json!({"type": "adaptive"}), ask));
    let between = || Some(json!({"type": "between_tools"}));
    let thinking = match (style, ask.mode, ask.budget_tokens) {
        _ if !wants => None,
        (Thinking::Budget, _, budget) => with_budget(budget.unwrap_or_else(|| budget_of(effort))),
        (_, BetweenTools, _) => between(),
        (Thinking::Adaptive, ..) | (Thinking::AsAsked, Adaptive | Enabled, None) => adaptive(),
        (Thinking::AsAsked, Adaptive, Some(_)) => adaptive(),
        (Thinking::AsAsked, _, Some(budget)) => with_budget(budget),
        (Thinking::AsAsked, _, None) => None,
    };
    let effort = match style {
        Thinking::Budget => None,
        Thinking::AsAsked => effort,
        Thinking::Adaptive => effort.or_else(|| ask.budget_tokens.map(effort_of)),
    };
    Ask { thinking, effort: effort.map(known), is_explicit }
}

/// The weakest effort that this dialect has a word for.
fn known(effort: Effort) -> Effort {
    effort.max(Effort::Low)
}

fn enabled(budget: u64, ask: &ReasoningAsk) -> Value {
    shown(json!({"type": "enabled", "budget_tokens": budget}), ask)
}

/// With `display`, where the client said whether it wants to see the thoughts.
fn shown(mut thinking: Value, ask: &ReasoningAsk) -> Value {
    if let (Some(show), Some(members)) = (ask.show.as_deref(), thinking.as_object_mut()) {
        let display = if show == "none" { "omitted" } else { "summarized" };
        members.insert("display".to_owned(), display.into());
    }
    thinking
}

/// The vendor wants at least 1,024 tokens of thought and some of answer. `None`: there is no room for both.
fn fitting(budget: u64, max_tokens: u64) -> Option<u64> {
    let budget = budget.max(BUDGET_TOKENS_MIN);
    if budget < max_tokens {
        return Some(budget);
    }
    // As much for the thoughts as for the answer.
    (max_tokens > BUDGET_TOKENS_MIN).then(|| (max_tokens / 2).max(BUDGET_TOKENS_MIN))
}

/// What a model that knows no effort gets for one.
const fn budget_of(effort: Option<Effort>) -> u64 {
    match effort {
        Some(Effort::None | Effort::Minimal) => BUDGET_TOKENS_MIN,
        Some(Effort::Low) => 2048,
        Some(Effort::Medium) | None => 8192,
        Some(Effort::High) => 16_384,
        Some(Effort::Xhigh) => 24_576,
        Some(Effort::Max) => 32_768,
    }
}

/// What a model that knows no budget gets for one: the reverse.
pub(crate) fn effort_of(budget: u64) -> Effort {
    let weaker = Effort::ALL.into_iter().filter(|effort| *effort >= Effort::Low);
    weaker.into_iter().find(|effort| budget <= budget_of(Some(*effort))).unwrap_or(Effort::Max)
}
