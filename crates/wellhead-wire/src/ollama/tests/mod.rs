#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::needless_pass_by_value, reason = "values are written where they are used")]
#![allow(clippy::needless_update, reason = "more counts may come")]

mod hostile;
mod round_trips;

use super::{
    Lines, Options, StreamDecoder, decode_answer, decode_request, encode_error, encode_request, error_line,
};
use crate::chat::{
    Abilities, ErrorShown, Event, Losses, Message, Origin, Part, Request, Role, Shown, StopKind, Target,
    ToolChoice,
};
use crate::checks::chat::folded;
use serde_json::{Value, json};
use wellhead_types::{Cause, Failure, Usage};

pub(super) fn origin() -> Origin {
    Origin { provider: "vendor".into(), model: "vendor/model-1".into() }
}

pub(super) fn target() -> Target {
    Target { origin: origin(), output_tokens_max: None, can: Abilities::default() }
}

pub(super) fn shown(model: &str) -> Shown {
    Shown { model: model.into(), id: "r1".into(), created: 1_700_000_000, stream_usage: true }
}

pub(super) fn read<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<Event>, bool), Box<Failure>> {
    let (mut lines, mut decoder) = (Lines::default(), StreamDecoder::new(&origin()));
    let (mut events, mut failure) = (Vec::new(), None);
    let mut on_line = |line: &[u8]| {
        if failure.is_none() {
            failure = decoder.push(line, &mut events).err();
        }
    };
    for piece in pieces {
        lines.push(piece, &mut on_line).unwrap();
    }
    lines.finish(&mut on_line);
    match failure {
        Some(failure) => Err(Box::new(failure)),
        None => {
            let whole = decoder.finish(&mut events);
            Ok((events, whole))
        }
    }
}

#[test]
fn a_request_with_every_member_comes_out_as_it_was() {
    let full: Value = serde_json::from_str(include_str!("full_request.json")).unwrap();
    let request = decode_request(full.to_string().as_bytes()).unwrap();
    let options = Options { think_levels: true, context_tokens: Some(4096) };
    let encoded = encode_request(&request, &target(), &Losses::NONE, &options).unwrap();
    assert_eq!(encoded.dropped, []);
    let written: Value = serde_json::from_slice(&encoded.body).unwrap();
    for (name, value) in full.as_object().unwrap() {
        assert_eq!(&written[name], value, "{name}");
    }
    assert_eq!(written.as_object().unwrap().len(), full.as_object().unwrap().len());
}

#[test]
fn results_without_ids_find_their_calls() {
    // Trap 6.
    let body = json!({"model": "m", "messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}, {"function": {"name": "g", "arguments": {}}}]},
        {"role": "tool", "tool_name": "g", "content": "of g"},
        {"role": "tool", "content": "of f"},
    ]});
    let request = decode_request(body.to_string().as_bytes()).unwrap();
    let ids: Vec<String> = request.messages[1..]
        .iter()
        .flat_map(|message| &message.parts)
        .map(|part| match part {
            Part::ToolCall(call) => call.id.to_string(),
            Part::ToolResult(result) => result.call_id.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((&ids[2], &ids[3]), (&ids[1], &ids[0]));
    assert!(request.stream && request.stream_usage, "what nobody says is a stream");
}

fn asked() -> Request {
    Request {
        model: "m".into(),
        messages: vec![Message::new(Role::User, vec![Part::text("Hi")])],
        ..Request::default()
    }
}

#[test]
fn what_ollama_cannot_do_is_refused_by_name() {
    let refused = |request: Request| {
        encode_request(&request, &target(), &Losses::NONE, &Options::default())
            .unwrap_err()
            .param
            .into_owned()
    };
    let mut several = asked();
    several.sampling.candidates = Some(2);
    assert_eq!(refused(several), "n");
    let mut forced = asked();
    forced.tool_choice = Some(ToolChoice::Required);
    assert_eq!(refused(forced), "tool_choice");
    let mut fetched = asked();
    let media = crate::chat::Media {
        source: crate::chat::Source::Url("https://e.org/a.png".into()),
        media_type: None,
    };
    fetched.messages[0].parts.push(Part::Image { media, detail: None, cache: None });
    assert_eq!(refused(fetched), "messages[0].content[1]");
}

const ANSWER: &str = r#"{"model":"qwen3","created_at":"2026-11-22T23:10:00.5Z","message":{"role":"assistant","content":"Warm.","thinking":"Hm.","tool_calls":[{"function":{"name":"f","arguments":{"x":1}}}]},"done":true,"done_reason":"stop","total_duration":5,"prompt_eval_count":11,"eval_count":7,"eval_duration":3}"#;

#[test]
fn an_answer_is_understood() {
    let answer = decode_answer(ANSWER.as_bytes(), &origin()).unwrap();
    assert_eq!((answer.id, answer.created), (None, Some(1_795_389_000)));
    assert_eq!(answer.usage, Some(Usage { input_tokens: 11, output_tokens: 7, ..Usage::default() }));
    let [Part::Reasoning(thought), Part::Text { text, .. }, Part::ToolCall(call)] =
        &answer.candidates[0].parts[..]
    else {
        panic!("{:?}", answer.candidates)
    };
    assert_eq!(
        (thought.text.as_str(), text.as_str(), call.arguments.as_str()),
        ("Hm.", "Warm.", "{\"x\":1}")
    );
    assert!(call.id.starts_with("call_2026"), "an id that no other answer has: {}", call.id);
    assert_eq!(
        answer.candidates[0].stop.as_ref().unwrap().kind,
        StopKind::ToolCalls,
        "trap 10: it says stop"
    );
}

#[test]
fn a_success_that_is_none_is_a_failure() {
    for body in ["", "{", "[]", "{}", r#"{"error":"model runner has unexpectedly stopped"}"#] {
        assert_eq!(decode_answer(body.as_bytes(), &origin()).unwrap_err().status, Some(200), "{body}");
    }
}

const STREAM: &str = concat!(
    r#"{"model":"qwen3","created_at":"2026-11-22T23:10:00Z","message":{"role":"assistant","content":"","thinking":"H"},"done":false}"#,
    "\n",
    r#"{"model":"qwen3","created_at":"2026-11-22T23:10:00Z","message":{"role":"assistant","content":"","thinking":"m"},"done":false}"#,
    "\n",
    r#"{"model":"qwen3","created_at":"2026-11-22T23:10:01Z","message":{"role":"assistant","content":"Grü"},"done":false}"#,
    "\n",
    r#"{"model":"qwen3","created_at":"2026-11-22T23:10:01Z","message":{"role":"assistant","content":"ße"},"done":false}"#,
    "\n\n",
    r#"{"model":"qwen3","created_at":"2026-11-22T23:10:02Z","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"x":1}}}]},"done":false}"#,
    "\n",
    r#"{"model":"qwen3","created_at":"2026-11-22T23:10:02Z","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"x":1}}}]},"done":false}"#,
    "\n",
    r#"{"model":"qwen3","created_at":"2026-11-22T23:10:03Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":11,"eval_count":7}"#,
    "\n",
);

#[test]
fn a_stream_is_read_however_it_is_cut() {
    let whole = read([STREAM.as_bytes()]).unwrap();
    for text in [STREAM.to_owned(), STREAM.replace('\n', "\r\n"), STREAM.trim_end().to_owned()] {
        assert_eq!(read(text.as_bytes().chunks(1)).unwrap(), whole);
        for at in 0..text.len() {
            let (head, tail) = text.as_bytes().split_at(at);
            assert_eq!(read([head, tail]).unwrap(), whole, "cut at byte {at}");
        }
    }
    let (events, ended) = whole;
    assert!(ended);
    let answer = folded(events);
    let [Part::Reasoning(thought), Part::Text { text, .. }, Part::ToolCall(a), Part::ToolCall(b)] =
        &answer.candidates[0].parts[..]
    else {
        panic!("{answer:?}")
    };
    assert_eq!((thought.text.as_str(), text.as_str()), ("Hm", "Grüße"));
    assert_ne!(a.id, b.id, "trap 4: two identical calls are two");
    assert_eq!(answer.usage.unwrap().output_tokens, 7);
}

#[test]
fn a_stream_without_done_is_cut_and_errors_are_failures() {
    // Trap 9.
    let cut = STREAM.lines().next().unwrap();
    assert!(!read([cut.as_bytes()]).unwrap().1);
    let failed = format!("{cut}\n{}\n", r#"{"error":"an error was encountered while running the model"}"#);
    assert_eq!(read([failed.as_bytes()]).unwrap_err().cause, Cause::ErrorInSuccess);
    assert_eq!(read([&b"nonsense\n"[..]]).unwrap_err().cause, Cause::ProtocolError);
    let error = ErrorShown { status: 502, code: "c", message: "two\nlines", param: None, request_id: "r" };
    let line = error_line(&error);
    assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert!(read([&line[..]]).is_err());
    let body: Value = serde_json::from_slice(&encode_error(&error)).unwrap();
    assert_eq!(body["error"], "two\nlines");
}

#[test]
fn lines_without_an_end_are_bounded() {
    let mut lines = Lines::default();
    let piece = vec![b'x'; 1 << 20];
    let refused = (0..8).find(|_| lines.push(&piece, &mut |_| ()).is_err());
    assert_eq!(refused, Some(4), "four mebibytes fit");
}
