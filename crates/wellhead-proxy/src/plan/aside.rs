//! Embeddings and rerank at vendors whose form of them is another than the client's: how they are asked, and where.

use super::Uris;
use super::native::{SEGMENT, own_path};
use super::provider::ProviderPlan;
use percent_encoding::utf8_percent_encode;
use wellhead_catalog::{Auth, Dialect, Kind, Rerank};
use wellhead_wire::openai::Endpoint;
use wellhead_wire::translate::beside::Form;

/// One endpoint of a target's.
#[derive(Debug)]
pub(crate) struct Aside {
    pub(crate) form: Form,
    pub(crate) uris: Uris,
}

/// Those of a target.
#[derive(Debug)]
pub(crate) struct Asides {
    embeddings: Option<Aside>,
    rerank: Option<Aside>,
}

impl Asides {
    /// `None` for targets that are asked as the client asks.
    pub(super) fn compile(provider: &ProviderPlan, model: &str) -> Result<Option<Box<Self>>, String> {
        let of = |endpoint| match form(&provider.kind, endpoint) {
            None => Ok(None),
            Some(form) => {
                let uris = uris(provider, form, model)?;
                Ok::<_, String>(Some(Aside { form, uris }))
            }
        };
        let (embeddings, rerank) = (of(Endpoint::Embeddings)?, of(Endpoint::Rerank)?);
        let any = embeddings.is_some() || rerank.is_some();
        Ok(any.then(|| Box::new(Self { embeddings, rerank })))
    }

    /// How the endpoint is asked, if otherwise than the client does.
    pub(super) const fn at(&self, endpoint: Endpoint) -> Option<&Aside> {
        match endpoint {
            Endpoint::Embeddings => self.embeddings.as_ref(),
            Endpoint::Rerank => self.rerank.as_ref(),
            _ => None,
        }
    }
}

/// A kind's own form of an endpoint.
pub(super) fn form(kind: &Kind, endpoint: Endpoint) -> Option<Form> {
    match (endpoint, kind.dialect) {
        // Google's cloud embeds by another method.
        (Endpoint::Embeddings, Dialect::Gemini) if !matches!(kind.auth, Auth::GcpOauth) => {
            Some(Form::GeminiEmbed)
        }
        (Endpoint::Embeddings, Dialect::Cohere) => Some(Form::CohereEmbed),
        (Endpoint::Embeddings, Dialect::Ollama) => Some(Form::OllamaEmbed),
        (Endpoint::Rerank, _) => match kind.quirks.rerank {
            Rerank::Common => None,
            Rerank::Cohere => Some(Form::CohereRerank),
            Rerank::Voyage => Some(Form::VoyageRerank),
        },
        _ => None,
    }
}

fn uris(provider: &ProviderPlan, form: Form, model: &str) -> Result<Uris, String> {
    let base = provider.base_path();
    let below = |spoken, path: &str| {
        let (below, path) = own_path(base, spoken, path);
        provider.uris_below(below, &path, model)
    };
    match form {
        Form::GeminiEmbed => {
            let version = if base.is_empty() { "v1beta/" } else { "" };
            let segment = utf8_percent_encode(model, SEGMENT);
            provider.uris(&format!("{version}models/{segment}:batchEmbedContents"), model)
        }
        Form::CohereEmbed => below(Dialect::Cohere, "embed"),
        Form::CohereRerank => below(Dialect::Cohere, "rerank"),
        Form::OllamaEmbed => below(Dialect::Ollama, "embed"),
        Form::VoyageRerank => provider.uris("rerank", model),
    }
}
