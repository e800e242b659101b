//! What clients of Anthropic's and Gemini's dialects ask for besides answers: counts, lists of models, vectors, and answers
//! by the paths of Vertex AI.

use serde_json::{Value, json};
use wellhead_sim::Rule;

use crate::support::{Answer, Gateway, Guard, KEY, Request, Ruling, fault, sim};

const KINDS: [(&str, &str); 3] = [("anthropic", "/v1"), ("gemini", "/v1beta"), ("openai-compatible", "/v1")];
const QUESTION: &str = "How long is this?";

fn config(kind: &str, url: &str, settings: &str) -> String {
    crate::support::config(&format!(
        "providers:\n  p: {{ kind: {kind}, base_url: \"{url}\", keys: [\"sk-0\"] }}\nmodels:\n  chat:\n    targets: [{{ provider: p, model: vendors-model }}]\n    {settings}\n"
    ))
}

fn count(client: &str, text: &str) -> Request {
    match client {
        "anthropic" => Request::post("/v1/messages/count_tokens")
            .without("authorization")
            .header("x-api-key", KEY)
            .header("anthropic-version", "2023-06-01")
            .json(&json!({"model": "chat", "messages": [{"role": "user", "content": text}]})),
        _ => Request::post("/v1beta/models/chat:countTokens")
            .without("authorization")
            .header("x-goog-api-key", KEY)
            .json(&json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})),
    }
}

fn counted(client: &str, answer: &Answer) -> u64 {
    assert_eq!(answer.status, 200, "{}", answer.everything());
    let member = if client == "anthropic" { "input_tokens" } else { "totalTokens" };
    answer.json()[member].as_u64().unwrap_or_else(|| panic!("{}", answer.everything()))
}

#[tokio::test]
async fn prompts_are_counted_by_whoever_can() {
    let sim = sim();
    for (kind, path) in KINDS {
        let gateway = Gateway::start(&config(kind, &format!("http://{}{path}", sim.addr()), "")).await;
        for client in ["anthropic", "gemini"] {
            let before = sim.requests().len();
            let answer = gateway.send(count(client, QUESTION)).await;
            let short = counted(client, &answer);
            let long = counted(client, &gateway.send(count(client, &QUESTION.repeat(100))).await);
            assert!(0 < short && short < long, "{client} at {kind}: {short}, {long}");
            let estimated = answer.header("x-wellhead-degraded") == "estimate";
            assert_eq!(estimated, kind == "openai-compatible", "{}", answer.everything());
            assert_eq!(sim.requests().len() - before, if estimated { 0 } else { 2 });
            let record = gateway.record(answer.header("x-request-id")).await;
            assert_eq!(
                (&record["operation"], &record["usage"]["input_tokens"]),
                (&json!("count_tokens"), &json!(0)),
                "{record}"
            );
        }
    }
}

/// A client that only wants to know whether its prompt fits goes on while its vendor is down.
#[tokio::test]
async fn while_nobody_counts_it_is_estimated() {
    for broken in ["status:503", "status:404", "status:401"] {
        let sim = sim();
        sim.set_fault(Rule::always(fault(broken)));
        let url = format!("http://{}/v1", sim.addr());
        let gateway =
            Gateway::start(&config("anthropic", &url, "attempts_max: 2\n    timeouts: { hold: 0s }")).await;
        let answer = gateway.send(count("anthropic", QUESTION)).await;
        assert!(counted("anthropic", &answer) > 0);
        assert_eq!(answer.header("x-wellhead-survival"), "degraded", "{broken}: {}", answer.everything());
        // That one that does not count is asked for answers all the same.
        if broken == "status:404" {
            sim.clear_faults();
            let ask =
                json!({"model": "chat", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]});
            let answer = gateway.send(Request::post("/v1/messages").json(&ask)).await;
            assert_eq!(
                (answer.status, answer.header("x-wellhead-survival")),
                (200, "direct"),
                "{}",
                answer.everything()
            );
        }
    }
    // What is wrong with the prompt is told.
    let sim = sim();
    let gateway = Gateway::start(&config("anthropic", &format!("http://{}/v1", sim.addr()), "")).await;
    for wrong in
        [json!({"model": "chat"}), json!({"model": "nobody", "messages": [{"role": "user", "content": "x"}]})]
    {
        let answer = gateway.send(Request::post("/v1/messages/count_tokens").json(&wrong)).await;
        assert!(matches!(answer.status, 400 | 404), "{}", answer.everything());
        assert_eq!(answer.json()["type"], "error", "{}", answer.everything());
    }
}

#[tokio::test]
async fn a_count_within_one_dialect_keeps_its_bytes() {
    let said = r#"{"input_tokens": 7, "context_management": {"original_input_tokens": 9}}"#;
    let guard = Guard::start(move |_| {
        Ruling::Say(200, vec![("content-type", "application/json".into())], said.to_owned())
    })
    .await;
    let gateway = Gateway::start(&config("anthropic", &guard.url(""), "")).await;
    let body = r#"{"model" : "chat", "brand_new": 1, "messages": [{"role": "user", "content": "Hi"}]}"#;
    let ask = count("anthropic", "").header("anthropic-beta", "x-1").body("application/json", body);
    let answer = gateway.send(ask).await;
    assert_eq!(answer.text(), said);
    let seen = guard.seen();
    assert_eq!(seen[0].path, "/v1/messages/count_tokens");
    assert_eq!(String::from_utf8_lossy(&seen[0].body), body.replace("\"chat\"", "\"vendors-model\""));
    assert_eq!(seen[0].header("anthropic-beta"), "x-1");
}

#[tokio::test]
async fn models_are_listed_in_the_clients_form() {
    let sim = sim();
    let gateway = Gateway::start(&config("gemini", &format!("http://{}", sim.addr()), "")).await;
    let get = async |path: &str, header: &str, key: &str| {
        gateway.send(Request::get(path).without("authorization").header(header, key)).await
    };
    let openai = get("/v1/models", "authorization", &format!("Bearer {KEY}")).await.json();
    assert_eq!((&openai["object"], &openai["data"][0]["object"]), (&json!("list"), &json!("model")));
    let anthropic = get("/v1/models?limit=1", "x-api-key", KEY).await.json();
    assert_eq!(anthropic["data"][0]["type"], "model", "{anthropic}");
    assert_eq!((&anthropic["has_more"], &anthropic["last_id"]), (&json!(false), &json!("chat")));
    let both = Request::get("/v1/models/chat").header("anthropic-version", "2026-10-21");
    assert_eq!(gateway.send(both).await.json()["type"], "model");
    for path in ["/v1beta/models", "/v1/models"] {
        let gemini = get(path, "x-goog-api-key", KEY).await.json();
        assert_eq!(gemini["models"][0]["name"], "models/chat", "{gemini}");
    }
    assert_eq!(get("/v1beta/models/chat", "x-goog-api-key", KEY).await.json()["name"], "models/chat");
    // Errors too.
    let unknown = get("/v1/models/nobody", "x-api-key", KEY).await;
    assert_eq!((unknown.status, &unknown.json()["type"]), (404, &json!("error")), "{}", unknown.everything());
    let unknown = get("/v1beta/models/nobody", "x-goog-api-key", KEY).await;
    assert_eq!(unknown.error()["status"], "NOT_FOUND", "{}", unknown.everything());
    let wrong = get("/v1beta/models?pageSize=0", "x-goog-api-key", KEY).await;
    assert_eq!(wrong.status, 400, "{}", wrong.everything());
    assert!(wrong.error()["message"].as_str().unwrap().contains("pageSize"), "{}", wrong.everything());
    assert_eq!(get("/v1beta/models", "x-goog-api-key", "wh-wrong").await.status, 401);
}

/// The key of an app may stand in the query, and goes no further.
#[tokio::test]
async fn a_key_in_the_query_is_read_once_and_seen_nowhere() {
    let guard = Guard::start(|_| {
        let answer = json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "Hello"}]}, "finishReason": "STOP"}]});
        Ruling::Say(200, vec![("content-type", "application/json".into())], answer.to_string())
    })
    .await;
    let gateway = Gateway::start(&config("gemini", &guard.url(""), "attempts_max: 1")).await;
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]});
    let mut ids = Vec::new();
    for path in ["models/chat:generateContent", "models/nobody:generateContent", "models/chat:countTokens"] {
        let ask = Request::post(&format!("/v1beta/{path}?key={KEY}")).without("authorization").json(&body);
        let answer = gateway.send(ask).await;
        assert!(!answer.everything().contains(KEY), "{}", answer.everything());
        assert_eq!(answer.status, if path.contains("nobody") { 404 } else { 200 }, "{}", answer.everything());
        ids.push(answer.header("x-request-id").to_owned());
    }
    let listed =
        gateway.send(Request::get(&format!("/v1beta/models?key={KEY}")).without("authorization")).await;
    assert_eq!(listed.json()["models"][0]["name"], "models/chat");
    let wrong = Request::post("/v1beta/models/chat:generateContent?key=wh-wrong-key")
        .without("authorization")
        .json(&body);
    let wrong = gateway.send(wrong).await;
    assert_eq!(wrong.status, 401, "{}", wrong.everything());
    ids.push(wrong.header("x-request-id").to_owned());
    for id in &ids {
        let record = gateway.record(id).await.to_string();
        assert!(
            !record.contains(KEY) && !record.contains("wh-wrong-key") && !record.contains("key="),
            "{record}"
        );
    }
    let output = gateway.output();
    assert!(!output.contains(KEY) && !output.contains("wh-wrong-key"), "{output}");
    let seen = guard.seen();
    assert!(
        !seen.is_empty() && seen.iter().all(|asked| asked.header("x-goog-api-key") == "sk-0"),
        "{seen:?}"
    );
    assert!(!format!("{seen:?}").contains(KEY), "{seen:?}");
}

#[tokio::test]
async fn vectors_for_clients_of_gemini() {
    let sim = sim();
    let url = format!("http://{}/v1", sim.addr());
    let gateway = Gateway::start(&config("openai-compatible", &url, "")).await;
    let ask = |method: &str, body: &Value| {
        Request::post(&format!("/v1beta/models/chat:{method}"))
            .without("authorization")
            .header("x-goog-api-key", KEY)
            .json(body)
    };
    let item = |text: &str| json!({"model": "models/chat", "content": {"parts": [{"text": text}]}, "outputDimensionality": 8});
    let one = gateway.send(ask("embedContent", &item("a"))).await;
    assert_eq!(one.status, 200, "{}", one.everything());
    assert_eq!(one.json()["embedding"]["values"].as_array().unwrap().len(), 8, "{}", one.everything());
    let both =
        gateway.send(ask("batchEmbedContents", &json!({"requests": [item("b"), item("a")]}))).await.json();
    assert_eq!(both["embeddings"].as_array().unwrap().len(), 2, "{both}");
    assert_eq!(both["embeddings"][1], one.json()["embedding"]);
    // What OpenAI's dialect has no word for.
    let mut titled = item("a");
    titled["taskType"] = json!("RETRIEVAL_DOCUMENT");
    let refused = gateway.send(ask("embedContent", &titled)).await;
    assert_eq!(refused.status, 400, "{}", refused.everything());
    assert!(refused.error()["message"].as_str().unwrap().contains("taskType"), "{}", refused.everything());
    let drops = Gateway::start(&config("openai-compatible", &url, "drop_unsupported: [taskType]")).await;
    let answer = drops.send(ask("embedContent", &titled)).await;
    assert_eq!(
        (answer.status, answer.header("x-wellhead-dropped")),
        (200, "taskType"),
        "{}",
        answer.everything()
    );
}

/// Coding agents whose vendor's base URL is the gateway.
#[tokio::test]
async fn answers_by_the_paths_of_vertex() {
    let sim = sim();
    let gateway = Gateway::start(&config("anthropic", &format!("http://{}/v1", sim.addr()), "")).await;
    let place = "/v1/projects/p/locations/global/publishers/anthropic/models";
    let ask = |model: &str, method: &str, stream: bool| {
        let mut body = json!({
            "anthropic_version": "vertex-2023-10-16", "max_tokens": 99,
            "messages": [{"role": "user", "content": QUESTION}],
        });
        if stream {
            body["stream"] = json!(true);
        }
        if model == "count-tokens" {
            body["model"] = json!("chat");
        }
        Request::post(&format!("{place}/{model}:{method}")).json(&body)
    };
    let whole = gateway.send(ask("chat", "rawPredict", false)).await;
    assert_eq!((whole.status, &whole.json()["model"]), (200, &json!("chat")), "{}", whole.everything());
    let stream = gateway.send(ask("chat", "streamRawPredict", true)).await;
    assert!(stream.events().iter().any(|event| event["type"] == "message_stop"), "{}", stream.everything());
    let counted = gateway.send(ask("count-tokens", "rawPredict", false)).await;
    assert!(
        counted.json()["input_tokens"].as_u64().is_some_and(|tokens| tokens > 0),
        "{}",
        counted.everything()
    );
    assert_eq!(counted.header("x-wellhead-degraded"), "");
    for asked in sim.requests() {
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        assert_eq!(
            (&body["model"], body.get("anthropic_version")),
            (&json!("vendors-model"), None),
            "{body}"
        );
    }
    let unknown = gateway.send(ask("nobody", "rawPredict", false)).await;
    assert_eq!((unknown.status, &unknown.json()["type"]), (404, &json!("error")), "{}", unknown.everything());
}
