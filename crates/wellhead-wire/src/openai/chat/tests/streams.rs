//! Streams: goldens both ways, every cut, LF and CRLF.

use super::super::{StreamEncoder, Style};
use super::{read, read_every_way, shown};
use crate::chat::{Delta, Event, Part, PartKind, Shown, Stop, StopKind};
use crate::checks::chat::folded;
use serde_json::{Value, json};
use wellhead_types::Usage;

/// What OpenAI sends for text, then two calls side by side, with usage.
pub(super) const OPENAI: &str = r#"data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000007,"model":"gpt-x","service_tier":"default","system_fingerprint":"fp","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"xx"}

data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000007,"model":"gpt-x","choices":[{"index":0,"delta":{"content":"Grüße 👋"},"logprobs":{"content":[{"token":"G","logprob":-1,"bytes":[71],"top_logprobs":[]}],"refusal":null},"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000007,"model":"gpt-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"f","arguments":""}}]},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000007,"model":"gpt-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"f","arguments":""}}]},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000007,"model":"gpt-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{\"b\":"}},{"index":0,"function":{"arguments":"{}"}}]},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000007,"model":"gpt-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"1}"}}]},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000007,"model":"gpt-x","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}],"usage":null}

data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000007,"model":"gpt-x","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}

data: [DONE]

"#;

#[test]
fn openais_stream_is_read_however_it_is_cut() {
    let (events, whole) = read_every_way(OPENAI).unwrap();
    assert!(whole);
    let start = Event::Start {
        id: Some("chatcmpl-7".into()),
        model: Some("gpt-x".into()),
        created: Some(1_700_000_007),
    };
    assert_eq!(events[0], start);
    let kinds: Vec<&PartKind> = events
        .iter()
        .filter_map(|event| if let Event::PartStart { kind, .. } = event { Some(kind) } else { None })
        .collect();
    let call = |id: &str| PartKind::ToolCall { id: id.into(), name: "f".into(), is_custom: false };
    assert_eq!(kinds, [&PartKind::Text, &call("call_a"), &call("call_b")]);
    let answer = folded(events);
    let [Part::Text { text, .. }, Part::ToolCall(a), Part::ToolCall(b)] = &answer.candidates[0].parts[..]
    else {
        panic!("{answer:?}")
    };
    assert_eq!((text.as_str(), a.arguments.as_str(), b.arguments.as_str()), ("Grüße 👋", "{}", "{\"b\":1}"));
    assert_eq!(answer.candidates[0].stop.as_ref().unwrap().kind, StopKind::ToolCalls);
    assert!(answer.candidates[0].logprobs.is_some());
    assert_eq!(answer.usage, Some(Usage { input_tokens: 5, output_tokens: 7, ..Usage::default() }));
}

fn part(part: u32, kind: PartKind) -> Event {
    Event::PartStart { candidate: 0, part, kind }
}

fn delta(part: u32, delta: Delta) -> Event {
    Event::Delta { candidate: 0, part, delta }
}

fn end(part: u32) -> Event {
    Event::PartEnd { candidate: 0, part }
}

fn written(events: &[Event], shown: Shown, style: Style) -> String {
    let mut encoder = StreamEncoder::for_style(shown, style);
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}

fn deltas(stream: &str) -> Vec<Value> {
    stream
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: {"))
        .map(|rest| serde_json::from_str::<Value>(&format!("{{{rest}")).unwrap())
        .filter_map(|chunk| chunk["choices"].get(0).map(|choice| choice["delta"].clone()))
        .collect()
}

fn call(id: &str) -> PartKind {
    PartKind::ToolCall { id: id.into(), name: "f".into(), is_custom: false }
}

#[test]
fn a_stream_is_written_as_openai_writes_it() {
    let events = [
        Event::Start { id: Some("msg_1".into()), model: Some("claude".into()), created: None },
        part(0, PartKind::Text),
        delta(0, Delta::Text("Hi".into())),
        end(0),
        part(1, call("call_a")),
        delta(1, Delta::Arguments("{}".into())),
        part(2, call("call_b")),
        end(2),
        end(1),
        Event::Stop { candidate: 0, stop: Stop::new(StopKind::ToolCalls) },
        Event::Usage(Usage { input_tokens: 5, output_tokens: 7, ..Usage::default() }),
        Event::End,
    ];
    let chunk = |rest: &str| {
        format!(
            "data: {{\"id\":\"msg_1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"m\",\"choices\":{rest}}}\n\n"
        )
    };
    let choice = |delta: &str, reason: &str, usage: &str| {
        chunk(&format!(
            "[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{reason}}}]{usage}"
        ))
    };
    let deltas = [
        r#"{"role":"assistant","content":""}"#,
        r#"{"content":"Hi"}"#,
        r#"{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"f","arguments":""}}]}"#,
        r#"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#,
        r#"{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"f","arguments":""}}]}"#,
        // Trap 5: a call without arguments has an empty object.
        r#"{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}"#,
    ];
    for stream_usage in [true, false] {
        let null = if stream_usage { ",\"usage\":null" } else { "" };
        let mut expected: String = deltas.iter().map(|delta| choice(delta, "null", null)).collect();
        expected += &choice("{}", "\"tool_calls\"", null);
        if stream_usage {
            // Trap 8: `choices: []` only when it was asked for.
            expected += &chunk(
                "[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":7,\"total_tokens\":12,\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0}}",
            );
        }
        expected += "data: [DONE]\n\n";
        assert_eq!(written(&events, Shown { stream_usage, ..shown("m") }, Style::default()), expected);
    }
}

#[test]
fn clients_of_functions_get_functions() {
    let events = [
        part(0, call("c")),
        delta(0, Delta::Arguments("{\"x\":1}".into())),
        end(0),
        part(1, call("d")),
        end(1),
        Event::Stop { candidate: 0, stop: Stop::new(StopKind::ToolCalls) },
        Event::End,
    ];
    let stream = written(&events, shown("m"), Style { functions: true });
    let expected = [
        json!({"role": "assistant", "content": null}),
        json!({"function_call": {"name": "f", "arguments": ""}}),
        json!({"function_call": {"arguments": "{\"x\":1}"}}),
        json!({}),
    ];
    assert_eq!(deltas(&stream), expected);
    assert!(stream.contains("\"finish_reason\":\"function_call\"") && !stream.contains("tool_calls"));
}

#[test]
fn a_failed_or_silent_stream_never_looks_finished() {
    let begun = [part(0, PartKind::Text), delta(0, Delta::Text("Hi".into())), Event::Ping];
    let stream = written(&begun, shown("m"), Style::default());
    assert!(stream.ends_with(": ping\n\n") && !stream.contains("[DONE]") && !stream.contains("\"stop\""));
    let (events, whole) = read([stream.as_bytes()]).unwrap();
    assert!(!whole, "trap 9: bytes that end without a reason are a cut");
    assert_eq!(events.last(), Some(&Event::Ping));
}
