//! One candidate of a stream that is read.

use super::super::answer::{piece, read_image, vendors};
use super::super::members::{self, Members, objects, take, text};
use super::super::stop::{self, Held};
use super::super::thought::{self, Entry, Kind, Thought};
use super::super::{PARTS_MAX, call};
use super::calls::{Calls, Place};
use crate::chat::{Delta, Dialect, Event, Origin, Part, PartKind};
use serde_json::Value;

/// What has begun and is not over, besides calls.
#[derive(Debug)]
enum Open {
    Text(u32),
    Refusal(u32),
    Audio(u32),
    Thought(u32, Thought),
}

/// One candidate.
#[derive(Debug)]
pub(super) struct Speaker {
    pub(super) candidate: u32,
    next: u32,
    open: Option<Open>,
    calls: Calls,
    held: Held,
    pub(super) is_finished: bool,
}

/// Where events go, and what they need.
pub(super) struct Scene<'a> {
    pub(super) origin: &'a Origin,
    /// The answer's id, for calls without one.
    pub(super) answer: Option<&'a str>,
    pub(super) out: &'a mut Vec<Event>,
}

impl Speaker {
    pub(super) fn new(candidate: u32) -> Self {
        Self {
            candidate,
            next: 0,
            open: None,
            calls: Calls::default(),
            held: Held::default(),
            is_finished: false,
        }
    }

    /// Reads an element of `choices`. `Err` says what is wrong with the stream.
    pub(super) fn hear(&mut self, mut choice: Members, scene: &mut Scene<'_>) -> Result<(), String> {
        // MiniMax and others send a last chunk behind the reason; it repeats or says nothing.
        if self.is_finished {
            return Ok(());
        }
        // Perplexity sends both; `message` repeats everything so far.
        let message = members::object(&mut choice, "message");
        if let Some(delta) = members::object(&mut choice, "delta").or(message) {
            self.delta(delta, scene)?;
        }
        if let Some(logprobs) = take(&mut choice, "logprobs") {
            scene.out.push(Event::Logprobs { candidate: self.candidate, logprobs });
        }
        if let Some(stop) = stop::read(&mut choice, self.held) {
            self.close(scene)?;
            self.is_finished = true;
            scene.out.push(Event::Stop { candidate: self.candidate, stop });
        }
        Ok(())
    }

    fn delta(&mut self, mut delta: Members, scene: &mut Scene<'_>) -> Result<(), String> {
        self.think(&mut delta, scene)?;
        let signature = thought::signature(&mut delta);
        match take(&mut delta, "content") {
            Some(Value::String(text)) => self.text(text, scene)?,
            Some(Value::Array(pieces)) => {
                for part in pieces.into_iter().filter_map(piece) {
                    self.piece(part, scene)?;
                }
            }
            _ => {}
        }
        for citation in members::list(&mut delta, "annotations") {
            let part = self.text_part(scene)?;
            self.more(part, Delta::Citation(Dialect::Chat, citation), scene);
        }
        if let Some(refusal) = text(&mut delta, "refusal").filter(|text| !text.is_empty()) {
            self.refuse(refusal, scene)?;
        }
        for part in objects(&mut delta, "images").filter_map(read_image) {
            self.whole(part, scene)?;
        }
        if let Some(audio) = members::object(&mut delta, "audio") {
            self.audio(audio, scene)?;
        }
        if let Some(signature) = signature {
            let part = self.text_part(scene)?;
            self.more(part, Delta::Opaque(vendors(&signature, scene.origin)), scene);
        }
        for mut call in members::objects(&mut delta, "tool_calls") {
            let place = members::count(&mut call, "index").map_or(Place::Nowhere, Place::Number);
            self.call(place, call::said(&mut call), scene)?;
        }
        if let Some(mut function) = members::object(&mut delta, "function_call") {
            self.call(Place::Function, call::function_said(&mut function), scene)?;
        }
        Ok(())
    }

    fn think(&mut self, delta: &mut Members, scene: &mut Scene<'_>) -> Result<(), String> {
        let plain = thought::plain(delta);
        let entries = thought::entries(delta);
        let has_words = entries.iter().any(|entry| entry.text.as_ref().is_some_and(|text| !text.is_empty()));
        if let Some(text) = plain.filter(|_| !has_words) {
            self.thought(Entry { text: Some(text), ..Entry::default() }, true, scene)?;
        }
        entries.into_iter().try_for_each(|entry| self.thought(entry, false, scene))
    }

    /// More of a thought. `plain`: it came as a text beside any entries, and goes on with whatever is open.
    fn thought(&mut self, entry: Entry, plain: bool, scene: &mut Scene<'_>) -> Result<(), String> {
        let words = entry.text.as_ref().is_some_and(|text| !text.is_empty());
        if !words && entry.proof.is_none() {
            return Ok(());
        }
        let goes_on = match &self.open {
            Some(Open::Thought(_, thought)) if plain => !thought.is_proven,
            // The proof of words that came as plain text.
            Some(Open::Thought(_, thought)) if !words && thought.index.is_none() => {
                !thought.is_proven && (entry.kind == Kind::Text || thought.kind == Kind::Summary)
            }
            Some(Open::Thought(_, thought)) => thought.goes_on(&entry, true),
            _ => false,
        };
        let part = match &mut self.open {
            Some(Open::Thought(part, thought)) if goes_on => {
                thought.is_proven |= entry.proof.is_some();
                *part
            }
            _ => {
                let is_summary = entry.kind == Kind::Summary;
                let part = self.start(PartKind::Reasoning { id: entry.id.clone(), is_summary }, scene)?;
                self.open = Some(Open::Thought(part, Thought::of(&entry)));
                part
            }
        };
        if let Some(text) = entry.text.filter(|_| words) {
            self.more(part, Delta::Text(text), scene);
        }
        if let Some(proof) = entry.proof {
            self.more(part, Delta::Opaque(vendors(&proof, scene.origin)), scene);
            if entry.is_redacted && !goes_on {
                self.more(part, Delta::Redacted, scene);
            }
        }
        Ok(())
    }

    fn piece(&mut self, part: Part, scene: &mut Scene<'_>) -> Result<(), String> {
        match part {
            Part::Text { text, .. } => self.text(text, scene),
            Part::Refusal(text) => self.refuse(text, scene),
            Part::Reasoning(thought) => {
                self.thought(Entry { text: Some(thought.text), ..Entry::default() }, true, scene)
            }
            whole => self.whole(whole, scene),
        }
    }

    fn text(&mut self, text: String, scene: &mut Scene<'_>) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        let part = self.text_part(scene)?;
        self.more(part, Delta::Text(text), scene);
        Ok(())
    }

    fn text_part(&mut self, scene: &mut Scene<'_>) -> Result<u32, String> {
        if let Some(Open::Text(part)) = self.open {
            return Ok(part);
        }
        let part = self.start(PartKind::Text, scene)?;
        self.open = Some(Open::Text(part));
        Ok(part)
    }

    fn refuse(&mut self, text: String, scene: &mut Scene<'_>) -> Result<(), String> {
        self.held.refusal = true;
        let part = match self.open {
            Some(Open::Refusal(part)) => part,
            _ => {
                let part = self.start(PartKind::Refusal, scene)?;
                self.open = Some(Open::Refusal(part));
                part
            }
        };
        self.more(part, Delta::Text(text), scene);
        Ok(())
    }

    fn audio(&mut self, mut audio: Members, scene: &mut Scene<'_>) -> Result<(), String> {
        let id = members::word(&mut audio, "id").map(Into::into);
        let part = match self.open {
            Some(Open::Audio(part)) => part,
            _ => {
                let part = self.start(PartKind::Audio { id, media_type: None }, scene)?;
                self.open = Some(Open::Audio(part));
                part
            }
        };
        if let Some(data) = text(&mut audio, "data").filter(|data| !data.is_empty()) {
            self.more(part, Delta::Audio(data), scene);
        }
        if let Some(transcript) = text(&mut audio, "transcript").filter(|text| !text.is_empty()) {
            self.more(part, Delta::Transcript(transcript), scene);
        }
        Ok(())
    }

    fn whole(&mut self, part: Part, scene: &mut Scene<'_>) -> Result<(), String> {
        let number = self.start(PartKind::Whole(Box::new(part)), scene)?;
        scene.out.push(Event::PartEnd { candidate: self.candidate, part: number });
        Ok(())
    }

    fn call(&mut self, place: Place, said: call::Said, scene: &mut Scene<'_>) -> Result<(), String> {
        let opaque = said.signature.as_deref().map(|data| Delta::Opaque(vendors(data, scene.origin)));
        let step = self.calls.take(place, said, opaque, scene.answer).map_err(|error| error.to_string())?;
        if let Some((id, name, is_custom)) = step.begins {
            self.held.calls = true;
            let part = self.start(PartKind::ToolCall { id, name, is_custom }, scene)?;
            self.calls.0[step.at].part = Some(part);
        }
        if let Some(part) = self.calls.0[step.at].part {
            step.deltas.into_iter().for_each(|delta| self.more(part, delta, scene));
        }
        Ok(())
    }

    /// Begins a part; what was open before is over, but for calls, which may come side by side.
    fn start(&mut self, kind: PartKind, scene: &mut Scene<'_>) -> Result<u32, String> {
        self.close_open(scene);
        let part = self.next;
        if usize::try_from(part).unwrap_or(usize::MAX) >= PARTS_MAX {
            return Err(format!("an answer has more than {PARTS_MAX} parts"));
        }
        self.next += 1;
        scene.out.push(Event::PartStart { candidate: self.candidate, part, kind });
        Ok(part)
    }

    fn more(&self, part: u32, delta: Delta, scene: &mut Scene<'_>) {
        scene.out.push(Event::Delta { candidate: self.candidate, part, delta });
    }

    fn close_open(&mut self, scene: &mut Scene<'_>) {
        if let Some(Open::Text(part) | Open::Refusal(part) | Open::Audio(part) | Open::Thought(part, _)) =
            self.open.take()
        {
            scene.out.push(Event::PartEnd { candidate: self.candidate, part });
        }
    }

    /// Ends every part.
    pub(super) fn close(&mut self, scene: &mut Scene<'_>) -> Result<(), String> {
        self.calls.check().map_err(|error| error.to_string())?;
        self.close_open(scene);
        for call in std::mem::take(&mut self.calls).0 {
            let Some(part) = call.part else { continue };
            if call.lacks_arguments() {
                self.more(part, Delta::Arguments("{}".to_owned()), scene);
            }
            scene.out.push(Event::PartEnd { candidate: self.candidate, part });
        }
        Ok(())
    }
}
