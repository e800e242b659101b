//! Metrics: the names of the contract, and labels that cannot grow without bound.

use std::collections::BTreeSet;

use serde_json::json;
use wellhead_sim::Rule;

use crate::support::{CHAT, Gateway, KEY, PROVIDER_KEY, Request, chat, eventually, fault, pair, sim};

#[tokio::test]
async fn the_core_metrics_are_there_with_their_labels() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:503")).times(1));
    let gateway = Gateway::start(&pair(&sim, "attempts_max: 3")).await;
    for stream in [true, false] {
        assert_eq!(gateway.chat(stream).await.status, 200);
    }
    let wanted = [
        "wellhead_requests_total{route=\"chat\",endpoint=\"/v1/chat/completions\",outcome=\"rescued\"} 1",
        "wellhead_requests_total{route=\"chat\",endpoint=\"/v1/chat/completions\",outcome=\"ok\"} 1",
        "wellhead_request_duration_seconds_count{route=\"chat\"} 2",
        "wellhead_time_to_first_token_seconds_count{route=\"chat\"} 1",
        "wellhead_in_flight 0",
        "wellhead_config_generation 1",
        "wellhead_config_last_reload_success 1",
        "wellhead_build_info{",
        "result=\"ok\"} ",
        "wellhead_upstream_state{target=\"",
    ];
    eventually("all metrics", async || {
        let text = gateway.metrics().await;
        wanted.iter().all(|line| text.contains(line)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_state_of_targets_is_the_same_in_metrics_and_status() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:503")).model("m1"));
    let gateway =
        Gateway::start(&crate::support::tiers(&sim.base_url(), &sim.base_url(), "attempts_max: 3")).await;
    for _ in 0..4 {
        assert_eq!(gateway.chat(false).await.status, 200);
    }
    let status = gateway.status().await;
    let text = gateway.metrics().await;
    for target in status["routes"][0]["targets"].as_array().unwrap() {
        let (name, state) = (target["target"].as_str().unwrap(), target["state"].as_str().unwrap());
        let line = format!("wellhead_upstream_state{{target=\"{name}\",state=\"{state}\"}} 1");
        assert!(
            text.contains(&line),
            "status says {state} of {name}, the metrics say otherwise:\n{}",
            text.lines()
                .filter(|line| line.starts_with("wellhead_upstream_state"))
                .collect::<Vec<_>>()
                .join("\n")
        );
    }
}

fn series(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[tokio::test]
async fn what_clients_send_makes_no_new_series() {
    let sim = sim();
    let gateway = Gateway::start(&pair(&sim, "attempts_max: 3")).await;
    let strange = async |index: usize| {
        let mut body = chat(false);
        body["model"] = json!(format!("made-up-{index}"));
        body["user"] = json!(format!("user-{index}"));
        let ok = Request::post(CHAT).json(&chat(false)).header("x-request-id", &format!("id-{index}"));
        for request in [
            Request::post(CHAT).json(&body),
            Request::get(&format!("/made/up/{index}")),
            Request::new(&format!("M{index}"), "/v1/models"),
            Request::post(CHAT).set("authorization", &format!("Bearer wh-{index}")).json(&chat(false)),
            ok,
        ] {
            gateway.send(request).await;
        }
    };
    strange(0).await;
    let before = eventually("the first requests are counted", async || {
        let series = series(&gateway.metrics().await);
        series.iter().any(|name| name.contains("outcome=\"ok\"")).then_some(series)
    })
    .await;
    for index in 1..20 {
        strange(index).await;
    }
    let text = gateway.metrics().await;
    let new: Vec<_> = series(&text).difference(&before).cloned().collect();
    // The second of two targets may be asked for the first time.
    let new: Vec<_> = new.into_iter().filter(|name| !name.contains("target=")).collect();
    assert!(new.is_empty(), "{new:?}");
    for secret in [KEY, PROVIDER_KEY, "made-up", "/made/up", "user-1"] {
        assert!(!text.contains(secret), "{secret}");
    }
}
