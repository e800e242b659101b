//! The checked-in JSON Schema is the language: no key more, no key less.

use std::path::Path;

use serde_json::Value;
use wellhead_config::json_schema;

use crate::support::{errors, files, folder};

fn checked_in() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/wellhead.schema.json");
    let made = format!("{}\n", serde_json::to_string_pretty(&json_schema()).unwrap());
    if std::env::var_os("WELLHEAD_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &made).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == made,
        "schema/wellhead.schema.json differs from the language; run this test with WELLHEAD_BLESS=1"
    );
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_checked_in_schema_is_the_one_that_the_language_makes() {
    assert_eq!(checked_in()["additionalProperties"], false);
}

/// A document in which `{}` at the given path is reached, as nested single-entry mappings.
fn wrapped(steps: &[String], inner: &str) -> String {
    let mut text = inner.to_owned();
    for step in steps.iter().rev() {
        text = match step.as_str() {
            "[]" => format!("[{text}]"),
            "*" => format!("{{\"name\": {text}}}"),
            key => format!("{{{key:?}: {text}}}"),
        };
    }
    text
}

fn objects(schema: &Value, steps: &mut Vec<String>, found: &mut Vec<(Vec<String>, Vec<String>)>) {
    if let Some(properties) = schema["properties"].as_object() {
        found.push((steps.clone(), properties.keys().cloned().collect()));
        for (name, inner) in properties {
            steps.push(name.clone());
            objects(inner, steps, found);
            steps.pop();
        }
    }
    for (step, inner) in [("*", &schema["additionalProperties"]), ("[]", &schema["items"])] {
        if inner.is_object() {
            steps.push(step.to_owned());
            objects(inner, steps, found);
            steps.pop();
        }
    }
    for choice in schema["anyOf"].as_array().into_iter().flatten() {
        objects(choice, steps, found);
    }
}

#[test]
fn the_reader_knows_exactly_the_keys_of_the_schema() {
    let mut found = Vec::new();
    objects(&checked_in(), &mut Vec::new(), &mut found);
    assert!(found.len() >= 20, "only {} mappings in the schema", found.len());
    for (steps, keys) in found {
        let text = wrapped(&steps, "{\"no such key here\": 1}");
        let all = errors(&text);
        let unknown =
            all.iter().find(|error| error.message.starts_with("unknown key")).unwrap_or_else(|| {
                panic!("{text} is not refused for its key: {all:?}");
            });
        let listed = unknown.expected.as_deref().unwrap().strip_prefix("one of ").unwrap().to_owned();
        assert_eq!(listed.split(", ").collect::<Vec<_>>(), keys, "at {steps:?}");
    }
}

/// As much of JSON Schema as the schema uses; enough to see that right files are right for editors too.
fn valid(schema: &Value, value: &Value) -> bool {
    let number = |key: &str| schema[key].as_f64();
    let one = schema["anyOf"].as_array().is_none_or(|all| all.iter().any(|choice| valid(choice, value)));
    let of_type = match schema["type"].as_str() {
        None => true,
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64(),
        Some("number") => value.is_number(),
        Some(other) => panic!("type {other}"),
    };
    let in_range = value.as_f64().is_none_or(|n| {
        number("minimum").is_none_or(|min| n >= min) && number("maximum").is_none_or(|max| n <= max)
    });
    let members = value.as_object().is_none_or(|members| {
        let required = schema["required"].as_array().into_iter().flatten();
        required.map(|key| key.as_str().unwrap()).all(|key| members.contains_key(key))
            && members.iter().all(|(key, value)| match schema["properties"].get(key) {
                Some(inner) => valid(inner, value),
                None => match &schema["additionalProperties"] {
                    Value::Bool(allowed) => *allowed,
                    inner => valid(inner, value),
                },
            })
    });
    let items = value.as_array().is_none_or(|items| {
        let length = items.len() as f64;
        number("minItems").is_none_or(|min| length >= min)
            && number("maxItems").is_none_or(|max| length <= max)
            && items.iter().all(|item| schema["items"].is_null() || valid(&schema["items"], item))
    });
    let listed = schema["enum"].as_array().is_none_or(|all| all.contains(value));
    let substituted = schema["pattern"] != "\\$\\{" || value.as_str().is_some_and(|text| text.contains("${"));
    one && substituted && of_type && in_range && members && items && listed
}

#[test]
fn the_schema_accepts_what_the_reader_accepts() {
    let schema = checked_in();
    for (name, text) in files(&folder("right")) {
        let (document, _) = crate::support::loaded(&text);
        let canonical: Value = serde_json::from_str(&wellhead_config::to_canonical(&document)).unwrap();
        assert!(valid(&schema, &canonical), "{name}: {canonical:#}");
    }
    for wrong in ["{}", r#"{"version": 2}"#, r#"{"version": 1, "server": {"workers": "many"}}"#] {
        assert!(!valid(&schema, &serde_json::from_str(wrong).unwrap()), "{wrong}");
    }
}
