//! One access record per request, with what an operator needs and nothing private.

use serde_json::{Value, json};
use wellhead_sim::Rule;

use crate::support::{CHAT, Gateway, Request, chat, config, fault, pair, sim, single};

#[tokio::test]
async fn a_record_tells_who_asked_what_answered_and_how_much_it_was() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:503")).times(1));
    let gateway = Gateway::start(&pair(&sim, "attempts_max: 3")).await;
    let answer = gateway.chat(true).await;
    let record = gateway.record(answer.header("x-request-id")).await;
    for (member, value) in [
        ("app", json!("dev")),
        ("route", json!("chat")),
        ("endpoint", json!(CHAT)),
        ("method", json!("POST")),
        ("operation", json!("chat")),
        ("status", json!(200)),
        ("outcome", json!("rescued")),
        ("rung", json!("retried")),
        ("streamed", json!(true)),
        ("request_bytes", json!(chat(true).to_string().len())),
        ("response_bytes", json!(answer.body.len())),
        ("usage_estimated", json!(false)),
    ] {
        assert_eq!(record[member], value, "{member}: {record}");
    }
    let attempts = record["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2);
    assert_eq!((&attempts[0]["status"], &attempts[1]["result"]), (&json!(503), &json!("ok")), "{record}");
    assert!(record["usage"].to_string().contains("24"), "{record}");
    assert!(record["duration_ms"].as_f64().unwrap() >= record["first_byte_ms"].as_f64().unwrap());
}

#[tokio::test]
async fn every_request_has_exactly_one_record_and_bad_ones_too() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let mut ids = Vec::new();
    for request in [
        Request::post(CHAT).json(&chat(false)),
        Request::post(CHAT).json(&chat(true)),
        Request::post(CHAT).body("application/json", "{"),
        Request::get("/v1/models"),
        Request::get("/nope"),
        Request::post(CHAT).without("authorization").json(&chat(false)),
    ] {
        ids.push(gateway.send(request).await.header("x-request-id").to_owned());
    }
    for id in &ids {
        gateway.record(id).await;
    }
    let count =
        |id: &String| gateway.records().iter().filter(|record| record["request_id"] == id.as_str()).count();
    assert!(ids.iter().all(|id| count(id) == 1), "{:?}", gateway.records());
    let outcomes: Vec<Value> = gateway.records().iter().map(|record| record["outcome"].clone()).collect();
    assert_eq!(outcomes, ["ok", "ok", "rejected", "ok", "rejected", "rejected"]);
}

#[tokio::test]
async fn records_go_to_the_file_that_the_configuration_names() {
    let sim = sim();
    let text = config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [k-1] }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}] }}\n\
         telemetry: {{ access_log: ./access.log }}\n",
        sim.base_url()
    ));
    let gateway = Gateway::start(&text).await;
    let id = gateway.chat(false).await.header("x-request-id").to_owned();
    let file = gateway.dir().join("access.log");
    crate::support::eventually("the record in the file", async || {
        std::fs::read_to_string(&file).ok().filter(|text| text.contains(&id))
    })
    .await;
    assert!(gateway.records().is_empty());
}
