//! The endpoints of the OpenAI surface that route by `model`.

/// How a request body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BodyKind {
    /// One JSON object.
    Json,
    /// `multipart/form-data`, because files come along.
    Multipart,
}

/// One endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "template() says what each one is")]
pub enum Endpoint {
    ChatCompletions,
    Completions,
    Embeddings,
    Responses,
    Moderations,
    ImagesGenerations,
    ImagesEdits,
    ImagesVariations,
    AudioSpeech,
    AudioTranscriptions,
    AudioTranslations,
    Rerank,
    /// How long a prompt is. OpenAI has no such endpoint: clients and targets of other dialects do.
    CountTokens,
}

impl Endpoint {
    /// Every endpoint of OpenAI's.
    pub const ALL: [Self; 12] = [
        Self::ChatCompletions,
        Self::Completions,
        Self::Embeddings,
        Self::Responses,
        Self::Moderations,
        Self::ImagesGenerations,
        Self::ImagesEdits,
        Self::ImagesVariations,
        Self::AudioSpeech,
        Self::AudioTranscriptions,
        Self::AudioTranslations,
        Self::Rerank,
    ];

    /// The path as documentation and metrics name it.
    pub const fn template(self) -> &'static str {
        match self {
            Self::ChatCompletions => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Embeddings => "/v1/embeddings",
            Self::Responses => "/v1/responses",
            Self::Moderations => "/v1/moderations",
            Self::ImagesGenerations => "/v1/images/generations",
            Self::ImagesEdits => "/v1/images/edits",
            Self::ImagesVariations => "/v1/images/variations",
            Self::AudioSpeech => "/v1/audio/speech",
            Self::AudioTranscriptions => "/v1/audio/transcriptions",
            Self::AudioTranslations => "/v1/audio/translations",
            Self::Rerank => "/v1/rerank",
            Self::CountTokens => "/v1/messages/count_tokens",
        }
    }

    /// The path below a vendor's base URL, which already ends in its own version.
    pub fn upstream_path(self) -> &'static str {
        let template = self.template();
        template.strip_prefix("/v1/").unwrap_or(template)
    }

    /// Finds the endpoint of a normalised path, with or without `/v1` and slashes around it.
    pub fn from_path(path: &str) -> Option<Self> {
        let path = path.trim_matches('/');
        let path = path.strip_prefix("v1/").unwrap_or(path);
        Self::ALL.into_iter().find(|endpoint| endpoint.upstream_path() == path)
    }

    /// OpenTelemetry `gen_ai.operation.name`. The first three are the convention's own words, the others ours:
    /// it has none for them yet.
    pub const fn operation(self) -> &'static str {
        match self {
            Self::ChatCompletions | Self::Responses => "chat",
            Self::Completions => "text_completion",
            Self::Embeddings => "embeddings",
            Self::Moderations => "moderation",
            Self::ImagesGenerations | Self::ImagesEdits | Self::ImagesVariations => "image",
            Self::AudioSpeech => "speech",
            Self::AudioTranscriptions => "transcription",
            Self::AudioTranslations => "translation",
            Self::Rerank => "rerank",
            Self::CountTokens => "count_tokens",
        }
    }

    /// Whether its answers are pictures.
    pub const fn makes_images(self) -> bool {
        matches!(self, Self::ImagesGenerations | Self::ImagesEdits | Self::ImagesVariations)
    }

    /// How its bodies are usually written. Where that is multipart, JSON is understood too.
    pub const fn body_kind(self) -> BodyKind {
        match self {
            Self::ImagesEdits
            | Self::ImagesVariations
            | Self::AudioTranscriptions
            | Self::AudioTranslations => BodyKind::Multipart,
            _ => BodyKind::Json,
        }
    }

    /// The model that the vendor takes when a request names none, where that is documented and one for all.
    pub const fn default_model(self) -> Option<&'static str> {
        match self {
            Self::Moderations => Some("omni-moderation-latest"),
            _ => None,
        }
    }

    /// Whether its streams are chunks with `choices` that end in `[DONE]`, as opposed to events that name their type.
    pub const fn streams_chunks(self) -> bool {
        matches!(self, Self::ChatCompletions | Self::Completions)
    }

    /// Tokens that a request without a limit of its own is expected to produce; only for reservations.
    pub(crate) const fn output_tokens_expected(self) -> u64 {
        match self {
            Self::ChatCompletions | Self::Completions | Self::Responses => 512,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn every_endpoint_is_found_by_each_spelling_of_its_path() {
        for endpoint in Endpoint::ALL {
            let below = endpoint.upstream_path();
            assert!(!below.starts_with('/'), "{below}");
            for path in [endpoint.template().to_owned(), below.to_owned(), format!("/{below}/")] {
                assert_eq!(Endpoint::from_path(&path), Some(endpoint), "{path}");
            }
        }
        for path in [
            "",
            "/",
            "/v1",
            "/v1/chat",
            "/v1/chat/completions/x",
            "/v1/files",
            "/v2/rerank",
            "/v1/Embeddings",
        ] {
            assert_eq!(Endpoint::from_path(path), None, "{path}");
        }
    }
}
