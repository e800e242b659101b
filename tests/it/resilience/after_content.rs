//! Once content was delivered, a stream that is not rescued ends as broken: a truncated answer never ends like a
//! finished one.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wellhead_sim::{Ended, Rule};

use crate::support::{CHAT, Ending, Gateway, KEY, LIMIT, expected, fault, pair, sim, sim_paced, tiers};

/// Time between two tokens: long enough that content is with the client before what follows it, on a busy machine too.
const PACE: Duration = Duration::from_millis(20);

async fn interrupted(text: &str) {
    let sim = sim_paced(PACE);
    sim.set_fault(Rule::always(fault(text)));
    let settings = "timeouts: { stream_idle: 500ms }\n    stream: { rescue: off }";
    let gateway = Gateway::start(&pair(&sim, settings)).await;
    let answer = gateway.chat(true).await;
    assert_eq!(answer.status, 200, "{text}");
    let content = answer.content();
    assert!(!content.is_empty() && expected().await.starts_with(&content), "{text}: {content:?}");
    let error =
        answer.stream_error().unwrap_or_else(|| panic!("{text}: no error event in {}", answer.text()));
    assert_eq!(error["code"], "upstream_stream_interrupted", "{text}");
    for member in ["type", "message", "param", "code", "source", "request_id"] {
        assert!(error.get(member).is_some(), "{text}: {member} is missing in {error}");
    }
    assert_eq!(error["request_id"], answer.header("x-request-id"), "{text}");
    assert!(!answer.done() && !answer.finished(), "{text}: {}", answer.text());
    assert_eq!(answer.ending, Ending::Proper, "{text}: the HTTP body ends in order, not with a reset");
    let log = sim.wait_for(|log| log.iter().all(|seen| seen.ended.is_some()), LIMIT).await.unwrap();
    assert_eq!(log.len(), 1, "{text}: what was delivered is not asked for again");
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!(
        (&record["outcome"], &record["code"]),
        (&"failed".into(), &"upstream_stream_interrupted".into())
    );
    if text != "missing-terminator" {
        assert_eq!(
            record["usage_estimated"], true,
            "{text}: a broken stream has no usage of its own: {record}"
        );
    }
}

#[tokio::test]
async fn a_cut_after_content_is_told_in_the_stream() {
    interrupted("cut-after:5").await;
}

#[tokio::test]
async fn a_reset_after_content_is_told_in_the_stream() {
    interrupted("reset-after:5").await;
}

#[tokio::test]
async fn a_stall_after_content_is_told_in_the_stream() {
    interrupted("stall-after:5").await;
}

#[tokio::test]
async fn an_error_event_after_content_is_told_in_the_stream() {
    interrupted("error-mid-stream:5").await;
}

#[tokio::test]
async fn a_stream_without_its_terminator_is_not_presented_as_complete() {
    interrupted("missing-terminator").await;
}

#[tokio::test]
async fn a_stalled_upstream_is_left_when_the_stream_is_given_up() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("stall-after:5")));
    let settings = "timeouts: { stream_idle: 500ms }\n    stream: { rescue: off }";
    let gateway = Gateway::start(&pair(&sim, settings)).await;
    gateway.chat(true).await;
    let log = sim.wait_for(|log| log[0].ended.is_some(), LIMIT).await.unwrap();
    assert_eq!((log[0].ended, log[0].tokens_sent), (Some(Ended::ClientDisconnected), 5));
}

#[tokio::test]
async fn a_stream_that_is_longer_than_allowed_ends_as_interrupted() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("slow-tokens:100+tokens:60")));
    let gateway = Gateway::start(&pair(&sim, "timeouts: { stream_max: 1s }")).await;
    let answer = gateway.chat(true).await;
    assert!(!answer.content().is_empty(), "{}", answer.text());
    assert!(!answer.done(), "it went on for 6 s although stream_max is 1 s");
    assert!(answer.stream_error().is_some(), "{}", answer.text());
    sim.wait_for(|log| log.iter().all(|seen| seen.ended == Some(Ended::ClientDisconnected)), LIMIT)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_slow_stream_outlives_the_deadline_that_only_bounds_its_beginning() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("slow-tokens:100")).path(CHAT));
    let gateway = Gateway::start(&pair(&sim, "timeouts: { deadline: 1s, first_token: 900ms }")).await;
    let answer = gateway.chat(true).await;
    assert!(answer.done(), "{}", answer.text());
    assert_eq!(answer.content(), expected().await);
}

#[tokio::test]
async fn the_error_in_a_stream_carries_what_every_error_carries() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("cut-after:5")));
    let gateway = Gateway::start(&pair(&sim, "attempts_max: 3")).await;
    let error = gateway.chat(true).await.stream_error().unwrap();
    for member in ["type", "message", "param", "code", "source", "request_id", "route", "attempts"] {
        assert!(error.get(member).is_some(), "{member} is missing in {error}");
    }
    assert_eq!(
        error["attempts"].as_array().unwrap().len(),
        3,
        "every attempt to get the rest is named: {error}"
    );
}

/// HTTP/1.0 has no other sign for the end of a body whose length is not known than the end of the connection (RFC 9112
/// section 6.3): one that broke off must not be closed in order.
#[tokio::test]
async fn sound_that_breaks_off_does_not_look_finished_to_an_http_1_0_client() {
    const HEAD: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n5\r\nsound\r\n";
    for (end, is_whole) in [("", false), ("0\r\n\r\n", true)] {
        let provider = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", provider.local_addr().unwrap());
        let gateway = Gateway::start(&tiers(&url, &url, "attempts_max: 1")).await;
        let body = json!({"model": "chat", "input": "x", "voice": "v"}).to_string();
        let mut client = TcpStream::connect(gateway.addr).await.unwrap();
        let request = format!(
            "POST /v1/audio/speech HTTP/1.0\r\nhost: a\r\nauthorization: Bearer {KEY}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        client.write_all(request.as_bytes()).await.unwrap();
        let (mut upstream, _) = provider.accept().await.unwrap();
        until(&mut upstream, b"}").await;
        upstream.write_all(HEAD.as_bytes()).await.unwrap();
        let head = until(&mut client, b"\r\n\r\nsound").await;
        assert!(head.contains(" 200 OK"), "{head}");
        // The client has the beginning; now the provider ends it, or goes away.
        upstream.write_all(end.as_bytes()).await.unwrap();
        drop(upstream);
        let ended = tokio::time::timeout(LIMIT, client.read_to_end(&mut Vec::new())).await.unwrap();
        assert_eq!(ended.is_ok(), is_whole, "{ended:?}");
    }
}

/// Reads until what has come ends so.
async fn until(socket: &mut TcpStream, end: &[u8]) -> String {
    let (mut read, mut piece) = (Vec::new(), [0; 4096]);
    while !read.ends_with(end) {
        let bytes = tokio::time::timeout(LIMIT, socket.read(&mut piece)).await.unwrap().unwrap();
        assert!(bytes > 0, "it ends with {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&piece[..bytes]);
    }
    String::from_utf8_lossy(&read).into_owned()
}
