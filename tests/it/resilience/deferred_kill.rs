//! `kill -9` of the gateway at any moment loses no request that got a 202, and has none done twice.
//!
//! `WELLHEAD_KILLS` says how often (20), `WELLHEAD_SEED` when; both are printed. The provider honours idempotency keys, as the
//! promise needs; its log is the witness of what was done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use wellhead_sim::{Rule, Sim, SimOptions};

use super::deferred::{deferring, later, question, reaches, worked};
use crate::support::{CHAT, Connection, Gateway, Request, eventually, fault, sim_with};

/// Kills, unless somebody asks for more.
const ROUNDS: u64 = 20;
/// Kills after which everything that was promised until then is looked at.
const LOOK_EVERY: u64 = 20;
/// Clients that send one request after the other until the gateway is killed.
const CLIENTS: u64 = 4;

type Promises = Arc<Mutex<HashMap<String, String>>>;

/// Sends one request after the other until the gateway is gone, and notes what it was promised.
async fn client(to: std::net::SocketAddr, name: String, promises: Promises) {
    for number in 0.. {
        let text = format!("{name}, question {number}");
        let request = later(&text).header("idempotency-key", &text.replace(' ', "-"));
        // A gateway that has died refuses the next connection.
        let Ok(socket) = tokio::net::TcpStream::connect(to).await else { return };
        let mut connection = Connection::over(socket);
        connection.write(&request.bytes(to)).await;
        let answer = connection.answer().await;
        let document = serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap_or_default();
        match document["id"].as_str() {
            Some(id) if answer.status == 202 => drop(promises.lock().unwrap().insert(id.to_owned(), text)),
            // Cut while it was being sent: nothing was promised that the client could know of.
            _ => return assert!(answer.status == 202 || answer.status == 0, "{}", answer.everything()),
        }
    }
}

/// SplitMix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^ (z >> 27)
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Everything that was promised has been answered, each by work that was done once.
async fn all_kept(gateway: &Gateway, sim: &Sim, promises: &HashMap<String, String>) -> usize {
    for (id, text) in promises {
        reaches(gateway, id, "completed").await;
        let answer = gateway.send(Request::get(&format!("/v1/deferred/{id}/result"))).await;
        let direct = Request::post(CHAT).json(&question(text)).send(sim.addr()).await;
        assert_eq!(answer.content(), direct.content(), "{id}");
    }
    let mut times: HashMap<String, u32> = HashMap::new();
    for request in worked(sim) {
        if let Some(key) = request.header("idempotency-key") {
            *times.entry(key.to_owned()).or_default() += 1;
        }
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "done more than once: {twice:?}");
    for id in promises.keys() {
        assert_eq!(times.get(&format!("wellhead-{id}")), Some(&1), "{id} is answered, but was not done");
    }
    sim.requests().iter().filter(|request| request.replayed).count()
}

#[tokio::test]
async fn killing_the_gateway_loses_no_promise_and_does_nothing_twice() {
    let seed = from_environment("WELLHEAD_SEED").unwrap_or_else(|| std::process::id().into());
    let rounds = from_environment("WELLHEAD_KILLS").unwrap_or(ROUNDS);
    println!("WELLHEAD_SEED={seed} WELLHEAD_KILLS={rounds}");
    let mut rng = seed;
    let sim = sim_with(SimOptions {
        token_pace: Duration::from_micros(500),
        tokens_default: 24,
        log_entries_max: 1_000_000,
        ..SimOptions::default()
    });
    let limits = "defer: { requests_max: 1000000, app_requests_max: 1000000, keep: 10m }\n";
    let text = deferring(&sim.base_url(), "{ concurrency: 8 }", limits);
    let (dir, promises) = (Arc::new(TempDir::new().unwrap()), Promises::default());
    let (mut promised, mut again) = (0, 0);
    for round in 1..=rounds {
        // In every third round nobody is there: what is promised gathers.
        sim.clear_faults();
        if round % 3 == 0 {
            sim.set_fault(Rule::always(fault("status:503")));
        }
        let gateway = Gateway::start_in(Arc::clone(&dir), Some(&text), &[]).await;
        let enough = promises.lock().unwrap().len() + (random(&mut rng) % 8) as usize;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|n| {
                tokio::spawn(client(gateway.addr, format!("round {round} client {n}"), promises.clone()))
            })
            .collect();
        eventually("promises are made", async || (promises.lock().unwrap().len() > enough).then_some(()))
            .await;
        // Nothing depends on when exactly: that is the point.
        tokio::time::sleep(Duration::from_micros(random(&mut rng) % 30_000)).await;
        gateway.kill().await;
        for client in clients {
            client.await.unwrap();
        }
        if round % LOOK_EVERY == 0 || round == rounds {
            sim.clear_faults();
            let gateway = Gateway::start_in(Arc::clone(&dir), Some(&text), &[]).await;
            let made = std::mem::take(&mut *promises.lock().unwrap());
            again += all_kept(&gateway, &sim, &made).await;
            promised += made.len();
            gateway.kill().await;
            sim.clear_log();
        }
    }
    assert!(promised as u64 > rounds, "{promised} promises in {rounds} rounds");
    println!("deferred: {rounds} kills, {promised} promises, {again} asked for again, 0 lost, 0 done twice");
}
