//! Who is written for: a target that is asked, or a client that is answered.

#![expect(missing_docs, reason = "members that every dialect has under this name")]

use super::Origin;

/// What an adapter has to know of a target to write a request for it. Facts come from the catalogue and its overlays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Provider and model; opaque reasoning of any other origin is left out.
    pub origin: Origin,
    /// Most tokens that the model can write; used where a dialect demands a limit and the client gave none.
    pub output_tokens_max: Option<u64>,
    pub can: Abilities,
}

/// What a model can do. What is not known to be missing is asked for: the vendor's refusal is clearer than a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts of a model, as the catalogue lists them"
)]
pub struct Abilities {
    pub tools: bool,
    /// Several calls in one turn.
    pub parallel_tools: bool,
    /// A call that the client demands.
    pub forced_tool: bool,
    pub images: bool,
    pub audio: bool,
    pub documents: bool,
    pub json_object: bool,
    pub json_schema: bool,
    pub reasoning: bool,
    /// `temperature`, `top_p`, `top_k`.
    pub sampling: bool,
    /// Texts that end the answer.
    pub stop: bool,
    /// Instructions in the middle of a conversation.
    pub system_anywhere: bool,
    /// Goes on with an assistant's turn at the end of the conversation.
    pub prefill: bool,
}

impl Default for Abilities {
    fn default() -> Self {
        Self {
            tools: true,
            parallel_tools: true,
            forced_tool: true,
            images: true,
            audio: true,
            documents: true,
            json_object: true,
            json_schema: true,
            reasoning: true,
            sampling: true,
            stop: true,
            system_anywhere: true,
            prefill: true,
        }
    }
}

/// What an answer is called towards a client where the vendor gave it no name, or another one than the client knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The model as the client named it.
    pub model: Box<str>,
    /// Used where the vendor gave no id. Unique; letters and digits without a dialect's prefix.
    pub id: Box<str>,
    /// Seconds since 1970, used where the vendor gave no time.
    pub created: u64,
    /// The client asked for usage in its stream.
    pub stream_usage: bool,
}

/// A failure that a client is told of, in whatever dialect it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorShown<'a> {
    /// HTTP status; in a stream the one that it would have been.
    pub status: u16,
    /// The gateway's stable code (contract.md 2.2).
    pub code: &'a str,
    pub message: &'a str,
    /// The parameter at fault.
    pub param: Option<&'a str>,
    pub request_id: &'a str,
}
