//! Every pair of dialects, as goldens: what a target receives of what a client asks with every field of its dialect, what
//! the client gets of the target's fullest answer and stream, and what it is told of the target's errors.
//!
//! `WELLHEAD_BLESS=1` writes the files below `golden/`; what changed in them is to be read against the vendors'
//! documentation before it is committed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod asked;
mod golden;
mod streamed;
mod told;

use wellhead_wire::chat::{Abilities, Dialect, Origin, Shown, Target};
use wellhead_wire::gemini::Service;
use wellhead_wire::openai::chat::Options;
use wellhead_wire::translate::Way;

/// One dialect, as clients and targets speak it in these tests.
struct Spoken {
    dialect: Dialect,
    /// A model of the vendor's, by its name.
    model: &'static str,
    /// A request with every field, if clients speak the dialect.
    request: Option<&'static [u8]>,
    /// The fullest answer and stream.
    answer: &'static [u8],
    stream: &'static [u8],
    /// The vendor's answers to what cannot be done: name, status, body.
    errors: &'static [(&'static str, u16, &'static str)],
    /// An error behind the first text of a stream. Of Bedrock, the payload of a `throttlingException`.
    broken: &'static str,
}

const SPOKEN: &[Spoken] = &[
    Spoken {
        dialect: Dialect::Chat,
        model: "gpt-4.1",
        request: Some(include_bytes!("../../src/openai/chat/tests/full_request.json")),
        answer: include_bytes!("../../src/openai/chat/tests/full_answer.json"),
        stream: include_bytes!("fixtures/openai-chat.sse"),
        errors: &[
            (
                "context",
                400,
                r#"{"error":{"message":"This model's maximum context length is 128000 tokens. However, your messages resulted in 130001 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
            ),
            (
                "limit",
                429,
                r#"{"error":{"message":"Rate limit reached for gpt-4.1. Please try again in 1.5s.","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
            ),
        ],
        broken: "data: {\"error\":{\"message\":\"The server had an error while processing your request.\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n",
    },
    Spoken {
        dialect: Dialect::Responses,
        model: "gpt-5.3-codex",
        request: Some(include_bytes!("../../src/openai/responses/tests/full_request.json")),
        answer: include_bytes!("../../src/openai/responses/tests/full_answer.json"),
        stream: include_bytes!("../../src/openai/responses/tests/full_stream.txt"),
        errors: &[(
            "context",
            400,
            r#"{"error":{"message":"Your input exceeds the context window of this model. Please adjust your input and try again.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}"#,
        )],
        broken: "event: error\ndata: {\"type\":\"error\",\"sequence_number\":3,\"code\":\"server_error\",\"message\":\"The server had an error.\",\"param\":null}\n\n",
    },
    Spoken {
        dialect: Dialect::Anthropic,
        model: "claude-haiku-4-5",
        request: Some(include_bytes!("../../src/anthropic/tests/request_full.json")),
        answer: include_bytes!("../../src/anthropic/tests/answer_full.json"),
        stream: include_bytes!("../../src/anthropic/tests/stream_full.txt"),
        errors: &[
            (
                "context",
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 200251 tokens > 200000 maximum"},"request_id":"req_1"}"#,
            ),
            (
                "overload",
                529,
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#,
            ),
        ],
        broken: "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
    },
    Spoken {
        dialect: Dialect::Gemini,
        model: "gemini-2.5-flash",
        request: Some(include_bytes!("../../src/gemini/tests/data/full_request.json")),
        answer: include_bytes!("../../src/gemini/tests/data/full_answer.json"),
        stream: include_bytes!("../../src/gemini/tests/data/told_stream.sse"),
        errors: &[
            (
                "context",
                400,
                r#"{"error":{"code":400,"message":"The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}"#,
            ),
            (
                "limit",
                429,
                r#"{"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"48s"}]}}"#,
            ),
        ],
        broken: "data: {\"error\": {\"code\": 503, \"message\": \"The model is overloaded.\", \"status\": \"UNAVAILABLE\"}}\r\n\r\n",
    },
    Spoken {
        dialect: Dialect::Bedrock,
        model: "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        request: None,
        answer: include_bytes!("../../src/bedrock/tests/data/full_answer.json"),
        stream: include_bytes!("fixtures/bedrock.eventstream"),
        errors: &[
            (
                "context",
                400,
                r#"{"__type":"ValidationException","message":"Input is too long for requested model."}"#,
            ),
            (
                "limit",
                429,
                r#"{"__type":"ThrottlingException","message":"Too many tokens, please wait before trying again."}"#,
            ),
        ],
        broken: r#"{"message":"Too many requests, please wait before trying again."}"#,
    },
];

/// Every client with every target.
fn pairs() -> impl Iterator<Item = (&'static Spoken, &'static Spoken)> {
    let clients = SPOKEN.iter().filter(|spoken| spoken.request.is_some());
    clients.flat_map(|client| SPOKEN.iter().map(move |target| (client, target)))
}

impl Spoken {
    fn name(&self) -> &'static str {
        self.dialect.as_str()
    }

    fn origin(&self) -> Origin {
        Origin { provider: "vendor".into(), model: self.model.into() }
    }

    fn target(&self) -> Target {
        Target { origin: self.origin(), output_tokens_max: Some(8192), can: Abilities::default() }
    }

    fn way(&self) -> Way {
        Way { dialect: self.dialect, service: Service::AiStudio, quirks: Options::default() }
    }
}

/// What a client calls what it asked for.
fn shown() -> Shown {
    Shown {
        model: "assistant".into(),
        id: "0123456789abcdef".into(),
        created: 1_700_000_000,
        stream_usage: true,
    }
}
