#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{BodyHash, BodyHasher, Parts, encode, sign};
use crate::material::AwsKeys;
use serde_json::Value;
use wellhead_config::snapshot::Signing;
use wellhead_types::Secret;

/// Requests and what botocore (1.44) makes of them: three of AWS' published examples, and 57 that were drawn by chance.
const BOTOCORE: &str = include_str!("botocore.jsonl");

/// What AWS itself publishes for its examples `get-vanilla` and `get-vanilla-query-order-key-case`, which come first.
const VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
const QUERY_ORDER: &str = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";

fn signed(case: &Value) -> String {
    let text = |name: &str| case[name].as_str().unwrap();
    let keys = AwsKeys {
        access_key_id: text("key").to_owned(),
        secret_access_key: Secret::new(text("secret")),
        session_token: case["token"].as_str().map(Secret::new),
    };
    let parts = Parts {
        method: text("method"),
        host: text("host"),
        path: text("path"),
        query: text("query"),
        body: BodyHash::of(text("body").as_bytes()),
    };
    let signing = Signing { service: text("service").to_owned(), region: text("region").to_owned() };
    let headers = sign(&parts, &keys, &signing, case["unix"].as_u64().unwrap()).unwrap();
    let find = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    assert_eq!(find("x-amz-security-token").map(|token| token.to_str().unwrap()), case["token"].as_str());
    assert!(headers.iter().all(|(_, value)| value.is_sensitive()));
    find("authorization").unwrap().to_str().unwrap().to_owned()
}

#[test]
fn signatures_are_those_of_botocore() {
    let cases: Vec<Value> = BOTOCORE.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(cases.len() >= 60);
    for (number, case) in cases.iter().enumerate() {
        assert_eq!(signed(case), case["authorization"].as_str().unwrap(), "line {}: {case}", number + 1);
    }
    assert!(signed(&cases[0]).ends_with(VANILLA));
    assert!(signed(&cases[1]).ends_with(QUERY_ORDER));
}

#[test]
fn every_part_of_a_request_is_signed() {
    let case: Value = serde_json::from_str(BOTOCORE.lines().last().unwrap()).unwrap();
    let honest = signed(&case);
    for (part, other) in [
        ("method", "PATCH"),
        ("host", "evil.example"),
        ("path", "/elsewhere"),
        ("query", "more=1"),
        ("body", "{}!"),
        ("secret", "another"),
        ("token", "another"),
        ("service", "s3"),
        ("region", "nowhere-1"),
    ] {
        let mut changed = case.clone();
        changed[part] = other.into();
        assert_ne!(signed(&changed), honest, "{part}");
    }
}

#[test]
fn ids_of_models_are_encoded_for_paths() {
    assert_eq!(encode("anthropic.claude-v2:1"), "anthropic.claude-v2%3A1");
    assert_eq!(encode("a/b c~ü%"), "a%2Fb%20c~%C3%BC%25");
}

#[test]
fn a_body_in_pieces_has_the_hash_of_the_whole() {
    let mut hasher = BodyHasher::default();
    hasher.update(b"Param1");
    hasher.update(b"=value1");
    assert_eq!(hasher.finish(), BodyHash::of(b"Param1=value1"));
}

#[test]
fn a_key_that_cannot_stand_in_a_header_is_an_error_that_does_not_repeat_it() {
    let keys = AwsKeys {
        access_key_id: "AK\nID".to_owned(),
        secret_access_key: Secret::new("sEcReT-half"),
        session_token: None,
    };
    let parts = Parts { method: "GET", host: "h", path: "/", query: "", body: BodyHash::of(b"") };
    let signing = Signing { service: "s".to_owned(), region: "r-1".to_owned() };
    let error = sign(&parts, &keys, &signing, 0).unwrap_err();
    assert!(!error.contains("sEcReT") && !error.contains("AK"), "{error}");
    assert!(!format!("{keys:?}").contains("sEcReT"));
}
