//! Clients of every dialect, at targets of every dialect: the same answer, whole or streamed, and errors in the client's
//! own form. The fake targets speak their dialects by the same codecs; that those are right is what the vendors' own SDKs
//! judge (tests/clients).

use serde_json::{Value, json};
use wellhead_sim::{Rule, Sim};

use crate::support::{Answer, CHAT, Ending, Gateway, KEY, Request, chat, expected, fault, sim};

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    Chat,
    Anthropic,
    Gemini,
    Responses,
}

const CLIENTS: [Client; 4] = [Client::Chat, Client::Anthropic, Client::Gemini, Client::Responses];
/// Kinds of providers, and what the base URL of a simulator ends in for them.
const KINDS: [(&str, &str); 6] = [
    ("openai-compatible", "/v1"),
    ("anthropic", "/v1"),
    ("gemini", "/v1beta"),
    ("bedrock", ""),
    ("cohere", "/v2"),
    ("ollama-native", "/api"),
];
/// The same as the vendors' own SDKs are given them.
const SHORT: [(&str, &str); 4] = [("anthropic", ""), ("gemini", ""), ("cohere", ""), ("ollama-native", "")];
/// A server of OpenAI's family without the Responses API.
pub(super) const CHAT_ONLY: &str = "openai-compatible, responses: false";

pub(super) fn config(targets: &[(&Sim, &str)], settings: &str) -> String {
    let mut text = String::from("providers:\n");
    for (number, (sim, kind)) in targets.iter().enumerate() {
        let short = kind.strip_suffix(" by its host");
        let known = if short.is_some() { &SHORT[..] } else { &KINDS[..] };
        let kind = short.unwrap_or(kind);
        let named = kind.split(',').next().unwrap();
        let path = known.iter().find(|(known, _)| *known == named).unwrap().1;
        let addr = sim.addr();
        text += &format!(
            "  p{number}: {{ kind: {kind}, base_url: \"http://{addr}{path}\", keys: [\"sk-{number}\"] }}\n"
        );
    }
    text += "models:\n  chat:\n    targets:\n";
    for number in 0..targets.len() {
        text += &format!("      - {{ provider: p{number}, model: m{number}, tier: {number} }}\n");
    }
    crate::support::config(&(text + &format!("    {settings}\n")))
}

impl Client {
    pub(super) fn request(self, stream: bool) -> Request {
        let question = chat(false)["messages"][0]["content"].clone();
        match self {
            Self::Chat => Request::post(CHAT).json(&chat(stream)),
            Self::Anthropic => Request::post("/v1/messages")
                .without("authorization")
                .header("x-api-key", KEY)
                .header("anthropic-version", "2023-06-01")
                .json(&json!({
                    "model": "chat", "max_tokens": 1000, "stream": stream,
                    "messages": [{"role": "user", "content": question}],
                })),
            Self::Gemini => {
                let method = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
                Request::post(&format!("/v1beta/models/chat:{method}"))
                    .without("authorization")
                    .header("x-goog-api-key", KEY)
                    .json(&json!({"contents": [{"role": "user", "parts": [{"text": question}]}]}))
            }
            Self::Responses => Request::post("/v1/responses").json(&json!({
                "model": "chat", "stream": stream, "store": true, "input": [{"role": "user", "content": question}],
            })),
        }
    }

    /// What the model said, as a client of this dialect reads it.
    pub(super) fn said(self, answer: &Answer, stream: bool) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let parts = |value: &Value| -> String {
            let parts = value["candidates"][0]["content"]["parts"].as_array().cloned().unwrap_or_default();
            parts.iter().map(|part| text(&part["text"])).collect()
        };
        match (self, stream) {
            (Self::Chat, _) => answer.content(),
            (Self::Anthropic, false) => answer.json()["content"]
                .as_array()
                .unwrap()
                .iter()
                .map(|block| text(&block["text"]))
                .collect(),
            (Self::Anthropic, true) => {
                answer.events().iter().map(|event| text(&event["delta"]["text"])).collect()
            }
            (Self::Gemini, false) => parts(&answer.json()),
            (Self::Gemini, true) => answer.events().iter().map(parts).collect(),
            (Self::Responses, false) => {
                let output = answer.json()["output"].as_array().cloned().unwrap();
                output.iter().map(|item| text(&item["content"][0]["text"])).collect()
            }
            (Self::Responses, true) => answer
                .events()
                .iter()
                .filter(|event| event["type"] == "response.output_text.delta")
                .map(|event| text(&event["delta"]))
                .collect(),
        }
    }

    /// What the answer calls the model.
    fn model(self, answer: &Answer, stream: bool) -> String {
        let first = if stream { answer.events()[0].clone() } else { answer.json() };
        let named = match (self, stream) {
            (Self::Gemini, _) => &first["modelVersion"],
            (Self::Anthropic, true) => &first["message"]["model"],
            (Self::Responses, true) => &first["response"]["model"],
            _ => &first["model"],
        };
        named.as_str().unwrap_or_default().to_owned()
    }

    /// Whether a streamed answer looks finished to a client of this dialect.
    pub(super) fn is_finished(self, answer: &Answer) -> bool {
        match self {
            Self::Chat => answer.done(),
            Self::Anthropic => answer.events().iter().any(|event| event["type"] == "message_stop"),
            Self::Gemini => {
                answer.events().iter().any(|event| event["candidates"][0]["finishReason"].is_string())
            }
            Self::Responses => answer.events().iter().any(|event| event["type"] == "response.completed"),
        }
    }

    /// The message of an error in the dialect's own form.
    pub(super) fn error(self, answer: &Value) -> String {
        // The last event of a stream, or the body.
        let answer =
            answer.get("response").filter(|response| response["status"] == "failed").unwrap_or(answer);
        let is_own = match self {
            // In the last event of a stream it has no type, and one that passed as it came may have no code.
            Self::Responses => answer["error"]["code"].is_string() || answer["error"]["type"].is_string(),
            Self::Chat => answer["error"]["type"].is_string(),
            Self::Anthropic => answer["type"] == "error" && answer["error"]["type"].is_string(),
            Self::Gemini => answer["error"]["status"].is_string() && answer["error"]["code"].is_number(),
        };
        assert!(is_own, "{self:?}: {answer}");
        answer["error"]["message"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn every_client_gets_the_same_answer_from_every_target() {
    let expected = expected().await;
    let kinds = KINDS
        .map(|(kind, _)| kind.to_owned())
        .into_iter()
        .chain(SHORT.map(|(kind, _)| format!("{kind} by its host")))
        .chain([CHAT_ONLY.to_owned()]);
    for kind in kinds {
        let sim = sim();
        let gateway = Gateway::start(&config(&[(&sim, &kind)], "")).await;
        for client in CLIENTS {
            for stream in [false, true] {
                let answer = gateway.send(client.request(stream)).await;
                let what = format!("{client:?} at {kind}, stream {stream}: {}", answer.everything());
                assert_eq!((answer.status, answer.ending), (200, Ending::Proper), "{what}");
                assert_eq!(client.said(&answer, stream), expected, "{what}");
                assert!(!stream || client.is_finished(&answer), "{what}");
                assert_eq!(answer.header("x-wellhead-survival"), "direct", "{what}");
                // What passes as it came is named as its vendor names it.
                let passes = client == Client::Responses && kind == "openai-compatible";
                if client != Client::Chat && !passes {
                    assert_eq!(client.model(&answer, stream), "chat", "{what}");
                }
                // Whatever the target's streams are called.
                let expected = if stream { "text/event-stream" } else { "application/json" };
                assert!(answer.header("content-type").starts_with(expected), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_target_of_another_dialect_takes_over_before_the_first_token() {
    let expected = expected().await;
    for (first, _) in KINDS {
        for (second, _) in KINDS {
            let (broken, works) = (sim(), sim());
            broken.set_fault(Rule::always(fault("status:503")));
            let gateway = Gateway::start(&config(&[(&broken, first), (&works, second)], "")).await;
            for client in CLIENTS {
                let answer = gateway.send(client.request(true)).await;
                let what = format!("{client:?} at {first}, then {second}: {}", answer.everything());
                assert_eq!(client.said(&answer, true), expected, "{what}");
                assert!(client.is_finished(&answer), "{what}");
            }
        }
    }
}

/// Judge 8 of the dialects: a broken answer is gone on with by whoever can, in the client's dialect.
#[tokio::test]
async fn a_broken_stream_is_gone_on_with_across_dialects() {
    let expected = expected().await;
    let is_young = |kind: &str| kind == "cohere" || kind == "ollama-native";
    for (first, _) in KINDS {
        for (second, _) in KINDS {
            // Each of the youngest with itself, with the other and with OpenAI's is enough: nothing knows who is behind.
            let is_old = |kind: &str| kind == "anthropic" || kind == "gemini";
            if is_young(first) && is_old(second) || is_old(first) && is_young(second) {
                continue;
            }
            for client in CLIENTS {
                // Where all speak Responses, its streams pass as they come, and are not gone on with.
                if client == Client::Responses
                    && (first, second) == ("openai-compatible", "openai-compatible")
                {
                    continue;
                }
                let (breaks, works) = (sim(), sim());
                breaks.set_fault(Rule::always(fault("cut-after:5")));
                let gateway = Gateway::start(&config(&[(&breaks, first), (&works, second)], "")).await;
                let answer = gateway.send(client.request(true)).await;
                let what = format!("{client:?} at {first}, then {second}: {}", answer.everything());
                assert_eq!(client.said(&answer, true), expected, "{what}");
                assert!(client.is_finished(&answer), "{what}");
            }
        }
    }
}

/// Rung 1 of the rescue: models that take the beginning of their answer are handed it, in their own dialect.
#[tokio::test]
async fn a_model_that_takes_prefills_is_asked_for_the_rest_only() {
    let expected = expected().await;
    for (kind, model) in [
        ("anthropic", "claude-haiku-4-5"),
        ("gemini", "gemini-3.5-flash"),
        ("bedrock", "eu.anthropic.claude-haiku-4-5-20251001-v1:0"),
    ] {
        for client in CLIENTS {
            let (breaks, works) = (sim(), sim());
            breaks.set_fault(Rule::always(fault("cut-after:5")));
            let text = config(&[(&breaks, "openai-compatible"), (&works, kind)], "").replace("m1", model);
            let gateway = Gateway::start(&text).await;
            let answer = gateway.send(client.request(true)).await;
            let what = format!("{client:?}, rest from {kind}: {}", answer.everything());
            assert_eq!(client.said(&answer, true), expected, "{what}");
            assert!(client.is_finished(&answer), "{what}");
            let asked: Value = serde_json::from_slice(&works.requests()[0].body).unwrap();
            let turns = asked.get("messages").or_else(|| asked.get("contents")).unwrap().as_array().unwrap();
            let last = turns.last().unwrap();
            assert!(last["role"] == "assistant" || last["role"] == "model", "{what}: {asked}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_nobody_goes_on_with_ends_with_an_error_in_the_clients_dialect() {
    for (kind, _) in KINDS {
        let sim = sim();
        sim.set_fault(Rule::always(fault("cut-after:5")));
        let settings = "stream: { rescue: off }";
        let gateway = Gateway::start(&config(&[(&sim, kind)], settings)).await;
        for client in CLIENTS {
            let answer = gateway.send(client.request(true)).await;
            let what = format!("{client:?} at {kind}: {}", answer.everything());
            assert!(!client.is_finished(&answer), "{what}");
            let last = answer.events().last().cloned().unwrap();
            assert!(!client.error(&last).is_empty(), "{what}");
        }
    }
}

#[tokio::test]
async fn errors_have_the_clients_own_form() {
    let sim = sim();
    for (kind, _) in KINDS {
        let gateway = Gateway::start(&config(&[(&sim, kind)], "attempts_max: 1")).await;
        for client in CLIENTS {
            sim.set_fault(Rule::always(fault("status:400")).times(1));
            let answer = gateway.send(client.request(false)).await;
            let what = format!("{client:?} at {kind}: {}", answer.everything());
            assert_eq!(answer.status, 400, "{what}");
            assert!(!client.error(&answer.json()).is_empty(), "{what}");
            // And the gateway's own: no such model, no key.
            let unknown = match client {
                Client::Gemini => Request::post("/v1beta/models/nobody:generateContent").json(&json!({"contents": []})),
                Client::Chat => Request::post(CHAT).json(&json!({"model": "nobody", "messages": []})),
                Client::Responses => Request::post("/v1/responses").json(&json!({"model": "nobody", "input": "x"})),
                Client::Anthropic => Request::post("/v1/messages")
                    .json(&json!({"model": "nobody", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]})),
            };
            let answer = gateway.send(unknown).await;
            assert_eq!(answer.status, 404, "{client:?}: {}", answer.everything());
            assert!(client.error(&answer.json()).contains("nobody"), "{client:?}: {}", answer.everything());
        }
    }
}

/// Wire.md, trap 4: parallel calls by index and id.
#[tokio::test]
async fn tools_are_called_across_dialects() {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    for (kind, _) in KINDS {
        let sim = sim();
        let gateway = Gateway::start(&config(&[(&sim, kind)], "")).await;
        for stream in [false, true] {
            let mut body = chat(stream);
            body["tools"] =
                json!([{"type": "function", "function": {"name": "weather", "parameters": schema}}]);
            if kind == "ollama-native" {
                // Nobody can force its models.
                body["messages"][0]["content"] = json!("Use the tool for weather.");
            } else {
                body["tool_choice"] = json!("required");
            }
            let answer = gateway.send(Request::post(CHAT).json(&body)).await;
            assert_eq!(answer.status, 200, "{kind}: {}", answer.everything());
            let calls = call(&answer, stream);
            assert_eq!(calls.0, "weather", "{kind}, stream {stream}: {}", answer.everything());
            let arguments: Value = serde_json::from_str(&calls.1).unwrap();
            assert!(arguments["city"].is_string(), "{kind}, stream {stream}: {arguments}");
        }
    }
}

#[tokio::test]
async fn what_a_target_cannot_do_is_refused_by_name_or_left_out_and_listed() {
    let (sim, broken) = (sim(), sim());
    broken.set_fault(Rule::always(fault("status:503")));
    let mut body = chat(false);
    (body["logit_bias"], body["user"]) = (json!({"50256": -100}), json!("u1"));
    let refuses = Gateway::start(&config(&[(&sim, "anthropic")], "")).await;
    let answer = refuses.send(Request::post(CHAT).json(&body)).await;
    assert_eq!(
        (answer.status, answer.error()["param"].as_str()),
        (400, Some("logit_bias")),
        "{}",
        answer.everything()
    );
    let unknown =
        Client::Anthropic.request(false).without("anthropic-version").header("anthropic-version", "1999");
    let answer = refuses.send(unknown).await;
    assert_eq!(answer.status, 400, "{}", answer.everything());
    assert!(Client::Anthropic.error(&answer.json()).contains("2026-10-21"), "{}", answer.everything());
    // While the one that could is down, it is not the request that is at fault.
    let down =
        Gateway::start(&config(&[(&broken, "openai-compatible"), (&sim, "anthropic")], "attempts_max: 2"))
            .await;
    let answer = down.send(Request::post(CHAT).json(&body)).await;
    assert_eq!(answer.status, 503, "{}", answer.everything());
    let drops = Gateway::start(&config(&[(&sim, "anthropic")], "drop_unsupported: [logit_bias]")).await;
    let answer = drops.send(Request::post(CHAT).json(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.everything());
    assert!(answer.header("x-wellhead-dropped").contains("logit_bias"), "{}", answer.everything());
    // Where a target can, it is asked instead.
    let gateway = Gateway::start(&config(&[(&sim, "anthropic"), (&sim, "openai-compatible")], "")).await;
    let answer = gateway.send(Request::post(CHAT).json(&body)).await;
    assert_eq!(
        (answer.status, answer.header("x-wellhead-target")),
        (200, "p1/m1"),
        "{}",
        answer.everything()
    );
    assert_eq!(answer.header("x-wellhead-dropped"), "");
}

/// The other way round: what a client's dialect can say and OpenAI's cannot is not lost in silence either.
#[tokio::test]
async fn what_openai_has_no_form_for_is_refused_by_name_or_left_out_and_listed() {
    let sim = sim();
    let ask = json!({
        "model": "chat", "max_tokens": 50, "top_k": 5, "messages": [{"role": "user", "content": "Tell me about wells."}],
    });
    let ask = || Request::post("/v1/messages").json(&ask);
    let refuses = Gateway::start(&config(&[(&sim, "openai-compatible")], "")).await;
    let answer = refuses.send(ask()).await;
    assert_eq!(answer.status, 400, "{}", answer.everything());
    assert!(Client::Anthropic.error(&answer.json()).contains("top_k"), "{}", answer.everything());
    assert_eq!(sim.requests().len(), 0);
    let drops = Gateway::start(&config(&[(&sim, "openai-compatible")], "drop_unsupported: [top_k]")).await;
    let answer = drops.send(ask()).await;
    assert_eq!(
        (answer.status, answer.header("x-wellhead-dropped")),
        (200, "top_k"),
        "{}",
        answer.everything()
    );
    // Where a target can, it is asked instead.
    let gateway = Gateway::start(&config(&[(&sim, "openai-compatible"), (&sim, "anthropic")], "")).await;
    let answer = gateway.send(ask()).await;
    assert_eq!(
        (answer.status, answer.header("x-wellhead-target")),
        (200, "p1/m1"),
        "{}",
        answer.everything()
    );
}

/// Whatever goes wrong at a target whose streams are framed in binary: another one answers, or goes on.
#[tokio::test]
async fn a_binary_stream_that_goes_wrong_anyhow_costs_the_client_nothing() {
    let expected = expected().await;
    for wrong in [
        "status:429",
        "status:503",
        "refuse",
        "reset-before-headers",
        "reset-after-headers",
        "stall-after:0",
        "wrong-content-type",
        "error-in-200",
        "empty-body",
        "bad-json",
        "compressed:force",
        "huge-line:4000000",
        "cut-after:5",
        "reset-after:5",
        "stall-after:5",
        "malformed-event:5",
        "error-mid-stream:5",
        "missing-terminator",
    ] {
        let (breaks, works) = (sim(), sim());
        breaks.set_fault(Rule::always(fault(wrong)));
        let settings = "timeouts: { first_token: 500ms, stream_idle: 1s }";
        let text = config(&[(&breaks, "bedrock"), (&works, "openai-compatible")], settings);
        let gateway = Gateway::start(&text).await;
        for client in [Client::Chat, Client::Anthropic] {
            let answer = gateway.send(client.request(true)).await;
            let what = format!("{client:?}, {wrong}: {}", answer.everything());
            assert_eq!(client.said(&answer, true), expected, "{what}");
            assert!(client.is_finished(&answer), "{what}");
            assert_ne!(answer.header("content-type"), "application/vnd.amazon.eventstream", "{what}");
        }
        assert!(!breaks.requests().is_empty() || wrong == "refuse", "{wrong}");
    }
}

/// The model stands in the path, percent-encoded, and the body has no place for it.
#[tokio::test]
async fn bedrock_is_asked_where_its_models_are() {
    let sim = sim();
    let model = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let arn = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3d4e5f6";
    for (model, path) in [
        (model, "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0"),
        (
            arn,
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2c3d4e5f6",
        ),
    ] {
        let text = config(&[(&sim, "bedrock")], "").replace("model: m0", &format!("model: \"{model}\""));
        let gateway = Gateway::start(&text).await;
        for (stream, operation) in [(false, "converse"), (true, "converse-stream")] {
            let answer = gateway.send(Client::Chat.request(stream)).await;
            assert_eq!(answer.status, 200, "{}", answer.everything());
            let asked = sim.requests().pop().unwrap();
            assert_eq!(asked.path, format!("{path}/{operation}"));
            let body: Value = serde_json::from_slice(&asked.body).unwrap();
            assert_eq!((body.get("model"), body.get("stream")), (None, None), "{body}");
            assert_eq!(body["messages"][0]["content"][0]["text"], chat(false)["messages"][0]["content"]);
        }
    }
}

/// Usage is counted as the vendor counts it, and clients get a guardrail of theirs.
#[tokio::test]
async fn what_only_bedrock_knows_reaches_it_and_its_counts_come_back() {
    let sim = sim();
    let gateway = Gateway::start(&config(&[(&sim, "bedrock")], "")).await;
    let mut body = chat(true);
    body["stream_options"] = json!({"include_usage": true});
    body["guardrailConfig"] = json!({"guardrailIdentifier": "gr1", "guardrailVersion": "1"});
    let answer = gateway.send(Request::post(CHAT).json(&body)).await;
    let asked: Value = serde_json::from_slice(&sim.requests()[0].body).unwrap();
    assert_eq!(asked["guardrailConfig"]["guardrailIdentifier"], "gr1", "{asked}");
    let usage = answer.events().iter().find_map(|event| event["usage"]["total_tokens"].as_u64());
    assert!(usage.is_some_and(|total| total > 0), "{}", answer.everything());
}

/// Name and arguments of the first call of a chat answer.
fn call(answer: &Answer, stream: bool) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if !stream {
        let function = answer.json()["choices"][0]["message"]["tool_calls"][0]["function"].clone();
        return (text(&function["name"]), text(&function["arguments"]));
    }
    let deltas: Vec<Value> =
        answer.events().iter().map(|e| e["choices"][0]["delta"]["tool_calls"][0].clone()).collect();
    let first = deltas.iter().filter(|delta| delta["index"] == 0);
    first.fold(Default::default(), |(name, arguments): (String, String), delta| {
        (name + &text(&delta["function"]["name"]), arguments + &text(&delta["function"]["arguments"]))
    })
}

/// What is lost at Cohere and Ollama in silence elsewhere: forced calls, formats beside tools, and faults after the head.
#[tokio::test]
async fn cohere_and_ollama_refuse_by_name_what_they_cannot_do() {
    let sim = sim();
    let tools = json!([{"type": "function", "function": {"name": "weather"}}]);
    for (kind, name, value) in [
        ("cohere", "response_format", json!({"type": "json_object"})),
        ("cohere", "n", json!(2)),
        ("ollama-native", "tool_choice", json!("required")),
        ("ollama-native", "logit_bias", json!({"1": 1})),
    ] {
        let gateway = Gateway::start(&config(&[(&sim, kind)], "")).await;
        let mut body = chat(false);
        (body["tools"], body[name]) = (tools.clone(), value);
        let answer = gateway.send(Request::post(CHAT).json(&body)).await;
        let what = format!("{kind}: {}", answer.everything());
        assert_eq!((answer.status, answer.error()["param"].as_str()), (400, Some(name)), "{what}");
    }
    assert_eq!(sim.requests().len(), 0);
}

/// Every fault of a stream is seen in every framing: the standby says the whole answer.
#[tokio::test]
async fn faults_are_seen_in_every_framing() {
    let expected = expected().await;
    let faults = [
        "status:429",
        "status:500",
        "reset-after-headers",
        "cut-after:3",
        "reset-after:3",
        "error-mid-stream:3",
        "malformed-event:3",
        "missing-terminator",
        "error-in-200",
        "bad-json",
        "empty-body",
        "wrong-content-type",
        "huge-line:100000",
    ];
    for kind in ["cohere", "ollama-native"] {
        for text in faults {
            let (breaks, works) = (sim(), sim());
            breaks.set_fault(Rule::always(fault(text)));
            let gateway =
                Gateway::start(&config(&[(&breaks, kind), (&works, "openai-compatible")], "")).await;
            let answer = gateway.send(Client::Chat.request(true)).await;
            let what = format!("{text} at {kind}: {}", answer.everything());
            assert_eq!(Client::Chat.said(&answer, true), expected, "{what}");
            assert!(answer.done(), "{what}");
        }
    }
}
