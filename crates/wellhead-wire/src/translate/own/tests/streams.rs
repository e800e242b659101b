//! Streams on their whole way: from the target's bytes through whoever watches over chunks to the client's bytes.

use super::{ANTHROPIC, GEMINI, STREAMS, named, origin, shown};
use crate::chat::{Dialect, Origin};
use crate::gemini::Framing;
use crate::openai::Endpoint;
use crate::openai::stream::StreamObserver;
use crate::sse::{Framer, original};
use crate::translate::{Inbound, Outbound, carried_bytes_max};
use bytes::Bytes;
use serde_json::{Value, json};

const EVENT_BYTES_MAX: usize = 64 * 1024;

/// What lies between target and client.
pub(super) struct Way {
    inbound: Inbound,
    framer: Framer,
    observer: StreamObserver,
    outbound: Outbound,
    /// What a client of OpenAI's would have got.
    chunks: Vec<u8>,
    out: Vec<u8>,
}

impl Way {
    pub(super) fn new(dialect: Dialect, marked: Option<Origin>, framing: Framing) -> Self {
        let bytes_max = carried_bytes_max(EVENT_BYTES_MAX);
        Self {
            inbound: Inbound::new(dialect, &origin(), shown(), EVENT_BYTES_MAX).carrying(dialect, marked),
            framer: Framer::new(bytes_max),
            observer: StreamObserver::remembering(Endpoint::ChatCompletions, true).in_order(),
            outbound: Outbound::new((dialect, framing), &origin(), shown(), "req_1", bytes_max),
            chunks: Vec::new(),
            out: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let (chunks, failure) = self.inbound.push(Bytes::copy_from_slice(bytes));
        assert_eq!(failure, None);
        self.watch(chunks);
    }

    fn watch(&mut self, chunks: Bytes) {
        let mut passed = Vec::new();
        let Self { framer, observer, .. } = self;
        framer
            .push(
                chunks,
                &mut |event| {
                    let observed = observer.observe(&event);
                    assert_eq!(observed.error, None);
                    observed.verdict
                },
                &mut passed,
            )
            .unwrap();
        passed.into_iter().for_each(|events| self.deliver(events));
    }

    pub(super) fn deliver(&mut self, events: Bytes) {
        self.chunks.extend_from_slice(&events);
        self.out.extend_from_slice(&self.outbound.push(events));
    }

    fn close_target(&mut self) {
        let (chunks, failure) = self.inbound.close();
        assert_eq!(failure, None);
        self.watch(chunks);
    }

    fn close(&mut self) {
        self.close_target();
        self.out.extend_from_slice(&self.outbound.close());
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.out.clone()).unwrap()
    }

    pub(super) fn events(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).unwrap()).collect()
    }
}

pub(super) fn whole(dialect: Dialect, stream: &str, chunk_bytes: usize) -> Way {
    let mut way = Way::new(dialect, None, Framing::Sse);
    stream.as_bytes().chunks(chunk_bytes).for_each(|chunk| way.push(chunk));
    way.close();
    way
}

#[test]
fn a_stream_keeps_its_bytes_whatever_it_is_cut_into() {
    for (dialect, stream) in STREAMS {
        for chunk_bytes in [1, 2, 3, 7, 64, 1000, stream.len()] {
            let way = whole(dialect, stream, chunk_bytes);
            assert_eq!(way.text(), named(stream), "{dialect:?} in pieces of {chunk_bytes}");
        }
        // The other line ends that events may have.
        let lines = if dialect == Dialect::Gemini { ("\r\n", "\n") } else { ("\n", "\r\n") };
        let other = stream.replace(lines.0, lines.1);
        for chunk_bytes in [1, 5, other.len()] {
            assert_eq!(whole(dialect, &other, chunk_bytes).text(), named(&other), "{dialect:?}");
        }
    }
}

/// What rides along is for nobody else: without it the chunks are those of a client of another dialect.
#[test]
fn without_what_rides_along_the_chunks_are_as_ever() {
    for (dialect, stream) in STREAMS {
        let way = whole(dialect, stream, 50);
        let mut plain = Inbound::new(dialect, &origin(), shown(), EVENT_BYTES_MAX);
        let mut chunks = plain.push(stream.into()).0.to_vec();
        chunks.extend_from_slice(&plain.close().0);
        let said = |bytes: &[u8]| {
            let mut lines: Vec<String> = String::from_utf8(bytes.to_vec())
                .unwrap()
                .lines()
                .filter(|line| line.starts_with("data"))
                .map(str::to_owned)
                .collect();
            // Where an event holds text and calls, the order differs.
            lines.sort();
            lines
        };
        let stripped = original::strip(&way.chunks.clone().into());
        assert_eq!(said(&stripped), said(&chunks), "{dialect:?}");
        assert!(!String::from_utf8(stripped.to_vec()).unwrap().contains(":wh"));
    }
}

#[test]
fn a_stream_that_lacks_its_end_gets_it() {
    // The reason is there, the last event is not.
    let (stream, _) = ANTHROPIC.split_once("event: message_stop").unwrap();
    let mut way = Way::new(Dialect::Anthropic, None, Framing::Sse);
    way.push(stream.as_bytes());
    way.close_target();
    way.deliver(Bytes::from_static(b"data: [DONE]\n\n"));
    assert_eq!(way.text(), named(stream) + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
}

#[test]
fn a_list_for_clients_who_did_not_ask_for_events() {
    let mut way = Way::new(Dialect::Gemini, None, Framing::List);
    way.push(GEMINI.as_bytes());
    way.close();
    let list: Vec<Value> = serde_json::from_str(&way.text()).unwrap();
    let expected: Vec<Value> = named(GEMINI)
        .split("\r\n\r\n")
        .filter(|event| !event.is_empty())
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect();
    assert_eq!(list, expected);
}

/// Everything before this text has been delivered when the target fails.
fn cut(stream: &str, before: &str) -> Way {
    let mut way = Way::new(Dialect::Anthropic, None, Framing::Sse);
    let (seen, _) = stream.split_once(before).unwrap();
    way.push(seen.as_bytes());
    way
}

pub(super) fn chunk(delta: &Value, reason: Option<&str>) -> Bytes {
    let chunk = json!({
        "id": "msg_1", "object": "chat.completion.chunk", "created": 1, "model": "chat",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    });
    format!("data: {chunk}\n\n").into()
}

/// Wire.md, trap 17: one message_start, blocks in order, each ended once.
pub(super) fn check_order(events: &[Value]) {
    let (mut starts, mut open, mut next) = (0, Vec::new(), 0);
    for event in events {
        let index = event["index"].as_u64();
        match event["type"].as_str().unwrap() {
            "message_start" => starts += 1,
            "content_block_start" => {
                assert_eq!(index, Some(next), "{event}");
                next += 1;
                open.push(index);
            }
            "content_block_delta" => assert!(open.contains(&index), "{event}"),
            "content_block_stop" => {
                let at = open.iter().position(|open| *open == index);
                open.remove(at.unwrap_or_else(|| panic!("{event} ends nothing")));
            }
            _ => {}
        }
    }
    assert_eq!((starts, open.len()), (1, 0), "{events:#?}");
}

#[test]
fn another_target_goes_on_with_the_text_under_its_number() {
    let mut way = cut(
        ANTHROPIC,
        "event: content_block_delta\ndata: {\"type\": \"content_block_delta\", \"index\": 3, \"delta\": {\"type\": \"text_delta\", \"text\": \" there",
    );
    let before = way.text();
    assert_eq!(way.observer.take_delivered().unwrap().text(), "Hello");
    way.deliver(chunk(&json!({"content": " world"}), None));
    way.deliver(chunk(&json!({}), Some("stop")));
    way.deliver(Bytes::from_static(b"data: [DONE]\n\n"));
    let events = way.events();
    check_order(&events);
    let said: String = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
    assert_eq!(said, "Hello world");
    assert!(way.text().starts_with(&before));
    assert_eq!(events.iter().rev().find(|event| event["delta"]["text"] == " world").unwrap()["index"], 3);
    assert_eq!(events.last().unwrap()["type"], "message_stop");
}

#[test]
fn another_target_goes_on_behind_a_thought() {
    // The thought is open: nobody else can go on with it.
    let mut way = cut(
        ANTHROPIC,
        "event: content_block_delta\ndata: {\"type\": \"content_block_delta\", \"index\": 0, \"delta\": {\"type\": \"signature",
    );
    way.deliver(chunk(&json!({"role": "assistant", "content": ""}), None));
    way.deliver(chunk(&json!({"content": "anew"}), None));
    way.deliver(chunk(
        &json!({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}),
        None,
    ));
    way.deliver(chunk(&json!({}), Some("tool_calls")));
    way.deliver(Bytes::from_static(b"data: [DONE]\n\n"));
    let events = way.events();
    check_order(&events);
    let blocks: Vec<&str> =
        events.iter().filter_map(|event| event["content_block"]["type"].as_str()).collect();
    assert_eq!(blocks, ["thinking", "text", "tool_use"]);
}

/// Two attempts may both have begun to pass on what they heard: the client hears one message.
#[test]
fn a_second_stream_does_not_begin_the_message_again() {
    let mut way =
        cut(ANTHROPIC, "event: content_block_start\ndata: {\"type\": \"content_block_start\", \"index\": 1");
    let second = whole(Dialect::Anthropic, ANTHROPIC, 4096);
    way.deliver(second.chunks.into());
    check_order(&way.events());
    let texts: String =
        way.events().iter().filter_map(|event| event["delta"]["text"].as_str().map(str::to_owned)).collect();
    assert_eq!(texts, "Hello there, friendbehind it");
}

#[test]
fn an_error_ends_what_was_passed_on() {
    let mut way = cut(ANTHROPIC, "event: brand_new");
    way.deliver(Bytes::from_static(
        b"data: {\"error\":{\"message\":\"broke off\",\"type\":\"api_error\",\"code\":\"stream_interrupted\"}}\n\n",
    ));
    let events = way.events();
    assert_eq!(events.last().unwrap()["type"], "error");
    assert!(!way.text().contains("message_stop"));
}

/// Calls go out whole or not at all, with everything that the target wrote of them.
#[test]
fn a_call_that_is_cut_off_is_not_begun() {
    let way = cut(
        ANTHROPIC,
        "event: content_block_delta\ndata: {\"type\": \"content_block_delta\", \"index\": 4, \"delta\": {\"type\": \"input_json_delta\", \"partial_json\": \" 1}",
    );
    let events = way.events();
    assert_eq!(events.last().unwrap(), &json!({"type": "content_block_stop", "index": 3}));
}

#[test]
fn a_call_that_the_answers_own_limit_cut_is_left_out() {
    let (before, _) = ANTHROPIC.split_once("event: content_block_delta\ndata: {\"type\": \"content_block_delta\", \"index\": 4, \"delta\": {\"type\": \"input_json_delta\", \"partial_json\": \" 1}").unwrap();
    let end = "event: content_block_stop\ndata: {\"type\": \"content_block_stop\", \"index\": 4}\n\nevent: message_delta\ndata: {\"type\": \"message_delta\", \"delta\": {\"stop_reason\": \"max_tokens\"}, \"usage\": {\"output_tokens\": 30}}\n\nevent: message_stop\ndata: {\"type\": \"message_stop\"}\n\n";
    let mut way = Way::new(Dialect::Anthropic, None, Framing::Sse);
    way.push((before.to_owned() + end).as_bytes());
    way.close();
    let events = way.events();
    check_order(&events);
    assert!(!way.text().contains("toolu_1"));
    assert_eq!(events.last().unwrap()["type"], "message_stop");
}

#[test]
fn opaque_reasoning_says_where_it_came_from_if_that_will_matter() {
    let mut way = Way::new(Dialect::Anthropic, Some(origin()), Framing::Sse);
    way.push(ANTHROPIC.as_bytes());
    way.close();
    let marked = named(ANTHROPIC).replace("\"c2ln\"", "\"wh1~anthropic~p~vendors-model~c2ln\"");
    assert_eq!(way.text(), marked);
    let mut way = Way::new(Dialect::Gemini, Some(origin()), Framing::Sse);
    way.push(GEMINI.as_bytes());
    way.close();
    let (ours, theirs) = (way.text(), named(GEMINI));
    let (before, after) = theirs.split_once("\"c2ln\"").unwrap();
    let mark = ours.strip_prefix(before).unwrap().strip_suffix(after).unwrap();
    assert!(mark.starts_with("\"d2gxf"), "{mark}");
}

#[test]
fn what_hosts_send_twice_is_sent_once() {
    let (start, rest) = ANTHROPIC.split_once("event: content_block_start").unwrap();
    let twice = format!("{start}{start}event: content_block_start{rest}data: [DONE]\n\n");
    assert_eq!(whole(Dialect::Anthropic, &twice, 100).text(), named(ANTHROPIC));
}

#[test]
fn keep_alives_fit_in() {
    let mut way = cut(ANTHROPIC, "event: content_block_start");
    way.deliver(Bytes::from_static(b": keep-alive\n\n"));
    let after = way.text();
    assert!(after.contains("event: ping\n"), "{after}");
    let mut way = Way::new(Dialect::Gemini, None, Framing::Sse);
    way.deliver(Bytes::from_static(b": keep-alive\n\n"));
    way.push(GEMINI.as_bytes());
    way.close();
    assert_eq!(way.text(), named(GEMINI));
}
