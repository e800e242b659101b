//! A streamed answer, event by event.

#![expect(missing_docs, reason = "members that every dialect has under this name")]

use super::{Dialect, Media, Opaque, Part, Stop};
use serde_json::Value;
use wellhead_types::{Failure, Usage};

/// What happens in a stream. Parts of a candidate are numbered from 0 in the order in which they begin, whatever
/// numbers the vendor uses; several may be open at the same time.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Once, before everything else.
    Start { id: Option<Box<str>>, model: Option<Box<str>>, created: Option<u64> },
    /// A part begins.
    PartStart { candidate: u32, part: u32, kind: PartKind },
    /// More of an open part.
    Delta { candidate: u32, part: u32, delta: Delta },
    /// A part is whole.
    PartEnd { candidate: u32, part: u32 },
    /// A candidate is whole.
    Stop { candidate: u32, stop: Stop },
    /// The counts so far. The newest replaces all before it: vendors repeat cumulative counts (wire.md, trap 8).
    Usage(Usage),
    /// Probabilities of the tokens of a candidate, as OpenAI writes them.
    Logprobs { candidate: u32, logprobs: Value },
    /// The vendor is alive, and has nothing to say.
    Ping,
    /// An event that only one dialect knows.
    Other(Dialect, Value),
    /// The vendor's own end signal. A stream without it is cut.
    End,
    /// The vendor says that the answer failed. Nothing follows.
    Error(Box<Failure>),
}

/// What begins.
#[derive(Debug, Clone, PartialEq)]
pub enum PartKind {
    Text,
    Refusal,
    Reasoning {
        id: Option<Box<str>>,
        is_summary: bool,
    },
    ToolCall {
        id: Box<str>,
        name: Box<str>,
        is_custom: bool,
    },
    Audio {
        id: Option<Box<str>>,
        media_type: Option<Box<str>>,
    },
    /// Comes whole: an image, a document, a block that only one dialect knows.
    Whole(Box<Part>),
}

/// More of a part.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// Of text, a refusal, reasoning.
    Text(String),
    /// Of a tool call.
    Arguments(String),
    /// Of audio, as base64.
    Audio(String),
    /// Of audio: what is said.
    Transcript(String),
    /// A citation of text, in its dialect's form.
    Citation(Dialect, Value),
    /// The vendor's proof of a thought, or what it wants back with a call. Comes whole.
    Opaque(Opaque),
    /// The thought was hidden by the vendor's filter: `Opaque` is all there is.
    Redacted,
    /// Where a sound or an image can be found.
    Media(Media),
}
