//! The checked-in OpenAPI document and the table of routes say the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;

use serde_json::Value;

use super::OPENAPI;
use crate::http::routes::table;

fn document() -> Value {
    serde_json::from_str(OPENAPI).unwrap()
}

/// Every operation as (method, path, description).
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(|(method, operation)| (method.to_uppercase(), path.clone(), operation))
        })
        .collect()
}

#[test]
fn routes_and_document_agree() {
    let document = document();
    let described: BTreeSet<_> = operations(&document).into_iter().map(|(m, p, _)| (m, p)).collect();
    let served: BTreeSet<_> = table().iter().map(|r| (r.method.to_owned(), r.path.to_owned())).collect();
    assert_eq!(described, served);
    assert_eq!(served.len(), table().len(), "no route is there twice");
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    fn collect(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    found.insert(reference.clone());
                }
                object.values().for_each(|v| collect(v, found));
            }
            Value::Array(list) => list.iter().for_each(|v| collect(v, found)),
            _ => {}
        }
    }
    let document = document();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    let mut declared = BTreeSet::new();
    for section in ["schemas", "parameters"] {
        let names = document["components"][section].as_object().unwrap().keys();
        declared.extend(names.map(|name| format!("#/components/{section}/{name}")));
    }
    assert_eq!(references, declared);
}

#[test]
fn operations_are_complete() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path}: its id is taken");
        assert!(operation["summary"].as_str().is_some_and(|s| !s.is_empty()));
        let named: BTreeSet<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let described: BTreeSet<_> = parameters
            .iter()
            .map(|p| document.pointer(&p["$ref"].as_str().unwrap()[1..]).unwrap())
            .filter(|p| p["in"] == "path")
            .map(|p| p["name"].as_str().unwrap())
            .collect();
        assert_eq!(named, described, "{method} {path}");
        let open = operation["security"].as_array().is_some_and(Vec::is_empty);
        assert_eq!(open, !operation["responses"].as_object().unwrap().contains_key("401"), "{method} {path}");
    }
}
