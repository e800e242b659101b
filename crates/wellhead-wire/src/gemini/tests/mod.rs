#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod answers;
mod counts;
mod errors;
mod full;
mod random;
mod requests;
mod streams;

use super::{Options, Service};
use crate::chat::{Abilities, Origin, Shown, Target};
use serde_json::Value;

const FULL_REQUEST: &str = include_str!("data/full_request.json");
const FULL_ANSWER: &str = include_str!("data/full_answer.json");
const STREAM: &str = include_str!("data/stream.json");

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|bad| panic!("{bad}: {}", String::from_utf8_lossy(text)))
}

fn origin(model: &str) -> Origin {
    Origin { provider: "google".into(), model: model.into() }
}

fn target(model: &str) -> Target {
    Target { origin: origin(model), output_tokens_max: None, can: Abilities::default() }
}

fn vertex(model: &str) -> Options {
    Options::of(Service::Vertex, model)
}

fn shown(model: &str) -> Shown {
    Shown { model: model.into(), id: "made-id".into(), created: 1, stream_usage: true }
}
