//! A client's stream.

use super::open::{Block, Kind};
use super::relay::Seen;
use super::wire::{Ending, Message, Wire, frame};
use crate::anthropic::read::DIALECT;
use crate::anthropic::{answer, stop, usage};
use crate::chat::{Delta, Event, PartKind, Shown, Stop};
use std::collections::VecDeque;
use wellhead_types::Usage;

/// Most bytes that wait for their turn. Several calls side by side are rare, and their inputs are short.
pub const HELD_BYTES_MAX: usize = 1 << 20;

/// Most parts that are remembered because they may go on later.
const PAUSED_MAX: usize = 256;

/// Writes a stream. This dialect has one block open at a time, while a vendor may have several parts open side by side:
///
/// * A text or a thought makes way for whatever begins next, and goes on in a block of its own if more of it comes.
/// * A call cannot be split: what begins beside it waits until it ends. If more than [`HELD_BYTES_MAX`] wait, they are
///   written side by side after all. The numbers of the events allow it, and nothing is lost.
#[derive(Debug)]
pub struct StreamEncoder {
    shown: Shown,
    start: Start,
    /// The number of the next block.
    next: u32,
    /// One, unless too much was waiting.
    open: Vec<(u32, Block)>,
    waiting: VecDeque<Waiting>,
    held_bytes: usize,
    /// Parts whose block was ended to make way.
    paused: VecDeque<(u32, Kind)>,
    has_calls: bool,
    stop: Option<Stop>,
    usage: Option<Usage>,
    is_over: bool,
    /// What the client got from the target itself.
    seen: Option<Box<Seen>>,
}

/// The part under which a text stands that was begun by another, until it is known which part goes on with it.
const INHERITED: u32 = u32::MAX;

/// How far `message_start` is. It waits for the event after it, which is often the count that it has to name.
#[derive(Debug)]
enum Start {
    Unknown,
    Held { id: Option<Box<str>> },
    Written,
}

/// A part whose turn has not come.
#[derive(Debug)]
struct Waiting {
    part: u32,
    kind: Kind,
    deltas: Vec<Delta>,
    is_whole: bool,
}

impl StreamEncoder {
    /// For a client that was just promised a stream.
    pub const fn new(shown: Shown) -> Self {
        Self {
            shown,
            start: Start::Unknown,
            next: 0,
            open: Vec::new(),
            waiting: VecDeque::new(),
            held_bytes: 0,
            paused: VecDeque::new(),
            has_calls: false,
            stop: None,
            usage: None,
            is_over: false,
            seen: None,
        }
    }

    /// Passes on an event that the target wrote in this dialect itself.
    pub fn relay(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        self.seen.get_or_insert_default().relay(raw, &self.shown.model, out);
    }

    /// From here on the stream is written here, behind what was passed on: numbers go on, and so does an open text.
    pub fn take_over(&mut self, out: &mut Vec<u8>) {
        let Some(mut seen) = self.seen.take() else { return };
        self.start = Start::Written;
        self.next = seen.next;
        self.open.extend(seen.hand_over(out).map(|block| (INHERITED, block)));
    }

    /// Ends a stream that was passed on, if its last event is all that it lacks.
    pub fn finish_relayed(&mut self, out: &mut Vec<u8>) -> bool {
        self.is_over = self.seen.as_mut().is_some_and(|seen| seen.finish(out));
        self.is_over
    }

    /// Adds what the client gets for an event: whole events, or nothing yet. This dialect knows one candidate.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.is_over {
            return;
        }
        match event {
            Event::Start { id, .. } => {
                if matches!(self.start, Start::Unknown) {
                    self.start = Start::Held { id: id.clone() };
                }
            }
            Event::Usage(usage) => {
                self.usage = Some(*usage);
                if matches!(self.start, Start::Held { .. }) {
                    self.begin(out);
                }
            }
            Event::Stop { candidate: 0, stop } => self.stop = Some(stop.clone()),
            Event::Ping => {
                self.begin_if_held(out);
                Wire::Ping.write(out);
            }
            Event::PartStart { candidate: 0, part, kind } => {
                self.begin(out);
                self.part_start(*part, kind, out);
            }
            Event::Delta { candidate: 0, part, delta } => self.delta(*part, delta, out),
            Event::PartEnd { candidate: 0, part } => self.part_end(*part, out),
            Event::Other(dialect, value) if *dialect == DIALECT => {
                if let Some(name) = value.get("type").and_then(|name| name.as_str()) {
                    self.begin(out);
                    frame(name, value, out);
                }
            }
            Event::End => self.end(out),
            // What follows is the error, which the gateway writes.
            Event::Error(_) => self.is_over = true,
            Event::Stop { .. }
            | Event::PartStart { .. }
            | Event::Delta { .. }
            | Event::PartEnd { .. }
            | Event::Logprobs { .. }
            | Event::Other(..) => {}
        }
    }

    fn begin_if_held(&mut self, out: &mut Vec<u8>) {
        if matches!(self.start, Start::Held { .. }) {
            self.begin(out);
        }
    }

    /// `message_start`, once.
    fn begin(&mut self, out: &mut Vec<u8>) {
        let id = match std::mem::replace(&mut self.start, Start::Written) {
            Start::Written => return,
            Start::Unknown => None,
            Start::Held { id } => id,
        };
        let message = Message {
            id: &answer::id(id.as_deref(), &self.shown),
            kind: "message",
            role: "assistant",
            model: &self.shown.model,
            content: [],
            stop_reason: None,
            stop_sequence: None,
            usage: usage::Shown::new(self.usage),
        };
        Wire::MessageStart { message }.write(out);
    }

    fn part_start(&mut self, part: u32, kind: &PartKind, out: &mut Vec<u8>) {
        let kind = Kind::new(kind.clone());
        self.has_calls |= matches!(kind, Kind::Call { .. });
        self.place(part, kind, out);
    }

    /// Begins a part, or lets it wait.
    fn place(&mut self, part: u32, kind: Kind, out: &mut Vec<u8>) {
        if let ([(open @ INHERITED, _)], Kind::Text) = (self.open.as_mut_slice(), &kind) {
            *open = part;
            return;
        }
        if let [(paused, block)] = self.open.as_slice()
            && let Some(kind) = block.kind().resumed()
            && self.waiting.is_empty()
        {
            if self.paused.len() >= PAUSED_MAX {
                self.paused.pop_front();
            }
            self.paused.push_back((*paused, kind));
            self.close_all(out);
        }
        if self.open.is_empty() {
            self.open.push((part, Block::new(kind, &mut self.next, out)));
        } else {
            self.waiting.push_back(Waiting { part, kind, deltas: Vec::new(), is_whole: false });
            self.held(PART_BYTES, out);
        }
    }

    fn close_all(&mut self, out: &mut Vec<u8>) {
        for (_, block) in std::mem::take(&mut self.open) {
            block.end(&mut self.next, out);
        }
    }

    fn delta(&mut self, part: u32, delta: &Delta, out: &mut Vec<u8>) {
        if let Some((_, block)) = self.open.iter_mut().find(|(open, _)| *open == part) {
            block.delta(delta.clone(), &mut self.next, out);
            return;
        }
        if let Some(at) = self.paused.iter().position(|(paused, _)| *paused == part)
            && let Some((_, kind)) = self.paused.remove(at)
        {
            self.place(part, kind, out);
            self.delta(part, delta, out);
            return;
        }
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.part == part) {
            let bytes = waiting.keep(delta);
            self.held(bytes, out);
        }
    }

    fn part_end(&mut self, part: u32, out: &mut Vec<u8>) {
        self.paused.retain(|(paused, _)| *paused != part);
        if let Some(at) = self.open.iter().position(|(open, _)| *open == part) {
            let (_, block) = self.open.remove(at);
            block.end(&mut self.next, out);
            self.next_in_line(out);
        } else if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.part == part) {
            waiting.is_whole = true;
        }
    }

    /// The parts whose turn has come, up to the first that is not whole yet.
    fn next_in_line(&mut self, out: &mut Vec<u8>) {
        while self.open.is_empty()
            && let Some(waiting) = self.waiting.pop_front()
        {
            self.release(waiting, out);
        }
        if self.waiting.is_empty() {
            self.held_bytes = 0;
        }
    }

    fn release(&mut self, waiting: Waiting, out: &mut Vec<u8>) {
        let Waiting { part, kind, deltas, is_whole } = waiting;
        let mut block = Block::new(kind, &mut self.next, out);
        for delta in deltas {
            block.delta(delta, &mut self.next, out);
        }
        if is_whole {
            block.end(&mut self.next, out);
        } else {
            self.open.push((part, block));
        }
    }

    /// More is waiting. Above the limit nothing waits any longer.
    fn held(&mut self, bytes: usize, out: &mut Vec<u8>) {
        self.held_bytes = self.held_bytes.saturating_add(bytes);
        if self.held_bytes > HELD_BYTES_MAX {
            self.held_bytes = 0;
            for waiting in std::mem::take(&mut self.waiting) {
                self.release(waiting, out);
            }
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.begin(out);
        self.close_all(out);
        for mut waiting in std::mem::take(&mut self.waiting) {
            waiting.is_whole = true;
            self.release(waiting, out);
        }
        let stop = self.stop.as_ref();
        let delta = Ending {
            stop_reason: stop::word(stop, self.has_calls),
            stop_sequence: stop.and_then(|stop| stop.sequence.as_deref()),
            stop_details: stop::details(stop),
        };
        Wire::MessageDelta { delta, usage: usage::Shown::ending(self.usage) }.write(out);
        Wire::MessageStop.write(out);
        self.is_over = true;
    }
}

/// What a waiting part costs besides its content.
const PART_BYTES: usize = 256;

impl Waiting {
    /// Keeps a delta; gives what that costs.
    fn keep(&mut self, delta: &Delta) -> usize {
        match (self.deltas.last_mut(), delta) {
            (Some(Delta::Text(all)), Delta::Text(more))
            | (Some(Delta::Arguments(all)), Delta::Arguments(more)) => {
                all.push_str(more);
                more.len()
            }
            (_, Delta::Text(more) | Delta::Arguments(more) | Delta::Transcript(more)) => {
                self.deltas.push(delta.clone());
                more.len() + PART_BYTES
            }
            // Sounds are not shown.
            (_, Delta::Audio(_) | Delta::Media(_)) => 0,
            (_, Delta::Opaque(opaque)) => {
                self.deltas.push(delta.clone());
                opaque.data.len() + PART_BYTES
            }
            (_, Delta::Citation(..) | Delta::Redacted) => {
                self.deltas.push(delta.clone());
                PART_BYTES
            }
        }
    }
}
