#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{Observed, StreamEnd, StreamObserver, Terminal, interruption_event};
use crate::checks;
use crate::openai::Endpoint;
use crate::openai::error::ErrorBody;
use crate::sse::{Event, Verdict};
use proptest::prelude::*;
use serde_json::Value;
use wellhead_types::{Cause, Retry, Scope, Side, Stage};

/// Observes each event (text up to its blank line) of a stream.
fn watch(endpoint: Endpoint, asked: bool, events: &[&str]) -> (Vec<Observed>, StreamEnd) {
    let mut observer = StreamObserver::new(endpoint, asked);
    let observed = events.iter().map(|raw| observer.observe(&Event::parse(raw.as_bytes()))).collect();
    (observed, observer.finish())
}

fn one(endpoint: Endpoint, event: &str) -> Observed {
    watch(endpoint, false, &[event]).0.remove(0)
}

fn chat(data: &str) -> Observed {
    one(Endpoint::ChatCompletions, &format!("data: {data}\n\n"))
}

fn delta(delta: &str) -> Observed {
    chat(&format!(
        r#"{{"id":"c","object":"chat.completion.chunk","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#
    ))
}

#[test]
fn role_reasoning_padding_and_keep_alives_do_not_commit() {
    for quiet in [
        r#"{"role":"assistant"}"#,
        r#"{"role":"assistant","content":""}"#,
        r#"{"role":"assistant","content":null,"refusal":null,"tool_calls":null,"audio":null}"#,
        r#"{"role":"assistant","content":"","tool_calls":[]}"#,
        r#"{}"#,
        r#"{"reasoning_content":"The user says \"content\":\"x\"","content":null}"#,
        r#"{"reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm"}],"content":""}"#,
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}"#,
        r#"{"content":[{"type":"text","text":""}]}"#,
        r#"{"audio":{"id":"audio_1","expires_at":1}}"#,
    ] {
        let observed = delta(quiet);
        assert_eq!(observed, Observed { commits: false, ..Observed::PASS }, "{quiet}");
    }
    for raw in [
        ": OPENROUTER PROCESSING\n\n",
        ": keep-alive\n\n",
        "\n",
        "event: ping\ndata: {}\n\n",
        "event: ping\ndata: now\n\n",
        "data:\n\n",
    ] {
        assert_eq!(one(Endpoint::ChatCompletions, raw), Observed::PASS, "{raw}");
    }
}

#[test]
fn text_refusals_sound_and_pictures_commit() {
    for loud in [
        r#"{"content":"H"}"#,
        r#"{"content":" "}"#,
        r#"{ "role" : "assistant" , "content" : "\n" }"#,
        r#"{"cont\u0065nt":"escaped name"}"#,
        r#"{"refusal":"I can't"}"#,
        r#"{"audio":{"transcript":"Hi"}}"#,
        r#"{"audio":{"data":"AAA="}}"#,
        r#"{"content":[{"type":"text","text":"Hi"}]}"#,
        r#"{"images":[{"type":"image_url","image_url":{"url":"data:"}}]}"#,
    ] {
        assert!(delta(loud).commits, "{loud}");
    }
    assert!(one(Endpoint::Completions, r#"data: {"choices":[{"text":"a","index":0}]}"#).commits);
    assert!(!one(Endpoint::Completions, r#"data: {"choices":[{"text":"","index":0}]}"#).commits);
    let second = chat(r#"{"choices":[{"index":0,"delta":{}},{"index":1,"delta":{"content":"x"}}]}"#);
    assert!(second.commits, "any choice commits");
}

const OPENAI: [&str; 5] = [
    r#"data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"aG"}"#,
    r#"data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x"}"#,
    r#"data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null,"obfuscation":""}"#,
    r#"data: {"id":"c","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10},"obfuscation":"k"}"#,
    "data: [DONE]",
];

#[test]
fn an_openai_stream_from_start_to_end() {
    let (observed, end) = watch(Endpoint::ChatCompletions, false, &OPENAI);
    assert_eq!(observed.iter().map(|o| o.commits).collect::<Vec<_>>(), [false, true, false, false, false]);
    let verdicts: Vec<_> = observed.iter().map(|o| o.verdict == Verdict::Pass).collect();
    assert_eq!(verdicts, [true, true, true, false, true], "usage that nobody asked for is swallowed");
    assert_eq!(observed[4].terminal, Some(Terminal::Done));
    assert_eq!((end.complete, end.saw_content, end.failure), (true, true, None));
    assert_eq!(end.usage.unwrap().total(), 10);
    let (observed, _) = watch(Endpoint::ChatCompletions, true, &OPENAI);
    assert!(observed.iter().all(|o| o.verdict == Verdict::Pass), "usage that was asked for passes");
}

#[test]
fn a_finish_reason_for_every_choice_and_the_end_of_bytes_is_complete_too() {
    let (_, end) = watch(Endpoint::ChatCompletions, false, &OPENAI[..3]);
    assert_eq!((end.complete, end.terminal), (true, None));
    let two = [
        r#"data: {"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]}"#,
        r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
    ];
    let (_, end) = watch(Endpoint::ChatCompletions, false, &two);
    assert!(!end.complete, "choice 1 never finished");
}

#[test]
fn the_end_of_bytes_alone_is_a_failure() {
    let (_, end) = watch(Endpoint::ChatCompletions, false, &OPENAI[..2]);
    let failure = end.failure.unwrap();
    assert!(!end.complete);
    assert_eq!(
        (failure.cause, failure.stage, failure.retry),
        (Cause::ResponseIncomplete, Stage::Stream, Retry::Elsewhere)
    );
    let (_, end) = watch(Endpoint::ChatCompletions, false, &OPENAI[..1]);
    assert_eq!(end.failure.unwrap().stage, Stage::FirstToken);
    let (_, end) = watch(Endpoint::ChatCompletions, false, &["data: [DONE]"]);
    assert_eq!(
        (end.complete, end.failure.unwrap().cause),
        (false, Cause::ErrorInSuccess),
        "nothing but an end"
    );
}

#[test]
fn usage_is_set_never_added_wherever_it_comes() {
    for (events, expected) in [
        // On every chunk, cumulative (vLLM, xAI); zeros at the end say nothing.
        (
            &[
                r#"data: {"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":5,"completion_tokens":1}}"#,
                r#"data: {"choices":[{"index":0,"delta":{"content":"b"}}],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#,
                r#"data: {"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}"#,
            ][..],
            (5, 2),
        ),
        // Kimi: inside the choice.
        (
            &[
                r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":7,"completion_tokens":3}}]}"#,
            ],
            (7, 3),
        ),
        // Groq
        (
            &[
                r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req","usage":{"queue_time":0.1,"prompt_tokens":4,"completion_tokens":6}}}"#,
            ],
            (4, 6),
        ),
        // OpenRouter: with an empty delta.
        (
            &[
                r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":{"prompt_tokens":8,"completion_tokens":9,"cost":0.1}}"#,
            ],
            (8, 9),
        ),
    ] {
        let (observed, end) = watch(Endpoint::ChatCompletions, false, events);
        let usage = end.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), expected);
        for (event, observed) in events.iter().zip(observed) {
            let only_usage = event.contains(r#""choices":[],"#);
            assert_eq!(observed.verdict == Verdict::Drop, only_usage, "{event}");
        }
    }
    let azure =
        r#"{"choices":[],"created":0,"id":"","model":"","prompt_filter_results":[{"prompt_index":0}]}"#;
    assert_eq!(chat(azure), Observed::PASS, "an empty chunk without usage is the vendor's greeting");
    let mistral =
        r#"{"id":"m","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"p":"abcdef"}"#;
    assert!(chat(mistral).commits);
}

#[test]
fn errors_inside_a_stream_are_found_in_every_shape() {
    for (raw, cause, scope) in [
        (
            r#"data: {"error":{"message":"boom","type":"server_error","param":null,"code":null}}"#,
            Cause::ErrorInSuccess,
            Scope::Endpoint,
        ),
        (
            r#"data: {"id":"gen","object":"chat.completion.chunk","provider":"X","error":{"code":429,"message":"Provider returned error"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
            Cause::RateLimited,
            Scope::KeyModel,
        ),
        (
            "event: error\ndata: {\"error\":{\"message\":\"over\",\"type\":\"x\"},\"status_code\":503}",
            Cause::Overloaded,
            Scope::Endpoint,
        ),
        ("event: error\ndata: upstream went away", Cause::ErrorInSuccess, Scope::Endpoint),
        (r#"data: {"code":"internal","error":"something broke"}"#, Cause::ErrorInSuccess, Scope::Endpoint),
        (
            r#"data: {"object":"error","message":"out of memory","type":"InternalServerError","code":500}"#,
            Cause::ErrorInSuccess,
            Scope::Endpoint,
        ),
        (
            r#"data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Cause::Overloaded,
            Scope::Provider,
        ),
        (
            r#"data: {"code":"Throttling","message":"Requests rate limit exceeded","request_id":"r"}"#,
            Cause::RateLimited,
            Scope::KeyModel,
        ),
        (
            r#"data: {"id":"1","choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#,
            Cause::QuotaExhausted,
            Scope::Key,
        ),
        (
            r#"data: {"error":{"message":"You exceeded","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            Cause::QuotaExhausted,
            Scope::Key,
        ),
        (
            r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}"#,
            Cause::ErrorInSuccess,
            Scope::Endpoint,
        ),
    ] {
        let (observed, end) = watch(Endpoint::ChatCompletions, false, &[raw]);
        let failure = observed[0].error.clone().expect(raw);
        assert_eq!((failure.cause, failure.scope), (cause, scope), "{raw}");
        assert_eq!(
            (failure.stage, failure.status, failure.retry),
            (Stage::FirstToken, Some(200), Retry::Elsewhere),
            "{raw}"
        );
        assert_eq!(observed[0].verdict, Verdict::Drop, "the client gets the gateway's own error");
        assert_eq!((end.complete, end.failure), (false, Some(failure)));
    }
    let (observed, end) = watch(
        Endpoint::ChatCompletions,
        false,
        &[OPENAI[1], r#"data: {"error":{"message":"x"}}"#, "data: [DONE]"],
    );
    assert_eq!(observed[1].error.as_ref().unwrap().stage, Stage::Stream);
    assert!(!end.complete, "[DONE] does not heal an error");
    for harmless in
        [r#"{"error":null,"choices":[{"index":0,"delta":{"content":"x"}}]}"#, r#"{"error":{},"choices":[]}"#]
    {
        assert_eq!(chat(harmless).error, None, "{harmless}");
    }
}

#[test]
fn torn_data_is_a_protocol_error_but_foreign_events_are_not() {
    for data in ["{", r#"{"choices":[{"index":0,"delta":{"content":"x"}}]"#, "{\"choices\":}"] {
        let failure = chat(data).error.expect(data);
        assert_eq!((failure.cause, failure.retry), (Cause::ProtocolError, Retry::Elsewhere));
    }
    assert_eq!(one(Endpoint::ChatCompletions, "event: vendor.debug\ndata: {oops\n\n"), Observed::PASS);
    assert!(one(Endpoint::Responses, "event: response.output_text.delta\ndata: {oops\n\n").error.is_some());
}

#[test]
fn what_cannot_be_a_piece_of_an_answer_is_left_out_and_the_rest_counts() {
    for nonsense in ["nonsense", "[]", "1", "null", "<html>", "\"x\""] {
        let nonsense = format!("data: {nonsense}");
        let (observed, end) = watch(Endpoint::ChatCompletions, true, &[OPENAI[1], &nonsense, OPENAI[1]]);
        assert_eq!((&observed[1].verdict, &observed[1].error), (&Verdict::Drop, &None), "{nonsense}");
        assert!(observed[2].commits && !end.complete, "{nonsense} ends nothing");
    }
    let whole: Vec<_> = ["data: ping"].into_iter().chain(OPENAI).collect();
    assert!(watch(Endpoint::ChatCompletions, true, &whole).1.complete);
}

const RESPONSES: [&str; 9] = [
    "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_7\",\"object\":\"response\",\"created_at\":1700000000,\"status\":\"in_progress\",\"error\":null,\"model\":\"gpt-x\",\"output\":[],\"usage\":null}}",
    "event: response.in_progress\ndata: {\"type\":\"response.in_progress\",\"sequence_number\":1,\"response\":{\"id\":\"resp_7\",\"error\":null}}",
    "event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"sequence_number\":2,\"item\":{\"id\":\"rs\",\"type\":\"reasoning\",\"summary\":[]}}",
    "event: response.reasoning_summary_text.delta\ndata: {\"type\":\"response.reasoning_summary_text.delta\",\"sequence_number\":3,\"delta\":\"hm\"}",
    "event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"sequence_number\":4,\"item\":{\"id\":\"msg\",\"type\":\"message\",\"content\":[]}}",
    "event: response.content_part.added\ndata: {\"type\":\"response.content_part.added\",\"sequence_number\":5,\"part\":{\"type\":\"output_text\",\"text\":\"\"}}",
    "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":6,\"delta\":\"Hi\",\"obfuscation\":\"x\"}",
    "event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\",\"sequence_number\":7,\"text\":\"Hi\"}",
    "event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":8,\"response\":{\"id\":\"resp_7\",\"error\":null,\"status\":\"completed\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}",
];

#[test]
fn a_responses_stream_from_start_to_end() {
    let (observed, end) = watch(Endpoint::Responses, true, &RESPONSES);
    let first = observed.iter().position(|o| o.commits);
    assert_eq!(first, Some(6), "the first text commits, nothing before it");
    assert!(observed.iter().all(|o| o.verdict == Verdict::Pass && o.error.is_none()));
    assert_eq!(end.terminal, Some(Terminal::Completed));
    assert_eq!((end.complete, end.usage.unwrap().total()), (true, 4));
    let (_, cut) = watch(Endpoint::Responses, true, &RESPONSES[..8]);
    assert_eq!(
        (cut.complete, cut.failure.unwrap().cause),
        (false, Cause::ResponseIncomplete),
        "no [DONE] here, no guess"
    );
}

#[test]
fn thinking_is_seen_and_padding_is_no_thinking() {
    let saw = |endpoint, events: &[&str]| {
        let mut observer = StreamObserver::new(endpoint, true);
        events.iter().for_each(|event| drop(observer.observe(&Event::parse(event.as_bytes()))));
        observer.reasoning_events() > 0
    };
    let delta = |delta: &str| format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}\n\n");
    for thinks in [
        r#"{"reasoning_content":"hm"}"#,
        r#"{"reasoning":"hm","content":""}"#,
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}"#,
    ] {
        assert!(saw(Endpoint::ChatCompletions, &[&delta(thinks)]), "{thinks}");
    }
    for padding in
        [r#"{"role":"assistant"}"#, r#"{"reasoning_content":"","content":null}"#, r#"{"content":"hm"}"#]
    {
        assert!(!saw(Endpoint::ChatCompletions, &[&delta(padding)]), "{padding}");
    }
    assert!(!saw(Endpoint::Responses, &RESPONSES[..3]), "an empty item is announced");
    assert!(saw(Endpoint::Responses, &RESPONSES[..4]));
}

#[test]
fn calls_that_the_client_runs_commit_or_wait_and_server_tools_do_neither() {
    let item = |kind: &str| {
        format!("data: {{\"type\":\"response.output_item.added\",\"item\":{{\"type\":\"{kind}\"}}}}")
    };
    for (kind, commits) in
        [("computer_call", true), ("web_search_call", false), ("reasoning", false), ("function_call", false)]
    {
        let observed = one(Endpoint::Responses, &item(kind));
        assert_eq!(observed.commits, commits, "{kind}");
        assert_eq!(observed.verdict == Verdict::Hold, kind == "function_call", "{kind}");
    }
    assert!(one(Endpoint::Responses, r#"data: {"type":"response.refusal.delta","delta":"No"}"#).commits);
}

#[test]
fn failed_and_incomplete_responses() {
    let failed = r#"data: {"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"rate_limit_exceeded","message":"slow"}}}"#;
    let (observed, end) = watch(Endpoint::Responses, true, &[failed]);
    assert_eq!(observed[0].error.as_ref().unwrap().cause, Cause::RateLimited);
    assert_eq!((observed[0].terminal, end.complete), (Some(Terminal::Failed), false));
    let error = "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"x\",\"param\":null,\"sequence_number\":3}";
    assert_eq!(one(Endpoint::Responses, error).error.unwrap().cause, Cause::ErrorInSuccess);
    let incomplete = r#"data: {"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"},"error":null}}"#;
    let (observed, end) = watch(Endpoint::Responses, true, &[incomplete]);
    assert_eq!(
        (observed[0].terminal, observed[0].error.clone(), end.complete),
        (Some(Terminal::Incomplete), None, true)
    );
}

#[test]
fn transcripts_speech_and_pictures_stream_by_type() {
    let (observed, end) = watch(
        Endpoint::AudioTranscriptions,
        true,
        &[
            r#"data: {"type":"transcript.text.delta","delta":"Hi"}"#,
            r#"data: {"type":"transcript.text.done","text":"Hi","usage":{"input_tokens":5,"output_tokens":1}}"#,
            "data: [DONE]",
        ],
    );
    assert_eq!((observed[0].commits, end.complete, end.usage.unwrap().total()), (true, true, 6));
    assert!(one(Endpoint::AudioSpeech, r#"data: {"type":"speech.audio.delta","audio":"AAA="}"#).commits);
    let picture = one(
        Endpoint::ImagesGenerations,
        r#"data: {"type":"image_generation.partial_image","b64_json":"AAA="}"#,
    );
    assert!(picture.commits);
}

#[test]
fn a_whole_last_event_without_its_blank_line_counts_and_a_torn_one_does_not() {
    for (tail, terminal) in [("data: [DONE]\n", Terminal::Done), ("data: [DONE]", Terminal::Done)] {
        let mut observer = StreamObserver::new(Endpoint::ChatCompletions, false);
        observer.observe(&Event::parse(OPENAI[1].as_bytes()));
        assert_eq!(observer.observe_tail(tail.as_bytes()).unwrap().terminal, Some(terminal));
        assert!(observer.finish().complete);
    }
    let mut observer = StreamObserver::new(Endpoint::Responses, true);
    assert_eq!(observer.observe_tail(RESPONSES[8].as_bytes()).unwrap().terminal, Some(Terminal::Completed));
    for torn in ["data: [DON", "data: {\"choices\":[", "data", ": x", ""] {
        let mut observer = StreamObserver::new(Endpoint::ChatCompletions, false);
        assert_eq!(observer.observe_tail(torn.as_bytes()), None, "{torn}");
        assert!(!observer.finish().complete);
    }
}

/// Pieces of calls, in good order and in bad.
const CALLS: [&str; 8] = [
    r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}}]}"#,
    r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}"#,
    r#"data: {"choices":[{"index":0,"delta":{"content":"x","tool_calls":[{"index":1,"function":{"name":"g","arguments":"{"}}]}}]}"#,
    r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"}"}}]}}]}"#,
    r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#,
    r#"data: {"type":"response.output_item.added","output_index":0,"item":{"type":"function_call"}}"#,
    r#"data: {"type":"response.function_call_arguments.delta","output_index":0,"delta":"{}"}"#,
    r#"data: {"type":"response.function_call_arguments.done","output_index":0,"arguments":"{}"}"#,
];

fn json_of(event: &str) -> Value {
    let data = Event::parse(event.as_bytes()).data().unwrap().into_owned();
    serde_json::from_slice(&data).unwrap()
}

fn error(code: &str, message: &str) -> ErrorBody {
    ErrorBody {
        message: message.to_owned(),
        kind: "server_error".to_owned(),
        cause: None,
        param: None,
        code: Some(code.to_owned()),
        source: Side::Provider,
        request_id: "req-1".to_owned(),
        route: Some("chat".to_owned()),
        attempts: Vec::new(),
        retry_after_s: None,
        doc: None,
    }
}

#[test]
fn an_interruption_is_an_error_in_the_clients_protocol_and_no_happy_end() {
    let bytes =
        interruption_event(Endpoint::ChatCompletions, &error("upstream_stream_interrupted", "lost \"it\"\n"));
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(text.ends_with("\n\n") && !text.contains("[DONE]"));
    let error = &json_of(text)["error"];
    for (member, expected) in
        [("code", "upstream_stream_interrupted"), ("message", "lost \"it\"\n"), ("request_id", "req-1")]
    {
        assert_eq!(error[member], expected);
    }
    assert!(error.get("type").is_some() && error.get("param").is_some_and(Value::is_null));
    let (observed, end) = watch(Endpoint::ChatCompletions, true, &[text]);
    assert!(observed[0].error.is_some() && !end.complete, "another gateway sees the error too");
}

#[test]
fn an_interrupted_response_keeps_its_id_and_counts_on() {
    let mut observer = StreamObserver::new(Endpoint::Responses, true);
    for event in &RESPONSES[..7] {
        observer.observe(&Event::parse(event.as_bytes()));
    }
    let bytes = observer.interruption(&error("upstream_stream_interrupted", "gone"));
    let text = std::str::from_utf8(&bytes).unwrap();
    let events: Vec<&str> = text.split_inclusive("\n\n").collect();
    assert_eq!(events.len(), 2);
    assert_eq!(Event::parse(events[0].as_bytes()).event(), Some(&b"error"[..]));
    let (error, failed) = (json_of(events[0]), json_of(events[1]));
    assert_eq!((&error["type"], &error["sequence_number"]), (&Value::from("error"), &Value::from(7)));
    assert_eq!(error["error"]["code"], "upstream_stream_interrupted", "where the official SDKs look");
    assert_eq!(Event::parse(events[1].as_bytes()).event(), Some(&b"response.failed"[..]));
    assert_eq!(
        (&failed["sequence_number"], &failed["response"]["id"]),
        (&Value::from(8), &Value::from("resp_7"))
    );
    assert_eq!(failed["response"]["created_at"], 1_700_000_000);
    assert_eq!(failed["response"]["error"]["message"], "gone");
    let (_, end) = watch(Endpoint::Responses, true, &events);
    assert!(!end.complete);
}

proptest! {
    #[test]
    fn no_stream_can_break_the_observer_or_fool_it(
        seed: u64,
        picks in prop::collection::vec(prop::sample::select({
            let mut pieces: Vec<&str> = OPENAI.to_vec();
            pieces.extend(RESPONSES);
            pieces.extend(CALLS);
            pieces.extend(["\n\n", "\r\n\r\n", "data: {\"error\":{\"message\":\"x\"}}", "data: {", ": ping", "\n\n", "\n"]);
            pieces
        }), 0..24),
    ) {
        checks::stream_observer(seed, picks.concat().as_bytes());
    }
}
