//! Streams of real vendors, each with the trap of wire.md that it is.

use super::super::StreamDecoder;
use super::{origin, read, read_every_way};
use crate::chat::{Answer, Event, Part, StopKind};
use crate::checks::chat::folded;
use serde_json::{Value, json};
use wellhead_types::Cause;

/// The answer that these chunks say, with `[DONE]` behind them.
fn answer(chunks: &[Value]) -> Answer {
    let mut stream: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    stream += "data: [DONE]\n\n";
    let (events, whole) = read_every_way(&stream).unwrap();
    assert!(whole);
    folded(events)
}

fn chunk(delta: Value) -> Value {
    json!({"id": "gen-1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

fn last(reason: &str) -> Value {
    json!({"id": "gen-1", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

/// Ids and arguments of the calls.
fn calls(chunks: &[Value]) -> Vec<(String, String, String)> {
    let parts = answer(chunks).candidates.remove(0).parts;
    let call = |part| match part {
        Part::ToolCall(call) => Some((call.id.to_string(), call.name.to_string(), call.arguments)),
        _ => None,
    };
    parts.into_iter().filter_map(call).collect()
}

fn all(expected: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    expected.iter().map(|(id, name, arguments)| ((*id).into(), (*name).into(), (*arguments).into())).collect()
}

fn piece(index: Value, id: Value, name: Value, arguments: &str) -> Value {
    chunk(
        json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}]}),
    )
}

#[test]
fn trap_4_indices_begin_at_one_and_have_gaps() {
    let chunks = [
        piece(json!(1), json!("a"), json!("f"), ""),
        piece(json!(1), Value::Null, Value::Null, "{\"x\":1}"),
        piece(json!(5), json!("b"), json!("g"), "{}"),
        last("tool_calls"),
    ];
    assert_eq!(calls(&chunks), all(&[("a", "f", "{\"x\":1}"), ("b", "g", "{}")]));
}

#[test]
fn trap_4_several_calls_on_index_0_with_ids_of_their_own() {
    let chunks = [
        piece(json!(0), json!("a"), json!("f"), "{\"x\":1}"),
        piece(json!(0), json!("b"), json!("f"), "{\"x\":1}"),
        piece(json!(0), json!("a"), json!("f"), ""),
        last("stop"),
    ];
    assert_eq!(calls(&chunks), all(&[("a", "f", "{\"x\":1}"), ("b", "f", "{\"x\":1}")]));
}

#[test]
fn trap_4_two_identical_calls_without_ids_on_index_0() {
    let whole = || piece(json!(0), Value::Null, json!("f"), "{\"x\":1}");
    let found = calls(&[whole(), whole(), last("tool_calls")]);
    assert_eq!(found.len(), 2);
    assert_ne!(found[0].0, found[1].0, "each has an id of its own");
}

#[test]
fn trap_4_no_index_at_all() {
    let chunks = [
        piece(Value::Null, json!("a"), json!("f"), "{\"x\""),
        piece(Value::Null, json!(""), Value::Null, ":1}"),
        piece(Value::Null, json!("b"), json!("g"), "{}"),
        piece(Value::Null, json!("b"), Value::Null, ""),
        last("tool_calls"),
    ];
    assert_eq!(calls(&chunks), all(&[("a", "f", "{\"x\":1}"), ("b", "g", "{}")]));
}

#[test]
fn trap_4_blank_and_repeated_ids_and_names() {
    let chunks = [
        piece(json!(0), json!("a"), json!("f"), "{\"x\""),
        piece(json!(0), json!(""), json!(""), ":"),
        piece(json!(0), json!("a"), json!("f"), "1"),
        piece(json!(0), json!("  "), json!("f"), "}"),
        last("tool_calls"),
    ];
    assert_eq!(calls(&chunks), all(&[("a", "f", "{\"x\":1}")]));
}

#[test]
fn trap_4_the_name_comes_after_arguments() {
    let chunks = [
        piece(json!(0), json!("a"), Value::Null, "{\"x\""),
        piece(json!(0), Value::Null, json!("f"), ":1}"),
        last("tool_calls"),
    ];
    assert_eq!(calls(&chunks), all(&[("a", "f", "{\"x\":1}")]));
    let nameless = format!(
        "data: {}\n\ndata: {}\n\n",
        piece(json!(0), json!("a"), Value::Null, "{}"),
        last("tool_calls")
    );
    let failure = read([nameless.as_bytes()]).unwrap_err();
    assert_eq!(failure.cause, Cause::ProtocolError, "a call without a name is none");
}

#[test]
fn trap_4_a_call_is_not_over_because_it_parses() {
    let chunks = [
        piece(json!(0), json!("a"), json!("f"), "{}"),
        piece(json!(0), Value::Null, Value::Null, " "),
        last("tool_calls"),
    ];
    assert_eq!(calls(&chunks), all(&[("a", "f", "{} ")]));
}

#[test]
fn trap_4_empty_lists_of_calls_in_texts_mean_nothing() {
    let said = answer(&[
        chunk(json!({"content": "Hi", "tool_calls": []})),
        chunk(json!({"content": "!", "tool_calls": null})),
        last("stop"),
    ]);
    assert!(matches!(&said.candidates[0].parts[..], [Part::Text { text, .. }] if text == "Hi!"));
    assert_eq!(said.candidates[0].stop.as_ref().unwrap().kind, StopKind::End);
}

#[test]
fn trap_5_a_call_that_says_nothing_has_an_empty_object() {
    let chunks = [piece(json!(0), json!("a"), json!("f"), ""), last("tool_calls")];
    assert_eq!(calls(&chunks), all(&[("a", "f", "{}")]));
}

#[test]
fn trap_6_calls_without_ids_get_some_that_no_other_answer_has() {
    let chunks = |id: &str| {
        let mut chunks = [piece(json!(0), Value::Null, json!("f"), "{}"), last("tool_calls")];
        chunks.iter_mut().for_each(|chunk| chunk["id"] = json!(id));
        chunks
    };
    assert_ne!(calls(&chunks("gen-1"))[0].0, calls(&chunks("gen-2"))[0].0);
}

#[test]
fn trap_7_thoughts_under_every_name() {
    for delta in [
        json!({"reasoning_content": "hm", "content": null}),
        json!({"reasoning": "hm", "content": ""}),
        json!({"reasoning_text": "hm"}),
        json!({"reasoning": "hm", "reasoning_content": "hm"}),
        json!({"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm", "format": "unknown", "index": 0}]}),
        json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}),
    ] {
        let said = answer(&[chunk(delta.clone()), chunk(json!({"content": "x"})), last("stop")]);
        let [Part::Reasoning(thought), Part::Text { text, .. }] = &said.candidates[0].parts[..] else {
            panic!("{delta}: {said:?}")
        };
        assert_eq!(
            (thought.text.as_str(), thought.opaque.as_ref(), text.as_str()),
            ("hm", None, "x"),
            "{delta}"
        );
    }
}

#[test]
fn trap_7_openrouters_pieces_become_one_thought_with_its_proof() {
    let detail = |entry: Value| chunk(json!({"reasoning_details": [entry]}));
    let said = answer(&[
        detail(
            json!({"type": "reasoning.text", "text": "Let ", "format": "anthropic-claude-v1", "index": 0}),
        ),
        detail(json!({"type": "reasoning.text", "text": "me.", "format": "anthropic-claude-v1", "index": 0})),
        detail(
            json!({"type": "reasoning.text", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0}),
        ),
        detail(
            json!({"type": "reasoning.encrypted", "data": "ZW5j", "format": "anthropic-claude-v1", "index": 1}),
        ),
        piece(json!(0), json!("a"), json!("f"), "{}"),
        last("tool_calls"),
    ]);
    let [Part::Reasoning(open), Part::Reasoning(hidden), Part::ToolCall(_)] = &said.candidates[0].parts[..]
    else {
        panic!("{said:?}")
    };
    assert_eq!((open.text.as_str(), open.is_redacted), ("Let me.", false));
    assert!(hidden.text.is_empty() && hidden.is_redacted);
    let proof = open.opaque.as_ref().unwrap();
    assert_eq!(proof.origin, Some(origin()));
    assert!(proof.data.contains("anthropic-claude-v1"), "everything that has to go back: {}", proof.data);
}

#[test]
fn trap_7_googles_signature_on_a_call() {
    let said = answer(&[
        chunk(
            json!({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"google": {"thought_signature": "c2ln"}}}]}),
        ),
        last("stop"),
    ]);
    let Part::ToolCall(call) = &said.candidates[0].parts[0] else { panic!() };
    assert_eq!(&*call.opaque.as_ref().unwrap().data, "c2ln");
}

#[test]
fn trap_8_usage_wherever_it_stands() {
    let counts = json!({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12});
    let with = |mut chunk: Value, pointer: &str, name: &str| {
        chunk.pointer_mut(pointer).unwrap()[name] = counts.clone();
        chunk
    };
    let text = || chunk(json!({"content": "x"}));
    for chunks in [
        vec![text(), with(last("stop"), "", "usage")],
        vec![with(text(), "", "usage"), with(last("stop"), "", "usage")],
        vec![text(), with(last("stop"), "/choices/0", "usage")],
        vec![text(), last("stop"), with(json!({"id": "gen-1", "choices": []}), "", "usage")],
        vec![text(), last("stop"), with(chunk(json!({})), "", "usage")],
        vec![
            text(),
            with(
                json!({"id": "gen-1", "x_groq": {}, "choices": last("stop")["choices"]}),
                "/x_groq",
                "usage",
            ),
        ],
        vec![text(), last("stop"), with(json!({"choices": null}), "", "usage")],
    ] {
        let usage = answer(&chunks).usage.unwrap_or_else(|| panic!("{chunks:?}"));
        assert_eq!((usage.input_tokens, usage.output_tokens), (5, 7), "{chunks:?}");
    }
}

#[test]
fn trap_9_failures_after_200() {
    let text = chunk(json!({"content": "x"}));
    for bad in [
        "data: {\"error\":{\"message\":\"overloaded\",\"code\":502}}\n\n".to_owned(),
        // OpenRouter: a chunk that is an error as well.
        format!(
            "data: {}\n\n",
            json!({"id": "gen-1", "error": {"code": 502, "message": "upstream"}, "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]})
        ),
        // Groq.
        "event: error\ndata: {\"error\":{\"message\":\"x\",\"status_code\":500}}\n\n".to_owned(),
        "data: {\"object\":\"error\",\"message\":\"x\"}\n\n".to_owned(),
        "data: {\"x_groq\":{\"error\":\"boom\"},\"choices\":[]}\n\n".to_owned(),
        "data: {\"base_resp\":{\"status_code\":1002,\"status_msg\":\"rate limit\"}}\n\n".to_owned(),
        "data: {\"detail\":\"gone\"}\n\n".to_owned(),
        format!("data: {}\n\n", last("error")),
        "data: {broken\n\n".to_owned(),
        "data: 7\n\n".to_owned(),
    ] {
        let stream = format!("data: {text}\n\n{bad}data: [DONE]\n\n");
        assert!(read_every_way(&stream).is_err(), "{bad}");
    }
    let limited = "data: {\"error\":{\"message\":\"x\",\"type\":\"rate_limit_error\"}}\n\n";
    assert_eq!(read([limited.as_bytes()]).unwrap_err().cause, Cause::RateLimited);
}

#[test]
fn trap_9_an_end_without_a_signal_counts_only_behind_a_reason() {
    let begun = format!("data: {}\n\n", chunk(json!({"content": "x"})));
    assert!(!read([begun.as_bytes()]).unwrap().1);
    let done = format!("{begun}data: {}\n\n", last("stop"));
    let (events, whole) = read([done.as_bytes()]).unwrap();
    assert!(whole && events.last() == Some(&Event::End), "some vendors forget [DONE]");
}

#[test]
fn trap_10_a_turn_with_calls_that_says_stop() {
    let said = answer(&[piece(json!(0), json!("a"), json!("f"), "{}"), last("stop")]);
    assert_eq!(said.candidates[0].stop.as_ref().unwrap().kind, StopKind::ToolCalls);
    let mut met = last("stop");
    met["choices"][0]["matched_stop"] = json!("END");
    let said = answer(&[chunk(json!({"content": "x"})), met]);
    assert_eq!(said.candidates[0].stop.as_ref().unwrap().sequence.as_deref(), Some("END"));
}

#[test]
fn trap_16_comments_padding_and_empty_reasons() {
    let stream = concat!(
        ": OPENROUTER PROCESSING\n\n",
        "data: {\"id\":\"\",\"model\":\"\",\"choices\":[],\"prompt_filter_results\":[]}\n\n",
        "data:{\"id\":\"gen-1\",\"model\":\"m\",\"p\":\"abcdef\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"x\"},\"finish_reason\":\"\"}]}\n\n",
        "data: {\"id\":\"gen-1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"},\"finish_reason\":\"stop\"}]}\n\n",
        "data: [DONE]\n\n",
    );
    let (events, whole) = read_every_way(stream).unwrap();
    assert!(whole);
    assert_eq!(events[0], Event::Ping);
    let start = Event::Start { id: Some("gen-1".into()), model: Some("m".into()), created: None };
    assert_eq!(events[1], start, "Azure's first chunk has no names");
}

#[test]
fn trap_17_text_after_calls_is_a_part_of_its_own() {
    let said = answer(&[
        chunk(json!({"content": "a"})),
        piece(json!(0), json!("c"), json!("f"), "{}"),
        chunk(json!({"content": "b"})),
        last("tool_calls"),
    ]);
    let parts = &said.candidates[0].parts;
    assert!(
        matches!(&parts[..], [Part::Text { .. }, Part::ToolCall(_), Part::Text { text, .. }] if text == "b")
    );
}

#[test]
fn minimaxs_chunk_behind_the_reason_repeats_nothing() {
    let trailing = json!({"id": "gen-1", "created": 1, "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "x", "role": "assistant"}}], "usage": {"total_tokens": 9, "prompt_tokens": 4, "completion_tokens": 5}});
    let said = answer(&[chunk(json!({"content": "x"})), last("stop"), trailing]);
    assert!(matches!(&said.candidates[0].parts[..], [Part::Text { text, .. }] if text == "x"));
    assert_eq!(said.usage.unwrap().output_tokens, 5);
}

#[test]
fn perplexitys_repeated_message_is_not_read_twice() {
    let both = |delta: &str, all: &str| json!({"id": "i", "choices": [{"index": 0, "delta": {"content": delta}, "message": {"role": "assistant", "content": all}, "finish_reason": null}]});
    let said = answer(&[both("a", "a"), both("b", "ab"), last("stop")]);
    assert!(matches!(&said.candidates[0].parts[..], [Part::Text { text, .. }] if text == "ab"));
}

#[test]
fn functions_of_old_are_calls() {
    let chunks = [
        chunk(json!({"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": ""}})),
        chunk(json!({"function_call": {"arguments": "{\"x\":1}"}})),
        last("function_call"),
    ];
    let found = calls(&chunks);
    assert_eq!((found[0].1.as_str(), found[0].2.as_str()), ("f", "{\"x\":1}"));
}

#[test]
fn a_decoder_keeps_little_and_ends_what_goes_on_for_ever() {
    let endless = |make: &dyn Fn(usize) -> Value| {
        let mut decoder = StreamDecoder::new(origin());
        let mut events = Vec::new();
        (0..3000_usize).find_map(|number| {
            events.clear();
            let event = format!("data: {}\n\n", make(number));
            decoder.push(&crate::sse::Event::parse(event.as_bytes()), &mut events).err()
        })
    };
    let long = "x".repeat(1024);
    let forms: [&dyn Fn(usize) -> Value; 4] = [
        &|_| piece(json!(0), json!("a"), json!("f"), &long),
        &|_| piece(json!(0), json!("a"), Value::Null, &long),
        &|number| piece(json!(number), json!("a"), json!("f"), ""),
        &|number| json!({"id": "i", "choices": [{"index": number, "delta": {"content": "x"}}]}),
    ];
    for form in forms {
        assert_eq!(endless(form).unwrap().cause, Cause::ProtocolError);
    }
}
