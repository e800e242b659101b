//! Streams of targets.

use super::{decoded, decoded_text, folded, origin};
use crate::anthropic::{TOOL_INPUT_BYTES_MAX, decode_answer};
use crate::chat::{Answer, Delta, Event, Part, PartKind, Reasoning, Rest, StopKind, ToolCall};
use bytes::Bytes;
use serde_json::{Value, json};
use wellhead_types::{Cause, Usage};

const FULL: &str = include_str!("stream_full.txt");

fn stream(events: &[Value]) -> String {
    events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect()
}

fn start(usage: &Value) -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude-x", "content": [], "usage": usage}})
}

fn block(index: u64, block: &Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn piece(index: u64, delta: &Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn text(index: u64, text: &str) -> Value {
    piece(index, &json!({"type": "text_delta", "text": text}))
}

fn stop(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn end(reason: &str, usage: &Value) -> [Value; 2] {
    [
        json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}),
        json!({"type": "message_stop"}),
    ]
}

fn answer(events: &[Value]) -> Answer {
    let (events, ended) = decoded_text(&stream(events)).unwrap();
    assert!(ended);
    folded(events)
}

#[test]
fn a_stream_says_what_the_whole_answer_says() {
    let whole = decode_answer(include_bytes!("answer_full.json"), &origin()).unwrap();
    let (events, ended) = decoded_text(FULL).unwrap();
    assert!(ended);
    assert!(events.contains(&Event::Ping));
    // Streams say the class of service and the container nowhere that counts.
    let expected = Answer { id: Some("msg_1".into()), service_tier: None, rest: Rest::default(), ..whole };
    let mut answer = folded(events);
    let parts = &mut answer.candidates[0].parts;
    assert!(matches!(&parts[0], Part::Reasoning(thought) if thought.text == "Hm, größer than 👩‍👩‍👧."));
    assert!(matches!(&parts[5], Part::ToolCall(call) if call.arguments == r#"{"city": "Zürich"}"#));
    // The rest of both, and the proof of the thought, is the same.
    for at in [0, 5] {
        parts[at] = match (parts[at].clone(), expected.candidates[0].parts[at].clone()) {
            (Part::Reasoning(streamed), Part::Reasoning(whole)) => {
                Part::Reasoning(Reasoning { text: whole.text, ..streamed })
            }
            (Part::ToolCall(streamed), Part::ToolCall(whole)) => {
                Part::ToolCall(ToolCall { arguments: whole.arguments, ..streamed })
            }
            other => panic!("{other:?}"),
        };
    }
    assert_eq!(answer, expected);
}

#[test]
fn trap_16_no_cut_and_no_line_end_changes_what_is_read() {
    let whole = decoded_text(FULL).unwrap();
    for text in [FULL.to_owned(), FULL.replace('\n', "\r\n"), FULL.replace('\n', "\r")] {
        let bytes = Bytes::from(text);
        for at in 0..=bytes.len() {
            let parts = decoded(vec![bytes.slice(..at), bytes.slice(at..)]).unwrap();
            assert!(parts == whole, "cut at byte {at}");
        }
        let single = (0..bytes.len()).map(|at| bytes.slice(at..=at)).collect();
        assert!(decoded(single).unwrap() == whole, "byte by byte");
    }
}

#[test]
fn trap_9_a_stream_that_is_cut_anywhere_has_not_ended() {
    let last = FULL.find("event: message_stop").unwrap();
    for at in (0..last).step_by(7).chain([last]).filter(|at| FULL.is_char_boundary(*at)) {
        let (events, ended) = decoded_text(&FULL[..at]).unwrap();
        assert!(!ended && !events.contains(&Event::End), "cut at byte {at}");
    }
    let done = [&FULL[..last], "data: [DONE]\n\n"].concat();
    assert!(!decoded_text(&done).unwrap().1, "the end signal of another dialect");
}

#[test]
fn trap_9_errors_within_a_stream_are_failures() {
    let overloaded = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let begun = [start(&json!({})), block(0, &json!({"type": "text", "text": ""})), text(0, "a")];
    let failure = decoded_text(&(stream(&begun) + &stream(std::slice::from_ref(&overloaded)))).unwrap_err();
    assert_eq!((failure.cause, failure.stage), (Cause::Overloaded, wellhead_types::Stage::Stream));
    // Under any name, and without one.
    for data in [
        format!("data: {overloaded}\n\n"),
        "event: error\ndata: {\"message\": \"boom\"}\n\n".to_owned(),
        "data: {\"error\": {\"type\": \"overloaded_error\", \"message\": \"x\"}}\n\n".to_owned(),
        "event: message_delta\ndata: <html>\n\n".to_owned(),
    ] {
        assert!(decoded_text(&data).is_err(), "{data}");
    }
}

#[test]
fn trap_8_counts_are_cumulative_and_come_in_pieces() {
    let usage = |begun: Value, ended: Value| {
        let [delta, over] = end("end_turn", &ended);
        answer(&[start(&begun), delta, over]).usage
    };
    let counts = |input, cached, output| {
        Some(Usage {
            input_tokens: input,
            cached_input_tokens: cached,
            output_tokens: output,
            ..Usage::default()
        })
    };
    // Set, never added.
    let begun = json!({"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 3});
    assert_eq!(usage(begun.clone(), json!({"output_tokens": 20})), counts(15, 5, 20));
    let repeated = json!({"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 20});
    assert_eq!(usage(begun.clone(), repeated), counts(15, 5, 20));
    // Hosts that count at the end only, and hosts that forget the beginning there.
    let late = json!({"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 20});
    assert_eq!(usage(json!({"input_tokens": 0, "output_tokens": 0}), late), counts(15, 5, 20));
    let zeros = json!({"input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 20});
    assert_eq!(usage(begun, zeros), counts(15, 5, 20));
}

#[test]
fn trap_4_calls_keep_their_number_with_gaps_and_side_by_side() {
    let call = |id: &str| json!({"type": "tool_use", "id": id, "name": "f", "input": {}});
    let json_of =
        |index, text: &str| piece(index, &json!({"type": "input_json_delta", "partial_json": text}));
    let [delta, over] = end("tool_use", &json!({"output_tokens": 1}));
    let said = answer(&[
        start(&json!({})),
        block(3, &call("a")),
        block(7, &call("b")),
        json_of(3, "{\"n\":"),
        json_of(7, "{\"m\":"),
        json_of(7, "2}"),
        json_of(3, "1}"),
        stop(7),
        stop(3),
        delta,
        over,
    ]);
    let calls: Vec<(&str, &str)> = said.candidates[0]
        .parts
        .iter()
        .map(|part| match part {
            Part::ToolCall(call) => (&*call.id, &*call.arguments),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(calls, [("a", r#"{"n":1}"#), ("b", r#"{"m":2}"#)]);
}

#[test]
fn trap_5_a_call_without_input_has_an_empty_object_and_one_with_input_at_its_start_keeps_it() {
    let call = |input: Value| json!({"type": "tool_use", "id": "a", "name": "f", "input": input});
    for (input, expected) in [(json!({}), "{}"), (Value::Null, "{}"), (json!({"a": 1}), r#"{"a":1}"#)] {
        let [delta, over] = end("tool_use", &json!({}));
        let said = answer(&[start(&json!({})), block(0, &call(input)), stop(0), delta, over]);
        assert!(matches!(&said.candidates[0].parts[0], Part::ToolCall(call) if call.arguments == expected));
    }
}

#[test]
fn trap_17_a_second_message_start_says_nothing_new() {
    let begun = start(&json!({"input_tokens": 9, "output_tokens": 1}));
    let block_of = || block(0, &json!({"type": "text", "text": ""}));
    // Twice in a row; and in the middle, with numbers that begin anew and blocks that never end.
    for events in [
        vec![begun.clone(), begun.clone(), block_of(), text(0, "ab"), stop(0)],
        vec![begun.clone(), block_of(), text(0, "a"), begun.clone(), block_of(), text(0, "b"), stop(0)],
        vec![begun, text(5, "a"), text(5, "b"), stop(9)],
        vec![block_of(), text(0, "ab")],
    ] {
        let (out, ended) =
            decoded_text(&stream(&[events, end("end_turn", &json!({})).to_vec()].concat())).unwrap();
        assert!(ended);
        assert_eq!(out.iter().filter(|event| matches!(event, Event::Start { .. })).count(), 1);
        assert!(matches!(out[0], Event::Start { .. }), "before everything else");
        let said = folded(out);
        let words: String = said.candidates[0]
            .parts
            .iter()
            .map(|part| match part {
                Part::Text { text, .. } => text.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(words, "ab");
        assert_eq!(said.candidates[0].stop.as_ref().unwrap().kind, StopKind::End);
    }
}

#[test]
fn what_a_block_begins_with_is_part_of_it() {
    let [delta, over] = end("end_turn", &json!({}));
    let said = answer(&[
        start(&json!({})),
        block(0, &json!({"type": "thinking", "thinking": "H", "signature": "s"})),
        piece(0, &json!({"type": "thinking_delta", "thinking": "m"})),
        stop(0),
        block(1, &json!({"type": "text", "text": "a", "citations": [{"type": "x"}]})),
        text(1, "b"),
        stop(1),
        delta,
        over,
    ]);
    let parts = &said.candidates[0].parts;
    assert!(matches!(&parts[0], Part::Reasoning(r) if r.text == "Hm" && r.opaque.is_some()));
    assert!(matches!(&parts[1], Part::Text { text, citations, .. } if text == "ab" && citations.len() == 1));
}

#[test]
fn events_and_blocks_that_are_invented_tomorrow_are_handed_on() {
    let new = json!({"type": "message_weather", "sun": true});
    let hologram = json!({"type": "hologram", "beams": 3, "caller": null});
    let [delta, over] = end("end_turn", &json!({}));
    let (events, ended) =
        decoded_text(&stream(&[start(&json!({})), new.clone(), block(0, &hologram), stop(0), delta, over]))
            .unwrap();
    assert!(ended);
    assert!(events.iter().any(|event| matches!(event, Event::Other(_, value) if *value == new)));
    let whole = |event: &Event| matches!(event, Event::PartStart { kind: PartKind::Whole(part), .. } if matches!(&**part, Part::Other(_, value) if *value == hologram));
    assert!(events.iter().any(whole));
}

#[test]
fn what_cannot_be_or_would_never_end_is_a_failure() {
    let call = json!({"type": "tool_use", "id": "a", "name": "f", "input": {}});
    let long = "x".repeat(TOOL_INPUT_BYTES_MAX / 4 + 1);
    let more = piece(0, &json!({"type": "input_json_delta", "partial_json": long}));
    let mut events = vec![block(0, &call)];
    events.extend(std::iter::repeat_n(more, 4));
    assert_eq!(decoded_text(&stream(&events)).unwrap_err().cause, Cause::ResponseTooLarge);
    let open: Vec<Value> = (0..100).map(|n| block(n, &json!({"type": "text", "text": ""}))).collect();
    assert_eq!(decoded_text(&stream(&open)).unwrap_err().cause, Cause::ResponseTooLarge);
    let many: Vec<Value> =
        (0..5000).flat_map(|n| [block(n, &json!({"type": "text", "text": ""})), stop(n)]).collect();
    assert_eq!(decoded_text(&stream(&many)).unwrap_err().cause, Cause::ResponseTooLarge);
    for events in [
        vec![piece(0, &json!({"type": "input_json_delta", "partial_json": "{}"}))],
        vec![
            block(0, &json!({"type": "text", "text": ""})),
            piece(0, &json!({"type": "input_json_delta", "partial_json": "{}"})),
        ],
        vec![block(0, &call), text(0, "a")],
        vec![block(0, &json!({}))],
        vec![block(0, &json!({"type": "tool_use", "id": "a"}))],
    ] {
        assert_eq!(decoded_text(&stream(&events)).unwrap_err().cause, Cause::ProtocolError, "{events:?}");
    }
}

#[test]
fn nothing_counts_after_the_end() {
    let [delta, over] = end("end_turn", &json!({}));
    let late = [start(&json!({})), delta, over, text(0, "late"), json!({"type": "error", "error": {}})];
    let (events, ended) = decoded_text(&stream(&late)).unwrap();
    assert!(ended && events.last() == Some(&Event::End));
    assert!(!events.iter().any(|event| matches!(event, Event::Delta { delta: Delta::Text(_), .. })));
}
