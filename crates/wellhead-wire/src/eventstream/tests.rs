#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{DecodeError, Decoder, HeaderError, Kind, MESSAGE_BYTES_MAX, Message, Tail, Value, encode};
use bytes::Bytes;
use proptest::prelude::{any, prop, proptest};

/// Frames as other implementations of the format write them (checked with botocore's parser, and with zlib's sums).
const EMPTY: &str = "000000100000000005c248eb7d98c8ff";
const PAYLOAD: &str = "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936";
const HEADER: &str = "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e\
                      7b27666f6f273a27626172277d8d9c08b1";

/// [`of_every_type`] with the payload `{}`.
const EVERY_TYPE: &str = "0000009200000080235c28390379657300026e6f0104696e743802fe05696e74313603fed405696e7433320400\
                          01117005696e74363405800000000000000005627974657306000400ff0d0a0b3a6576656e742d747970650700\
                          11636f6e74656e74426c6f636b44656c7461026174080000018bcfe5687b026964090707070707070707070707\
                          07070707077b7de084455e";

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn decode(chunks: impl IntoIterator<Item = Vec<u8>>) -> (Vec<Message>, Result<(), DecodeError>, Tail) {
    let (mut decoder, mut messages) = (Decoder::new(MESSAGE_BYTES_MAX), Vec::new());
    for chunk in chunks {
        if let Err(error) = decoder.push(Bytes::from(chunk), &mut messages) {
            assert_eq!(decoder.push(Bytes::new(), &mut Vec::new()), Err(error.clone()), "it stays broken");
            return (messages, Err(error), decoder.finish());
        }
    }
    (messages, Ok(()), decoder.finish())
}

fn one(bytes: &[u8]) -> Result<Message, DecodeError> {
    let (messages, result, _) = decode([bytes.to_vec()]);
    result.map(|()| messages.into_iter().next().expect("a message"))
}

/// The same bytes with both sums put right.
fn resealed(mut message: Vec<u8>) -> Vec<u8> {
    let prelude = crc32fast::hash(&message[..8]).to_be_bytes();
    message[8..12].copy_from_slice(&prelude);
    let end = message.len() - 4;
    let sum = crc32fast::hash(&message[..end]).to_be_bytes();
    message[end..].copy_from_slice(&sum);
    message
}

fn of_every_type() -> Vec<(&'static str, Value<'static>)> {
    vec![
        ("yes", Value::Bool(true)),
        ("no", Value::Bool(false)),
        ("int8", Value::Int8(-2)),
        ("int16", Value::Int16(-300)),
        ("int32", Value::Int32(70_000)),
        ("int64", Value::Int64(i64::MIN)),
        ("bytes", Value::Bytes(&[0, 255, 13, 10])),
        (":event-type", Value::Text("contentBlockDelta")),
        ("at", Value::Timestamp(1_700_000_000_123)),
        ("id", Value::Uuid([7; 16])),
    ]
}

#[test]
fn frames_of_others_are_read_and_written() {
    assert_eq!(one(&bytes(EMPTY)).unwrap(), Message::default());
    let message = one(&bytes(PAYLOAD)).unwrap();
    assert_eq!((message.headers.iter().count(), &*message.payload), (0, &b"{'foo':'bar'}"[..]));
    let message = one(&bytes(HEADER)).unwrap();
    assert_eq!(message.headers.text("content-type"), Some("application/json"));
    let message = one(&bytes(EVERY_TYPE)).unwrap();
    assert_eq!(message.headers.iter().collect::<Vec<_>>(), of_every_type());
    assert_eq!(encode(of_every_type(), b"{}").unwrap(), bytes(EVERY_TYPE));
    assert_eq!(encode([], b"").unwrap(), bytes(EMPTY));
    let header = [("content-type", Value::Text("application/json"))];
    assert_eq!(encode(header, b"{'foo':'bar'}").unwrap(), bytes(HEADER));
}

#[test]
fn values_of_every_type_come_as_they_were_sent() {
    let sent = of_every_type();
    let message = one(&encode(sent.clone(), b"{}").unwrap()).unwrap();
    assert_eq!(message.headers.iter().collect::<Vec<_>>(), sent);
    assert_eq!(message.headers.get("id"), Some(Value::Uuid([7; 16])));
    assert_eq!(message.headers.get("nobody"), None);
    assert_eq!(message.headers.text("int8"), None, "not a text");
}

#[test]
fn a_message_says_what_it_is() {
    let message = |headers: &[(&'static str, &'static str)]| {
        let headers = headers.iter().map(|(name, text)| (*name, Value::Text(text)));
        one(&encode(headers, b"").unwrap()).unwrap()
    };
    let event = message(&[(":message-type", "event"), (":event-type", "messageStart")]);
    assert_eq!(event.kind(), Kind::Event("messageStart"));
    let exception = message(&[(":message-type", "exception"), (":exception-type", "throttlingException")]);
    assert_eq!(exception.kind(), Kind::Exception("throttlingException"));
    let error = message(&[(":message-type", "error"), (":error-code", "500"), (":error-message", "no")]);
    assert_eq!(error.kind(), Kind::Error { code: "500", message: "no" });
    assert_eq!(message(&[]).kind(), Kind::Other);
}

#[test]
fn where_a_stream_is_cut_changes_nothing() {
    let second = encode(of_every_type(), &[b'x'; 300]).unwrap();
    let stream = [bytes(EMPTY), second, bytes(HEADER), bytes(PAYLOAD)].concat();
    let (whole, result, tail) = decode([stream.clone()]);
    assert_eq!((whole.len(), result, tail), (4, Ok(()), Tail::Clean));
    for at in 0..=stream.len() {
        let (first, second) = stream.split_at(at);
        assert_eq!(decode([first.to_vec(), second.to_vec()]), (whole.clone(), Ok(()), Tail::Clean), "{at}");
    }
    let (messages, result, tail) = decode(stream.iter().map(|byte| vec![*byte]));
    assert_eq!((messages, result, tail), (whole, Ok(()), Tail::Clean));
}

#[test]
fn a_stream_that_ends_within_a_message_is_no_end() {
    let frame = bytes(HEADER);
    for length in 1..frame.len() {
        let (messages, result, tail) = decode([bytes(EMPTY), frame[..length].to_vec()]);
        assert_eq!((messages.len(), result, tail), (1, Ok(()), Tail::Cut(length)));
    }
}

#[test]
fn every_changed_bit_is_noticed() {
    let frame = encode(of_every_type(), b"{\"a\":1}").unwrap();
    for bit in 0..frame.len() * 8 {
        let mut changed = frame.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let error = decode([changed, bytes(EMPTY)]).1.expect_err("a changed bit");
        let expected = if bit < 96 { "lengths" } else { "message" };
        assert!(
            error.to_string().contains(expected) && error.to_string().contains("CRC-32"),
            "{bit}: {error}"
        );
    }
}

#[test]
fn lengths_that_cannot_be_are_refused_before_anything_is_kept() {
    let with = |total: u32, headers: u32| {
        let mut message = bytes(EMPTY);
        message[..4].copy_from_slice(&total.to_be_bytes());
        message[4..8].copy_from_slice(&headers.to_be_bytes());
        let sum = crc32fast::hash(&message[..8]).to_be_bytes();
        message[8..12].copy_from_slice(&sum);
        decode([message]).1
    };
    assert_eq!(with(15, 0), Err(DecodeError::TooShort { bytes: 15 }));
    assert_eq!(with(0, 0), Err(DecodeError::TooShort { bytes: 0 }));
    let most = u32::try_from(MESSAGE_BYTES_MAX).unwrap();
    let long = DecodeError::TooLong { bytes: MESSAGE_BYTES_MAX + 1, bytes_max: MESSAGE_BYTES_MAX };
    assert_eq!(with(most + 1, 0), Err(long));
    assert_eq!(with(most, 0), Ok(()), "the rest may follow");
    assert_eq!(with(20, 5), Err(DecodeError::HeadersTooLong { bytes: 5, bytes_max: 4 }));
    let long = DecodeError::HeadersTooLong { bytes: (128 << 10) + 1, bytes_max: 128 << 10 };
    assert_eq!(with(1 << 20, (128 << 10) + 1), Err(long));
    let mut small = Decoder::new(28);
    let refused = small.push(Bytes::from(bytes(PAYLOAD)), &mut Vec::new());
    assert_eq!(refused, Err(DecodeError::TooLong { bytes: 29, bytes_max: 28 }));
}

#[test]
fn headers_that_cannot_be_taken_apart_are_named() {
    let with = |headers: &[u8]| {
        let total = u32::try_from(16 + headers.len()).unwrap().to_be_bytes();
        let length = u32::try_from(headers.len()).unwrap().to_be_bytes();
        let message = [&total[..], &length, &[0; 4], headers, &[0; 4]].concat();
        match one(&resealed(message)) {
            Err(DecodeError::Header(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(with(&[0, 0]), HeaderError::Name { at: 0 });
    assert_eq!(with(&[1, 0xff, 0]), HeaderError::Name { at: 0 });
    assert_eq!(with(&[1, b'a', 0, 1, b'b', 10]), HeaderError::Type { at: 3, kind: 10 });
    assert_eq!(with(&[1, b'a', 7, 0, 1, 0xff]), HeaderError::Text { at: 0 });
    assert_eq!(with(&[1, b'a', 7, 0, 2, b'x']), HeaderError::Cut { at: 0 });
    assert_eq!(with(&[9, b'a']), HeaderError::Cut { at: 0 });
    assert_eq!(with(&[1, b'a', 5, 1, 2, 3]), HeaderError::Cut { at: 0 });
}

#[test]
fn what_is_longer_than_the_format_can_say_is_not_written() {
    let name = "n".repeat(256);
    let text = "t".repeat(65_536);
    assert!(encode([(name.as_str(), Value::Bool(true))], b"").is_err());
    assert!(encode([("", Value::Bool(true))], b"").is_err());
    assert!(encode([("t", Value::Text(&text))], b"").is_err());
    let most = "t".repeat(65_535);
    assert!(encode([("a", Value::Text(&most)), ("b", Value::Text(&most))], b"").is_err(), "128 KiB");
    assert!(encode([("a", Value::Text(&most))], b"").is_ok());
    assert!(encode([], &vec![0; MESSAGE_BYTES_MAX - 16]).is_ok());
    assert!(encode([], &vec![0; MESSAGE_BYTES_MAX - 15]).is_err());
}

proptest! {
    #[test]
    fn any_bytes_in_any_cut(seed in any::<u64>(), bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        crate::checks::event_stream(seed, &bytes);
    }

    #[test]
    fn any_message_in_any_cut(
        seed in any::<u64>(),
        texts in prop::collection::vec((prop::string::string_regex("[a-z:-]{1,20}").unwrap(), any::<String>()), 0..6),
        payload in prop::collection::vec(any::<u8>(), 0..300),
        flip in any::<u16>(),
    ) {
        let headers = texts.iter().map(|(name, text)| (name.as_str(), Value::Text(text)));
        let mut frame = encode(headers, &payload).unwrap();
        let message = one(&frame).unwrap();
        assert!(message.headers.iter().eq(texts.iter().map(|(name, text)| (name.as_str(), Value::Text(text)))));
        assert_eq!(&*message.payload, &payload[..]);
        let twice = [&frame[..], &frame[..]].concat();
        crate::checks::event_stream(seed, &twice);
        let at = usize::from(flip) % frame.len();
        frame[at] ^= 1;
        crate::checks::event_stream(seed, &frame);
    }
}
