//! From a stream's events to the whole answer, and back.

#![expect(missing_docs, reason = "members that every dialect has under this name")]

use super::{Answer, Candidate, Delta, Event, Part, PartKind, Reasoning, Rest, ToolCall};
use serde_json::Value;

/// Most bytes of text, arguments and media that an answer may have: a stream that goes on for ever ends here.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most candidates and most parts of one: above every vendor's own limits.
const NUMBER_MAX: u32 = 4096;

/// A stream that says something which its earlier events exclude.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    #[error("part {0} of an answer begins out of order")]
    OutOfOrder(u32),
    #[error("part {0} of an answer goes on although it has not begun or is over")]
    NotOpen(u32),
    #[error("part {0} of an answer goes on with something that it cannot hold")]
    Mismatch(u32),
    #[error("an answer has more than {ANSWER_BYTES_MAX} bytes or {NUMBER_MAX} parts")]
    TooLarge,
}

/// Collects events.
#[derive(Debug, Default)]
pub struct Fold {
    answer: Answer,
    /// Which parts of each candidate are still open, in the order of `answer.candidates`.
    open: Vec<Vec<bool>>,
    bytes: usize,
    ended: bool,
}

impl Fold {
    /// Adds an event.
    pub fn push(&mut self, event: Event) -> Result<(), FoldError> {
        match event {
            Event::Start { id, model, created } => {
                let answer = &mut self.answer;
                (answer.id, answer.model, answer.created) = (id, model, created);
            }
            Event::PartStart { candidate, part, kind } => {
                let at = self.candidate(candidate)?;
                let parts = &mut self.answer.candidates[at].parts;
                if part >= NUMBER_MAX {
                    return Err(FoldError::TooLarge);
                }
                if usize::try_from(part) != Ok(parts.len()) {
                    return Err(FoldError::OutOfOrder(part));
                }
                parts.push(begun(kind));
                self.open[at].push(true);
            }
            Event::Delta { candidate, part, delta } => {
                self.count(&delta)?;
                let (at, number) = self.opened(candidate, part)?;
                let open = self.answer.candidates[at].parts.get_mut(number);
                open.and_then(|open| grow(open, delta)).ok_or(FoldError::Mismatch(part))?;
            }
            Event::PartEnd { candidate, part } => {
                let (at, number) = self.opened(candidate, part)?;
                self.open[at][number] = false;
            }
            Event::Stop { candidate, stop } => {
                let at = self.candidate(candidate)?;
                self.answer.candidates[at].stop = Some(stop);
            }
            Event::Usage(usage) => self.answer.usage = Some(usage),
            Event::Logprobs { candidate, logprobs } => {
                let at = self.candidate(candidate)?;
                join(&mut self.answer.candidates[at].logprobs, logprobs);
            }
            Event::End => self.ended = true,
            Event::Ping | Event::Other(..) | Event::Error(_) => {}
        }
        Ok(())
    }

    /// Whether the vendor's end signal was seen.
    pub const fn is_ended(&self) -> bool {
        self.ended
    }

    /// What has been collected, candidates in their order.
    pub fn finish(mut self) -> Answer {
        self.answer.candidates.sort_by_key(|candidate| candidate.index);
        self.answer
    }

    /// The place of a candidate, which is made at its first event.
    fn candidate(&mut self, index: u32) -> Result<usize, FoldError> {
        if let Some(at) = self.answer.candidates.iter().position(|candidate| candidate.index == index) {
            return Ok(at);
        }
        if index >= NUMBER_MAX {
            return Err(FoldError::TooLarge);
        }
        self.answer.candidates.push(Candidate {
            index,
            parts: Vec::new(),
            stop: None,
            logprobs: None,
            rest: Rest::default(),
        });
        self.open.push(Vec::new());
        Ok(self.open.len() - 1)
    }

    fn opened(&mut self, candidate: u32, part: u32) -> Result<(usize, usize), FoldError> {
        let at = self.candidate(candidate)?;
        let number = usize::try_from(part).unwrap_or(usize::MAX);
        match self.open[at].get(number) {
            Some(true) => Ok((at, number)),
            Some(false) | None => Err(FoldError::NotOpen(part)),
        }
    }

    fn count(&mut self, delta: &Delta) -> Result<(), FoldError> {
        let bytes = match delta {
            Delta::Text(text) | Delta::Arguments(text) | Delta::Audio(text) | Delta::Transcript(text) => {
                text.len()
            }
            Delta::Opaque(opaque) => opaque.data.len(),
            Delta::Citation(..) | Delta::Redacted | Delta::Media(_) => 64,
        };
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > ANSWER_BYTES_MAX { Err(FoldError::TooLarge) } else { Ok(()) }
    }
}

fn begun(kind: PartKind) -> Part {
    match kind {
        PartKind::Text => Part::text(""),
        PartKind::Refusal => Part::Refusal(String::new()),
        PartKind::Reasoning { id, is_summary } => {
            Part::Reasoning(Reasoning { id, is_summary, ..Reasoning::default() })
        }
        PartKind::ToolCall { id, name, is_custom } => Part::ToolCall(ToolCall {
            id,
            name,
            arguments: String::new(),
            is_custom,
            opaque: None,
            cache: None,
        }),
        PartKind::Audio { id, media_type } => Part::Audio {
            media: super::Media { source: super::Source::Base64(String::new()), media_type },
            id,
            transcript: None,
        },
        PartKind::Whole(part) => *part,
    }
}

/// Adds a delta to a part; `None` if the part cannot hold it.
fn grow(part: &mut Part, delta: Delta) -> Option<()> {
    use super::Source;
    match (part, delta) {
        (Part::Text { text, .. } | Part::Refusal(text), Delta::Text(more)) => text.push_str(&more),
        (Part::Text { citations, .. }, Delta::Citation(dialect, citation)) => {
            citations.push((dialect, citation));
        }
        (Part::Reasoning(reasoning), Delta::Text(more)) => reasoning.text.push_str(&more),
        (Part::Reasoning(reasoning), Delta::Opaque(opaque)) => reasoning.opaque = Some(opaque),
        (Part::Reasoning(reasoning), Delta::Redacted) => reasoning.is_redacted = true,
        (Part::ToolCall(call), Delta::Arguments(more)) => call.arguments.push_str(&more),
        (Part::ToolCall(call), Delta::Opaque(opaque)) => call.opaque = Some(opaque),
        (Part::Text { opaque, .. }, Delta::Opaque(proof)) => *opaque = Some(proof),
        (Part::Audio { media, .. }, Delta::Audio(more)) => match &mut media.source {
            Source::Base64(audio) => audio.push_str(&more),
            _ => return None,
        },
        (Part::Audio { transcript, .. }, Delta::Transcript(more)) => {
            transcript.get_or_insert_default().push_str(&more);
        }
        (Part::Image { media, .. } | Part::Audio { media, .. }, Delta::Media(found)) => *media = found,
        _ => return None,
    }
    Some(())
}

/// Lists under the same name are joined, as OpenAI's clients do it.
fn join(all: &mut Option<Value>, more: Value) {
    let Some(Value::Object(all)) = all else {
        *all = Some(more);
        return;
    };
    let Value::Object(more) = more else { return };
    for (name, value) in more {
        match (all.get_mut(&name), value) {
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
            (_, value) => drop(all.insert(name, value)),
        }
    }
}

impl Answer {
    /// The events of a stream that says the same: for clients who want a stream of what came in one piece.
    pub fn into_events(self) -> Vec<Event> {
        let mut events = vec![Event::Start { id: self.id, model: self.model, created: self.created }];
        for Candidate { index: candidate, parts, stop, logprobs, .. } in self.candidates {
            for (part, number) in parts.into_iter().zip(0_u32..) {
                let (kind, deltas) = taken_apart(part);
                events.push(Event::PartStart { candidate, part: number, kind });
                events.extend(deltas.into_iter().map(|delta| Event::Delta {
                    candidate,
                    part: number,
                    delta,
                }));
                events.push(Event::PartEnd { candidate, part: number });
            }
            events.extend(logprobs.map(|logprobs| Event::Logprobs { candidate, logprobs }));
            events.extend(stop.map(|stop| Event::Stop { candidate, stop }));
        }
        events.extend(self.usage.map(Event::Usage));
        events.push(Event::End);
        events
    }
}

/// What a part is in a stream.
pub(crate) fn taken_apart(part: Part) -> (PartKind, Vec<Delta>) {
    match part {
        Part::Text { text, citations, cache: None, opaque } => {
            let cited = citations.into_iter().map(|(dialect, citation)| Delta::Citation(dialect, citation));
            let proof = opaque.map(Delta::Opaque);
            (PartKind::Text, said(text).into_iter().chain(cited).chain(proof).collect())
        }
        Part::Refusal(text) => (PartKind::Refusal, said(text).into_iter().collect()),
        Part::Reasoning(Reasoning { text, is_summary, opaque, is_redacted, id }) => {
            let proof = opaque.map(Delta::Opaque);
            let hidden = is_redacted.then_some(Delta::Redacted);
            (
                PartKind::Reasoning { id, is_summary },
                said(text).into_iter().chain(proof).chain(hidden).collect(),
            )
        }
        Part::ToolCall(ToolCall { id, name, arguments, is_custom, opaque, .. }) => {
            let arguments = Some(arguments).filter(|text| !text.is_empty()).map(Delta::Arguments);
            let kind = PartKind::ToolCall { id, name, is_custom };
            (kind, arguments.into_iter().chain(opaque.map(Delta::Opaque)).collect())
        }
        whole => (PartKind::Whole(Box::new(whole)), Vec::new()),
    }
}

fn said(text: String) -> Option<Delta> {
    Some(text).filter(|text| !text.is_empty()).map(Delta::Text)
}
