//! Context-window errors of every vendor are one error.

use crate::failure::{Vendor, classify};
use http::HeaderMap;
use std::collections::BTreeSet;
use wellhead_types::{Cause, Retry, Scope, Side};

/// Kind of the catalogue, status, body.
const TOO_LONG: &[(&str, u16, &str)] = &[
    (
        "openai",
        400,
        r#"{"error":{"message":"This model's maximum context length is 128000 tokens. However, your messages resulted in 150011 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
    ),
    (
        "openai",
        400,
        r#"{"error":{"message":"Your input exceeds the context window of this model. Please adjust your input and try again.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}"#,
    ),
    (
        "openai",
        400,
        r#"{"error":{"message":"Your input exceeds the model's context window.","type":"invalid_request_error","param":null,"code":null}}"#,
    ),
    (
        "openai",
        400,
        r#"{"error":{"message":"Invalid 'input': string too long. Expected a string with maximum length 10485760, but got 20000000.","type":"invalid_request_error","param":"input","code":"string_above_max_length"}}"#,
    ),
    (
        "azure-openai",
        400,
        r#"{"error":{"code":"context_length_exceeded","message":"This model's maximum context length is 8192 tokens.","param":"messages","type":"invalid_request_error"}}"#,
    ),
    (
        "anthropic",
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"},"request_id":"req_1"}"#,
    ),
    (
        "anthropic",
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again"}}"#,
    ),
    (
        "gemini",
        400,
        r#"{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}"#,
    ),
    (
        "gemini-openai",
        400,
        r#"[{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}]"#,
    ),
    (
        "vertex",
        400,
        r#"{"error":{"code":400,"message":"Unable to submit request because the input token count is 40000 but model only supports up to 32768. Reduce the input token count and try again.","status":"INVALID_ARGUMENT"}}"#,
    ),
    ("bedrock", 400, r#"{"message":"Input is too long for requested model."}"#),
    (
        "bedrock",
        400,
        r#"{"message":"Too many input tokens. Max input tokens: 8192, request input token count: 9001"}"#,
    ),
    (
        "mistral",
        400,
        r#"{"object":"error","message":"Prompt contains 140000 tokens and 0 draft tokens, too large for model with 131072 maximum context length","type":"invalid_request_prompt","param":null,"code":"3051"}"#,
    ),
    (
        "cohere",
        400,
        r#"{"id":"1","message":"too many tokens: size limit exceeded by 19296 tokens. Try using shorter or fewer inputs. The limit for this model is 132000 tokens."}"#,
    ),
    (
        "groq",
        400,
        r#"{"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
    ),
    (
        "together",
        422,
        r#"{"id":"1","error":{"message":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 5000 `inputs` tokens and 100 `max_new_tokens`","type":"invalid_request_error","param":null,"code":null}}"#,
    ),
    (
        "together",
        400,
        r#"{"error":{"message":"The input (516368 tokens) is longer than the model's context length (262144 tokens).","type":"invalid_request_error"}}"#,
    ),
    (
        "fireworks",
        400,
        r#"{"error":{"object":"error","type":"invalid_request_error","message":"The prompt is too long: 5000, model maximum context length: 4095"}}"#,
    ),
    (
        "deepseek",
        400,
        r#"{"error":{"message":"This model's maximum context length is 65536 tokens. However, you requested 70000 tokens (66000 in the messages, 4000 in the completion).","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
    ),
    (
        "xai",
        400,
        r#"{"code":"Client specified an invalid argument","error":"This model's maximum prompt length is 131072 but the request contains 200011 tokens."}"#,
    ),
    (
        "openrouter",
        400,
        r#"{"error":{"message":"This endpoint's maximum context length is 131072 tokens. However, you requested about 200000 tokens.","code":400},"user_id":"u"}"#,
    ),
    (
        "openrouter",
        400,
        r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"Input length 131393 exceeds the maximum allowed input length of 131040 tokens.\"}}","provider_name":"Poolside"}},"user_id":"u"}"#,
    ),
    (
        "cerebras",
        400,
        r#"{"message":"Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}"#,
    ),
    ("cerebras", 400, ""),
    (
        "sambanova",
        400,
        r#"{"error":{"message":"The provided prompt is 5000 tokens long, but the maximum supported sequence length is 4096!","type":"invalid_request_error"}}"#,
    ),
    (
        "nvidia",
        400,
        r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.","type":"BadRequestError","param":null,"code":400}"#,
    ),
    (
        "huggingface",
        422,
        r#"{"error":"Input validation error: `inputs` must have less than 4096 tokens. Given: 5000","error_type":"validation"}"#,
    ),
    (
        "huggingface",
        413,
        r#"{"error":"Input validation error: `inputs` must have less than 512 tokens. Given: 600","error_type":"Validation"}"#,
    ),
    ("ollama", 400, r#"{"error":"the input length exceeds the context length"}"#),
    ("ollama", 500, r#"{"error":"prompt too long; exceeded max context length by 1200 tokens"}"#),
    (
        "vllm",
        400,
        r#"{"error":{"message":"You passed 5001 input tokens and requested 16 output tokens. However, the model's context length is only 4096 tokens.","type":"BadRequestError","param":"input_tokens","code":400}}"#,
    ),
    (
        "vllm",
        400,
        r#"{"error":{"message":"The decoder prompt (length 5000) is longer than the maximum model length of 4096.","type":"BadRequestError","param":null,"code":400}}"#,
    ),
    (
        "sglang",
        400,
        r#"{"object":"error","message":"Requested token count exceeds the model's maximum context length of 131072 tokens.","type":"BadRequestError","param":null,"code":400}"#,
    ),
    (
        "llama-cpp",
        400,
        r#"{"error":{"code":400,"message":"request (9 tokens) exceeds the available context size (8 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":9,"n_ctx":8}}"#,
    ),
    (
        "lm-studio",
        400,
        r#"{"error":"The number of tokens to keep from the initial prompt is greater than the context length."}"#,
    ),
    (
        "lm-studio",
        400,
        r#"{"error":"Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens."}"#,
    ),
    (
        "dashscope",
        400,
        r#"{"error":{"code":"invalid_parameter_error","param":null,"message":"<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 98304]","type":"invalid_request_error"}}"#,
    ),
    (
        "moonshot",
        400,
        r#"{"error":{"message":"Invalid request: Your request exceeded model token limit: 8192 (requested: 9000)","type":"invalid_request_error"}}"#,
    ),
    ("zhipu", 400, r#"{"error":{"code":"1261","message":"Prompt 超长"}}"#),
    ("zai", 400, r#"{"error":{"code":"1261","message":"Prompt exceeds max length"}}"#),
    (
        "qianfan",
        400,
        r#"{"error":{"code":"tokens_too_long","message":"Prompt tokens too long","type":"invalid_request_error"},"id":"as-1"}"#,
    ),
    (
        "qianfan",
        400,
        r#"{"error":{"code":"characters_too_long","message":"the max input characters is 20000","type":"invalid_request_error"},"id":"as-1"}"#,
    ),
    (
        "minimax",
        400,
        r#"{"type":"error","error":{"type":"bad_request_error","message":"invalid params, context window exceeds limit (2013)","http_code":"400"}}"#,
    ),
    (
        "voyage",
        400,
        r#"{"detail":"Request to model 'voyage-3' failed. The example at index 0 in your batch has too many tokens and does not fit into the model's context window of 32000 tokens."}"#,
    ),
    (
        "voyage",
        400,
        r#"{"detail":"The max allowed tokens per submitted batch is 120000. Your batch has 150000 tokens after truncation."}"#,
    ),
    (
        "jina",
        400,
        r#"{"detail":"Failed to encode text: Single text cannot exceed 8194 tokens. 9000 tokens given."}"#,
    ),
    (
        "elevenlabs",
        400,
        r#"{"detail":{"status":"max_character_limit_exceeded","message":"A single request can at most contain 10000 characters."}}"#,
    ),
    (
        "github-models",
        413,
        r#"{"error":{"code":"tokens_limit_reached","message":"Request body too large for gpt-4o model. Max size: 8000 tokens.","details":"Request body too large"}}"#,
    ),
    (
        "cloudflare",
        400,
        r#"{"errors":[{"message":"AiError: The estimated number of input and maximum output tokens (9000) exceeded this model context window limit (8192).","code":5021}],"success":false,"result":{},"messages":[]}"#,
    ),
    ("replicate", 422, r#"{"id":"1","status":"failed","error":{"code":"E1002","message":"PromptTooLong"}}"#),
    (
        "openai-compatible",
        503,
        r#"{"error":{"message":"litellm.ServiceUnavailableError: OpenAIException - Requested token count exceeds the model's maximum context length of 131072 tokens.","type":null,"param":null,"code":"503"}}"#,
    ),
    (
        "openai-compatible",
        400,
        r#"{"error":{"message":"Prompt has 256,468 tokens, but the configured context size is 256,000 tokens","type":"invalid_request_error"}}"#,
    ),
];

/// Messages about tokens that are about something else.
const NOT_TOO_LONG: &[(&str, u16, &str, Cause)] = &[
    (
        "cohere",
        400,
        r#"{"id":"1","message":"too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model - received 8192."}"#,
        Cause::BadRequest,
    ),
    (
        "bedrock",
        429,
        r#"{"message":"Too many tokens, please wait before trying again."}"#,
        Cause::RateLimited,
    ),
    (
        "openai",
        429,
        r#"{"error":{"message":"Request too large for gpt-x in organization org-1 on tokens per min (TPM): Limit 30000, Requested 40000. The input or output tokens must be reduced in order to run successfully.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
        Cause::RateLimited,
    ),
    (
        "cerebras",
        429,
        r#"{"message":"Tokens per minute limit exceeded - too many tokens processed.","type":"too_many_tokens_error","param":"quota","code":"token_quota_exceeded"}"#,
        Cause::RateLimited,
    ),
    (
        "groq",
        413,
        r#"{"error":{"message":"Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce your message size and try again.","type":"tokens","code":"rate_limit_exceeded"}}"#,
        Cause::RateLimited,
    ),
    (
        "openai",
        400,
        r#"{"error":{"message":"max_tokens is too large: 100000. This model supports at most 16384 completion tokens.","type":"invalid_request_error","param":"max_tokens","code":"invalid_value"}}"#,
        Cause::BadRequest,
    ),
    (
        "anthropic",
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens"}}"#,
        Cause::BadRequest,
    ),
    ("together", 400, "", Cause::BadRequest),
];

#[test]
fn every_vendors_words_for_too_long_are_one_error() {
    let mut vendors = BTreeSet::new();
    for (kind, status, body) in TOO_LONG {
        // As the vendor that is configured, and behind a kind that says nothing.
        let vendor = Vendor::of_kind(kind);
        let mut hints = vec![vendor];
        if !body.is_empty() {
            hints.push(None);
        }
        for hint in hints {
            let failure = classify(hint, *status, &HeaderMap::new(), body.as_bytes(), 0);
            assert_eq!(
                (failure.cause, failure.scope, failure.side, failure.retry, failure.retry_after),
                (Cause::ContextLength, Scope::Request, Side::Client, Retry::Never, None),
                "{kind} {status} {body}"
            );
        }
        vendors.insert(vendor);
    }
    assert!(vendors.len() >= 25, "{} vendors", vendors.len());
}

#[test]
fn tokens_that_are_too_many_for_a_minute_or_an_answer_are_not_too_long() {
    for (kind, status, body, cause) in NOT_TOO_LONG {
        let failure = classify(Vendor::of_kind(kind), *status, &HeaderMap::new(), body.as_bytes(), 0);
        assert_eq!(failure.cause, *cause, "{kind} {status} {body}");
    }
}
