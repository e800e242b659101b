//! The control calls and the log.

use std::time::Duration;

use serde_json::json;
use wellhead_sim::Ended;

use crate::client::{CHAT, call, chat, post, sim, sim_with, with_headers};

#[tokio::test]
async fn rules_are_set_listed_and_lifted_by_call() {
    let sim = sim();
    let rule =
        json!({"match": {"model": "gpt-*", "path": CHAT, "key": "k1"}, "fault": "status:503", "times": 2});
    assert_eq!(post(&sim, "/_sim/faults", &rule).await.status, 200);
    let ask = async |model: &str, key: &str| {
        with_headers(&sim, CHAT, &[("authorization", &format!("Bearer {key}"))], &chat(model, false))
            .await
            .status
    };
    assert_eq!(ask("llama", "k1").await, 200);
    assert_eq!(ask("gpt-9", "k2").await, 200);
    assert_eq!(ask("gpt-9", "k1").await, 503);
    let listed = call(&sim, "GET", "/_sim/faults").await.json();
    assert_eq!(
        (&listed["faults"][0]["fault"], &listed["faults"][0]["times"]),
        (&json!("status:503"), &json!(1))
    );
    assert_eq!(call(&sim, "DELETE", "/_sim/faults").await.status, 200);
    assert_eq!(ask("gpt-9", "k1").await, 200);
    let wrong = post(&sim, "/_sim/faults", &json!({"fault": "stall"})).await;
    assert_eq!((wrong.status, wrong.error_code().as_str()), (400, "invalid_fault"));
    assert_eq!(call(&sim, "GET", "/_sim/nothing").await.status, 404);
}

#[tokio::test]
async fn the_log_reads_back_what_the_provider_saw() {
    let sim = sim();
    let headers =
        [("Authorization", "Bearer k1"), ("X-Mixed-Case", "yes"), ("content-type", "application/json")];
    let body = chat("m", true);
    assert_eq!(with_headers(&sim, "/v1/chat/completions?api-version=3", &headers, &body).await.status, 200);
    let log =
        sim.wait_for(|log| log.len() == 1 && log[0].ended.is_some(), Duration::from_secs(10)).await.unwrap();
    let entry = &log[0];
    assert_eq!(
        (entry.method.as_str(), entry.path.as_str(), entry.query.as_deref()),
        ("POST", CHAT, Some("api-version=3"))
    );
    assert_eq!((entry.json(), entry.body_bytes), (body.clone(), body.to_string().len() as u64));
    assert_eq!(
        (entry.model.as_deref(), entry.key.as_deref(), entry.version),
        (Some("m"), Some("k1"), "HTTP/1.1")
    );
    assert!(entry.headers.contains(&("X-Mixed-Case".into(), "yes".into())));
    assert_eq!((entry.header("x-mixed-case"), entry.status, entry.tokens_sent), (Some("yes"), Some(200), 48));
    assert_eq!((entry.ended, entry.fault.clone()), (Some(Ended::Finished), None));
    let read = call(&sim, "GET", "/_sim/requests").await.json();
    let read = &read["requests"][0];
    assert_eq!(
        (&read["ended"], &read["body"], &read["tokens_sent"]),
        (&json!("finished"), &json!(body.to_string()), &json!(48))
    );
    assert!(entry.ended_at > Some(entry.at), "{entry:?}");
    assert!(read["ended_at_ms"].as_f64() > read["at_ms"].as_f64(), "{read}");
    let state = call(&sim, "GET", "/_sim/state").await.json();
    assert_eq!((&state["requests_total"], &state["in_flight"]), (&json!(1), &json!(0)));
    call(&sim, "DELETE", "/_sim/requests").await;
    assert!(sim.requests().is_empty());
}

#[tokio::test]
async fn the_log_is_bounded_in_entries_and_in_bytes() {
    let sim = sim_with(|options| (options.log_entries_max, options.body_kept_bytes_max) = (3, 10));
    for _ in 0..5 {
        post(&sim, CHAT, &chat("m", false)).await;
    }
    let log = sim
        .wait_for(|log| log.iter().all(|entry| entry.ended.is_some()), Duration::from_secs(10))
        .await
        .unwrap();
    assert_eq!(log.iter().map(|entry| entry.id).collect::<Vec<_>>(), [3, 4, 5]);
    assert!(
        log.iter().all(|entry| entry.body.len() == 10 && entry.body_bytes > 10 && entry.status == Some(200))
    );
    let quiet = sim_with(|options| options.log_entries_max = 0);
    assert_eq!(post(&quiet, CHAT, &chat("m", false)).await.status, 200);
    assert!(quiet.requests().is_empty());
}

#[tokio::test]
async fn waiting_ends_at_its_limit_with_the_log() {
    let sim = sim();
    post(&sim, CHAT, &chat("m", false)).await;
    let error = sim.wait_for(|log| log.len() == 2, Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(error.requests.len(), 1);
    assert!(error.to_string().contains("#1 POST /v1/chat/completions"));
}

#[tokio::test]
async fn models_are_listed_and_found() {
    let sim = sim();
    let list = call(&sim, "GET", "/v1/models").await.json();
    assert_eq!(list["object"], "list");
    assert!(
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .any(|model| model["id"] == "practice" && model["object"] == "model")
    );
    assert_eq!(call(&sim, "GET", "/v1/models/practice").await.json()["id"], "practice");
    let missing = call(&sim, "GET", "/v1/models/nothing").await;
    assert_eq!((missing.status, missing.error_code().as_str()), (404, "model_not_found"));
    for path in ["/", "/v1", "/v1/nothing", "/v1/v1/models", "/v2/models", "/v1/models/"] {
        let answer = call(&sim, "GET", path).await;
        assert_eq!((answer.status, answer.error_code().as_str()), (404, "unknown_url"), "{path}");
    }
    assert_eq!(call(&sim, "GET", CHAT).await.status, 405);
}

#[tokio::test]
async fn azure_deployments_name_their_model_in_the_path() {
    let sim = sim();
    let mut body = chat("m", false);
    body.as_object_mut().unwrap().remove("model");
    let answer = with_headers(
        &sim,
        "/openai/deployments/my-gpt/chat/completions?api-version=1",
        &[("api-key", "k")],
        &body,
    )
    .await;
    assert_eq!((answer.status, &answer.json()["model"]), (200, &json!("my-gpt")));
    assert_eq!(sim.requests()[0].key.as_deref(), Some("k"));
}
