//! Liveness and readiness are the gateway's own; the upstream truth is elsewhere.

use crate::support::{Gateway, dead_port, eventually, sim, single, tiers};

#[tokio::test]
async fn livez_and_readyz_ignore_upstreams_and_status_tells_the_truth() {
    let url = || format!("http://127.0.0.1:{}/v1", dead_port());
    let gateway = Gateway::start(&tiers(&url(), &url(), "attempts_max: 2")).await;
    for _ in 0..3 {
        assert_eq!(gateway.chat(false).await.status, 503);
    }
    for path in ["/livez", "/readyz", "/healthz", "/livez?verbose", "/readyz?verbose"] {
        assert_eq!(gateway.admin_get(path).await.status, 200, "{path}");
    }
    let status = gateway.status().await;
    assert_eq!(status["routes"][0]["state"], "down", "{status}");
    let target = &status["routes"][0]["targets"][0];
    assert_eq!(
        (&target["state"], &target["last_failure"]),
        (&"failing".into(), &"connection_refused".into())
    );
    let text = gateway.admin_get("/status?format=text").await;
    assert!(text.text().contains("chat") && text.text().contains("connection_refused"), "{}", text.text());
}

#[tokio::test]
async fn status_shows_what_is_in_flight_and_what_succeeded() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    for stream in [false, true] {
        assert_eq!(gateway.chat(stream).await.status, 200);
    }
    eventually("two successes", async || {
        let target = gateway.status().await["routes"][0]["targets"][0].clone();
        (target["successes"] == 2 && target["in_flight"] == 0 && target["state"] == "ok").then_some(())
    })
    .await;
}
