//! Where a cause is told: the story of the request, the log, the status, the metrics.

use std::process::Output;

use serde_json::Value;
use tokio::process::Command;
use wellhead_sim::Rule;

use crate::support::{
    CHAT, Gateway, Request, binary, chat, config, dead_port, eventually, fault, pair, sim, single, tiers,
};

fn named(id: &str) -> Request {
    Request::post(CHAT).json(&chat(false)).header("x-request-id", id)
}

async fn explain(gateway: &Gateway, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.arg("explain").args(arguments).arg("--admin").arg(gateway.admin.to_string());
    command.arg("--data-dir").arg(gateway.dir().join("data")).env_clear().output().await.unwrap()
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/v1")
}

#[tokio::test]
async fn a_failed_request_is_explained_with_everything_that_the_client_was_not_told() {
    let (first, second) = (dead_port(), dead_port());
    let gateway = Gateway::start(&tiers(&url(first), &url(second), "attempts_max: 2")).await;
    let answer = gateway.send(named("order-4711/a")).await;
    assert_eq!(answer.error()["cause"], "PORT_REFUSED");
    let shown = explain(&gateway, &["order-4711/a"]).await;
    let page = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    for part in [
        "request order-4711/a",
        "app dev for model chat",
        "status 503 no_healthy_upstream",
        "cause PORT_REFUSED",
        "both targets",
        "a/m1",
        "b/m2",
        "connection_refused",
        &format!("127.0.0.1:{first}"),
        &format!("127.0.0.1:{second}"),
        "providers.a.base_url",
        "providers.b.base_url",
    ] {
        assert!(page.contains(part), "{part:?} is missing in:\n{page}");
    }
    let json = explain(&gateway, &["order-4711/a", "--json"]).await;
    let story: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(story["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(story["diagnosis"]["code"], "PORT_REFUSED");
    assert_eq!(story["attempts"][0]["stage"], "connect");
    assert_eq!(story["status"], 503);
}

#[tokio::test]
async fn a_rescued_request_is_explained_and_one_that_went_straight_is_not_kept() {
    let sim = sim();
    let gateway = Gateway::start(&tiers(&url(dead_port()), &sim.base_url(), "attempts_max: 3")).await;
    let answer = gateway.send(named("rescued")).await;
    assert_eq!((answer.status, answer.header("x-wellhead-survival")), (200, "failed-over"));
    gateway.record("rescued").await;
    let shown = explain(&gateway, &["rescued", "--json"]).await;
    let story: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!((story["outcome"].as_str(), story["rung"].as_str()), (Some("rescued"), Some("failed-over")));
    assert_eq!(story["diagnosis"], Value::Null);
    let outcomes: Vec<_> =
        story["attempts"].as_array().unwrap().iter().map(|a| a["outcome"].clone()).collect();
    assert_eq!(outcomes.last().unwrap(), "ok");
    assert_eq!(outcomes[0], "connection_refused");

    let straight = Gateway::start(&single(&sim)).await;
    assert_eq!(straight.send(named("straight")).await.status, 200);
    straight.record("straight").await;
    let shown = explain(&straight, &["straight"]).await;
    assert_eq!(shown.status.code(), Some(1));
    let error = String::from_utf8(shown.stderr).unwrap();
    assert!(
        error.contains("nothing is kept of request \"straight\"") && error.contains("at most 1000"),
        "{error}"
    );
    assert!(error.contains("access record"), "it says where to look instead: {error}");
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_explained_too() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("cut-after:3")));
    let gateway = Gateway::start(&pair(&sim, "stream: { rescue: off }")).await;
    let request = Request::post(CHAT).json(&chat(true)).header("x-request-id", "cut");
    let answer = gateway.send(request).await;
    let error = answer.stream_error().unwrap();
    assert_eq!(
        (error["code"].as_str(), error["cause"].as_str()),
        (Some("upstream_stream_interrupted"), Some("UPSTREAM_ERRORS"))
    );
    gateway.record("cut").await;
    let shown = explain(&gateway, &["cut", "--json"]).await;
    let story: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(story["attempts"][0]["stage"], "stream", "{story}");
}

#[tokio::test]
async fn a_smaller_model_that_stands_in_does_not_hide_why() {
    let (sim, dead) = (sim(), dead_port());
    let text = config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [k-1] }}\n  \
           b: {{ kind: openai-compatible, base_url: \"{}\", keys: [k-2] }}\n\
         models:\n  chat:\n    targets: [{{ provider: a, model: m1 }}]\n    attempts_max: 2\n    \
           timeouts: {{ hold: 0s }}\n    fallback: {{ model: small }}\n  \
           small: {{ targets: [{{ provider: b, model: m2 }}] }}\n",
        url(dead),
        sim.base_url()
    ));
    let gateway = Gateway::start(&text).await;
    let answer = gateway.send(named("smaller")).await;
    assert_eq!(
        (answer.status, answer.header("x-wellhead-survival")),
        (200, "degraded"),
        "{}",
        answer.everything()
    );
    gateway.record("smaller").await;
    let shown = explain(&gateway, &["smaller", "--json"]).await;
    let story: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(
        (story["outcome"].as_str(), story["route"].as_str()),
        (Some("degraded"), Some("chat")),
        "{story}"
    );
    assert_eq!(story["diagnosis"]["code"], "PORT_REFUSED", "{story}");
    assert!(story["findings"].to_string().contains(&dead.to_string()), "{story}");
    let status = gateway.status().await;
    let route = |name: &str| {
        let routes = status["routes"].as_array().unwrap();
        routes.iter().find(|route| route["model"] == name).unwrap().clone()
    };
    assert_eq!(route("chat")["diagnosis"]["code"], "PORT_REFUSED");
    assert_eq!(route("small")["diagnosis"], Value::Null);
}

/// The lines of the log that are about requests that fail.
fn lines(gateway: &Gateway, text: &str) -> Vec<String> {
    gateway.output().lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_log_says_a_change_once_and_the_status_until_it_is_over() {
    const REQUESTS: usize = 30;
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:401")));
    let gateway = Gateway::start(&single(&sim)).await;
    for _ in 0..REQUESTS {
        assert_eq!(gateway.chat(false).await.error()["cause"], "KEY_REJECTED");
    }
    let told = lines(&gateway, "requests for a model fail");
    assert_eq!(told.len(), 1, "{told:#?}");
    for part in ["KEY_REJECTED", "chat", "providers.a.keys"] {
        assert!(told[0].contains(part), "{part:?} is missing in {}", told[0]);
    }
    let status = gateway.status().await;
    let diagnosis = &status["routes"][0]["diagnosis"];
    assert_eq!(
        (diagnosis["code"].as_str(), diagnosis["requests"].as_u64()),
        (Some("KEY_REJECTED"), Some(REQUESTS as u64))
    );
    let finding = &status["routes"][0]["findings"][0];
    assert_eq!((finding["code"].as_str(), finding["about"].as_str()), (Some("KEY_REJECTED"), Some("a/m1")));
    let text = gateway.admin_get("/status").await.text().to_owned();
    assert!(
        text.contains("KEY_REJECTED") && text.contains("fix: replace the key in `providers.a.keys`"),
        "{text}"
    );
    let metrics = gateway.metrics().await;
    assert!(
        metrics.contains(&format!("wellhead_diagnoses_total{{cause=\"KEY_REJECTED\"}} {REQUESTS}")),
        "{metrics}"
    );
    let newest = diagnosis["request_id"].as_str().unwrap();
    assert!(explain(&gateway, &[newest]).await.status.success());
}

#[tokio::test]
async fn when_it_is_over_the_log_and_the_status_say_so() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:500")));
    let gateway = Gateway::start(&single(&sim)).await;
    assert_eq!(gateway.chat(false).await.error()["cause"], "UPSTREAM_ERRORS");
    sim.clear_faults();
    eventually("the model is served again", async || {
        assert_eq!(gateway.chat(false).await.status, 200);
        gateway.status().await["routes"][0]["diagnosis"].is_null().then_some(())
    })
    .await;
    assert_eq!(lines(&gateway, "a model is served again").len(), 1);
    assert_eq!(lines(&gateway, "requests for a model fail").len(), 1);
}
