//! When there is truly nothing upstream: an earlier answer, a smaller model, a text, in this order; and a larger model
//! for what is too long. Each is declared, each says what it is, and none stands in for an error of the request's own.

mod cached;
mod models;
mod text;

use std::time::Duration;

use serde_json::{Value, json};
use wellhead_sim::{Rule, Sim};

use crate::support::{
    Answer, CHAT, Gateway, KEY, PROVIDER_KEY, Request, chat, config, eventually, fault, json_reply,
};

/// The key of the app `other`.
const OTHER: &str = "wh-dev-fedcba9876543210";

/// The model `chat` with this fallback on `m1`, and `small` on `tiny` and `large` on `long`, which no app may name.
fn world(sim: &Sim, fallback: &str, settings: &str) -> String {
    config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{url}\", keys: [\"{PROVIDER_KEY}\"] }}\n\
         models:\n  chat:\n    targets: [{{ provider: a, model: m1 }}]\n    attempts_max: 4\n    \
           fallback: {fallback}\n    {settings}\n  \
           small: {{ targets: [{{ provider: a, model: tiny }}] }}\n  \
           large: {{ targets: [{{ provider: a, model: long }}] }}\n\
         apps:\n  dev: {{ keys: [\"{KEY}\"], models: [chat] }}\n  other: {{ keys: [\"{OTHER}\"], models: [chat] }}\n",
        url = sim.base_url()
    ))
}

/// From now on a model of the simulator has this fault.
fn breaks(sim: &Sim, model: &str, text: &str) {
    sim.set_fault(Rule::always(fault(text)).model(model));
}

/// From now on a model of the simulator refuses with this status and code.
fn refuses(sim: &Sim, model: &str, status: u16, code: &str) {
    sim.set_fault(Rule::always(json_reply(status, refusal(code))).model(model));
}

fn refusal(code: &str) -> Value {
    json!({"error": {"message": "No.", "type": "invalid_request_error", "param": null, "code": code}})
}

/// How often a model of the simulator was asked.
fn asked(sim: &Sim, model: &str) -> usize {
    sim.requests().iter().filter(|seen| seen.model.as_deref() == Some(model)).count()
}

async fn post(gateway: &Gateway, path: &str, body: &Value) -> Answer {
    gateway.send(Request::post(path).json(body)).await
}

/// A chat with these members besides the usual ones.
fn with(members: &Value) -> Value {
    let mut body = chat(members["stream"].as_bool().unwrap_or(false));
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

async fn metric(gateway: &Gateway, series: &str) -> u64 {
    let text = gateway.metrics().await;
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}

/// The answer, its record and its series say the same: degraded, by this, on this rung.
async fn assert_stands_in(gateway: &Gateway, answer: &Answer, rung: &str, by: &str) {
    assert_eq!((answer.status, answer.header("x-wellhead-survival")), (200, rung), "{}", answer.everything());
    assert_eq!(answer.header("x-wellhead-route"), "chat");
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!((&record["rung"], &record["outcome"]), (&json!(rung), &json!("degraded")), "{record}");
    assert_eq!((&record["route"], &record["status"]), (&json!("chat"), &json!(200)), "{record}");
    let series = format!("wellhead_substituted_requests_total{{route=\"chat\",by=\"{by}\"}}");
    eventually(&series, async || (metric(gateway, &series).await > 0).then_some(())).await;
    let outcome = format!(
        "wellhead_requests_total{{route=\"chat\",endpoint=\"{}\",outcome=\"degraded\"}}",
        record["endpoint"].as_str().unwrap()
    );
    eventually(&outcome, async || (metric(gateway, &outcome).await > 0).then_some(())).await;
}

/// A client that waits no longer than this for its answer.
fn impatient(body: &Value, patience: Duration) -> Request {
    Request::post(CHAT).header("x-stainless-timeout", &patience.as_secs().to_string()).json(body)
}
