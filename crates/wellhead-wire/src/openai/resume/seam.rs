//! Joining a second stream to what a client has of a first one.
//!
//! Its events pass one by one. Text that the client has already is swallowed, in the middle of an event by a span
//! edit; whatever else comes before the first new text (role, thoughts, greetings) is swallowed too. What passes
//! keeps its bytes but for the names of the stream, which stay those of the first, and for usage, which covers the
//! whole answer. The first event that passes gets a member `wellhead` that says how, where (in bytes of the answer's
//! text) and by which model the answer was resumed.

mod edit;
mod overlap;
mod phase;

use super::Plan;
use crate::json;
use crate::openai::Endpoint;
use crate::openai::stream::{Chunk, Delivered};
use crate::sse::{Event, FrameError, Framer, Tail, Verdict};
use bytes::Bytes;
use edit::{Edits, Layout};
use phase::Phase;
use wellhead_types::Usage;

/// Why a second stream cannot be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A restart said something else, or ended before it had said as much. The client has heard none of it.
    #[error("the second answer differs from what was delivered")]
    Mismatch,
    /// The answer had to be JSON and is not, now that both parts are together. Its ending has not been delivered.
    #[error("the joined answer is not JSON")]
    NotJson,
    /// The stream cannot be cut into events.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// A second stream on its way to the client.
#[derive(Debug)]
pub struct Resumed {
    plan: Plan,
    delivered: Delivered,
    phase: Phase,
    framer: Framer,
    /// Tokens of the answer that the second stream does not count among its own.
    tokens_before: u64,
    seam: usize,
    /// The whole answer has to be JSON.
    json: bool,
    /// An event has passed.
    began: bool,
    /// Events that wait until it is known whether they repeat something.
    waiting: Vec<Vec<u8>>,
}

/// What one event holds, as far as seams care.
struct Seen {
    text: String,
    /// A finish reason of the answer, or the end of the stream.
    ends: bool,
    /// It says that the answer is whole, as opposed to cut by a limit.
    whole: bool,
    /// It holds something besides text that the client must have.
    acts: bool,
}

impl Resumed {
    /// Joins the stream that answers the body of `plan`. `wants_json` as the request says ([`super::Original`]),
    /// `event_bytes_max` as for every stream.
    pub fn new(
        endpoint: Endpoint,
        plan: Plan,
        mut delivered: Delivered,
        wants_json: bool,
        event_bytes_max: usize,
    ) -> Self {
        let text = delivered.text();
        let solid = text.trim_ascii_end().len();
        let phase = match plan {
            _ if text.is_empty() => Phase::Flow,
            Plan::Restart => Phase::Match { at: 0 },
            // A prompt is not repeated, whoever completes it.
            Plan::Prefill(form) if form.echoes() && endpoint == Endpoint::ChatCompletions => {
                Phase::Echo { at: 0 }
            }
            Plan::Prefill(_) => Phase::Blank { at: solid },
            Plan::Continue => Phase::Overlap { new: String::new() },
        };
        let seam = text.len();
        let tokens_before = match plan {
            Plan::Prefill(_) => delivered.solid_tokens(),
            Plan::Restart | Plan::Continue => delivered.tokens(),
        };
        delivered.counted(delivered.tokens());
        Self {
            plan,
            delivered,
            phase,
            framer: Framer::new(event_bytes_max),
            tokens_before,
            seam,
            json: wants_json && matches!(plan, Plan::Prefill(_)),
            began: false,
            waiting: Vec::new(),
        }
    }

    /// Takes what the observer let pass of the second stream, whole events, and appends to `out` what the client gets.
    /// After an error nothing more may be pushed; what is in `out` is good.
    pub fn push(&mut self, events: Bytes, out: &mut Vec<Bytes>) -> Result<(), Broken> {
        let mut framer = std::mem::replace(&mut self.framer, Framer::new(0));
        let mut broken = None;
        let framed = framer.push(
            events,
            &mut |event| match broken {
                Some(_) => Verdict::Drop,
                None => self.event(&event).unwrap_or_else(|error| {
                    broken = Some(error);
                    Verdict::Drop
                }),
            },
            out,
        );
        // An event that lacks its blank line was given one by the framer before us.
        debug_assert!(framed.is_err() || matches!(framer.finish(), Tail::Clean), "whole events only");
        self.framer = framer;
        broken.map_or_else(|| framed.map_err(Broken::from), Err)
    }

    /// Whether new text has gone to the client: from here on this is the stream that the client reads.
    pub const fn began(&self) -> bool {
        self.began
    }

    /// What the client has of the answer now, for the case that this stream breaks off too.
    pub fn into_delivered(self) -> Delivered {
        self.delivered
    }

    /// Tells the whole answer's usage from the second stream's own. A restart counts the whole answer by itself.
    /// Otherwise the input is the first stream's if it was known, or what remains without the text that was handed
    /// over; the output is what was delivered ([`Delivered::tokens`]) and what came now.
    pub fn usage(&self, own: Usage) -> Usage {
        if self.plan == Plan::Restart {
            return own;
        }
        let input = match self.delivered.usage() {
            Some(first) if first.input_tokens > 0 => first.input_tokens,
            _ => own.input_tokens.saturating_sub(self.tokens_before),
        };
        Usage {
            input_tokens: input,
            output_tokens: own.output_tokens.saturating_add(self.tokens_before),
            cached_input_tokens: own.cached_input_tokens.min(input),
            ..own
        }
    }

    fn event(&mut self, event: &Event<'_>) -> Result<Verdict, Broken> {
        let Some(data) = event.data() else { return Ok(Verdict::Pass) };
        let mut chunk = Chunk::collecting(Some(String::new()));
        let read = chunk.read(&data);
        let text = chunk.text.take().unwrap_or_default();
        if read.is_err() {
            if data.trim_ascii() != b"[DONE]" {
                return Ok(Verdict::Pass);
            }
            let end = Seen { text, ends: true, whole: false, acts: false };
            let mut before = Vec::new();
            self.advance(&end, &mut before)?;
            return Ok(with(before, event.raw()));
        };
        let media = chunk.content && text.is_empty();
        let seen = Seen {
            ends: chunk.finished != 0,
            whole: chunk.finished & !chunk.truncated != 0,
            acts: media || !chunk.fragments.is_empty() || chunk.others.media || chunk.others.choices,
            text,
        };
        let mut out = Vec::new();
        match self.advance(&seen, &mut out)? {
            Some(skip) => self.deliver(event, &chunk, &seen, skip, &mut out)?,
            // Only the beginning of an answer waits, and never more than is needed to be sure.
            None if self.phase.is_sure() => self.waiting.clear(),
            None => self.waiting.push(event.raw().to_vec()),
        }
        Ok(Verdict::Replace(Bytes::from(out)))
    }

    /// Moves on by one event. Gives how many bytes of its text the client has already, or `None` if that is not
    /// known yet. Events that have waited go to `out` when it is.
    fn advance(&mut self, seen: &Seen, out: &mut Vec<u8>) -> Result<Option<usize>, Broken> {
        let last = seen.ends || seen.acts;
        let mut skip = 0;
        loop {
            let rest = seen.text.get(skip..).unwrap_or_default();
            let step = self.phase.step(self.delivered.text(), rest, last)?;
            match step {
                phase::Step::Swallow(bytes) => return Ok(Some(skip + bytes)),
                phase::Step::Next(bytes) => {
                    skip += bytes;
                    // What waited was a repetition.
                    self.waiting.clear();
                }
                phase::Step::Wait if rest.is_empty() && !last => return Ok(Some(skip)),
                phase::Step::Wait => return Ok(None),
                phase::Step::Replay => {
                    for raw in std::mem::take(&mut self.waiting) {
                        if let Verdict::Replace(bytes) = self.event(&Event::parse(&raw))? {
                            out.extend_from_slice(&bytes);
                        }
                    }
                }
            }
        }
    }

    /// Writes what is left of an event.
    fn deliver(
        &mut self,
        event: &Event<'_>,
        chunk: &Chunk<'_>,
        seen: &Seen,
        skip: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let new = seen.text.get(skip..).unwrap_or_default();
        let usage_only = chunk.choices == 0 && chunk.usage.is_some();
        let carries = !new.is_empty() || seen.ends || seen.acts || usage_only;
        if !carries && (!self.began || skip > 0) {
            return Ok(());
        }
        self.delivered.push(new);
        self.delivered.saw(chunk.others, chunk.finished != 0);
        if !chunk.fragments.is_empty() {
            self.delivered.saw_tool_call();
        }
        let plain = !self.delivered.others().tool_call && self.delivered.is_complete();
        if self.json && plain && seen.whole && json::validate(self.delivered.text().as_bytes()).is_err() {
            return Err(Broken::NotJson);
        }
        let Some(data) = event.data() else { return Ok(()) };
        // If the first stream was cut before it named itself, this one's names are the stream's.
        self.delivered.identify(&data);
        let Ok(layout) = Layout::read(&data) else {
            out.extend_from_slice(event.raw());
            return Ok(());
        };
        if skip > 0 && !layout.says(&seen.text) {
            // Several texts in one event; nobody can tell which of them the client has.
            return Err(Broken::Mismatch);
        }
        let edits = Edits {
            identity: self.delivered.identity(),
            skip,
            usage: layout.usage().map(|own| self.usage(own)).filter(|_| self.plan != Plan::Restart),
            mark: (!self.began).then_some((self.plan.as_str(), self.seam)),
        };
        self.began = true;
        edit::write(event, &data, &layout, &edits, out);
        Ok(())
    }
}

/// An event as it came, behind what had to go before it.
fn with(mut before: Vec<u8>, raw: &[u8]) -> Verdict {
    if before.is_empty() {
        return Verdict::Pass;
    }
    before.extend_from_slice(raw);
    Verdict::Replace(Bytes::from(before))
}
