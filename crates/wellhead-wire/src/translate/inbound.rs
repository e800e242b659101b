//! A target's stream, turned into chunks of OpenAI Chat as it comes.

use super::Decoder;
use crate::chat::{Dialect, Event, Origin, Shown};
use crate::openai::chat::StreamEncoder;
use crate::sse::{self, Framer, Tail, Verdict};
use bytes::Bytes;
use wellhead_types::{Cause, Failure, Stage};

/// One stream on its way in.
#[derive(Debug)]
pub struct Inbound {
    framer: Framer,
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
            framer: Framer::new(event_bytes_max),
            decoder: Decoder::new(dialect, origin),
            encoder: StreamEncoder::new(shown),
            events: Vec::new(),
            failed: false,
        }
    }

    /// Takes a piece of the target's body. Returns what that is in chunks, and the failure that ended it, if one did: what
    /// comes behind an error must not make a broken answer look finished.
    pub fn push(&mut self, chunk: Bytes) -> (Bytes, Option<Failure>) {
        let Self { framer, decoder, encoder, events, failed } = self;
        if *failed {
            return (Bytes::new(), None);
        }
        let (mut out, mut failure) = (Vec::new(), None);
        let framed = framer.push(
            chunk,
            &mut |event| {
                if failure.is_none() {
                    failure = decode(decoder, encoder, events, &event, &mut out).err();
                }
                Verdict::Drop
            },
            &mut Vec::new(),
        );
        if let Err(error) = framed {
            failure.get_or_insert_with(|| {
                Failure::endpoint(Stage::Stream, Cause::ResponseTooLarge, error.to_string())
            });
        }
        *failed = failure.is_some();
        (out.into(), failure)
    }

    /// The target has closed the stream: what is left of it.
    pub fn close(&mut self) -> (Bytes, Option<Failure>) {
        let Self { framer, decoder, encoder, events, failed } = self;
        if *failed {
            return (Bytes::new(), None);
        }
        *failed = true;
        let mut out = Vec::new();
        if let Tail::Incomplete(tail) = framer.finish() {
            // A last event that lacks only its blank line. A torn one is none: the stream is cut there.
            let event = sse::Event::parse(&tail);
            if event.data().is_some_and(|data| serde_json::from_slice::<serde::de::IgnoredAny>(&data).is_ok())
                && let Err(failure) = decode(decoder, encoder, events, &event, &mut out)
            {
                return (out.into(), Some(failure));
            }
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
    event: &sse::Event<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    events.clear();
    let decoded = decoder.push(event, events);
    for event in events.drain(..) {
        if let Event::Error(failure) = event {
            return Err(*failure);
        }
        encoder.push(&event, out);
    }
    decoded
}
