//! Reading a vendor's stream.

use super::super::members::{Members, count, list, object, objects, text, word};
use super::super::proof::Author;
use super::super::stop::{self, Held};
use super::super::{DIALECT, answer, read_usage};
use super::item::{Items, Scene};
use crate::chat::{Event, Origin};
use crate::failure::{classify_in_success, protocol_failure};
use crate::sse;
use serde_json::{Value, json};
use wellhead_types::{Failure, Stage};

/// The success that streams begin with.
const STATUS: u16 = 200;

/// Bytes of a malformed event that go into our own log.
const SAMPLE_BYTES_MAX: usize = 120;

/// Reads the events of one response.
#[derive(Debug)]
pub struct StreamDecoder {
    origin: Origin,
    has_started: bool,
    has_ended: bool,
    items: Items,
}

impl StreamDecoder {
    /// `origin` marks what only the vendor understands.
    pub fn new(origin: Origin) -> Self {
        Self { origin, has_started: false, has_ended: false, items: Items::default() }
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
        // Some servers end all their streams like this; the end of this dialect is an event.
        if data.is_empty() || data == b"[DONE]" {
            return Ok(());
        }
        let value = serde_json::from_slice(data).map_err(|error| self.broken(&error.to_string(), data))?;
        let Value::Object(said) = value else { return Err(self.broken("an event is no object", data)) };
        let named = || event.event().map(|name| String::from_utf8_lossy(name).into_owned());
        let kind = said.get("type").and_then(Value::as_str).map(str::to_owned).or_else(named);
        match kind.as_deref() {
            Some("error") => Err(classify_in_success(data, self.stage())),
            Some("response.failed" | "response.cancelled") => {
                let response = crate::json::find(data, &["response"]).unwrap_or(data);
                Err(classify_in_success(response, self.stage()))
            }
            Some(kind) => {
                let kind = kind.to_owned();
                self.hear(&kind, said, out).map_err(|what| self.broken(&what, data))
            }
            None if said.get("error").is_some_and(|error| !error.is_null()) => {
                Err(classify_in_success(data, self.stage()))
            }
            None => Err(self.broken("an event has no type", data)),
        }
    }

    /// The bytes have ended. Whether the response had: no vendor of this dialect forgets to say so.
    pub fn finish(&mut self, _out: &mut Vec<Event>) -> bool {
        self.has_ended
    }

    fn stage(&self) -> Stage {
        if self.items.is_empty() { Stage::FirstToken } else { Stage::Stream }
    }

    fn broken(&self, what: &str, data: &[u8]) -> Failure {
        let sample = String::from_utf8_lossy(data.get(..SAMPLE_BYTES_MAX).unwrap_or(data)).into_owned();
        protocol_failure(STATUS, self.stage(), format!("{what}: {sample}"))
    }

    fn hear(&mut self, kind: &str, mut said: Members, out: &mut Vec<Event>) -> Result<(), String> {
        match kind {
            "response.created" | "response.in_progress" | "response.queued" => {
                self.start(&mut object(&mut said, "response").unwrap_or_default(), out);
                return Ok(());
            }
            "response.completed" | "response.incomplete" | "response.done" => {
                let mut response = object(&mut said, "response").unwrap_or_default();
                self.start(&mut response, out);
                return self.end(response, out);
            }
            "keepalive" | "ping" => {
                out.push(Event::Ping);
                return Ok(());
            }
            _ => {}
        }
        self.start(&mut Members::new(), out);
        let at = count(&mut said, "output_index").unwrap_or(0);
        let content = count(&mut said, "content_index").unwrap_or(0);
        let mut scene = Scene { origin: &self.origin, out };
        let items = &mut self.items;
        let words = |said: &mut Members, name: &str| text(said, name).unwrap_or_default();
        match kind {
            "response.output_item.added" => {
                items.begin(at, object(&mut said, "item").unwrap_or_default(), &mut scene)
            }
            "response.output_item.done" => {
                items.end(at, object(&mut said, "item").unwrap_or_default(), &mut scene)
            }
            "response.content_part.added" => {
                items.part(at, content, &object(&mut said, "part").unwrap_or_default(), &mut scene)
            }
            "response.content_part.done" => {
                items.part_end(at, content, object(&mut said, "part").unwrap_or_default(), &mut scene)
            }
            "response.output_text.delta" => {
                let logprobs = list(&mut said, "logprobs");
                items.text(at, content, words(&mut said, "delta"), &mut scene)?;
                if !logprobs.is_empty() {
                    let logprobs = json!({"content": logprobs, "refusal": null});
                    out.push(Event::Logprobs { candidate: 0, logprobs });
                }
                Ok(())
            }
            "response.output_text.annotation.added" => match said.shift_remove("annotation") {
                Some(annotation @ Value::Object(_)) => items.cite(at, content, annotation, &mut scene),
                _ => Ok(()),
            },
            "response.refusal.delta" => items.refuse(at, content, words(&mut said, "delta"), &mut scene),
            "response.reasoning_summary_text.delta" => {
                let paragraph = count(&mut said, "summary_index").unwrap_or(0);
                items.think(at, paragraph, true, words(&mut said, "delta"), &mut scene)
            }
            "response.reasoning_text.delta" => {
                items.think(at, content, false, words(&mut said, "delta"), &mut scene)
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                items.arguments(at, words(&mut said, "delta"), &mut scene)
            }
            // What they repeat comes again with their item.
            "response.output_text.done"
            | "response.refusal.done"
            | "response.reasoning_text.done"
            | "response.reasoning_summary_text.done"
            | "response.reasoning_summary_part.added"
            | "response.reasoning_summary_part.done"
            | "response.function_call_arguments.done"
            | "response.custom_tool_call_input.done" => Ok(()),
            _ => {
                out.push(Event::Other(DIALECT, Value::Object(said)));
                Ok(())
            }
        }
    }

    fn start(&mut self, response: &mut Members, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.has_started, true) {
            return;
        }
        let id = word(response, "id").map(Into::into);
        let model = word(response, "model").map(Into::into);
        let created = count(response, "created_at").filter(|created| *created > 0);
        out.push(Event::Start { id, model, created });
    }

    fn end(&mut self, mut response: Members, out: &mut Vec<Event>) -> Result<(), String> {
        let mut scene = Scene { origin: &self.origin, out };
        // Some servers say everything in the last event only.
        if self.items.is_empty() {
            for item in objects(&mut response, "output").collect::<Vec<_>>() {
                let mut logprobs = Vec::new();
                let parts = answer::parts_of(item, Author::Target(&self.origin), &mut logprobs)?;
                parts.into_iter().try_for_each(|part| self.items.whole(part, &mut scene))?;
            }
        }
        self.items.close(&mut scene)?;
        let held = Held { calls: self.items.has_calls, refusal: self.items.has_refusal };
        let usage = response.shift_remove("usage").as_ref().and_then(read_usage);
        let stop = stop::read(&mut response, held);
        out.push(Event::Stop { candidate: 0, stop });
        out.extend(usage.map(Event::Usage));
        out.push(Event::End);
        self.has_ended = true;
        Ok(())
    }
}
