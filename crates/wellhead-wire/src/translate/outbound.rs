//! The gateway's own stream of OpenAI Chat chunks, turned into the dialect of a client who speaks another one.

use super::{Encoder, Manner};
use crate::chat::{CustomTools, ErrorShown, Event, Origin, Shown};
use crate::json;
use crate::openai::chat::StreamDecoder;
use crate::sse::original::{self, Kind};
use crate::sse::{self, Framer, Tail, Verdict};
use bytes::Bytes;
use serde_json::Value;

/// One stream on its way out.
#[derive(Debug)]
pub struct Outbound {
    framer: Framer,
    writer: Writer,
}

/// What is made of each event.
#[derive(Debug)]
struct Writer {
    decoder: StreamDecoder,
    encoder: Encoder,
    /// There if calls have to be given back as the client knows them.
    customs: Option<Box<CustomTools>>,
    /// Kept for its memory.
    events: Vec<Event>,
    request_id: Box<str>,
    source: Source,
    ended: bool,
}

/// Who writes what the client gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Nobody has yet.
    Open,
    /// The target, which speaks the client's dialect.
    Target,
    /// The encoder: the target speaks another dialect, or was switched.
    Encoder,
}

impl Outbound {
    /// A stream for a client who wants it in this manner. The chunks that come in were watched already: an event of them has at most
    /// `event_bytes_max` bytes.
    pub fn new(
        manner: impl Into<Manner>,
        origin: &Origin,
        shown: Shown,
        request_id: &str,
        event_bytes_max: usize,
    ) -> Self {
        let manner = manner.into();
        let writer = Writer {
            decoder: StreamDecoder::new(origin.clone()),
            encoder: Encoder::new(&manner, shown),
            customs: manner.customs.map(Box::new),
            events: Vec::new(),
            request_id: request_id.into(),
            source: Source::Open,
            ended: false,
        };
        Self { framer: Framer::new(event_bytes_max), writer }
    }

    /// Takes a piece of the gateway's stream. Returns what the client gets; empty if that is nothing yet.
    pub fn push(&mut self, chunk: Bytes) -> Bytes {
        let Self { framer, writer } = self;
        let mut out = Vec::new();
        let framed = framer.push(
            chunk,
            &mut |event| {
                if !writer.ended {
                    writer.ended = !writer.write(&event, &mut out);
                }
                Verdict::Drop
            },
            &mut Vec::new(),
        );
        if framed.is_err() && !writer.ended {
            writer.ended = true;
            writer.encoder.fail(&broken(&writer.request_id), &mut out);
        }
        out.into()
    }

    /// The gateway's stream is over: what is left of it.
    pub fn close(&mut self) -> Bytes {
        let Self { framer, writer } = self;
        let mut out = Vec::new();
        if writer.ended {
            return Bytes::new();
        }
        if let Tail::Incomplete(tail) = framer.finish()
            && !writer.write(&sse::Event::parse(&tail), &mut out)
        {
            writer.ended = true;
            return out.into();
        }
        writer.ended = true;
        if writer.source != Source::Target {
            writer.events.clear();
            writer.decoder.finish(&mut writer.events);
            let Writer { encoder, customs, events, .. } = writer;
            for event in events.drain(..) {
                CustomTools::pass(customs.as_deref_mut(), event, &mut |event| encoder.push(event, &mut out));
            }
        }
        out.into()
    }
}

impl Writer {
    /// One event. Returns whether others may follow: nothing does behind an error.
    fn write(&mut self, event: &sse::Event<'_>, out: &mut Vec<u8>) -> bool {
        if self.source != Source::Encoder
            && let Some(goes_on) = self.relay(event, out)
        {
            return goes_on;
        }
        self.translate(event, out)
    }

    /// What the target wrote itself, if that is what the client is getting. `None`: the event has to be translated.
    fn relay(&mut self, event: &sse::Event<'_>, out: &mut Vec<u8>) -> Option<bool> {
        let is_end = || event.data().is_some_and(|data| data.trim_ascii() == b"[DONE]");
        match original::read(event.raw()) {
            Some((Kind::First, _)) if self.source == Source::Target => {}
            Some((Kind::First | Kind::Next, carried)) => {
                self.source = Source::Target;
                self.encoder.relay(&original::restore(carried), out);
                return Some(true);
            }
            Some((Kind::Ping, carried)) => {
                self.encoder.relay(&original::restore(carried), out);
                return Some(true);
            }
            Some((Kind::Part, _)) if !is_end() => return Some(true),
            // Keep-alives say nothing of who writes.
            None if event.data().is_none() => return None,
            _ if is_end() && self.source == Source::Target && self.encoder.finish_relayed(out) => {
                return Some(true);
            }
            // The gateway's own error fits behind everything.
            None if event.data().is_some_and(|data| is_error(&data)) => return None,
            _ => {}
        }
        if self.source == Source::Target {
            self.encoder.take_over(out);
        }
        self.source = Source::Encoder;
        None
    }

    fn translate(&mut self, event: &sse::Event<'_>, out: &mut Vec<u8>) -> bool {
        let Self { decoder, encoder, customs, events, request_id, .. } = self;
        if event.is_comment_only() {
            let carried = original::read(event.raw()).map(|(kind, _)| kind);
            if matches!(carried, None | Some(Kind::Ping)) {
                encoder.push(&Event::Ping, out);
            }
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
        for event in events.drain(..) {
            CustomTools::pass(customs.as_deref_mut(), event, &mut |event| encoder.push(event, out));
        }
        if decoded.is_err() {
            encoder.fail(&broken(request_id), out);
        }
        decoded.is_ok()
    }
}

fn is_error(data: &[u8]) -> bool {
    json::find(data, &["error"]).is_some_and(|error| error != b"null")
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
