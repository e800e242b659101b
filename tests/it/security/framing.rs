//! Requests on whose end or meaning two parsers could disagree are refused, and nothing of them reaches a provider.

use wellhead_sim::Sim;

use crate::support::{CHAT, Connection, Gateway, H2, KEY, chat, config, eventually, sim, single};

fn head(lines: &str) -> String {
    format!(
        "POST {CHAT} HTTP/1.1\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n{lines}\r\n\r\n"
    )
}

/// Sends bytes on a connection of their own; returns the status, 0 for a connection that was closed instead.
async fn status(gateway: &Gateway, bytes: &[u8]) -> u16 {
    let mut client = Connection::open(gateway.addr).await;
    client.write(bytes).await;
    client.head().await
}

async fn assert_refused(gateway: &Gateway, sim: &Sim, case: &str, bytes: &[u8]) {
    let status = status(gateway, bytes).await;
    assert!(status == 0 || (400..500).contains(&status) || status == 501, "{case}: {status}");
    assert!(sim.requests().is_empty(), "{case}: it reached the provider: {:?}", sim.requests());
}

#[tokio::test]
async fn requests_with_two_possible_ends_are_refused() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let body = chat(false).to_string();
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let length = body.len();
    for (case, lines, body) in [
        ("two lengths", format!("host: x\r\ncontent-length: {length}\r\ncontent-length: 5"), &body),
        ("list of lengths", format!("host: x\r\ncontent-length: {length}, 5"), &body),
        ("signed length", format!("host: x\r\ncontent-length: +{length}"), &body),
        ("unknown coding", "host: x\r\ntransfer-encoding: xchunked".to_owned(), &chunked),
        ("chunked not last", "host: x\r\ntransfer-encoding: chunked, identity".to_owned(), &chunked),
        ("folded line", format!("host: x\r\ncontent-length: {length}\r\nx-a: b\r\n c: d"), &body),
        ("space before the colon", format!("host: x\r\ncontent-length : {length}"), &body),
        ("NUL in a value", format!("host: x\r\ncontent-length: {length}\r\nx-a: b\0c"), &body),
        ("bare CR in a value", format!("host: x\r\ncontent-length: {length}\r\nx-a: b\rc: d"), &body),
    ] {
        assert_refused(&gateway, &sim, case, format!("{}{body}", head(&lines)).as_bytes()).await;
    }
    let old = head("host: x\r\ntransfer-encoding: chunked").replace("HTTP/1.1", "HTTP/1.0") + &chunked;
    assert_refused(&gateway, &sim, "HTTP/1.0 with chunks", old.as_bytes()).await;
}

/// RFC 9112 section 6.3: refused, or read by its chunks; in both cases the connection ends.
#[tokio::test]
async fn length_and_chunks_together_end_the_connection_and_never_travel_on_together() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let body = chat(false).to_string();
    let lines = "host: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked";
    let bytes = format!("{}{:x}\r\n{body}\r\n0\r\n\r\n", head(lines), body.len());
    let mut client = Connection::open(gateway.addr).await;
    client.write(bytes.as_bytes()).await;
    let answer = client.next_answer().await;
    assert!(answer.status == 200 || answer.status == 400, "{}", answer.everything());
    let (rest, _) = client.rest().await;
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    for seen in sim.requests() {
        assert!(
            seen.header("content-length").is_none() || seen.header("transfer-encoding").is_none(),
            "{seen:?}"
        );
        assert_eq!(seen.json()["messages"], chat(false)["messages"]);
    }
}

#[tokio::test]
async fn a_fragment_is_no_part_of_the_path_that_is_authorised_or_forwarded() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let body = chat(false).to_string();
    let bytes = head(&format!("host: x\r\ncontent-length: {}", body.len())) + &body;
    let status = status(&gateway, bytes.replacen(CHAT, &format!("{CHAT}#/../x"), 1).as_bytes()).await;
    assert!([200, 400, 404].contains(&status), "{status}");
    assert!(sim.requests().iter().all(|seen| seen.path == CHAT), "{:?}", sim.requests());
}

#[tokio::test]
async fn a_host_that_is_none_or_contradicts_the_target_is_refused() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let body = chat(false).to_string();
    for host in ["host: x/health?", "host: a@b", "host: x#y", "host: a b", "host: a\r\nhost: b", "x-host: a"]
    {
        let bytes = head(&format!("{host}\r\ncontent-length: {}", body.len())) + &body;
        assert_refused(&gateway, &sim, host, bytes.as_bytes()).await;
    }
    let absolute = head(&format!("host: good.example\r\ncontent-length: {}", body.len())) + &body;
    let absolute = absolute.replace(CHAT, &format!("http://evil.example{CHAT}"));
    assert_refused(&gateway, &sim, "absolute target of another host", absolute.as_bytes()).await;
}

#[tokio::test]
async fn ambiguous_paths_are_never_forwarded() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let body = chat(false).to_string();
    for path in [
        "/v1/../v1/chat/completions",
        "/v1/x/..%2fchat/completions",
        "/v1/%2e%2e/v1/chat/completions",
        "/v1/./chat/completions",
        "/v1%2fchat%2fcompletions",
        "/v1/chat%5ccompletions",
        "/v1/chat\\completions",
        "/v1/chat/completions;x=1",
        "/v1/..;x=/v1/chat/completions",
        "/v1/chat/completions%00",
        "/v1/chat/completions%2500",
        "/v1/%252e%252e/chat/completions",
        "/v1/%c0%ae%c0%ae/chat/completions",
    ] {
        let lines = format!("host: x\r\ncontent-length: {}", body.len());
        let bytes = (head(&lines) + &body).replacen(CHAT, path, 1);
        assert_refused(&gateway, &sim, path, bytes.as_bytes()).await;
    }
}

#[tokio::test]
async fn requests_on_one_connection_are_answered_in_order() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let body = chat(false).to_string();
    let one = head(&format!("host: x\r\ncontent-length: {}", body.len())) + &body;
    let other = format!("GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\r\n");
    let mut client = Connection::open(gateway.addr).await;
    client.write(format!("{one}{other}{one}").as_bytes()).await;
    for object in ["chat.completion", "list", "chat.completion"] {
        let answer = client.next_answer().await;
        assert_eq!((answer.status, answer.json()["object"].as_str()), (200, Some(object)));
    }
}

#[tokio::test]
async fn a_body_that_was_refused_is_not_read_as_the_next_request() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let hidden = format!("GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\r\n");
    let outer =
        format!("POST /v1/nope HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{hidden}", hidden.len());
    let mut client = Connection::open(gateway.addr).await;
    client.write(outer.as_bytes()).await;
    assert!((400..500).contains(&client.next_answer().await.status));
    client.write(b"GET /v1/also-nope HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let (rest, _) = client.rest().await;
    let rest = String::from_utf8_lossy(&rest);
    assert!(!rest.contains("\"object\""), "the body was taken for a request: {rest}");
}

#[tokio::test]
async fn an_upgrade_is_not_entered_into() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let body = chat(false).to_string();
    for upgrade in ["h2c", "websocket"] {
        let lines = format!(
            "host: x\r\nconnection: upgrade, http2-settings\r\nupgrade: {upgrade}\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\
             content-length: {}",
            body.len()
        );
        let mut client = Connection::open(gateway.addr).await;
        client.write((head(&lines) + &body).as_bytes()).await;
        let answer = client.answer().await;
        assert_ne!(answer.status, 101, "{upgrade}");
        assert!(sim.requests().iter().all(|seen| seen.header("upgrade").is_none()), "{upgrade}");
    }
}

fn impatient(sim: &Sim) -> String {
    config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [k-1] }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}] }}\n\
         limits: {{ header_timeout: 1s, body_idle_timeout: 1s, header_bytes_max: 8kB, connections_max: 20 }}\n",
        sim.base_url()
    ))
}

#[tokio::test]
async fn a_client_that_never_finishes_its_head_or_body_is_sent_away() {
    let sim = sim();
    let gateway = Gateway::start(&impatient(&sim)).await;
    for start in ["POST /v1/chat/comp".to_owned(), head("host: x\r\ncontent-length: 100") + "{"] {
        let mut client = Connection::open(gateway.addr).await;
        client.write(start.as_bytes()).await;
        let (answer, _) = client.rest().await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{start:?}: {answer}");
    }
    assert!(sim.requests().is_empty());
}

#[tokio::test]
async fn a_client_that_connects_and_says_nothing_is_sent_away() {
    let sim = sim();
    let gateway = Gateway::start(&impatient(&sim)).await;
    let mut client = Connection::open(gateway.addr).await;
    let (answer, _) = client.rest().await;
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn a_head_above_the_limit_is_refused() {
    let sim = sim();
    let gateway = Gateway::start(&impatient(&sim)).await;
    let lines = format!("host: x\r\nx-large: {}\r\ncontent-length: 0", "a".repeat(200_000));
    let status = status(&gateway, head(&lines).as_bytes()).await;
    assert!([0, 400, 413, 431].contains(&status), "{status}");
    assert!(sim.requests().is_empty());
}

#[tokio::test]
async fn connections_above_the_limit_do_not_hurt_those_below() {
    let sim = sim();
    let text = impatient(&sim).replace("header_timeout: 1s", "header_timeout: 60s");
    let gateway = Gateway::start(&text).await;
    let mut kept = H2::connect(gateway.addr).await;
    assert_eq!(kept.post(CHAT, &chat(false)).await.status, 200);
    let mut idle = Vec::new();
    for _ in 0..60 {
        idle.push(tokio::net::TcpStream::connect(gateway.addr).await.unwrap());
    }
    assert_eq!(kept.post(CHAT, &chat(false)).await.status, 200);
    drop(idle);
    eventually("new connections are served again", async || {
        let mut client = Connection::open(gateway.addr).await;
        client
            .write(
                format!("GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\r\n")
                    .as_bytes(),
            )
            .await;
        (client.head().await == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn json_of_any_depth_is_answered() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    for body in
        ["[".repeat(400_000), format!("{{\"model\":\"chat\",\"messages\":{}", "[{\"a\":".repeat(100_000))]
    {
        let lines = format!("host: x\r\ncontent-length: {}", body.len());
        let mut client = Connection::open(gateway.addr).await;
        client.write((head(&lines) + &body).as_bytes()).await;
        assert_eq!(client.answer().await.status, 400);
    }
    assert_eq!(gateway.chat(false).await.status, 200, "and the gateway lives");
}
