//! A target that speaks a dialect of its own: where each of its methods is, and what has to be known to write for it.

use super::Uris;
use super::provider::ProviderPlan;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use wellhead_catalog::{Ability, Auth, Dialect as Spoken, Model};
use wellhead_wire::chat::{Abilities, Dialect, Losses, Origin, Target};
use wellhead_wire::gemini::{Method, Service};
use wellhead_wire::translate::Way;

/// What may stand in a segment of a path as it is (RFC 3986 section 3.3), but for `/`.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// How a target is spoken to whose dialect is not OpenAI's.
#[derive(Debug)]
pub(crate) struct Native {
    pub(crate) way: Way,
    pub(crate) target: Target,
    /// What it may be asked without.
    pub(crate) losses: Losses,
    whole: Uris,
    stream: Uris,
}

impl Native {
    /// `None` for targets of the OpenAI family.
    pub(super) fn compile(
        provider: &ProviderPlan,
        model: &str,
        facts: Option<&Model>,
        losses: Losses,
    ) -> Result<Option<Self>, String> {
        let Some(dialect) = dialect(provider.kind.dialect) else { return Ok(None) };
        let segment = utf8_percent_encode(model, SEGMENT);
        // Tokens of Google's cloud are for Vertex AI, whose models stand below their publisher.
        let (service, models) = match provider.kind.auth {
            Auth::GcpOauth => (Service::Vertex, "publishers/google/models"),
            _ => (Service::AiStudio, "models"),
        };
        // Both vendors' SDKs are given the base URL without the version, and people copy it from there.
        let base = provider.base_path();
        let messages = if base.ends_with("/v1") { "messages" } else { "v1/messages" };
        let version = if base.is_empty() { "v1beta/" } else { "" };
        let of =
            |method: Method| provider.uris(&format!("{version}{models}/{segment}{}", method.suffix()), model);
        let (whole, stream) = match dialect {
            Dialect::Gemini => (of(Method::GenerateContent)?, of(Method::StreamGenerateContent)?),
            _ => (provider.uris(messages, model)?, provider.uris(messages, model)?),
        };
        let origin = Origin { provider: (&*provider.name).into(), model: model.into() };
        let output_tokens_max = facts.and_then(|facts| facts.output_max);
        let target = Target { origin, output_tokens_max, can: abilities(facts) };
        Ok(Some(Self { way: Way { dialect, service }, target, losses, whole, stream }))
    }

    /// Where a request goes.
    pub(crate) const fn uris(&self, streamed: bool) -> &Uris {
        if streamed { &self.stream } else { &self.whole }
    }
}

/// The dialect that has to be translated to, if it is one that can be.
const fn dialect(spoken: Spoken) -> Option<Dialect> {
    match spoken {
        Spoken::Anthropic => Some(Dialect::Anthropic),
        Spoken::Gemini => Some(Dialect::Gemini),
        Spoken::Openai | Spoken::Bedrock | Spoken::Cohere => None,
    }
}

/// What the catalogue says that the model cannot do; of everything else its vendor knows better.
fn abilities(facts: Option<&Model>) -> Abilities {
    let can = |ability: Ability| facts.and_then(|facts| facts.abilities.get(ability)).unwrap_or(true);
    Abilities {
        tools: can(Ability::Tools),
        parallel_tools: can(Ability::ParallelTools),
        forced_tool: can(Ability::ToolChoice),
        images: can(Ability::Vision),
        audio: can(Ability::AudioIn),
        documents: can(Ability::Pdf),
        json_schema: can(Ability::JsonSchema),
        reasoning: can(Ability::Reasoning),
        sampling: can(Ability::Sampling),
        prefill: can(Ability::Prefill),
        ..Abilities::default()
    }
}
