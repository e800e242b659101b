//! The versions of the API, and what each allows.

/// A version that a client names in `anthropic-version`, and the gateway towards a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Version {
    /// `2023-06-01`.
    #[default]
    V2023,
    /// `2026-10-21`: no sampling parameters, no documents said by the assistant, no citations in a user's text.
    V2026,
}

impl Version {
    /// The header that names it.
    pub const HEADER: &'static str = "anthropic-version";

    /// Reads the header's value, or the body's `anthropic_version` of Vertex AI and Bedrock. `None`: nobody knows it.
    pub fn from_header(value: &str) -> Option<Self> {
        match value.trim() {
            "2023-06-01" | "vertex-2023-10-16" | "bedrock-2023-05-31" => Some(Self::V2023),
            "2026-10-21" => Some(Self::V2026),
            _ => None,
        }
    }

    /// The header's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2023 => "2023-06-01",
            Self::V2026 => "2026-10-21",
        }
    }

    /// Whether `temperature`, `top_p` and `top_k` may be there at all.
    pub const fn takes_sampling(self) -> bool {
        matches!(self, Self::V2023)
    }

    /// Whether an assistant's turn may hold a document.
    pub const fn takes_assistant_documents(self) -> bool {
        matches!(self, Self::V2023)
    }

    /// Whether a user's text may carry citations.
    pub const fn takes_user_citations(self) -> bool {
        matches!(self, Self::V2023)
    }
}

/// Whose endpoint the request goes to: it decides where model and version stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Envelope {
    /// `/v1/messages`: the model in the body, the version in a header.
    #[default]
    Messages,
    /// `rawPredict` and `streamRawPredict` of Vertex AI: the model in the path, the version in the body.
    Vertex,
    /// `invoke` and `invoke-with-response-stream` of Bedrock: as Vertex AI, and the path says whether it streams.
    Bedrock,
}

impl Envelope {
    /// The body's `anthropic_version`.
    pub const fn version(self, version: Version) -> Option<&'static str> {
        match (self, version) {
            (Self::Messages, _) => None,
            (Self::Vertex, Version::V2023) => Some("vertex-2023-10-16"),
            (Self::Bedrock, Version::V2023) => Some("bedrock-2023-05-31"),
            (Self::Vertex | Self::Bedrock, Version::V2026) => Some(Version::V2026.as_str()),
        }
    }
}
