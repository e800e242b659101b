//! Reading a vendor's stream.

use super::super::members::{self, Members, take, word};
use super::super::{CANDIDATE_INDEX_MAX, CANDIDATES_MAX, read_usage};
use super::speaker::{Scene, Speaker};
use crate::chat::{Event, Origin};
use crate::failure::{classify_in_success, protocol_failure};
use crate::sse;
use serde_json::Value;
use wellhead_types::{Failure, Stage};

/// The success that streams begin with.
const STATUS: u16 = 200;

/// Bytes of a malformed event that go into our own log.
const SAMPLE_BYTES_MAX: usize = 120;

/// Reads chunks of whichever vendor.
#[derive(Debug)]
pub struct StreamDecoder {
    origin: Origin,
    id: Option<Box<str>>,
    has_started: bool,
    has_ended: bool,
    speakers: Vec<Speaker>,
}

impl StreamDecoder {
    /// `origin` marks what only the vendor understands.
    pub const fn new(origin: Origin) -> Self {
        Self { origin, id: None, has_started: false, has_ended: false, speakers: Vec::new() }
    }

    /// Reads an event. `Err`: the vendor says that the answer failed, or says what no vendor of this dialect says.
    pub fn push(&mut self, event: &sse::Event<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        if self.has_ended {
            return Ok(());
        }
        let Some(data) = event.data() else {
            // A blank line alone says nothing, not even that somebody is there.
            if event.is_comment_only() && event.raw().contains(&b':') {
                out.push(Event::Ping);
            }
            return Ok(());
        };
        let data = data.trim_ascii();
        if data == b"[DONE]" {
            return self.end(out);
        }
        if event.event() == Some(b"error") {
            return Err(self.failed(data));
        }
        if data.is_empty() {
            return Ok(());
        }
        match serde_json::from_slice(data) {
            Ok(Value::Object(chunk)) => self.chunk(chunk, data, out),
            Ok(_) => Err(self.broken("an event is no object", data)),
            Err(error) => Err(self.broken(&error.to_string(), data)),
        }
    }

    /// The bytes have ended. Whether the answer is whole: some vendors forget the end signal, but none the reasons.
    pub fn finish(&mut self, out: &mut Vec<Event>) -> bool {
        let is_whole = !self.speakers.is_empty() && self.speakers.iter().all(|speaker| speaker.is_finished);
        if !self.has_ended && is_whole {
            self.has_ended = true;
            out.push(Event::End);
        }
        self.has_ended
    }

    fn stage(&self) -> Stage {
        if self.speakers.is_empty() { Stage::FirstToken } else { Stage::Stream }
    }

    fn failed(&self, data: &[u8]) -> Failure {
        classify_in_success(data, self.stage())
    }

    fn broken(&self, what: &str, data: &[u8]) -> Failure {
        let sample = String::from_utf8_lossy(data.get(..SAMPLE_BYTES_MAX).unwrap_or(data)).into_owned();
        protocol_failure(STATUS, self.stage(), format!("{what}: {sample}"))
    }

    fn chunk(&mut self, mut chunk: Members, data: &[u8], out: &mut Vec<Event>) -> Result<(), Failure> {
        if is_error(&chunk) {
            return Err(self.failed(data));
        }
        let choices = members::list(&mut chunk, "choices");
        self.start(&mut chunk, choices.is_empty(), out);
        let mut usage = take(&mut chunk, "usage").as_ref().and_then(read_usage);
        if let Some(mut groq) = members::object(&mut chunk, "x_groq") {
            usage = usage.or_else(|| take(&mut groq, "usage").as_ref().and_then(read_usage));
        }
        for (choice, place) in choices.into_iter().zip(0_u64..) {
            let Value::Object(mut choice) = choice else { continue };
            usage = usage.or_else(|| take(&mut choice, "usage").as_ref().and_then(read_usage));
            let index = members::count(&mut choice, "index").unwrap_or(place);
            self.choice(index, choice, out).map_err(|what| self.broken(&what, data))?;
        }
        out.extend(usage.map(Event::Usage));
        Ok(())
    }

    fn start(&mut self, chunk: &mut Members, is_bare: bool, out: &mut Vec<Event>) {
        if self.has_started {
            return;
        }
        let id = word(chunk, "id");
        // Azure's first chunk has neither names nor choices.
        if id.is_none() && is_bare {
            return;
        }
        self.has_started = true;
        self.id = id.map(Into::into);
        let created = members::count(chunk, "created").filter(|created| *created > 0);
        out.push(Event::Start { id: self.id.clone(), model: word(chunk, "model").map(Into::into), created });
    }

    fn choice(&mut self, index: u64, choice: Members, out: &mut Vec<Event>) -> Result<(), String> {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let found = self.speakers.iter().position(|speaker| speaker.candidate == index);
        let at = match found {
            Some(at) => at,
            None if self.speakers.len() >= CANDIDATES_MAX || index >= CANDIDATE_INDEX_MAX => {
                return Err(format!("an answer has more than {CANDIDATES_MAX} choices"));
            }
            None => {
                self.speakers.push(Speaker::new(index));
                self.speakers.len() - 1
            }
        };
        let mut scene = Scene { origin: &self.origin, answer: self.id.as_deref(), out };
        self.speakers[at].hear(choice, &mut scene)
    }

    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), Failure> {
        let mut scene = Scene { origin: &self.origin, answer: self.id.as_deref(), out };
        let mut closed = Ok(());
        for speaker in self.speakers.iter_mut().filter(|speaker| !speaker.is_finished) {
            closed = closed.and(speaker.close(&mut scene));
        }
        closed.map_err(|what| self.broken(&what, b"[DONE]"))?;
        self.has_ended = true;
        out.push(Event::End);
        Ok(())
    }
}

/// Whether a chunk is an error, in one of the shapes that vendors send under a success (wire.md, trap 9).
fn is_error(chunk: &Members) -> bool {
    let says = |value: Option<&Value>| match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Object(object)) => !object.is_empty(),
        Some(_) => true,
    };
    let choices = chunk.get("choices").and_then(Value::as_array);
    let is_word = |name: &str| chunk.get(name).and_then(Value::as_str) == Some("error");
    let bare = choices.is_none_or(Vec::is_empty) && chunk.get("usage").is_none_or(Value::is_null);
    says(chunk.get("error"))
        || is_word("object")
        || is_word("type")
        || says(chunk.get("x_groq").and_then(|groq| groq.get("error")))
        || chunk
            .get("base_resp")
            .and_then(|base| base.get("status_code"))
            .is_some_and(|code| code != &Value::from(0))
        || (bare && (says(chunk.get("message")) || says(chunk.get("detail"))))
        || choices.into_iter().flatten().any(|choice| {
            says(choice.get("error")) || choice.get("finish_reason").and_then(Value::as_str) == Some("error")
        })
}
