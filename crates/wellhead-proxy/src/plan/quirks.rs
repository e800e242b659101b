//! The catalogue's quirks of a kind as the codec and the editor of bodies take them.

use wellhead_catalog::{Kind, KnownQuirk, Prefill, Quirk, ReasoningBack as Back, Thinking};
use wellhead_wire::openai::chat::{Options, Param, Params, PrefillMark, ReasoningBack, ThinkingForm};
use wellhead_wire::openai::request::{Fit, PrepareFlags};

/// How requests are written for a model of this kind.
pub(super) fn options(kind: &Kind, model: &str, prefill: Prefill) -> Options {
    let mut options = Options {
        max_tokens_only: kind.quirks.max_tokens_only,
        no_stream_usage: !kind.quirks.stream_usage,
        prefill: match prefill {
            Prefill::None | Prefill::Trailing => PrefillMark::Nothing,
            Prefill::Vllm => PrefillMark::Continue,
            Prefill::Mistral | Prefill::Deepseek => PrefillMark::Prefix,
            Prefill::Partial => PrefillMark::Partial,
        },
        ..Options::default()
    };
    for known in kind.quirks.chat.iter().filter(|known| known.concerns(model)) {
        set(&mut options, &known.quirk);
    }
    options
}

/// What is changed of a body that is in the target's dialect already: nothing because of a hypothesis.
pub(super) fn flags(kind: &Kind, model: &str) -> PrepareFlags {
    let mut options = Options::default();
    let sure = |known: &&KnownQuirk| known.concerns(model) && known.source != "unverified";
    for known in kind.quirks.chat.iter().filter(sure) {
        set(&mut options, &known.quirk);
    }
    PrepareFlags {
        stream_usage: kind.quirks.stream_usage,
        max_tokens_only: kind.quirks.max_tokens_only,
        fit: Fit {
            no_developer: options.no_developer,
            no_names: options.no_names,
            short_tool_ids: options.short_tool_ids,
            random_seed: options.random_seed,
        },
    }
}

fn set(options: &mut Options, quirk: &Quirk) {
    match quirk {
        Quirk::ContentAsText => options.content_as_text = true,
        Quirk::NoDeveloper => options.no_developer = true,
        Quirk::SystemFirst => options.system_first = true,
        Quirk::Alternates => options.alternates = true,
        Quirk::NoNames => options.no_names = true,
        Quirk::ShortToolIds => options.short_tool_ids = true,
        Quirk::RandomSeed => options.random_seed = true,
        Quirk::NoNamedTool => options.no_named_tool = true,
        Quirk::NoForcedTool => options.no_forced_tool = true,
        Quirk::NoCustomTools => options.no_custom_tools = true,
        Quirk::NoStrictTools => options.no_strict_tools = true,
        Quirk::NoPrefill => options.no_prefill = true,
        Quirk::NoJsonSchema => options.no_json_schema = true,
        Quirk::TemperatureMax(max) => options.temperature_max = Some(*max),
        Quirk::StopMax(max) => options.stop_max = Some(*max),
        Quirk::Without(names) => options.without = with(options.without, names),
        Quirk::Knows(names) => options.knows = with(options.knows, names),
        Quirk::CacheControl => options.cache_control = true,
        Quirk::Video => options.video = true,
        Quirk::DocumentUrls => options.document_urls = true,
        Quirk::ResultImages => options.result_images = true,
        Quirk::ReasoningBack(back) => {
            options.reasoning_back = match back {
                Back::Content => ReasoningBack::Content,
                Back::ContentAlways => ReasoningBack::ContentAlways,
                Back::Reasoning => ReasoningBack::Reasoning,
                Back::Details => ReasoningBack::Details,
            }
        }
        Quirk::Thinking(form) => {
            options.thinking = match form {
                Thinking::Reasoning => ThinkingForm::Reasoning,
                Thinking::Thinking => ThinkingForm::Thinking,
                Thinking::ThinkingEffort => ThinkingForm::ThinkingEffort,
                Thinking::Enable => ThinkingForm::Enable,
                Thinking::Template => ThinkingForm::Template,
            }
        }
    }
}

/// The catalogue checks the names.
fn with(params: Params, names: &[String]) -> Params {
    names.iter().filter_map(|name| Param::from_name(name)).fold(params, Params::with)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{Options, Prefill, flags, options};
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use wellhead_catalog::{Catalog, Kind, PARAMS};
    use wellhead_wire::openai::chat::{Param, PrefillMark, ReasoningBack, ThinkingForm};
    use wellhead_wire::openai::request::Fit;

    fn kind(name: &str) -> Arc<Kind> {
        Catalog::builtin().unwrap().kind(name).unwrap()
    }

    #[test]
    fn the_catalogue_and_the_codec_name_the_same_parameters() {
        let known: BTreeSet<&str> = Param::ALL.into_iter().map(Param::as_str).collect();
        assert_eq!(known, PARAMS.into_iter().collect());
        assert!(PARAMS.is_sorted());
        for param in Param::ALL {
            assert_eq!(Param::from_name(param.as_str()), Some(param));
        }
    }

    #[test]
    fn openai_itself_is_only_limited_as_its_specification_says() {
        let openai = options(&kind("openai"), "gpt-5", Prefill::None);
        assert_eq!(openai, Options { stop_max: Some(4), no_prefill: true, ..Options::default() });
        assert_eq!(
            flags(&kind("openai"), "gpt-5").fit,
            Fit::default(),
            "its bodies are never looked through"
        );
        let unknown = options(&kind("openai-compatible"), "m", Prefill::None);
        assert_eq!(unknown, Options::default(), "of a server that nobody knows nothing is assumed");
    }

    #[test]
    fn quirks_of_vendors_reach_the_codec() {
        let mistral = options(&kind("mistral"), "mistral-large-latest", Prefill::Mistral);
        assert!(mistral.short_tool_ids && mistral.random_seed && mistral.no_names && mistral.no_developer);
        assert!(mistral.max_tokens_only && mistral.no_stream_usage);
        assert_eq!(mistral.prefill, PrefillMark::Prefix);
        let fit = flags(&kind("mistral"), "mistral-large-latest").fit;
        assert!(fit.short_tool_ids && fit.random_seed && fit.no_names && fit.no_developer);
        let deepseek = options(&kind("deepseek"), "deepseek-v4-pro", Prefill::None);
        assert_eq!(deepseek.reasoning_back, ReasoningBack::ContentAlways);
        assert_eq!(deepseek.thinking, ThinkingForm::ThinkingEffort);
        assert!(deepseek.no_json_schema && deepseek.no_developer);
        assert!(flags(&kind("deepseek"), "deepseek-v4-pro").fit.no_developer);
        assert!(options(&kind("groq"), "m", Prefill::None).no_names);
        assert!(!flags(&kind("groq"), "m").fit.no_names, "a hypothesis changes nobody's bytes");
        let cerebras = options(&kind("cerebras"), "gpt-oss-120b", Prefill::None);
        assert!(cerebras.without.has(Param::LogitBias) && !cerebras.without.has(Param::Seed));
        let openrouter = options(&kind("openrouter"), "x/y", Prefill::None);
        assert!(openrouter.cache_control && openrouter.knows.has(Param::TopK));
    }

    #[test]
    fn a_pattern_concerns_its_models_only() {
        let xai = kind("xai");
        let of = |model: &str| options(&xai, model, Prefill::None).without.has(Param::Stop);
        assert!(of("grok-4") && of("grok-4.20-reasoning") && !of("grok-2-vision"));
    }
}
