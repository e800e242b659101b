//! Request bodies go out as they came in, up to the limit.

use serde_json::json;

use crate::support::{CHAT, Connection, Gateway, KEY, PROVIDER_KEY, Request, chat, config, sim, single};

#[tokio::test]
async fn every_byte_survives_but_for_the_model() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    for body in [
        r#"{"messages":[{"role":"user","content":"chat"}],"model":"chat","unknown_field":{"a":[1.50,1e3,-0.0,12345678901234567890]}}"#,
        "{ \"model\" :\t\"chat\" ,\r\n \"messages\": [ {\"role\":\"user\", \"content\":\"\\u00e4\\/\\ud83d\\ude00 \u{1f600}\"} ], \"seed\":7 }",
        r#"{"metadata":{"model":"chat"},"messages":[{"role":"user","content":"{\"model\":\"chat\"}"}],"user":null,"model":"chat"}"#,
    ] {
        sim.clear_log();
        let answer = gateway.send(Request::post(CHAT).body("application/json", body)).await;
        assert_eq!(answer.status, 200, "{}", answer.everything());
        let at = body
            .rfind("\"model\"")
            .filter(|_| !body.ends_with("7 }"))
            .unwrap_or_else(|| body.find("\"model\"").unwrap());
        let wanted = format!("{}{}", &body[..at], body[at..].replacen("\"chat\"", "\"m1\"", 1));
        assert_eq!(String::from_utf8_lossy(&sim.requests()[0].body), wanted);
    }
}

#[tokio::test]
async fn what_is_not_a_request_is_refused_with_the_field_that_is_wrong() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    for (body, part) in [
        ("", "JSON"),
        ("{\"model\":\"chat\",", "JSON"),
        ("[]", "object"),
        ("{\"messages\":[]}", "model"),
        ("{\"model\":7,\"messages\":[]}", "model"),
        ("{\"model\":\"\",\"messages\":[]}", "model"),
    ] {
        let answer = gateway.send(Request::post(CHAT).body("application/json", body)).await;
        let status = answer.status;
        assert!(status == 400 || (status == 404 && body.contains("\"\"")), "{body}: {}", answer.everything());
        let error = answer.error();
        assert!(error["message"].as_str().unwrap().contains(part), "{body}: {error}");
        assert_eq!(
            (&error["type"], &error["source"]),
            (&json!("invalid_request_error"), &json!("client")),
            "{body}"
        );
        assert_eq!(answer.header("x-should-retry"), "false", "{body}");
        if part == "model" {
            assert_eq!(error["param"], "model", "{body}");
        }
    }
    assert!(sim.requests().is_empty());
}

#[tokio::test]
async fn a_body_in_chunks_arrives_whole() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let body = chat(false).to_string();
    let (start, end) = body.split_at(20);
    let mut client = Connection::open(gateway.addr).await;
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    client.write(head.as_bytes()).await;
    for part in [start, end] {
        client.write(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).await;
    }
    client.write(b"0\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(sim.requests()[0].json()["messages"], chat(false)["messages"]);
}

#[tokio::test]
async fn expect_100_continue_is_answered_before_the_body() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let body = chat(false).to_string();
    let mut client = Connection::open(gateway.addr).await;
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\nexpect: 100-continue\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    client.write(head.as_bytes()).await;
    client.until("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.write(body.as_bytes()).await;
    assert_eq!(client.answer().await.status, 200);
}

fn limited(sim: &wellhead_sim::Sim) -> String {
    config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"{PROVIDER_KEY}\"] }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}] }}\n\
         limits: {{ body_bytes_max: 1MiB }}\n",
        sim.base_url()
    ))
}

#[tokio::test]
async fn a_body_that_is_declared_too_large_is_refused_before_it_is_sent() {
    let sim = sim();
    let gateway = Gateway::start(&limited(&sim)).await;
    let mut client = Connection::open(gateway.addr).await;
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n\
         content-length: 50000000\r\n\r\n{{"
    );
    client.write(head.as_bytes()).await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 413, "{}", answer.everything());
    assert!(
        answer.error()["message"].as_str().unwrap().contains("1048576") || answer.text().contains("1 MiB")
    );
    assert_eq!(answer.header("x-should-retry"), "false");
    assert!(sim.requests().is_empty());
}

#[tokio::test]
async fn a_body_in_chunks_is_refused_when_it_passes_the_limit() {
    let sim = sim();
    let gateway = Gateway::start(&limited(&sim)).await;
    let mut client = Connection::open(gateway.addr).await;
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    client.write(head.as_bytes()).await;
    let chunk = [b"8000\r\n".as_slice(), &[b' '; 0x8000], b"\r\n"].concat();
    // A little more than the limit, and no end: the answer does not wait for one.
    for _ in 0..34 {
        client.write(&chunk).await;
    }
    let answer = client.answer().await;
    assert_eq!(answer.status, 413, "{}", answer.everything());
    assert!(sim.requests().is_empty());
}

#[tokio::test]
async fn a_large_body_below_the_limit_passes_and_is_kept_for_a_second_attempt() {
    let sim = wellhead_sim::Sim::start(wellhead_sim::SimOptions {
        token_pace: std::time::Duration::ZERO,
        ..wellhead_sim::SimOptions::default()
    })
    .unwrap();
    sim.set_fault(wellhead_sim::Rule::always(crate::support::fault("status:503")).times(1));
    let gateway = Gateway::start(&crate::support::pair(&sim, "attempts_max: 3")).await;
    let mut body = chat(false);
    body["messages"][0]["content"] = "x".repeat(8 << 20).into();
    let answer = gateway.send(Request::post(CHAT).json(&body)).await;
    assert_eq!(
        (answer.status, answer.header("x-wellhead-survival")),
        (200, "retried"),
        "{:?}",
        answer.headers
    );
    let log = sim.requests();
    assert_eq!((log.len(), log[0].body_bytes), (2, log[1].body_bytes));
    assert_eq!(
        log[1].body_bytes,
        body.to_string().len() as u64 - 2,
        "\"m2\" is two bytes shorter than \"chat\""
    );
}
