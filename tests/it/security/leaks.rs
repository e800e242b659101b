//! Secrets go where they belong and nowhere else: each is unique, and then everything that can be read is searched.

use serde_json::json;
use wellhead_sim::{Rule, Sim};

use crate::support::{Answer, CHAT, Gateway, KEY, Request, chat, config, fault, json_reply, sim};

const PROVIDER: &str = "sk-canary-provider-77aa31";
const PROMPT: &str = "canary prompt zebra 4417";
const HEADER: &str = "canary-header-6612";
const QUERY: &str = "canary-query-9930";
const UPSTREAM: &str = "canary upstream message 3381";

fn text(sim: &Sim) -> String {
    config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"{PROVIDER}\"] }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}], attempts_max: 2, timeouts: {{ first_token: 500ms, deadline: 2s }} }}\n",
        sim.base_url()
    ))
}

fn request(stream: bool) -> Request {
    let mut body = chat(stream);
    body["messages"][0]["content"] = json!(PROMPT);
    Request::post(&format!("{CHAT}?{QUERY}=1"))
        .json(&body)
        .header("x-canary", HEADER)
        .header("cookie", HEADER)
}

async fn provoke(faults: &[&str]) -> (Gateway, Vec<Answer>) {
    let sim = sim();
    let gateway = Gateway::start(&text(&sim)).await;
    let mut answers = Vec::new();
    for text in faults {
        sim.clear_faults();
        let message = json!({"error": {"message": format!("{UPSTREAM} key {PROVIDER}"), "type": "x", "param": null, "code": "x"}});
        match text.strip_prefix("told-") {
            Some(status) => sim.set_fault(Rule::always(json_reply(status.parse().unwrap(), message))),
            None => sim.set_fault(Rule::always(fault(text))),
        }
        for stream in [false, true] {
            answers.push(gateway.send(request(stream)).await);
        }
    }
    let wrong = request(false).set("authorization", "Bearer wh-canary-wrong-5520");
    answers.push(gateway.send(wrong).await);
    for answer in &answers {
        gateway.record(answer.header("x-request-id")).await;
    }
    (gateway, answers)
}

const FAULTS: &[&str] =
    &["none-5", "told-500", "told-503", "told-429", "cut-after:3", "error-in-200", "told-401"];

fn faults() -> Vec<&'static str> {
    FAULTS.iter().map(|text| if *text == "none-5" { "tokens:5" } else { text }).collect()
}

#[tokio::test]
async fn logs_records_metrics_status_and_files_hold_no_key_and_no_prompt() {
    let (gateway, _) = provoke(&faults()).await;
    let mut places = vec![
        ("output", gateway.output()),
        ("metrics", gateway.metrics().await),
        ("status", gateway.status().await.to_string()),
        ("status as text", gateway.admin_get("/status?format=text").await.text().to_owned()),
        ("apps", gateway.api("GET", "/api/v1/apps").send(gateway.admin).await.text().to_owned()),
        ("keys", gateway.api("GET", "/api/v1/apps/dev/keys").send(gateway.admin).await.text().to_owned()),
        (
            "generations",
            gateway.api("GET", "/api/v1/generations").send(gateway.admin).await.text().to_owned(),
        ),
    ];
    for entry in std::fs::read_dir(gateway.dir().join("data")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        places.push(("a file of the data directory", String::from_utf8_lossy(&bytes).into_owned()));
    }
    for secret in [KEY, PROVIDER, PROMPT, HEADER, QUERY, "wh-canary-wrong-5520"] {
        for (place, text) in &places {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret:?} is in the {place}");
        }
    }
    for (place, text) in
        places.iter().filter(|(place, _)| ["metrics", "status", "generations"].contains(place))
    {
        assert!(!text.contains(UPSTREAM), "what a provider says is in the {place}");
    }
}

#[tokio::test]
async fn no_error_reveals_an_address_or_a_key() {
    let (gateway, answers) = provoke(&faults()).await;
    let sim_port = gateway.status().await;
    assert!(!sim_port.to_string().contains(PROVIDER));
    for answer in answers.iter().filter(|answer| answer.status != 200 || answer.stream_error().is_some()) {
        let told = answer.everything();
        for secret in [PROVIDER, KEY, "127.0.0.1", "http://", "wh-canary-wrong-5520"] {
            assert!(!told.contains(secret), "{secret:?} is in {told}");
        }
    }
}

#[tokio::test]
async fn a_request_of_the_clients_own_fault_does_not_get_the_providers_key_repeated() {
    // Some vendors repeat a part of the key that they refuse; whole keys are never passed on.
    let (_, answers) = provoke(&["told-400", "told-422"]).await;
    for answer in answers {
        assert!(!answer.everything().contains(PROVIDER), "{}", answer.everything());
    }
}
