//! A target's stream, turned into chunks of OpenAI Chat as it comes.

use super::Decoder;
use super::frames::{Frame, Frames};
use crate::chat::{Dialect, Event, Origin, Shown};
use crate::openai::chat::StreamEncoder;
use bytes::Bytes;
use wellhead_types::{Cause, Failure, Stage};

/// One stream on its way in.
#[derive(Debug)]
pub struct Inbound {
    frames: Frames,
    decoder: Decoder,
    encoder: StreamEncoder,
    /// Kept for its memory.
    events: Vec<Event>,
    failed: bool,
}

impl Inbound {
    /// A stream of this dialect that has not begun. An event may have at most `event_bytes_max` bytes.
    pub fn new(dialect: Dialect, origin: &Origin, shown: Shown, event_bytes_max: usize) -> Self {
        Self {
            frames: Frames::new(dialect, event_bytes_max),
            decoder: Decoder::new(dialect, origin),
            encoder: StreamEncoder::new(shown),
            events: Vec::new(),
            failed: false,
        }
    }

    /// Takes a piece of the target's body. Returns what that is in chunks, and the failure that ended it, if one did: what
    /// comes behind an error must not make a broken answer look finished.
    pub fn push(&mut self, chunk: Bytes) -> (Bytes, Option<Failure>) {
        let Self { frames, decoder, encoder, events, failed } = self;
        if *failed {
            return (Bytes::new(), None);
        }
        let (mut out, mut failure) = (Vec::new(), None);
        let framed = frames.push(chunk, &mut |frame| {
            if failure.is_none() {
                failure = decode(decoder, encoder, events, &frame, &mut out).err();
            }
        });
        if let Err(error) = framed {
            failure.get_or_insert_with(|| Failure::endpoint(Stage::Stream, Cause::ResponseTooLarge, error));
        }
        *failed = failure.is_some();
        (out.into(), failure)
    }

    /// The target has closed the stream: what is left of it.
    pub fn close(&mut self) -> (Bytes, Option<Failure>) {
        let Self { frames, decoder, encoder, events, failed } = self;
        if *failed {
            return (Bytes::new(), None);
        }
        *failed = true;
        let (mut out, mut failure) = (Vec::new(), None);
        frames.finish(&mut |frame| failure = decode(decoder, encoder, events, &frame, &mut out).err());
        if failure.is_some() {
            return (out.into(), failure);
        }
        events.clear();
        decoder.finish(events);
        events.iter().for_each(|event| encoder.push(event, &mut out));
        (out.into(), None)
    }
}

/// One event of the target's as chunks.
fn decode(
    decoder: &mut Decoder,
    encoder: &mut StreamEncoder,
    events: &mut Vec<Event>,
    frame: &Frame<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    events.clear();
    let decoded = decoder.push(frame, events);
    for event in events.drain(..) {
        if let Event::Error(failure) = event {
            return Err(*failure);
        }
        encoder.push(&event, out);
    }
    decoded
}
