//! The codec of OpenAI Responses on hostile bodies and streams.

use super::codecs::{fold, origin, shown, target};
use super::cut;
use crate::chat::{Event, Losses};
use crate::openai::responses::{
    StreamDecoder, StreamEncoder, decode_answer, decode_request, encode_answer, encode_request,
};
use crate::sse::{self, Framer, Verdict};
use bytes::Bytes;

/// The events of a stream, whether it ended, and whether it failed. `None`: it is no stream.
fn read(chunks: Vec<Bytes>) -> Option<(Vec<Event>, bool, bool)> {
    let mut framer = Framer::new(1 << 20);
    let mut decoder = StreamDecoder::new(origin());
    let (mut events, mut failed) = (Vec::new(), false);
    for chunk in chunks {
        let mut on_event = |event: sse::Event<'_>| {
            failed = failed || decoder.push(&event, &mut events).is_err();
            Verdict::Drop
        };
        framer.push(chunk, &mut on_event, &mut Vec::new()).ok()?;
    }
    let ended = !failed && decoder.finish(&mut events);
    Some((events, ended, failed))
}

/// No input panics; a request that is understood is understood the same once it has been written; a stream means the same
/// however it is cut, does not contradict itself, and can be written.
pub fn responses_codec(seed: u64, bytes: &[u8]) {
    let all = Losses::allowed(["*"]);
    if let Ok(request) = decode_request(bytes) {
        let written = encode_request(&request, &target(), &all).unwrap();
        // Thoughts of others are left out, and with them whole conversations.
        if let Ok(read) = decode_request(&written.body) {
            let again = encode_request(&read, &target(), &all).unwrap();
            let third = encode_request(&decode_request(&again.body).unwrap(), &target(), &all).unwrap();
            assert_eq!(again.body, third.body, "{}", String::from_utf8_lossy(&again.body));
        }
    }
    if let Ok(answer) = decode_answer(bytes, &origin()) {
        let written = encode_answer(&answer, &shown());
        decode_answer(&written, &origin()).expect("what was written is readable");
        fold(&answer.into_events());
    }
    let whole = if bytes.is_empty() { Vec::new() } else { vec![Bytes::copy_from_slice(bytes)] };
    // A frame that is too large is found earlier or later, as the chunks come.
    let Some((events, ended, failed)) = read(whole) else { return };
    assert_eq!(read(cut(seed, bytes)), Some((events.clone(), ended, failed)));
    fold(&events);
    let mut encoder = StreamEncoder::new(shown());
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.push(event, &mut out));
    let (again, still, broken) = read(vec![Bytes::from(out)]).expect("whole events");
    assert!((still || !ended) && !broken, "an answer that was whole stays whole");
    fold(&again);
}
