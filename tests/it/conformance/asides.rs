//! Embeddings and rerank in the client's form at vendors who have forms of their own. The fake vendors are as strict as
//! the real ones and share no code with what writes for them.

use serde_json::{Value, json};
use wellhead_sim::{Rule, Sim};

use crate::support::{Answer, Gateway, Request, fault, sim};

/// Kinds, and what the base URL of a simulator ends in for them.
const EMBED: [(&str, &str); 6] = [
    ("gemini", "/v1beta"),
    ("gemini", ""),
    ("cohere", "/v2"),
    ("cohere", ""),
    ("ollama-native", ""),
    ("ollama-native", "/api"),
];
const RERANK: [(&str, &str); 3] = [("cohere", "/v2"), ("voyage", "/voyage/v1"), ("jina", "/v1")];

fn config(targets: &[(&Sim, (&str, &str))], settings: &str) -> String {
    let mut text = String::from("providers:\n");
    for (number, (sim, (kind, path))) in targets.iter().enumerate() {
        let addr = sim.addr();
        text += &format!(
            "  p{number}: {{ kind: {kind}, base_url: \"http://{addr}{path}\", keys: [\"sk-{number}\"] }}\n"
        );
    }
    text += "models:\n  chat:\n    targets:\n";
    for number in 0..targets.len() {
        text += &format!("      - {{ provider: p{number}, model: m1, tier: {number} }}\n");
    }
    crate::support::config(&(text + &format!("    {settings}\n")))
}

async fn embed(gateway: &Gateway, more: &Value) -> Answer {
    let mut body = json!({"model": "chat", "input": ["a well", "a spring"]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    gateway.send(Request::post("/v1/embeddings").json(&body)).await
}

async fn rank(gateway: &Gateway, more: &Value) -> Answer {
    let mut body = json!({"model": "chat", "query": "where is the well", "documents": ["a tree", {"text": "the well"}, "x"]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    gateway.send(Request::post("/v1/rerank").json(&body)).await
}

/// What OpenAI's own surface of the simulator says: the same model, so the same vectors and the same order.
async fn common() -> (Sim, Gateway) {
    let sim = sim();
    let gateway = Gateway::start(&config(&[(&sim, ("openai-compatible", "/v1"))], "")).await;
    (sim, gateway)
}

#[tokio::test]
async fn embeddings_are_the_same_from_every_vendor() {
    let (_sim, common) = common().await;
    for more in [
        json!({}),
        json!({"encoding_format": "base64"}),
        json!({"dimensions": 32}),
        json!({"input": "a well"}),
    ] {
        let expected = embed(&common, &more).await.json();
        for (kind, path) in EMBED {
            let sim = sim();
            let gateway = Gateway::start(&config(&[(&sim, (kind, path))], "")).await;
            let answer = embed(&gateway, &more).await;
            let what = format!("{more} at {kind}{path}: {}", answer.everything());
            assert_eq!(answer.status, 200, "{what}");
            let said = answer.json();
            assert_eq!(said["object"], "list", "{what}");
            assert_eq!(said["data"], expected["data"], "{what}");
            assert_eq!(said["usage"], expected["usage"], "{what}");
            let record = gateway.record(answer.header("x-request-id")).await;
            assert_eq!(record["endpoint"], "/v1/embeddings", "{what}");
        }
    }
}

#[tokio::test]
async fn ranks_are_the_same_from_every_vendor() {
    let (_sim, common) = common().await;
    for more in [json!({}), json!({"top_n": 2}), json!({"return_documents": true})] {
        let expected = rank(&common, &more).await.json();
        for (kind, path) in RERANK {
            let sim = sim();
            let gateway = Gateway::start(&config(&[(&sim, (kind, path))], "")).await;
            let answer = rank(&gateway, &more).await;
            let what = format!("{more} at {kind}{path}: {}", answer.everything());
            assert_eq!((answer.status, &answer.json()["results"]), (200, &expected["results"]), "{what}");
            let counted =
                if kind == "cohere" { "/meta/billed_units/search_units" } else { "/usage/total_tokens" };
            assert!(answer.json().pointer(counted).is_some_and(Value::is_u64), "{what}");
        }
    }
}

#[tokio::test]
async fn another_vendor_takes_over_and_errors_are_the_clients() {
    let (_sim, common) = common().await;
    let expected = embed(&common, &json!({})).await.json();
    for kind in EMBED {
        let (broken, works) = (sim(), sim());
        broken.set_fault(Rule::always(fault("status:503")));
        let gateway = Gateway::start(&config(&[(&broken, kind), (&works, ("cohere", "/v2"))], "")).await;
        let answer = embed(&gateway, &json!({})).await;
        assert_eq!(answer.json()["data"], expected["data"], "{kind:?}: {}", answer.everything());
        let alone = Gateway::start(&config(&[(&broken, kind)], "attempts_max: 1")).await;
        broken.set_fault(Rule::always(fault("status:400")));
        let answer = embed(&alone, &json!({})).await;
        assert_eq!(answer.status, 400, "{kind:?}: {}", answer.everything());
        assert!(answer.error()["message"].is_string(), "{kind:?}: {}", answer.everything());
    }
}

#[tokio::test]
async fn what_a_vendor_cannot_do_is_refused_by_name() {
    let sim = sim();
    for kind in EMBED {
        let gateway = Gateway::start(&config(&[(&sim, kind)], "")).await;
        for (more, param) in
            [(json!({"input": [1, 2]}), "input"), (json!({"encoding_format": "x"}), "encoding_format")]
        {
            let answer = embed(&gateway, &more).await;
            let what = format!("{kind:?}: {}", answer.everything());
            assert_eq!((answer.status, answer.error()["param"].as_str()), (400, Some(param)), "{what}");
        }
        // What nobody has translated is not tried.
        let image = gateway
            .send(Request::post("/v1/images/generations").json(&json!({"model": "chat", "prompt": "x"})))
            .await;
        let code = image.error()["code"].as_str().map(str::to_owned);
        assert_eq!((image.status, code.as_deref()), (404, Some("endpoint_not_served")), "{kind:?}");
    }
    assert_eq!(sim.requests().len(), 0);
}
