#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::needless_pass_by_value, reason = "values are written where they are used")]
#![allow(clippy::needless_update, reason = "more counts may come")]

mod answers;
mod errors;
mod hostile;
mod quirks;
mod requests;
mod round_trips;
mod speed;
mod streams;
mod traps;

use super::{Options, Params, ReasoningBack, StreamDecoder};
use crate::chat::{Abilities, Event, Origin, Shown, Target};
use crate::sse::{Framer, Tail, Verdict};
use bytes::Bytes;
use wellhead_types::Failure;

pub(super) fn origin() -> Origin {
    Origin { provider: "vendor".into(), model: "vendor/model-1".into() }
}

pub(super) fn target() -> Target {
    Target { origin: origin(), output_tokens_max: Some(4096), can: Abilities::default() }
}

/// A vendor that has learnt everything that vendors of the family know.
pub(super) fn everything() -> Options {
    Options {
        knows: Params::SAMPLING,
        cache_control: true,
        video: true,
        document_urls: true,
        result_images: true,
        reasoning_back: ReasoningBack::Details,
        ..Options::default()
    }
}

pub(super) fn shown(model: &str) -> Shown {
    Shown { model: model.into(), id: "r1".into(), created: 1_700_000_000, stream_usage: true }
}

/// Reads a stream that comes in these pieces: its events, and whether it was whole.
pub(super) fn read<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<Event>, bool), Box<Failure>> {
    let mut framer = Framer::new(1 << 22);
    let mut decoder = StreamDecoder::new(origin());
    let (mut events, mut failure) = (Vec::new(), None);
    for piece in pieces {
        let mut on_event = |event: crate::sse::Event<'_>| {
            if failure.is_none() {
                failure = decoder.push(&event, &mut events).err();
            }
            Verdict::Drop
        };
        framer.push(Bytes::copy_from_slice(piece), &mut on_event, &mut Vec::new()).unwrap();
    }
    assert_eq!(framer.finish(), Tail::Clean);
    match failure {
        Some(failure) => Err(Box::new(failure)),
        None => {
            let whole = decoder.finish(&mut events);
            Ok((events, whole))
        }
    }
}

/// The same however it is cut, with LF and with CRLF (wire.md, trap 16).
pub(super) fn read_every_way(stream: &str) -> Result<(Vec<Event>, bool), Box<Failure>> {
    let whole = read([stream.as_bytes()]);
    for text in [stream.to_owned(), stream.replace('\n', "\r\n")] {
        assert_eq!(read(text.as_bytes().chunks(1)), whole, "byte by byte");
        for at in 0..text.len() {
            let (head, tail) = text.as_bytes().split_at(at);
            assert_eq!(read([head, tail]), whole, "cut at byte {at}");
        }
    }
    whole
}
