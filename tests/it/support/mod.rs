//! What every test needs: a gateway process, simulated providers, and clients that see what is on the wire.

mod client;
mod config;
/// A name server of the test's own, shared with the tests of the resolver.
#[path = "../../../crates/wellhead-net/tests/dns/authority.rs"]
#[expect(dead_code, reason = "the tests of the resolver ask more of it")]
pub(crate) mod dns;
mod gateway;
mod guard;
mod h2;
mod sims;

pub(crate) use client::{Answer, Connection, Ending, Request};
pub(crate) use config::{KEY, PROVIDER_KEY, config, pair, single, tiers};
pub(crate) use gateway::{Gateway, binary};
pub(crate) use guard::{Asked, Guard, Ruling};
pub(crate) use h2::H2;
pub(crate) use sims::{
    SimProcess, UNUSED, dead_port, expected, fault, json_reply, sim, sim_paced, sim_with, tls_identity,
};

use std::future::Future;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longest wait for anything that is promised to happen; generous, because the machine may be busy.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// The chat endpoint.
pub(crate) const CHAT: &str = "/v1/chat/completions";

/// A chat request for the model `chat`.
pub(crate) fn chat(stream: bool) -> Value {
    json!({"model": "chat", "stream": stream, "messages": [{"role": "user", "content": "Tell me about wells."}]})
}

/// Asks again and again until `look` finds something, and panics with `what` when it does not within [`LIMIT`].
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < LIMIT, "this did not happen within {LIMIT:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The value of a series of the gateway's metrics; 0 while there is none.
pub(crate) async fn metric(gateway: &Gateway, series: &str) -> u64 {
    let text = gateway.metrics().await;
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}
