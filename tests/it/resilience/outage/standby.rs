//! The primary is down, a standby is there: no request fails, the dead one is asked by probes only, and it has its
//! traffic back soon after its return.

use std::time::{Duration, Instant};

use serde_json::Value;
use wellhead_sim::Rule;

use super::deaths::{Death, Mortal};
use super::load::{CLIENTS, Load, Served};
use crate::support::{Gateway, eventually, expected, fault, metric, sim, tiers};

/// Requests before the outage; more than it takes to learn how long an answer takes.
const HEALTHY: usize = 90;
/// Requests while the primary is down, at least.
const DOWN: usize = 240;
/// Requests once the primary has its traffic back.
const AFTER: usize = 60;
/// Failures in a row that open a breaker.
const FAILURES: usize = 7;
/// Probes of an outage, at least: with fewer, nothing would be known of how they are spaced.
const PROBES: u64 = 2;
/// Within this the traffic is back; the longest wait of a breaker.
const BACK_MAX: Duration = Duration::from_secs(30);
/// Silence is given up and connecting too, soon enough for a test and late enough for a busy machine.
const SETTINGS: &str = "attempts_max: 3\n    timeouts: { first_token: 1500ms }";
/// Callers of whole answers have less time than a patient gateway would give a target that has gone silent.
const IN_A_HURRY: &str = "attempts_max: 3\n    timeouts: { deadline: 8s }";

/// Probes that fit into so long an outage: the first wait is at least half a second, and each is twice the one before.
fn probes_max(outage: Duration) -> usize {
    (0..).take_while(|n| 0.5 * ((1_u64 << n) as f64 - 1.0) <= outage.as_secs_f64()).count()
}

/// Attempts at the primary that failed, by the access records of all requests.
async fn failed_attempts(gateway: &Gateway, served: &[Served]) -> usize {
    let records: Vec<Value> = eventually("a record of every request", async || {
        let records = gateway.records();
        (served.iter().all(|one| records.iter().any(|record| record["request_id"] == one.id.as_str())))
            .then_some(records)
    })
    .await;
    let attempts = records.iter().flat_map(|record| record["attempts"].as_array().unwrap());
    attempts.filter(|attempt| attempt["target"] == "a/m1" && attempt["result"] != "ok").count()
}

async fn probes(gateway: &Gateway) -> u64 {
    let series = r#"wellhead_breaker_transitions_total{target="a/m1",from="open",to="probing",why="due"}"#;
    metric(gateway, series).await
}

async fn outage(death: Death, stream: bool) {
    let expected = expected().await;
    let mut primary = Mortal::start(Duration::from_millis(1));
    let standby = sim();
    let settings = if death == Death::Silent && !stream { IN_A_HURRY } else { SETTINGS };
    let text = tiers(&primary.base_url(), &standby.base_url(), settings)
        .replace("-a\"] }", "-a\"], timeouts: { connect: 500ms } }");
    let gateway = Gateway::start(&text).await;
    let load = Load::start(gateway.addr, stream, &expected);
    load.more(HEALTHY).await;
    primary.die(death).await;
    let died = Instant::now();
    load.more(DOWN).await;
    eventually("probes", async || (probes(&gateway).await >= PROBES).then_some(())).await;
    let witnessed = primary.seen().iter().filter(|seen| seen.fault.is_some()).count();
    let back = primary.come_back();
    let first = load
        .until("the primary is asked again", |served| {
            served.iter().find(|one| one.began > back && one.target == "a/m1").cloned()
        })
        .await;
    load.more(AFTER).await;
    let served = load.stop().await;

    let lost: Vec<&String> = served.iter().filter_map(|one| one.loss.as_ref()).collect();
    assert!(
        lost.is_empty(),
        "{death:?}: {} of {} were lost; the first: {}",
        lost.len(),
        served.len(),
        lost[0]
    );
    let took = first.ended - back;
    assert!(took < BACK_MAX, "{death:?}: the traffic was back after {took:?}");
    let later: Vec<&Served> = served.iter().filter(|one| one.began > first.ended).collect();
    let elsewhere = later.iter().filter(|one| one.target != "a/m1").count();
    assert_eq!(elsewhere, 0, "{death:?}: of {} requests after its return", later.len());
    // Before it was known to be dead every client was with it, or on the way to it.
    let failed = failed_attempts(&gateway, &served).await;
    let most = FAILURES + 2 * CLIENTS + probes_max(back - died);
    assert!(failed <= most, "{death:?}: {failed} attempts in {:?}, {most} were to be expected", back - died);
    assert!(failed >= FAILURES, "{death:?}: {failed} failed attempts cannot have opened it");
    assert!(witnessed <= failed, "{death:?}: it saw {witnessed} attempts, {failed} are in the records");
    if matches!(death, Death::Silent | Death::Failing | Death::Resetting) {
        assert!(witnessed >= FAILURES, "{death:?}: it saw {witnessed} attempts");
    }
}

macro_rules! outages {
    ($($name:ident: $death:ident $stream:literal;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                outage(Death::$death, $stream).await;
            }
        )*
    };
}

outages! {
    a_primary_that_is_gone: Gone false;
    a_primary_that_is_gone_streamed: Gone true;
    a_primary_behind_a_partition: Unreachable false;
    a_primary_behind_a_partition_streamed: Unreachable true;
    a_primary_that_is_silent: Silent false;
    a_primary_that_is_silent_streamed: Silent true;
    a_primary_that_fails: Failing false;
    a_primary_that_fails_streamed: Failing true;
    a_primary_that_breaks_off: Resetting false;
    a_primary_that_breaks_off_streamed: Resetting true;
}

#[tokio::test]
async fn a_slow_standby_is_waited_for_when_the_primary_is_known_to_be_dead() {
    let (primary, standby) = (sim(), sim());
    primary.set_fault(Rule::always(fault("status:503")));
    let text = tiers(
        &primary.base_url(),
        &standby.base_url(),
        "attempts_max: 4\n    timeouts: { first_token: 500ms }",
    );
    let gateway = Gateway::start(&text).await;
    for _ in 0..FAILURES {
        assert_eq!(gateway.chat(true).await.status, 200);
    }
    standby.set_fault(Rule::always(fault("slow-first-token:1500")));
    let answer = gateway.chat(true).await;
    assert!(answer.status == 200 && answer.done(), "{}", answer.everything());
}
