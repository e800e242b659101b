//! Streams: cut anywhere, with either line end, in either framing, whole and broken.

use super::{STREAM, json, origin, shown};
use crate::chat::{Answer, ErrorShown, Event, Fold, Opaque, Part, Reasoning, StopKind};
use crate::gemini::{Framing, StreamDecoder, StreamEncoder, decode_answer, error_event};
use crate::sse::{Framer, Tail, Verdict};
use bytes::Bytes;
use serde_json::{Value, json};
use wellhead_types::{Cause, Failure, Stage};

const MODEL: &str = "gemini-3.8-flash";

/// The chunks as a target sends them.
pub(super) fn framed(chunks: &Value, end: &str) -> Vec<u8> {
    let chunks = chunks.as_array().unwrap();
    chunks.iter().map(|chunk| format!("data: {chunk}{end}{end}")).collect::<String>().into_bytes()
}

/// The events of a stream, and whether it ended as it should.
pub(super) fn decode(stream: &[u8], cuts: &[usize]) -> Result<(Vec<Event>, bool), Failure> {
    let mut framer = Framer::new(1 << 20);
    let mut decoder = StreamDecoder::new(origin(MODEL));
    let (mut events, mut passed) = (Vec::new(), Vec::new());
    let mut failed = None;
    let mut from = 0;
    for to in cuts.iter().copied().chain([stream.len()]) {
        let chunk = Bytes::copy_from_slice(&stream[from..to]);
        from = to;
        let mut on_event = |event: crate::sse::Event<'_>| {
            if failed.is_none() {
                failed = decoder.push(&event, &mut events).err();
            }
            Verdict::Pass
        };
        framer.push(chunk, &mut on_event, &mut passed).unwrap();
    }
    if let Tail::Incomplete(tail) = framer.finish()
        && failed.is_none()
    {
        failed = decoder.push(&crate::sse::Event::parse(&tail), &mut events).err();
    }
    match failed {
        Some(failure) => Err(failure),
        None => {
            let is_whole = decoder.finish(&mut events);
            Ok((events, is_whole))
        }
    }
}

fn folded(events: Vec<Event>) -> Answer {
    let mut fold = Fold::default();
    for event in events {
        fold.push(event).unwrap();
    }
    assert!(fold.is_ended());
    fold.finish()
}

fn signed(data: &str) -> Option<Opaque> {
    Some(Opaque { dialect: crate::chat::Dialect::Gemini, origin: Some(origin(MODEL)), data: data.into() })
}

#[test]
fn a_stream_says_what_its_chunks_say_together() {
    let stream = framed(&json(STREAM.as_bytes()), "\r\n");
    let (events, is_whole) = decode(&stream, &[]).unwrap();
    assert!(is_whole);
    let starts = events.iter().filter(|event| matches!(event, Event::Start { .. })).count();
    assert_eq!(starts, 1, "trap 17");
    let answer = folded(events);
    assert_eq!((answer.id.as_deref(), answer.created), (Some("r1"), Some(1_795_341_600)));
    let [first, second] = &answer.candidates[..] else { panic!() };
    let [
        Part::Reasoning(thought),
        Part::Text { text, opaque: None, .. },
        Part::ToolCall(one),
        Part::ToolCall(two),
        Part::Text { opaque, .. },
    ] = &first.parts[..]
    else {
        panic!("{:?}", first.parts)
    };
    assert_eq!(
        *thought,
        Reasoning { text: "I should look.".into(), is_summary: true, ..Reasoning::default() }
    );
    assert_eq!(text, "It is wärm in 日本.");
    assert_eq!(
        (&*one.id, &*one.arguments, &one.opaque),
        ("c1", "{\"city\":\"Zürich\"}", &signed("Q2FsbA=="))
    );
    // wire.md, trap 5.
    assert_eq!((&*two.id, &*two.arguments), ("c2", "{}"));
    assert_eq!(*opaque, signed("RW5k"));
    assert_eq!(first.stop.as_ref().unwrap().kind, StopKind::ToolCalls);
    assert_eq!(
        (&second.parts[..], second.stop.as_ref().unwrap().kind),
        (&[Part::text("Other")][..], StopKind::Length)
    );
    // wire.md, trap 8: the last counts, not their sum.
    let usage = answer.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.reasoning_tokens), (10, 26, 6));
}

// wire.md, trap 16.
#[test]
fn a_stream_may_be_cut_at_every_byte_and_have_any_line_end() {
    let chunks = json(STREAM.as_bytes());
    let expected = decode(&framed(&chunks, "\r\n"), &[]).unwrap();
    for end in ["\n", "\r\n"] {
        let stream = framed(&chunks, end);
        for cut in 1..stream.len() {
            assert_eq!(decode(&stream, &[cut]).unwrap(), expected, "cut at {cut}");
        }
        let every: Vec<usize> = (1..stream.len()).collect();
        assert_eq!(decode(&stream, &every).unwrap(), expected);
    }
}

#[test]
fn a_stream_for_a_client_says_the_same_again() {
    let (events, _) = decode(&framed(&json(STREAM.as_bytes()), "\n"), &[]).unwrap();
    let expected = folded(events.clone());
    let mut sse = Vec::new();
    let mut encoder = StreamEncoder::new(shown("as-the-client-knows-it"));
    events.iter().for_each(|event| encoder.push(event, &mut sse));
    let text = String::from_utf8(sse.clone()).unwrap();
    for event in text.split_terminator("\r\n\r\n") {
        let chunk = json(event.strip_prefix("data: ").expect("bare data").as_bytes());
        assert_eq!(chunk["modelVersion"], "as-the-client-knows-it");
        assert_eq!(chunk["responseId"], "r1");
    }
    // Why it ended comes last, once, with the counts.
    let last = text.split_terminator("\r\n\r\n").last().unwrap();
    assert_eq!(text.matches("\"finishReason\"").count(), 2);
    assert_eq!(last.matches("\"finishReason\"").count(), 2);
    assert!(last.contains("\"trafficType\":\"ON_DEMAND\"") && last.contains("\"totalTokenCount\":36"));
    assert!(text.contains("\"safetyRatings\""), "what only this dialect knows");

    // Read as the same target's: signatures are marked once more.
    let (again, is_whole) = decode(&sse, &[]).unwrap();
    assert!(is_whole);
    let again = folded(again);
    let texts = |answer: &Answer| -> Vec<String> {
        answer
            .candidates
            .iter()
            .flat_map(|candidate| &candidate.parts)
            .map(|part| match part {
                Part::Text { text, .. } => text.clone(),
                Part::Reasoning(reasoning) => reasoning.text.clone(),
                Part::ToolCall(call) => format!("{} {} {}", call.id, call.name, call.arguments),
                other => format!("{other:?}"),
            })
            .collect()
    };
    assert_eq!(texts(&again), texts(&expected));
    assert_eq!(again.usage, expected.usage);
}

#[test]
fn without_sse_a_stream_is_one_list() {
    let (events, _) = decode(&framed(&json(STREAM.as_bytes()), "\n"), &[]).unwrap();
    let mut list = Vec::new();
    let mut encoder = StreamEncoder::framed(shown("m"), Framing::List);
    let mut begun = 0;
    for event in &events {
        encoder.push(event, &mut list);
        if begun == 0 {
            begun = list.len();
        }
    }
    assert!(begun < list.len() && list.starts_with(b"[{"), "in pieces");
    let chunks = json(&list);
    assert!(chunks.as_array().unwrap().len() > 5);
    let read = decode_answer(&list, &origin(MODEL)).unwrap();
    let expected = folded(events);
    assert_eq!(read.candidates.len(), expected.candidates.len());
    assert_eq!(read.usage, expected.usage);
    // An empty one is still a list.
    let mut empty = Vec::new();
    StreamEncoder::framed(shown("m"), Framing::List).push(&Event::End, &mut empty);
    assert!(json(&empty).is_array());
}

// wire.md, trap 9.
#[test]
fn a_stream_that_is_cut_never_looks_finished() {
    let chunks = json(STREAM.as_bytes());
    for kept in 0..chunks.as_array().unwrap().len() {
        let some = Value::Array(chunks.as_array().unwrap()[..kept].to_vec());
        let (events, is_whole) = decode(&framed(&some, "\r\n"), &[]).unwrap();
        assert!(!is_whole && !events.contains(&Event::End), "{kept} chunks");
    }
    let error = ErrorShown {
        status: 502,
        code: "stream_interrupted",
        message: "The provider stopped in the middle.",
        param: None,
        request_id: "req_1",
    };
    for framing in [Framing::Sse, Framing::List] {
        let (events, _) = decode(&framed(&chunks, "\n"), &[]).unwrap();
        let mut out = Vec::new();
        let mut encoder = StreamEncoder::framed(shown("m"), framing);
        for event in events.iter().take_while(|event| !matches!(event, Event::End)) {
            encoder.push(event, &mut out);
        }
        encoder.fail(&error, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("finishReason"), "{text}");
        match framing {
            Framing::Sse => {
                let last = text.split_terminator("\r\n\r\n").last().unwrap();
                // The Python SDK looks at the first bytes.
                assert!(last.starts_with("data: {\"error\":{\"code\":502,"), "{last}");
                let failure = decode(text.as_bytes(), &[]).unwrap_err();
                assert_eq!(failure.stage, Stage::Stream);
            }
            Framing::List => {
                let list = json(text.as_bytes());
                assert_eq!(list.as_array().unwrap().last().unwrap()["error"]["status"], "UNAVAILABLE");
                assert!(decode_answer(text.as_bytes(), &origin(MODEL)).is_err());
            }
        }
    }
    let failure = decode(&error_event(&error), &[]).unwrap_err();
    assert_eq!(failure.stage, Stage::FirstToken);
}

#[test]
fn failures_within_a_stream_are_failures() {
    let fails = |chunk: Value| decode(&framed(&json!([chunk]), "\r\n"), &[]).unwrap_err();
    let quota = fails(json!({"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "48s"}]}}));
    assert_eq!(quota.cause, Cause::RateLimited);
    assert_eq!(quota.retry_after, Some(std::time::Duration::from_secs(48)));
    let blocked = fails(
        json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 3}}),
    );
    assert_eq!(blocked.cause, Cause::ContentFiltered);
    assert_eq!(
        fails(json!([{"error": {"code": 503, "message": "x", "status": "UNAVAILABLE"}}])).cause,
        Cause::Overloaded
    );
    assert_eq!(fails(json!([[1]])).cause, Cause::ProtocolError);
    assert_eq!(fails(json!("text")).cause, Cause::ProtocolError);
    assert_eq!(
        fails(json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": 7}}]}}]})).cause,
        Cause::ProtocolError
    );
    let many: Vec<Value> =
        (0..100).map(|n| json!({"index": n, "content": {"parts": [{"text": "x"}]}})).collect();
    assert_eq!(fails(json!({"candidates": many})).cause, Cause::ProtocolError);
    assert!(decode(b"data: {\r\n\r\n", &[]).is_err());
}

#[test]
fn a_repeated_end_is_one_end() {
    let chunks = json!([
        {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP", "index": 0}]},
        {"candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP", "index": 0}],
         "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}},
    ]);
    let (events, is_whole) = decode(&framed(&chunks, "\r\n"), &[]).unwrap();
    assert!(is_whole);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Stop { .. })).count(), 1);
    assert_eq!(folded(events).candidates[0].parts, [Part::text("Hi")]);
}

// wire.md, trap 4.
#[test]
fn calls_that_come_by_turns_stay_apart_and_in_order() {
    use crate::chat::{Delta, PartKind};
    let start = |part, id: &str| Event::PartStart {
        candidate: 0,
        part,
        kind: PartKind::ToolCall { id: id.into(), name: "f".into(), is_custom: false },
    };
    let more =
        |part, text: &str| Event::Delta { candidate: 0, part, delta: Delta::Arguments(text.to_owned()) };
    let end = |part| Event::PartEnd { candidate: 0, part };
    let mut out = Vec::new();
    let mut encoder = StreamEncoder::new(shown("m"));
    // The second is whole first; a valid beginning of the first is not taken for all of it.
    for event in [
        start(0, "a"),
        start(1, "b"),
        more(0, "{}"),
        more(1, "{\"n\":"),
        more(1, "2}"),
        end(1),
        more(0, " "),
        end(0),
    ] {
        encoder.push(&event, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    let calls: Vec<Value> = text
        .split_terminator("\r\n\r\n")
        .map(|event| {
            json(event.strip_prefix("data: ").unwrap().as_bytes())["candidates"][0]["content"]["parts"][0]
                    ["functionCall"]
                    .clone()
        })
        .collect();
    assert_eq!(
        calls,
        [json!({"id": "a", "name": "f", "args": {}}), json!({"id": "b", "name": "f", "args": {"n": 2}})]
    );
}

/// What clients are told, as files that the SDK's own types are held against (tests/clients/python).
#[test]
fn what_clients_are_told_is_on_record() {
    let (events, _) = decode(&framed(&json(STREAM.as_bytes()), "\n"), &[]).unwrap();
    let mut told = Vec::new();
    for framing in [Framing::Sse, Framing::List] {
        let mut out = Vec::new();
        let mut encoder = StreamEncoder::framed(shown("my-model"), framing);
        events.iter().for_each(|event| encoder.push(event, &mut out));
        told.push(out);
    }
    let answer = decode_answer(super::FULL_ANSWER.as_bytes(), &origin(MODEL)).unwrap();
    told.push(crate::gemini::encode_answer(&answer, &shown("my-model")).to_vec());
    let error = ErrorShown {
        status: 429,
        code: "rate_limited",
        message: "Too many requests.",
        param: Some("contents"),
        request_id: "req_1",
    };
    let wait = Some(std::time::Duration::from_secs(7));
    told.push(crate::gemini::encode_error_after(&error, wait).to_vec());
    let names = ["told_stream.sse", "told_stream_list.json", "told_answer.json", "told_error.json"];
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gemini/tests/data");
    for (name, told) in names.into_iter().zip(told) {
        let path = data.join(name);
        if std::env::var_os("WELLHEAD_BLESS").is_some() {
            std::fs::write(&path, &told).unwrap();
        }
        let expected = std::fs::read(&path).unwrap();
        assert!(
            told == expected,
            "{name} has changed; WELLHEAD_BLESS=1 writes it anew:\n{}",
            String::from_utf8_lossy(&told)
        );
    }
}
