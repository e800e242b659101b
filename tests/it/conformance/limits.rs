//! Limits of an app: requests and tokens per minute, and requests at once.

use serde_json::json;
use wellhead_sim::{Rule, Sim};

use crate::support::{Answer, CHAT, Gateway, KEY, LIMIT, Request, chat, config, eventually, fault, sim};

const OTHER: &str = "wh-other-0123456789abcdef";

fn limited(sim: &Sim, limits: &str) -> String {
    config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [k-1] }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}] }}\n\
         apps:\n  dev: {{ keys: [\"{KEY}\"], limits: {{ {limits} }} }}\n  other: {{ keys: [\"{OTHER}\"] }}\n",
        sim.base_url()
    ))
}

fn assert_limited(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (429, "rate_limit_exceeded"),
        "{}",
        answer.everything()
    );
    assert_eq!(answer.header("x-should-retry"), "true");
    for member in ["type", "message", "param", "source", "request_id"] {
        assert!(answer.error().get(member).is_some(), "{member} is missing in {}", answer.text());
    }
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn requests_per_minute_are_counted_down_and_then_refused() {
    let sim = sim();
    let gateway = Gateway::start(&limited(&sim, "rpm: 3")).await;
    for left in ["2", "1", "0"] {
        let answer = gateway.chat(false).await;
        assert_eq!(answer.status, 200, "{}", answer.everything());
        assert_eq!(answer.header("x-ratelimit-limit-requests"), "3");
        assert_eq!(answer.header("x-ratelimit-remaining-requests"), left);
        assert!(!answer.header("x-ratelimit-reset-requests").is_empty());
    }
    let answer = gateway.chat(true).await;
    assert_limited(&answer);
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), "0");
    assert_eq!(sim.requests().len(), 3, "what is refused costs no upstream call");
    let other = Request::post(CHAT).set("authorization", &format!("Bearer {OTHER}")).json(&chat(false));
    let other = gateway.send(other).await;
    assert_eq!(
        (other.status, other.header("x-ratelimit-limit-requests")),
        (200, ""),
        "limits belong to one app"
    );
}

#[tokio::test]
async fn what_no_target_serves_costs_the_app_nothing() {
    let sim = sim();
    let gateway =
        Gateway::start(&limited(&sim, "rpm: 1").replace("kind: openai-compatible", "kind: anthropic-openai"))
            .await;
    for _ in 0..2 {
        let body = json!({"model": "chat", "input": "x"});
        let answer = gateway.send(Request::post("/v1/embeddings").json(&body)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "endpoint_not_served"),
            "{}",
            answer.everything()
        );
    }
    let answer = gateway.chat(false).await;
    assert_eq!(answer.status, 200, "{}", answer.everything());
    assert_limited(&gateway.chat(false).await);
}

#[tokio::test]
async fn tokens_are_reserved_before_and_settled_after() {
    let sim = sim();
    let gateway = Gateway::start(&limited(&sim, "tpm: 1000")).await;
    let mut body = chat(false);
    body["max_tokens"] = json!(600);
    // Two reservations of 600 do not fit into 1000, but what is not used is given back.
    for _ in 0..4 {
        let answer = gateway.send(Request::post(CHAT).json(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.everything());
        assert_eq!(answer.header("x-ratelimit-limit-tokens"), "1000");
        assert!(answer.header("x-ratelimit-remaining-tokens").parse::<u64>().is_ok());
    }
    body["max_tokens"] = json!(2000);
    let answer = gateway.send(Request::post(CHAT).json(&body)).await;
    assert_eq!(answer.status, 429, "more than the whole limit can never be served: {}", answer.everything());
    assert_eq!(sim.requests().len(), 4);
}

#[tokio::test]
async fn a_reservation_holds_while_the_answer_is_under_way() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("stall-after:2")));
    let gateway = Gateway::start(&limited(&sim, "tpm: 1000")).await;
    let mut body = chat(true);
    body["max_tokens"] = json!(600);
    let mut first = Request::post(CHAT).json(&body).open(gateway.addr).await;
    assert_eq!(first.head().await, 200);
    assert_limited(&gateway.send(Request::post(CHAT).json(&body)).await);
    drop(first);
    sim.clear_faults();
    eventually("the reservation is given back", async || {
        let answer = gateway.send(Request::post(CHAT).json(&body)).await;
        (answer.status == 200 && answer.done()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn only_so_many_requests_run_at_once() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("stall-after:2")));
    let gateway = Gateway::start(&limited(&sim, "concurrency: 2")).await;
    let mut running = Vec::new();
    for _ in 0..2 {
        let mut client = Request::post(CHAT).json(&chat(true)).open(gateway.addr).await;
        assert_eq!(client.head().await, 200);
        running.push(client);
    }
    assert_limited(&gateway.chat(true).await);
    running.pop();
    sim.clear_faults();
    eventually("the place of the client that left is free", async || {
        (gateway.chat(true).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn no_race_lets_more_requests_through_than_allowed() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("stall-after:2")));
    let text = limited(&sim, "concurrency: 4").replace("workers: 1", "workers: 2");
    let gateway = Gateway::start(&text).await;
    let clients = (0..24).map(|_| {
        let to = gateway.addr;
        tokio::spawn(async move {
            let mut client = Request::post(CHAT).json(&chat(true)).open(to).await;
            (client.head().await, client)
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut open = Vec::new();
    for client in clients {
        open.push(client.await.unwrap());
    }
    let count = |status| open.iter().filter(|(got, _)| *got == status).count();
    assert_eq!((count(200), count(429)), (4, 20));
    sim.wait_for(|log| log.len() == 4, LIMIT).await.unwrap();
    drop(open);
    sim.wait_for(|log| log.iter().all(|seen| seen.ended.is_some()), LIMIT).await.unwrap();
}
