//! The canonical text says the same as the document that it was made of.

use proptest::prelude::*;
use wellhead_config::{Fixed, load, to_canonical};

use crate::support::{files, folder, kinds, loaded};

/// Reads the canonical text without any variable or file: nothing may depend on them any more.
fn survives(text: &str) {
    let (document, _) = loaded(text);
    let canonical = to_canonical(&document);
    let again = load("last-good", &canonical, &Fixed::default(), &kinds());
    let (again, _) =
        again.unwrap_or_else(|errors| panic!("{}\n{canonical}", wellhead_config::render(&errors)));
    assert_eq!(document, again, "{canonical}");
    assert_eq!(to_canonical(&again), canonical, "canonical text is its own canonical text");
}

#[test]
fn every_right_file_survives() {
    for (_, text) in files(&folder("right")) {
        survives(&text);
    }
}

#[test]
fn different_documents_are_not_equal() {
    let (one, _) = loaded("version: 1\nlimits: { connections_max: 5 }\n");
    let (other, _) = loaded("version: 1\nlimits: { connections_max: 6 }\n");
    assert_ne!(one, other);
}

fn yaml_text(text: &str) -> String {
    // A JSON string is a YAML string; `$${` keeps `${` literal.
    serde_json::to_string(&text.replace("${", "$${")).unwrap()
}

prop_compose! {
    fn document()(
        provider in "[a-z][a-z0-9._-]{0,12}",
        model in "[!-~é→]([ -~é→]{0,20}[!-~é→])?",
        vendor in "[!-~é→$]([ -~é→${}]{0,20}[!-~é→$])?",
        key in "[!-~]{1,40}",
        app_key in "[!-~]{16,40}",
        port in 1_u16..,
        weight in 1_u32..1_000_000,
        tier: u8,
        deadline_ms in 12_000_u64..86_400_000,
        body in 1024_u64..1_073_741_824,
        cents in 1_u64..1_000_000,
        path in "(/[a-zA-Z0-9_-]{1,8}){0,3}",
    ) -> String {
        let (model, vendor, key, app_key) = (yaml_text(&model), yaml_text(&vendor), yaml_text(&key), yaml_text(&app_key));
        format!(
            "version: 1
providers:
  {provider:?}: {{ kind: openai-compatible, base_url: \"http://h.example:{port}{path}\", keys: [{key}] }}
models:
  {model}:
    targets: [{{ provider: {provider:?}, model: {vendor}, weight: {weight}, tier: {tier} }}]
    timeouts: {{ deadline: {deadline_ms}ms }}
limits: {{ body_bytes_max: {body}B }}
apps:
  a: {{ keys: [{app_key}], budget: {{ usd_per_day: {}.{:02} }} }}
",
            cents / 100,
            cents % 100
        )
    }
}

proptest! {
    #[test]
    fn every_document_survives(text in document()) {
        survives(&text);
    }
}
