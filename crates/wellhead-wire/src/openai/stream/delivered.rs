//! What a client has seen of an answer: enough to have the rest of it written by another target.

use crate::json;
use wellhead_types::Usage;

/// Most text that is remembered of one stream. Longer answers than this cannot be rescued; models write about
/// 500,000 bytes at most.
pub const DELIVERED_BYTES_MAX: usize = 1024 * 1024;

/// Longest id, model name or fingerprint that is remembered, with its quotes.
const NAME_BYTES_MAX: usize = 512;

/// Events that are searched for the stream's names; they stand in the first one or, behind a greeting, the second.
const NAMED_EVENTS_MAX: u8 = 8;

/// Content that is not plain text of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, named in records")]
pub struct Others {
    /// A whole tool call.
    pub tool_call: bool,
    /// A refusal.
    pub refusal: bool,
    /// Sound, pictures, annotations, or content in parts.
    pub media: bool,
    /// Log-probabilities.
    pub logprobs: bool,
    /// Another choice than the first.
    pub choices: bool,
    /// Thoughts. They do not stand in the way of a rescue: they are not sent to the next target (decision 13).
    pub reasoning: bool,
}

impl Others {
    pub(crate) const fn add(&mut self, more: Self) {
        self.tool_call |= more.tool_call;
        self.refusal |= more.refusal;
        self.media |= more.media;
        self.logprobs |= more.logprobs;
        self.choices |= more.choices;
        self.reasoning |= more.reasoning;
    }
}

/// What identifies a stream, as JSON, to be repeated when another target goes on with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// `id`.
    pub id: Option<Box<[u8]>>,
    /// `created`.
    pub created: Option<Box<[u8]>>,
    /// `model`.
    pub model: Option<Box<[u8]>>,
    /// `system_fingerprint`.
    pub system_fingerprint: Option<Box<[u8]>>,
}

/// What has been delivered of one answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivered {
    text: String,
    too_long: bool,
    others: Others,
    finished: bool,
    /// Events with text, and how many there were when text last held more than white space.
    text_events: u64,
    solid_events: u64,
    identity: Identity,
    searched: u8,
    usage: Option<Usage>,
}

impl Delivered {
    /// Nothing of the answer itself, but the names of its stream: thoughts went by.
    pub fn named(identity: Identity) -> Self {
        Self { identity, searched: NAMED_EVENTS_MAX, ..Self::default() }
    }

    /// The text, exactly as the client has put it together. Empty if it was too long to be remembered.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the text is all there; not if it was longer than [`DELIVERED_BYTES_MAX`].
    pub const fn is_complete(&self) -> bool {
        !self.too_long
    }

    /// What else was delivered.
    pub const fn others(&self) -> Others {
        self.others
    }

    /// Whether a finish reason was delivered.
    pub const fn finished(&self) -> bool {
        self.finished
    }

    /// What identifies the stream.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The newest usage that the stream reported by itself.
    pub const fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// Tokens delivered. Exact where the stream reports usage as it goes. Otherwise events with text are counted:
    /// every vendor sends at least one token with each, so it is never too many.
    pub fn tokens(&self) -> u64 {
        self.usage.map_or(0, |usage| usage.output_tokens).max(self.text_events)
    }

    /// The same without the tokens of white space at the end, which a prefill leaves to the next target.
    pub fn solid_tokens(&self) -> u64 {
        self.tokens().saturating_sub(self.text_events - self.solid_events)
    }

    pub(crate) fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let before = self.text.len();
        self.text.push_str(text);
        self.pushed(before);
    }

    /// The text from `before` on is what one more event brought.
    #[inline]
    pub(crate) fn pushed(&mut self, before: usize) {
        let Some(new) = self.text.as_bytes().get(before..).filter(|new| !new.is_empty()) else { return };
        let solid = !new.trim_ascii().is_empty();
        self.text_events += 1;
        if solid {
            self.solid_events = self.text_events;
        }
        self.too_long |= self.text.len() > DELIVERED_BYTES_MAX;
        if self.too_long {
            self.text = String::new();
        }
    }

    pub(crate) const fn sink(&mut self) -> &mut String {
        &mut self.text
    }

    pub(crate) const fn saw_tool_call(&mut self) {
        self.others.tool_call = true;
    }

    pub(crate) const fn saw(&mut self, others: Others, finished: bool) {
        self.others.add(others);
        self.finished |= finished;
    }

    pub(crate) const fn used(&mut self, usage: Option<Usage>) {
        self.usage = usage;
    }

    /// From here on tokens are counted on top of `tokens`.
    pub(crate) fn counted(&mut self, tokens: u64) {
        let more = tokens.saturating_sub(self.text_events);
        self.text_events += more;
        self.solid_events += more;
        self.usage = self.usage.map(|usage| Usage { output_tokens: 0, ..usage });
    }

    /// Looks for the stream's names, until they have been found.
    #[inline]
    pub(crate) fn identify(&mut self, data: &[u8]) {
        if self.searched < NAMED_EVENTS_MAX {
            self.search(data);
        }
    }

    #[cold]
    fn search(&mut self, data: &[u8]) {
        self.searched += 1;
        let Ok(spans) = json::scan(data, &["id", "created", "model", "system_fingerprint"]) else { return };
        let [id, created, model, system_fingerprint] = spans.members.map(|member| {
            let value = member.and_then(|m| data.get(m.value)).filter(|v| v.len() <= NAME_BYTES_MAX);
            value.filter(|value| !matches!(*value, b"null" | b"\"\"")).map(Box::from)
        });
        // A greeting without an id (Azure's filter results) is not the stream's own.
        if id.is_some() {
            self.identity = Identity { id, created, model, system_fingerprint };
            self.searched = NAMED_EVENTS_MAX;
        }
    }
}
