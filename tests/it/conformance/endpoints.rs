//! Every endpoint of the OpenAI dialect is relayed to its own path, routed by its model.

use serde_json::{Value, json};
use wellhead_sim::Rule;

use crate::support::{Gateway, PROVIDER_KEY, Request, config, json_reply, sim, single};

const ENDPOINTS: &[(&str, &str)] = &[
    (
        "/v1/embeddings",
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1]}],"model":"m1","usage":{"prompt_tokens":3,"total_tokens":3}}"#,
    ),
    (
        "/v1/completions",
        r#"{"id":"c","object":"text_completion","choices":[{"index":0,"text":"hi","finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#,
    ),
    (
        "/v1/responses",
        r#"{"id":"r","object":"response","status":"completed","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"hi"}]}],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}"#,
    ),
    ("/v1/moderations", r#"{"id":"m","model":"m1","results":[{"flagged":false}]}"#),
    ("/v1/images/generations", r#"{"created":1,"data":[{"b64_json":"AA=="}]}"#),
    ("/v1/audio/speech", r#"{"not":"audio, but bytes like any other"}"#),
    ("/v1/rerank", r#"{"results":[{"index":0,"relevance_score":0.50}]}"#),
];

#[tokio::test]
async fn each_json_endpoint_reaches_the_same_path_and_its_answer_comes_back_as_it_is() {
    for (path, reply) in ENDPOINTS {
        let sim = sim();
        let parsed: Value = serde_json::from_str(reply).unwrap();
        sim.set_fault(Rule::always(json_reply(200, parsed.clone())));
        let gateway = Gateway::start(&single(&sim)).await;
        let body = json!({"model": "chat", "input": "x", "prompt": "x", "voice": "v", "query": "q", "documents": ["d"]});
        let answer = gateway.send(Request::post(path).json(&body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.everything());
        assert_eq!(answer.json(), parsed, "{path}");
        let seen = sim.requests().remove(0);
        assert_eq!((seen.path.as_str(), seen.method.as_str()), (*path, "POST"));
        assert_eq!(
            String::from_utf8_lossy(&seen.body),
            body.to_string().replace("\"chat\"", "\"m1\""),
            "{path}"
        );
        assert_eq!(seen.key.as_deref(), Some(PROVIDER_KEY));
        let record = gateway.record(answer.header("x-request-id")).await;
        assert_eq!((&record["endpoint"], &record["route"]), (&json!(path), &json!("chat")));
    }
}

#[tokio::test]
async fn each_json_endpoint_survives_a_target_that_fails() {
    for (path, reply) in ENDPOINTS {
        let sim = sim();
        let parsed: Value = serde_json::from_str(reply).unwrap();
        sim.set_fault(Rule::always(json_reply(200, parsed.clone())));
        sim.set_fault(Rule::always(crate::support::fault("status:503")).times(1));
        let gateway = Gateway::start(&crate::support::pair(&sim, "attempts_max: 3")).await;
        let answer = gateway.send(Request::post(path).json(&json!({"model": "chat", "input": "x"}))).await;
        assert_eq!((answer.status, answer.header("x-wellhead-survival")), (200, "retried"), "{path}");
        assert_eq!(answer.json(), parsed, "{path}");
    }
}

/// A form as SDKs send it, with a file of every byte.
fn form(model: &str) -> (String, Vec<u8>) {
    let boundary = "b0undary-4711";
    let file: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let mut body = Vec::new();
    for (head, content) in [
        ("name=\"file\"; filename=\"a.wav\"\r\ncontent-type: audio/wav", file.as_slice()),
        ("name=\"model\"", model.as_bytes()),
        ("name=\"response_format\"", b"json"),
    ] {
        body.extend_from_slice(
            format!("--{boundary}\r\ncontent-disposition: form-data; {head}\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

#[tokio::test]
async fn forms_are_routed_by_their_model_and_arrive_byte_for_byte() {
    for path in ["/v1/audio/transcriptions", "/v1/audio/translations", "/v1/images/edits"] {
        let sim = sim();
        sim.set_fault(Rule::always(json_reply(200, json!({"text": "hello", "data": []}))));
        sim.set_fault(Rule::always(crate::support::fault("status:503")).times(1));
        let gateway = Gateway::start(&crate::support::pair(&sim, "attempts_max: 3")).await;
        let (kind, body) = form("chat");
        let answer = gateway.send(Request::post(path).body(&kind, body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.everything());
        let log = sim.requests();
        assert_eq!(log.len(), 2, "{path}: the second target was asked after the first failed");
        for seen in &log {
            let model = seen.model.as_deref().unwrap();
            let (kind, wanted) = form(model);
            assert_eq!((seen.path.as_str(), seen.header("content-type")), (path, Some(kind.as_str())));
            assert!(seen.body == wanted, "{path}: the form was changed");
        }
    }
}

#[tokio::test]
async fn a_form_without_a_model_is_refused() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let (kind, body) = form("chat");
    let without = String::from_utf8_lossy(&body).replace("name=\"model\"", "name=\"modal\"").into_bytes();
    let answer = gateway.send(Request::post("/v1/audio/transcriptions").body(&kind, without)).await;
    assert_eq!((answer.status, &answer.error()["param"]), (400, &json!("model")), "{}", answer.everything());
    assert!(sim.requests().is_empty());
}

#[tokio::test]
async fn azure_gets_its_own_path_and_header() {
    let sim = sim();
    let base = format!("http://{}", sim.addr());
    let text = config(&format!(
        "providers:\n  az: {{ kind: azure-openai, base_url: \"{base}/openai\", api_version: 2024-10-21, keys: [az-key-1] }}\n\
         models:\n  chat: {{ targets: [{{ provider: az, model: my-deployment }}] }}\n"
    ));
    let gateway = Gateway::start(&text).await;
    let answer = gateway.chat(false).await;
    assert_eq!(answer.status, 200, "{}", answer.everything());
    let seen = sim.requests().remove(0);
    assert_eq!(seen.path, "/openai/deployments/my-deployment/chat/completions");
    assert_eq!(seen.query.as_deref(), Some("api-version=2024-10-21"));
    assert_eq!((seen.header("api-key"), seen.header("authorization")), (Some("az-key-1"), None));
}
