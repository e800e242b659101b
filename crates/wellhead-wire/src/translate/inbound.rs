//! A target's stream, turned into chunks of OpenAI Chat as it comes.

use super::Decoder;
use super::frames::{Frame, Frames};
use super::own::Carrier;
use crate::chat::{CustomTools, Dialect, Event, Origin, Shown};
use crate::openai::chat::StreamEncoder;
use bytes::Bytes;
use wellhead_types::Failure;

/// One stream on its way in.
#[derive(Debug)]
pub struct Inbound {
    frames: Frames,
    reader: Reader,
    failed: bool,
}

impl Inbound {
    /// A stream of this dialect that has not begun. An event may have at most `event_bytes_max` bytes.
    pub fn new(dialect: Dialect, origin: &Origin, shown: Shown, event_bytes_max: usize) -> Self {
        Self {
            frames: Frames::new(dialect, event_bytes_max),
            reader: Reader {
                decoder: Decoder::new(dialect, origin),
                encoder: StreamEncoder::new(shown),
                customs: None,
                events: Vec::new(),
                carrier: None,
            },
            failed: false,
        }
    }

    /// For a client of the target's own dialect: what the target wrote rides along ([`crate::sse::original`]). With `origin`,
    /// opaque reasoning in it says that it comes from there.
    #[must_use]
    pub fn carrying(mut self, dialect: Dialect, origin: Option<Origin>) -> Self {
        self.reader.carrier = super::is_kept(dialect).then(|| Box::new(Carrier::new(dialect, origin)));
        self
    }

    /// With tools that the target knows as functions, and the client as what they are.
    #[must_use]
    pub fn restoring(mut self, customs: Option<Box<CustomTools>>) -> Self {
        self.reader.customs = customs;
        self
    }

    /// Whether what the target wrote rides along.
    pub const fn carries(&self) -> bool {
        self.reader.carrier.is_some()
    }

    /// Takes a piece of the target's body. Returns what that is in chunks, and the failure that ended it, if one did: what
    /// comes behind an error must not make a broken answer look finished.
    pub fn push(&mut self, chunk: Bytes) -> (Bytes, Option<Failure>) {
        let Self { frames, reader, failed } = self;
        if *failed {
            return (Bytes::new(), None);
        }
        let (mut out, mut failure) = (Vec::new(), None);
        let framed = frames.push(chunk, &mut |frame| {
            if failure.is_none() {
                failure = reader.read(&frame, &mut out).err();
            }
        });
        let failure = failure.or(framed.err());
        *failed = failure.is_some();
        (out.into(), failure)
    }

    /// The target has closed the stream: what is left of it.
    pub fn close(&mut self) -> (Bytes, Option<Failure>) {
        let Self { frames, reader, failed } = self;
        if std::mem::replace(failed, true) {
            return (Bytes::new(), None);
        }
        let (mut out, mut failure) = (Vec::new(), None);
        frames.finish(&mut |frame| failure = reader.read(&frame, &mut out).err());
        if failure.is_none() {
            reader.finish(&mut out);
        }
        (out.into(), failure)
    }
}

#[derive(Debug)]
struct Reader {
    decoder: Decoder,
    encoder: StreamEncoder,
    /// Tools that the target knows as functions.
    customs: Option<Box<CustomTools>>,
    /// Kept for its memory.
    events: Vec<Event>,
    /// There if the client speaks the target's dialect.
    carrier: Option<Box<Carrier>>,
}

impl Reader {
    /// One piece of the target's as chunks.
    fn read(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let Self { decoder, encoder, customs, events, carrier } = self;
        events.clear();
        let decoded = decoder.push(frame, events);
        if let (Some(carrier), Frame::Event(event)) = (carrier, frame) {
            let failed = events.iter().position(|event| matches!(event, Event::Error(_)));
            if let Some(Event::Error(failure)) = failed.map(|at| events.swap_remove(at)) {
                return Err(*failure);
            }
            // Nothing of an event that cannot be read goes on: the client would get all of it or none.
            decoded?;
            carrier.write(event, events, encoder, out);
            return Ok(());
        }
        for event in events.drain(..) {
            if let Event::Error(failure) = event {
                return Err(*failure);
            }
            CustomTools::pass(customs.as_deref_mut(), event, &mut |event| encoder.push(event, out));
        }
        decoded
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let Self { decoder, encoder, customs, events, carrier } = self;
        events.clear();
        decoder.finish(events);
        let mut end = Vec::new();
        for event in events.drain(..) {
            CustomTools::pass(customs.as_deref_mut(), event, &mut |event| encoder.push(event, &mut end));
        }
        match carrier {
            Some(_) => Carrier::end(&end, out),
            None => out.append(&mut end),
        }
    }
}
