//! The HTTP/1.1 server itself: persistence, framing, limits, disconnects, shutdown.

use std::time::Duration;

use serde_json::json;
use wellhead_sim::{Ended, Sim, SimOptions};

use crate::client::{CHAT, Client, Ending, chat, post, sim, sim_with};

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_connection_carries_many_requests_even_pipelined() {
    let sim = sim();
    let mut client = Client::connect(sim.addr()).await;
    for _ in 0..3 {
        client.post(CHAT, &chat("m", true)).await;
        assert_eq!(client.read().await.data().last().unwrap(), "[DONE]");
    }
    client.post(CHAT, &chat("m", true)).await;
    client.post(CHAT, &chat("m", false)).await;
    assert_eq!(client.read().await.data().last().unwrap(), "[DONE]");
    assert_eq!(client.read().await.json()["object"], "chat.completion");
    let log = sim.requests();
    assert!(log.len() == 5 && log.iter().all(|entry| entry.connection == log[0].connection));
}

#[tokio::test]
async fn close_and_http_1_0_end_the_connection() {
    let sim = sim();
    let mut client = Client::connect(sim.addr()).await;
    client.send("GET", "/v1/models", &[("connection", "close")], b"").await;
    assert_eq!(client.read().await.status, 200);
    assert_eq!(client.ending().await, Ending::Fin);
    let mut client = Client::connect(sim.addr()).await;
    let body = chat("m", true).to_string();
    client
        .raw(format!("POST {CHAT} HTTP/1.0\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes())
        .await;
    let answer = client.read().await;
    assert_eq!((answer.ending, answer.header("transfer-encoding")), (Ending::Fin, ""));
    assert_eq!(answer.data().last().unwrap(), "[DONE]");
}

#[tokio::test]
async fn chunked_bodies_and_expectations_are_understood() {
    let sim = sim();
    let body = chat("m", false).to_string();
    let (one, two) = body.split_at(7);
    let mut client = Client::connect(sim.addr()).await;
    client
        .raw(
            format!("POST {CHAT} HTTP/1.1\r\ntransfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n")
                .as_bytes(),
        )
        .await;
    assert_eq!(client.read().await.status, 100);
    client
        .raw(
            format!("{:x};a=b\r\n{one}\r\n{:X}\r\n{two}\r\n0\r\nx-trailer: y\r\n\r\n", one.len(), two.len())
                .as_bytes(),
        )
        .await;
    assert_eq!(client.read().await.status, 200);
    assert_eq!(sim.requests()[0].json(), chat("m", false));
    client.post(CHAT, &chat("m", false)).await;
    assert_eq!(client.read().await.status, 200, "nothing of the trailer was left over");
}

#[tokio::test]
async fn what_is_too_large_or_no_http_is_told_so() {
    let sim = sim();
    let ask = async |text: String| {
        let mut client = Client::connect(sim.addr()).await;
        client.raw(text.as_bytes()).await;
        let answer = client.read().await;
        assert!(answer.json()["error"]["message"].is_string());
        (answer.status, client.ending().await)
    };
    assert_eq!(ask("nonsense\r\n\r\n".into()).await.0, 400);
    assert_eq!(ask("PRI * HTTP/3.0\r\n\r\n".into()).await.0, 400);
    assert_eq!(ask(format!("POST {CHAT} HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n")).await.0, 413);
    assert_eq!(
        ask(format!("POST {CHAT} HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nffffffffff\r\n")).await.0,
        413
    );
    assert_eq!(
        ask(format!("POST {CHAT} HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n")).await.0,
        400
    );
    assert_eq!(ask(format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(70_000))).await.0, 431);
    assert!(sim.requests().is_empty());
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_at_once_even_between_slow_tokens() {
    let sim = sim_with(|options| options.token_pace = Duration::from_secs(3600));
    for stream in [true, false] {
        let mut client = Client::connect(sim.addr()).await;
        client.post(CHAT, &chat("m", stream)).await;
        sim.wait_for(|log| log.len() == 1, LIMIT).await.unwrap();
        drop(client);
        let log = sim.wait_for(|log| log[0].ended.is_some(), LIMIT).await.unwrap();
        assert_eq!(log[0].ended, Some(Ended::ClientDisconnected));
        sim.clear_log();
    }
}

#[tokio::test]
async fn a_reader_that_stops_reading_holds_the_answer_back() {
    let sim = sim();
    let mut client = Client::connect(sim.addr()).await;
    client.post(CHAT, &chat("m+huge-line-100000000", true)).await;
    client.until("padding").await;
    assert_eq!((sim.requests()[0].ended, sim.requests()[0].tokens_sent), (None, 0));
    drop(client);
    let log = sim.wait_for(|log| log[0].ended.is_some(), LIMIT).await.unwrap();
    assert_eq!(log[0].ended, Some(Ended::ClientDisconnected));
}

#[tokio::test]
async fn shutdown_resets_what_is_open_and_frees_the_port() {
    let sim = sim_with(|options| options.token_pace = Duration::from_millis(1));
    let mut busy = Client::connect(sim.addr()).await;
    busy.post(CHAT, &chat("m+tokens-100000", true)).await;
    let mut idle = Client::connect(sim.addr()).await;
    idle.send("GET", "/v1/models", &[], b"").await;
    assert_eq!(idle.read().await.status, 200);
    sim.wait_for(|log| log.iter().any(|entry| entry.tokens_sent >= 5), LIMIT).await.unwrap();
    assert_eq!(sim.connections(), 2);
    let addr = sim.addr();
    sim.shutdown().await;
    assert_eq!((sim.connections(), sim.in_flight()), (0, 0));
    assert_eq!(busy.read().await.ending, Ending::Reset);
    assert_eq!(idle.ending().await, Ending::Reset);
    assert!(sim.requests().iter().any(|entry| entry.ended == Some(Ended::ShutDown)));
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
    for _ in 0..5 {
        let again =
            Sim::start(SimOptions { addr, token_pace: Duration::ZERO, ..SimOptions::default() }).unwrap();
        assert_eq!(post(&again, CHAT, &chat("m", false)).await.status, 200);
        again.shutdown().await;
    }
}

#[tokio::test]
async fn the_practice_model_explains_itself() {
    let sim = sim();
    let answer = post(
        &sim,
        CHAT,
        &json!({"model": "practice", "messages": [{"role": "user", "content": "Say hello"}]}),
    )
    .await;
    let text = answer.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    assert!(text.contains("practice provider") && text.contains("Wellhead"));
}

#[tokio::test]
async fn hundreds_of_streams_at_once_all_end_well() {
    let sim = std::sync::Arc::new(sim_with(|options| options.token_pace = Duration::from_millis(1)));
    let mut streams = tokio::task::JoinSet::new();
    for _ in 0..400 {
        let sim = std::sync::Arc::clone(&sim);
        streams.spawn(async move { post(&sim, CHAT, &chat("m", true)).await.data().pop().unwrap() });
    }
    while let Some(end) = streams.join_next().await {
        assert_eq!(end.unwrap(), "[DONE]");
    }
}
