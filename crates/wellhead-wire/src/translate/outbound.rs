//! The gateway's own stream of OpenAI Chat chunks, turned into the dialect of a client who speaks another one.

use super::Encoder;
use crate::chat::{Dialect, ErrorShown, Event, Origin, Shown};
use crate::gemini::Framing;
use crate::json;
use crate::openai::chat::StreamDecoder;
use crate::sse::{self, Framer, Tail, Verdict};
use bytes::Bytes;
use serde_json::Value;

/// One stream on its way out.
#[derive(Debug)]
pub struct Outbound {
    framer: Framer,
    decoder: StreamDecoder,
    encoder: Encoder,
    /// Kept for its memory.
    events: Vec<Event>,
    request_id: Box<str>,
    ended: bool,
}

impl Outbound {
    /// A stream for a client of this dialect. The chunks that come in were watched already: an event of them has at most
    /// `event_bytes_max` bytes.
    pub fn new(
        (dialect, framing): (Dialect, Framing),
        origin: &Origin,
        shown: Shown,
        request_id: &str,
        event_bytes_max: usize,
    ) -> Self {
        Self {
            framer: Framer::new(event_bytes_max),
            decoder: StreamDecoder::new(origin.clone()),
            encoder: Encoder::new(dialect, shown, framing),
            events: Vec::new(),
            request_id: request_id.into(),
            ended: false,
        }
    }

    /// Takes a piece of the gateway's stream. Returns what the client gets; empty if that is nothing yet.
    pub fn push(&mut self, chunk: Bytes) -> Bytes {
        let Self { framer, decoder, encoder, events, request_id, ended } = self;
        let mut out = Vec::new();
        let framed = framer.push(
            chunk,
            &mut |event| {
                if !*ended {
                    *ended = !translate(decoder, encoder, events, request_id, &event, &mut out);
                }
                Verdict::Drop
            },
            &mut Vec::new(),
        );
        if framed.is_err() && !*ended {
            *ended = true;
            encoder.fail(&broken(request_id), &mut out);
        }
        out.into()
    }

    /// The gateway's stream is over: what is left of it.
    pub fn close(&mut self) -> Bytes {
        let Self { framer, decoder, encoder, events, request_id, ended } = self;
        let mut out = Vec::new();
        if std::mem::replace(ended, true) {
            return Bytes::new();
        }
        if let Tail::Incomplete(tail) = framer.finish()
            && !translate(decoder, encoder, events, request_id, &sse::Event::parse(&tail), &mut out)
        {
            return out.into();
        }
        events.clear();
        decoder.finish(events);
        events.iter().for_each(|event| encoder.push(event, &mut out));
        out.into()
    }
}

/// One event. Returns whether others may follow: nothing does behind an error.
fn translate(
    decoder: &mut StreamDecoder,
    encoder: &mut Encoder,
    events: &mut Vec<Event>,
    request_id: &str,
    event: &sse::Event<'_>,
    out: &mut Vec<u8>,
) -> bool {
    if event.is_comment_only() {
        encoder.push(&Event::Ping, out);
        return true;
    }
    let data = event.data().unwrap_or_default();
    // The gateway's own error: what it says is for the client as it is.
    if let Some(error) = json::find(&data, &["error"]).filter(|error| *error != b"null") {
        let error: Value = serde_json::from_slice(error).unwrap_or_default();
        encoder.fail(&super::shown_error(status_of(&error), &error, request_id), out);
        return false;
    }
    events.clear();
    let decoded = decoder.push(event, events);
    events.drain(..).for_each(|event| encoder.push(&event, out));
    if decoded.is_err() {
        encoder.fail(&broken(request_id), out);
    }
    decoded.is_ok()
}

/// The status that the error would have had in front of the stream.
fn status_of(error: &Value) -> u16 {
    match error.get("type").and_then(Value::as_str) {
        Some("rate_limit_error") => 429,
        Some("timeout_error") => 504,
        Some("invalid_request_error") => 400,
        _ => 502,
    }
}

const fn broken(request_id: &str) -> ErrorShown<'_> {
    let message = "The answer could not be translated; what was delivered is incomplete.";
    ErrorShown { status: 502, code: "upstream_invalid_answer", message, param: None, request_id }
}
