//! Streams towards clients.

use super::{data_of, decoded_text, encoded, folded, origin};
use crate::anthropic::HELD_BYTES_MAX;
use crate::chat::{Delta, Dialect, Event, Media, Opaque, Part, PartKind, Source, Stop, StopKind};
use serde_json::{Value, json};
use wellhead_types::Usage;

fn begin() -> Event {
    Event::Start { id: Some("chatcmpl-1".into()), model: Some("gpt".into()), created: Some(7) }
}

fn start(part: u32, kind: PartKind) -> Event {
    Event::PartStart { candidate: 0, part, kind }
}

fn delta(part: u32, delta: Delta) -> Event {
    Event::Delta { candidate: 0, part, delta }
}

fn text(part: u32, text: &str) -> Event {
    delta(part, Delta::Text(text.to_owned()))
}

fn arguments(part: u32, json: &str) -> Event {
    delta(part, Delta::Arguments(json.to_owned()))
}

fn end(part: u32) -> Event {
    Event::PartEnd { candidate: 0, part }
}

fn call(id: &str) -> PartKind {
    PartKind::ToolCall { id: id.into(), name: "f".into(), is_custom: false }
}

const fn thought() -> PartKind {
    PartKind::Reasoning { id: None, is_summary: false }
}

fn stop(kind: StopKind) -> Event {
    Event::Stop { candidate: 0, stop: Stop::new(kind) }
}

/// The events' names with the numbers of their blocks.
fn outline(stream: &str) -> Vec<String> {
    let name = |event: &Value| {
        let name = event["type"].as_str().unwrap().replace("content_block_", "");
        event.get("index").map_or_else(|| name.clone(), |index| format!("{name} {index}"))
    };
    data_of(stream).iter().map(name).collect()
}

#[test]
fn a_stream_has_the_vendors_events_in_the_vendors_order() {
    let usage = Usage {
        input_tokens: 20,
        output_tokens: 9,
        cached_input_tokens: 5,
        reasoning_tokens: 3,
        ..Usage::default()
    };
    let stream = encoded(&[
        begin(),
        start(0, thought()),
        text(0, "Hm"),
        end(0),
        start(1, PartKind::Text),
        text(1, "He said \"hi\"\n"),
        end(1),
        Event::Ping,
        start(2, call("c1")),
        arguments(2, "{\"a\":"),
        arguments(2, "1}"),
        end(2),
        stop(StopKind::ToolCalls),
        Event::Usage(usage),
        Event::End,
    ]);
    let zero = json!({"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0});
    let counts = json!({"input_tokens": 15, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 5,
        "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 3}});
    let block = |index: u64, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let piece =
        |index: u64, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let over = |index: u64| json!({"type": "content_block_stop", "index": index});
    let expected = [
        json!({"type": "message_start", "message": {"id": "chatcmpl-1", "type": "message", "role": "assistant", "model": "mine",
            "content": [], "stop_reason": null, "stop_sequence": null, "usage": zero}}),
        block(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        piece(0, json!({"type": "thinking_delta", "thinking": "Hm"})),
        over(0),
        block(1, json!({"type": "text", "text": ""})),
        piece(1, json!({"type": "text_delta", "text": "He said \"hi\"\n"})),
        over(1),
        json!({"type": "ping"}),
        block(2, json!({"type": "tool_use", "id": "c1", "name": "f", "input": {}})),
        piece(2, json!({"type": "input_json_delta", "partial_json": "{\"a\":"})),
        piece(2, json!({"type": "input_json_delta", "partial_json": "1}"})),
        over(2),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": counts}),
        json!({"type": "message_stop"}),
    ];
    assert_eq!(data_of(&stream), expected);
    for (event, data) in stream.split_terminator("\n\n").zip(&expected) {
        let name = data["type"].as_str().unwrap();
        assert!(event.starts_with(&format!("event: {name}\ndata: {{")), "{event}");
        assert_eq!(event.lines().count(), 2);
    }
}

#[test]
fn the_first_event_names_the_count_where_the_vendor_says_it_first() {
    let usage = Usage { input_tokens: 20, ..Usage::default() };
    let stream = encoded(&[begin(), Event::Usage(usage), Event::Ping, Event::End]);
    assert_eq!(outline(&stream), ["message_start", "ping", "message_delta", "message_stop"]);
    assert_eq!(data_of(&stream)[0]["message"]["usage"]["input_tokens"], 20);
    assert_eq!(encoded(&[begin()]), "", "it waits for what comes next");
}

#[test]
fn trap_4_calls_side_by_side_come_one_after_the_other() {
    let stream = encoded(&[
        begin(),
        start(0, call("a")),
        start(1, call("b")),
        arguments(1, "{\"b\":"),
        arguments(0, "{\"a\":"),
        start(2, PartKind::Text),
        text(2, "so"),
        arguments(1, "2}"),
        end(1),
        arguments(0, "1}"),
        end(0),
        text(2, " on"),
        end(2),
        stop(StopKind::ToolCalls),
        Event::End,
    ]);
    let expected = [
        "message_start",
        "start 0",
        "delta 0",
        "delta 0",
        "stop 0",
        "start 1",
        "delta 1",
        "stop 1",
        "start 2",
        "delta 2",
        "delta 2",
        "stop 2",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(outline(&stream), expected);
    let parts = folded(decoded_text(&stream).unwrap().0).candidates.remove(0).parts;
    let arguments: Vec<&str> = parts
        .iter()
        .map(|part| match part {
            Part::ToolCall(call) => &*call.arguments,
            Part::Text { text, .. } => text,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(arguments, ["{\"a\":1}", "{\"b\":2}", "so on"]);
}

#[test]
fn a_text_that_nobody_ended_makes_way_and_goes_on_later() {
    let stream = encoded(&[
        begin(),
        start(0, PartKind::Text),
        text(0, "Let me see."),
        start(1, call("a")),
        arguments(1, "{}"),
        text(0, "More."),
        end(1),
        end(0),
        stop(StopKind::ToolCalls),
        Event::End,
    ]);
    let expected = [
        "message_start",
        "start 0",
        "delta 0",
        "stop 0",
        "start 1",
        "delta 1",
        "stop 1",
        "start 2",
        "delta 2",
        "stop 2",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(outline(&stream), expected);
}

#[test]
fn a_stream_that_ends_with_open_parts_is_closed() {
    let stream = encoded(&[
        begin(),
        start(0, call("a")),
        start(1, call("b")),
        arguments(1, "{}"),
        stop(StopKind::Length),
        Event::End,
    ]);
    let expected = [
        "message_start",
        "start 0",
        "stop 0",
        "start 1",
        "delta 1",
        "stop 1",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(outline(&stream), expected);
    assert_eq!(data_of(&stream)[6]["delta"]["stop_reason"], "max_tokens");
}

#[test]
fn what_waits_is_bounded_and_nothing_of_it_is_lost() {
    let long = "x".repeat(HELD_BYTES_MAX / 8);
    let mut events = vec![begin(), start(0, call("a")), start(1, call("b")), start(2, call("c"))];
    events.extend((0..10).map(|_| arguments(1, &long)));
    let before = encoded(&events[..10]);
    assert!(!before.contains("content_block_start\",\"index\":1"), "below the limit it waits");
    let stream = encoded(&events);
    assert!(stream.len() > 8 * long.len(), "above the limit it is written side by side");
    events.extend([arguments(2, "{}"), arguments(0, "{}"), end(0), end(1), end(2)]);
    events.extend([stop(StopKind::ToolCalls), Event::End]);
    let total = data_of(&encoded(&events))
        .iter()
        .filter_map(|event| event.pointer("/delta/partial_json").and_then(Value::as_str).map(str::len))
        .sum::<usize>();
    assert_eq!(total, 10 * long.len() + 4);
}

#[test]
fn thousands_of_parts_that_wait_are_bounded_too() {
    let mut events = vec![begin(), start(0, call("a"))];
    events.extend((1..10_000).map(|part| start(part, call("b"))));
    assert!(encoded(&events).matches("content_block_start").count() > 4000);
}

#[test]
fn redacted_thoughts_and_proofs_have_their_place() {
    let proof = |data: &str| Opaque { dialect: Dialect::Gemini, origin: Some(origin()), data: data.into() };
    let stream = encoded(&[
        begin(),
        start(0, thought()),
        delta(0, Delta::Opaque(proof("r"))),
        delta(0, Delta::Redacted),
        end(0),
        start(1, thought()),
        text(1, "Hm"),
        delta(1, Delta::Opaque(proof("s"))),
        end(1),
        start(2, thought()),
        delta(2, Delta::Opaque(proof("encrypted"))),
        end(2),
        start(3, call("a")),
        delta(3, Delta::Opaque(proof("of the call"))),
        arguments(3, "{}"),
        end(3),
        Event::End,
    ]);
    let data = data_of(&stream);
    let blocks: Vec<&Value> = data.iter().filter_map(|event| event.get("content_block")).collect();
    let kinds: Vec<&str> = blocks.iter().map(|block| block["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["redacted_thinking", "thinking", "thinking", "tool_use", "thinking"]);
    assert_eq!(blocks[0]["data"], proof("r").to_text());
    let signatures: Vec<&str> =
        data.iter().filter_map(|event| event.pointer("/delta/signature").and_then(Value::as_str)).collect();
    let of_the_call = format!("whp~{}", proof("of the call").to_text());
    assert_eq!(signatures, [proof("s").to_text(), proof("encrypted").to_text(), of_the_call]);
}

#[test]
fn parts_without_content_are_no_blocks() {
    let stream = encoded(&[
        begin(),
        start(0, PartKind::Text),
        text(0, ""),
        end(0),
        start(1, thought()),
        end(1),
        Event::End,
    ]);
    assert_eq!(outline(&stream), ["message_start", "message_delta", "message_stop"]);
    assert_eq!(data_of(&stream)[1]["delta"]["stop_reason"], "end_turn");
}

#[test]
fn what_comes_whole_is_one_block() {
    let search = json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "a"}});
    let image = Part::Image {
        media: Media { source: Source::Url("https://example.org/a.png".into()), media_type: None },
        detail: None,
        cache: None,
    };
    let foreign = Part::Other(Dialect::Responses, json!({"type": "web_search_call"}));
    let whole = |part: Part| PartKind::Whole(Box::new(part));
    let stream = encoded(&[
        begin(),
        start(0, whole(Part::Other(Dialect::Anthropic, search.clone()))),
        end(0),
        start(1, whole(foreign)),
        end(1),
        start(2, whole(image)),
        end(2),
        Event::End,
    ]);
    let data = data_of(&stream);
    assert_eq!(data[1]["content_block"], search);
    assert_eq!(data[3]["content_block"], json!({"type": "text", "text": ""}));
    assert_eq!(data[4]["delta"]["text"], "![image](https://example.org/a.png)");
}

#[test]
fn free_text_of_a_tool_is_an_object_on_the_wire() {
    let custom = PartKind::ToolCall { id: "a".into(), name: "patch".into(), is_custom: true };
    let stream = encoded(&[
        begin(),
        start(0, custom),
        arguments(0, "say \"hi\"\n"),
        arguments(0, "日本"),
        end(0),
        Event::End,
    ]);
    let parts = folded(decoded_text(&stream).unwrap().0).candidates.remove(0).parts;
    let Part::ToolCall(call) = &parts[0] else { panic!("{parts:?}") };
    let input: Value = serde_json::from_str(&call.arguments).unwrap();
    assert_eq!(input, json!({"input": "say \"hi\"\n日本"}));
}

#[test]
fn one_candidate_is_shown_and_nothing_after_the_end() {
    let second = Event::PartStart { candidate: 1, part: 0, kind: PartKind::Text };
    let events =
        [begin(), second, Event::End, Event::End, begin(), start(0, PartKind::Text), text(0, "late")];
    assert_eq!(outline(&encoded(&events)), ["message_start", "message_delta", "message_stop"]);
}

#[test]
fn trap_10_a_stop_text_and_a_refusal_say_what_they_met() {
    let met = Stop { sequence: Some("END".into()), ..Stop::new(StopKind::Sequence) };
    let declined = Stop { detail: Some(json!("policy")), ..Stop::new(StopKind::Filter) };
    let last = |stop: Stop| {
        let stream = encoded(&[begin(), Event::Stop { candidate: 0, stop }, Event::End]);
        data_of(&stream)[1]["delta"].clone()
    };
    assert_eq!(last(met), json!({"stop_reason": "stop_sequence", "stop_sequence": "END"}));
    let details = json!({"type": "refusal", "category": null, "explanation": "policy"});
    assert_eq!(
        last(declined),
        json!({"stop_reason": "refusal", "stop_sequence": null, "stop_details": details})
    );
}
