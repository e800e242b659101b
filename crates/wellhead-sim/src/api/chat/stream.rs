//! A streamed chat: each event is written into the caller's buffer, without an allocation of its own.

use std::io::Write as _;

use serde_json::Value;

use super::{FINGERPRINT, Frame, finish_reason};
use crate::mind::{Answer, Said};
use crate::reply::{Events, Step, trouble};

/// One event; the first number is the choice.
#[derive(Debug, Clone, Copy)]
enum Piece {
    Role(usize),
    Thought(usize, usize),
    Token(usize, usize),
    CallStart(usize, usize),
    CallPart(usize, usize, usize),
    Finish(usize),
    Usage,
    Done,
}

/// The events of a streamed chat.
pub(crate) struct ChatEvents {
    /// What every event starts with.
    start: Vec<u8>,
    answers: Vec<Answer>,
    pieces: std::vec::IntoIter<Piece>,
    usage: Option<Value>,
}

impl ChatEvents {
    pub(crate) fn new(frame: &Frame, answers: Vec<Answer>, usage: Option<Value>) -> Self {
        let mut start = Vec::with_capacity(256);
        let _ = write!(
            start,
            "data: {{\"id\":\"{}\",\"object\":\"chat.completion.chunk\",\"created\":{},\"model\":",
            frame.id, frame.created
        );
        json(&mut start, &frame.model);
        let _ = write!(
            start,
            ",\"service_tier\":\"default\",\"system_fingerprint\":\"{FINGERPRINT}\",\"choices\":["
        );
        let pieces = pieces(&answers, usage.is_some()).into_iter();
        Self { start, answers, pieces, usage }
    }

    /// Writes the inside of `choices` up to the finish reason.
    fn choice(&self, piece: Piece, out: &mut Vec<u8>) {
        let (index, reason) = match piece {
            Piece::Finish(choice) => {
                (choice, self.answers.get(choice).map(|answer| finish_reason(answer.stop)))
            }
            Piece::Role(choice)
            | Piece::Thought(choice, _)
            | Piece::Token(choice, _)
            | Piece::CallStart(choice, _)
            | Piece::CallPart(choice, ..) => (choice, None),
            Piece::Usage | Piece::Done => return,
        };
        let _ = write!(out, "{{\"index\":{index},\"delta\":{{");
        if let Some(answer) = self.answers.get(index) {
            delta(answer, piece, out);
        }
        out.extend_from_slice(b"},\"logprobs\":null,\"finish_reason\":");
        match reason {
            Some(reason) => drop(write!(out, "\"{reason}\"")),
            None => out.extend_from_slice(b"null"),
        }
        out.push(b'}');
    }
}

/// Writes the members of a delta.
fn delta(answer: &Answer, piece: Piece, out: &mut Vec<u8>) {
    match (piece, &answer.said) {
        (Piece::Role(_), Said::Text(_)) => {
            out.extend_from_slice(b"\"role\":\"assistant\",\"content\":\"\",\"refusal\":null");
        }
        (Piece::Role(_), Said::Calls(_)) => out.extend_from_slice(b"\"role\":\"assistant\",\"content\":null"),
        (Piece::Thought(_, token), _) => {
            out.extend_from_slice(b"\"reasoning_content\":");
            json(out, answer.reasoning.as_ref().map_or("", |text| text.token(token)));
        }
        (Piece::Token(_, token), Said::Text(text)) => {
            out.extend_from_slice(b"\"content\":");
            json(out, text.token(token));
        }
        (Piece::CallStart(_, number), Said::Calls(calls)) => {
            let Some(call) = calls.get(number) else { return };
            let _ = write!(
                out,
                "\"tool_calls\":[{{\"index\":{number},\"id\":\"{}\",\"type\":\"function\",\"function\":{{\"name\":",
                call.id
            );
            json(out, &call.name);
            out.extend_from_slice(b",\"arguments\":\"\"}}]");
        }
        (Piece::CallPart(_, number, part), Said::Calls(calls)) => {
            let Some(call) = calls.get(number) else { return };
            let _ = write!(out, "\"tool_calls\":[{{\"index\":{number},\"function\":{{\"arguments\":");
            json(out, call.arguments.token(part));
            out.extend_from_slice(b"}}]");
        }
        _ => {}
    }
}

/// Writes a JSON string. Writing into memory cannot fail.
pub(crate) fn json(out: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(out, text);
}

/// The order of the events: the choices take turns, as they do at the vendor.
fn pieces(answers: &[Answer], usage: bool) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = (0..answers.len()).map(Piece::Role).collect();
    let bodies: Vec<Vec<Piece>> =
        answers.iter().enumerate().map(|(index, answer)| body(index, answer)).collect();
    let longest = bodies.iter().map(Vec::len).max().unwrap_or(0);
    for turn in 0..longest {
        pieces.extend(bodies.iter().filter_map(|body| body.get(turn)));
    }
    pieces.extend((0..answers.len()).map(Piece::Finish));
    pieces.extend(usage.then_some(Piece::Usage));
    pieces.push(Piece::Done);
    pieces
}

fn body(index: usize, answer: &Answer) -> Vec<Piece> {
    let thoughts = answer.reasoning.as_ref().map_or(0, crate::mind::Text::len);
    let mut body: Vec<Piece> = (0..thoughts).map(|token| Piece::Thought(index, token)).collect();
    match &answer.said {
        Said::Text(text) => body.extend((0..text.len()).map(|token| Piece::Token(index, token))),
        Said::Calls(calls) => {
            for (number, call) in calls.iter().enumerate() {
                body.push(Piece::CallStart(index, number));
                body.extend((0..call.arguments.len()).map(|part| Piece::CallPart(index, number, part)));
            }
        }
    }
    body
}

impl Events for ChatEvents {
    fn next(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let piece = self.pieces.next()?;
        if matches!(piece, Piece::Done) {
            out.extend_from_slice(b"data: [DONE]\n\n");
            return Some(Step::Terminator);
        }
        out.extend_from_slice(&self.start);
        self.choice(piece, out);
        out.push(b']');
        match (&self.usage, piece) {
            (Some(usage), Piece::Usage) => drop(write!(out, ",\"usage\":{usage}")),
            (Some(_), _) => out.extend_from_slice(b",\"usage\":null"),
            (None, _) => {}
        }
        out.extend_from_slice(b"}\n\n");
        Some(match piece {
            Piece::Thought(..) | Piece::Token(..) | Piece::CallPart(..) => Step::Token,
            Piece::Role(_) | Piece::CallStart(..) => Step::Plain,
            Piece::Finish(_) | Piece::Usage | Piece::Done => Step::Terminator,
        })
    }

    fn error(&mut self, out: &mut Vec<u8>) {
        let _ = write!(out, "data: {}\n\n", trouble());
    }
}
