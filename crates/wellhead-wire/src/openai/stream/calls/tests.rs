#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::needless_pass_by_value, reason = "`json!` reads better without references")]

use super::{KEPT_BYTES_MAX, TOOL_CALL_BYTES_MAX};
use crate::checks::cut;
use crate::openai::Endpoint;
use crate::openai::stream::{StreamEnd, StreamObserver};
use crate::sse::{Framer, Tail};
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wellhead_types::{Cause, Failure, Stage};

/// What came of a stream as the proxy handles it: nothing more is read behind the first error.
struct Run {
    out: String,
    /// What had gone out when content was first reported.
    first_commit: Option<usize>,
    error: Option<Failure>,
    end: StreamEnd,
    delivered: Option<String>,
    tool_call: bool,
}

fn run(endpoint: Endpoint, chunks: Vec<Bytes>) -> Run {
    let mut framer = Framer::new(4 << 20);
    let mut observer = StreamObserver::remembering(endpoint, true);
    let (mut out, mut commits, mut error, mut first_commit) = (Vec::new(), false, None, None);
    let length = |out: &Vec<Bytes>| out.iter().map(Bytes::len).sum::<usize>();
    for chunk in chunks {
        let mut on_event = |event: crate::sse::Event<'_>| {
            let seen = observer.observe(&event);
            commits |= seen.commits;
            error = error.take().or(seen.error);
            seen.verdict
        };
        framer.push(chunk, &mut on_event, &mut out).unwrap();
        if commits && first_commit.is_none() {
            first_commit = Some(length(&out));
        }
        assert_eq!(framer.kept_bytes() > 0, observer.kept_bytes() > 0, "both know the same");
        if error.is_some() {
            break;
        }
    }
    if error.is_none()
        && let Tail::Incomplete(tail) = framer.finish()
        && let Some(seen) = observer.observe_tail(&tail)
    {
        framer.settle_tail(&tail, seen.verdict, &mut out);
        error = seen.error;
    }
    let end = observer.finish();
    let delivered = observer.take_delivered();
    Run {
        out: String::from_utf8(out.concat()).unwrap(),
        first_commit,
        error,
        end,
        tool_call: delivered.as_ref().is_some_and(|delivered| delivered.others().tool_call),
        delivered: delivered.map(|delivered| delivered.text().to_owned()),
    }
}

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

fn choice(index: u32, delta: Value, finish: Option<&str>) -> String {
    event(&json!({"id": "c", "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}))
}

fn delta(delta: Value) -> String {
    choice(0, delta, None)
}

fn call(index: u32, name: Option<&str>, arguments: &str) -> String {
    let mut function = json!({ "arguments": arguments });
    let mut call = json!({ "index": index });
    if let Some(name) = name {
        function["name"] = json!(name);
        call["id"] = json!(format!("call_{name}"));
    }
    call["function"] = function;
    delta(json!({ "tool_calls": [call] }))
}

fn text(text: &str) -> String {
    delta(json!({ "content": text }))
}

fn finish(reason: &str) -> String {
    choice(0, json!({}), Some(reason))
}

const DONE: &str = "data: [DONE]\n\n";

fn chat(events: &[String]) -> Run {
    run(
        Endpoint::ChatCompletions,
        events.iter().map(|event| Bytes::copy_from_slice(event.as_bytes())).collect(),
    )
}

/// What the client has after each event: the stream is cut there.
fn seen_after_each(events: &[String]) -> Vec<String> {
    (1..=events.len()).map(|count| chat(&events[..count]).out).collect()
}

#[test]
fn a_call_goes_out_when_its_choice_finishes_and_commits_then() {
    let events = [
        call(0, Some("f"), ""),
        call(0, None, "{\"a\""),
        call(0, None, ":1}"),
        finish("tool_calls"),
        DONE.into(),
    ];
    let seen = seen_after_each(&events);
    assert_eq!(seen[..3], ["", "", ""], "arguments that parse end nothing");
    assert_eq!(seen[3], events[..4].concat(), "byte for byte");
    let whole = chat(&events);
    assert_eq!((whole.out, whole.end.complete, whole.error), (events.concat(), true, None));
    assert_eq!(whole.first_commit, Some(events[..4].concat().len()));
    assert!(whole.tool_call && whole.end.saw_content);
    assert!(!chat(&events[..3]).end.saw_content, "held back is not seen");
}

#[test]
fn the_next_call_releases_the_one_before() {
    let events = [
        text("Let me look."),
        call(0, Some("f"), "{}"),
        call(1, Some("g"), "{\"x\":"),
        call(1, None, "[]}"),
        call(2, Some("h"), ""),
        finish("tool_calls"),
        DONE.into(),
    ];
    let seen = seen_after_each(&events);
    for (after, delivered) in [(0, 1), (1, 1), (2, 2), (3, 2), (4, 4), (5, 6), (6, 7)] {
        assert_eq!(seen[after], events[..delivered].concat(), "after event {after}");
    }
}

#[test]
fn calls_announced_together_wait_for_the_finish_reason() {
    let events = [
        call(0, Some("f"), ""),
        call(1, Some("g"), ""),
        call(0, None, "{\"a\":1}"),
        call(1, None, "{\"b\":"),
        call(0, None, " "),
        call(1, None, "2}"),
        finish("tool_calls"),
    ];
    let seen = seen_after_each(&events);
    assert!(seen[..6].iter().all(String::is_empty));
    assert_eq!(seen[6], events.concat());
}

#[test]
fn text_does_not_wait_unless_it_would_overtake_text() {
    let events = [call(0, Some("f"), "{"), text("A"), text("B"), call(0, None, "}"), finish("tool_calls")];
    let seen = seen_after_each(&events);
    assert_eq!(seen[2], [&*events[1], &*events[2]].concat());
    assert_eq!(seen[4], [&*events[1], &*events[2], &*events[0], &*events[3], &*events[4]].concat());

    let mixed = delta(
        json!({"content": "A", "tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{"}}]}),
    );
    let events = [
        mixed,
        text("B"),
        delta(json!({"reasoning_content": "hm"})),
        call(0, None, "}"),
        finish("tool_calls"),
    ];
    let cut = chat(&events[..3]);
    assert_eq!((&cut.out, cut.delivered.as_deref()), (&events[2], Some("")), "A waits, so B does");
    let whole = chat(&events);
    assert_eq!(whole.delivered.as_deref(), Some("AB"));
    assert_eq!(whole.out, [&*events[2], &*events[0], &*events[1], &*events[3], &*events[4]].concat());
}

#[test]
fn whole_calls_in_one_event_and_every_vendors_spelling() {
    let two = json!([{"index": 0, "function": {"name": "f", "arguments": "{}"}}, {"index": 1, "function": {"name": "g", "arguments": "{\"x\":1}"}}]);
    for (events, name) in [
        (vec![choice(0, json!({ "tool_calls": two }), Some("tool_calls"))], "finish in the same event"),
        (vec![delta(json!({ "tool_calls": two })), DONE.into()], "no finish reason at all"),
        (
            vec![
                delta(json!({"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]})),
                finish("stop"),
            ],
            "an object",
        ),
        (
            vec![
                delta(json!({"tool_calls": [
                {"id": "1", "function": {"name": "f", "arguments": "{}"}}, {"id": "2", "function": {"name": "f", "arguments": "{}"}}]})),
                finish("stop"),
            ],
            "no index",
        ),
        (
            vec![call(0, Some("f"), "{}"), call(0, Some("g"), "{\"a\":1}"), finish("tool_calls")],
            "all on index 0",
        ),
        (
            vec![
                call(0, Some("f"), ""),
                call(0, Some("f"), "{\"a\""),
                call(0, Some("f"), ":1}"),
                finish("stop"),
            ],
            "the name every time",
        ),
        (vec![call(3, None, "{}"), call(3, Some("late"), ""), finish("stop")], "the name last"),
        (
            vec![
                delta(json!({"function_call": {"name": "f", "arguments": ""}})),
                delta(json!({"function_call": {"arguments": "{}"}})),
                finish("function_call"),
            ],
            "legacy",
        ),
        (
            vec![
                delta(
                    json!({"tool_calls": [{"index": 0, "type": "custom", "custom": {"name": "f", "input": "not {json"}}]}),
                ),
                finish("tool_calls"),
            ],
            "free text",
        ),
        (vec![call(0, Some("f"), ""), finish("tool_calls")], "no arguments"),
    ] {
        let whole = chat(&events);
        assert_eq!((whole.out, whole.error), (events.concat(), None), "{name}");
        assert!(whole.tool_call, "{name}");
        // The second call on an index ends the first; nothing else goes out before the end.
        let before = if name == "all on index 0" { events[0].as_str() } else { "" };
        assert_eq!(chat(&events[..events.len() - 1]).out, before, "{name}");
    }
}

#[test]
fn a_call_that_is_not_json_at_its_end_fails_the_stream_and_is_never_seen() {
    for (events, seen, stage) in [
        (vec![call(0, Some("f"), "{\"a\":"), finish("tool_calls")], 0, Stage::FirstToken),
        (vec![call(0, Some("f"), "{\"a\":"), DONE.into()], 0, Stage::FirstToken),
        (vec![text("Hi"), call(0, Some("f"), "{}{}"), finish("stop")], 1, Stage::Stream),
        (vec![call(0, Some("f"), "{}"), call(1, Some("g"), "{"), call(0, None, "{}")], 1, Stage::Stream),
    ] {
        let failed = chat(&events);
        assert_eq!(failed.out, events[..seen].concat());
        let failure = failed.error.unwrap();
        assert_eq!((failure.cause, failure.stage), (Cause::ProtocolError, stage));
        assert!(!failed.end.complete);
    }
}

#[test]
fn a_call_cut_by_the_answers_own_limit_is_left_out_and_the_ending_is_true() {
    let events =
        [text("Hi"), call(0, Some("f"), "{}"), call(1, Some("g"), "{\"a"), finish("length"), DONE.into()];
    let run = chat(&events);
    assert_eq!(run.out, [&*events[0], &*events[1], &*events[3], &*events[4]].concat());
    assert!(run.end.complete && run.error.is_none());
    let in_one = choice(
        0,
        json!({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{"}}]}),
        Some("length"),
    );
    assert!(chat(&[in_one]).error.is_some(), "what passes cannot be told from what does not");
    let lost_text = delta(
        json!({"content": "A", "tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{"}}]}),
    );
    assert!(chat(&[lost_text, finish("length")]).error.is_some(), "text is not lost silently");
}

#[test]
fn choices_do_not_disturb_each_other() {
    let mine = |index: u32, arguments: &str| {
        choice(
            index,
            json!({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": arguments}}]}),
            None,
        )
    };
    let events = [
        mine(0, "{\"a\":"),
        choice(1, json!({"content": "text"}), None),
        mine(1, "{}"),
        choice(1, json!({}), Some("tool_calls")),
        choice(0, json!({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}), Some("tool_calls")),
        DONE.into(),
    ];
    let seen = seen_after_each(&events);
    assert_eq!(
        seen[3], events[1],
        "order among calls is kept, and a finish reason never comes before its calls"
    );
    assert_eq!(seen[4], [&*events[1], &*events[0], &*events[2], &*events[3], &*events[4]].concat());
}

#[test]
fn what_is_kept_back_is_bounded() {
    let piece = "x".repeat(64 * 1024);
    let mut events = vec![call(0, Some("f"), "\"")];
    events.extend((0..TOOL_CALL_BYTES_MAX / piece.len()).map(|_| call(0, None, &piece)));
    let failed = chat(&events);
    assert_eq!((failed.out.as_str(), failed.error.unwrap().cause), ("", Cause::ResponseTooLarge));
    let mut enough = events;
    enough.truncate(TOOL_CALL_BYTES_MAX / piece.len());
    enough.extend([call(0, None, "\""), finish("tool_calls")]);
    assert_eq!(chat(&enough).out, enough.concat(), "one byte less than the limit");

    let padding = "p".repeat(1 << 20);
    let padded = event(
        &json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": " "}}]}}], "p": padding}),
    );
    let failed = chat(&vec![padded; KEPT_BYTES_MAX / (1 << 20)]);
    assert_eq!((failed.out.as_str(), failed.error.unwrap().cause), ("", Cause::ResponseTooLarge));
    let many: Vec<_> = (0..1100).map(|index| call(index, Some("f"), "{}")).collect();
    assert_eq!(chat(&many).error.unwrap().cause, Cause::ResponseTooLarge);
}

fn typed(kind: &str, mut members: Value, number: usize) -> String {
    members["type"] = json!(kind);
    members["sequence_number"] = json!(number);
    format!("event: {kind}\ndata: {members}\n\n")
}

fn responses(pieces: &[&str], done: Option<&str>, last: &str) -> Vec<String> {
    let mut events = vec![
        typed("response.created", json!({"response": {"id": "r"}}), 0),
        typed(
            "response.output_item.added",
            json!({"output_index": 0, "item": {"type": "function_call", "name": "f", "arguments": ""}}),
            1,
        ),
    ];
    for piece in pieces {
        events.push(typed(
            "response.function_call_arguments.delta",
            json!({"output_index": 0, "delta": piece}),
            events.len(),
        ));
    }
    events.push(typed("response.in_progress", json!({}), events.len()));
    if let Some(done) = done {
        events.push(typed(
            "response.function_call_arguments.done",
            json!({"output_index": 0, "arguments": done}),
            events.len(),
        ));
    }
    let item = json!({"type": "function_call", "name": "f", "arguments": pieces.concat()});
    events.push(typed("response.output_item.done", json!({"output_index": 0, "item": item}), events.len()));
    events.push(typed(last, json!({"response": {"id": "r"}}), events.len()));
    events
}

#[test]
fn calls_of_responses_wait_for_their_done_event_and_numbers_stay_in_order() {
    let feed = |events: &[String]| {
        run(
            Endpoint::Responses,
            events.iter().map(|event| Bytes::copy_from_slice(event.as_bytes())).collect(),
        )
    };
    for done in [Some("{\"a\":1}"), None] {
        let events = responses(&["{\"a\"", ":1}"], done, "response.completed");
        let ends = 5;
        for count in 2..=ends {
            assert_eq!(feed(&events[..count]).out, events[0], "after {count}");
        }
        assert_eq!(feed(&events[..ends + 1]).out, events[..ends + 1].concat());
        let whole = feed(&events);
        assert_eq!((whole.out, whole.end.complete, whole.error), (events.concat(), true, None));
    }
    let broken = feed(&responses(&["{\"a\""], Some("{\"a\""), "response.completed"));
    assert!(broken.error.is_some() && broken.out.lines().count() == 3, "nothing but the first event");
    let mut cut = responses(&["{\"a\""], None, "response.incomplete");
    cut.remove(cut.len() - 2);
    let cut = feed(&cut);
    assert!(cut.error.is_none() && cut.end.complete && !cut.out.contains("arguments.delta"));
    let custom = [
        typed(
            "response.output_item.added",
            json!({"output_index": 0, "item": {"type": "custom_tool_call", "input": ""}}),
            0,
        ),
        typed("response.custom_tool_call_input.delta", json!({"output_index": 0, "delta": "not {"}), 1),
        typed("response.custom_tool_call_input.done", json!({"output_index": 0, "input": "not {"}), 2),
    ];
    assert_eq!(feed(&custom[..2]).out, "");
    assert_eq!(feed(&custom).out, custom.concat());
}

/// A stream with calls as they come from a vendor: (choice 0) text and calls, each in pieces.
fn stream() -> impl Strategy<Value = (Vec<String>, BTreeMap<u64, String>)> {
    let value =
        prop_oneof![Just(json!({})), "\\PC{0,12}".prop_map(|s| json!({ "q": s, "n": [1, {"x": "}"}] }))];
    let calls = (value, prop::collection::vec(1..9_usize, 1..6), any::<bool>());
    (
        prop::collection::vec(calls, 0..4),
        prop::collection::vec("\\PC{0,6}", 0..4),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(calls, texts, interleaved, crlf)| {
            let mut lanes = Vec::new();
            let mut expected = BTreeMap::new();
            for (index, (arguments, sizes, announced)) in calls.into_iter().enumerate() {
                let number = u32::try_from(index).unwrap();
                let whole = arguments.to_string();
                let mut lane = Vec::new();
                let mut rest: Vec<char> = whole.chars().collect();
                let mut sizes = sizes.into_iter().cycle();
                if announced {
                    lane.push(call(number, Some("f"), ""));
                }
                while !rest.is_empty() {
                    let size = sizes.next().unwrap().min(rest.len());
                    let piece: String = rest.drain(..size).collect();
                    lane.push(call(number, lane.is_empty().then_some("f"), &piece));
                }
                expected.insert(index as u64, whole);
                lanes.push(lane);
            }
            let mut events = vec![delta(json!({"role": "assistant", "content": null}))];
            let mut texts = texts.into_iter();
            if interleaved {
                let longest = lanes.iter().map(Vec::len).max().unwrap_or(0);
                for step in 0..longest {
                    events.extend(lanes.iter().filter_map(|lane| lane.get(step).cloned()));
                    events.extend(texts.next().map(|t| text(&t)));
                }
            } else {
                for lane in lanes {
                    events.extend(texts.next().map(|t| text(&t)));
                    events.extend(lane);
                }
            }
            events.extend([finish("tool_calls"), DONE.to_owned()]);
            if crlf {
                events = events.iter().map(|event| event.replace('\n', "\r\n")).collect();
            }
            (events, expected)
        })
}

/// The calls that a client has put together, and its text.
fn read(out: &str) -> (BTreeMap<u64, String>, String) {
    let (mut calls, mut text) = (BTreeMap::<u64, String>::new(), String::new());
    for data in out.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]") {
        let chunk: Value = serde_json::from_str(data).unwrap();
        let delta = &chunk["choices"][0]["delta"];
        text.push_str(delta["content"].as_str().unwrap_or_default());
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let arguments = calls.entry(call["index"].as_u64().unwrap()).or_default();
            arguments.push_str(call["function"]["arguments"].as_str().unwrap());
        }
    }
    (calls, text)
}

proptest! {
    // Each case is a run per byte.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 8, ..ProptestConfig::default() })]

    #[test]
    fn cut_anywhere_a_client_never_has_half_a_call((events, expected) in stream(), seed: u64) {
        let whole = events.concat();
        for end in 0..=whole.len() {
            let run = run(Endpoint::ChatCompletions, vec![Bytes::copy_from_slice(&whole.as_bytes()[..end])]);
            prop_assert!(run.error.is_none());
            let (calls, text) = read(&run.out);
            for (index, arguments) in calls {
                prop_assert_eq!(&arguments, &expected[&index], "cut at {}", end);
            }
            prop_assert_eq!(run.delivered.unwrap(), text, "what is remembered is what was seen");
            prop_assert_eq!(run.end.complete, run.out.contains("tool_calls\"}") || run.out.contains("[DONE]"));
        }
        let all = run(Endpoint::ChatCompletions, cut(seed, whole.as_bytes()));
        prop_assert_eq!(read(&all.out), (expected, read(&whole).1));
        let mut sorted = [all.out.split("data: ").collect::<Vec<_>>(), whole.split("data: ").collect()];
        sorted.iter_mut().for_each(|events| events.sort_unstable());
        prop_assert_eq!(&sorted[0], &sorted[1], "every event, byte for byte");
    }
}
