//! Clients at targets of their own dialect: what either writes reaches the other byte for byte, but for the model's name.

use serde_json::{Value, json};

use crate::support::{Asked, Gateway, Guard, KEY, Request, Ruling, chat, expected, sim};

/// A target that answers every request with this.
async fn target(content_type: &'static str, answer: String) -> Guard {
    Guard::start(move |_| {
        let headers = vec![
            ("content-type", content_type.to_owned()),
            ("request-id", "req_theirs".to_owned()),
            ("anthropic-ratelimit-requests-remaining", "7".to_owned()),
        ];
        Ruling::Say(200, headers, answer.clone())
    })
    .await
}

fn config(targets: &[(&str, String)], settings: &str) -> String {
    let mut text = String::from("providers:\n");
    for (number, (kind, url)) in targets.iter().enumerate() {
        text += &format!("  p{number}: {{ kind: {kind}, base_url: \"{url}\", keys: [\"sk-{number}\"] }}\n");
    }
    text += "models:\n  chat:\n    targets:\n";
    for number in 0..targets.len() {
        text += &format!("      - {{ provider: p{number}, model: vendors-model, tier: {number} }}\n");
    }
    crate::support::config(&(text + &format!("    {settings}\n")))
}

async fn gateway(kind: &str, guard: &Guard) -> Gateway {
    Gateway::start(&config(&[(kind, guard.url(""))], "attempts_max: 1")).await
}

fn anthropic(body: &str) -> Request {
    Request::post("/v1/messages")
        .without("authorization")
        .header("x-api-key", KEY)
        .header("anthropic-version", "2026-10-21")
        .header("anthropic-beta", "context-management-2025-06-27,brand-new-2026-11-01")
        .header("x-claude-code-session-id", "s-1")
        .header("x-stainless-lang", "js")
        .header("user-agent", "claude-cli/2.1")
        .body("application/json", body)
}

fn gemini(method: &str, body: &str) -> Request {
    Request::post(&format!("/v1beta/models/chat:{method}"))
        .without("authorization")
        .header("x-goog-api-key", KEY)
        .body("application/json", body)
}

/// White space, the order of members and what nobody here knows.
fn ask(stream: bool) -> String {
    format!(
        r#"{{ "brand_new" : {{"x":1}}, "model":"chat",
  "max_tokens" : 4000, "stream":{stream}, "context_management": {{"edits": [{{"type": "clear_tool_uses_20250919"}}]}},
  "container": "c_1", "system": [{{"type":"text","text":"Be brief. \u00e9","cache_control":{{"type":"ephemeral","ttl":"1h"}}}}],
  "tools": [{{"type": "web_search_20250305", "name": "web_search", "max_uses": 2}}],
  "messages": [{{"role": "user", "content": [{{"type":"text","text":"Hi","x_new":[1]}}]}}]}}"#
    )
}

const GEMINI_ASK: &str = r#"{ "contents":[ {"parts":[{"text":"\u00e9","x":1}],"role":"user"} ],
  "generationConfig":{"temperature":0.50, "brandNew":{}}, "safetySettings":[], "cachedContent":"cachedContents/1"}"#;

const ANSWER: &str = r#"{"id": "msg_1", "type": "message", "role": "assistant", "model": "vendors-model",
 "content": [{"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}},
  {"type": "text", "text": "Hello", "citations": [{"type": "page_location", "x": 1}]}],
 "stop_reason": "end_turn", "stop_sequence": null, "container": {"id": "c_1"},
 "usage": {"input_tokens": 3, "output_tokens": 2, "server_tool_use": {"web_search_requests": 1}}}"#;

const GEMINI_ANSWER: &str = r#"{"candidates": [{"content": {"parts": [{"text": "Hello"}],"role": "model"},
 "finishReason": "STOP","brandNew": 1}],"usageMetadata": {"promptTokenCount": 3,"candidatesTokenCount": 2,"totalTokenCount": 5},
 "modelVersion": "vendors-model","responseId": "r1"}"#;

fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {{\"type\": \"{name}\", {data}}}\n\n")
}

/// A stream up to its text, which says `words`, one in each piece.
fn beginning(words: &[&str]) -> String {
    let mut text = event(
        "message_start",
        r#""message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "vendors-model", "content": [], "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 3, "output_tokens": 1}, "container": null}"#,
    );
    text += &event(
        "content_block_start",
        r#""index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}"#,
    );
    text += &event(
        "content_block_delta",
        r#""index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}"#,
    );
    text += &event(
        "content_block_delta",
        r#""index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}"#,
    );
    text += &event("content_block_stop", r#""index": 0"#);
    text += "event: ping\ndata: {\"type\": \"ping\"}\n\n";
    text += &event(
        "content_block_start",
        r#""index": 1, "content_block": {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}}"#,
    );
    text += &event(
        "content_block_delta",
        r#""index": 1, "delta": {"type": "input_json_delta", "partial_json": "{\"query\": 1}"}"#,
    );
    text += &event("content_block_stop", r#""index": 1"#);
    text += &event("content_block_start", r#""index": 2, "content_block": {"type": "text", "text": ""}"#);
    for word in words {
        text += &event(
            "content_block_delta",
            &format!(r#""index": 2, "delta": {{"type": "text_delta", "text": {}}}"#, json!(word)),
        );
    }
    text
}

const CALL: [&str; 3] = [
    r#""index": 3, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}"#,
    r#""index": 3, "delta": {"type": "input_json_delta", "partial_json": "{\"a\":"}"#,
    r#""index": 3, "delta": {"type": "input_json_delta", "partial_json": " 1}"}"#,
];

fn stream() -> String {
    let mut text = beginning(&["Hello", " é"]);
    text += &event(
        "content_block_delta",
        r#""index": 2, "delta": {"type": "citations_delta", "citation": {"type": "x"}}"#,
    );
    text += &event("content_block_stop", r#""index": 2"#);
    text += &event("content_block_start", CALL[0]);
    text += &event("content_block_delta", CALL[1]);
    text += &event("content_block_delta", CALL[2]);
    text += &event("content_block_stop", r#""index": 3"#);
    text += &event(
        "message_delta",
        r#""delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": {"output_tokens": 9}, "brand_new": {}"#,
    );
    text + "event: message_stop\ndata: {\"type\": \"message_stop\"}\n\n"
}

fn gemini_stream() -> String {
    let chunk = |rest: &str| {
        format!(
            "data: {{\"candidates\": [{{{rest}}}],\"modelVersion\": \"vendors-model\",\"responseId\": \"r1\"}}\r\n\r\n"
        )
    };
    chunk(r#""content": {"parts": [{"text": "Hm","thought": true}],"role": "model"}"#)
        + &chunk(r#""content": {"parts": [{"text": "Hel"}],"role": "model"},"brandNew": 1"#)
        + &chunk(
            r#""content": {"parts": [{"text": "lo"},{"functionCall": {"name": "f","args": {"a": 1}},"thoughtSignature": "c2ln"}],"role": "model"}"#,
        )
        + &chunk(r#""finishReason": "STOP","groundingMetadata": {"x": [1]}"#)
}

fn named(text: &str) -> String {
    text.replace("vendors-model", "chat")
}

fn body(asked: &Asked) -> String {
    String::from_utf8(asked.body.clone()).unwrap()
}

#[tokio::test]
async fn a_request_and_its_whole_answer_keep_their_bytes() {
    let guard = target("application/json", ANSWER.to_owned()).await;
    let gateway = gateway("anthropic", &guard).await;
    let answer = gateway.send(anthropic(&ask(false))).await;
    assert_eq!((answer.status, answer.text()), (200, &*named(ANSWER)), "{}", answer.everything());
    assert_eq!(answer.header("x-upstream-request-id"), "req_theirs");
    assert_eq!(answer.header("anthropic-ratelimit-requests-remaining"), "7");
    assert_eq!(answer.header("x-wellhead-survival"), "direct");
    let seen = guard.seen();
    assert_eq!(body(&seen[0]), ask(false).replace("\"chat\"", "\"vendors-model\""));
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!(
        (record["usage"]["input_tokens"].as_u64(), record["usage"]["output_tokens"].as_u64()),
        (Some(3), Some(2)),
        "{record}"
    );

    let guard = target("application/json", GEMINI_ANSWER.to_owned()).await;
    let gateway = self::gateway("gemini", &guard).await;
    let answer = gateway.send(gemini("generateContent", GEMINI_ASK)).await;
    assert_eq!((answer.status, answer.text()), (200, &*named(GEMINI_ANSWER)), "{}", answer.everything());
    assert_eq!(body(&guard.seen()[0]), GEMINI_ASK);
}

/// Wire.md, trap 18, and what Claude Code expects of gateways.
#[tokio::test]
async fn versions_and_betas_of_the_client_reach_its_vendor_and_its_key_does_not() {
    let guard = target("application/json", ANSWER.to_owned()).await;
    let gateway = gateway("anthropic", &guard).await;
    gateway.send(anthropic(&ask(false))).await;
    let old = anthropic(&ask(false)).without("anthropic-version").without("anthropic-beta");
    gateway.send(old).await;
    let seen = guard.seen();
    let said = |name: &str| seen[0].header(name).to_owned();
    assert_eq!(said("anthropic-version"), "2026-10-21");
    assert_eq!(said("anthropic-beta"), "context-management-2025-06-27,brand-new-2026-11-01");
    assert_eq!(said("x-claude-code-session-id"), "s-1");
    assert_eq!(said("x-stainless-lang"), "js");
    assert_eq!(said("user-agent"), "claude-cli/2.1");
    assert_eq!(said("x-api-key"), "sk-0");
    assert!(!format!("{seen:?}").contains(KEY));
    assert_eq!((seen[1].header("anthropic-version"), seen[1].header("anthropic-beta")), ("2023-06-01", ""));
    // What this version no longer takes is refused by name, wherever the answer would come from.
    let hot = ask(false).replace("\"container\"", "\"temperature\": 1, \"container\"");
    let answer = gateway.send(anthropic(&hot)).await;
    assert_eq!(answer.status, 400, "{}", answer.everything());
    assert!(answer.error()["message"].as_str().unwrap().contains("temperature"), "{}", answer.everything());
}

#[tokio::test]
async fn a_stream_keeps_its_bytes() {
    let guard = target("text/event-stream", stream()).await;
    let gateway = gateway("anthropic", &guard).await;
    let answer = gateway.send(anthropic(&ask(true))).await;
    assert_eq!((answer.status, answer.text()), (200, &*named(&stream())), "{}", answer.everything());
    assert_eq!(body(&guard.seen()[0]), ask(true).replace("\"chat\"", "\"vendors-model\""));
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!(record["usage"]["output_tokens"].as_u64(), Some(9), "{record}");
    // A client of another dialect sees nothing of what rides along.
    let answer = gateway.send(Request::post(crate::support::CHAT).json(&chat(true))).await;
    assert!(answer.content().starts_with("Hello") && answer.done(), "{}", answer.everything());
    for word in ["message_start", ":wh", "content_block"] {
        assert!(!answer.text().contains(word), "{}", answer.text());
    }

    let guard = target("text/event-stream", gemini_stream()).await;
    let gateway = self::gateway("gemini", &guard).await;
    let answer = gateway.send(gemini("streamGenerateContent?alt=sse", GEMINI_ASK)).await;
    assert_eq!((answer.status, answer.text()), (200, &*named(&gemini_stream())), "{}", answer.everything());
    assert!(guard.seen()[0].path.ends_with("/models/vendors-model:streamGenerateContent?alt=sse"));
    let answer = gateway.send(gemini("streamGenerateContent", GEMINI_ASK)).await;
    let list: Vec<Value> = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((list.len(), &list[1]["candidates"][0]["brandNew"]), (4, &json!(1)), "{list:?}");
}

/// Another target goes on in the same text, under the number that the client knows it by.
#[tokio::test]
async fn a_stream_that_breaks_off_is_gone_on_with_at_its_seam() {
    let expected = expected().await;
    let words: Vec<&str> = expected.split_inclusive(' ').take(4).collect();
    for kind in ["anthropic", "gemini", "openai-compatible"] {
        let (guard, works) = (target("text/event-stream", beginning(&words)).await, sim());
        let path = if kind == "gemini" { "/v1beta" } else { "/v1" };
        let second = format!("http://{}{path}", works.addr());
        let gateway = Gateway::start(&config(&[("anthropic", guard.url("")), (kind, second)], "")).await;
        let body = json!({
            "model": "chat", "max_tokens": 1000, "stream": true,
            "messages": [{"role": "user", "content": chat(true)["messages"][0]["content"]}],
        });
        let answer = gateway.send(anthropic(&body.to_string())).await;
        let what = format!("rest from {kind}: {}", answer.everything());
        // Where the next request may go to another target of the dialect, thoughts say where they came from.
        let proof = if kind == "anthropic" { "wh1~anthropic~p0~vendors-model~c2ln" } else { "c2ln" };
        let seen = named(&beginning(&words)).replace("\"c2ln\"", &format!("\"{proof}\""));
        assert!(answer.text().starts_with(&seen), "{what}");
        let events = answer.events();
        let texts = events.iter().filter(|event| event["delta"]["type"] == "text_delta");
        let said: String = texts.clone().map(|event| event["delta"]["text"].as_str().unwrap()).collect();
        assert_eq!(said, expected, "{what}");
        assert!(texts.clone().all(|event| event["index"] == 2), "{what}");
        let count = |name: &str| events.iter().filter(|event| event["type"] == name).count();
        assert_eq!((count("message_start"), count("message_stop")), (1, 1), "{what}");
        assert_eq!((count("content_block_start"), count("content_block_stop")), (3, 3), "{what}");
    }
}

#[tokio::test]
async fn a_call_goes_out_whole_or_not_at_all() {
    let cut = beginning(&["Hello"])
        + &event("content_block_start", CALL[0])
        + &event("content_block_delta", CALL[1]);
    let guard = target("text/event-stream", cut).await;
    let gateway = gateway("anthropic", &guard).await;
    let answer = gateway.send(anthropic(&ask(true))).await;
    assert!(!answer.text().contains("toolu_1"), "{}", answer.everything());
    assert!(answer.text().starts_with(&named(&beginning(&["Hello"]))), "{}", answer.everything());
    let last = answer.events().pop().unwrap();
    assert_eq!(last["type"], "error", "{}", answer.everything());
    assert!(!answer.text().contains("message_stop"), "{}", answer.everything());
}

/// Wire.md, trap 7: a signature goes back to where it came from, and to nobody else.
#[tokio::test]
async fn marks_of_origin_are_taken_off_for_the_target_that_they_name() {
    let thought = r#"{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}, "#;
    let with = ANSWER.replace("\"content\": [", &format!("\"content\": [{thought}"));
    let (first, second) =
        (target("application/json", with.clone()).await, target("application/json", with.clone()).await);
    let targets = [("anthropic", first.url("")), ("anthropic", second.url(""))];
    let gateway = Gateway::start(&config(&targets, "")).await;
    let answer = gateway.send(anthropic(&ask(false))).await;
    let marked = named(&with).replace("\"c2ln\"", "\"wh1~anthropic~p0~vendors-model~c2ln\"");
    assert_eq!(answer.text(), marked);
    let next = |signature: &str| {
        let turn = format!(
            r#", {{"role": "assistant", "content": [{{"type":"thinking","thinking":"Hm.","signature":"{signature}"}},{{"type":"text","text":"Hello"}}]}}, {{"role":"user","content":"And?"}}]}}"#
        );
        ask(false).strip_suffix("]}").unwrap().to_owned() + &turn
    };
    gateway.send(anthropic(&next("wh1~anthropic~p0~vendors-model~c2ln"))).await;
    gateway.send(anthropic(&next("wh1~anthropic~p1~vendors-model~c2ln"))).await;
    let seen = first.seen();
    assert_eq!(body(&seen[1]), next("c2ln").replace("\"chat\"", "\"vendors-model\""));
    assert!(!body(&seen[2]).contains("c2ln"), "{}", body(&seen[2]));
}
