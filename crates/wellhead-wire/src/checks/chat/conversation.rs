//! Conversations and answers.

use super::parts::Writer;
use crate::chat::{
    Answer, Candidate, Dialect, Media, Message, Part, Rest, Role, Source, Stop, StopKind, Tool, ToolCall,
};
use serde_json::{Value, json};
use wellhead_types::Usage;

impl Writer<'_> {
    pub(super) fn conversation(&mut self, tools: &[Tool]) -> Vec<Message> {
        let mut messages = Vec::new();
        if self.can.system && self.dice.one_in(2) {
            messages.push(self.system());
        }
        let turns = 1 + self.dice.below(4);
        for turn in 0..turns {
            if self.can.system && self.can.system_anywhere && self.dice.one_in(5) {
                messages.push(self.system());
            }
            messages.push(self.user());
            if !self.can.alternates && self.dice.one_in(5) {
                messages.push(self.user());
            }
            for _ in 0..if tools.is_empty() { 0 } else { self.dice.below(3) } {
                self.round(tools, &mut messages);
            }
            if turn + 1 < turns {
                let parts = self.turn(&[]);
                messages.push(Message::new(Role::Assistant, parts));
            } else if self.can.prefill && self.dice.one_in(5) {
                messages.push(Message::new(Role::Assistant, vec![Part::text("The answer begins")]));
            }
        }
        messages
    }

    /// The assistant calls, and gets its results.
    fn round(&mut self, tools: &[Tool], messages: &mut Vec<Message>) {
        let calls = self.calls(tools);
        let parts = self.turn(&calls);
        messages.push(Message::new(Role::Assistant, parts));
        let results = calls.iter().map(|call| self.result(call)).collect();
        messages.push(Message::new(Role::Tool, results));
        if self.can.user_after_results && self.dice.one_in(5) {
            let user = self.user();
            messages.push(user);
        }
    }

    fn calls(&mut self, tools: &[Tool]) -> Vec<ToolCall> {
        let count = 1 + if self.can.parallel_calls { self.dice.below(3) } else { 0 };
        (0..count).map(|_| self.call(tools)).collect()
    }

    fn name(&mut self) -> Option<Box<str>> {
        self.dice.maybe(self.can.names, 6, |_| "alice_1".into())
    }

    fn system(&mut self) -> Message {
        let role = if self.can.developer && self.dice.one_in(2) { Role::Developer } else { Role::System };
        let parts = self.texts().into_iter().map(without_opaque).collect();
        Message { name: self.name(), ..Message::new(role, parts) }
    }

    fn texts(&mut self) -> Vec<Part> {
        let count = 1 + if self.can.text_parts && self.dice.one_in(3) { self.dice.below(3) } else { 0 };
        (0..count).map(|_| self.text_part()).collect()
    }

    fn user(&mut self) -> Message {
        let mut parts: Vec<Part> = self.texts().into_iter().map(without_opaque).collect();
        if self.dice.one_in(3) {
            for _ in 0..=self.dice.below(2) {
                parts.extend(self.shown());
            }
        }
        if self.can.media_anywhere {
            self.dice.shuffle(&mut parts);
        }
        Message { name: self.name(), ..Message::new(Role::User, parts) }
    }

    /// What an assistant says in a turn of the conversation.
    fn turn(&mut self, calls: &[ToolCall]) -> Vec<Part> {
        let mut parts = self.thoughts();
        if self.can.audio_ids && calls.is_empty() && self.dice.one_in(10) {
            let id = format!("audio_{}", self.dice.below(99));
            let media = Media { source: Source::File(id.clone()), media_type: None };
            parts.push(Part::Audio { media, id: Some(id.into()), transcript: None });
        } else if self.can.refusals && calls.is_empty() && self.dice.one_in(8) {
            parts.push(Part::Refusal(format!("I will not. {}", self.text())));
        } else if calls.is_empty() || self.dice.one_in(2) {
            parts.extend(self.texts());
        }
        for call in calls {
            let cache = self.cache(self.can.cache_calls);
            parts.push(Part::ToolCall(ToolCall { cache, ..call.clone() }));
        }
        if self.can.free_order && self.dice.one_in(2) {
            self.dice.shuffle(&mut parts);
            in_order_of(calls, &mut parts);
        }
        parts
    }

    fn thoughts(&mut self) -> Vec<Part> {
        let count = if self.can.reasoning && self.dice.one_in(2) { 1 } else { 0 };
        let more = if count == 1 && self.can.reasonings { self.dice.below(2) } else { 0 };
        (0..count + more).map(|_| self.reasoning()).collect()
    }

    pub(super) fn answer(&mut self) -> Answer {
        let can = self.can;
        let tools = self.tools();
        let candidates = 1 + if can.candidates && self.dice.one_in(4) { self.dice.below(3) } else { 0 };
        let id = Some(format!("a{}", self.dice.below(1_000_000)).into());
        let model = Some((*self.dice.pick(&["model-x", "models/y:latest", "größer"])).into());
        Answer {
            id,
            model,
            created: can.created.then(|| self.dice.number(1_600_000_000, 1_900_000_000)),
            candidates: (0..candidates)
                .zip(0_u32..)
                .map(|(_, index)| self.candidate(index, &tools))
                .collect(),
            usage: Some(self.usage()),
            service_tier: self.dice.maybe(can.service_tier, 3, |_| "default".into()),
            rest: Rest::default(),
        }
    }

    fn candidate(&mut self, index: u32, tools: &[Tool]) -> Candidate {
        let calls = if tools.is_empty() || !self.dice.one_in(2) { Vec::new() } else { self.calls(tools) };
        let mut parts = self.thoughts();
        parts.extend(self.said(&calls));
        parts.extend(calls.iter().cloned().map(Part::ToolCall));
        if self.can.free_order && self.dice.one_in(2) {
            self.dice.shuffle(&mut parts);
            in_order_of(&calls, &mut parts);
        }
        if !self.can.adjacent {
            parts.dedup_by(|later, part| {
                std::mem::discriminant(later) == std::mem::discriminant(part) && !is_call(part)
            });
        }
        let stop = Some(self.stop(&parts));
        let logprobs = self.dice.maybe(self.can.logprobs, 4, |_| {
            json!({"content": [{"token": "Hi", "logprob": -0.125, "bytes": [72, 105], "top_logprobs": []}], "refusal": null})
        });
        Candidate { index, parts, stop, logprobs, rest: Rest::default() }
    }

    /// Texts and what stands in their place.
    fn said(&mut self, calls: &[ToolCall]) -> Vec<Part> {
        let can = self.can;
        if can.refusals && calls.is_empty() && self.dice.one_in(8) {
            return vec![Part::Refusal(format!("I will not. {}", self.text()))];
        }
        if can.answer_audio && calls.is_empty() && self.dice.one_in(10) {
            let media = Media { source: Source::Base64("QUJDRA==".into()), media_type: None };
            return vec![Part::Audio { media, id: Some("audio_1".into()), transcript: Some(self.text()) }];
        }
        if !calls.is_empty() && self.dice.one_in(2) {
            return Vec::new();
        }
        let count = 1 + if can.answer_texts && self.dice.one_in(3) { self.dice.below(3) } else { 0 };
        let mut said: Vec<Part> = (0..count).map(|_| self.cited()).collect();
        if can.answer_images && self.dice.one_in(6) {
            said.extend(self.image(false));
        }
        said
    }

    fn cited(&mut self) -> Part {
        let text = self.text();
        let count = if self.can.citations && !text.is_empty() && self.dice.one_in(4) {
            self.dice.below(3)
        } else {
            0
        };
        let dialect = self.can.dialect;
        let citation = |number: usize| (dialect, citation(dialect, number));
        let citations = (0..count).map(citation).collect();
        Part::Text { text, citations, cache: None, opaque: self.opaque(self.can.text_opaque, 5) }
    }

    fn stop(&mut self, parts: &[Part]) -> Stop {
        let has = |kind| self.can.stops.contains(&kind);
        if parts.iter().any(|part| matches!(part, Part::Refusal(_))) {
            return Stop::new(if has(StopKind::Refusal) { StopKind::Refusal } else { StopKind::End });
        }
        let calls = parts.iter().any(is_call);
        if calls && has(StopKind::ToolCalls) && self.dice.below(4) > 0 {
            return Stop::new(StopKind::ToolCalls);
        }
        let fits = |kind: &&StopKind| match kind {
            StopKind::End => !calls,
            StopKind::ToolCalls => calls,
            // Said by the part where the dialect has one.
            StopKind::Refusal => !calls && !self.can.refusals,
            StopKind::MalformedCall | StopKind::Sequence => !calls,
            _ => true,
        };
        let kinds: Vec<&StopKind> = self.can.stops.iter().filter(fits).collect();
        let kind = if kinds.is_empty() { StopKind::End } else { **self.dice.pick(&kinds) };
        let sequence = (kind == StopKind::Sequence && self.can.stop_sequence).then(|| "\n\nHuman:".into());
        Stop { sequence, ..Stop::new(kind) }
    }

    #[allow(clippy::needless_update, reason = "more counts may come")]
    pub(super) fn usage(&mut self) -> Usage {
        let (input, output) = (self.dice.number(1, 200_000), self.dice.number(1, 60_000));
        let part = |dice: &mut super::Dice, can: bool, of: u64| {
            dice.maybe(can, 2, |dice| dice.number(0, of)).unwrap_or(0)
        };
        Usage {
            input_tokens: input,
            output_tokens: output,
            cached_input_tokens: part(&mut self.dice, self.can.usage_cached, input),
            reasoning_tokens: part(&mut self.dice, self.can.usage_reasoning, output),
            audio_tokens: part(&mut self.dice, self.can.usage_audio, input.min(output)),
            ..Usage::default()
        }
    }
}

/// In a form that the dialect's clients know, as far as this is the place to know it.
fn citation(dialect: Dialect, number: usize) -> Value {
    match dialect {
        Dialect::Chat => {
            let cited =
                json!({"url": "https://example.org", "title": "T", "start_index": 0, "end_index": number});
            json!({"type": "url_citation", "url_citation": cited})
        }
        _ => json!({"type": "note", "number": number, "title": "T"}),
    }
}

const fn is_call(part: &Part) -> bool {
    matches!(part, Part::ToolCall(_))
}

/// Only what a model said has to go back to it.
fn without_opaque(part: Part) -> Part {
    match part {
        Part::Text { text, citations, cache, .. } => Part::Text { text, citations, cache, opaque: None },
        other => other,
    }
}

/// Puts the calls back into their own order, wherever they stand.
fn in_order_of(calls: &[ToolCall], parts: &mut [Part]) {
    let at = |part: &Part| match part {
        Part::ToolCall(call) => calls.iter().position(|other| other.id == call.id),
        _ => None,
    };
    let places: Vec<usize> = (0..parts.len()).filter(|&place| is_call(&parts[place])).collect();
    let mut ordered: Vec<Part> = places.iter().map(|&place| parts[place].clone()).collect();
    ordered.sort_by_key(at);
    for (place, part) in places.into_iter().zip(ordered) {
        parts[place] = part;
    }
}
