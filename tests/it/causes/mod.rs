//! Causes (judge 6): for each cause that can arise, exactly that one is brought about over real sockets, with a name
//! server and TLS servers of the test's own, and the printed code has to be the one that was injected.

mod config_rejected;
mod dns;
mod drills;
mod page;
mod servers;
mod told;
mod world;

use std::collections::BTreeMap;

use crate::support::Ending;
use world::{Case, Printed};

/// Runs in which another code was printed, of a hundred.
const CONFUSED_PERCENT_MAX: usize = 5;

/// Printed codes by injected ones.
type Matrix = BTreeMap<&'static str, BTreeMap<String, usize>>;

#[tokio::test]
async fn every_cause_is_told_apart() {
    let mut matrix = Matrix::new();
    let mut wrong = Vec::new();
    let mut count = |injected: &'static str, printed: &str, why: &dyn std::fmt::Display| {
        *matrix.entry(injected).or_default().entry(printed.to_owned()).or_default() += 1;
        if injected != printed {
            wrong.push(format!("{injected} was told as {printed:?}: {why}"));
        }
    };
    for (case, printed) in world::run(&drills::all()).await {
        let label = format!("{:?} streamed: {}", case.drill.inject, case.streamed);
        count(case.drill.cause.as_str(), &printed.cause, &format!("{label}: {}", printed.evidence));
        discreet(&case, &printed);
    }
    for (variant, printed) in config_rejected::run().await {
        count("CONFIG_REJECTED_KEPT_OLD", &printed, &variant);
    }
    let runs: usize = matrix.values().flat_map(BTreeMap::values).sum();
    println!("causes: {runs} runs, {} told as another", wrong.len());
    let told = wrong.join("\n");
    assert!(!matrix.values().any(|printed| printed.contains_key("")), "a failure without a cause:\n{told}");
    assert!(wrong.len() * 100 <= runs * CONFUSED_PERCENT_MAX, "{} of {runs} runs:\n{told}", wrong.len());
    page::check(&matrix);
}

/// What the client gets says why, and nothing about addresses, names of hosts or keys.
fn discreet(case: &Case, printed: &Printed) {
    let (answer, drill) = (&printed.answer, &case.drill);
    let told = answer.everything();
    for secret in ["127.0.0.1", "224.0.0.1", world::ZONE, world::KEYS] {
        assert!(!told.contains(secret), "{secret} is internal: {drill:?}: {told}");
    }
    if drill.cause.is_survived() {
        assert_eq!((answer.status, answer.ending), (200, Ending::Proper), "{drill:?}: {told}");
        return;
    }
    assert!(printed.evidence["message"].as_str().is_some_and(|m| m.len() > 20), "{drill:?}: {told}");
    if answer.status != 200 {
        let status = answer.header("proxy-status");
        assert!(status.starts_with("wellhead; error=") && status.contains(&printed.cause), "{status}");
    }
}
