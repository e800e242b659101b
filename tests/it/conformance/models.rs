//! The list of models, and who may use which.

use serde_json::{Value, json};
use wellhead_sim::Sim;

use crate::support::{Answer, CHAT, Gateway, Request, chat, config, sim};

const NARROW: &str = "wh-narrow-0123456789abcdef";
const WIDE: &str = "wh-wide-0123456789abcdef";

fn text(sim: &Sim) -> String {
    config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"sk-models-1\"] }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}] }}\n  \
           meta/llama: {{ targets: [{{ provider: a, model: m2 }}] }}\n\
         apps:\n  narrow: {{ keys: [\"{NARROW}\"], models: [chat] }}\n  wide: {{ keys: [\"{WIDE}\"] }}\n",
        sim.base_url()
    ))
}

async fn get(gateway: &Gateway, key: &str, path: &str) -> Answer {
    gateway.send(Request::get(path).set("authorization", &format!("Bearer {key}"))).await
}

fn ids(list: &Value) -> Vec<&str> {
    let mut ids: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn the_list_has_the_shape_of_openai_and_only_what_the_key_may_use() {
    let sim = sim();
    let gateway = Gateway::start(&text(&sim)).await;
    let wide = get(&gateway, WIDE, "/v1/models").await.json();
    assert_eq!(wide["object"], "list");
    assert_eq!(ids(&wide), ["chat", "meta/llama"]);
    for model in wide["data"].as_array().unwrap() {
        assert_eq!(model["object"], "model");
        assert!(model["created"].is_u64() && model["owned_by"].is_string(), "{model}");
    }
    assert_eq!(ids(&get(&gateway, NARROW, "/v1/models").await.json()), ["chat"]);
    assert!(sim.requests().is_empty(), "the answer is the gateway's own");
}

#[tokio::test]
async fn one_model_is_shown_to_those_who_may_use_it() {
    let gateway = Gateway::start(&text(&sim())).await;
    for (key, path, status) in [
        (NARROW, "/v1/models/chat", 200),
        (WIDE, "/v1/models/meta/llama", 200),
        (WIDE, "/v1/models/meta%2Fllama", 200),
        (NARROW, "/v1/models/meta/llama", 404),
        (NARROW, "/v1/models/meta%2Fllama", 404),
        (WIDE, "/v1/models/none", 404),
    ] {
        let answer = get(&gateway, key, path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.everything());
        if status == 404 {
            assert_eq!(answer.code(), "model_not_found", "{path}");
        } else {
            assert_eq!(answer.json()["object"], "model", "{path}");
        }
    }
}

#[tokio::test]
async fn a_model_outside_the_allow_list_looks_like_one_that_does_not_exist() {
    let sim = sim();
    let gateway = Gateway::start(&text(&sim)).await;
    let mut told = Vec::new();
    for model in ["meta/llama", "none-such-x"] {
        let mut body = chat(false);
        body["model"] = json!(model);
        let request = Request::post(CHAT).set("authorization", &format!("Bearer {NARROW}")).json(&body);
        let answer = gateway.send(request).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "model_not_found"), "{model}");
        assert_eq!(answer.header("x-should-retry"), "false");
        told.push(answer.error()["message"].as_str().unwrap().replace(model, "MODEL"));
    }
    assert_eq!(told[0], told[1], "the difference would tell what other apps use");
    assert!(sim.requests().is_empty());
}
