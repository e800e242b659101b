//! What is known about one model of one vendor.

mod ability;
mod price;
mod row;

use std::sync::Arc;

pub use ability::{Abilities, Ability};
pub use price::{Dollars, PRICE_DOLLARS_MAX, Price, Prices, Rates, TIERS_MAX, Tier, Unit};
pub(crate) use row::read;
pub use row::{COLUMNS, is_date};

/// What a model is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Conversations.
    Chat,
    /// Text that goes on.
    Completion,
    /// Vectors.
    Embedding,
    /// The order of documents.
    Rerank,
    /// Pictures, made or changed.
    Image,
    /// Videos.
    Video,
    /// Text to speech.
    Speech,
    /// Speech to text.
    Transcription,
    /// Conversations by voice, over a connection that stays open.
    Realtime,
    /// Text on pictures.
    Ocr,
    /// Judgements about text.
    Moderation,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Chat,
        Self::Completion,
        Self::Embedding,
        Self::Rerank,
        Self::Image,
        Self::Video,
        Self::Speech,
        Self::Transcription,
        Self::Realtime,
        Self::Ocr,
        Self::Moderation,
    ];

    /// Its word in the catalogue and in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completion => "completion",
            Self::Embedding => "embedding",
            Self::Rerank => "rerank",
            Self::Image => "image",
            Self::Video => "video",
            Self::Speech => "speech",
            Self::Transcription => "transcription",
            Self::Realtime => "realtime",
            Self::Ocr => "ocr",
            Self::Moderation => "moderation",
        }
    }

    /// The mode of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == word)
    }
}

/// What is known about one model of one vendor. Everything may be unknown but its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The vendor's name for it.
    pub id: Arc<str>,
    /// What it is asked for.
    pub mode: Option<Mode>,
    /// Context window in tokens. Some sources count the input only.
    pub window: Option<u64>,
    /// Most tokens that it writes in one answer.
    pub output_max: Option<u64>,
    /// What it costs; empty where that is not known.
    pub prices: Prices,
    /// What it can do.
    pub abilities: Abilities,
    /// Day from which the vendor does not promise it any more, `YYYY-MM-DD`.
    pub deprecated: Option<Arc<str>>,
    /// How its facts are known: words of `catalog/NOTICE.md`, separated by spaces.
    pub sources: Arc<str>,
    /// What a configuration says instead of the catalogue, if it says anything.
    pub overlay: Option<Overlay>,
    /// The listed model whose facts these are, when it is a dated snapshot that is not listed itself. Prices are never
    /// taken over.
    pub family: Option<Arc<str>>,
}

impl Model {
    /// A model of which nothing is known but its name.
    pub fn unknown(id: &str) -> Self {
        Self {
            id: id.into(),
            mode: None,
            window: None,
            output_max: None,
            prices: Prices::default(),
            abilities: Abilities::default(),
            deprecated: None,
            sources: "".into(),
            overlay: None,
            family: None,
        }
    }

    /// How a fact of it is known: its place in a configuration, or words of `catalog/NOTICE.md`. `fact` is a name of
    /// [`Overlay::facts`].
    pub fn source_of(&self, fact: &str) -> &str {
        match &self.overlay {
            Some(overlay) if overlay.facts.contains(&fact) => &overlay.place,
            _ => &self.sources,
        }
    }
}

/// Facts that a configuration gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// Where: `wellhead.yaml:42`.
    pub place: Arc<str>,
    /// Names of the facts: `mode`, `window`, `output_max`, `prices`, `deprecated`, or the word of an ability.
    pub facts: Vec<&'static str>,
}
