//! A conversation with thoughts and tools whose target changes vendor in its middle (wire.md, trap 7). The vendors here are
//! as strict as the real ones: each signs what it thought, refuses a signature of anybody else with 400, and Gemini and
//! Anthropic want theirs back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::{Answer, Asked, CHAT, Gateway, Guard, KEY, Request, Ruling};

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vendor {
    Anthropic,
    Gemini,
    OpenAi,
}

const VENDORS: [Vendor; 3] = [Vendor::Anthropic, Vendor::Gemini, Vendor::OpenAi];

impl Vendor {
    const fn kind(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Anthropic => ("anthropic", "/v1", "claude-haiku-4-5"),
            Self::Gemini => ("gemini", "/v1beta", "gemini-3-pro-preview"),
            Self::OpenAi => ("openai-compatible", "/v1", "deep-thinker"),
        }
    }

    /// Its signatures begin like this: base64, as the vendors' do.
    const fn seal(self) -> &'static str {
        match self {
            Self::Anthropic => "QW50aHJvcGlj",
            Self::Gemini => "R2VtaW5pR2Vt",
            Self::OpenAi => "T3BlbkFJT3Bl",
        }
    }

    fn refusal(self, message: &str) -> String {
        match self {
            Self::Anthropic => {
                json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}})
            }
            Self::Gemini => json!({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}),
            Self::OpenAi => {
                json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}})
            }
        }
        .to_string()
    }

    /// A thought with its signature, and a call.
    fn answer(self, number: usize) -> String {
        let signature = format!("{}{number:04}", self.seal());
        let (thought, city) = ("It takes the weather.", "Zürich");
        match self {
            Self::Anthropic => json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5",
                "content": [
                    {"type": "thinking", "thinking": thought, "signature": signature},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": format!("toolu_{number}"), "name": "weather", "input": {"city": city}},
                ],
                "stop_reason": "tool_use", "stop_sequence": null,
                "usage": {"input_tokens": 10, "output_tokens": 20},
            }),
            Self::Gemini => json!({
                "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [
                    {"text": thought, "thought": true},
                    {"text": "I look."},
                    {"functionCall": {"name": "weather", "args": {"city": city}}, "thoughtSignature": signature},
                ]}}],
                "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 12, "thoughtsTokenCount": 8,
                    "totalTokenCount": 30},
                "modelVersion": "gemini-3-pro-preview", "responseId": "r1",
            }),
            Self::OpenAi => json!({
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "deep-thinker",
                "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
                    "role": "assistant", "content": "I look.", "reasoning_content": thought,
                    "reasoning_details": [{"type": "reasoning.text", "text": thought, "signature": signature, "index": 0}],
                    "tool_calls": [{"id": format!("call_{number}"), "type": "function",
                        "function": {"name": "weather", "arguments": json!({"city": city}).to_string()}}],
                }}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30},
            }),
        }
        .to_string()
    }

    /// Why a request is refused, as the vendor would.
    fn wrong(self, body: &Value) -> Option<String> {
        let text = body.to_string();
        if text.contains("wh1~") || text.contains("d2gxf") {
            return Some("a mark of the gateway's own".to_owned());
        }
        if let Some(other) = VENDORS.iter().find(|other| **other != self && text.contains(other.seal())) {
            return Some(format!("Invalid `signature` in `thinking` block: of {other:?}"));
        }
        match self {
            Self::Anthropic => unthinking(body),
            Self::Gemini => unsigned(body),
            Self::OpenAi => None,
        }
    }
}

/// With thinking on, a last turn of the assistant's that called a tool has to begin with its thought.
fn unthinking(body: &Value) -> Option<String> {
    if body["thinking"]["type"] != "enabled" {
        return None;
    }
    let messages = body["messages"].as_array()?;
    let last = messages.iter().rev().find(|message| message["role"] == "assistant")?;
    let first = last["content"][0]["type"].as_str().unwrap_or("text");
    let is_thought = matches!(first, "thinking" | "redacted_thinking");
    (!is_thought).then(|| format!("Expected `thinking` or `redacted_thinking`, but found `{first}`"))
}

/// The first call of a turn has to carry a signature.
fn unsigned(body: &Value) -> Option<String> {
    for content in body["contents"].as_array()? {
        let parts = content["parts"].as_array()?;
        let first = parts.iter().find(|part| part["functionCall"].is_object());
        if first.is_some_and(|call| !call["thoughtSignature"].is_string()) {
            return Some("Function call is missing a thought_signature in functionCall parts".to_owned());
        }
    }
    None
}

/// A vendor, and whether it is there.
struct Stage {
    vendor: Vendor,
    guard: Guard,
    is_down: Arc<AtomicBool>,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    async fn set_up(vendor: Vendor) -> Self {
        let (is_down, refused) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (down, log, number) = (is_down.clone(), refused.clone(), Mutex::new(0));
        let json = || vec![("content-type", "application/json".to_owned())];
        let guard = Guard::start(move |asked: &Asked| {
            if down.load(Ordering::Relaxed) {
                return Ruling::Say(503, json(), vendor.refusal("The model is overloaded."));
            }
            let body: Value = serde_json::from_slice(&asked.body).unwrap();
            if let Some(why) = vendor.wrong(&body) {
                log.lock().unwrap().push(format!("{why}: {body}"));
                return Ruling::Say(400, json(), vendor.refusal(&why));
            }
            let mut number = number.lock().unwrap();
            *number += 1;
            Ruling::Say(200, json(), vendor.answer(*number))
        })
        .await;
        Self { vendor, guard, is_down, refused }
    }

    /// The signatures of its own that it was given back.
    fn given_back(&self) -> bool {
        let last = self.guard.seen().pop().map(|asked| String::from_utf8(asked.body).unwrap());
        last.is_some_and(|body| body.contains(self.vendor.seal()))
    }
}

/// A client that sends back what it got, as its vendor's documentation says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    Chat,
    Anthropic,
    Gemini,
}

impl Client {
    fn first(self) -> Vec<Value> {
        let question = "What is the weather in Zürich?";
        match self {
            Self::Chat | Self::Anthropic => vec![json!({"role": "user", "content": question})],
            Self::Gemini => vec![json!({"role": "user", "parts": [{"text": question}]})],
        }
    }

    fn request(self, turns: &[Value]) -> Request {
        let schema =
            json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        match self {
            Self::Chat => Request::post(CHAT).json(&json!({
                "model": "chat", "messages": turns, "reasoning_effort": "low", "max_completion_tokens": 8000,
                "tools": [{"type": "function", "function": {"name": "weather", "parameters": schema}}],
            })),
            Self::Anthropic => Request::post("/v1/messages").header("x-api-key", KEY).json(&json!({
                "model": "chat", "messages": turns, "max_tokens": 8000,
                "thinking": {"type": "enabled", "budget_tokens": 1024},
                "tools": [{"name": "weather", "input_schema": schema}],
            })),
            Self::Gemini => Request::post("/v1beta/models/chat:generateContent").json(&json!({
                "contents": turns,
                "generationConfig": {"thinkingConfig": {"includeThoughts": true, "thinkingBudget": 1024}},
                "tools": [{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": schema}]}],
            })),
        }
    }

    /// The answer as a turn, and what its calls gave.
    fn next(self, answer: &Answer) -> [Value; 2] {
        let answer = answer.json();
        match self {
            Self::Chat => {
                let message = answer["choices"][0]["message"].clone();
                let id = message["tool_calls"][0]["id"].clone();
                [message, json!({"role": "tool", "tool_call_id": id, "content": "21 °C"})]
            }
            Self::Anthropic => {
                let content = answer["content"].clone();
                let call =
                    content.as_array().unwrap().iter().find(|block| block["type"] == "tool_use").unwrap();
                let result = json!({"type": "tool_result", "tool_use_id": call["id"], "content": "21 °C"});
                [
                    json!({"role": "assistant", "content": content}),
                    json!({"role": "user", "content": [result]}),
                ]
            }
            Self::Gemini => {
                let content = answer["candidates"][0]["content"].clone();
                let parts = content["parts"].as_array().unwrap();
                let call = parts.iter().find(|part| part["functionCall"].is_object()).unwrap();
                let mut response = json!({"name": "weather", "response": {"output": "21 °C"}});
                if call["functionCall"]["id"].is_string() {
                    response["id"] = call["functionCall"]["id"].clone();
                }
                let result = json!({"role": "user", "parts": [{"functionResponse": response}]});
                [content, result]
            }
        }
    }
}

fn config(stages: [&Stage; 2]) -> String {
    let mut text = String::from("providers:\n");
    for (number, stage) in stages.iter().enumerate() {
        let (kind, path, _) = stage.vendor.kind();
        let url = stage.guard.url(path);
        text += &format!("  p{number}: {{ kind: {kind}, base_url: \"{url}\", keys: [\"sk-{number}\"] }}\n");
    }
    text += "models:\n  chat:\n    targets:\n";
    for (number, stage) in stages.iter().enumerate() {
        let model = stage.vendor.kind().2;
        text += &format!("      - {{ provider: p{number}, model: {model}, tier: {number} }}\n");
    }
    crate::support::config(&text)
}

#[tokio::test]
async fn a_conversation_goes_on_when_its_target_changes_vendor() {
    for client in [Client::Chat, Client::Anthropic, Client::Gemini] {
        for (first, second) in VENDORS.iter().flat_map(|a| VENDORS.iter().map(move |b| (*a, *b))) {
            if first == second {
                continue;
            }
            let (one, two) = (Stage::set_up(first).await, Stage::set_up(second).await);
            let gateway = Gateway::start(&config([&one, &two])).await;
            let mut turns = client.first();
            // The primary, the standby while the primary is away, and the primary again.
            for (turn, answering) in [&one, &two, &one].into_iter().enumerate() {
                one.is_down.store(turn == 1, Ordering::Relaxed);
                let answer = gateway.send(client.request(&turns)).await;
                let what = format!(
                    "{client:?}, {first:?} then {second:?}, turn {turn}: {}\nrefused: {:?} {:?}",
                    answer.everything(),
                    one.refused.lock().unwrap(),
                    two.refused.lock().unwrap()
                );
                assert_eq!(answer.status, 200, "{what}");
                let expected = if turn == 1 { "failed-over" } else { "direct" };
                assert_eq!(answer.header("x-wellhead-survival"), expected, "{what}");
                assert!(
                    one.refused.lock().unwrap().is_empty() && two.refused.lock().unwrap().is_empty(),
                    "{what}"
                );
                assert_eq!(answering.given_back(), turn == 2, "{what}");
                turns.extend(client.next(&answer));
            }
        }
    }
}

#[test]
fn the_vendors_are_strict() {
    let thought = |signature: &str| {
        json!({"thinking": {"type": "enabled"}, "messages": [
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": signature}]},
        ]})
    };
    assert_eq!(Vendor::Anthropic.wrong(&thought("QW50aHJvcGlj0001")), None);
    assert!(Vendor::Anthropic.wrong(&thought("R2VtaW5pR2Vt0001")).is_some());
    assert!(Vendor::Anthropic.wrong(&thought("wh1~gemini~p~m~R2V")).is_some());
    let call = json!({"contents": [{"role": "model", "parts": [{"functionCall": {"name": "f"}}]}]});
    assert!(Vendor::Gemini.wrong(&call).is_some());
}
