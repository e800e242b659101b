//! The codec of Anthropic Messages on hostile bodies and streams.

use super::cut;
use crate::anthropic::{
    Options, StreamDecoder, StreamEncoder, Version, decode_answer, decode_count, decode_request,
    encode_answer, encode_count, encode_request,
};
use crate::chat::{Abilities, Dialect, Event, Fold, Losses, Origin, Shown, Target};
use crate::sse::{self, Framer, Verdict};
use bytes::Bytes;
use serde_json::Value;

fn origin() -> Origin {
    Origin { provider: "p".into(), model: "m".into() }
}

fn shown() -> Shown {
    Shown { model: "m".into(), id: "7".into(), created: 7, stream_usage: true }
}

/// The events of a stream, whether it ended, and whether it failed. `None`: it is no stream.
fn read(chunks: Vec<Bytes>) -> Option<(Vec<Event>, bool, bool)> {
    let mut framer = Framer::new(1 << 16);
    let mut decoder = StreamDecoder::new(origin());
    let (mut events, mut failed) = (Vec::new(), false);
    for chunk in chunks {
        let mut on_event = |event: sse::Event<'_>| {
            failed = failed || decoder.push(&event, &mut events).is_err();
            Verdict::Drop
        };
        framer.push(chunk, &mut on_event, &mut Vec::new()).ok()?;
    }
    let ended = decoder.finish(&mut events);
    Some((events, ended, failed))
}

/// A stream for a client keeps the order of the dialect.
fn check_order(stream: &[u8], ended: bool) {
    let text = std::str::from_utf8(stream).expect("text");
    let mut open: Vec<u64> = Vec::new();
    let (mut started, mut next, mut stopped) = (0, 0, false);
    for data in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let event: Value = serde_json::from_str(data).expect("JSON");
        let index = event.get("index").and_then(Value::as_u64);
        assert!(!stopped, "nothing follows the end");
        match event.get("type").and_then(Value::as_str).expect("a type") {
            "message_start" => started += 1,
            "content_block_start" => {
                assert_eq!((index, started), (Some(next), 1), "numbers go up by one, behind the start");
                open.push(next);
                next += 1;
            }
            "content_block_delta" => assert!(open.contains(&index.expect("a number")), "of an open block"),
            "content_block_stop" => {
                let at = open.iter().position(|open| Some(*open) == index).expect("an open block");
                open.remove(at);
            }
            "message_stop" => stopped = true,
            _ => {}
        }
    }
    assert!(started <= 1 && stopped == ended);
    assert!(!ended || open.is_empty());
}

fn stream(seed: u64, bytes: &[u8]) {
    let whole = read(vec![Bytes::copy_from_slice(bytes)]);
    assert!(read(cut(seed, bytes)) == whole, "cuts change nothing");
    let Some((events, ended, failed)) = whole else { return };
    assert_eq!(events.contains(&Event::End), ended);
    assert!(!failed || !ended);
    let known = |event: &&Event| !matches!(event, Event::Other(..));
    let (mut fold, mut encoder, mut out) = (Fold::default(), StreamEncoder::new(shown()), Vec::new());
    for event in events.iter().filter(known) {
        fold.push(event.clone()).expect("events that do not contradict each other");
        encoder.push(event, &mut out);
    }
    check_order(&out, ended);
    if ended {
        let (again, ended, failed) = read(vec![Bytes::from(out)]).expect("a stream");
        assert!(ended && !failed);
        let mut second = Fold::default();
        again.into_iter().for_each(|event| second.push(event).expect("no contradiction"));
        assert_eq!(second.finish().candidates.len().max(1), 1);
    }
}

/// No input panics; what is read can be written and read again; no stream contradicts itself, however it is cut, and
/// what clients get of it is in order.
pub fn anthropic_codec(seed: u64, bytes: &[u8]) {
    stream(seed, bytes);
    super::kept::kept(Dialect::Anthropic, seed, bytes);
    if let Ok(answer) = decode_answer(bytes, &origin()) {
        let shown = encode_answer(&answer, &shown());
        decode_answer(&shown, &origin()).expect("an answer that was written is one");
    }
    let target = Target { origin: origin(), output_tokens_max: None, can: Abilities::default() };
    for version in [Version::V2023, Version::V2026] {
        let options = Options { version, ..Options::default() };
        if let Ok(request) = decode_request(bytes, version) {
            let encoded =
                encode_request(&request, &target, &Losses::allowed(["*"]), options).expect("all may go");
            let value: Value = serde_json::from_slice(&encoded.body).expect("JSON");
            if value.pointer("/messages/0").is_some() {
                decode_request(&encoded.body, version).expect("a request that was written is one");
            }
        }
        if let Ok(request) = decode_count(bytes, version) {
            encode_count(&request, &target, &Losses::allowed(["*"]), options).expect("all may go");
        }
    }
}
