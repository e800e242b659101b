#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{StandIn, may_answer};
use crate::openai::Endpoint;
use crate::openai::answer::inspect;
use crate::openai::reuse;
use crate::openai::stream::StreamObserver;
use crate::sse::{Framer, Verdict};
use serde_json::Value;

const TEXT: &str = "Back \"soon\": öffnet\u{7}.";

fn stand_in(endpoint: Endpoint, streamed: bool) -> StandIn<'static> {
    StandIn {
        endpoint,
        text: TEXT,
        model: "chat",
        id: "0190",
        created_s: 1_700_000_000,
        n: 2,
        streamed,
        asked_usage: true,
    }
}

const TALKING: [Endpoint; 3] = [Endpoint::ChatCompletions, Endpoint::Completions, Endpoint::Responses];

#[test]
fn an_unstreamed_one_is_an_answer_of_its_endpoint_that_used_nothing() {
    for endpoint in TALKING {
        let body = stand_in(endpoint, false).write();
        let usage = inspect(endpoint, &body).unwrap().usage.unwrap();
        assert_eq!(usage.total(), 0, "{endpoint:?}");
        assert!(reuse::whole(endpoint, &body), "it is whole: {endpoint:?}");
        let value: Value = serde_json::from_slice(&body).unwrap();
        let said = match endpoint {
            Endpoint::ChatCompletions => &value["choices"][1]["message"]["content"],
            Endpoint::Completions => &value["choices"][1]["text"],
            _ => &value["output"][0]["content"][0]["text"],
        };
        assert_eq!(said, TEXT);
        assert_eq!(value["model"], "chat");
    }
}

#[test]
fn a_streamed_one_is_a_complete_stream_of_its_endpoint() {
    for endpoint in TALKING {
        let events = stand_in(endpoint, true).write();
        let mut observer = StreamObserver::new(endpoint, true);
        let mut framer = Framer::new(1 << 20);
        let mut passed = Vec::new();
        let mut look = |event: crate::sse::Event<'_>| {
            let observed = observer.observe(&event);
            assert_eq!(observed.error, None, "{endpoint:?}");
            observed.verdict
        };
        framer.push(events.clone(), &mut look, &mut passed).unwrap();
        let end = observer.finish();
        assert!(end.complete && end.saw_content, "{endpoint:?}: {end:?}");
        assert_eq!(end.usage.unwrap().total(), 0);
        assert_eq!(passed.concat(), events, "nothing of it is held back or dropped");
        assert!(reuse::stream(endpoint, &events), "{endpoint:?}");
    }
}

#[test]
fn usage_is_streamed_only_to_who_asked_for_it() {
    let unasked = StandIn { asked_usage: false, ..stand_in(Endpoint::ChatCompletions, true) };
    assert!(!String::from_utf8_lossy(&unasked.write()).contains("usage"));
}

#[test]
fn the_typed_events_are_numbered() {
    let events = stand_in(Endpoint::Responses, true).write();
    let mut numbers = Vec::new();
    let mut look = |event: crate::sse::Event<'_>| {
        let data: Value = serde_json::from_slice(&event.data().unwrap()).unwrap();
        assert_eq!(data["type"].as_str().unwrap().as_bytes(), event.event().unwrap());
        numbers.push(data["sequence_number"].as_u64().unwrap());
        Verdict::Drop
    };
    Framer::new(1 << 20).push(events, &mut look, &mut Vec::new()).unwrap();
    assert_eq!(numbers, (0..9).collect::<Vec<_>>());
}

#[test]
fn a_text_answers_only_who_left_the_form_open() {
    let chat = |members: &str| {
        may_answer(Endpoint::ChatCompletions, 1, format!("{{\"messages\":[]{members}}}").as_bytes())
    };
    for open in [
        "",
        r#","tools":[{"type":"function"}]"#,
        r#","tool_choice":"auto""#,
        r#","tool_choice":"none""#,
        r#","response_format":{"type":"text"}"#,
        r#","response_format":null,"logprobs":false,"top_logprobs":0"#,
        r#","modalities":["text"]"#,
    ] {
        assert!(chat(open), "{open}");
    }
    for closed in [
        r#","tool_choice":"required""#,
        r#","tool_choice":{"type":"function","function":{"name":"f"}}"#,
        r#","function_call":{"name":"f"}"#,
        r#","response_format":{"type":"json_object"}"#,
        r#","response_format":{"type":"json_schema","json_schema":{}}"#,
        r#","response_format":{"t\u0079pe":"json_object"}"#,
        r#","logprobs":true"#,
        r#","modalities":["text","audio"]"#,
        r#","guided_json":{}"#,
        r#","structured_outputs":{"json":{}}"#,
        r#","tool_choice":"auto","tool_choice":"required""#,
    ] {
        assert!(!chat(closed), "{closed}");
    }
    let response = |body: &str| may_answer(Endpoint::Responses, 1, body.as_bytes());
    assert!(response(r#"{"input":"x"}"#) && response(r#"{"text":{"format":{"type":"text"}}}"#));
    assert!(response(r#"{"text":{"verbosity":"low"}}"#));
    assert!(!response(r#"{"text":{"format":{"type":"json_schema"}}}"#));
    assert!(!response(r#"{"background":true}"#));
    assert!(!may_answer(Endpoint::Embeddings, 1, b"{}"));
    assert!(!may_answer(Endpoint::ChatCompletions, 129, b"{}"));
    assert!(!may_answer(Endpoint::ChatCompletions, 1, b"{"));
}
