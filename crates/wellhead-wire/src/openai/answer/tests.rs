#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::inspect;
use crate::openai::Endpoint;
use wellhead_types::{Cause, Failure, Retry, Scope, Stage, Usage};

fn used(endpoint: Endpoint, body: &str) -> Option<(u64, u64)> {
    inspect(endpoint, body.as_bytes()).unwrap().usage.map(|usage| (usage.input_tokens, usage.output_tokens))
}

fn failure(endpoint: Endpoint, body: &str) -> Failure {
    inspect(endpoint, body.as_bytes()).expect_err(body)
}

#[test]
fn usage_of_each_endpoint() {
    let chat = r#"{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"{\"error\":1}"}}],
        "usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21},"error":null}"#;
    assert_eq!(used(Endpoint::ChatCompletions, chat), Some((9, 12)));
    let responses = r#"{"id":"resp_1","object":"response","error":null,"status":"completed","output":[],"usage":{"input_tokens":3,"output_tokens":4}}"#;
    assert_eq!(used(Endpoint::Responses, responses), Some((3, 4)));
    let embeddings = r#"{"object":"list","data":[{"embedding":[-1.2e-05,0.1]}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#;
    assert_eq!(used(Endpoint::Embeddings, embeddings), Some((8, 0)));
    let jina = r#"{"results":[{"index":0,"relevance_score":0.9}],"usage":{"total_tokens":15}}"#;
    assert_eq!(used(Endpoint::Rerank, jina), Some((15, 0)));
    let cohere =
        r#"{"id":"r","results":[],"meta":{"billed_units":{"search_units":1},"tokens":{"input_tokens":7}}}"#;
    assert_eq!(used(Endpoint::Rerank, cohere), Some((7, 0)));
    let image = r#"{"created":1,"data":[{"b64_json":"aGk="}],"usage":{"input_tokens":50,"output_tokens":60,"total_tokens":110}}"#;
    assert_eq!(used(Endpoint::ImagesGenerations, image), Some((50, 60)));
    let transcript = r#"{"text":"hi","usage":{"type":"duration","seconds":3}}"#;
    // Seconds are sold, not tokens.
    assert_eq!(used(Endpoint::AudioTranscriptions, transcript), Some((0, 0)));
    assert_eq!(used(Endpoint::Moderations, r#"{"id":"m","results":[{"flagged":false}]}"#), None);
}

#[test]
fn transcripts_and_sounds_need_not_be_json() {
    for body in ["1\n00:00:00 --> 00:00:02\nhi", " ", "{curly} words", "\u{0}ID3"] {
        assert_eq!(used(Endpoint::AudioTranscriptions, body), None, "{body}");
    }
    assert!(inspect(Endpoint::AudioSpeech, b"\xff\xfb\x90").is_ok());
    assert_eq!(failure(Endpoint::AudioSpeech, r#"{"error":{"message":"no"}}"#).cause, Cause::ErrorInSuccess);
}

#[test]
fn a_success_without_an_answer_is_a_failure_that_another_target_may_cure() {
    let chat = Endpoint::ChatCompletions;
    for body in [
        "",
        " \n",
        "<!DOCTYPE html><html>",
        "\n<HTML><body>",
        r#"{"choices":[]}"#,
        r#"{"choices": [ ] }"#,
        r#"{"choices":null}"#,
        r#"{"id":"x"}"#,
        "[]",
        r#"{"error":{"message":"boom","type":"server_error"}}"#,
        r#"{"error":"boom"}"#,
        r#"{"choices":[{"index":0}],"error":{"message":"boom"}}"#,
        r#"{"base_resp":{"status_code":1000,"status_msg":"unknown error"}}"#,
        r#"{"object":"error","message":"boom","code":40001}"#,
        r#"{"error":{"message":"bad request","type":"invalid_request_error"}}"#,
    ] {
        let failure = failure(chat, body);
        assert_eq!((failure.cause, failure.retry), (Cause::ErrorInSuccess, Retry::Elsewhere), "{body}");
        assert_eq!((failure.status, failure.stage), (Some(200), Stage::FirstToken), "{body}");
    }
    for body in [r#"{"choices":[{"index":0"#, "oops", r#"{"choices":[{}]}x"#] {
        assert_eq!(failure(chat, body).cause, Cause::ProtocolError, "{body}");
    }
}

#[test]
fn an_error_under_a_success_rests_what_it_names() {
    let chat = Endpoint::ChatCompletions;
    let limited = failure(chat, r#"{"error":{"message":"slow down","code":429}}"#);
    assert_eq!((limited.cause, limited.scope), (Cause::RateLimited, Scope::KeyModel));
    let broke = failure(chat, r#"{"error":{"message":"x","type":"insufficient_quota"}}"#);
    assert_eq!((broke.cause, broke.scope), (Cause::QuotaExhausted, Scope::Key));
    let long = failure(chat, r#"{"error":{"message":"maximum context length is 8192","code":400}}"#);
    assert_eq!((long.cause, long.retry), (Cause::ContextLength, Retry::Never));
    assert_eq!(used(chat, r#"{"choices":[{}],"base_resp":{"status_code":0},"error":{}}"#), None);
}

#[test]
fn what_is_not_counted_in_tokens_is_counted_all_the_same() {
    let of = |endpoint, body: &str| inspect(endpoint, body.as_bytes()).unwrap().usage;
    let verbose = r#"{"task":"transcribe","language":"english","duration":8.47,"text":"x","segments":[]}"#;
    assert_eq!(
        of(Endpoint::AudioTranscriptions, verbose),
        Some(Usage { audio_ms: 8_470, ..Usage::default() })
    );
    let by_time = r#"{"text":"x","duration":8.47,"usage":{"type":"duration","seconds":9}}"#;
    assert_eq!(of(Endpoint::AudioTranscriptions, by_time).unwrap().audio_ms, 9_000, "what is billed counts");
    let pictures = r#"{"created":1,"data":[{"url":"https://e.org/a"},{"b64_json":"aGk="}]}"#;
    assert_eq!(of(Endpoint::ImagesGenerations, pictures), Some(Usage { images: 2, ..Usage::default() }));
    let tokens =
        r#"{"data":[{"b64_json":"aGk="}],"usage":{"input_tokens":9,"output_tokens":50,"total_tokens":59}}"#;
    let used = of(Endpoint::ImagesEdits, tokens).unwrap();
    assert_eq!((used.images, used.image_output_tokens, used.output_tokens), (0, 50, 50));
    let ranked = r#"{"results":[],"meta":{"billed_units":{"search_units":3}}}"#;
    assert_eq!(of(Endpoint::Rerank, ranked), Some(Usage { searches: 3, ..Usage::default() }));
    let chat = r#"{"choices":[{}],"duration":5,"data":[1]}"#;
    assert_eq!(of(Endpoint::ChatCompletions, chat), None, "elsewhere the words mean something else");
}
