//! Responses, streamed and not.

use serde_json::{Value, json};

use crate::client::{Answer, post, sim};

const PATH: &str = "/v1/responses";

fn names(answer: &Answer) -> Vec<String> {
    answer.text().lines().filter_map(|line| line.strip_prefix("event: ")).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_response_has_what_a_vendor_sends() {
    let sim = sim();
    let answer =
        post(&sim, PATH, &json!({"model": "m", "input": "How do rivers meander?", "metadata": {"a": "b"}}))
            .await
            .json();
    assert!(answer["id"].as_str().unwrap().starts_with("resp_"));
    assert_eq!(
        (&answer["object"], &answer["status"], &answer["metadata"]["a"]),
        (&json!("response"), &json!("completed"), &json!("b"))
    );
    let item = &answer["output"][0];
    assert_eq!(
        (&item["type"], &item["role"], &item["content"][0]["type"]),
        (&json!("message"), &json!("assistant"), &json!("output_text"))
    );
    let usage = &answer["usage"];
    assert_eq!(usage["output_tokens"], 48);
    assert_eq!(usage["total_tokens"], json!(usage["input_tokens"].as_u64().unwrap() + 48));
}

#[tokio::test]
async fn the_events_come_in_the_vendors_order_and_numbered() {
    let sim = sim();
    let mut body = json!({"model": "m", "input": [{"role": "user", "content": [{"type": "input_text", "text": "How do rivers meander?"}]}]});
    let whole = post(&sim, PATH, &body).await.json();
    body["stream"] = json!(true);
    let answer = post(&sim, PATH, &body).await;
    let mut order = names(&answer);
    let events = answer.events();
    assert_eq!(order.iter().filter(|name| *name == "response.output_text.delta").count(), 48);
    order.dedup();
    assert_eq!(
        order,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    for (number, (event, name)) in events.iter().zip(names(&answer)).enumerate() {
        assert_eq!((&event["sequence_number"], &event["type"]), (&json!(number), &json!(name)));
    }
    let text: String = events
        .iter()
        .filter(|event| event["type"] == "response.output_text.delta")
        .filter_map(|event| event["delta"].as_str())
        .collect();
    assert_eq!(json!(text), whole["output"][0]["content"][0]["text"]);
    let end = &events.last().unwrap()["response"];
    assert_eq!(
        (&end["status"], &end["output"][0]["content"], &end["usage"]),
        (&json!("completed"), &whole["output"][0]["content"], &whole["usage"])
    );
    assert_eq!(end["id"], events[0]["response"]["id"]);
    assert_eq!(events[0]["response"]["status"], "in_progress");
    assert!(!answer.text().contains("[DONE]"));
}

#[tokio::test]
async fn calls_come_in_fragments_and_their_results_get_a_text() {
    let sim = sim();
    let tool = |name: &str| json!({"type": "function", "name": name, "parameters": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}});
    let mut body = json!({"model": "m", "input": [{"role": "user", "content": "get_weather and get_time"}], "tools": [tool("get_weather"), tool("get_time")], "stream": true});
    let answer = post(&sim, PATH, &body).await;
    let events = answer.events();
    let output = events.last().unwrap()["response"]["output"].clone();
    assert_eq!((&output[0]["type"], &output[1]["name"]), (&json!("function_call"), &json!("get_time")));
    for at in 0..2 {
        let parts: Vec<&str> = events
            .iter()
            .filter(|event| {
                event["type"] == "response.function_call_arguments.delta" && event["output_index"] == at
            })
            .filter_map(|event| event["delta"].as_str())
            .collect();
        assert!(parts.len() > 1);
        assert_eq!(json!(parts.concat()), output[at]["arguments"]);
        assert!(serde_json::from_str::<Value>(&parts.concat()).unwrap()["city"].is_string());
    }
    assert_eq!(
        names(&answer).iter().filter(|name| *name == "response.function_call_arguments.done").count(),
        2
    );
    let input = body["input"].as_array_mut().unwrap();
    input.push(output[0].clone());
    input.push(
        json!({"type": "function_call_output", "call_id": output[0]["call_id"], "output": "12 degrees"}),
    );
    body["stream"] = json!(false);
    assert_eq!(post(&sim, PATH, &body).await.json()["output"][0]["type"], "message");
}

#[tokio::test]
async fn limits_schemas_and_reasoning() {
    let sim = sim();
    let mut body = json!({"model": "m", "input": "Rivers?", "max_output_tokens": 16});
    let short = post(&sim, PATH, &body).await.json();
    assert_eq!(
        (&short["status"], &short["incomplete_details"]["reason"]),
        (&json!("incomplete"), &json!("max_output_tokens"))
    );
    body["stream"] = json!(true);
    assert_eq!(names(&post(&sim, PATH, &body).await).last().unwrap(), "response.incomplete");
    let schema = json!({"type": "object", "required": ["ok"], "properties": {"ok": {"type": "boolean"}}});
    let formed = json!({"model": "m", "input": "Rivers?", "text": {"format": {"type": "json_schema", "name": "x", "schema": schema}}});
    let formed = post(&sim, PATH, &formed).await.json();
    let content: Value =
        serde_json::from_str(formed["output"][0]["content"][0]["text"].as_str().unwrap()).unwrap();
    assert!(content["ok"].is_boolean());
    let thinker = post(&sim, PATH, &json!({"model": "deep-reason", "input": "Rivers?"})).await.json();
    assert_eq!(
        (&thinker["output"][0]["type"], &thinker["output"][1]["type"]),
        (&json!("reasoning"), &json!("message"))
    );
    assert!(thinker["usage"]["output_tokens_details"]["reasoning_tokens"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn faults_speak_the_dialect() {
    let sim = sim();
    let ask = |fault: &str| json!({"model": format!("m+{fault}"), "input": "Rivers?", "stream": true});
    let failed = post(&sim, PATH, &ask("error-mid-stream-3")).await;
    let order = names(&failed);
    assert_eq!(order[order.len() - 2..], ["error", "response.failed"]);
    let events = failed.events();
    assert_eq!(events.last().unwrap()["response"]["status"], "failed");
    assert_eq!(events[events.len() - 2]["sequence_number"], json!(events.len() - 2));
    let open = post(&sim, PATH, &ask("missing-terminator")).await;
    assert_eq!(names(&open).last().unwrap(), "response.output_text.delta");
    for (wrong, status) in [
        (json!({"model": "m"}), 400),
        (json!({"model": "m", "input": []}), 400),
        (json!({"model": "m", "input": 3}), 400),
        (json!({"model": "m", "input": [{"role": "king", "content": "x"}]}), 400),
        (json!({"model": "m", "input": [{"role": "user"}]}), 400),
        (json!({"model": "m", "input": "x", "max_output_tokens": 1}), 400),
        (json!({"model": "m", "input": "x", "previous_response_id": "resp_1"}), 400),
        (json!({"model": "unknown-m", "input": "x"}), 404),
    ] {
        assert_eq!(post(&sim, PATH, &wrong).await.status, status, "{wrong}");
    }
}
