//! What vendors of OpenAI's family do otherwise than OpenAI reaches the wire: of every client's request for those of another
//! dialect, of what would be refused for those of the same (docs/reference/quirks.md).

use serde_json::{Value, json};
use wellhead_sim::Sim;

use crate::support::{Answer, CHAT, Gateway, Request, config, sim};
use crate::support::{Guard, Ruling};

/// A gateway in front of one target of this kind, and what that target sees. The simulator lives as long as it is held.
async fn at(kind: &str) -> (Gateway, Guard, Sim) {
    let sim = sim();
    let addr = sim.addr();
    let guard = Guard::start(move |_| Ruling::Pass(addr, CHAT.to_owned())).await;
    let url = guard.url("/v1");
    let text = format!(
        "providers:\n  p: {{ kind: {kind}, base_url: \"{url}\", keys: [\"sk-0\"] }}\n\
         models:\n  chat: {{ targets: [{{ provider: p, model: m }}] }}\n"
    );
    (Gateway::start(&config(&text)).await, guard, sim)
}

fn seen(guard: &Guard) -> Value {
    serde_json::from_slice(&guard.seen().last().unwrap().body).unwrap()
}

fn assert_ok(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.everything());
}

#[tokio::test]
async fn a_client_of_another_dialect_is_written_for_as_the_vendor_wants_it() {
    let (gateway, mistral, _sim) = at("mistral").await;
    let ask = json!({
        "model": "chat", "max_tokens": 50, "system": "s",
        "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_01A", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_01A", "content": "1"}]},
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
    });
    assert_ok(&gateway.send(Request::post("/v1/messages").json(&ask)).await);
    let body = seen(&mistral);
    let id = body["messages"][2]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(id.len() == 9 && id.bytes().all(|b| b.is_ascii_alphanumeric()), "{body}");
    assert_eq!(body["messages"][3]["tool_call_id"], id);
    assert_eq!((&body["max_tokens"], body.get("max_completion_tokens")), (&json!(50), None));

    // JSON mode is the most that this one knows.
    let (gateway, deepseek, _sim) = at("deepseek").await;
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let ask = json!({
        "contents": [{"role": "user", "parts": [{"text": "x"}]}],
        "generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": schema},
    });
    let answer = gateway.send(Request::post("/v1beta/models/chat:generateContent").json(&ask)).await;
    assert_ok(&answer);
    assert_eq!(answer.header("x-wellhead-dropped"), "response_format.json_schema");
    let body = seen(&deepseek);
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    assert!(body["messages"][0]["content"].as_str().unwrap().contains("\"integer\""), "{body}");
}

#[tokio::test]
async fn a_client_of_the_same_dialect_keeps_its_bytes_but_for_what_would_be_refused() {
    let (gateway, mistral, _sim) = at("mistral").await;
    let body = |model: &str, seed: &str, role: &str, id: &str| {
        format!(
            r#"{{"model" : "{model}", "{seed}": 7, "logit_bias": {{}}, "messages": [ {{"role": "{role}", "content": "say é"}},
             {{"role":"user","content":"x"}}, {{"role":"assistant","content":null,"tool_calls":[{{"id":"{id}","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}]}},
             {{"role":"tool","tool_call_id":"{id}","content":"1"}}]}}"#
        )
    };
    let long = "call_0123456789abcdefghijklmn";
    let asked = body("chat", "seed", "developer", long);
    assert_ok(&gateway.send(Request::post(CHAT).body("application/json", asked.clone())).await);
    let sent = String::from_utf8(mistral.seen().last().unwrap().body.clone()).unwrap();
    let id = seen(&mistral)["messages"][3]["tool_call_id"].as_str().unwrap().to_owned();
    assert!(id.len() == 9 && id.bytes().all(|b| b.is_ascii_alphanumeric()), "{sent}");
    assert_eq!(sent, body("m", "random_seed", "system", &id), "and nothing else");

    let (gateway, openai, _sim) = at("openai").await;
    assert_ok(&gateway.send(Request::post(CHAT).body("application/json", asked)).await);
    let sent = String::from_utf8(openai.seen().last().unwrap().body.clone()).unwrap();
    assert_eq!(sent, body("m", "seed", "developer", long), "OpenAI takes it as it is");
}

#[tokio::test]
async fn the_beginning_of_an_answer_goes_where_it_is_gone_on_with() {
    let ask = json!({
        "model": "chat", "max_tokens": 50,
        "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "{"}],
    });
    let ask = || Request::post("/v1/messages").json(&ask);
    let (gateway, deepseek, _sim) = at("deepseek").await;
    assert_ok(&gateway.send(ask()).await);
    let last = deepseek.seen().pop().unwrap();
    assert_eq!(last.path, "/beta/chat/completions", "wire.md, section 3");
    assert_eq!(seen(&deepseek)["messages"][1]["prefix"], true);
    let (gateway, openai, _sim) = at("openai").await;
    let answer = gateway.send(ask()).await;
    assert_eq!(answer.status, 400, "{}", answer.everything());
    assert!(
        answer.json()["error"]["message"].as_str().unwrap().contains("messages[1]"),
        "{}",
        answer.everything()
    );
    assert_eq!(openai.seen().len(), 0);
}

/// What the catalogue knows of a model decides for this family as it does for others.
#[tokio::test]
async fn what_the_model_cannot_do_is_refused_by_name_before_it_is_asked() {
    let sim = sim();
    let gateway = Gateway::start(&config(&format!(
        "providers:\n  p: {{ kind: vllm, base_url: \"{}\", keys: [\"sk-0\"] }}\n\
         models:\n  chat: {{ targets: [{{ provider: p, model: m }}] }}\n\
         catalog:\n  models:\n    vllm/m: {{ cannot: [vision, sampling, tools] }}\n",
        sim.base_url()
    )))
    .await;
    let picture = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}});
    let text = json!({"type": "text", "text": "x"});
    for (more, param) in [
        (json!({"messages": [{"role": "user", "content": [text, picture]}]}), "messages[0].content[1]"),
        (json!({"temperature": 0.5}), "temperature"),
        (json!({"tools": [{"name": "f", "input_schema": {"type": "object"}}]}), "tools"),
    ] {
        let mut ask =
            json!({"model": "chat", "max_tokens": 50, "messages": [{"role": "user", "content": "x"}]});
        ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = gateway.send(Request::post("/v1/messages").json(&ask)).await;
        let said = answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(answer.status == 400 && said.contains(param), "{param}: {}", answer.everything());
    }
    assert_eq!(sim.requests().len(), 0);
}
