//! Rerank, as Cohere and Jina ask for it.

use super::super::{Form, decode};
use super::{asked, body, refused};
use serde_json::{Value, json};
use wellhead_types::Cause;

fn ask() -> Value {
    json!({"model": "x", "query": "q", "documents": ["a", {"text": "b"}, {"title": "T", "text": "c"}], "top_n": 2})
}

#[test]
fn each_vendor_is_asked_in_its_own_words() {
    let documents = json!(["a", "b", "{\"title\":\"T\",\"text\":\"c\"}"]);
    let cohere = json!({"model": "vendor/m", "query": "q", "documents": documents, "top_n": 2});
    assert_eq!(body(Form::CohereRerank, &ask()), cohere);
    let voyage = json!({"model": "vendor/m", "query": "q", "documents": documents, "top_k": 2});
    assert_eq!(body(Form::VoyageRerank, &ask()), voyage);
    let mut with = ask();
    with["return_documents"] = json!(true);
    assert_eq!(body(Form::VoyageRerank, &with)["return_documents"], true);
    assert!(body(Form::CohereRerank, &with).get("return_documents").is_none(), "unknown in v2");
    with["max_tokens_per_doc"] = json!(100);
    assert_eq!(body(Form::CohereRerank, &with)["max_tokens_per_doc"], 100);
    assert_eq!(refused(Form::VoyageRerank, &with), "max_tokens_per_doc");
}

#[test]
fn bad_members_are_named() {
    for form in [Form::CohereRerank, Form::VoyageRerank] {
        for (name, value, param) in [
            ("query", json!(7), "query"),
            ("documents", json!([]), "documents"),
            ("documents", json!(["a", 7]), "documents[1]"),
            ("top_n", json!("x"), "top_n"),
            ("rank_fields", json!(["a"]), "rank_fields"),
        ] {
            let mut ask = ask();
            ask[name] = value;
            assert_eq!(refused(form, &ask), param, "{form:?}");
        }
    }
}

#[test]
fn answers_have_one_form() {
    let mut ask = ask();
    ask["return_documents"] = json!(true);
    let cohere = json!({
        "id": "r1", "results": [{"index": 1, "relevance_score": 0.75}, {"index": 0, "relevance_score": 0.5}],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    });
    let kept = asked(Form::CohereRerank, &ask).unwrap().kept;
    let read = decode(Form::CohereRerank, cohere.to_string().as_bytes(), &kept, "shown").unwrap();
    assert_eq!(read.usage, None, "searches are no tokens");
    let results = json!([
        {"index": 1, "relevance_score": 0.75, "document": {"text": "b"}},
        {"index": 0, "relevance_score": 0.5, "document": {"text": "a"}},
    ]);
    let written: Value = serde_json::from_slice(&read.body).unwrap();
    let expected = json!({
        "id": "r1", "object": "list", "model": "shown", "results": results, "meta": cohere["meta"],
    });
    assert_eq!(written, expected);

    let voyage = json!({
        "object": "list", "model": "v", "usage": {"total_tokens": 26},
        "data": [
            {"index": 1, "relevance_score": 0.75, "document": "b"},
            {"index": 0, "relevance_score": 0.5, "document": "a"},
        ],
    });
    let kept = asked(Form::VoyageRerank, &ask).unwrap().kept;
    let read = decode(Form::VoyageRerank, voyage.to_string().as_bytes(), &kept, "shown").unwrap();
    assert_eq!(read.usage.unwrap().input_tokens, 26);
    let written: Value = serde_json::from_slice(&read.body).unwrap();
    let expected =
        json!({"object": "list", "model": "shown", "results": results, "usage": {"total_tokens": 26}});
    assert_eq!(written, expected);
}

#[test]
fn answers_that_are_none_are_failures() {
    for form in [Form::CohereRerank, Form::VoyageRerank] {
        let kept = asked(form, &ask()).unwrap().kept;
        let list = if form == Form::VoyageRerank { "data" } else { "results" };
        for result in [json!({"index": 3, "relevance_score": 1}), json!({"index": 0}), json!(7)] {
            let answer = json!({list: [result]});
            let failure = decode(form, answer.to_string().as_bytes(), &kept, "m").unwrap_err();
            assert_eq!(failure.cause, Cause::ProtocolError, "{answer}");
        }
        for text in ["", "[]", "{}", r#"{"detail":"x"}"#, r#"{"message":"x"}"#] {
            assert!(decode(form, text.as_bytes(), &kept, "m").is_err(), "{text}");
        }
    }
}
