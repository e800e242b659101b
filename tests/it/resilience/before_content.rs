//! A target that fails before the first content is followed by another one, and the client does not notice.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wellhead_sim::{Ended, Rule, Sim};

use crate::support::{
    Answer, CHAT, Ending, Gateway, KEY, LIMIT, PROVIDER_KEY, Request, dead_port, expected, fault, pair, sim,
    tiers,
};

/// Silence is given up soon, so that a test need not wait for the default of 12 seconds.
const SETTINGS: &str = "timeouts: { first_token: 400ms, deadline: 10s }";

const WHOLE: &[bool] = &[false];
const STREAMED: &[bool] = &[true];
const BOTH: &[bool] = &[false, true];

/// `answer` is everything that a healthy upstream would have said.
async fn assert_complete(answer: &Answer, stream: bool, case: &str) {
    assert_eq!((answer.status, answer.ending), (200, Ending::Proper), "{case}: {}", answer.everything());
    assert_eq!(answer.content(), expected().await, "{case}");
    if stream {
        assert!(
            answer.done() && answer.finished() && answer.stream_error().is_none(),
            "{case}: {}",
            answer.text()
        );
    }
}

async fn assert_two_attempts(sim: &Sim, answer: &Answer, case: &str) {
    assert_eq!(answer.header("x-wellhead-attempts"), "2", "{case}: {}", answer.everything());
    let log = sim.wait_for(|log| log.iter().all(|seen| seen.ended.is_some()), LIMIT).await.unwrap();
    assert_eq!(log.len(), 2, "{case}: {log:?}");
    for seen in &log {
        let (model, key) = (seen.model.as_deref().unwrap(), seen.key.as_deref().unwrap());
        let owner = if model == "m1" { "a" } else { "b" };
        assert_eq!(key, format!("{PROVIDER_KEY}-{owner}"), "{case}: each provider gets its own key only");
    }
    assert_ne!(log[0].model, log[1].model, "{case}: the second attempt asks another target");
    assert_eq!(log[1].ended, Some(Ended::Finished), "{case}");
    let target = answer.header("x-wellhead-target");
    assert!(target.ends_with(log[1].model.as_deref().unwrap()), "{case}: {target}");
}

async fn survives(text: &str, modes: &[bool]) {
    for stream in modes.iter().copied() {
        let case = format!("{text}, streamed {stream}, same tier");
        let sim = sim();
        // Whichever target is asked first meets the fault.
        sim.set_fault(Rule::always(fault(text)).path(CHAT).times(1));
        let gateway = Gateway::start(&pair(&sim, SETTINGS)).await;
        let answer = gateway.chat(stream).await;
        assert_complete(&answer, stream, &case).await;
        assert_eq!(answer.header("x-wellhead-survival"), "retried", "{case}");
        assert_two_attempts(&sim, &answer, &case).await;

        let case = format!("{text}, streamed {stream}, other tier");
        sim.clear_log();
        sim.clear_faults();
        sim.set_fault(Rule::always(fault(text)).model("m1"));
        let gateway = Gateway::start(&tiers(&sim.base_url(), &sim.base_url(), SETTINGS)).await;
        let answer = gateway.chat(stream).await;
        assert_complete(&answer, stream, &case).await;
        assert_eq!(answer.header("x-wellhead-survival"), "failed-over", "{case}");
        assert_two_attempts(&sim, &answer, &case).await;
    }
}

macro_rules! survived {
    ($($name:ident: $fault:literal $modes:ident;)*) => {
        $(#[tokio::test]
        async fn $name() {
            survives($fault, $modes).await;
        })*
    };
}

survived! {
    a_refusal_is_survived: "refuse" BOTH;
    a_reset_before_the_headers_is_survived: "reset-before-headers" BOTH;
    a_reset_after_the_headers_is_survived: "reset-after-headers" BOTH;
    silence_is_survived: "silence" STREAMED;
    a_first_token_that_is_too_late_is_survived: "slow-first-token:60000" STREAMED;
    status_402_is_survived: "status:402" BOTH;
    status_408_is_survived: "status:408" BOTH;
    status_409_is_survived: "status:409" BOTH;
    status_429_is_survived: "status:429" BOTH;
    status_500_is_survived: "status:500" BOTH;
    status_502_is_survived: "status:502" BOTH;
    status_503_is_survived: "status:503" BOTH;
    status_504_is_survived: "status:504" BOTH;
    status_529_is_survived: "status:529" BOTH;
    a_rejected_key_is_survived: "status:401" BOTH;
    a_forbidden_key_is_survived: "status:403" BOTH;
    a_model_that_the_vendor_does_not_know_is_survived: "status:404" BOTH;
    an_error_inside_a_200_is_survived: "error-in-200" BOTH;
    an_html_page_with_status_200_is_survived: "wrong-content-type" BOTH;
    an_empty_body_is_survived: "empty-body" BOTH;
    broken_json_is_survived: "bad-json" BOTH;
    a_cut_before_the_first_token_is_survived: "cut-after:0" BOTH;
    a_reset_before_the_first_token_is_survived: "reset-after:0" BOTH;
    an_error_event_before_the_first_token_is_survived: "error-mid-stream:0" STREAMED;
    a_malformed_event_before_the_first_token_is_survived: "malformed-event:0" STREAMED;
    a_cut_in_an_unstreamed_answer_is_survived: "cut-after:5" WHOLE;
    a_reset_in_an_unstreamed_answer_is_survived: "reset-after:5" WHOLE;
}

#[tokio::test]
async fn a_target_where_nobody_listens_is_passed_over() {
    for stream in [false, true] {
        let sim = sim();
        let dead = format!("http://127.0.0.1:{}/v1", dead_port());
        let gateway = Gateway::start(&tiers(&dead, &sim.base_url(), SETTINGS)).await;
        let answer = gateway.chat(stream).await;
        assert_complete(&answer, stream, "dead port").await;
        assert_eq!(answer.header("x-wellhead-survival"), "failed-over");
        assert_eq!(answer.header("x-wellhead-attempts"), "2");
    }
}

/// A provider that answers everything with these bytes and closes.
async fn canned(answer: String) -> String {
    canned_on(answer, false).await
}

/// The same; the connection may stay open behind the answer.
async fn canned_on(answer: String, stays_open: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
            // What is asked here ends with the end of its JSON.
            while !seen.ends_with(b"}") {
                match socket.read(&mut piece).await {
                    Ok(bytes) if bytes > 0 => seen.extend_from_slice(&piece[..bytes]),
                    _ => break,
                }
            }
            drop(socket.write_all(answer.as_bytes()).await);
            if stays_open {
                open.push(socket);
            } else {
                drop(socket.shutdown().await);
            }
        }
    });
    url
}

#[tokio::test]
async fn an_end_signal_without_an_answer_before_it_is_survived() {
    let role = r#"data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}"#;
    for before in [String::new(), ": wait\n\n".to_owned(), format!("{role}\n\n")] {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        let (nothing, sim) = (canned(format!("{head}{before}data: [DONE]\n\n")).await, sim());
        let gateway = Gateway::start(&tiers(&nothing, &sim.base_url(), SETTINGS)).await;
        let answer = gateway.chat(true).await;
        assert_complete(&answer, true, &before).await;
        assert_eq!(answer.header("x-wellhead-survival"), "failed-over", "{before}");
    }
}

#[tokio::test]
async fn a_finished_answer_on_a_connection_that_stays_open_is_whole() {
    let chunk = |delta: &str, reason: &str| {
        format!(
            r#"data: {{"id":"c","object":"chat.completion.chunk","choices":[{{"index":0,"delta":{delta},"finish_reason":{reason}}}]}}"#
        ) + "\n\n"
    };
    let said = chunk(r#"{"role":"assistant","content":"all"}"#, "null") + &chunk("{}", r#""stop""#);
    let silent = chunk(r#"{"role":"assistant"}"#, "null") + &chunk("{}", r#""length""#);
    for (events, content, mode) in [(&said, "all", "atomic"), (&said, "all", "relay"), (&silent, "", "relay")]
    {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        let open = canned_on(format!("{head}{events}"), true).await;
        let settings =
            format!("stream: {{ mode: {mode} }}\n    timeouts: {{ first_token: 60s, stream_idle: 60s }}");
        let gateway = Gateway::start(&tiers(&open, &sim().base_url(), &settings)).await;
        let answer = gateway.chat(true).await;
        assert!(answer.status == 200 && answer.done(), "{mode}: {}", answer.everything());
        assert_eq!(answer.content(), content, "{mode}");
        assert_eq!(answer.header("x-wellhead-survival"), "direct", "{mode}");
    }
}

#[tokio::test]
async fn sound_without_a_byte_of_it_is_survived() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\n";
    for rest in ["content-length: 0\r\n\r\n", "transfer-encoding: chunked\r\n\r\n0\r\n\r\n"] {
        let (nothing, sim) = (canned(format!("{head}{rest}")).await, sim());
        let gateway = Gateway::start(&tiers(&nothing, &sim.base_url(), SETTINGS)).await;
        let body = json!({"model": "chat", "input": "hello", "voice": "v"});
        let answer = gateway.send(Request::post("/v1/audio/speech").json(&body)).await;
        assert_eq!((answer.status, answer.ending), (200, Ending::Proper), "{}", answer.everything());
        assert!(answer.body.len() > 100, "{rest}: {} bytes of sound", answer.body.len());
        assert_eq!(answer.header("x-wellhead-survival"), "failed-over", "{rest}");
    }
}

#[tokio::test]
async fn an_event_above_the_limit_before_the_first_token_is_survived() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("huge-line:300000")).path(CHAT).times(1));
    let text = format!("{}limits: {{ event_bytes_max: 64KiB }}\n", pair(&sim, SETTINGS));
    let gateway = Gateway::start(&text).await;
    let answer = gateway.chat(true).await;
    assert_complete(&answer, true, "huge line").await;
    assert_eq!(answer.header("x-wellhead-survival"), "retried");
}

#[tokio::test]
async fn a_compressed_answer_that_nobody_asked_for_reaches_the_client_readable() {
    for stream in [false, true] {
        let sim = sim();
        sim.set_fault(Rule::always(fault("compressed:force")).model("m1"));
        let gateway = Gateway::start(&tiers(&sim.base_url(), &sim.base_url(), SETTINGS)).await;
        assert_complete(&gateway.chat(stream).await, stream, "gzip").await;
    }
}

#[tokio::test]
async fn a_healthy_answer_is_direct_and_takes_one_attempt() {
    for stream in [false, true] {
        let sim = sim();
        let gateway = Gateway::start(&pair(&sim, SETTINGS)).await;
        let answer = gateway.chat(stream).await;
        assert_complete(&answer, stream, "healthy").await;
        assert_eq!(answer.header("x-wellhead-survival"), "direct");
        assert_eq!(answer.header("x-wellhead-attempts"), "1");
        assert_eq!(sim.requests().len(), 1);
    }
}

#[tokio::test]
async fn both_attempts_carry_the_same_body_but_for_the_model() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:503")).times(1));
    let gateway = Gateway::start(&pair(&sim, SETTINGS)).await;
    let request = crate::support::Request::post(CHAT).set("x-api-key", KEY).without("authorization").body(
        "application/json",
        r#"{ "model":"chat", "x_unknown":[1,2.50,"\u00e4"],"messages":[{"role":"user","content":"hi"}] }"#,
    );
    assert_eq!(gateway.send(request).await.status, 200);
    let log = sim.requests();
    let unified =
        |index: usize| String::from_utf8_lossy(&log[index].body).replace("m1", "M").replace("m2", "M");
    assert_eq!(unified(0), unified(1));
}
