//! The body of a request.

use super::config::{self, Drawn};
use super::part::Writer;
use super::thinking::{self, Ask};
use super::tools::{self, Offered};
use super::turns::{Turn, Turns};
use super::wire::{Cache, Content};
use super::{Envelope, Options};
use crate::anthropic::read::DIALECT;
use crate::anthropic::request::Purpose;
use crate::chat::ids::Ids;
use crate::chat::{Effort, Encoded, Loss, Losses, Request, Target, Unsupported};
use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// Tokens to write where neither the client nor the catalogue names a limit, which the vendor demands. Every model of
/// the dialect can write so many.
const UNKNOWN_TOKENS_MAX: u64 = 4096;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    anthropic_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<Content<'a>>,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Offered<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    output_config: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<Cache>,
    #[serde(flatten)]
    rest: Own<'a>,
}

/// What only this dialect knows, without the objects that were put together again.
struct Own<'a>(Option<&'a Map<String, Value>>);

impl Serialize for Own<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = self.0.into_iter().flatten();
        let is_whole = |name: &str| !matches!(name, "output_config" | "metadata" | "anthropic_version");
        serializer.collect_map(members.filter(|(name, _)| is_whole(name)))
    }
}

/// Writes a request for a target that speaks this dialect.
///
/// # Errors
/// The request asks for something that the target cannot do, and nothing allows to leave it out.
pub fn encode_request(
    request: &Request,
    target: &Target,
    losses: &Losses,
    options: Options,
) -> Result<Encoded, Unsupported> {
    encode(request, target, losses, options, Purpose::Answer)
}

pub(in crate::anthropic) fn encode(
    request: &Request,
    target: &Target,
    losses: &Losses,
    options: Options,
    purpose: Purpose,
) -> Result<Encoded, Unsupported> {
    let mut writer = Writer { target, options, loss: Loss::new(losses), ids: Ids::default() };
    let turns = Turns::new(&request.messages, &mut writer)?;
    let mut offer = tools::offer(request, turns.called(), &mut writer)?;
    let max_tokens = limit(request, target);
    let mut ask = asked(request, max_tokens, &mut writer)?;
    let is_derived = !ask.is_explicit && ask.thinks();
    let loses_thought = ask.is_strict() && turns.answers_unthinking();
    if (is_derived && offer.is_forced) || loses_thought {
        // The vendor refuses to think before a call that is demanded, and after a turn that began without a thought,
        // as one does that another vendor said. The answer is worth more than the thought.
        writer.loss.note(if loses_thought { "thinking" } else { "reasoning_effort" });
        ask.thinking = None;
    }
    let derived = !ask.is_explicit && ask.thinks();
    let drawn = match purpose {
        Purpose::Answer => config::sampling(&request.sampling, derived, &mut writer)?,
        Purpose::Count => Drawn::default(),
    };
    let answers = purpose == Purpose::Answer;
    config::foreign(request, &mut writer)?;
    let output_config = config::output(request, &ask, &mut writer)?;
    let streams = request.stream && answers && options.envelope != Envelope::Bedrock;
    let in_path = options.envelope != Envelope::Messages && answers;
    let body = Body {
        anthropic_version: options.envelope.version(options.version),
        model: (!in_path).then_some(&*target.origin.model),
        max_tokens: answers.then_some(max_tokens),
        system: Some(Content(turns.system)).filter(|system| !system.0.is_empty()),
        messages: turns.list,
        tools: std::mem::take(&mut offer.tools),
        tool_choice: offer.choice,
        thinking: ask.thinking,
        output_config,
        temperature: drawn.temperature,
        top_p: drawn.top_p,
        top_k: drawn.top_k,
        stop_sequences: if answers { config::stops(&request.sampling, &mut writer)? } else { Vec::new() },
        stream: streams.then_some(true),
        metadata: if answers { config::metadata(request, &mut writer) } else { Map::new() },
        service_tier: if answers { config::service_tier(request, &mut writer) } else { None },
        cache_control: request.cache.map(Into::into),
        rest: Own(request.rest.of(DIALECT)),
    };
    // Texts, numbers and JSON that was read before cannot fail to be written.
    let bytes = serde_json::to_vec(&body).map_or_else(|_| Bytes::new(), Bytes::from);
    Ok(writer.loss.finish(bytes))
}

/// The limit that the vendor demands: the client's, but no more than the model can write.
fn limit(request: &Request, target: &Target) -> u64 {
    match (request.sampling.max_tokens, target.output_tokens_max) {
        (Some(asked), Some(most)) => asked.min(most),
        (Some(asked), None) => asked,
        (None, most) => most.unwrap_or(UNKNOWN_TOKENS_MAX),
    }
}

/// How much to think.
fn asked(request: &Request, max_tokens: u64, writer: &mut Writer<'_, '_>) -> Result<Ask, Unsupported> {
    let Some(asked) = &request.reasoning else { return Ok(Ask::default()) };
    let ask = thinking::ask(asked, writer.options.thinking, max_tokens);
    let param = if ask.is_explicit { "thinking" } else { "reasoning_effort" };
    let wants = ask.thinks() || ask.effort.is_some();
    if wants && !writer.target.can.reasoning {
        writer.loss.cannot(param, "asks a model to think that does not")?;
        return Ok(Ask::default());
    }
    let has_budget = asked.budget_tokens.is_some_and(|budget| budget > 0);
    if has_budget && ask.thinking.is_none() {
        let why = "leaves no room in `max_tokens`: thinking takes 1,024 tokens or more, and the answer some";
        writer.loss.cannot("thinking.budget_tokens", why)?;
    }
    let is_asked = asked.effort.is_some_and(|effort| effort != Effort::None);
    if is_asked && !has_budget && ask.thinking.is_none() && ask.effort.is_none() {
        // The limit of the answer leaves no room for a thought.
        writer.loss.note(param);
    }
    Ok(ask)
}
