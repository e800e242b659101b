//! A client that reads slowly costs a buffer, not an answer.

use std::time::Duration;

use wellhead_sim::{Rule, Sim};

use crate::support::{CHAT, Gateway, LIMIT, Request, chat, eventually, fault, sim_paced, single};

/// An answer of about 60 MB on the wire.
const TOKENS: u64 = 200_000;
/// Growth that buffers and the allocator may cause; far below the answer.
const GROWTH_BYTES_MAX: u64 = 16 << 20;

/// Waits until the upstream cannot send any more; returns how much it has sent.
async fn blocked(sim: &Sim) -> u64 {
    sim.wait_for(|log| !log.is_empty() && log[0].tokens_sent > 0, LIMIT).await.unwrap();
    eventually("the upstream is held back", async || {
        let before = sim.requests()[0].tokens_sent;
        // A pause in which nothing was sent is what is looked for; a shorter one is not taken for it.
        tokio::time::sleep(Duration::from_millis(400)).await;
        (sim.requests()[0].tokens_sent == before).then_some(before)
    })
    .await
}

#[tokio::test]
async fn a_reader_that_stops_holds_the_upstream_back_and_does_not_grow_the_gateway() {
    let sim = sim_paced(Duration::ZERO);
    sim.set_fault(Rule::always(fault(&format!("tokens:{TOKENS}"))));
    let gateway = Gateway::start(&single(&sim)).await;
    sim.set_fault(Rule::always(fault("tokens:100")).times(1));
    assert!(gateway.chat(true).await.done());
    sim.clear_log();
    let before = gateway.resident_bytes();
    let mut client = Request::post(CHAT).json(&chat(true)).open(gateway.addr).await;
    assert_eq!(client.head().await, 200);
    let sent = blocked(&sim).await;
    assert!(sent < TOKENS, "the answer does not fit into the buffers of three sockets");
    let grown = gateway.resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH_BYTES_MAX, "the gateway grew by {grown} bytes");
    let answer = client.answer().await;
    assert!(answer.done(), "once it is read, the rest comes");
    assert_eq!(answer.data().len() as u64, TOKENS + 3, "role, tokens, finish reason, end mark");
    let grown = gateway.resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH_BYTES_MAX, "the gateway grew by {grown} bytes while the answer was read");
}
