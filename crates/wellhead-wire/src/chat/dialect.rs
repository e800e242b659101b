//! The dialects, and what only one of them knows.

use serde_json::{Map, Value};

/// A way of asking for an answer. Vendors depart from their dialect in quirks, which are data of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// OpenAI Chat Completions and everybody who speaks like it.
    Chat,
    /// OpenAI Responses.
    Responses,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini `generateContent`, at Google's AI Studio and at Vertex AI.
    Gemini,
    /// Bedrock `Converse`.
    Bedrock,
    /// Cohere `v2/chat`.
    Cohere,
    /// Ollama `/api/chat`.
    Ollama,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 7] = [
        Self::Chat,
        Self::Responses,
        Self::Anthropic,
        Self::Gemini,
        Self::Bedrock,
        Self::Cohere,
        Self::Ollama,
    ];

    /// The word in records, headers and documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "openai-chat",
            Self::Responses => "openai-responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Bedrock => "bedrock",
            Self::Cohere => "cohere",
            Self::Ollama => "ollama",
        }
    }
}

/// Members that only the dialect that they were read from gives a meaning to, in their order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rest(Option<Box<(Dialect, Map<String, Value>)>>);

impl Rest {
    /// What was left over when an object of this dialect had been read.
    pub fn new(dialect: Dialect, members: Map<String, Value>) -> Self {
        if members.is_empty() { Self(None) } else { Self(Some(Box::new((dialect, members)))) }
    }

    /// Whether there is nothing.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The members, for the dialect that they came from.
    pub fn of(&self, dialect: Dialect) -> Option<&Map<String, Value>> {
        self.0.as_ref().filter(|rest| rest.0 == dialect).map(|rest| &rest.1)
    }

    /// The names of members that another dialect cannot say.
    pub fn foreign_to(&self, dialect: Dialect) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |rest| rest.0 != dialect).flat_map(|rest| rest.1.keys().map(String::as_str))
    }

    /// Adds the members to an object of the dialect that they came from, without touching those that are there.
    pub fn add_to(&self, dialect: Dialect, object: &mut Map<String, Value>) {
        for (name, value) in self.of(dialect).into_iter().flatten() {
            if !object.contains_key(name) {
                object.insert(name.clone(), value.clone());
            }
        }
    }
}
