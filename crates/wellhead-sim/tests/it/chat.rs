//! Chat completions.

use serde_json::{Value, json};

use crate::client::{CHAT, Ending, chat, post, sim, sim_with};

#[tokio::test]
async fn an_unstreamed_answer_has_all_that_a_vendor_sends() {
    let sim = sim();
    let answer = post(&sim, CHAT, &chat("gpt-sim", false)).await;
    assert_eq!((answer.status, answer.ending), (200, Ending::Proper));
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.header("x-request-id").starts_with("req_"));
    for name in [
        "openai-processing-ms",
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-requests",
        "date",
    ] {
        assert!(!answer.header(name).is_empty(), "{name}");
    }
    let body = answer.json();
    assert!(body["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!((&body["object"], &body["model"]), (&json!("chat.completion"), &json!("gpt-sim")));
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(body["choices"][0]["message"]["role"], "assistant");
    assert!(body["choices"][0]["message"]["content"].as_str().unwrap().contains("rivers meander"));
    let usage = &body["usage"];
    assert_eq!(usage["completion_tokens"], 48);
    assert_eq!(usage["total_tokens"], json!(usage["prompt_tokens"].as_u64().unwrap() + 48));
    assert!(usage["completion_tokens_details"]["reasoning_tokens"].is_u64());
}

#[tokio::test]
async fn a_stream_is_the_same_answer_one_event_for_each_chunk() {
    let sim = sim();
    let whole = post(&sim, CHAT, &chat("a", false)).await.json();
    let answer = post(&sim, CHAT, &chat("b", true)).await;
    assert_eq!(answer.header("content-type"), "text/event-stream; charset=utf-8");
    assert_eq!(
        whole["choices"][0]["message"]["content"],
        json!(answer.content()),
        "the model's name changes nothing"
    );
    for chunk in &answer.chunks {
        let text = std::str::from_utf8(chunk).unwrap();
        assert!(
            text.starts_with("data: ") && text.ends_with("\n\n") && text.matches("\n\n").count() == 1,
            "{text:?}"
        );
    }
    assert_eq!(answer.chunks.len(), 1 + 48 + 1 + 1, "role, tokens, finish, done");
    assert_eq!(answer.data().last().unwrap(), "[DONE]");
    let events = answer.events();
    assert_eq!(
        events[0]["choices"][0]["delta"],
        json!({"role": "assistant", "content": "", "refusal": null})
    );
    assert_eq!(
        events.last().unwrap()["choices"][0],
        json!({"index": 0, "delta": {}, "logprobs": null, "finish_reason": "stop"})
    );
    assert!(
        events
            .iter()
            .all(|event| event["id"] == events[0]["id"] && event["object"] == "chat.completion.chunk")
    );
    assert!(events.iter().all(|event| event.get("usage").is_none()));
}

#[tokio::test]
async fn usage_comes_last_when_asked_for_and_is_null_before() {
    let sim = sim();
    let mut body = chat("m", true);
    body["stream_options"] = json!({"include_usage": true});
    let events = post(&sim, CHAT, &body).await.events();
    let (last, before) = events.split_last().unwrap();
    assert_eq!((&last["choices"], &last["usage"]["completion_tokens"]), (&json!([]), &json!(48)));
    assert!(before.iter().all(|event| event["usage"].is_null() && event.get("usage").is_some()));
}

#[tokio::test]
async fn limits_stop_words_and_several_choices() {
    let sim = sim();
    let mut body = chat("m", false);
    body["n"] = json!(3);
    body["max_completion_tokens"] = json!(5);
    let answer = post(&sim, CHAT, &body).await.json();
    let choices = answer["choices"].as_array().unwrap();
    assert_eq!(choices.len(), 3);
    assert!(choices.iter().all(|choice| choice["finish_reason"] == "length"));
    assert_eq!(answer["usage"]["completion_tokens"], 15);
    body["stream"] = json!(true);
    let events = post(&sim, CHAT, &body).await.events();
    for (index, choice) in choices.iter().enumerate() {
        let text: String = events
            .iter()
            .map(|event| &event["choices"][0])
            .filter(|choice| choice["index"] == index)
            .filter_map(|choice| choice["delta"]["content"].as_str())
            .collect();
        assert_eq!(json!(text), choice["message"]["content"]);
    }
    let mut body = chat("m", false);
    body["stop"] = json!(["zzz", "."]);
    let stopped = post(&sim, CHAT, &body).await.json();
    assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
    assert!(!stopped["choices"][0]["message"]["content"].as_str().unwrap().contains('.'));
}

fn tools() -> Value {
    let schema = json!({"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}});
    let tool = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": schema}});
    json!([tool("get_weather"), tool("get_time")])
}

#[tokio::test]
async fn tool_calls_come_whole_or_in_fragments_and_their_results_get_a_text() {
    let sim = sim();
    let mut body = json!({"model": "m", "tools": tools(), "messages": [{"role": "user", "content": "Call get_weather and get_time."}]});
    let whole = post(&sim, CHAT, &body).await.json();
    let choice = &whole["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("tool_calls"), &Value::Null)
    );
    let calls = choice["message"]["tool_calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    for call in calls {
        let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
        assert!(arguments["city"].is_string() && arguments["days"].is_i64());
    }
    body["stream"] = json!(true);
    let events = post(&sim, CHAT, &body).await.events();
    for (number, call) in calls.iter().enumerate() {
        let deltas = events
            .iter()
            .map(|event| &event["choices"][0]["delta"]["tool_calls"][0])
            .filter(|delta| delta["index"] == number);
        let parts: Vec<&str> =
            deltas.clone().filter_map(|delta| delta["function"]["arguments"].as_str()).collect();
        assert!(parts.len() > 3, "{parts:?}");
        assert_eq!(json!(parts.concat()), call["function"]["arguments"]);
        let first = deltas.clone().next().unwrap();
        assert_eq!((&first["id"], &first["function"]["name"]), (&call["id"], &call["function"]["name"]));
    }
    assert_eq!(events.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(choice["message"].clone());
    messages.push(json!({"role": "tool", "tool_call_id": calls[0]["id"], "content": "12 degrees"}));
    body["stream"] = json!(false);
    let after = post(&sim, CHAT, &body).await.json();
    assert_eq!(after["choices"][0]["finish_reason"], "stop");
    body["messages"] = json!([{"role": "user", "content": "Hello"}]);
    body["tool_choice"] = json!({"type": "function", "function": {"name": "get_time"}});
    let forced = post(&sim, CHAT, &body).await.json();
    assert_eq!(forced["choices"][0]["message"]["tool_calls"][0]["function"]["name"], "get_time");
}

#[tokio::test]
async fn a_schema_is_kept_to_and_json_objects_are_objects() {
    let sim = sim();
    let mut body = chat("m", false);
    let schema = json!({"type": "object", "required": ["steps"], "properties": {"steps": {"type": "array", "items": {"type": "string"}}}});
    body["response_format"] =
        json!({"type": "json_schema", "json_schema": {"name": "plan", "strict": true, "schema": schema}});
    let content = |answer: &Value| -> Value {
        serde_json::from_str(answer["choices"][0]["message"]["content"].as_str().unwrap()).unwrap()
    };
    assert!(
        content(&post(&sim, CHAT, &body).await.json())["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(Value::is_string)
    );
    body["response_format"] = json!({"type": "json_object"});
    assert!(content(&post(&sim, CHAT, &body).await.json()).is_object());
}

#[tokio::test]
async fn reasoning_models_think_first_and_pictures_cost_tokens() {
    let sim = sim();
    let events = post(&sim, CHAT, &chat("deep-reason-1", true)).await.events();
    let thought = events
        .iter()
        .rposition(|event| event["choices"][0]["delta"]["reasoning_content"].is_string())
        .unwrap();
    let said =
        events.iter().skip(1).position(|event| event["choices"][0]["delta"]["content"].is_string()).unwrap()
            + 1;
    assert!(thought < said);
    let whole = post(&sim, CHAT, &chat("deep-reason-1", false)).await.json();
    assert!(whole["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap() > 5);
    let mut body = chat("m", false);
    let plain = post(&sim, CHAT, &body).await.json();
    body["messages"][0]["content"] = json!([
        {"type": "text", "text": "How do rivers meander?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]);
    let seen = post(&sim, CHAT, &body).await.json();
    let tokens = |answer: &Value| answer["usage"]["prompt_tokens"].as_u64().unwrap();
    assert_eq!(tokens(&seen), tokens(&plain) + 85);
}

#[tokio::test]
async fn a_second_simulator_continues_what_the_first_began() {
    let (first, second) = (sim(), sim());
    let whole = post(&first, CHAT, &chat("a", true)).await.content();
    let begun = post(&first, CHAT, &chat("a+cut-after-10", true)).await;
    assert_eq!(begun.ending, Ending::Fin);
    let mut body = chat("b", true);
    body["messages"].as_array_mut().unwrap().push(json!({"role": "assistant", "content": begun.content()}));
    assert_eq!(begun.content() + &post(&second, CHAT, &body).await.content(), whole);
    let other = sim_with(|options| options.seed = 2);
    assert_ne!(post(&other, CHAT, &chat("a", true)).await.content(), whole);
}

#[tokio::test]
async fn wrong_requests_get_a_vendors_errors() {
    let sim = sim_with(|options| options.api_keys = Some(vec!["sk-right".into()]));
    let chat_with = |change: fn(&mut Value)| {
        let mut body = chat("m", false);
        change(&mut body);
        body.to_string()
    };
    let auth = [("authorization", "Bearer sk-right")];
    for (body, status, param) in [
        ("{".to_owned(), 400, None),
        ("[]".to_owned(), 400, None),
        (String::new(), 400, None),
        (chat_with(|b| drop(b.as_object_mut().unwrap().remove("model"))), 400, Some("model")),
        (chat_with(|b| b["model"] = json!("unknown-1")), 404, Some("model")),
        (chat_with(|b| b["messages"] = json!("hi")), 400, Some("messages")),
        (chat_with(|b| b["messages"] = json!([])), 400, Some("messages")),
        (chat_with(|b| b["messages"][0]["role"] = json!("king")), 400, Some("messages[0].role")),
        (chat_with(|b| b["messages"][0]["content"] = json!(3)), 400, Some("messages[0].content")),
        (
            chat_with(|b| b["messages"][0]["content"] = json!([{"type": "smell"}])),
            400,
            Some("messages[0].content[0]"),
        ),
        (chat_with(|b| b["stream"] = json!("yes")), 400, Some("stream")),
        (chat_with(|b| b["n"] = json!(0)), 400, Some("n")),
        (chat_with(|b| b["temperature"] = json!(9)), 400, Some("temperature")),
        (chat_with(|b| b["max_tokens"] = json!(-1)), 400, Some("max_tokens")),
        (chat_with(|b| b["stream_options"] = json!({"include_usage": true})), 400, Some("stream_options")),
        (chat_with(|b| b["tool_choice"] = json!("required")), 400, Some("tool_choice")),
        (chat_with(|b| b["response_format"] = json!({"type": "xml"})), 400, Some("response_format.type")),
        (chat_with(|b| b["model"] = json!("m+cut")), 400, Some("model")),
    ] {
        let mut client = crate::client::Client::connect(sim.addr()).await;
        client.send("POST", CHAT, &auth, body.as_bytes()).await;
        let answer = client.read().await;
        let error = answer.json()["error"].clone();
        assert_eq!((answer.status, error["param"].as_str()), (status, param), "{body} gave {error}");
        assert!(["message", "type", "param", "code"].iter().all(|member| error.get(member).is_some()));
    }
    let answer = post(&sim, CHAT, &chat("m", false)).await;
    assert_eq!((answer.status, answer.error_code().as_str()), (401, "invalid_api_key"));
    for (name, value) in
        [("api-key", "sk-right"), ("x-api-key", "sk-right"), ("authorization", "bearer sk-right")]
    {
        assert_eq!(
            crate::client::with_headers(&sim, CHAT, &[(name, value)], &chat("m", false)).await.status,
            200
        );
    }
    let wrong = crate::client::with_headers(
        &sim,
        CHAT,
        &[("authorization", "Bearer sk-wrong-key")],
        &chat("m", false),
    )
    .await;
    assert_eq!(wrong.status, 401);
    assert!(!wrong.text().contains("sk-wrong-key"));
}
