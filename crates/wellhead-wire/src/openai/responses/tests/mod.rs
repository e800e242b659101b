#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::needless_pass_by_value, reason = "values are written where they are used")]

mod answers;
mod hostile;
mod requests;
mod round_trips;
mod streams;

use super::StreamDecoder;
use crate::chat::{Abilities, Event, Origin, Shown, Target};
use crate::sse::{Framer, Tail, Verdict};
use bytes::Bytes;
use wellhead_types::Failure;

pub(super) const FULL_REQUEST: &str = include_str!("full_request.json");
pub(super) const FULL_ANSWER: &str = include_str!("full_answer.json");

pub(super) fn origin() -> Origin {
    Origin { provider: "vendor".into(), model: "vendor/model-1".into() }
}

pub(super) fn target() -> Target {
    Target { origin: origin(), output_tokens_max: Some(4096), can: Abilities::default() }
}

pub(super) fn shown() -> Shown {
    Shown { model: "chat".into(), id: "r1".into(), created: 1_700_000_000, stream_usage: true }
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
