//! The same over HTTP/2 with prior knowledge.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use wellhead_sim::{Ended, Sim};

use crate::client::{CHAT, chat, sim, sim_with};

const LIMIT: Duration = Duration::from_secs(10);

async fn connect(sim: &Sim) -> SendRequest<Full<Bytes>> {
    let socket = tokio::net::TcpStream::connect(sim.addr()).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn request(sim: &Sim, body: &Value) -> http::Request<Full<Bytes>> {
    let uri = format!("http://{}{CHAT}", sim.addr());
    http::Request::post(uri)
        .header("authorization", "Bearer k")
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap()
}

#[tokio::test]
async fn answers_come_whole_and_streamed_over_one_connection() {
    let sim = sim();
    let mut sender = connect(&sim).await;
    let whole = sender.send_request(request(&sim, &chat("m", false))).await.unwrap();
    assert_eq!(whole.status(), 200);
    let whole: Value =
        serde_json::from_slice(&whole.into_body().collect().await.unwrap().to_bytes()).unwrap();
    let streamed = sender.send_request(request(&sim, &chat("m", true))).await.unwrap();
    assert_eq!(streamed.headers()["content-type"], "text/event-stream; charset=utf-8");
    let text = streamed.into_body().collect().await.unwrap().to_bytes();
    let text = std::str::from_utf8(&text).unwrap();
    assert!(text.ends_with("data: [DONE]\n\n"));
    let content: String = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(whole["choices"][0]["message"]["content"], content);
    let log = sim
        .wait_for(|log| log.len() == 2 && log.iter().all(|entry| entry.ended == Some(Ended::Finished)), LIMIT)
        .await
        .unwrap();
    assert!(log.iter().all(|entry| entry.version == "HTTP/2"
        && entry.connection == log[0].connection
        && entry.path == CHAT));
}

#[tokio::test]
async fn resets_and_cuts_end_the_stream_and_not_the_connection() {
    let sim = sim();
    let mut sender = connect(&sim).await;
    for (fault, reason) in
        [("refuse", h2::Reason::REFUSED_STREAM), ("reset-before-headers", h2::Reason::INTERNAL_ERROR)]
    {
        let error = sender.send_request(request(&sim, &chat(&format!("m+{fault}"), true))).await.unwrap_err();
        let source =
            std::error::Error::source(&error).and_then(|source| source.downcast_ref::<h2::Error>()).unwrap();
        assert_eq!(source.reason(), Some(reason), "{fault}");
    }
    let reset = sender.send_request(request(&sim, &chat("m+reset-after-3", true))).await.unwrap();
    assert!(reset.into_body().collect().await.is_err());
    let cut = sender.send_request(request(&sim, &chat("m+cut-after-3", true))).await.unwrap();
    let text = cut.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(std::str::from_utf8(&text).unwrap().matches("data: ").count(), 1 + 3);
    let log = sim
        .wait_for(|log| log.len() == 4 && log.iter().all(|entry| entry.ended.is_some()), LIMIT)
        .await
        .unwrap();
    assert!(log.iter().all(|entry| entry.ended == Some(Ended::Cut) && entry.connection == log[0].connection));
}

#[tokio::test]
async fn a_client_that_resets_its_stream_is_noticed_at_once() {
    let sim = sim_with(|options| options.token_pace = Duration::from_secs(3600));
    let mut sender = connect(&sim).await;
    for (model, stream) in [("m", true), ("m+silence", true), ("m+stall-after-0", true)] {
        let answer = sender.send_request(request(&sim, &chat(model, stream)));
        if model == "m+silence" {
            let waiting = tokio::spawn(answer);
            sim.wait_for(|log| log.len() == 1, LIMIT).await.unwrap();
            waiting.abort();
        } else {
            drop(answer.await.unwrap());
        }
        let log = sim.wait_for(|log| log[0].ended.is_some(), LIMIT).await.unwrap();
        assert_eq!(log[0].ended, Some(Ended::ClientDisconnected), "{model}");
        sim.clear_log();
    }
}

#[tokio::test]
async fn shutdown_ends_streams_too() {
    let sim = sim_with(|options| options.token_pace = Duration::from_secs(3600));
    let mut sender = connect(&sim).await;
    let answer = sender.send_request(request(&sim, &chat("m", true))).await.unwrap();
    sim.shutdown().await;
    assert!(answer.into_body().collect().await.is_err());
    let log = sim.wait_for(|log| log[0].ended.is_some(), LIMIT).await.unwrap();
    assert_eq!(log[0].ended, Some(Ended::ShutDown));
}
