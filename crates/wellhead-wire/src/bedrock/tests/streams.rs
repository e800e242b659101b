//! Streams: cut anywhere, whole and broken, in the words of Amazon's framing.

use super::{CLAUDE, STREAM, json, origin, shown};
use crate::bedrock::{StreamDecoder, StreamEncoder};
use crate::chat::{Answer, Dialect, Event, Opaque, Part, Reasoning, Source, StopKind};
use crate::checks::chat::folded;
use crate::eventstream::{Decoder, Kind, Message, Value as Header, encode};
use bytes::Bytes;
use serde_json::{Value, json};
use wellhead_types::{Cause, Failure, Scope, Stage};

pub(super) fn message(name: &str, payload: &Value) -> Vec<u8> {
    let headers = [
        (":event-type", Header::Text(name)),
        (":content-type", Header::Text("application/json")),
        (":message-type", Header::Text("event")),
    ];
    encode(headers, payload.to_string().as_bytes()).unwrap()
}

pub(super) fn exception(name: &str, payload: &Value) -> Vec<u8> {
    let headers = [(":exception-type", Header::Text(name)), (":message-type", Header::Text("exception"))];
    encode(headers, payload.to_string().as_bytes()).unwrap()
}

/// A list of `{name: payload}` as a target sends it.
pub(super) fn framed(list: &Value) -> Vec<u8> {
    let messages = list.as_array().unwrap().iter().flat_map(|item| item.as_object().unwrap());
    messages.flat_map(|(name, payload)| message(name, payload)).collect()
}

pub(super) fn messages(stream: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    Decoder::new(1 << 24).push(Bytes::copy_from_slice(stream), &mut messages).unwrap();
    messages
}

/// The events of a stream, and whether it ended as it should.
pub(super) fn decode(stream: &[u8], cuts: &[usize]) -> Result<(Vec<Event>, bool), Failure> {
    let mut framer = Decoder::new(1 << 20);
    let mut decoder = StreamDecoder::new(origin(CLAUDE));
    let mut events = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([stream.len()]) {
        let mut messages = Vec::new();
        framer.push(Bytes::copy_from_slice(&stream[from..to]), &mut messages).unwrap();
        from = to;
        for message in &messages {
            decoder.push(message, &mut events)?;
        }
    }
    let is_whole = decoder.finish(&mut events);
    Ok((events, is_whole))
}

fn answer(list: &Value) -> Answer {
    let (events, is_whole) = decode(&framed(list), &[]).unwrap();
    assert!(is_whole);
    folded(events)
}

fn signed(data: &str) -> Option<Opaque> {
    Some(Opaque { dialect: Dialect::Bedrock, origin: Some(origin(CLAUDE)), data: data.into() })
}

#[test]
fn a_stream_says_what_its_messages_say_together() {
    let said = answer(&json(STREAM.as_bytes()));
    let parts = &said.candidates[0].parts;
    assert_eq!(
        parts[0],
        Part::Reasoning(Reasoning {
            text: "Two tools are needed.".into(),
            opaque: signed("EqQBCkgIARAB"),
            ..Reasoning::default()
        }),
        "trap 7"
    );
    assert_eq!(
        parts[1],
        Part::Reasoning(Reasoning {
            opaque: signed("cmVkYWN0ZWQ="),
            is_redacted: true,
            ..Reasoning::default()
        })
    );
    assert!(
        matches!(&parts[2], Part::Text { text, citations, .. } if text == "Grüße, let me see: 👩‍👩‍👧" && citations.len() == 1)
    );
    assert!(
        matches!(&parts[3], Part::ToolCall(call) if &*call.id == "tooluse_1" && call.arguments == r#"{"city": "Zürich"}"#),
        "trap 4"
    );
    assert!(
        matches!(&parts[4], Part::ToolCall(call) if &*call.id == "tooluse_2" && call.arguments == "{}"),
        "trap 5"
    );
    assert!(
        matches!(&parts[5], Part::Image { media, .. } if media.source == Source::Base64("iVBORw0KGgo=".into()))
    );
    assert_eq!(
        parts[6],
        Part::Other(
            Dialect::Bedrock,
            json!({"toolUse": {"toolUseId": "tooluse_3", "name": "nova_grounding", "type": "server_tool_use", "input": {"q": 1}}})
        )
    );
    assert!(
        matches!(&parts[7], Part::Other(_, value) if value["toolResult"]["content"][0]["text"] == "found")
    );
    assert_eq!(parts.len(), 8);
    assert_eq!(said.candidates[0].stop.as_ref().unwrap().kind, StopKind::ToolCalls);
    let usage = said.usage.unwrap();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens, usage.cache_write_tokens),
        (35, 40, 20, 5),
        "trap 8"
    );
}

#[test]
fn trap_16_cuts_change_nothing() {
    let stream = framed(&json(STREAM.as_bytes()));
    let whole = decode(&stream, &[]).unwrap();
    for at in 1..stream.len() {
        assert_eq!(decode(&stream, &[at]).unwrap(), whole, "cut at {at}");
    }
    let every: Vec<usize> = (1..stream.len()).collect();
    assert_eq!(decode(&stream, &every).unwrap(), whole);
}

/// The counts come behind the reason to stop; the stream is over when both are there.
#[test]
fn the_end_waits_for_the_counts() {
    let list = json(STREAM.as_bytes());
    let list = list.as_array().unwrap();
    let count = list.len();
    let without = |left: usize| decode(&framed(&list[..count - left].to_vec().into()), &[]).unwrap();
    let (events, is_whole) = without(0);
    assert!(is_whole && events.last() == Some(&Event::End));
    assert!(
        matches!(events[events.len() - 2], Event::Usage(_)),
        "before the end, so that clients hear of it"
    );
    // Cut between the two: the answer is whole, only its counts are not known.
    let (events, is_whole) = without(1);
    assert!(is_whole && events.last() == Some(&Event::End));
    assert!(!events.iter().any(|event| matches!(event, Event::Usage(_))));
    // Trap 9: everything else is a cut.
    for left in 2..=count {
        let (events, is_whole) = without(left);
        assert!(!is_whole && !events.contains(&Event::End), "{left} messages are missing");
    }
    let swapped = json!([{"metadata": {"usage": {"inputTokens": 1, "outputTokens": 1}}}, {"messageStop": {"stopReason": "end_turn"}}]);
    let (events, is_whole) = decode(&framed(&swapped), &[]).unwrap();
    assert!(is_whole && events.iter().filter(|event| **event == Event::End).count() == 1);
}

#[test]
fn trap_9_exceptions_end_a_stream_and_say_who_is_at_fault() {
    let begun = framed(&json!([
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hi"}}},
    ]));
    for (name, cause, scope) in [
        ("throttlingException", Cause::RateLimited, Scope::KeyModel),
        ("serviceUnavailableException", Cause::Overloaded, Scope::Endpoint),
        ("internalServerException", Cause::ErrorInSuccess, Scope::Endpoint),
        ("modelStreamErrorException", Cause::ErrorInSuccess, Scope::Endpoint),
        ("validationException", Cause::ErrorInSuccess, Scope::Endpoint),
        ("newlyInventedException", Cause::ErrorInSuccess, Scope::Endpoint),
    ] {
        let body = json!({"message": "m", "originalStatusCode": 500, "originalMessage": "o"});
        let failure = decode(&[begun.clone(), exception(name, &body)].concat(), &[]).unwrap_err();
        assert_eq!((failure.cause, failure.stage), (cause, Stage::Stream), "{name}: {failure:?}");
        if cause == Cause::RateLimited {
            assert_eq!(failure.scope, scope, "{name}");
        }
        let early = decode(&exception(name, &body), &[]).unwrap_err();
        assert_eq!((early.cause, early.stage), (cause, Stage::FirstToken), "{name}");
    }
    // The framing's own form.
    let headers = [
        (":message-type", Header::Text("error")),
        (":error-code", Header::Text("InternalFailure")),
        (":error-message", Header::Text("An internal server error occurred")),
    ];
    let failure = decode(&encode(headers, b"").unwrap(), &[]).unwrap_err();
    assert!(failure.detail.contains("An internal server error occurred"), "{failure:?}");
}

#[test]
fn what_is_no_stream_of_this_dialect_is_a_failure() {
    let block = |value: Value| framed(&json!([{"messageStart": {}}, value]));
    for (stream, cause) in [
        (message("messageStart", &json!({}))[..].to_vec(), None),
        (
            encode(
                [(":message-type", Header::Text("event")), (":event-type", Header::Text("messageStart"))],
                b"{",
            )
            .unwrap(),
            Some(Cause::ProtocolError),
        ),
        (
            block(json!({"contentBlockStart": {"start": {"toolUse": {"toolUseId": "1"}}}})),
            Some(Cause::ProtocolError),
        ),
        (
            block(json!({"contentBlockDelta": {"delta": {"toolUse": {"input": "{}"}}}})),
            Some(Cause::ProtocolError),
        ),
        (block(json!({"contentBlockDelta": {"delta": {"newlyInvented": 1}}})), None),
        (block(json!({"contentBlockStop": {"contentBlockIndex": 9}})), None),
    ] {
        match (decode(&stream, &[]), cause) {
            (Ok((_, is_whole)), None) => assert!(!is_whole),
            (Err(failure), Some(cause)) => assert_eq!(failure.cause, cause, "{failure:?}"),
            (other, _) => panic!("{other:?}"),
        }
    }
    let mut endless =
        framed(&json!([{"contentBlockStart": {"start": {"toolUse": {"toolUseId": "1", "name": "f"}}}}]));
    let piece = message("contentBlockDelta", &json!({"delta": {"toolUse": {"input": "x".repeat(1 << 18)}}}));
    (0..5).for_each(|_| endless.extend(&piece));
    assert_eq!(decode(&endless, &[]).unwrap_err().cause, Cause::ResponseTooLarge);
    let wide: Value = (0..70)
        .map(|index| json!({"contentBlockDelta": {"contentBlockIndex": index, "delta": {"text": "x"}}}))
        .collect();
    assert_eq!(decode(&framed(&wide), &[]).unwrap_err().cause, Cause::ResponseTooLarge);
}

#[test]
fn clients_are_told_in_the_order_of_the_dialect() {
    let (events, _) = decode(&framed(&json(STREAM.as_bytes())), &[]).unwrap();
    let (mut encoder, mut out) = (StreamEncoder::new(&shown()), Vec::new());
    events.iter().for_each(|event| encoder.push(event, &mut out));
    let told = messages(&out);
    let names: Vec<&str> = told
        .iter()
        .map(|message| match message.kind() {
            Kind::Event(name) => name,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        (names[0], names[names.len() - 2], names[names.len() - 1]),
        ("messageStart", "messageStop", "metadata")
    );
    let starts = names.iter().filter(|name| **name == "contentBlockStart").count();
    let stops = names.iter().filter(|name| **name == "contentBlockStop").count();
    // Only what cannot be told by its pieces is announced.
    assert_eq!((starts, stops), (5, 8));
    let last = json(&told[told.len() - 1].payload);
    assert_eq!(last["usage"]["totalTokens"], 75);
    // Nothing comes behind the end.
    encoder.push(&Event::Start { id: None, model: None, created: None }, &mut out);
    assert_eq!(messages(&out).len(), told.len());
}

#[test]
fn an_answer_without_end_is_never_told_as_one() {
    let (events, _) = decode(&framed(&json(STREAM.as_bytes())), &[]).unwrap();
    let (mut encoder, mut out) = (StreamEncoder::new(&shown()), Vec::new());
    events[..events.len() - 1].iter().for_each(|event| encoder.push(event, &mut out));
    assert!(!messages(&out).iter().any(|message| message.kind() == Kind::Event("messageStop")));
}
