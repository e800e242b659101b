//! `countTokens` and embeddings.

use super::{json, target, vertex};
use crate::chat::{Losses, Message, Part, Request, Role};
use crate::gemini::embed::{self, Item, Vectors};
use crate::gemini::{
    Method, Options, Service, decode_count, decode_count_request, encode_count, encode_count_request,
};
use serde_json::json;
use wellhead_types::Cause;

const MODEL: &str = "gemini-3.8-flash";

#[test]
fn what_is_counted_comes_in_three_forms() {
    let contents = json!([{"role": "user", "parts": [{"text": "Hi"}]}]);
    let plain = json!({"contents": contents});
    let whole = json!({"generateContentRequest": {"model": "models/x", "contents": contents, "systemInstruction": {"parts": [{"text": "S"}]}}});
    let flat = json!({"model": "x", "contents": contents, "systemInstruction": {"parts": [{"text": "S"}]}});
    let read = |body: &serde_json::Value| decode_count_request(body.to_string().as_bytes(), MODEL).unwrap();
    assert_eq!(read(&plain).messages, [Message::new(Role::User, vec![Part::text("Hi")])]);
    assert_eq!(read(&whole), read(&flat));
    let written = |options: Options| {
        let encoded = encode_count_request(&read(&whole), &target(MODEL), &Losses::NONE, options).unwrap();
        json(&encoded.body)
    };
    let system = json!({"parts": [{"text": "S"}]});
    assert_eq!(written(vertex(MODEL)), json!({"contents": contents, "systemInstruction": system}));
    assert_eq!(
        written(Options::of(Service::AiStudio, MODEL)),
        json!({"generateContentRequest": {"model": format!("models/{MODEL}"), "contents": contents, "systemInstruction": system}})
    );
    let empty = encode_count_request(
        &Request::default(),
        &target(MODEL),
        &Losses::NONE,
        Options::of(Service::AiStudio, MODEL),
    );
    assert!(json(&empty.unwrap().body).is_object());
}

#[test]
fn counts_are_read_and_written() {
    assert_eq!(decode_count(br#"{"totalTokens": 31, "cachedContentTokenCount": 5}"#).unwrap(), 31);
    assert_eq!(decode_count(b"{}").unwrap(), 0);
    assert_eq!(decode_count(&encode_count(7)).unwrap(), 7);
    assert_eq!(decode_count(br#"{"totalTokens": "x"}"#).unwrap_err().cause, Cause::ProtocolError);
    assert_eq!(
        decode_count(br#"{"error": {"code": 503, "status": "UNAVAILABLE", "message": "x"}}"#)
            .unwrap_err()
            .cause,
        Cause::Overloaded
    );
}

#[test]
fn items_to_embed_survive() {
    let one = json!({"content": {"parts": [{"text": "Hi"}]}, "taskType": "RETRIEVAL_QUERY", "title": "T", "outputDimensionality": 256, "autoTruncate": true});
    let items = embed::decode(one.to_string().as_bytes(), Method::EmbedContent).unwrap();
    assert_eq!((items[0].as_text(), items[0].dimensions), (Some("Hi"), Some(256)));
    let (method, body) = embed::encode(&items, "e").unwrap();
    assert_eq!((method, json(&body)), (Method::EmbedContent, one));
    let batch = json!({"requests": [
        {"model": "models/e", "content": {"parts": [{"text": "a"}]}},
        {"model": "models/e", "content": {"parts": [{"text": "b"}, {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}]}},
    ]});
    let items = embed::decode(batch.to_string().as_bytes(), Method::BatchEmbedContents).unwrap();
    let (method, body) = embed::encode(&items, "models/e").unwrap();
    assert_eq!((method, json(&body)), (Method::BatchEmbedContents, batch));
    let snake = br#"{"content": {"parts": {"text": "Hi"}}, "embed_content_config": {"task_type": "X", "output_dimensionality": "8"}}"#;
    let items = embed::decode(snake, Method::EmbedContent).unwrap();
    assert_eq!((items[0].task_type.as_deref(), items[0].dimensions), (Some("X"), Some(8)));
    for (bad, param) in [
        ("{}", "content"),
        (r#"{"content": {"parts": []}}"#, "content.parts"),
        (r#"{"content": "Hi"}"#, "content"),
    ] {
        assert_eq!(embed::decode(bad.as_bytes(), Method::EmbedContent).unwrap_err().param(), Some(param));
    }
    assert_eq!(embed::decode(b"{}", Method::BatchEmbedContents).unwrap_err().param(), Some("requests"));
    let refusal = Item { parts: vec![Part::Refusal("x".into())], ..Item::default() };
    assert_eq!(embed::encode(&[Item::text("a"), refusal], "e").unwrap_err().param, "input[1]");
}

#[test]
fn vectors_survive() {
    let vectors = Vectors { vectors: vec![vec![0.125, -1e-7, 3.0], vec![1.0]], usage: None };
    let body = embed::encode_answer(&vectors, Method::BatchEmbedContents);
    assert_eq!(embed::decode_answer(&body).unwrap(), vectors);
    let one = Vectors { vectors: vec![vec![0.5]], usage: None };
    assert_eq!(embed::decode_answer(&embed::encode_answer(&one, Method::EmbedContent)).unwrap(), one);
    let told = br#"{"embedding": {"values": [1, 0.5]}, "usageMetadata": {"promptTokenCount": 9, "promptTokensDetails": []}}"#;
    assert_eq!(embed::decode_answer(told).unwrap().usage.unwrap().input_tokens, 9);
    for bad in ["{}", "[]", r#"{"embedding": {}}"#, r#"{"embeddings": [{"values": ["x"]}]}"#] {
        assert!(embed::decode_answer(bad.as_bytes()).is_err(), "{bad}");
    }
}
