//! Answers as streams.

use super::{Can, Dice, answer};
use crate::chat::{Delta, Event};
use std::collections::VecDeque;

/// A part on its way: its events in order, the first and the last of which begin and end it.
struct Open {
    events: VecDeque<Event>,
    is_call: bool,
}

/// One candidate on its way.
struct Speaker {
    waiting: VecDeque<Open>,
    open: Vec<Open>,
    last: Vec<Event>,
}

/// A stream that says what [`answer`] says with the same seed: texts in pieces, calls side by side and candidates by
/// turns where the dialect allows it, and usage that grows.
pub fn events(seed: u64, can: &Can) -> Vec<Event> {
    let mut dice = Dice::new(!seed);
    let mut speakers: Vec<Speaker> = Vec::new();
    let (mut out, mut end) = (Vec::new(), Vec::new());
    for event in answer(seed, can).into_events() {
        let candidate = match event {
            Event::PartStart { candidate, .. }
            | Event::Delta { candidate, .. }
            | Event::PartEnd { candidate, .. }
            | Event::Stop { candidate, .. }
            | Event::Logprobs { candidate, .. } => usize::try_from(candidate).expect("small"),
            Event::Start { .. } => {
                out.push(event);
                continue;
            }
            _ => {
                end.push(event);
                continue;
            }
        };
        while speakers.len() <= candidate {
            speakers.push(Speaker { waiting: VecDeque::new(), open: Vec::new(), last: Vec::new() });
        }
        speakers[candidate].hear(event, &mut dice);
    }
    while !speakers.is_empty() {
        if can.pings && dice.one_in(8) {
            out.push(Event::Ping);
        }
        let at = dice.below(speakers.len());
        match speakers[at].speak(&mut dice, can) {
            Some(event) => out.push(event),
            None => out.append(&mut speakers.swap_remove(at).last),
        }
    }
    for event in end {
        if let Event::Usage(usage) = &event
            && dice.one_in(3)
        {
            let begun =
                wellhead_types::Usage { output_tokens: 0, reasoning_tokens: 0, audio_tokens: 0, ..*usage };
            out.push(Event::Usage(begun));
        }
        out.push(event);
    }
    out
}

impl Speaker {
    fn hear(&mut self, event: Event, dice: &mut Dice) {
        use crate::chat::PartKind;
        match event {
            Event::PartStart { ref kind, .. } => {
                let is_call = matches!(kind, PartKind::ToolCall { .. });
                self.waiting.push_back(Open { events: [event].into(), is_call });
            }
            Event::Stop { .. } | Event::Logprobs { .. } => self.last.push(event),
            Event::Delta { candidate, part, delta } => {
                let open = self.waiting.back_mut().expect("parts begin before they go on");
                let deltas = pieces(delta, dice);
                open.events.extend(deltas.into_iter().map(|delta| Event::Delta { candidate, part, delta }));
            }
            other => self.waiting.back_mut().expect("parts begin before they end").events.push_back(other),
        }
    }

    fn speak(&mut self, dice: &mut Dice, can: &Can) -> Option<Event> {
        let beside = can.interleaves
            && self.open.iter().all(|open| open.is_call)
            && self.waiting.front().is_some_and(|next| next.is_call)
            && dice.one_in(2);
        if self.open.is_empty() || beside {
            self.open.extend(self.waiting.pop_front());
            // The one that has just come begins at once: parts begin in their order.
            return self.open.last_mut().and_then(|open| open.events.pop_front());
        }
        let at = dice.below(self.open.len());
        let event = self.open[at].events.pop_front();
        if self.open[at].events.is_empty() {
            self.open.swap_remove(at);
        }
        event
    }
}

/// Cuts what can be cut, between characters.
fn pieces(delta: Delta, dice: &mut Dice) -> Vec<Delta> {
    type Make = fn(String) -> Delta;
    let (text, make): (String, Make) = match delta {
        Delta::Text(text) => (text, Delta::Text),
        Delta::Arguments(text) => (text, Delta::Arguments),
        whole => return vec![whole],
    };
    let mut pieces = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let len = rest.ceil_char_boundary(1 + dice.below(1 + text.len() / 3));
        let (piece, after) = rest.split_at(len.min(rest.len()));
        pieces.push(make(piece.to_owned()));
        rest = after;
    }
    pieces
}
