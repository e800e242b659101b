//! Reading a stream.

use super::super::{DIALECT, PARTS_MAX, logprobs, stop, usage};
use crate::chat::members::{self, Members, count, text, word};
use crate::chat::{Delta, Event, Origin, PartKind};
use crate::failure::{classify_in_success, protocol_failure};
use crate::{json, sse};
use serde_json::Value;
use wellhead_types::{Failure, Stage};

/// Bytes of a malformed event that go into our own log.
const SAMPLE_BYTES_MAX: usize = 120;

/// What a part is on the wire: blocks of the content and calls are numbered apart from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Content(u64),
    Plan,
    Call(u64),
}

#[derive(Debug)]
struct Open {
    line: Line,
    part: u32,
    is_text: bool,
    /// Of a call: nothing has been said of its arguments.
    is_bare: bool,
}

/// Reads events.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    id: Option<Box<str>>,
    has_started: bool,
    has_ended: bool,
    next: u32,
    calls: usize,
    open: Vec<Open>,
}

impl StreamDecoder {
    /// `_origin` is the same in every dialect; nothing here is only for its vendor.
    pub fn new(_origin: &Origin) -> Self {
        Self::default()
    }

    /// Reads an event. `Err`: the vendor says that the answer failed, or says what nobody of this dialect says.
    pub fn push(&mut self, event: &sse::Event<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        if self.has_ended {
            return Ok(());
        }
        let Some(data) = event.data() else {
            if event.is_comment_only() && event.raw().contains(&b':') {
                out.push(Event::Ping);
            }
            return Ok(());
        };
        let data = data.trim_ascii();
        // The end is said before it, with its reason; alone it is none.
        if data.is_empty() || data == b"[DONE]" {
            return Ok(());
        }
        if event.event() == Some(b"error") {
            return Err(classify_in_success(data, self.stage()));
        }
        let mut members = match serde_json::from_slice(data) {
            Ok(Value::Object(members)) => members,
            Ok(_) => return Err(self.broken("an event is no object", data)),
            Err(error) => return Err(self.broken(&error.to_string(), data)),
        };
        let named = word(&mut members, "type");
        let named = named.or_else(|| event.event().map(|name| String::from_utf8_lossy(name).into_owned()));
        let Some(kind) = named else {
            // An error body where an event should be; anything else is of no kind that is known.
            let is_error = ["message", "error"].iter().any(|name| members.contains_key(*name));
            return if is_error { Err(classify_in_success(data, self.stage())) } else { Ok(()) };
        };
        self.hear(&kind, members, out).map_err(|what| match what {
            Wrong::Failed => {
                // The reason stands within the end that it is told by.
                let delta = json::find(data, &["delta"]).filter(|delta| delta.starts_with(b"{"));
                classify_in_success(delta.unwrap_or(data), self.stage())
            }
            Wrong::Broken(what) => self.broken(what, data),
        })
    }

    /// The bytes have ended. Whether there was an end with a reason: without it the stream is cut.
    pub const fn finish(&mut self, _out: &mut Vec<Event>) -> bool {
        self.has_ended
    }

    const fn stage(&self) -> Stage {
        if self.next == 0 { Stage::FirstToken } else { Stage::Stream }
    }

    fn broken(&self, what: &str, data: &[u8]) -> Failure {
        let sample = String::from_utf8_lossy(data.get(..SAMPLE_BYTES_MAX).unwrap_or(data)).into_owned();
        protocol_failure(200, self.stage(), format!("{what}: {sample}"))
    }

    fn hear(&mut self, kind: &str, mut event: Members, out: &mut Vec<Event>) -> Result<(), Wrong> {
        let index = count(&mut event, "index");
        let mut delta = members::object(&mut event, "delta").unwrap_or_default();
        let mut message = members::object(&mut delta, "message").unwrap_or_default();
        match kind {
            "message-start" => self.begin(&mut event, out),
            "content-start" | "content-delta" => {
                self.begin(&mut Members::new(), out);
                let line = Line::Content(index.unwrap_or(0));
                let block = members::object(&mut message, "content").unwrap_or_default();
                self.content(kind == "content-start", line, block, out)?;
                let said = members::take(&mut event, "logprobs");
                if let Some(entry) = said.as_ref().and_then(logprobs::entry) {
                    out.push(Event::Logprobs { candidate: 0, logprobs: logprobs::to_openai(&[entry]) });
                }
            }
            "content-end" => self.close(|line| line == Line::Content(index.unwrap_or(0)), out),
            "tool-plan-delta" => {
                self.begin(&mut Members::new(), out);
                let Some(said) = text(&mut message, "tool_plan").filter(|said| !said.is_empty()) else {
                    return Ok(());
                };
                let part = match self.open.iter().find(|open| open.line == Line::Plan) {
                    Some(open) => open.part,
                    None => self.open(Line::Plan, PartKind::Text, out)?,
                };
                out.push(Event::Delta { candidate: 0, part, delta: Delta::Text(said) });
            }
            "tool-call-start" | "tool-call-delta" => {
                self.begin(&mut Members::new(), out);
                let call = members::object(&mut message, "tool_calls").unwrap_or_default();
                self.call(kind == "tool-call-start", index, call, out)?;
            }
            "tool-call-end" => {
                let last = self.last_call();
                let line = index.map(Line::Call).or(last);
                self.close(|open| Some(open) == line, out);
            }
            "citation-start" => {
                if let Some(citation) = members::take(&mut message, "citations") {
                    self.cite(citation, out);
                }
            }
            "message-end" => {
                if stop::is_failure(&delta) {
                    return Err(Wrong::Failed);
                }
                self.begin(&mut Members::new(), out);
                self.close(|_| true, out);
                let stop = stop::read(&mut delta, self.calls > 0);
                out.extend(stop.map(|stop| Event::Stop { candidate: 0, stop }));
                let usage = members::object(&mut delta, "usage").and_then(usage::of);
                out.extend(usage.map(Event::Usage));
                out.push(Event::End);
                self.has_ended = true;
            }
            "error" => return Err(Wrong::Failed),
            // The end of a citation, what the vendor shows to its own people, and what is still to come.
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, event: &mut Members, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.has_started, true) {
            self.id = word(event, "id").map(Into::into);
            out.push(Event::Start { id: self.id.clone(), model: None, created: None });
        }
    }

    /// A block of the content begins or goes on. A thought and a text under one number are two parts.
    fn content(
        &mut self,
        is_start: bool,
        line: Line,
        mut block: Members,
        out: &mut Vec<Event>,
    ) -> Result<(), Wrong> {
        let named = word(&mut block, "type");
        let (thought, said) = (text(&mut block, "thinking"), text(&mut block, "text"));
        let is_thought = thought.is_some() || named.as_deref() == Some("thinking");
        let said = if is_thought { thought } else { said };
        let said = said.filter(|said| !said.is_empty());
        if is_start {
            self.close(|open| open == line, out);
        }
        let found = self.open.iter().find(|open| open.line == line && open.is_text != is_thought);
        let part = match found {
            Some(open) => open.part,
            // A number that nobody opened, and nothing said: it may carry probabilities only.
            None if !is_start && said.is_none() => return Ok(()),
            None => {
                self.close(|open| open == line, out);
                let thought = PartKind::Reasoning { id: None, is_summary: false };
                self.open(line, if is_thought { thought } else { PartKind::Text }, out)?
            }
        };
        out.extend(said.map(|said| Event::Delta { candidate: 0, part, delta: Delta::Text(said) }));
        Ok(())
    }

    fn call(
        &mut self,
        is_start: bool,
        index: Option<u64>,
        mut call: Members,
        out: &mut Vec<Event>,
    ) -> Result<(), Wrong> {
        let mut function = members::object(&mut call, "function").unwrap_or_default();
        let arguments = text(&mut function, "arguments").filter(|arguments| !arguments.is_empty());
        let line = if is_start {
            let number = u64::try_from(self.calls).unwrap_or(u64::MAX);
            let line = Line::Call(index.unwrap_or(number));
            // Two calls under one number are two calls (wire.md, trap 4); the plan is over.
            self.close(|open| open == line || open == Line::Plan, out);
            let Some(name) = word(&mut function, "name") else {
                return Err(Wrong::Broken("a call has no name"));
            };
            let made = || format!("call_{}_{}", self.id.as_deref().unwrap_or(""), self.calls);
            let id = word(&mut call, "id").unwrap_or_else(made).into();
            self.open(line, PartKind::ToolCall { id, name: name.into(), is_custom: false }, out)?;
            self.calls += 1;
            Some(line)
        } else {
            index.map(Line::Call).or(self.last_call())
        };
        let Some(arguments) = arguments else { return Ok(()) };
        let open = self.open.iter_mut().find(|open| Some(open.line) == line);
        let Some(open) = open else { return Err(Wrong::Broken("a call goes on that has not begun")) };
        open.is_bare = false;
        let delta = Delta::Arguments(arguments);
        out.push(Event::Delta { candidate: 0, part: open.part, delta });
        Ok(())
    }

    /// Where the vendor leaves the number out there is one call at a time.
    fn last_call(&self) -> Option<Line> {
        self.open.iter().rev().map(|open| open.line).find(|line| matches!(line, Line::Call(_)))
    }

    /// A citation belongs to the text that is open; one that comes too late is told apart.
    fn cite(&self, citation: Value, out: &mut Vec<Event>) {
        let is_of_plan = citation.get("type").and_then(Value::as_str) == Some("PLAN");
        let number = citation.get("content_index").and_then(Value::as_u64);
        let fits = |open: &&Open| match open.line {
            Line::Plan => is_of_plan,
            Line::Content(content) => {
                !is_of_plan && open.is_text && number.is_none_or(|number| number == content)
            }
            Line::Call(_) => false,
        };
        out.push(match self.open.iter().find(fits) {
            Some(open) => {
                let delta = Delta::Citation(DIALECT, citation);
                Event::Delta { candidate: 0, part: open.part, delta }
            }
            None => Event::Other(DIALECT, citation),
        });
    }

    fn open(&mut self, line: Line, kind: PartKind, out: &mut Vec<Event>) -> Result<u32, Wrong> {
        let part = self.next;
        if usize::try_from(part).unwrap_or(usize::MAX) >= PARTS_MAX {
            return Err(Wrong::Broken("an answer has more parts than any model writes"));
        }
        self.next += 1;
        let is_bare = matches!(kind, PartKind::ToolCall { .. });
        self.open.push(Open { line, part, is_text: matches!(kind, PartKind::Text), is_bare });
        out.push(Event::PartStart { candidate: 0, part, kind });
        Ok(part)
    }

    /// Ends parts. A call without arguments has empty ones (wire.md, trap 5).
    fn close(&mut self, which: impl Fn(Line) -> bool, out: &mut Vec<Event>) {
        self.open.retain(|open| {
            if !which(open.line) {
                return true;
            }
            if open.is_bare {
                let delta = Delta::Arguments("{}".to_owned());
                out.push(Event::Delta { candidate: 0, part: open.part, delta });
            }
            out.push(Event::PartEnd { candidate: 0, part: open.part });
            false
        });
    }
}

/// Why an event is none.
enum Wrong {
    /// It says that the answer failed.
    Failed,
    Broken(&'static str),
}
