//! Every fault, seen from the client's side, streamed and not.

use std::io::Read;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wellhead_sim::{Ended, Fault, Rule};

use crate::client::{Answer, CHAT, Client, Ending, chat, post, sim, with_headers};

/// A streamed chat with that fault, and how the log says that it ended.
async fn streamed(fault: &str) -> (Answer, Option<Ended>) {
    let sim = sim();
    let answer = with_headers(
        &sim,
        CHAT,
        &[("x-sim-fault", fault), ("accept-encoding", "br, gzip;q=0.5")],
        &chat("m", true),
    )
    .await;
    let log = sim
        .wait_for(|log| log.iter().all(|entry| entry.ended.is_some()), Duration::from_secs(10))
        .await
        .unwrap();
    assert_eq!(log[0].fault.as_deref(), Some(fault));
    (answer, log[0].ended)
}

async fn whole(fault: &str) -> Answer {
    post(&sim(), CHAT, &chat(&format!("m+{fault}"), false)).await
}

fn has_end(answer: &Answer) -> bool {
    answer.data().iter().any(|data| data == "[DONE]")
}

#[tokio::test]
async fn resets_come_before_or_after_the_headers() {
    for fault in ["refuse", "reset-before-headers"] {
        let (answer, ended) = streamed(fault).await;
        assert_eq!((answer.status, answer.ending, ended), (0, Ending::Reset, Some(Ended::Cut)), "{fault}");
        let answer = whole(fault).await;
        assert_eq!((answer.status, answer.ending), (0, Ending::Reset), "{fault}");
    }
    let (answer, ended) = streamed("reset-after-headers").await;
    assert_eq!((answer.ending, ended, answer.body.len()), (Ending::Reset, Some(Ended::Cut), 0));
}

#[tokio::test]
async fn a_refusal_for_all_strikes_before_a_request_is_read() {
    let sim = sim();
    sim.set_fault(Rule::always(Fault::Refuse).times(1));
    let mut client = Client::connect(sim.addr()).await;
    assert_eq!(client.ending().await, Ending::Reset);
    assert_eq!(post(&sim, CHAT, &chat("m", false)).await.status, 200);
    assert_eq!(sim.requests().len(), 1);
}

#[tokio::test]
async fn silence_and_stalls_last_until_the_client_leaves() {
    for (fault, tokens) in [("silence", 0), ("stall-after:3", 3)] {
        for stream in [true, false] {
            let sim = sim();
            let mut client = Client::connect(sim.addr()).await;
            let body = chat(&format!("m+{fault}"), stream).to_string();
            client.send("POST", CHAT, &[], body.as_bytes()).await;
            let limit = Duration::from_secs(10);
            sim.wait_for(|log| log.len() == 1 && log[0].tokens_sent == tokens, limit).await.unwrap();
            assert_eq!((sim.in_flight(), sim.requests()[0].ended), (1, None));
            drop(client);
            let log = sim.wait_for(|log| log[0].ended.is_some(), limit).await.unwrap();
            assert_eq!(
                (log[0].ended, log[0].tokens_sent),
                (Some(Ended::ClientDisconnected), tokens),
                "{fault} {stream}"
            );
            assert_eq!(sim.in_flight(), 0);
        }
    }
}

#[tokio::test]
async fn slow_answers_take_their_time() {
    let began = Instant::now();
    let (answer, _) = streamed("slow-first-token:60").await;
    assert!(began.elapsed() >= Duration::from_millis(60) && has_end(&answer));
    let began = Instant::now();
    let mut body = chat("m+slow-tokens-10", true);
    body["max_tokens"] = json!(8);
    assert!(has_end(&post(&sim(), CHAT, &body).await));
    assert!(began.elapsed() >= Duration::from_millis(80));
    let began = Instant::now();
    body["stream"] = json!(false);
    assert_eq!(post(&sim(), CHAT, &body).await.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(80), "unstreamed answers take as long as their tokens");
}

#[tokio::test]
async fn the_head_of_a_slow_stream_comes_at_once() {
    let sim = sim();
    let mut client = Client::connect(sim.addr()).await;
    client.post(CHAT, &chat("m+slow-first-token-3600000", true)).await;
    client.until("text/event-stream").await;
    client.until("\r\n\r\n").await;
}

#[tokio::test]
async fn a_status_carries_its_headers_and_its_body() {
    let answer = whole("status-503").await;
    assert_eq!((answer.status, answer.error_code().as_str()), (503, "service_unavailable"));
    let (answer, _) = streamed("status:429,retry-after=7").await;
    assert_eq!(
        (answer.status, answer.header("retry-after"), answer.error_code().as_str()),
        (429, "7", "rate_limit_exceeded")
    );
    let sim = sim();
    let body = json!({"fault": {"kind": "status", "code": 529, "headers": {"x-shade": "grey"}, "body": {"type": "overloaded"}}, "times": 1});
    assert_eq!(post(&sim, "/_sim/faults", &body).await.status, 200);
    let answer = post(&sim, CHAT, &chat("m", true)).await;
    assert_eq!(
        (answer.status, answer.header("x-shade"), answer.json()),
        (529, "grey", json!({"type": "overloaded"}))
    );
    assert_eq!(post(&sim, CHAT, &chat("m", false)).await.status, 200);
}

#[tokio::test]
async fn an_answer_is_cut_or_reset_after_so_many_tokens() {
    for (fault, ending) in [("cut-after:5", Ending::Fin), ("reset-after:5", Ending::Reset)] {
        let (answer, ended) = streamed(fault).await;
        assert_eq!((answer.status, answer.ending, ended), (200, ending, Some(Ended::Cut)));
        assert!(!has_end(&answer));
        // A reset may overtake what was sent before it; a FIN may not.
        if ending == Ending::Fin {
            assert_eq!(answer.chunks.len(), 1 + 5, "{fault}");
        }
        let answer = whole(fault).await;
        assert_eq!((answer.status, answer.ending), (200, ending));
        assert!(answer.body.len() < answer.header("content-length").parse().unwrap());
    }
    let (answer, _) = streamed("cut-after:0").await;
    assert_eq!((answer.body.len(), answer.ending), (0, Ending::Fin));
    let (answer, ended) = streamed("cut-after:1000").await;
    assert!(has_end(&answer) && ended == Some(Ended::Finished), "a short answer ends before");
}

#[tokio::test]
async fn events_can_be_malformed_or_lack_their_end() {
    let (answer, _) = streamed("malformed-event:2").await;
    let broken: Vec<usize> = (0..)
        .zip(answer.data())
        .filter(|(_, data)| data != "[DONE]" && serde_json::from_str::<Value>(data).is_err())
        .map(|(at, _)| at)
        .collect();
    assert_eq!(broken, [3], "behind role and two tokens");
    assert!(has_end(&answer));
    let (answer, ended) = streamed("missing-terminator").await;
    assert_eq!((answer.ending, ended, answer.chunks.len()), (Ending::Proper, Some(Ended::Finished), 1 + 48));
    assert!(!answer.text().contains("\"stop\"") && !has_end(&answer));
}

#[tokio::test]
async fn errors_hide_in_a_200_or_come_in_mid_stream() {
    let answer = whole("error-in-200").await;
    assert_eq!((answer.status, answer.error_code().as_str()), (200, "server_error"));
    let (answer, _) = streamed("error-in-200").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/event-stream; charset=utf-8"));
    assert_eq!((answer.data().len(), &answer.events()[0]["error"]["code"]), (1, &json!("server_error")));
    let (answer, _) = streamed("error-mid-stream:4").await;
    assert_eq!((answer.data().len(), answer.ending), (1 + 4 + 1, Ending::Proper));
    assert_eq!(answer.events()[5]["error"]["type"], "server_error");
    assert!(!has_end(&answer));
}

#[tokio::test]
async fn the_content_can_be_of_the_wrong_kind() {
    for stream in [true, false] {
        let page = post(&sim(), CHAT, &chat("m+wrong-content-type", stream)).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
        let empty = post(&sim(), CHAT, &chat("m+empty-body", stream)).await;
        assert_eq!((empty.status, empty.body.len(), empty.ending), (200, 0, Ending::Proper));
        let broken = post(&sim(), CHAT, &chat("m+bad-json", stream)).await;
        let text = broken.text().trim_start_matches("data: ");
        assert!(broken.status == 200 && !text.is_empty() && serde_json::from_str::<Value>(text).is_err());
        assert_eq!(broken.header("content-type").starts_with("text/event-stream"), stream);
    }
}

#[tokio::test]
async fn gzip_comes_to_those_who_accept_it_or_by_force() {
    let unpack = |answer: &Answer| {
        let mut text = String::new();
        flate2::read::GzDecoder::new(&answer.body[..]).read_to_string(&mut text).unwrap();
        text
    };
    let (answer, _) = streamed("compressed").await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert!(unpack(&answer).ends_with("data: [DONE]\n\n"));
    let plain = whole("compressed").await;
    assert_eq!((plain.header("content-encoding"), &plain.json()["object"]), ("", &json!("chat.completion")));
    let forced = whole("compressed-force").await;
    assert!(forced.header("content-encoding") == "gzip" && unpack(&forced).starts_with('{'));
    let refused = with_headers(
        &sim(),
        CHAT,
        &[("x-sim-fault", "compressed"), ("accept-encoding", "gzip;q=0")],
        &chat("m", true),
    )
    .await;
    assert_eq!(refused.header("content-encoding"), "");
}

#[tokio::test]
async fn lines_can_be_huge() {
    let (answer, _) = streamed("huge-line:3000000").await;
    let longest = answer.text().lines().map(str::len).max().unwrap();
    assert!((3_000_000..3_001_000).contains(&longest) && has_end(&answer));
    assert_eq!(answer.events().len(), 1 + 1 + 48 + 1);
    let body = whole("huge-line-100000").await.json();
    assert_eq!(
        (body["padding"].as_str().unwrap().len(), &body["object"]),
        (100_000, &json!("chat.completion"))
    );
}

#[tokio::test]
async fn the_head_can_drip() {
    let (answer, _) = streamed("drip-headers:0").await;
    assert!(answer.status == 200 && has_end(&answer));
    let sim = sim();
    let mut client = Client::connect(sim.addr()).await;
    client.post(CHAT, &chat("m+drip-headers-5", false)).await;
    client.until("HTTP/1.1 2").await;
    // Every byte has a pause behind it, so the head cannot be complete yet.
    assert_eq!(sim.requests()[0].status, None);
    drop(client);
    let log = sim.wait_for(|log| log[0].ended.is_some(), Duration::from_secs(10)).await.unwrap();
    assert_eq!(log[0].ended, Some(Ended::ClientDisconnected));
}

#[tokio::test]
async fn header_beats_model_beats_rule_and_none_switches_off() {
    let sim = sim();
    sim.set_fault("status:500".parse::<Fault>().unwrap());
    let named = chat("m+status-502", false);
    assert_eq!(with_headers(&sim, CHAT, &[("x-sim-fault", "status:503")], &named).await.status, 503);
    assert_eq!(post(&sim, CHAT, &named).await.status, 502);
    assert_eq!(post(&sim, CHAT, &chat("m", false)).await.status, 500);
    assert_eq!(with_headers(&sim, CHAT, &[("x-sim-fault", "none")], &named).await.status, 200);
    assert!(sim.requests().iter().all(|entry| entry.model.as_deref() == Some("m")));
    sim.clear_faults();
    assert_eq!(post(&sim, CHAT, &chat("m", false)).await.status, 200);
}

#[tokio::test]
async fn faults_combine_and_the_length_can_be_set() {
    let answer = post(&sim(), CHAT, &chat("m+tokens-200+error-mid-stream-150", true)).await;
    assert_eq!(answer.data().len(), 1 + 150 + 1);
    let answer = post(&sim(), CHAT, &chat("m+tokens-2000", false)).await.json();
    assert_eq!(answer["usage"]["completion_tokens"], 2000);
}
