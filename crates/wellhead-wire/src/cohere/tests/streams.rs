//! Streams as the vendor sends them.

use super::{CALLS, STREAM, read};
use crate::chat::{Dialect, Event, Part, StopKind};
use crate::checks::chat::folded;
use wellhead_types::{Cause, Usage};

#[test]
fn a_stream_is_read_however_it_is_cut() {
    for stream in [STREAM, CALLS] {
        let whole = read([stream.as_bytes()]).unwrap();
        assert!(whole.1);
        // Trap 16.
        for text in [stream.to_owned(), stream.replace('\n', "\r\n"), stream.replace("data: ", "data:")] {
            assert_eq!(read(text.as_bytes().chunks(1)).unwrap(), whole);
            for at in 0..text.len() {
                let (head, tail) = text.as_bytes().split_at(at);
                assert_eq!(read([head, tail]).unwrap(), whole, "cut at byte {at}");
            }
        }
    }
}

#[test]
fn thoughts_texts_citations_and_counts_are_understood() {
    let answer = folded(read([STREAM.as_bytes()]).unwrap().0);
    assert_eq!(answer.id.as_deref(), Some("29f14a5a"));
    let candidate = &answer.candidates[0];
    let [Part::Reasoning(thought), Part::Text { text, citations, .. }] = &candidate.parts[..] else {
        panic!("{:?}", candidate.parts)
    };
    assert_eq!((&*thought.text, &**text), ("Hm, the sea.", "Grüße"));
    assert_eq!((citations.len(), &citations[0].1["end"]), (1, &5.into()));
    assert_eq!(candidate.stop.as_ref().unwrap().kind, StopKind::End);
    let usage = Usage { input_tokens: 71, output_tokens: 9, cached_input_tokens: 64, ..Usage::default() };
    assert_eq!(answer.usage, Some(usage));
    assert_eq!(candidate.logprobs.as_ref().unwrap()["content"][0]["logprob"], -0.75);
}

/// Traps 4 and 5: calls side by side, two of the same kind, one without arguments.
#[test]
fn calls_are_kept_apart_by_their_numbers() {
    let answer = folded(read([CALLS.as_bytes()]).unwrap().0);
    let [Part::Text { text, .. }, Part::ToolCall(a), Part::ToolCall(b), Part::ToolCall(c)] =
        &answer.candidates[0].parts[..]
    else {
        panic!("{answer:?}")
    };
    assert_eq!(text, "I ask twice.");
    let said = |call: &crate::chat::ToolCall| (call.id.to_string(), call.arguments.clone());
    assert_eq!(said(a), ("f_1".into(), "{\"x\":1}".into()));
    assert_eq!(said(b), ("f_2".into(), "{\"x\":1}".into()));
    assert_eq!(said(c), ("g_1".into(), "{}".into()));
    assert_eq!(answer.candidates[0].stop.as_ref().unwrap().kind, StopKind::ToolCalls);
}

fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}

#[test]
fn calls_without_numbers_names_or_ids_are_told_apart_or_refused() {
    let start = |id: &str| {
        let id = if id.is_empty() { String::new() } else { format!("\"id\":\"{id}\",") };
        event(&format!(
            r#"{{"type":"tool-call-start","delta":{{"message":{{"tool_calls":{{{id}"function":{{"name":"f"}}}}}}}}}}"#
        ))
    };
    let more = event(
        r#"{"type":"tool-call-delta","delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}"#,
    );
    let end = event(r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL"}}"#);
    let text = [start(""), more.clone(), start("b"), more.clone(), end].concat();
    let answer = folded(read([text.as_bytes()]).unwrap().0);
    let ids: Vec<String> = answer.candidates[0]
        .parts
        .iter()
        .map(|part| if let Part::ToolCall(call) = part { call.id.to_string() } else { panic!() })
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(!ids[0].is_empty() && ids[0] != ids[1], "{ids:?}");
    assert_eq!(read([more.as_bytes()]).unwrap_err().cause, Cause::ProtocolError, "of no call");
    let nameless = event(r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{}}}}"#);
    assert_eq!(read([nameless.as_bytes()]).unwrap_err().cause, Cause::ProtocolError);
}

/// Trap 9: an end is one only with `message-end`, and failures have many forms.
#[test]
fn a_cut_stream_is_cut_and_errors_are_failures() {
    let cut = STREAM.split("event: message-end").next().unwrap();
    assert!(!read([cut.as_bytes()]).unwrap().1);
    let cut = format!("{cut}data: [DONE]\n\n");
    assert!(!read([cut.as_bytes()]).unwrap().1, "`[DONE]` alone is no end");
    let unsaid = STREAM.replace("data: [DONE]\n\n", "");
    assert!(read([unsaid.as_bytes()]).unwrap().1, "all was said");
    for failed in [
        r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"the model is on fire"}}"#,
        r#"{"type":"message-end","delta":{"finish_reason":"TIMEOUT"}}"#,
        r#"{"id":"x","message":"the model is on fire"}"#,
        r#"{"type":"error","message":"the model is on fire"}"#,
    ] {
        let text = format!("{}{}", cut.replace("data: [DONE]\n\n", ""), event(failed));
        let failure = read([text.as_bytes()]).unwrap_err();
        assert_eq!(failure.cause, Cause::ErrorInSuccess, "{failed}");
        assert!(failed.contains("TIMEOUT") || failure.detail.contains("on fire"), "{}", failure.detail);
    }
    for nonsense in ["nonsense", "[]", "7"] {
        let failure = read([event(nonsense).as_bytes()]).unwrap_err();
        assert_eq!(failure.cause, Cause::ProtocolError, "{nonsense}");
    }
    assert!(read([&b"event: error\ndata: {\"message\":\"x\"}\n\n"[..]]).is_err());
}

/// Trap 17: events that are out of order, repeated, or of a kind that is not known yet.
#[test]
fn a_disordered_stream_says_what_it_can() {
    let text = [
        event(r#"{"type":"content-delta","index":4,"delta":{"message":{"content":{"text":"Hel"}}}}"#),
        event(r#"{"type":"message-start","id":"late"}"#),
        event(r#"{"type":"debug","prompt":"<BOS>"}"#),
        ": comment\n\n".to_owned(),
        event(r#"{"type":"content-delta","index":4,"delta":{"message":{"content":{"text":"lo"}}}}"#),
        event(r#"{"type":"content-end","index":9}"#),
        event(r#"{"type":"content-end","index":4}"#),
        event(r#"{"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"content_index":4}}}}"#),
        event(r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}"#),
        event(r#"{"type":"message-end","delta":{"finish_reason":"ERROR"}}"#),
    ]
    .concat();
    let (events, whole) = read([text.as_bytes()]).unwrap();
    assert!(whole);
    assert!(events.contains(&Event::Ping));
    let late =
        |event: &Event| matches!(event, Event::Other(Dialect::Cohere, citation) if citation["start"] == 0);
    assert!(events.iter().any(late), "a citation of a text that is over");
    assert_eq!(folded(events).candidates[0].parts, [Part::text("Hello")]);
}

#[test]
fn an_endless_answer_is_refused() {
    let part = event(r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text"}}}}"#);
    let failure = read([part.repeat(super::super::PARTS_MAX + 1).as_bytes()]).unwrap_err();
    assert_eq!(failure.cause, Cause::ProtocolError);
}
