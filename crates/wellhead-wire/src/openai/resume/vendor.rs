//! A vendor and a client for tests: one writes streams in the ways that are in use, the other reads what it is given.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{Broken, Resumed};
use crate::openai::Endpoint;
use crate::openai::stream::{Delivered, StreamObserver};
use crate::sse::{Event, Framer, Tail};
use bytes::Bytes;
use serde_json::Value;

/// How a vendor writes.
#[derive(Debug, Clone)]
pub(super) struct Style {
    pub(super) id: &'static str,
    /// Characters per event, in turns.
    pub(super) sizes: Vec<usize>,
    /// Every character that is not plain is escaped, with surrogates where they are needed.
    pub(super) escapes: bool,
    pub(super) crlf: bool,
    /// The role comes with the first text instead of before it.
    pub(super) role_with_text: bool,
    pub(super) reasoning: bool,
    pub(super) endpoint: Endpoint,
    pub(super) finish: &'static str,
    pub(super) usage: (u64, u64),
}

impl Style {
    pub(super) fn plain(id: &'static str) -> Self {
        Self {
            id,
            sizes: vec![3],
            escapes: false,
            crlf: false,
            role_with_text: false,
            reasoning: false,
            endpoint: Endpoint::ChatCompletions,
            finish: "stop",
            usage: (0, 0),
        }
    }
}

fn quote(text: &str, escapes: bool) -> String {
    if !escapes {
        return serde_json::to_string(text).unwrap();
    }
    let mut units = [0; 2];
    let mut out = String::from("\"");
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            out.push(character);
        } else {
            out.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04X}")));
        }
    }
    out + "\""
}

/// The whole stream of an answer.
pub(super) fn stream(text: &str, style: &Style) -> Vec<u8> {
    let chat = style.endpoint == Endpoint::ChatCompletions;
    let head = format!(
        "\"id\":\"{0}\",\"created\":{1},\"model\":\"model-{0}\",\"system_fingerprint\":\"fp-{0}\"",
        style.id,
        style.id.len()
    );
    let chunk = |delta: &str, finish: &str| {
        let inner = if chat { format!("\"delta\":{{{delta}}}") } else { delta.to_owned() };
        let comma = if inner.is_empty() { "" } else { "," };
        format!(
            "data: {{{head},\"choices\":[{{\"index\":0,{inner}{comma}\"logprobs\":null,\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let mut out = String::from(": hello\n\n");
    if chat && !style.role_with_text {
        out += &chunk("\"role\":\"assistant\",\"content\":\"\"", "null");
    }
    if chat && style.reasoning {
        out += &chunk("\"reasoning_content\":\"hm\",\"content\":null", "null");
    }
    let mut rest = text.chars();
    for (count, size) in style.sizes.iter().cycle().enumerate() {
        let piece: String = rest.by_ref().take(*size).collect();
        if piece.is_empty() {
            break;
        }
        let role = if chat && style.role_with_text && count == 0 { ",\"role\":\"assistant\"" } else { "" };
        let name = if chat { "content" } else { "text" };
        out += &chunk(&format!("\"{name}\":{}{role}", quote(&piece, style.escapes)), "null");
    }
    out += &chunk(if chat { "" } else { "\"text\":\"\"" }, &format!("\"{}\"", style.finish));
    let (input, output) = style.usage;
    if output > 0 {
        out += &format!(
            "data: {{{head},\"choices\":[],\"usage\":{{\"prompt_tokens\":{input},\"completion_tokens\":{output},\"total_tokens\":{}}}}}\n\n",
            input + output
        );
    }
    out += "data: [DONE]\n\n";
    if style.crlf { out.replace('\n', "\r\n").into_bytes() } else { out.into_bytes() }
}

/// Reads a first stream as the proxy does: what went out, and what is remembered of it.
pub(super) fn first(endpoint: Endpoint, bytes: &[u8]) -> (Vec<u8>, Delivered) {
    let mut observer = StreamObserver::remembering(endpoint, true);
    let mut out = Vec::new();
    let mut framer = Framer::new(1 << 20);
    let mut on_event = |event: Event<'_>| {
        let seen = observer.observe(&event);
        assert_eq!(seen.error, None);
        seen.verdict
    };
    framer.push(Bytes::copy_from_slice(bytes), &mut on_event, &mut out).unwrap();
    if let Tail::Incomplete(tail) = framer.finish()
        && let Some(seen) = observer.observe_tail(&tail)
    {
        framer.settle_tail(&tail, seen.verdict, &mut out);
    }
    (out.concat(), observer.take_delivered().unwrap())
}

/// Joins a second stream, in pieces of `step` bytes.
pub(super) fn second(
    endpoint: Endpoint,
    resumed: &mut Resumed,
    bytes: &[u8],
    step: usize,
) -> (Vec<u8>, Result<(), Broken>) {
    let mut observer = StreamObserver::new(endpoint, true);
    let mut framer = Framer::new(1 << 20);
    let (mut passed, mut out) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(step) {
        let mut on_event = |event: Event<'_>| {
            let seen = observer.observe(&event);
            assert_eq!(seen.error, None);
            seen.verdict
        };
        framer.push(Bytes::copy_from_slice(piece), &mut on_event, &mut passed).unwrap();
        for events in passed.drain(..) {
            if let Err(broken) = resumed.push(events, &mut out) {
                return (out.concat(), Err(broken));
            }
        }
    }
    (out.concat(), Ok(()))
}

/// What a client makes of a stream.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Client {
    pub(super) text: String,
    pub(super) calls: String,
    pub(super) ids: Vec<String>,
    pub(super) models: Vec<String>,
    pub(super) roles: usize,
    pub(super) finishes: Vec<String>,
    pub(super) done: usize,
    pub(super) marks: Vec<Value>,
    pub(super) usage: Option<(u64, u64, u64)>,
}

pub(super) fn read(out: &[u8]) -> Client {
    let mut client = Client::default();
    let mut on_event = |event: Event<'_>| {
        let Some(data) = event.data() else { return crate::sse::Verdict::Pass };
        if &*data == b"[DONE]" {
            client.done += 1;
            return crate::sse::Verdict::Pass;
        }
        let chunk: Value = serde_json::from_slice(&data).expect("every event is JSON");
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let choice = &chunk["choices"][0];
        client.text += &word(&choice["delta"]["content"]);
        client.text += &word(&choice["text"]);
        client.roles += usize::from(choice["delta"]["role"].is_string());
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            client.calls += &word(&call["function"]["arguments"]);
        }
        client.finishes.extend(choice["finish_reason"].as_str().map(str::to_owned));
        client.marks.extend(chunk.get("wellhead").cloned());
        for (names, name) in [(&mut client.ids, &chunk["id"]), (&mut client.models, &chunk["model"])] {
            let name = word(name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if let Some(usage) = chunk["usage"].as_object() {
            let count = |key: &str| usage[key].as_u64().unwrap();
            client.usage = Some((count("prompt_tokens"), count("completion_tokens"), count("total_tokens")));
        }
        crate::sse::Verdict::Pass
    };
    let mut framer = Framer::new(1 << 20);
    framer.push(Bytes::copy_from_slice(out), &mut on_event, &mut Vec::new()).unwrap();
    assert_eq!(framer.finish(), Tail::Clean, "whole events only");
    client
}
