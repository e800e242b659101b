//! The decoder of Amazon's event stream under every way of cutting one.

use super::cut;
use crate::eventstream::{DecodeError, Decoder, Message, Tail, encode};
use bytes::Bytes;

/// Small, so that short inputs reach it.
const MESSAGE_BYTES_MAX: usize = 1 << 12;

fn run(chunks: Vec<Bytes>) -> (Vec<Message>, Result<(), DecodeError>, Tail) {
    let (mut decoder, mut messages) = (Decoder::new(MESSAGE_BYTES_MAX), Vec::new());
    let pushed = chunks.into_iter().try_for_each(|chunk| decoder.push(chunk, &mut messages));
    (messages, pushed, decoder.finish())
}

/// No bytes panic; what is read does not depend on the cuts; and what was read are the bytes that came.
pub fn event_stream(seed: u64, bytes: &[u8]) {
    let whole = run(vec![Bytes::copy_from_slice(bytes)]);
    assert_eq!(run(cut(seed, bytes)), whole);
    let (messages, pushed, tail) = whole;
    let again: Vec<u8> = messages
        .iter()
        .flat_map(|message| encode(message.headers.iter(), &message.payload).expect("it was one"))
        .collect();
    assert!(bytes.starts_with(&again), "messages are written as they came");
    match (pushed, tail) {
        (Ok(()), Tail::Clean) => assert_eq!(again.len(), bytes.len()),
        (Ok(()), Tail::Cut(left)) => assert_eq!(again.len() + left, bytes.len()),
        (Err(_), tail) => assert_eq!(tail, Tail::Clean, "nothing is kept of a broken stream"),
    }
}
