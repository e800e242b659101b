//! Streams of targets and for clients.

use super::super::{StreamEncoder, error_event};
use super::{origin, read, read_every_way, shown};
use crate::chat::{ErrorShown, Event, Opaque, Part, Stop, StopKind};
use crate::checks::chat::folded;
use serde_json::{Value, json};

/// As OpenAI writes one: a thought, a text with a citation, two calls by turns, a picture.
pub(super) const STREAM: &str = include_str!("full_stream.txt");

#[test]
fn a_stream_says_what_its_response_says() {
    let (events, whole) = read_every_way(STREAM).unwrap();
    assert!(whole);
    let answer = folded(events.into_iter().filter(|event| !matches!(event, Event::Other(..))));
    assert_eq!((answer.id.as_deref(), answer.model.as_deref()), (Some("resp_1"), Some("gpt-x")));
    let candidate = &answer.candidates[0];
    let [
        Part::Reasoning(thought),
        Part::Text { text, citations, .. },
        Part::ToolCall(first),
        Part::ToolCall(second),
        Part::Image { .. },
    ] = &*candidate.parts
    else {
        panic!("{candidate:?}");
    };
    assert_eq!((&*thought.text, thought.is_summary), ("Let me see.\n\nYes.", true));
    let proof =
        Opaque { dialect: crate::chat::Dialect::Responses, origin: Some(origin()), data: "gAAA==".into() };
    assert_eq!(thought.opaque, Some(proof), "of the item when it was done, not when it was announced");
    assert_eq!((&**text, citations.len()), ("Hi there", 1));
    // Wire.md, trap 4: pieces of two calls by turns.
    assert_eq!((&*first.id, &*first.arguments), ("call_1", "{\"cmd\":\"ls\"}"));
    assert_eq!((&*second.name, &*second.arguments, second.is_custom), ("patch", "*** x", true));
    assert_eq!(candidate.stop.as_ref().unwrap().kind, StopKind::ToolCalls);
    assert_eq!(answer.usage.unwrap().total(), 123);
    assert_eq!(candidate.logprobs.as_ref().unwrap()["content"][0]["token"], "Hi");
}

fn event(kind: &str, members: Value) -> String {
    let mut data = json!({"type": kind, "sequence_number": 1});
    data.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    format!("event: {kind}\ndata: {data}\n\n")
}

/// Wire.md, trap 9: a stream without its end signal is cut, and an error is no end.
#[test]
fn a_cut_stream_is_not_whole_and_a_failed_one_is_a_failure() {
    let cut = STREAM.split("event: response.completed").next().unwrap();
    assert!(!read([cut.as_bytes()]).unwrap().1);
    let failed = json!({"response": {"id": "r", "status": "failed", "error": {"code": "server_error", "message": "broken"}}});
    let flat = json!({"code": "server_error", "message": "broken", "param": null});
    for end in [event("response.failed", failed), event("error", flat)] {
        let failure = read([format!("{cut}{end}").as_bytes()]).unwrap_err();
        assert!(failure.detail.contains("broken"), "{failure:?}");
    }
    for broken in ["data: {oops\n\n", "data: [1]\n\n", "data: {}\n\n"] {
        read([broken.as_bytes()]).unwrap_err();
    }
}

#[test]
fn servers_that_say_everything_at_the_end_are_understood() {
    let answer: Value = serde_json::from_str(super::FULL_ANSWER).unwrap();
    let stream = event("response.completed", json!({"response": answer})) + "data: [DONE]\n\n";
    let (events, whole) = read([stream.as_bytes()]).unwrap();
    assert!(whole);
    let read = folded(events);
    assert_eq!(read.candidates[0].parts.len(), 6);
    // Items that come whole, without pieces.
    let items = answer["output"].as_array().unwrap().iter().zip(0..);
    let stream: String = items
        .map(|(item, at)| event("response.output_item.done", json!({"output_index": at, "item": item})))
        .collect();
    let stream = stream + &event("response.completed", json!({"response": answer}));
    let (events, _) = super::read([stream.as_bytes()]).unwrap();
    assert_eq!(folded(events).candidates[0].parts, read.candidates[0].parts);
}

/// Order, numbers and ids, as the specification has them.
pub(super) fn check_order(stream: &str) -> Vec<Value> {
    let events: Vec<Value> = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let names: Vec<&str> = stream.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(names, kinds, "each event is named");
    assert_eq!(&kinds[..2], ["response.created", "response.in_progress"]);
    for (event, number) in events.iter().zip(0..) {
        assert_eq!(event["sequence_number"], number);
    }
    let mut items: Vec<(Value, bool, bool)> = Vec::new();
    for event in &events {
        let at = event["output_index"].as_u64().map(|at| usize::try_from(at).unwrap());
        match event["type"].as_str().unwrap() {
            "response.output_item.added" => {
                assert_eq!(at, Some(items.len()));
                items.push((event["item"]["id"].clone(), true, false));
            }
            "response.output_item.done" => {
                let item = &mut items[at.unwrap()];
                assert!(item.1 && !item.2 && item.0 == event["item"]["id"], "{event}");
                item.1 = false;
            }
            "response.content_part.added" | "response.reasoning_summary_part.added" => {
                let item = &mut items[at.unwrap()];
                assert!(item.1 && item.0 == event["item_id"] && !std::mem::replace(&mut item.2, true));
            }
            "response.content_part.done" | "response.reasoning_summary_part.done" => {
                assert!(std::mem::take(&mut items[at.unwrap()].2), "{event}");
            }
            kind if kind.ends_with(".delta") => {
                let item = &items[at.unwrap()];
                assert!(item.1 && item.0 == event["item_id"], "{event}");
                assert!(item.2 || kind.contains("arguments") || kind.contains("input"), "{event}");
            }
            _ => {}
        }
    }
    let last = events.last().unwrap();
    if last["type"] == "response.completed" || last["type"] == "response.incomplete" {
        let done: Vec<&Value> = events.iter().filter(|e| e["type"] == "response.output_item.done").collect();
        let output = last["response"]["output"].as_array().unwrap();
        assert_eq!(output.len(), done.len());
        for event in done {
            let at = usize::try_from(event["output_index"].as_u64().unwrap()).unwrap();
            assert_eq!(output[at], event["item"]);
        }
        assert!(items.iter().all(|item| !item.1));
    }
    events
}

fn written(events: &[Event]) -> String {
    let mut encoder = StreamEncoder::new(shown());
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.push(event, &mut out));
    String::from_utf8(out).unwrap()
}

#[test]
fn a_stream_for_a_client_is_in_the_order_of_the_dialect() {
    let (events, _) = read([STREAM.as_bytes()]).unwrap();
    let stream = written(&events);
    let written = check_order(&stream);
    let of = |item: &str| -> Vec<&str> {
        let is = |event: &&Value| {
            event["item_id"].as_str().or(event["item"]["id"].as_str()).is_some_and(|id| id.starts_with(item))
        };
        written.iter().filter(is).map(|event| event["type"].as_str().unwrap()).collect()
    };
    assert_eq!(
        of("rs_"),
        [
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
            "response.output_item.done",
        ]
    );
    assert_eq!(
        of("msg_"),
        [
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.annotation.added",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
        ]
    );
    assert_eq!(
        of("fc_"),
        [
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
        ]
    );
    assert_eq!(
        of("ctc_"),
        [
            "response.output_item.added",
            "response.custom_tool_call_input.delta",
            "response.custom_tool_call_input.delta",
            "response.custom_tool_call_input.done",
            "response.output_item.done",
        ]
    );
    assert!(!stream.contains("[DONE]"), "the end of this dialect is an event");
    let last = &written.last().unwrap()["response"];
    assert_eq!((&last["status"], &last["usage"]["total_tokens"]), (&json!("completed"), &json!(123)));
    // The text's probabilities stand behind it.
    assert_eq!(last["output"][1]["content"][0]["logprobs"][0]["token"], "Hi");
}

#[test]
fn a_stream_that_reached_its_limit_says_so() {
    let (mut events, _) = read([STREAM.as_bytes()]).unwrap();
    for event in &mut events {
        if let Event::Stop { stop, .. } = event {
            *stop = Stop::new(StopKind::Length);
        }
    }
    let written = check_order(&written(&events));
    let last = written.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["incomplete_details"]["reason"], "max_output_tokens");
}

#[test]
fn an_error_ends_a_stream_without_looking_like_its_end() {
    let error = ErrorShown {
        status: 502,
        code: "upstream_stream_interrupted",
        message: "It broke.",
        param: None,
        request_id: "req_1",
    };
    let (events, _) = read([STREAM.as_bytes()]).unwrap();
    let mut encoder = StreamEncoder::new(shown());
    let mut out = Vec::new();
    let upto = events.iter().position(|event| matches!(event, Event::Stop { .. })).unwrap();
    events[..upto].iter().for_each(|event| encoder.push(event, &mut out));
    encoder.fail(&error, &mut out);
    encoder.push(&Event::End, &mut out);
    let written = check_order(&String::from_utf8(out).unwrap());
    let [before, last] = &written[written.len() - 2..] else { panic!() };
    assert_eq!((&before["type"], &before["code"]), (&json!("error"), &json!("upstream_stream_interrupted")));
    assert_eq!(before["error"]["message"], "It broke.", "where the official clients look");
    assert_eq!(last["type"], "response.failed");
    assert_eq!(
        (&last["response"]["status"], &last["response"]["error"]["code"]),
        (&json!("failed"), &json!("upstream_stream_interrupted"))
    );
    assert_eq!(last["response"]["id"], "resp_1", "it is the response that was announced");
    let alone = String::from_utf8(error_event(&error).to_vec()).unwrap();
    assert!(alone.contains("response.failed") && !alone.contains("response.completed"));
}

#[test]
fn an_answer_without_end_is_not_kept_without_end() {
    let mut encoder = StreamEncoder::new(shown());
    let mut out = Vec::new();
    let start = Event::PartStart { candidate: 0, part: 0, kind: crate::chat::PartKind::Text };
    encoder.push(&start, &mut out);
    let delta = || crate::chat::Delta::Text("x".repeat(1 << 20));
    for _ in 0..20 {
        out.clear();
        encoder.push(&Event::Delta { candidate: 0, part: 0, delta: delta() }, &mut out);
        if out.windows(15).any(|bytes| bytes == b"response.failed") {
            out.clear();
            encoder.push(&Event::Delta { candidate: 0, part: 0, delta: delta() }, &mut out);
            assert!(out.is_empty(), "nothing follows");
            return;
        }
    }
    panic!("twenty megabytes were kept");
}
