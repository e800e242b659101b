//! `thinkingConfig`: how much a model thinks, and whether it shows it.

use super::{Options, Thinking, proto};
use crate::chat::{
    BadField, Effort, Fields, Loss, ReasoningAsk, ReasoningMode, Request, Target, Unsupported,
};
use serde_json::{Map, Value};

/// Takes it out of a `generationConfig`. What is not known of it stays there.
pub(super) fn read(
    config: &mut Fields,
    rest: &mut Map<String, Value>,
) -> Result<Option<ReasoningAsk>, BadField> {
    let Some(mut thinking) = proto::child(config, "thinkingConfig")? else { return Ok(None) };
    let mut ask = ReasoningAsk::default();
    match proto::integer(&mut thinking, "thinkingBudget")? {
        None => {}
        Some(0) => ask.mode = ReasoningMode::Disabled,
        Some(-1) => ask.mode = ReasoningMode::Adaptive,
        Some(budget) => match u64::try_from(budget) {
            Ok(tokens) => ask.budget_tokens = Some(tokens),
            Err(_) => {
                return Err(thinking.invalid("thinkingBudget", "negative", "-1, 0, or a number of tokens"));
            }
        },
    }
    if let Some(level) = thinking.text("thinkingLevel")?
        && level != "THINKING_LEVEL_UNSPECIFIED"
    {
        let expected = "MINIMAL, LOW, MEDIUM, HIGH or XHIGH";
        let effort = Effort::from_word(&level).filter(|effort| !matches!(effort, Effort::None | Effort::Max));
        ask.effort =
            Some(effort.ok_or_else(|| thinking.invalid("thinkingLevel", &format!("`{level}`"), expected))?);
    }
    ask.show = thinking.flag("includeThoughts")?.map(|show| if show { "auto".into() } else { "none".into() });
    for (name, value) in thinking.rest().of(super::GEMINI).into_iter().flatten() {
        rest.insert(format!("generationConfig.thinkingConfig.{name}"), value.clone());
    }
    Ok(Some(ask).filter(|ask| *ask != ReasoningAsk::default()))
}

/// Writes it for a target.
pub(super) fn write(
    request: &Request,
    target: &Target,
    options: Options,
    config: &mut Map<String, Value>,
    loss: &mut Loss<'_>,
) -> Result<(), Unsupported> {
    let Some(ask) = &request.reasoning else { return Ok(()) };
    let off = ask.mode == ReasoningMode::Disabled || ask.effort == Some(Effort::None);
    if !target.can.reasoning {
        return if off {
            Ok(())
        } else {
            loss.cannot("reasoning_effort", "asks a model to think that does not")
        };
    }
    let mut thinking = Map::new();
    match options.thinking {
        Thinking::Budget { min, max, can_be_off } => {
            budget(ask, off, (min, max, can_be_off), &mut thinking, loss);
        }
        Thinking::Levels(levels) => level(ask, off, levels, &mut thinking, loss),
    }
    if let Some(show) = &ask.show {
        thinking.insert("includeThoughts".to_owned(), (&**show != "none").into());
    }
    if !thinking.is_empty() {
        config.insert("thinkingConfig".to_owned(), thinking.into());
    }
    Ok(())
}

/// The budgets that Google's own OpenAI-compatible endpoint has for efforts
/// (ai.google.dev/gemini-api/docs/openai, "Thinking"); two more for what it does not know.
const fn tokens_of(effort: Effort) -> u64 {
    match effort {
        Effort::None => 0,
        Effort::Minimal | Effort::Low => 1024,
        Effort::Medium => 8192,
        Effort::High => 24_576,
        Effort::Xhigh | Effort::Max => u64::MAX,
    }
}

fn budget(
    ask: &ReasoningAsk,
    off: bool,
    (min, max, can_be_off): (u64, u64, bool),
    thinking: &mut Map<String, Value>,
    loss: &mut Loss<'_>,
) {
    let tokens = if off {
        if !can_be_off {
            loss.note("reasoning_effort");
        }
        Some(if can_be_off { 0 } else { min })
    } else {
        let asked = ask.budget_tokens.or_else(|| ask.effort.map(tokens_of));
        asked.map(|tokens| tokens.clamp(min, max))
    };
    let value: Option<Value> = match tokens {
        Some(tokens) => Some(tokens.into()),
        // As much as it sees fit.
        None if ask.mode == ReasoningMode::Adaptive => Some((-1).into()),
        None => None,
    };
    if let Some(value) = value {
        thinking.insert("thinkingBudget".to_owned(), value);
    }
}

/// The weakest level that is not below what is asked; the strongest if there is none.
fn level(
    ask: &ReasoningAsk,
    off: bool,
    levels: &[Effort],
    thinking: &mut Map<String, Value>,
    loss: &mut Loss<'_>,
) {
    let asked = if off {
        Effort::None
    } else {
        match (ask.effort, ask.budget_tokens) {
            (Some(effort), _) => effort,
            (None, Some(..=1024)) => Effort::Low,
            (None, Some(..=8192)) => Effort::Medium,
            (None, Some(_)) => Effort::High,
            (None, None) => return,
        }
    };
    let fitting = levels.iter().find(|level| **level >= asked).or_else(|| levels.last());
    if fitting != Some(&asked) {
        loss.note("reasoning_effort");
    }
    if let Some(level) = fitting {
        thinking.insert("thinkingLevel".to_owned(), level.as_str().to_ascii_uppercase().into());
    }
}
