//! Probes, status, metrics, and who may ask.

use std::sync::atomic::Ordering;

use crate::support::{CONFIG, Instance};

#[tokio::test]
async fn readiness_follows_draining_and_listeners_and_liveness_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    assert_eq!(instance.raw("GET", "/readyz", &[("host", "probe")], b"").await.status, 200);
    for (flag, name) in
        [(&instance.plane.draining, "not draining"), (&instance.plane.listening, "listeners bound")]
    {
        flag.fetch_xor(true, Ordering::Relaxed);
        let answer = instance.raw("GET", "/readyz?verbose", &[("host", "probe")], b"").await;
        assert_eq!(answer.status, 503);
        assert!(answer.text.contains(&format!("[-] {name}")), "{}", answer.text);
        assert_eq!(answer.text.matches("[-]").count(), 1);
        assert_eq!(instance.raw("GET", "/readyz", &[("host", "probe")], b"").await.status, 503);
        for path in ["/livez", "/healthz"] {
            assert_eq!(instance.raw("GET", path, &[("host", "probe")], b"").await.status, 200);
        }
        flag.fetch_xor(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn the_api_wants_the_token_and_status_an_honest_host() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    let local = ("host", "localhost:4001");
    for (name, value) in [
        ("x-none", ""),
        ("authorization", "Bearer wrong"),
        ("authorization", "Bearer"),
        ("authorization", &format!("Basic {}", instance.token)),
        ("authorization", &format!("Bearer {}x", instance.token)),
    ] {
        for path in ["/api/v1/apps", "/api/v1/nothing-here"] {
            let answer = instance.raw("GET", path, &[local, (name, value)], b"").await;
            answer.problem(401, "unauthorized");
            assert!(answer.header("www-authenticate").is_some());
        }
    }
    let bearer = format!("bearer {}", instance.token);
    assert_eq!(
        instance.raw("GET", "/api/v1/apps", &[local, ("authorization", &bearer)], b"").await.status,
        200
    );
    for path in ["/status", "/metrics"] {
        assert_eq!(instance.raw("GET", path, &[local], b"").await.status, 200);
        assert_eq!(instance.raw("GET", path, &[("host", "gateway.internal")], b"").await.status, 200);
        instance.raw("GET", path, &[("host", "rebound.example")], b"").await.problem(421, "host-not-allowed");
    }
    let evil = [("host", "rebound.example"), ("authorization", bearer.as_str())];
    instance.raw("GET", "/api/v1/apps", &evil, b"").await.problem(421, "host-not-allowed");
}

#[tokio::test]
async fn no_foreign_page_is_let_in_and_nothing_is_cached() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    let answer = instance.call("GET", "/api/v1/apps", &[("origin", "https://evil.example")], "").await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let preflight = instance.call("OPTIONS", "/api/v1/apps", &[("origin", "https://evil.example")], "").await;
    preflight.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn status_is_json_for_programs_and_text_for_terminals() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    for (path, accept, json) in [
        ("/status", "application/json", true),
        ("/status", "text/html, application/json;q=0.5", true),
        ("/status", "*/*", false),
        ("/status", "text/plain", false),
        ("/status?format=json", "*/*", true),
        ("/status?format=text", "application/json", false),
    ] {
        let answer = instance.raw("GET", path, &[("host", "localhost"), ("accept", accept)], b"").await;
        assert_eq!(serde_json::from_str::<serde_json::Value>(&answer.text).is_ok(), json, "{path} {accept}");
        assert!(answer.text.contains("everything answers"));
    }
    let text = instance.get("/status?format=text").await.text;
    for line in [
        "model chat: impaired",
        "  tier 0 weight 1 local/primary: failing, 3 ok, 4 failed, 2 in flight; last failure connection_refused 0.5 s ago",
        "provider local (openai-compatible) in eu",
        "  key …et: limited, tried again in 1.5 s; limited for primary, 1.5 s left",
    ] {
        assert!(text.lines().any(|l| l == line), "{line:?} in {text}");
    }
    instance.get("/status?format=xml").await.problem(400, "invalid-parameter");
    let status = instance.get("/api/v1/status").await.expect(200);
    assert_eq!(status["config"]["generation"], 1);
    assert!(status["config"]["source"].as_str().unwrap().ends_with("wellhead.yaml"));
    assert!(!status.to_string().contains("sk-upstream-secret"));
}

#[tokio::test]
async fn metrics_are_the_data_planes() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    let answer = instance.get("/metrics").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "wellhead_up 1\n"));
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
}

#[tokio::test]
async fn unknown_paths_methods_types_and_bodies_are_problems() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    instance.get("/nowhere").await.problem(404, "not-found");
    instance.get("/api/v1/nowhere").await.problem(404, "not-found");
    instance.call("PUT", "/api/v1/apps", &[], "{}").await.problem(405, "method-not-allowed");
    instance.call("POST", "/api/v1/apps", &[], "{nonsense").await.problem(400, "malformed-json");
    let too_large = format!("{{\"name\":\"{}\"}}", "x".repeat(2 << 20));
    instance.call("POST", "/api/v1/apps", &[], &too_large).await.problem(413, "body-too-large");
    let bearer = format!("Bearer {}", instance.token);
    let form = [("host", "localhost"), ("authorization", bearer.as_str()), ("content-type", "text/plain")];
    let answer = instance.raw("POST", "/api/v1/apps", &form, b"{\"name\":\"x\"}").await;
    answer.problem(415, "unsupported-media-type");
}
