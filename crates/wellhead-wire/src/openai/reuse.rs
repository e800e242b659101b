//! Whether an answer may be given again to the same request, when nobody can answer it anew.
//!
//! Only what is whole and ended by itself: an answer that was cut at a limit, filtered or refused is not what the next
//! caller should get in place of a real one, and a tool call that is given again makes a client act on a state of affairs
//! that is gone.

use super::Endpoint;
use crate::sse::{Framer, Verdict};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Finish reasons of a text that ended by itself: OpenAI's word, and that of servers that name the token.
const NATURAL: [&str; 2] = ["stop", "eos"];
/// Items of a Responses answer that are nothing but the answer.
const PLAIN_ITEMS: [&str; 2] = ["message", "reasoning"];
/// Answers in one stream; OpenAI's own limit on `n`.
const CHOICES_MAX: usize = 128;

/// Whether answers of this endpoint can be kept at all: text and numbers in JSON. Pictures and sound are too large.
pub const fn is_kept(endpoint: Endpoint) -> bool {
    matches!(
        endpoint,
        Endpoint::ChatCompletions
            | Endpoint::Completions
            | Endpoint::Responses
            | Endpoint::Embeddings
            | Endpoint::Moderations
            | Endpoint::Rerank
    )
}

/// Whether an unstreamed answer that has passed [`super::answer::inspect`] may be given again.
pub fn whole(endpoint: Endpoint, body: &[u8]) -> bool {
    match endpoint {
        Endpoint::ChatCompletions | Endpoint::Completions => serde_json::from_slice::<Chunk<'_>>(body)
            .is_ok_and(|answer| {
                let ends = |choice: &Choice<'_>| choice.is_plain() && choice.has_ended();
                answer.error.is_none() && !answer.choices.is_empty() && answer.choices.iter().all(ends)
            }),
        Endpoint::Responses => {
            serde_json::from_slice::<Response<'_>>(body).is_ok_and(|answer| answer.is_plain())
        }
        other => is_kept(other),
    }
}

/// Whether a streamed answer may be given again: `events` is all of it, as it was delivered.
pub fn stream(endpoint: Endpoint, events: &Bytes) -> bool {
    let mut seen = Seen::default();
    let mut framer = Framer::new(events.len().saturating_add(1));
    let mut look = |event: crate::sse::Event<'_>| {
        if let Some(data) = event.data() {
            seen.event(endpoint, event.event(), data.trim_ascii());
        }
        Verdict::Drop
    };
    let framed = framer.push(events.clone(), &mut look, &mut Vec::new());
    framed.is_ok() && framer.finish() == crate::sse::Tail::Clean && seen.is_reusable()
}

/// What a stream has said so far.
#[derive(Debug, Default)]
struct Seen {
    /// Whether each choice has ended.
    choices: BTreeMap<u32, bool>,
    /// The end signal was there, and nothing behind it.
    complete: bool,
    spoilt: bool,
}

impl Seen {
    fn event(&mut self, endpoint: Endpoint, name: Option<&[u8]>, data: &[u8]) {
        if self.complete {
            self.spoilt = true;
        } else if endpoint.streams_chunks() {
            self.chunk(data);
        } else {
            self.typed(name, data);
        }
    }

    fn chunk(&mut self, data: &[u8]) {
        if data == b"[DONE]" {
            self.complete = true;
            return;
        }
        let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(data) else { return self.spoil() };
        self.spoilt |= chunk.error.is_some();
        for choice in &chunk.choices {
            let ended = self.choices.entry(choice.index).or_default();
            self.spoilt |= !choice.is_plain() || (choice.finish_reason.is_some() && !choice.has_ended());
            *ended |= choice.has_ended();
        }
        self.spoilt |= self.choices.len() > CHOICES_MAX;
    }

    fn typed(&mut self, name: Option<&[u8]>, data: &[u8]) {
        let Ok(event) = serde_json::from_slice::<Typed<'_>>(data) else { return self.spoil() };
        match event.kind.as_deref() {
            Some("response.completed") => {
                self.complete = true;
                self.spoilt |= !event.response.is_some_and(|response| response.is_plain());
                self.choices.insert(0, true);
            }
            Some("error" | "response.failed" | "response.incomplete") => self.spoil(),
            _ => self.spoilt |= name == Some(b"error"),
        }
    }

    const fn spoil(&mut self) {
        self.spoilt = true;
    }

    fn is_reusable(&self) -> bool {
        self.complete && !self.spoilt && !self.choices.is_empty() && self.choices.values().all(|ended| *ended)
    }
}

/// An answer with choices, or a chunk of one.
#[derive(Debug, Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    error: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: u32,
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<Said<'a>>,
    #[serde(borrow)]
    delta: Option<Said<'a>>,
}

#[derive(Debug, Deserialize)]
struct Said<'a> {
    tool_calls: Option<Vec<IgnoredAny>>,
    function_call: Option<IgnoredAny>,
    #[serde(borrow)]
    refusal: Option<Cow<'a, str>>,
}

impl Choice<'_> {
    fn has_ended(&self) -> bool {
        self.finish_reason.as_deref().is_some_and(|reason| NATURAL.contains(&reason))
    }

    /// Neither a call nor a refusal.
    fn is_plain(&self) -> bool {
        self.message.iter().chain(&self.delta).all(|said| {
            said.tool_calls.as_ref().is_none_or(Vec::is_empty)
                && said.function_call.is_none()
                && said.refusal.as_ref().is_none_or(|refusal| refusal.is_empty())
        })
    }
}

#[derive(Debug, Deserialize)]
struct Typed<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    response: Option<Response<'a>>,
}

/// A `response` of the Responses API.
#[derive(Debug, Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    error: Option<IgnoredAny>,
    incomplete_details: Option<IgnoredAny>,
    #[serde(borrow, default)]
    output: Vec<Item<'a>>,
}

#[derive(Debug, Deserialize)]
struct Item<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<Vec<Part<'a>>>,
}

#[derive(Debug, Deserialize)]
struct Part<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

impl Response<'_> {
    fn is_plain(&self) -> bool {
        let refuses = |part: &Part<'_>| part.kind.as_deref() == Some("refusal");
        self.status.as_deref() == Some("completed")
            && self.error.is_none()
            && self.incomplete_details.is_none()
            && !self.output.is_empty()
            && self.output.iter().all(|item| {
                item.kind.as_deref().is_some_and(|kind| PLAIN_ITEMS.contains(&kind))
                    && !item.content.iter().flatten().any(refuses)
            })
    }
}
