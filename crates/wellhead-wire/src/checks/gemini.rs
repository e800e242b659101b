//! The readers of the Gemini dialect on hostile bodies and streams.

use super::cut;
use crate::chat::{Abilities, Dialect, Event, Fold, FoldError, Losses, Origin, Shown, Target};
use crate::gemini::{
    Framing, Method, Options, Service, StreamDecoder, StreamEncoder, decode_answer, decode_count,
    decode_count_request, decode_request, embed, encode_answer, encode_request,
};
use crate::sse::{Event as SseEvent, Framer, Verdict};
use bytes::Bytes;
use serde_json::Value;

fn origin() -> Origin {
    Origin { provider: "p".into(), model: "m".into() }
}

fn shown() -> Shown {
    Shown { model: "m".into(), id: "i".into(), created: 0, stream_usage: true }
}

/// What the stream says: events, whether it is whole, whether it failed.
fn read(chunks: Vec<Bytes>) -> Option<(Vec<Event>, bool, bool)> {
    let mut framer = Framer::new(1 << 16);
    let mut decoder = StreamDecoder::new(origin());
    let (mut events, mut passed, mut failed) = (Vec::new(), Vec::new(), false);
    for chunk in chunks {
        let mut on_event = |event: SseEvent<'_>| {
            failed = failed || decoder.push(&event, &mut events).is_err();
            Verdict::Pass
        };
        framer.push(chunk, &mut on_event, &mut passed).ok()?;
    }
    let is_whole = decoder.finish(&mut events);
    Some((events, is_whole, failed))
}

fn stream(seed: u64, bytes: &[u8]) {
    let whole = if bytes.is_empty() { Vec::new() } else { vec![Bytes::copy_from_slice(bytes)] };
    let Some((events, is_whole, failed)) = read(whole) else { return };
    assert_eq!(read(cut(seed, bytes)), Some((events.clone(), is_whole, failed)), "cuts change nothing");
    assert!(!(is_whole && failed), "a stream that failed is not whole");
    assert_eq!(events.iter().filter(|event| matches!(event, Event::End)).count(), usize::from(is_whole));
    let mut fold = Fold::default();
    for event in &events {
        match fold.push(event.clone()) {
            Ok(()) => {}
            Err(FoldError::TooLarge) => break,
            Err(odd) => panic!("a decoder contradicts itself: {odd}"),
        }
    }
    for framing in [Framing::Sse, Framing::List] {
        let mut out = Vec::new();
        let mut encoder = StreamEncoder::framed(shown(), framing);
        events.iter().for_each(|event| encoder.push(event, &mut out));
        match framing {
            Framing::List if is_whole => drop(serde_json::from_slice::<Vec<Value>>(&out).expect("one list")),
            Framing::List => {}
            Framing::Sse => {
                let text = std::str::from_utf8(&out).expect("text");
                let says_so = text.contains("\"finishReason\"");
                assert!(if is_whole { says_so } else { !says_so || holds_the_word(&events) });
                for event in text.split_terminator("\r\n\r\n") {
                    let data = event.strip_prefix("data: ").expect("bare data");
                    serde_json::from_str::<Value>(data).expect("JSON");
                }
            }
        }
    }
}

/// Texts and members of hostile streams may hold the word themselves.
fn holds_the_word(events: &[Event]) -> bool {
    format!("{events:?}").contains("finishReason")
}

/// Whether brackets are nested close to the depth at which reading stops.
fn deep(bytes: &[u8]) -> bool {
    let mut depth = 0_usize;
    bytes.iter().any(|byte| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > 100
    })
}

/// No input panics; what is read can be written, and what is written can be read.
pub fn gemini_codec(seed: u64, bytes: &[u8]) {
    stream(seed, bytes);
    super::kept::kept(Dialect::Gemini, seed, bytes);
    // What is written may be nested a little deeper than what was read: lists get their brackets.
    if bytes.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() > 100 && deep(bytes) {
        return;
    }
    if let Ok(request) = decode_request(bytes, "m", false) {
        for model in ["gemini-2.0-flash", "gemini-2.5-pro", "gemini-3.8-flash"] {
            let target = Target { origin: origin(), output_tokens_max: None, can: Abilities::default() };
            let options = Options::of(Service::Vertex, model);
            let encoded = encode_request(&request, &target, &Losses::allowed(["*"]), options)
                .expect("everything may be left out");
            assert!(encoded.body.len() <= 4 * bytes.len() + (1 << 20), "a body does not explode");
            decode_request(&encoded.body, "m", false).expect("what is written can be read");
        }
    }
    if let Ok(answer) = decode_answer(bytes, &origin()) {
        let encoded = encode_answer(&answer, &shown());
        decode_answer(&encoded, &origin()).expect("what is written can be read");
    }
    drop((decode_count_request(bytes, "m"), decode_count(bytes), embed::decode_answer(bytes)));
    for method in [Method::EmbedContent, Method::BatchEmbedContents] {
        if let Ok(items) = embed::decode(bytes, method) {
            drop(embed::encode(&items, "m"));
        }
    }
}
