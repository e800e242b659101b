//! Status and body as vendors send them, and what they mean, whoever sent them.

use crate::failure::{ERROR_MESSAGE_BYTES_MAX, classify, upstream_message};
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use std::time::Duration;
use wellhead_types::{Cause, Failure, Retry, Scope, Side, Stage};

fn judged(status: u16, body: &str) -> Failure {
    classify(None, status, &HeaderMap::new(), body.as_bytes(), 0)
}

/// Status and body as vendors send them, and what they mean.
const TABLE: &[(u16, &str, Cause, Scope, Retry)] = &[
    // OpenAI: the same status, two meanings.
    (
        429,
        r#"{"error":{"message":"Rate limit reached for gpt-x in organization org-1 on tokens per min (TPM): Limit 30000. Please try again in 6ms.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
        Cause::RateLimited,
        Scope::KeyModel,
        Retry::Elsewhere,
    ),
    (
        429,
        r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
        Cause::QuotaExhausted,
        Scope::Key,
        Retry::Elsewhere,
    ),
    // Gemini uses OpenAI's sentence for a limit per minute.
    (
        429,
        r#"[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"48s"}]}}]"#,
        Cause::RateLimited,
        Scope::KeyModel,
        Retry::Elsewhere,
    ),
    (429, "", Cause::RateLimited, Scope::KeyModel, Retry::Elsewhere),
    (
        429,
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"x","details":{"error_code":"enforced_spend_limit_reached"}}}"#,
        Cause::QuotaExhausted,
        Scope::Key,
        Retry::Elsewhere,
    ),
    (
        429,
        r#"{"error":{"message":"The engine is currently overloaded","type":"engine_overloaded_error"}}"#,
        Cause::Overloaded,
        Scope::Provider,
        Retry::Elsewhere,
    ),
    (
        401,
        r#"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}"#,
        Cause::KeyRejected,
        Scope::Key,
        Retry::Elsewhere,
    ),
    (401, r#"{"detail":"Unauthorized"}"#, Cause::KeyRejected, Scope::Key, Retry::Elsewhere),
    (403, "<html>forbidden</html>", Cause::KeyRejected, Scope::Key, Retry::Elsewhere),
    (
        403,
        r#"{"error":{"message":"Project `p` does not have access to model `m`","code":"model_not_found"}}"#,
        Cause::ModelUnknown,
        Scope::TargetModel,
        Retry::Elsewhere,
    ),
    (
        403,
        r#"{"error":{"code":403,"message":"Your chosen model requires moderation and your input was flagged"}}"#,
        Cause::ContentFiltered,
        Scope::Request,
        Retry::Never,
    ),
    (
        402,
        r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}"#,
        Cause::QuotaExhausted,
        Scope::Key,
        Retry::Elsewhere,
    ),
    (
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}}"#,
        Cause::QuotaExhausted,
        Scope::Key,
        Retry::Elsewhere,
    ),
    (
        403,
        r#"{"code":"permission","error":"Your team has either used all available credits or reached its monthly spending limit."}"#,
        Cause::QuotaExhausted,
        Scope::Key,
        Retry::Elsewhere,
    ),
    (
        400,
        r#"{"error":{"message":"Billing hard limit has been reached","code":"billing_hard_limit_reached"}}"#,
        Cause::QuotaExhausted,
        Scope::Key,
        Retry::Elsewhere,
    ),
    (
        400,
        r#"{"error":{"message":"thinking.budget_tokens must be at least 1024; your budget is 5","type":"invalid_request_error"}}"#,
        Cause::BadRequest,
        Scope::Request,
        Retry::Never,
    ),
    (
        400,
        r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}"#,
        Cause::KeyRejected,
        Scope::Key,
        Retry::Elsewhere,
    ),
    // Context length, in every vendor's words.
    (
        400,
        r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
        Cause::ContextLength,
        Scope::Request,
        Retry::Never,
    ),
    (
        400,
        r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error","n_prompt_tokens":9,"n_ctx":8}}"#,
        Cause::ContextLength,
        Scope::Request,
        Retry::Never,
    ),
    (
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
        Cause::ContextLength,
        Scope::Request,
        Retry::Never,
    ),
    (
        400,
        r#"{"message":"Input is too long for requested model."}"#,
        Cause::ContextLength,
        Scope::Request,
        Retry::Never,
    ),
    (
        422,
        r#"{"error":{"message":"`inputs` tokens + `max_new_tokens` must be <= 4096: context window"}}"#,
        Cause::ContextLength,
        Scope::Request,
        Retry::Never,
    ),
    (
        400,
        r#"{"error":{"message":"The response was filtered","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
        Cause::ContentFiltered,
        Scope::Request,
        Retry::Never,
    ),
    // Decision 17.
    (
        404,
        r#"{"error":{"message":"The model `gpt-9` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
        Cause::ModelUnknown,
        Scope::TargetModel,
        Retry::Elsewhere,
    ),
    (
        404,
        r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#,
        Cause::ModelUnknown,
        Scope::TargetModel,
        Retry::Elsewhere,
    ),
    (
        404,
        r#"{"error":{"message":"model \"llama9\" not found, try pulling it first","type":"api_error","param":null,"code":null}}"#,
        Cause::ModelUnknown,
        Scope::TargetModel,
        Retry::Elsewhere,
    ),
    (
        400,
        r#"{"error":{"message":"foo/bar is not a valid model ID","code":400}}"#,
        Cause::ModelUnknown,
        Scope::TargetModel,
        Retry::Elsewhere,
    ),
    (404, r#"{"detail":"Not Found"}"#, Cause::BadRequest, Scope::Request, Retry::Never),
    (
        404,
        r#"{"error":{"message":"Invalid URL (POST /v1/chat/completion)","type":"invalid_request_error"}}"#,
        Cause::BadRequest,
        Scope::Request,
        Retry::Never,
    ),
    (
        400,
        r#"{"error":{"message":"messages: field required","type":"invalid_request_error"}}"#,
        Cause::BadRequest,
        Scope::Request,
        Retry::Never,
    ),
    (
        422,
        r#"{"detail":[{"loc":["body","n"],"msg":"value is not a valid integer","type":"type_error"}]}"#,
        Cause::BadRequest,
        Scope::Request,
        Retry::Never,
    ),
    (
        413,
        r#"{"error":{"message":"Request too large for model `x` on tokens per minute (TPM)","type":"tokens","code":"rate_limit_exceeded"}}"#,
        Cause::RateLimited,
        Scope::Request,
        Retry::Elsewhere,
    ),
    (413, "too big", Cause::BadRequest, Scope::Request, Retry::Never),
    // Transient.
    (408, "", Cause::RequestTimeout408, Scope::Endpoint, Retry::Elsewhere),
    (409, "", Cause::Conflict409, Scope::Request, Retry::Elsewhere),
    (424, r#"{"message":"ModelErrorException"}"#, Cause::Status5xx, Scope::Endpoint, Retry::Elsewhere),
    (
        500,
        r#"{"error":{"message":"The server had an error","type":"server_error"}}"#,
        Cause::Status5xx,
        Scope::Endpoint,
        Retry::Elsewhere,
    ),
    (
        500,
        r#"{"error":{"message":"The model is currently overloaded"}}"#,
        Cause::Overloaded,
        Scope::Provider,
        Retry::Elsewhere,
    ),
    (502, "<html>bad gateway</html>", Cause::Status5xx, Scope::Endpoint, Retry::Elsewhere),
    (
        503,
        r#"{"error":{"message":"Loading model","code":503}}"#,
        Cause::Overloaded,
        Scope::Endpoint,
        Retry::Elsewhere,
    ),
    (504, "", Cause::Status5xx, Scope::Endpoint, Retry::Elsewhere),
    (
        529,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        Cause::Overloaded,
        Scope::Provider,
        Retry::Elsewhere,
    ),
    (301, "", Cause::ProtocolError, Scope::Endpoint, Retry::Elsewhere),
];

#[test]
fn every_vendors_error_means_what_it_means() {
    for (status, body, cause, scope, retry) in TABLE {
        let failure = judged(*status, body);
        assert_eq!(
            (failure.cause, failure.scope, failure.retry),
            (*cause, *scope, *retry),
            "{status} {body}"
        );
        let side = if *retry == Retry::Never { Side::Client } else { Side::Provider };
        assert_eq!(
            (failure.side, failure.status, failure.stage),
            (side, Some(*status), Stage::Headers),
            "{status} {body}"
        );
    }
}

#[test]
fn the_wait_travels_with_what_can_be_retried_and_with_nothing_else() {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("7"));
    for (status, expected) in [(429, Some(7)), (503, Some(7)), (500, Some(7)), (400, None), (404, None)] {
        let wait = classify(None, status, &headers, b"{}", 0).retry_after;
        assert_eq!(wait, expected.map(Duration::from_secs), "{status}");
    }
    let gemini = TABLE[2];
    assert_eq!(judged(gemini.0, gemini.1).retry_after, Some(Duration::from_secs(48)));
}

#[test]
fn a_vendor_that_says_retry_is_believed() {
    let mut headers = HeaderMap::new();
    headers.insert("x-should-retry", HeaderValue::from_static("true"));
    assert_eq!(classify(None, 400, &headers, b"{}", 0).retry, Retry::Elsewhere);
    headers.insert("x-should-retry", HeaderValue::from_static("false"));
    assert_eq!(classify(None, 400, &headers, b"{}", 0).retry, Retry::Never);
    assert_eq!(
        classify(None, 500, &headers, b"{}", 0).retry,
        Retry::Elsewhere,
        "not there, but another target may do"
    );
}

#[test]
fn the_message_is_found_in_every_shape_and_bounded() {
    for (body, expected) in [
        (r#"{"error":{"message":"a","type":"t","param":null,"code":null}}"#, Some("a")),
        (r#"{"error":"a","code":"c"}"#, Some("a")),
        (r#"{"detail":"a"}"#, Some("a")),
        (r#"{"detail":{"status":"s","message":"a"}}"#, Some("a")),
        (r#"{"detail":[{"loc":[],"msg":"a"}]}"#, Some("a")),
        (r#"{"object":"error","message":"a"}"#, Some("a")),
        (r#"{"message":"a"}"#, Some("a")),
        (r#"[{"error":{"code":400,"message":"a"}}]"#, Some("a")),
        (r#"{"base_resp":{"status_code":1,"status_msg":"a"}}"#, Some("a")),
        (r#"{"errors":[{"message":"a"}]}"#, Some("a")),
        (r#""a""#, Some("a")),
        (" a \n", Some("a")),
        ("<html>a</html>", None),
        ("{broken", None),
        (r#"{"error":{"message":7}}"#, None),
        (r#"{"error":""}"#, None),
        ("", None),
        ("\u{0}", Some("\u{0}")),
    ] {
        assert_eq!(upstream_message(body.as_bytes()).as_deref(), expected, "{body}");
    }
    let long = json!({ "error": { "message": "é".repeat(5000) } }).to_string();
    let message = upstream_message(long.as_bytes()).unwrap();
    assert!(message.len() <= ERROR_MESSAGE_BYTES_MAX && message.len() > ERROR_MESSAGE_BYTES_MAX - 4);
    assert_eq!(upstream_message(&vec![b'a'; 1 << 20]), None);
}
