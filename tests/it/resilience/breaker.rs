//! A target that is down is left alone but for probes, and has its traffic back soon after its return.

use std::time::Duration;

use wellhead_sim::{Rule, Sim};

use crate::support::{
    CHAT, Gateway, KEY, Request, chat, config, dead_port, eventually, expected, fault, sim, tiers,
};

/// Requests during the outage.
const REQUESTS: usize = 80;
/// Failures in a row that open a breaker.
const FAILURES: usize = 7;

#[tokio::test]
async fn a_dead_primary_gets_probes_while_a_standby_answers_and_its_traffic_after_its_return() {
    let (primary, standby) = (sim(), sim());
    primary.set_fault(Rule::always(fault("status:503")));
    let gateway = Gateway::start(&tiers(&primary.base_url(), &standby.base_url(), "attempts_max: 3")).await;
    let expected = expected().await;
    for number in 0..REQUESTS {
        let answer = gateway.chat(number % 2 == 0).await;
        assert_eq!((answer.status, answer.content()), (200, expected.clone()), "{}", answer.everything());
        assert_eq!(answer.header("x-wellhead-survival"), "failed-over");
    }
    let log = primary.requests();
    let outage = usize::try_from((log[log.len() - 1].at - log[0].at).as_secs()).unwrap();
    assert!(log.len() >= FAILURES, "{}", log.len());
    let probes = log.len() - FAILURES;
    assert!(probes <= 3 + outage, "{probes} probes in {outage} s: waits grow from half a second");
    let metrics = gateway.metrics().await;
    let opened = r#"breaker_transitions_total{target="a/m1",from="suspect",to="open",why="consecutive"} 1"#;
    assert!(metrics.contains(opened), "{metrics}");
    let told = gateway.output().matches("is left alone").count();
    assert_eq!(told, 1, "an outage is told once, not per request");
    let status = gateway.status().await["routes"][0]["targets"][0].clone();
    assert_eq!(status["state"], "failing", "{status}");
    assert!(status["failing_for_s"].as_f64().unwrap() > 0.0, "{status}");
    primary.clear_faults();
    eventually("the primary has its traffic back", async || {
        let answer = gateway.chat(false).await;
        assert_eq!(answer.status, 200, "{}", answer.everything());
        (answer.header("x-wellhead-survival") == "direct").then_some(())
    })
    .await;
    primary.clear_log();
    for _ in 0..10 {
        assert_eq!(gateway.chat(false).await.header("x-wellhead-target"), "a/m1");
    }
    assert_eq!(primary.requests().len(), 10, "all of it");
}

#[tokio::test]
async fn a_primary_where_nobody_listens_costs_the_standbys_answers_nothing_once_it_is_known() {
    let standby = sim();
    let dead = format!("http://127.0.0.1:{}/v1", dead_port());
    let gateway = Gateway::start(&tiers(&dead, &standby.base_url(), "attempts_max: 3")).await;
    let mut attempts = 0;
    for _ in 0..REQUESTS {
        let answer = gateway.chat(false).await;
        assert_eq!(answer.status, 200, "{}", answer.everything());
        attempts += answer.header("x-wellhead-attempts").parse::<usize>().unwrap();
    }
    assert!(attempts < REQUESTS + FAILURES + 10, "{attempts} attempts for {REQUESTS} requests");
}

#[tokio::test]
async fn one_of_two_equals_that_fails_is_hardly_asked() {
    let (good, bad) = (sim(), sim());
    bad.set_fault(Rule::always(fault("status:500")));
    let text = tiers(&good.base_url(), &bad.base_url(), "attempts_max: 3").replace("tier: 1", "tier: 0");
    let gateway = Gateway::start(&text).await;
    for _ in 0..REQUESTS {
        assert_eq!(gateway.chat(false).await.status, 200);
    }
    let asked = bad.requests().len();
    assert!(asked <= REQUESTS / 4, "the one that fails was asked {asked} times by {REQUESTS} requests");
    bad.clear_faults();
    bad.clear_log();
    eventually("it takes its part again", async || {
        let crowd: Vec<_> = (0..24)
            .map(|_| tokio::spawn(Request::post(CHAT).json(&chat(false)).send(gateway.addr)))
            .collect();
        for answer in crowd {
            assert_eq!(answer.await.unwrap().status, 200);
        }
        (bad.requests().len() > 3).then_some(())
    })
    .await;
}

fn regions(america: &Sim, europe: &Sim) -> String {
    config(&format!(
        "apps:\n  dev: {{ keys: [\"{KEY}\"], regions: [eu] }}\n\
         providers:\n  \
           america: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"sk-a\"], region: us }}\n  \
           nowhere: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"sk-n\"] }}\n  \
           europe: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"sk-e\"], region: eu }}\n\
         models:\n  \
           chat: {{ targets: [{{ provider: america, model: m1 }}, {{ provider: nowhere, model: m1 }}, \
             {{ provider: europe, model: m2, tier: 1 }}], timeouts: {{ hold: 1s }} }}\n  \
           far: {{ targets: [{{ provider: america, model: m1 }}] }}\n",
        america.base_url(),
        america.base_url(),
        europe.base_url()
    ))
}

#[tokio::test]
async fn no_rung_leaves_the_regions_of_an_app() {
    let (america, europe) = (sim(), sim());
    let gateway = Gateway::start(&regions(&america, &europe)).await;
    for stream in [false, true] {
        assert_eq!(gateway.chat(stream).await.header("x-wellhead-target"), "europe/m2");
    }
    for text in ["status:503", "reset-before-headers", "status:429,retry-after=30"] {
        europe.set_fault(Rule::always(fault(text)));
        for _ in 0..3 {
            let status = gateway.chat(false).await.status;
            assert!([503, 429].contains(&status), "{text}: {status}");
        }
        europe.clear_faults();
    }
    assert_eq!(america.requests().len(), 0, "nothing may leave the region");
    let mut body = chat(false);
    body["model"] = "far".into();
    let refused = gateway.send(Request::post(CHAT).json(&body)).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "region_not_allowed"));
    assert_eq!(refused.header("x-should-retry"), "false");
    let told = refused.everything();
    for secret in ["america", "m1", "127.0.0.1", "us,", "\"eu"] {
        assert!(!told.contains(secret), "{secret} is internal: {told}");
    }
    assert_eq!(america.requests().len(), 0);
    tokio::time::timeout(Duration::from_secs(5), gateway.record(refused.header("x-request-id")))
        .await
        .unwrap();
}
