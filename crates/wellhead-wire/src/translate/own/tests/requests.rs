//! A client's body at a target of its dialect.

use super::{origin, target};
use crate::chat::{Dialect, Losses, Opaque, Origin, Target};
use crate::gemini::Service;
use crate::openai::chat::Options;
use crate::translate::{Heading, Way, kept_request, read_request, write_request};
use bytes::Bytes;

fn way(dialect: Dialect) -> Way {
    Way { dialect, service: Service::AiStudio, quirks: Options::default() }
}

fn kept(dialect: Dialect, body: &str) -> Option<String> {
    kept_at(dialect, body, &target())
}

fn kept_at(dialect: Dialect, body: &str, target: &Target) -> Option<String> {
    let heading = Heading { model: "chat", ..Heading::default() };
    let asked = read_request(dialect, body.as_bytes(), heading).unwrap();
    let written = write_request(way(dialect), &asked.request, target, &Losses::allowed(["*"])).unwrap();
    let kept = kept_request(way(dialect), &Bytes::copy_from_slice(body.as_bytes()), &written, target)?;
    Some(String::from_utf8(kept.to_vec()).unwrap())
}

fn mark(provider: &str) -> String {
    let origin = Origin { provider: provider.into(), model: origin().model };
    Opaque { dialect: Dialect::Anthropic, origin: Some(origin), data: "c2ln".into() }.to_text()
}

const ANTHROPIC: &str = r#"{ "brand_new" : {"x":1},
  "model":"chat", "max_tokens" : 100, "container": null, "context_management": {"edits": []},
  "system": "Be brief.", "thinking": {"type": "enabled", "budget_tokens": 1024}, "temperature": 1,
  "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 2}],
  "messages": [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": [
      {"type": "thinking", "thinking": "Hm.", "signature": "SIGNATURE"},
      {"type": "redacted_thinking", "data": "ZGF0YQ=="},
      {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"signature": ""}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "1", "x_new": 2}]}
  ]}"#;

#[test]
fn only_the_model_changes() {
    let body = ANTHROPIC.replace("SIGNATURE", "c2ln");
    let body = body.replace("max_tokens\" : 100", "max_tokens\" : 4000");
    assert_eq!(kept(Dialect::Anthropic, &body).unwrap(), body.replace("\"chat\"", "\"vendors-model\""));
    let gemini = r#"{"contents":[ {"parts":[{"text":"é \u00e9"}],"role":"user"} ], "generationConfig":{"temperature":0.50},"brandNew":[1]}"#;
    assert_eq!(kept(Dialect::Gemini, gemini).unwrap(), gemini);
    let named = gemini.replace("{\"contents\"", "{\"model\":\"models/chat\",\"contents\"");
    assert_eq!(kept(Dialect::Gemini, &named).unwrap(), gemini);
}

#[test]
fn marks_of_the_target_itself_are_taken_off() {
    let body = ANTHROPIC.replace("max_tokens\" : 100", "max_tokens\" : 4000");
    let own = kept(Dialect::Anthropic, &body.replace("SIGNATURE", &mark("p"))).unwrap();
    assert_eq!(own, body.replace("SIGNATURE", "c2ln").replace("\"chat\"", "\"vendors-model\""));
}

/// Wire.md, trap 7: foreign signatures are refused; trap 6: so are ids of other vendors.
#[test]
fn what_another_target_said_is_written_anew() {
    let body = ANTHROPIC.replace("max_tokens\" : 100", "max_tokens\" : 4000");
    assert_eq!(kept(Dialect::Anthropic, &body.replace("SIGNATURE", &mark("q"))), None);
    assert_eq!(kept(Dialect::Anthropic, &body.replace("SIGNATURE", "")), None);
    let plain = body.replace("SIGNATURE", "c2ln");
    assert_eq!(kept(Dialect::Anthropic, &plain.replace("toolu_1", "call:1")), None);
    let gemini = Opaque { dialect: Dialect::Gemini, origin: Some(origin()), data: "x".into() };
    assert_eq!(kept(Dialect::Anthropic, &body.replace("SIGNATURE", &gemini.to_text())), None);
}

#[test]
fn a_call_that_google_did_not_sign_is_signed() {
    let body = r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"x":1}}}]}]}"#;
    assert_eq!(kept(Dialect::Gemini, body), None, "a new model refuses it without");
    let signed = body.replace("\"args\":{}}", "\"args\":{}},\"thoughtSignature\":\"c2ln\"");
    assert_eq!(kept(Dialect::Gemini, &signed).unwrap(), signed);
}

#[test]
fn thinking_that_the_model_takes_otherwise_is_written_anew() {
    let body = ANTHROPIC.replace("SIGNATURE", "c2ln").replace("max_tokens\" : 100", "max_tokens\" : 4000");
    let adaptive = Target { origin: Origin { model: "claude-opus-4-7".into(), ..origin() }, ..target() };
    assert!(
        kept_at(
            Dialect::Anthropic,
            &body.replace("\"enabled\", \"budget_tokens\": 1024", "\"adaptive\""),
            &adaptive
        )
        .is_some()
    );
    assert_eq!(kept_at(Dialect::Anthropic, &body, &adaptive), None, "budgets are refused by newer models");
}
