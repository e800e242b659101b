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

#[tokio::test]
async fn a_record_tells_what_the_answer_cost_and_says_so_when_that_is_unknown() {
    let sim = sim();
    let at = |catalog: &str| {
        config(&format!(
            "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [k-1] }}\n\
             models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}], attempts_max: 2 }}\n{catalog}",
            sim.base_url()
        ))
    };
    let prices = "catalog:\n  models:\n    openai-compatible/m1: { prices: { input: 2.5, output: 10 } }\n";
    let gateway = Gateway::start(&at(prices)).await;
    for stream in [false, true] {
        // The first attempt fails before its answer begins, and costs nothing.
        sim.set_fault(Rule::always(fault("status:503")).times(1));
        let answer = gateway.chat(stream).await;
        let record = gateway.record(answer.header("x-request-id")).await;
        let count = |member: &str| record["usage"][member].as_u64().unwrap();
        let nanos = count("input_tokens") * 2_500 + count("output_tokens") * 10_000;
        assert!(nanos > 0);
        assert_eq!(record["cost_nanos"], json!(nanos), "{record}");
        assert_eq!(record["price_unknown"], json!(false));
        // What a stream costs is known at its end only.
        let said = if stream { String::new() } else { format!("0.{nanos:09}") };
        assert_eq!(answer.header("x-wellhead-cost"), said, "{record}");
        let attempts = record["attempts"].as_array().unwrap();
        let costs: Vec<&Value> = attempts.iter().map(|attempt| &attempt["cost_nanos"]).collect();
        assert_eq!(costs, [&Value::Null, &json!(nanos)], "{record}");
    }
    let metrics = gateway.metrics().await;
    let sum: f64 = metrics
        .lines()
        .filter(|line| line.starts_with("wellhead_cost_dollars_total{target=\"a/m1\",app=\""))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum();
    let all: u64 = gateway.records().iter().filter_map(|record| record["cost_nanos"].as_u64()).sum();
    assert!(
        (sum * 1e9 - all as f64).abs() < 1.0,
        "{sum} dollars in the metric, {all} nano-dollars in the records"
    );
    drop(gateway);
    let gateway = Gateway::start(&at("")).await;
    let answer = gateway.chat(false).await;
    assert_eq!(answer.header("x-wellhead-cost"), "", "nobody knows");
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!((&record["cost_nanos"], &record["price_unknown"]), (&Value::Null, &json!(true)), "{record}");
    assert_eq!(record["attempts"][0]["price_unknown"], json!(true), "{record}");
    let refused = gateway.send(Request::post(CHAT).body("application/json", "{")).await;
    let record = gateway.record(refused.header("x-request-id")).await;
    assert_eq!(record["price_unknown"], json!(false), "nothing was used: {record}");
}

#[tokio::test]
async fn both_halves_of_a_resumed_stream_are_paid() {
    let (first, second) = (sim(), sim());
    first.set_fault(Rule::always(fault("cut-after:5")).times(1));
    let text = config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [k-1], prefill: trailing }}\n  \
         b: {{ kind: vllm, base_url: \"{}\", keys: [k-1], prefill: trailing }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}, {{ provider: b, model: m1, tier: 1 }}] }}\n\
         catalog:\n  models:\n    openai-compatible/m1: {{ prices: {{ input: 1, output: 1 }} }}\n    \
         vllm/m1: {{ prices: {{ input: 1000, output: 1000 }} }}\n",
        first.base_url(),
        second.base_url()
    ));
    let gateway = Gateway::start(&text).await;
    let record = gateway.record(gateway.chat(true).await.header("x-request-id")).await;
    assert_eq!(record["rung"], json!("resumed"), "{record}");
    let attempts = record["attempts"].as_array().unwrap();
    let costs: Vec<u64> = attempts.iter().map(|attempt| attempt["cost_nanos"].as_u64().unwrap()).collect();
    assert_eq!(costs.len(), 2, "{record}");
    assert!(costs[0] > 0 && costs[0] < 1_000_000, "by the first one's prices: {record}");
    assert!(
        costs[1] >= 1_000_000 && costs[1].is_multiple_of(1_000_000),
        "by the second one's prices: {record}"
    );
    assert_eq!(record["cost_nanos"], json!(costs[0] + costs[1]));
}

#[tokio::test]
async fn every_part_of_a_stream_that_breaks_twice_is_paid_by_itself() {
    let sims = [sim(), sim(), sim()];
    for sim in &sims[..2] {
        sim.set_fault(Rule::always(fault("cut-after:5")).times(1));
    }
    let providers: String = ["a", "b", "c"]
        .iter()
        .zip(&sims)
        .map(|(name, sim)| {
            let url = sim.base_url();
            format!("  {name}: {{ kind: openai-compatible, base_url: \"{url}\", keys: [k-1], prefill: trailing }}\n")
        })
        .collect();
    let targets = "{ provider: a, model: m1 }, { provider: b, model: m1, tier: 1 }, { provider: c, model: m1, tier: 2 }";
    // Only what is written has a price, one nano-dollar for a token.
    let gateway = Gateway::start(&config(&format!(
        "providers:\n{providers}models:\n  chat: {{ targets: [{targets}] }}\n\
         catalog:\n  models:\n    openai-compatible/m1: {{ prices: {{ input: 0, output: 0.001 }} }}\n"
    )))
    .await;
    let record = gateway.record(gateway.chat(true).await.header("x-request-id")).await;
    let attempts = record["attempts"].as_array().unwrap();
    let costs: Vec<u64> = attempts.iter().map(|attempt| attempt["cost_nanos"].as_u64().unwrap()).collect();
    assert_eq!((costs.len(), costs[0]), (3, costs[1]), "as much was delivered of both: {record}");
    assert!(costs[0] > 0 && costs[2] > 0, "{record}");
    let all: u64 = costs.iter().sum();
    assert_eq!(record["cost_nanos"], json!(all), "{record}");
    // A part that broke off is estimated by its events, the first of which has no text.
    let written = record["usage"]["output_tokens"].as_u64().unwrap();
    assert_eq!(all, written + 2, "no token is paid twice: {record}");
}

#[tokio::test]
async fn a_transcript_is_paid_by_its_time() {
    let sim = sim();
    let gateway = Gateway::start(&config(&format!(
        "providers:\n  a: {{ kind: openai, base_url: \"{}\", keys: [k-1] }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: whisper-1 }}] }}\n",
        sim.base_url()
    )))
    .await;
    let form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nchat\r\n\
         --b\r\nContent-Disposition: form-data; name=\"response_format\"\r\n\r\nverbose_json\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF....WAVE\r\n--b--\r\n";
    let ask = Request::post("/v1/audio/transcriptions").body("multipart/form-data; boundary=b", form);
    let answer = gateway.send(ask).await;
    assert_eq!(answer.status, 200, "{}", answer.everything());
    let seconds = answer.json()["usage"]["seconds"].as_f64().unwrap();
    let record = gateway.record(answer.header("x-request-id")).await;
    let ms = record["usage"]["audio_ms"].as_u64().unwrap();
    assert!(ms > 0 && (seconds * 1000.0 - ms as f64).abs() < 1.0, "{record}");
    // 0.36 dollars for an hour are 100 nano-dollars for a millisecond.
    assert_eq!(record["cost_nanos"], json!(ms * 100), "{record}");
}
