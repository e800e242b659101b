//! How targets' streams are cut into the pieces that their dialects read.

use crate::chat::Dialect;
use crate::eventstream::{self, DecodeError, Message};
use crate::failure::protocol_failure;
use crate::ollama::Lines;
use crate::sse::{self, Framer, Tail, Verdict};
use bytes::Bytes;
use serde::de::IgnoredAny;
use wellhead_types::{Cause, Failure, Stage};

/// The success that streams come in.
const STATUS: u16 = 200;

/// One piece.
#[derive(Debug)]
pub enum Frame<'a> {
    /// A server-sent event.
    Event(&'a sse::Event<'a>),
    /// A line of JSON.
    Line(&'a [u8]),
    /// A message of Amazon's binary framing.
    Message(&'a Message),
}

/// Cuts a stream.
#[derive(Debug)]
pub(super) enum Frames {
    Events(Box<Framer>),
    Lines(Lines),
    Messages(Box<eventstream::Decoder>),
}

impl Frames {
    /// As targets of this dialect frame their streams. A piece may have at most `bytes_max` bytes.
    pub(super) fn new(dialect: Dialect, bytes_max: usize) -> Self {
        match dialect {
            Dialect::Bedrock => Self::Messages(Box::new(eventstream::Decoder::new(bytes_max))),
            Dialect::Ollama => Self::Lines(Lines::new(bytes_max)),
            _ => Self::Events(Box::new(Framer::new(bytes_max))),
        }
    }

    /// Takes bytes, and shows each piece that is whole with them.
    ///
    /// # Errors
    /// A piece is too long, or the bytes are not framed so. What came before that was shown.
    pub(super) fn push(&mut self, chunk: Bytes, on_frame: &mut dyn FnMut(Frame<'_>)) -> Result<(), Failure> {
        match self {
            Self::Events(framer) => {
                let mut on_event = |event: sse::Event<'_>| {
                    on_frame(Frame::Event(&event));
                    Verdict::Drop
                };
                let framed = framer.push(chunk, &mut on_event, &mut Vec::new());
                framed.map_err(|error| too_large(&error))
            }
            Self::Lines(lines) => {
                let framed = lines.push(&chunk, &mut |line| on_frame(Frame::Line(line)));
                framed.map_err(|error| too_large(&error))
            }
            Self::Messages(decoder) => {
                let mut messages = Vec::new();
                let decoded = decoder.push(chunk, &mut messages);
                messages.iter().for_each(|message| on_frame(Frame::Message(message)));
                decoded.map_err(|error| match error {
                    DecodeError::TooLong { .. } => too_large(&error),
                    broken => protocol_failure(STATUS, Stage::Stream, broken.to_string()),
                })
            }
        }
    }

    /// The bytes are over: shows a last piece that lacks only its end. A torn one is none: the stream is cut there.
    pub(super) fn finish(&mut self, on_frame: &mut dyn FnMut(Frame<'_>)) {
        let is_json = |data: &[u8]| serde_json::from_slice::<IgnoredAny>(data).is_ok();
        match self {
            Self::Events(framer) => {
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
            Self::Messages(_) => {}
        }
    }
}

fn too_large(error: &dyn std::error::Error) -> Failure {
    Failure::endpoint(Stage::Stream, Cause::ResponseTooLarge, error.to_string())
}
