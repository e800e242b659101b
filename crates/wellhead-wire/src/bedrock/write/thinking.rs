//! How much to think: each vendor's models are asked in its own words, beside the common ones (wire.md, trap 7).

use crate::anthropic::thinking;
use crate::bedrock::{Family, Options};
use crate::chat::{Effort, Loss, ReasoningAsk, ReasoningMode, Request, Target, Unsupported};
use serde_json::{Map, Value, json};

/// Tokens that are reckoned with where nobody names a limit: the vendor's default is the most that the model can write.
const UNKNOWN_TOKENS_MAX: u64 = 64_000;

/// What is written.
#[derive(Debug, Default)]
pub(super) struct Ask {
    /// For `additionalModelRequestFields`.
    pub(super) additional: Map<String, Value>,
    /// For `outputConfig`.
    pub(super) effort: Option<Effort>,
    /// The model will think.
    pub(super) thinks: bool,
    /// The client named no form of it, so that its other wishes are worth more.
    pub(super) is_derived: bool,
    /// Thoughts are demanded before everything else in a turn.
    pub(super) is_strict: bool,
}

pub(super) fn ask(
    request: &Request,
    target: &Target,
    options: Options,
    loss: &mut Loss<'_>,
) -> Result<Ask, Unsupported> {
    let Some(asked) = &request.reasoning else { return Ok(Ask::default()) };
    let is_explicit = asked.mode != ReasoningMode::Default || asked.budget_tokens.is_some();
    let param = if is_explicit { "thinking" } else { "reasoning_effort" };
    let wants = !is_off(asked) && (is_explicit || asked.effort.is_some());
    if wants && !target.can.reasoning {
        loss.cannot(param, "asks a model to think that does not")?;
        return Ok(Ask::default());
    }
    match options.family {
        Family::Claude | Family::Unknown => claude(asked, request, target, options, loss),
        Family::Nova if options.nova_reasoning => Ok(nova(asked)),
        Family::OpenAi => Ok(openai(asked, wants)),
        _ if wants => {
            loss.cannot(param, "cannot be asked of this model")?;
            Ok(Ask::default())
        }
        _ => Ok(Ask::default()),
    }
}

fn is_off(asked: &ReasoningAsk) -> bool {
    asked.mode == ReasoningMode::Disabled
        || (asked.mode == ReasoningMode::Default
            && (asked.effort == Some(Effort::None) || asked.budget_tokens == Some(0)))
}

fn claude(
    asked: &ReasoningAsk,
    request: &Request,
    target: &Target,
    options: Options,
    loss: &mut Loss<'_>,
) -> Result<Ask, Unsupported> {
    let max_tokens = request.sampling.max_tokens.or(target.output_tokens_max).unwrap_or(UNKNOWN_TOKENS_MAX);
    let ask = thinking::ask(asked, options.thinking, max_tokens);
    if asked.budget_tokens.is_some_and(|budget| budget > 0) && ask.thinking.is_none() {
        let why = "leaves no room in `max_tokens`: thinking takes 1,024 tokens or more, and the answer some";
        loss.cannot("thinking.budget_tokens", why)?;
    }
    let is_asked = asked.effort.is_some_and(|effort| effort != Effort::None);
    if is_asked && asked.budget_tokens.is_none() && ask.thinking.is_none() && ask.effort.is_none() {
        // The limit of the answer leaves no room for a thought.
        loss.note("reasoning_effort");
    }
    let (thinks, is_strict, is_derived) = (ask.thinks(), ask.is_strict(), !ask.is_explicit && ask.thinks());
    let additional = ask.thinking.map(|thinking| ("thinking".to_owned(), thinking)).into_iter().collect();
    Ok(Ask { additional, effort: ask.effort, thinks, is_derived, is_strict })
}

/// Amazon's own models know three efforts.
fn nova(asked: &ReasoningAsk) -> Ask {
    let config = if is_off(asked) {
        json!({"type": "disabled"})
    } else {
        let budget = asked.budget_tokens.map(thinking::effort_of);
        let effort = asked.effort.or(budget).unwrap_or(Effort::Medium).clamp(Effort::Low, Effort::High);
        json!({"type": "enabled", "maxReasoningEffort": effort.as_str()})
    };
    let thinks = !is_off(asked);
    Ask {
        additional: [("reasoningConfig".to_owned(), config)].into_iter().collect(),
        thinks,
        ..Ask::default()
    }
}

/// OpenAI's think in any case.
fn openai(asked: &ReasoningAsk, wants: bool) -> Ask {
    let budget = asked.budget_tokens.map(thinking::effort_of);
    let effort = asked.effort.or(budget).filter(|effort| *effort != Effort::None);
    let effort = effort.map(|effort| ("reasoning_effort".to_owned(), effort.as_str().into()));
    Ask { additional: effort.into_iter().collect(), thinks: wants, ..Ask::default() }
}
