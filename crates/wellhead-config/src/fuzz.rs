//! What the fuzz target and the property tests call: anything goes in, nothing may panic.

use std::sync::Arc;

use wellhead_catalog::{Auth, Dialect, Kind, Quirks};
use wellhead_policy::KeyHasher;

use crate::{CompileContext, Fixed, compile, load, render, to_canonical};

/// Loads arbitrary bytes, and when they are a configuration, compiles it and reads its canonical text back.
/// Returns whether they were. Panics only if an accepted document does not survive its canonical text.
pub fn fuzz_load(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut lookup = Fixed::default();
    lookup.variables.insert("SET".to_owned(), "set".to_owned());
    lookup.variables.insert("EMPTY".to_owned(), String::new());
    let kinds = vec![kind("openai-compatible", Dialect::Openai), kind("anthropic", Dialect::Anthropic)];
    let (document, warnings) = match load("fuzz.yaml", &text, &lookup, &kinds) {
        Ok(loaded) => loaded,
        Err(errors) => {
            assert!(!render(&errors).is_empty(), "a refusal gives a reason");
            return false;
        }
    };
    assert!(warnings.len() <= crate::diagnostic::DIAGNOSTICS_MAX + 1, "warnings are bounded");
    let hasher = KeyHasher::new(&[7; 32]);
    let context = CompileContext { generation: 1, hasher: &hasher, extra_apps: &[] };
    assert!(compile(&document, &context).is_ok(), "what was accepted compiles");
    let again = load("fuzz.yaml", &to_canonical(&document), &Fixed::default(), &kinds);
    assert!(
        again.is_ok_and(|(again, _)| again == document),
        "canonical text reads back to an equal document"
    );
    true
}

fn kind(name: &str, dialect: Dialect) -> Arc<Kind> {
    Arc::new(Kind {
        name: name.into(),
        title: name.to_owned(),
        dialect,
        base_url: (dialect == Dialect::Anthropic).then(|| "https://api.example.com".to_owned()),
        auth: Auth::OptionalBearer,
        key_env: Vec::new(),
        quirks: Quirks::default(),
        otel_name: name.to_owned(),
        models: Vec::new(),
        source: "unverified".to_owned(),
    })
}
