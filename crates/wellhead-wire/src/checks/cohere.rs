//! Cohere's codec on hostile input.

use super::codecs::{fold, origin, shown, target};
use super::cut;
use crate::chat::{Event, Losses};
use crate::cohere;
use crate::sse::{Framer, Verdict};
use bytes::Bytes;

fn read(chunks: Vec<Bytes>) -> Option<(Vec<Event>, bool)> {
    let mut framer = Framer::new(1 << 20);
    let mut decoder = cohere::StreamDecoder::new(&origin());
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

/// Cohere `v2/chat`: no input panics; a request that is understood is understood the same once it has been written; a
/// stream means the same however it is cut, and can be written.
pub fn cohere_codec(seed: u64, bytes: &[u8]) {
    if let Ok(request) = cohere::decode_request(bytes) {
        let losses = Losses::allowed(["*"]);
        let written = cohere::encode_request(&request, &target(), &losses).unwrap();
        let read = cohere::decode_request(&written.body).expect("what was written is readable");
        let again = cohere::encode_request(&read, &target(), &losses).unwrap();
        assert_eq!(written.body, again.body, "{}", String::from_utf8_lossy(&written.body));
    }
    if let Ok(answer) = cohere::decode_answer(bytes, &origin()) {
        let written = cohere::encode_answer(&answer, &shown());
        cohere::decode_answer(&written, &origin()).expect("what was written is readable");
        fold(&answer.into_events());
    }
    let whole = if bytes.is_empty() { Vec::new() } else { vec![Bytes::copy_from_slice(bytes)] };
    let Some((events, ended)) = read(whole) else { return };
    assert_eq!(read(cut(seed, bytes)), Some((events.clone(), ended)));
    fold(&events);
    let mut encoder = cohere::StreamEncoder::new(shown());
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.push(event, &mut out));
    let (again, written) = read(vec![Bytes::from(out)]).expect("whole events");
    assert_eq!(written, ended);
    fold(&again);
}
