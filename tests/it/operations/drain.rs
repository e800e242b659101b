//! SIGTERM: not ready at once, streams to their end, then exit code 0.

use wellhead_sim::Rule;

use crate::support::{CHAT, Connection, Gateway, Request, chat, eventually, expected, fault, sim, single};

#[tokio::test]
async fn a_drain_lets_streams_finish_and_exits_with_0() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("slow-tokens:80")));
    let mut gateway = Gateway::start(&single(&sim)).await;
    let mut client = Request::post(CHAT).json(&chat(true)).open(gateway.addr).await;
    assert_eq!(client.head().await, 200);
    gateway.signal("TERM");
    eventually("/readyz says 503", async || (gateway.admin_get("/readyz").await.status == 503).then_some(()))
        .await;
    assert_eq!(gateway.admin_get("/livez").await.status, 200, "a draining process is alive");
    let answer = client.answer().await;
    assert!(answer.done(), "{}", answer.text());
    assert_eq!(answer.content(), expected().await);
    assert_eq!(gateway.ended().await.code(), Some(0));
}

#[tokio::test]
async fn while_drain_min_runs_requests_are_served_and_connections_closed() {
    let sim = sim();
    let mut gateway = Gateway::start(&single(&sim).replace("drain_min: 0s", "drain_min: 2s")).await;
    gateway.signal("TERM");
    eventually("/readyz says 503", async || (gateway.admin_get("/readyz").await.status == 503).then_some(()))
        .await;
    let answer = gateway.chat(false).await;
    assert_eq!((answer.status, answer.header("connection")), (200, "close"), "{}", answer.everything());
    assert_eq!(gateway.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_drain_does_not_wait_for_streams_beyond_its_maximum() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("stall-after:3")));
    let mut gateway = Gateway::start(&single(&sim).replace("drain_max: 20s", "drain_max: 1s")).await;
    let mut client = Request::post(CHAT).json(&chat(true)).open(gateway.addr).await;
    assert_eq!(client.head().await, 200);
    gateway.signal("TERM");
    gateway.ended().await;
    let (rest, _) = client.rest().await;
    assert!(!String::from_utf8_lossy(&rest).contains("[DONE]"));
}

#[tokio::test]
async fn a_second_sigterm_ends_the_drain() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("stall-after:3")));
    let mut gateway = Gateway::start(&single(&sim).replace("drain_max: 20s", "drain_max: 600s")).await;
    let mut client = Request::post(CHAT).json(&chat(true)).open(gateway.addr).await;
    assert_eq!(client.head().await, 200);
    gateway.signal("TERM");
    eventually("/readyz says 503", async || (gateway.admin_get("/readyz").await.status == 503).then_some(()))
        .await;
    gateway.signal("TERM");
    gateway.ended().await;
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_end() {
    let sim = sim();
    let mut gateway = Gateway::start(&single(&sim)).await;
    let _idle = Connection::open(gateway.addr).await;
    let mut used = Request::post(CHAT).json(&chat(false)).open(gateway.addr).await;
    assert_eq!(used.next_answer().await.status, 200);
    gateway.signal("TERM");
    assert_eq!(gateway.ended().await.code(), Some(0));
}
