//! Errors after a 200: in events, in whole bodies, in messages of an AWS event stream.

use crate::failure::{Vendor, aws_exception, in_band};
use wellhead_types::{Cause, Retry, Scope, Stage};

/// 2026-11-22 12:00:00 UTC.
const NOW: u64 = 1_795_348_800;

/// Kind, name of the event, data, cause, scope.
const ERRORS: &[(&str, Option<&str>, &str, Cause, Scope)] = &[
    (
        "openai",
        None,
        r#"{"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}"#,
        Cause::ErrorInSuccess,
        Scope::Endpoint,
    ),
    (
        "openai",
        None,
        r#"{"error":{"message":"Rate limit reached","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
        Cause::RateLimited,
        Scope::KeyModel,
    ),
    (
        "openai",
        Some("error"),
        r#"{"type":"error","code":"server_error","message":"internal","param":null,"sequence_number":3}"#,
        Cause::ErrorInSuccess,
        Scope::Endpoint,
    ),
    (
        "openai",
        Some("response.failed"),
        r#"{"type":"response.failed","sequence_number":4,"response":{"id":"resp_1","status":"failed","error":{"code":"rate_limit_exceeded","message":"slow"}}}"#,
        Cause::RateLimited,
        Scope::KeyModel,
    ),
    (
        "openai",
        Some("response.failed"),
        r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"context_length_exceeded","message":"Your input exceeds the context window of this model."}}}"#,
        Cause::ContextLength,
        Scope::Request,
    ),
    (
        "openai",
        None,
        r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"x"}}}"#,
        Cause::ErrorInSuccess,
        Scope::Endpoint,
    ),
    (
        "anthropic",
        Some("error"),
        r#"{"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#,
        Cause::Overloaded,
        Scope::Provider,
    ),
    (
        "anthropic",
        Some("error"),
        r#"{"type":"error","error":{"type":"api_error","message":"Internal server error"}}"#,
        Cause::ErrorInSuccess,
        Scope::Endpoint,
    ),
    (
        "anthropic",
        None,
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"x"}}"#,
        Cause::RateLimited,
        Scope::KeyModel,
    ),
    (
        "gemini",
        None,
        r#"{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}"#,
        Cause::Overloaded,
        Scope::Endpoint,
    ),
    (
        "gemini",
        None,
        r#"{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED"}}"#,
        Cause::RateLimited,
        Scope::KeyModel,
    ),
    (
        "gemini",
        None,
        r#"[{"error":{"code":500,"message":"An internal error has occurred.","status":"INTERNAL"}}]"#,
        Cause::ErrorInSuccess,
        Scope::Endpoint,
    ),
    (
        "gemini",
        None,
        r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":5},"modelVersion":"g"}"#,
        Cause::ContentFiltered,
        Scope::Request,
    ),
    (
        "gemini",
        None,
        r#"{"promptFeedback":{"blockReason":"SAFETY","safetyRatings":[]}}"#,
        Cause::ContentFiltered,
        Scope::Request,
    ),
    (
        "groq",
        Some("error"),
        r#"{"error":{"message":"Tool call validation failed","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"<function","status_code":400}}"#,
        Cause::Status5xx,
        Scope::Request,
    ),
    (
        "groq",
        Some("error"),
        r#"{"error":{"message":"over capacity","type":"internal_server_error","status_code":503}}"#,
        Cause::Overloaded,
        Scope::Endpoint,
    ),
    (
        "openrouter",
        None,
        r#"{"id":"gen-1","object":"chat.completion.chunk","model":"m","provider":"p","error":{"code":502,"message":"Provider disconnected"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
        Cause::ErrorInSuccess,
        Scope::Endpoint,
    ),
    (
        "openrouter",
        None,
        r#"{"id":"gen-1","error":{"code":429,"message":"Rate limit exceeded","metadata":{"provider_name":"p"}},"choices":[{"index":0,"delta":{}}]}"#,
        Cause::RateLimited,
        Scope::KeyModel,
    ),
    (
        "cohere",
        Some("message-end"),
        r#"{"id":"1","type":"message-end","delta":{"finish_reason":"ERROR","error":"the generation failed"}}"#,
        Cause::ErrorInSuccess,
        Scope::Endpoint,
    ),
    (
        "ollama",
        None,
        r#"{"error":"an error was encountered while running the model: unexpected EOF"}"#,
        Cause::ErrorInSuccess,
        Scope::Endpoint,
    ),
    (
        "minimax",
        None,
        r#"{"id":"1","choices":null,"base_resp":{"status_code":1002,"status_msg":"rate limit"}}"#,
        Cause::RateLimited,
        Scope::KeyModel,
    ),
    (
        "minimax",
        None,
        r#"{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#,
        Cause::QuotaExhausted,
        Scope::Key,
    ),
    (
        "minimax",
        None,
        r#"{"base_resp":{"status_code":1004,"status_msg":"not authorized"}}"#,
        Cause::KeyRejected,
        Scope::Key,
    ),
    (
        "minimax",
        None,
        r#"{"base_resp":{"status_code":1026,"status_msg":"input new_sensitive"}}"#,
        Cause::ContentFiltered,
        Scope::Request,
    ),
    (
        "minimax",
        None,
        r#"{"base_resp":{"status_code":1024,"status_msg":"internal error"}}"#,
        Cause::ErrorInSuccess,
        Scope::Endpoint,
    ),
    (
        "dashscope",
        None,
        r#"{"code":"Throttling.RateQuota","message":"Requests rate limit exceeded, please try again later.","request_id":"r"}"#,
        Cause::RateLimited,
        Scope::KeyModel,
    ),
    (
        "dashscope",
        None,
        r#"{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":"r"}"#,
        Cause::KeyRejected,
        Scope::Key,
    ),
    (
        "qianfan",
        None,
        r#"{"error_code":336103,"error_msg":"Prompt tokens too long","id":"as-1"}"#,
        Cause::ContextLength,
        Scope::Request,
    ),
    (
        "zai",
        None,
        r#"{"code":500,"msg":"404 NOT_FOUND","success":false}"#,
        Cause::ErrorInSuccess,
        Scope::Endpoint,
    ),
    (
        "llama-cpp",
        None,
        r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error","n_prompt_tokens":9,"n_ctx":8}}"#,
        Cause::ContextLength,
        Scope::Request,
    ),
    (
        "vllm",
        None,
        r#"{"object":"error","message":"EngineCore encountered an issue","type":"InternalServerError","param":null,"code":500}"#,
        Cause::ErrorInSuccess,
        Scope::Endpoint,
    ),
    ("openai-compatible", Some("error"), "upstream went away", Cause::ErrorInSuccess, Scope::Endpoint),
];

/// Events and bodies that say nothing of an error.
const ANSWERS: &[(Option<&str>, &str)] = &[
    (None, r#"{"choices":[{"index":0,"delta":{"content":"\"error\": {\"type\":\"error\"}"}}]}"#),
    (None, r#"{"choices":[{"index":0,"delta":{"content":"x"}}],"error":null}"#),
    (None, r#"{"choices":[],"base_resp":{"status_code":0,"status_msg":"success"}}"#),
    (None, r#"{"output":{"text":"x"},"request_id":"r","code":"","message":""}"#),
    (None, r#"{"candidates":[{"content":{"parts":[{"text":"x"}]}}],"promptFeedback":{"safetyRatings":[]}}"#),
    (
        Some("response.created"),
        r#"{"type":"response.created","response":{"id":"r","status":"in_progress","error":null}}"#,
    ),
    (Some("message-end"), r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}"#),
    (Some("ping"), r#"{"type":"ping"}"#),
    (None, "[DONE]"),
    (None, ""),
];

#[test]
fn every_dialects_error_under_a_success_is_found_and_means_what_it_means() {
    for (kind, event, data, cause, scope) in ERRORS {
        for vendor in [Vendor::of_kind(kind), None] {
            let failure = in_band(vendor, event.map(str::as_bytes), data.as_bytes(), Stage::Stream, NOW);
            let failure = failure.unwrap_or_else(|| panic!("{kind}: no error seen in {data}"));
            assert_eq!((failure.cause, failure.scope), (*cause, *scope), "{kind} {data}: {}", failure.detail);
            assert_eq!((failure.stage, failure.status), (Stage::Stream, Some(200)), "{data}");
            let final_ = matches!(cause, Cause::ContextLength | Cause::ContentFiltered);
            assert_eq!(failure.retry == Retry::Never, final_, "{data}");
        }
    }
}

#[test]
fn answers_are_not_taken_for_errors() {
    for (event, data) in ANSWERS {
        assert_eq!(
            in_band(None, event.map(str::as_bytes), data.as_bytes(), Stage::Stream, NOW),
            None,
            "{data}"
        );
    }
}

#[test]
fn exceptions_of_an_aws_event_stream_are_judged_by_their_type() {
    for (kind, cause, scope) in [
        ("throttlingException", Cause::RateLimited, Scope::KeyModel),
        ("modelStreamErrorException", Cause::ErrorInSuccess, Scope::Endpoint),
        ("internalServerException", Cause::ErrorInSuccess, Scope::Endpoint),
        ("serviceUnavailableException", Cause::Overloaded, Scope::Endpoint),
        ("modelTimeoutException", Cause::ErrorInSuccess, Scope::Endpoint),
        ("validationException", Cause::ErrorInSuccess, Scope::Endpoint),
        ("somethingNewException", Cause::ErrorInSuccess, Scope::Endpoint),
    ] {
        let failure = aws_exception(kind, br#"{"message":"m"}"#, Stage::FirstToken, NOW);
        assert_eq!((failure.cause, failure.scope), (cause, scope), "{kind}");
    }
    let long = aws_exception(
        "validationException",
        br#"{"message":"Input is too long for requested model."}"#,
        Stage::FirstToken,
        NOW,
    );
    assert_eq!((long.cause, long.retry), (Cause::ContextLength, Retry::Never));
}
