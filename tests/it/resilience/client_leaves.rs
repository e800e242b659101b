//! A client that leaves takes its upstream call with it, at once.

use std::time::Duration;

use wellhead_sim::{Ended, Rule, Sim};

use crate::support::{
    CHAT, Gateway, H2, LIMIT, Request, UNUSED, chat, eventually, fault, pair, sim, sim_paced, single,
};

/// "At once", with room for a busy machine.
const SOON: Duration = Duration::from_secs(3);

async fn assert_left(sim: &Sim) {
    let gone = |log: &[wellhead_sim::LoggedRequest]| {
        log.len() == 1 && log[0].ended == Some(Ended::ClientDisconnected)
    };
    sim.wait_for(gone, SOON).await.unwrap();
    assert_eq!(sim.in_flight(), 0);
}

#[tokio::test]
async fn leaving_a_stream_cancels_the_upstream() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("stall-after:3")));
    let gateway = Gateway::start(&single(&sim)).await;
    let mut client = Request::post(CHAT).json(&chat(true)).open(gateway.addr).await;
    assert_eq!(client.head().await, 200);
    client.until("content").await;
    drop(client);
    assert_left(&sim).await;
    let record = eventually("its access record", async || gateway.records().into_iter().next()).await;
    assert_eq!(record["outcome"], "cancelled", "{record}");
}

#[tokio::test]
async fn leaving_before_an_unstreamed_answer_cancels_the_upstream() {
    let sim = sim_paced(UNUSED);
    let gateway = Gateway::start(&single(&sim)).await;
    let client = Request::post(CHAT).json(&chat(false)).open(gateway.addr).await;
    sim.wait_for(|log| log.len() == 1, LIMIT).await.unwrap();
    drop(client);
    assert_left(&sim).await;
    let record = eventually("its access record", async || gateway.records().into_iter().next()).await;
    assert_eq!(record["outcome"], "cancelled", "{record}");
}

#[tokio::test]
async fn leaving_before_the_first_token_cancels_the_upstream_and_tries_nobody_else() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("silence")));
    let gateway = Gateway::start(&pair(&sim, "timeouts: { first_token: 5s }")).await;
    let client = Request::post(CHAT).json(&chat(true)).open(gateway.addr).await;
    sim.wait_for(|log| log.len() == 1, LIMIT).await.unwrap();
    drop(client);
    assert_left(&sim).await;
}

#[tokio::test]
async fn resetting_an_http2_stream_cancels_its_upstream_and_no_other() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("stall-after:3")));
    let gateway = Gateway::start(&single(&sim)).await;
    let mut client = H2::connect(gateway.addr).await;
    let left = client.open(CHAT, &chat(true)).await.unwrap();
    let stays = client.open(CHAT, &chat(true)).await.unwrap();
    sim.wait_for(|log| log.len() == 2 && log.iter().all(|seen| seen.tokens_sent == 3), LIMIT).await.unwrap();
    drop(left);
    let one =
        |log: &[wellhead_sim::LoggedRequest]| log.iter().filter(|seen| seen.ended.is_some()).count() == 1;
    sim.wait_for(one, SOON).await.unwrap();
    assert_eq!(sim.in_flight(), 1);
    drop(stays);
    sim.wait_for(|log| log.iter().all(|seen| seen.ended.is_some()), SOON).await.unwrap();
}
