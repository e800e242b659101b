//! The readers of the Bedrock dialect on hostile bodies and streams.

use super::cut;
use crate::bedrock::{
    Options, StreamDecoder, StreamEncoder, decode_answer, decode_request, encode_answer, encode_request,
};
use crate::chat::{Abilities, Event, Fold, FoldError, Losses, Origin, Shown, Target};
use crate::eventstream::{Decoder, Kind, Tail};
use bytes::Bytes;

/// Takes nearly everything, and nearly nothing.
const MODELS: [&str; 3] =
    ["anthropic.claude-opus-5-v1:0", "amazon.nova-2-lite-v1:0", "mistral.mistral-large-2407-v1:0"];

fn origin(model: &str) -> Origin {
    Origin { provider: "p".into(), model: model.into() }
}

fn shown() -> Shown {
    Shown { model: "m".into(), id: "i".into(), created: 0, stream_usage: true }
}

/// What the stream says: events, whether it is whole, whether it failed.
fn read(chunks: Vec<Bytes>) -> (Vec<Event>, bool, bool) {
    let mut framer = Decoder::new(1 << 16);
    let mut decoder = StreamDecoder::new(origin(MODELS[0]));
    let (mut events, mut failed) = (Vec::new(), false);
    for chunk in chunks {
        let mut messages = Vec::new();
        let framed = framer.push(chunk, &mut messages);
        for message in &messages {
            failed = failed || decoder.push(message, &mut events).is_err();
        }
        if framed.is_err() {
            failed = true;
        }
    }
    let is_whole = decoder.finish(&mut events);
    (events, is_whole, failed)
}

fn stream(seed: u64, bytes: &[u8]) {
    let whole = if bytes.is_empty() { Vec::new() } else { vec![Bytes::copy_from_slice(bytes)] };
    let said = read(whole);
    assert_eq!(read(cut(seed, bytes)), said, "cuts change nothing");
    let (events, is_whole, _) = said;
    assert_eq!(events.iter().filter(|event| matches!(event, Event::End)).count(), usize::from(is_whole));
    let mut fold = Fold::default();
    for event in &events {
        match fold.push(event.clone()) {
            Ok(()) => {}
            Err(FoldError::TooLarge) => break,
            Err(odd) => panic!("a decoder contradicts itself: {odd}"),
        }
    }
    let (mut encoder, mut out) = (StreamEncoder::new(&shown()), Vec::new());
    // An event that only this dialect knows is written as it came, whatever its name.
    events
        .iter()
        .filter(|event| !matches!(event, Event::Other(..)))
        .for_each(|event| encoder.push(event, &mut out));
    let (mut framer, mut messages) = (Decoder::new(1 << 24), Vec::new());
    framer.push(Bytes::from(out), &mut messages).expect("what is written can be read");
    assert_eq!(framer.finish(), Tail::Clean);
    let ends = messages.iter().filter(|message| message.kind() == Kind::Event("messageStop")).count();
    assert_eq!(ends, usize::from(is_whole));
}

/// No input panics; what is read can be written, and what is written can be read.
pub fn bedrock_codec(seed: u64, bytes: &[u8]) {
    stream(seed, bytes);
    if let Ok(request) = decode_request(bytes, "m", seed.is_multiple_of(2)) {
        for model in MODELS {
            let target = Target { origin: origin(model), output_tokens_max: None, can: Abilities::default() };
            let encoded = encode_request(&request, &target, &Losses::allowed(["*"]), Options::of(model))
                .expect("everything may be left out");
            assert!(encoded.body.len() <= 8 * bytes.len() + (1 << 16), "a body does not explode");
            // Where nothing of the conversation is left, there is none to be read.
            let read: serde_json::Value = serde_json::from_slice(&encoded.body).expect("JSON");
            if read["messages"].as_array().is_some_and(|messages| !messages.is_empty()) {
                decode_request(&encoded.body, "m", false).expect("what is written can be read");
            }
        }
    }
    if let Ok(answer) = decode_answer(bytes, &origin(MODELS[0])) {
        let encoded = encode_answer(&answer, &shown());
        decode_answer(&encoded, &origin(MODELS[0])).expect("what is written can be read");
    }
}
