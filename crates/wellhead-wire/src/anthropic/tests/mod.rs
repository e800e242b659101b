#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod answers;
mod asks;
mod decoding;
mod encoding;
mod errors;
mod hostile;
mod requests;
mod round_trip;
mod versions;

use super::{Options, StreamDecoder, StreamEncoder, Version, decode_request, encode_request};
use crate::chat::{
    Abilities, Answer, Event, Fold, Losses, Message, Origin, Part, Request, Role, Shown, Target,
};
use crate::sse::{Framer, Verdict};
use bytes::Bytes;
use serde_json::{Value, json};
use wellhead_types::Failure;

fn origin() -> Origin {
    Origin { provider: "anthropic".into(), model: "claude-x".into() }
}

fn target() -> Target {
    Target { origin: origin(), output_tokens_max: None, can: Abilities::default() }
}

fn shown() -> Shown {
    Shown { model: "mine".into(), id: "abc".into(), created: 7, stream_usage: true }
}

/// A request with these messages and a limit.
fn asking(messages: Vec<Message>) -> Request {
    let mut request = Request { model: "mine".into(), messages, ..Request::default() };
    request.sampling.max_tokens = Some(100);
    request
}

fn says(role: Role, text: &str) -> Message {
    Message::new(role, vec![Part::text(text)])
}

/// What a target gets, nothing left out.
fn written(request: &Request, target: &Target, options: Options) -> Value {
    let encoded = encode_request(request, target, &Losses::NONE, options).unwrap();
    assert_eq!(encoded.dropped, [], "nothing is lost");
    serde_json::from_slice(&encoded.body).unwrap()
}

/// What a target gets, and what was left out.
fn written_with(
    request: &Request,
    target: &Target,
    losses: &Losses,
    options: Options,
) -> (Value, Vec<String>) {
    let encoded = encode_request(request, target, losses, options).unwrap();
    let dropped = encoded.dropped.into_iter().map(|dropped| dropped.param.into_owned()).collect();
    (serde_json::from_slice(&encoded.body).unwrap(), dropped)
}

/// The parameter that a request is refused for.
fn refused(request: &Request, target: &Target, options: Options) -> String {
    encode_request(request, target, &Losses::NONE, options).unwrap_err().param.into_owned()
}

fn read(body: &Value) -> Request {
    decode_request(body.to_string().as_bytes(), Version::V2023).unwrap()
}

/// A client's smallest request, with changes.
fn client(changes: &Value) -> Value {
    let mut body = json!({"model": "m", "max_tokens": 9000, "messages": [{"role": "user", "content": "Hi"}]});
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// The canonical events of a stream that comes in these chunks, and whether it ended.
fn decoded(chunks: Vec<Bytes>) -> Result<(Vec<Event>, bool), Failure> {
    let mut framer = Framer::new(1 << 20);
    let mut decoder = StreamDecoder::new(origin());
    let (mut events, mut failure) = (Vec::new(), None);
    for chunk in chunks {
        let mut ignored = Vec::new();
        let mut on_event = |event: crate::sse::Event<'_>| {
            if failure.is_none() {
                failure = decoder.push(&event, &mut events).err();
            }
            Verdict::Drop
        };
        framer.push(chunk, &mut on_event, &mut ignored).unwrap();
    }
    match failure {
        Some(failure) => Err(failure),
        None => {
            let ended = decoder.finish(&mut events);
            Ok((events, ended))
        }
    }
}

fn decoded_text(stream: &str) -> Result<(Vec<Event>, bool), Failure> {
    decoded(vec![Bytes::copy_from_slice(stream.as_bytes())])
}

fn folded(events: Vec<Event>) -> Answer {
    let mut fold = Fold::default();
    for event in events {
        fold.push(event).unwrap();
    }
    fold.finish()
}

/// What a client gets for these events.
fn encoded(events: &[Event]) -> String {
    let mut encoder = StreamEncoder::new(shown());
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// A stream's events as JSON, in order.
fn data_of(stream: &str) -> Vec<Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}
