//! How a target's stream is cut into what its dialect calls an event.

use crate::chat::Dialect;
use crate::ollama::Lines;
use crate::sse::{self, Framer, Tail, Verdict};
use bytes::Bytes;
use serde::de::IgnoredAny;

/// One event as it came.
#[derive(Debug)]
pub enum Frame<'a> {
    /// A server-sent event.
    Event(&'a sse::Event<'a>),
    /// A line of JSON.
    Line(&'a [u8]),
}

/// Cuts a stream.
#[derive(Debug)]
pub(super) enum Frames {
    Sse(Framer),
    Lines(Lines),
}

impl Frames {
    /// For a stream of this dialect. An event may have at most `event_bytes_max` bytes.
    pub(super) fn new(dialect: Dialect, event_bytes_max: usize) -> Self {
        match dialect {
            Dialect::Ollama => Self::Lines(Lines::new(event_bytes_max)),
            _ => Self::Sse(Framer::new(event_bytes_max)),
        }
    }

    /// Takes the next piece of the stream and shows every event that it completes. `Err`: one is too large.
    pub(super) fn push(&mut self, chunk: Bytes, on_frame: &mut dyn FnMut(Frame<'_>)) -> Result<(), String> {
        match self {
            Self::Sse(framer) => {
                let mut on_event = |event: sse::Event<'_>| {
                    on_frame(Frame::Event(&event));
                    Verdict::Drop
                };
                let framed = framer.push(chunk, &mut on_event, &mut Vec::new());
                framed.map_err(|error| error.to_string())
            }
            Self::Lines(lines) => {
                lines.push(&chunk, &mut |line| on_frame(Frame::Line(line))).map_err(|error| error.to_string())
            }
        }
    }

    /// The stream is over: a last event that lacks only its end. A torn one is none: the stream is cut there.
    pub(super) fn finish(&mut self, on_frame: &mut dyn FnMut(Frame<'_>)) {
        let is_json = |data: &[u8]| serde_json::from_slice::<IgnoredAny>(data).is_ok();
        match self {
            Self::Sse(framer) => {
                let Tail::Incomplete(tail) = framer.finish() else { return };
                let event = sse::Event::parse(&tail);
                if event.data().is_some_and(|data| is_json(&data)) {
                    on_frame(Frame::Event(&event));
                }
            }
            Self::Lines(lines) => lines.finish(&mut |line| {
                if is_json(line) {
                    on_frame(Frame::Line(line));
                }
            }),
        }
    }
}
