//! Clients of OpenAI's Responses API at targets that do not have it, and models that are asked there for everybody.

use serde_json::{Value, json};
use wellhead_sim::{Rule, Sim};

use super::dialects::{CHAT_ONLY, Client, config};
use crate::support::{Answer, Gateway, Request, expected, fault, sim};

/// Kinds of targets that do not have it.
const KINDS: [&str; 3] = [CHAT_ONLY, "anthropic", "gemini"];

fn ask(body: &Value) -> Request {
    let mut whole = json!({"model": "chat"});
    whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    Request::post("/v1/responses").json(&whole)
}

fn asked(sim: &Sim, number: usize) -> Value {
    serde_json::from_slice(&sim.requests()[number].body).unwrap()
}

/// The whole response: the body, or what the last event repeats.
fn response(answer: &Answer, stream: bool) -> Value {
    if stream { answer.events().last().unwrap()["response"].clone() } else { answer.json() }
}

fn weather() -> Value {
    let city = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    json!({"type": "function", "name": "weather", "description": "The weather", "parameters": city, "strict": false})
}

#[tokio::test]
async fn tools_are_called_and_their_results_taken() {
    for kind in KINDS {
        let sim = sim();
        let gateway = Gateway::start(&config(&[(&sim, kind)], "")).await;
        for stream in [false, true] {
            let question = json!({"role": "user", "content": "How is it there?"});
            let body = json!({"input": [question], "tools": [weather()], "tool_choice": "required", "stream": stream});
            let answer = gateway.send(ask(&body)).await;
            let what = format!("{kind}, stream {stream}: {}", answer.everything());
            assert_eq!(answer.status, 200, "{what}");
            let response = response(&answer, stream);
            assert_eq!(
                (&response["status"], &response["store"]),
                (&json!("completed"), &json!(false)),
                "{what}"
            );
            assert_eq!(
                response["tools"], body["tools"],
                "a response names the tools that it was given: {what}"
            );
            let call = &response["output"].as_array().unwrap().iter().find(|i| i["type"] == "function_call");
            let call = call.unwrap_or_else(|| panic!("{what}"));
            assert_eq!(call["name"], "weather", "{what}");
            let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
            assert!(arguments["city"].is_string(), "{what}");
            if stream {
                let kinds: Vec<String> =
                    answer.events().iter().map(|e| e["type"].as_str().unwrap().to_owned()).collect();
                assert!(kinds.contains(&"response.function_call_arguments.done".to_owned()), "{what}");
            }
            // The items of the answer go back as they came.
            let mut input = vec![question.clone()];
            input.extend(response["output"].as_array().unwrap().iter().cloned());
            input.push(
                json!({"type": "function_call_output", "call_id": call["call_id"], "output": "7 degrees"}),
            );
            let after =
                gateway.send(ask(&json!({"input": input, "tools": [weather()], "stream": stream}))).await;
            let what = format!("{kind}, stream {stream}: {}", after.everything());
            assert!(!Client::Responses.said(&after, stream).is_empty(), "{what}");
        }
    }
}

/// Codex patches files with a tool that takes text, which nobody but OpenAI has.
#[tokio::test]
async fn tools_that_take_text_are_functions_on_the_way_and_text_again_at_its_end() {
    let patch = json!({
        "type": "custom", "name": "apply_patch", "description": "Patches a file.",
        "format": {"type": "grammar", "syntax": "lark", "definition": "start: \"x\""},
    });
    for kind in KINDS {
        let sim = sim();
        let gateway = Gateway::start(&config(&[(&sim, kind)], "")).await;
        for stream in [false, true] {
            let choice = json!({"type": "custom", "name": "apply_patch"});
            let body =
                json!({"input": "Patch it.", "tools": [patch], "tool_choice": choice, "stream": stream});
            let answer = gateway.send(ask(&body)).await;
            let what = format!("{kind}, stream {stream}: {}", answer.everything());
            let response = response(&answer, stream);
            let call =
                response["output"].as_array().and_then(|output| output.last().cloned()).unwrap_or_default();
            assert_eq!(call["type"], "custom_tool_call", "{what}");
            let input = call["input"].as_str().unwrap_or_else(|| panic!("{what}"));
            assert!(!input.is_empty() && !input.starts_with('{'), "{what}");
            assert_eq!(Client::Responses.is_finished(&answer), stream, "{what}");
        }
        let told = String::from_utf8(sim.requests()[0].body.to_vec()).unwrap();
        assert!(
            told.contains("start: ") && !told.contains("lark\":"),
            "the grammar is told in words: {told}"
        );
    }
}

#[tokio::test]
async fn functions_of_a_group_have_one_name_on_the_way() {
    let group = json!({"type": "namespace", "name": "agents", "description": "Agents", "tools": [weather()]});
    for kind in KINDS {
        let sim = sim();
        let gateway = Gateway::start(&config(&[(&sim, kind)], "")).await;
        let body = json!({"input": "Go.", "tools": [group], "tool_choice": "required"});
        let answer = gateway.send(ask(&body)).await;
        let what = format!("{kind}: {}", answer.everything());
        let output = answer.json()["output"].as_array().cloned().unwrap();
        let call = output.last().unwrap();
        assert_eq!((&call["namespace"], &call["name"]), (&json!("agents"), &json!("weather")), "{what}");
    }
}

#[tokio::test]
async fn what_only_the_vendor_runs_is_refused_by_its_name_or_left_out() {
    let body = json!({"input": "Search.", "tools": [{"type": "web_search", "external_web_access": true}]});
    for kind in KINDS {
        let sim = sim();
        let refuses = Gateway::start(&config(&[(&sim, kind)], "")).await;
        let answer = refuses.send(ask(&body)).await;
        assert_eq!(answer.status, 400, "{kind}: {}", answer.everything());
        assert!(Client::Responses.error(&answer.json()).contains("web_search"), "{}", answer.everything());
        assert_eq!(sim.requests().len(), 0);
        let drops = Gateway::start(&config(&[(&sim, kind)], "drop_unsupported: [web_search]")).await;
        let answer = drops.send(ask(&body)).await;
        assert_eq!(answer.status, 200, "{kind}: {}", answer.everything());
        assert!(answer.header("x-wellhead-dropped").contains("web_search"), "{}", answer.everything());
    }
    // Where a target has it, it is asked, and in its own dialect.
    let (own, other) = (sim(), sim());
    let gateway = Gateway::start(&config(&[(&other, "anthropic"), (&own, "openai-compatible")], "")).await;
    let answer = gateway.send(ask(&body)).await;
    assert_eq!(
        (answer.status, answer.header("x-wellhead-target")),
        (200, "p1/m1"),
        "{}",
        answer.everything()
    );
    assert_eq!(own.requests()[0].path, "/v1/responses");
    assert_eq!(asked(&own, 0)["tools"], body["tools"]);
}

#[tokio::test]
async fn what_is_kept_at_a_vendor_is_refused_by_name_where_it_would_have_to_be_translated() {
    let sim = sim();
    let gateway = Gateway::start(&config(&[(&sim, "anthropic")], "")).await;
    for (name, value) in [
        ("previous_response_id", json!("resp_1")),
        ("conversation", json!("conv_1")),
        ("background", json!(true)),
        ("prompt", json!({"id": "p"})),
    ] {
        let answer = gateway.send(ask(&json!({"input": "x", name: value}))).await;
        assert_eq!(
            (answer.status, answer.error()["code"].as_str()),
            (400, Some("unsupported_parameter")),
            "{}",
            answer.everything()
        );
        assert!(
            Client::Responses.error(&answer.json()).starts_with(&format!("`{name}`")),
            "{}",
            answer.everything()
        );
    }
    assert_eq!(sim.requests().len(), 0);
}

#[tokio::test]
async fn where_all_have_it_the_bytes_pass_as_they_came() {
    let (first, second) = (sim(), sim());
    let targets = [(&first, "openai-compatible"), (&second, "openai-compatible")];
    let gateway = Gateway::start(&config(&targets, "")).await;
    let body = "{\"model\": \"chat\",  \"input\":\"x\",\"unknown\":[1,2], \"include\":[\"a\"]}";
    let request = Request::post("/v1/responses").body("application/json", body);
    let answer = gateway.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.everything());
    let seen = &first.requests()[0];
    assert_eq!(seen.path, "/v1/responses");
    let sent = String::from_utf8(seen.body.to_vec()).unwrap();
    assert_eq!(sent, body.replace("\"chat\"", "\"m0\""));
    // Its vendor knows what it kept; here nobody does.
    let answer = gateway.send(ask(&json!({"input": "x", "previous_response_id": "resp_1"}))).await;
    assert_eq!(answer.error()["code"], "previous_response_not_found", "{}", answer.everything());
}

#[tokio::test]
async fn a_target_without_it_takes_over_from_one_that_has_it() {
    let expected = expected().await;
    for kind in KINDS {
        for stream in [false, true] {
            let (broken, works) = (sim(), sim());
            broken.set_fault(Rule::always(fault("status:503")));
            let gateway =
                Gateway::start(&config(&[(&broken, "openai-compatible"), (&works, kind)], "")).await;
            let answer = gateway.send(Client::Responses.request(stream)).await;
            let what = format!("{kind}, stream {stream}: {}", answer.everything());
            assert_eq!(Client::Responses.said(&answer, stream), expected, "{what}");
            assert_eq!(broken.requests()[0].path, "/v1/responses", "{what}");
            assert_ne!(works.requests()[0].path, "/v1/responses", "{what}");
        }
    }
}

#[tokio::test]
async fn events_are_numbered_and_in_order() {
    for kind in KINDS {
        let sim = sim();
        let gateway = Gateway::start(&config(&[(&sim, kind)], "")).await;
        let answer = gateway.send(Client::Responses.request(true)).await;
        let events = answer.events();
        let what = format!("{kind}: {}", answer.everything());
        for (event, number) in events.iter().zip(0..) {
            assert_eq!(event["sequence_number"], number, "{what}");
        }
        let mut kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
        kinds.dedup();
        assert_eq!(
            kinds,
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
            ],
            "{what}"
        );
        let usage = &response(&answer, true)["usage"];
        assert_eq!(
            usage["total_tokens"].as_u64().unwrap(),
            usage["input_tokens"].as_u64().unwrap() + usage["output_tokens"].as_u64().unwrap(),
            "{what}"
        );
        assert!(!answer.text().contains("[DONE]"), "{what}");
    }
}

#[tokio::test]
async fn an_answer_that_reached_its_limit_is_incomplete() {
    for kind in KINDS {
        let sim = sim();
        let gateway = Gateway::start(&config(&[(&sim, kind)], "")).await;
        for stream in [false, true] {
            let body = json!({"input": "Tell me about wells.", "max_output_tokens": 16, "stream": stream});
            let answer = gateway.send(ask(&body)).await;
            let what = format!("{kind}, stream {stream}: {}", answer.everything());
            let response = response(&answer, stream);
            assert_eq!(response["status"], "incomplete", "{what}");
            assert_eq!(response["incomplete_details"]["reason"], "max_output_tokens", "{what}");
            assert_eq!(response["max_output_tokens"], 16, "{what}");
        }
    }
}

/// Codex models and the larger reasoning models of OpenAI answer nowhere else.
#[tokio::test]
async fn a_model_that_answers_there_only_is_asked_there_for_everybody() {
    let expected = expected().await;
    let sim = sim();
    let text = config(&[(&sim, "openai-compatible")], "");
    let text = text + "catalog:\n  models:\n    openai-compatible/m0: { can: [responses-only] }\n";
    let gateway = Gateway::start(&text).await;
    for client in [Client::Chat, Client::Anthropic, Client::Gemini, Client::Responses] {
        for stream in [false, true] {
            sim.clear_log();
            let answer = gateway.send(client.request(stream)).await;
            let what = format!("{client:?}, stream {stream}: {}", answer.everything());
            assert_eq!(client.said(&answer, stream), expected, "{what}");
            assert!(!stream || client.is_finished(&answer), "{what}");
            assert_eq!(sim.requests()[0].path, "/v1/responses", "{what}");
        }
    }
}

/// The same for clients of OpenAI Chat, which has such tools too.
#[tokio::test]
async fn tools_that_take_text_are_given_back_to_chat_clients_too() {
    let patch =
        json!({"type": "custom", "custom": {"name": "apply_patch", "description": "Patches a file."}});
    for kind in ["anthropic", "gemini"] {
        let sim = sim();
        let gateway = Gateway::start(&config(&[(&sim, kind)], "")).await;
        for stream in [false, true] {
            let mut body = crate::support::chat(stream);
            body["tools"] = json!([patch]);
            body["tool_choice"] = json!("required");
            let answer = gateway.send(Request::post(crate::support::CHAT).json(&body)).await;
            let what = format!("{kind}, stream {stream}: {}", answer.everything());
            let texts: Vec<String> = if stream {
                let deltas = answer.events();
                let calls = deltas
                    .iter()
                    .map(|event| &event["choices"][0]["delta"]["tool_calls"][0]["custom"]["input"]);
                calls.filter_map(Value::as_str).map(str::to_owned).collect()
            } else {
                let call = answer.json()["choices"][0]["message"]["tool_calls"][0].clone();
                assert_eq!(call["type"], "custom", "{what}");
                call["custom"]["input"].as_str().map(str::to_owned).into_iter().collect()
            };
            let text = texts.concat();
            assert!(!text.is_empty() && !text.starts_with('{'), "{what}");
        }
    }
}
