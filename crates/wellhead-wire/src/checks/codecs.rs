//! Codecs on hostile input.

use super::cut;
use crate::chat::{Abilities, Event, Fold, FoldError, Losses, Origin, Shown, Target};
use crate::openai::chat as openai;
use crate::sse::{Framer, Verdict};
use crate::{ollama, openai::chat::ReasoningBack};
use bytes::Bytes;

pub(super) fn origin() -> Origin {
    Origin { provider: "p".into(), model: "m".into() }
}

pub(super) fn target() -> Target {
    Target { origin: origin(), output_tokens_max: Some(4096), can: Abilities::default() }
}

pub(super) fn shown() -> Shown {
    Shown { model: "m".into(), id: "i".into(), created: 7, stream_usage: true }
}

/// Whatever a decoder says, it does not contradict itself.
pub(super) fn fold(events: &[Event]) {
    let mut fold = Fold::default();
    for event in events {
        match fold.push(event.clone()) {
            Ok(()) | Err(FoldError::TooLarge) => {}
            Err(error) => panic!("{error}: {events:?}"),
        }
    }
}

fn chat_events(chunks: Vec<Bytes>) -> Option<(Vec<Event>, bool)> {
    let mut framer = Framer::new(1 << 20);
    let mut decoder = openai::StreamDecoder::new(origin());
    let (mut events, mut failed) = (Vec::new(), false);
    for chunk in chunks {
        let mut on_event = |event: crate::sse::Event<'_>| {
            failed = failed || decoder.push(&event, &mut events).is_err();
            Verdict::Drop
        };
        framer.push(chunk, &mut on_event, &mut Vec::new()).ok()?;
    }
    let whole = !failed && decoder.finish(&mut events);
    Some((events, whole))
}

/// Chat Completions: no input panics; a request that is understood is understood the same once it has been written; a
/// stream means the same however it is cut, and can be written.
pub fn chat_codec(seed: u64, bytes: &[u8]) {
    let options = openai::Options {
        knows: openai::Params::SAMPLING,
        cache_control: true,
        video: true,
        document_urls: true,
        result_images: true,
        reasoning_back: ReasoningBack::Details,
        ..openai::Options::default()
    };
    if let Ok(request) = openai::decode_request(bytes) {
        let written = openai::encode_request(&request, &target(), &Losses::allowed(["*"]), &options).unwrap();
        let read = openai::decode_request(&written.body).expect("what was written is readable");
        let again = openai::encode_request(&read, &target(), &Losses::allowed(["*"]), &options).unwrap();
        assert_eq!(written.body, again.body, "{}", String::from_utf8_lossy(&written.body));
    }
    if let Ok(answer) = openai::decode_answer(bytes, &origin()) {
        let written = openai::encode_answer(&answer, &shown());
        openai::decode_answer(&written, &origin()).expect("what was written is readable");
        fold(&answer.into_events());
    }
    let whole = if bytes.is_empty() { Vec::new() } else { vec![Bytes::copy_from_slice(bytes)] };
    let read = chat_events(whole);
    // A frame that is too large is found earlier or later, as the chunks come.
    let Some((events, ended)) = read else { return };
    assert_eq!(chat_events(cut(seed, bytes)), Some((events.clone(), ended)));
    fold(&events);
    let mut encoder = openai::StreamEncoder::new(shown());
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.push(event, &mut out));
    let (again, written) = chat_events(vec![Bytes::from(out)]).expect("whole events");
    assert!(written || !ended, "an answer that was whole stays whole");
    fold(&again);
}

fn ollama_events(chunks: Vec<Bytes>) -> Option<(Vec<Event>, bool)> {
    let mut lines = ollama::Lines::default();
    let mut decoder = ollama::StreamDecoder::new(&origin());
    let (mut events, mut failed) = (Vec::new(), false);
    let mut on_line = |line: &[u8]| failed = failed || decoder.push(line, &mut events).is_err();
    for chunk in chunks {
        lines.push(&chunk, &mut on_line).ok()?;
    }
    lines.finish(&mut on_line);
    let whole = !failed && decoder.finish(&mut events);
    Some((events, whole))
}

/// The same for Ollama's dialect.
pub fn ollama_codec(seed: u64, bytes: &[u8]) {
    let options = ollama::Options { think_levels: true, context_tokens: None };
    if let Ok(request) = ollama::decode_request(bytes) {
        let written = ollama::encode_request(&request, &target(), &Losses::allowed(["*"]), &options).unwrap();
        let read = ollama::decode_request(&written.body).expect("what was written is readable");
        let again = ollama::encode_request(&read, &target(), &Losses::allowed(["*"]), &options).unwrap();
        assert_eq!(written.body, again.body, "{}", String::from_utf8_lossy(&written.body));
    }
    if let Ok(answer) = ollama::decode_answer(bytes, &origin()) {
        let written = ollama::encode_answer(&answer, &shown());
        ollama::decode_answer(&written, &origin()).expect("what was written is readable");
        fold(&answer.into_events());
    }
    let whole = if bytes.is_empty() { Vec::new() } else { vec![Bytes::copy_from_slice(bytes)] };
    let Some((events, ended)) = ollama_events(whole) else { return };
    assert_eq!(ollama_events(cut(seed, bytes)), Some((events.clone(), ended)));
    fold(&events);
    let mut encoder = ollama::StreamEncoder::new(shown());
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.push(event, &mut out));
    let (again, written) = ollama_events(vec![Bytes::from(out)]).expect("lines of a bounded length");
    assert_eq!(written, ended);
    fold(&again);
}

/// A valid input with members and values moved about: what random bytes never reach.
#[cfg(test)]
pub(crate) fn mutated(seed: u64, valid: &str) -> Vec<u8> {
    let mut dice = super::chat::Dice::new(seed);
    let mut bytes = valid.as_bytes().to_vec();
    let pieces: [&[u8]; 14] = [
        b"null", b"\"\"", b"0", b"-1", b"1.5", b"[]", b"{}", b"true", b"\"x\"", b",", b"}", b"]", b"\n",
        b"\xff",
    ];
    for _ in 0..1 + dice.below(3) {
        if bytes.is_empty() {
            break;
        }
        let (at, other) = (dice.below(bytes.len()), dice.below(bytes.len()));
        match dice.below(4) {
            // A value, often: everything from a colon to the next comma.
            0 | 1 => {
                let start =
                    bytes[at..].iter().position(|byte| *byte == b':').map_or(at, |found| at + found + 1);
                let end =
                    bytes[start..].iter().position(|byte| *byte == b',').map_or(start, |found| start + found);
                bytes.splice(start..end, dice.pick(&pieces).iter().copied());
            }
            2 => {
                let (start, end) = (at.min(other), at.max(other).min(at.min(other) + 200));
                bytes.drain(start..end);
            }
            _ => {
                let piece = bytes[at..(at + 60).min(bytes.len())].to_vec();
                bytes.splice(other..other, piece);
            }
        }
    }
    bytes
}
