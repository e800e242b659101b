//! How a target is spoken to: what has to be known to write for it, and where it is asked if its dialect is not OpenAI's.

use super::provider::ProviderPlan;
use super::{Uris, quirks};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use wellhead_catalog::{Ability, Auth, Dialect as Spoken, Model};
use wellhead_wire::bedrock;
use wellhead_wire::chat::{Abilities, Dialect, Losses, Origin, Target};
use wellhead_wire::gemini::{Method, Service};
use wellhead_wire::openai::Endpoint;
use wellhead_wire::openai::request::PrepareFlags;
use wellhead_wire::translate::Way;

/// What may stand in a segment of a path as it is (RFC 3986 section 3.3), but for `/`.
pub(super) const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// What an adapter has to know to write for a target, whatever its dialect is.
#[derive(Debug)]
pub(crate) struct Voice {
    pub(crate) way: Way,
    /// What is changed of a body that is in its dialect already.
    pub(crate) flags: PrepareFlags,
    pub(crate) target: Target,
    /// What it may be asked without.
    pub(crate) losses: Losses,
}

impl Voice {
    /// How everybody's requests are written for it.
    pub(super) fn compile(
        provider: &ProviderPlan,
        model: &str,
        facts: Option<&Model>,
        losses: Losses,
    ) -> Self {
        // Some models of OpenAI answer nowhere else.
        let only = facts.and_then(|facts| facts.abilities.get(Ability::ResponsesOnly)) == Some(true);
        let dialect = match dialect(provider.kind.dialect) {
            Dialect::Chat if only && provider.responses => Dialect::Responses,
            dialect => dialect,
        };
        Self::of(dialect, provider, model, facts, losses)
    }

    fn of(
        dialect: Dialect,
        provider: &ProviderPlan,
        model: &str,
        facts: Option<&Model>,
        losses: Losses,
    ) -> Self {
        let origin = Origin { provider: (&*provider.name).into(), model: model.into() };
        let output_tokens_max = facts.and_then(|facts| facts.output_max);
        let mut quirks = quirks::options(&provider.kind, model, provider.prefill_of(model));
        // Tools that take text came with the Responses API; who does not have that does not know them.
        quirks.no_custom_tools |= !provider.responses;
        Self {
            way: Way { dialect, service: service(provider), quirks },
            flags: quirks::flags(&provider.kind, model),
            target: Target { origin, output_tokens_max, can: abilities(facts) },
            losses,
        }
    }
}

/// Tokens of Google's cloud are for Vertex AI.
fn service(provider: &ProviderPlan) -> Service {
    if matches!(provider.kind.auth, Auth::GcpOauth) { Service::Vertex } else { Service::AiStudio }
}

/// Where a target is asked whose dialect is not OpenAI's.
#[derive(Debug)]
pub(crate) struct Native {
    whole: Uris,
    stream: Uris,
    /// `None`: its dialect has no way to ask.
    count: Option<Uris>,
}

impl Native {
    /// `None` for targets that are asked in OpenAI Chat.
    pub(super) fn compile(provider: &ProviderPlan, model: &str, way: Way) -> Result<Option<Self>, String> {
        let segment = utf8_percent_encode(model, SEGMENT);
        // At Vertex AI models stand below their publisher.
        let models = match service(provider) {
            Service::Vertex => "publishers/google/models",
            Service::AiStudio => "models",
        };
        // Both vendors' SDKs are given the base URL without the version, and people copy it from there.
        let base = provider.base_path();
        let messages = if base.ends_with("/v1") { "messages" } else { "v1/messages" };
        let version = if base.is_empty() { "v1beta/" } else { "" };
        let of =
            |method: Method| provider.uris(&format!("{version}{models}/{segment}{}", method.suffix()), model);
        let (whole, stream, count) = match way.dialect {
            Dialect::Gemini => (
                of(Method::GenerateContent)?,
                of(Method::StreamGenerateContent)?,
                Some(of(Method::CountTokens)?),
            ),
            Dialect::Anthropic => {
                let whole = provider.uris(messages, model)?;
                let count = provider.uris(&format!("{messages}/count_tokens"), model)?;
                (whole.clone(), whole, Some(count))
            }
            Dialect::Responses => {
                let uris = provider.uris(Endpoint::Responses.upstream_path(), model)?;
                (uris.clone(), uris, None)
            }
            Dialect::Bedrock => {
                let of = |stream| {
                    provider.uris(&format!("model/{segment}{}", bedrock::Call::suffix(stream)), model)
                };
                (of(false)?, of(true)?, None)
            }
            Dialect::Cohere | Dialect::Ollama => {
                let (below, path) = own_path(base, provider.kind.dialect, "chat");
                let uris = provider.uris_below(below, &path, model)?;
                (uris.clone(), uris, None)
            }
            _ => return Ok(None),
        };
        Ok(Some(Self { whole, stream, count }))
    }

    /// Whether it can be asked how many tokens a request has.
    pub(crate) const fn counts(&self) -> bool {
        self.count.is_some()
    }

    /// Where a request goes.
    pub(crate) const fn uris(&self, endpoint: Endpoint, streamed: bool) -> &Uris {
        match (endpoint, &self.count, streamed) {
            (Endpoint::CountTokens, Some(count), _) => count,
            (_, _, true) => &self.stream,
            (_, _, false) => &self.whole,
        }
    }
}

/// Where something of Cohere's or Ollama's own API is, and below which part of the base URL's path: that may name the API,
/// another version of it, or neither.
pub(super) fn own_path<'a>(base: &'a str, spoken: Spoken, path: &str) -> (&'a str, String) {
    let api = if spoken == Spoken::Ollama { "api" } else { "v2" };
    let named = base.strip_suffix(api).and_then(|base| base.strip_suffix('/'));
    let below = named.or_else(|| base.strip_suffix("/v1")).unwrap_or(base);
    (below, format!("{api}/{path}"))
}

/// How a target of OpenAI's family is asked for a client of Responses whose request cannot pass as it is: in that
/// dialect too, if it has it, so that thoughts and tools of the vendor's own are not lost where they need not be.
#[derive(Debug)]
pub(crate) struct Typed {
    pub(crate) voice: Arc<Voice>,
    pub(crate) native: Native,
}

impl Typed {
    /// `None` for targets that do not serve Responses.
    pub(super) fn compile(
        provider: &ProviderPlan,
        model: &str,
        facts: Option<&Model>,
        losses: Losses,
    ) -> Result<Option<Box<Self>>, String> {
        if !provider.serves(Endpoint::Responses) {
            return Ok(None);
        }
        let voice = Voice::of(Dialect::Responses, provider, model, facts, losses);
        let native = Native::compile(provider, model, voice.way)?;
        Ok(native.map(|native| Box::new(Self { voice: voice.into(), native })))
    }
}

/// The dialect that is written. Those that are not written yet never get as far as a plan.
const fn dialect(spoken: Spoken) -> Dialect {
    match spoken {
        Spoken::Anthropic => Dialect::Anthropic,
        Spoken::Gemini => Dialect::Gemini,
        Spoken::Bedrock => Dialect::Bedrock,
        Spoken::Cohere => Dialect::Cohere,
        Spoken::Ollama => Dialect::Ollama,
        Spoken::Openai => Dialect::Chat,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{Spoken, own_path};

    #[test]
    fn base_urls_may_name_the_api_or_not() {
        let path = |base, spoken| {
            let (below, path) = own_path(base, spoken, "chat");
            format!("{below}/{path}")
        };
        for base in ["", "/v1", "/v2"] {
            assert_eq!(path(base, Spoken::Cohere), "/v2/chat", "{base}");
        }
        for base in ["", "/v1", "/api"] {
            assert_eq!(path(base, Spoken::Ollama), "/api/chat", "{base}");
        }
        assert_eq!(path("/gate/v2", Spoken::Cohere), "/gate/v2/chat");
        assert_eq!(path("/myapi", Spoken::Ollama), "/myapi/api/chat");
    }
}
