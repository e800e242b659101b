#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod answers;
mod hostile;
mod requests;
mod round_trips;
mod streams;

use super::StreamDecoder;
use crate::chat::{Abilities, Event, Origin, Shown, Target};
use crate::sse::{Framer, Verdict};
use bytes::Bytes;
use wellhead_types::Failure;

pub(super) const STREAM: &str = include_str!("stream.sse");
pub(super) const CALLS: &str = include_str!("calls.sse");

pub(super) fn origin() -> Origin {
    Origin { provider: "vendor".into(), model: "vendor/model-1".into() }
}

pub(super) fn target() -> Target {
    Target { origin: origin(), output_tokens_max: None, can: Abilities::default() }
}

pub(super) fn shown() -> Shown {
    Shown { model: "m".into(), id: "r1".into(), created: 1_700_000_000, stream_usage: true }
}

/// The events of a stream that comes in these pieces, and whether it was whole.
pub(super) fn read<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<Event>, bool), Box<Failure>> {
    let (mut framer, mut decoder) = (Framer::new(1 << 20), StreamDecoder::new(&origin()));
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
    match failure {
        Some(failure) => Err(Box::new(failure)),
        None => {
            let whole = decoder.finish(&mut events);
            Ok((events, whole))
        }
    }
}
