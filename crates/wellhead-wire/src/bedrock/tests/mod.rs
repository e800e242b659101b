#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod answers;
mod errors;
mod full;
mod pairs;
mod random;
mod requests;
mod streams;

use super::Options;
use crate::chat::{Abilities, Encoded, Losses, Origin, Request, Shown, Target, Unsupported};
use serde_json::Value;

const FULL_REQUEST: &str = include_str!("data/full_request.json");
const FULL_ANSWER: &str = include_str!("data/full_answer.json");
const STREAM: &str = include_str!("data/stream.json");

/// Takes nearly everything, and is asked to think by a budget.
const CLAUDE: &str = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
/// Takes instructions anywhere, and is asked to think by effort.
const NEWER: &str = "global.anthropic.claude-opus-5-v1:0";
const NOVA: &str = "us.amazon.nova-2-lite-v1:0";
const MISTRAL: &str = "mistral.mistral-large-2407-v1:0";
const LLAMA: &str = "us.meta.llama4-maverick-17b-instruct-v1:0";
const GPT: &str = "openai.gpt-oss-120b-1:0";

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|bad| panic!("{bad}: {}", String::from_utf8_lossy(text)))
}

fn origin(model: &str) -> Origin {
    Origin { provider: "aws".into(), model: model.into() }
}

fn target(model: &str) -> Target {
    Target { origin: origin(model), output_tokens_max: None, can: Abilities::default() }
}

fn shown() -> Shown {
    Shown { model: "mine".into(), id: "made-id".into(), created: 1, stream_usage: true }
}

fn encode(request: &Request, model: &str, losses: &Losses) -> Result<Encoded, Unsupported> {
    super::encode_request(request, &target(model), losses, Options::of(model))
}

/// What is written where nothing may be left out.
fn body(request: &Request, model: &str) -> Value {
    let encoded = encode(request, model, &Losses::NONE).unwrap_or_else(|refused| panic!("{refused}"));
    json(&encoded.body)
}
