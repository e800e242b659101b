//! A whole answer.

#![expect(missing_docs, reason = "members that every dialect has under this name")]

use super::{Dialect, Part, Rest};
use serde_json::Value;
use wellhead_types::Usage;

/// What a model said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The vendor's id of it.
    pub id: Option<Box<str>>,
    /// The model that answered, as the vendor names it.
    pub model: Option<Box<str>>,
    /// When, in seconds since 1970, where the vendor says so.
    pub created: Option<u64>,
    pub candidates: Vec<Candidate>,
    pub usage: Option<Usage>,
    pub service_tier: Option<Box<str>>,
    /// What only one dialect knows.
    pub rest: Rest,
}

/// One of the answers that were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub index: u32,
    /// In the order in which they were said.
    pub parts: Vec<Part>,
    /// `None`: the vendor did not say.
    pub stop: Option<Stop>,
    /// Probabilities of its tokens, as OpenAI writes them.
    pub logprobs: Option<Value>,
    /// What only one dialect knows.
    pub rest: Rest,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    pub kind: StopKind,
    /// The vendor's own word; written again where the same dialect is written.
    pub raw: Option<(Dialect, Box<str>)>,
    /// The stop text that was met, where the vendor says which.
    pub sequence: Option<Box<str>>,
    /// What the filter or the model had against it, where the vendor says so.
    pub detail: Option<Value>,
}

impl Stop {
    /// Without a vendor's own word.
    pub const fn new(kind: StopKind) -> Self {
        Self { kind, raw: None, sequence: None, detail: None }
    }

    /// The vendor's own word, in the dialect that it was read from.
    pub fn raw_for(&self, dialect: Dialect) -> Option<&str> {
        self.raw.as_ref().filter(|raw| raw.0 == dialect).map(|raw| &*raw.1)
    }
}

/// The reasons that dialects share (wire.md, trap 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopKind {
    /// The model had said what it wanted to say.
    End,
    /// The limit on tokens.
    Length,
    /// A text that the client named.
    Sequence,
    /// The client has to run tools.
    ToolCalls,
    /// The model declined.
    Refusal,
    /// A filter of the vendor's cut it off.
    Filter,
    /// The vendor paused a long turn; the client may ask for more.
    Pause,
    /// The model's window is full.
    ContextWindow,
    /// The model wrote a tool call that cannot be read.
    MalformedCall,
    /// None of these; `raw` has the word.
    Other,
}
