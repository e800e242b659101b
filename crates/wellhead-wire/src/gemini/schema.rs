//! Between JSON Schema, which everybody else speaks, and the subset of OpenAPI 3.0 that Gemini's `parameters` and
//! `responseSchema` hold (wire.md, trap 14).

mod down;

use serde_json::{Map, Value, json};

pub(super) use down::to_openapi;

/// From the subset: types in small letters, `nullable` as a type.
pub(super) fn to_json_schema(schema: Value) -> Value {
    let Value::Object(members) = schema else { return schema };
    let mut out = Map::with_capacity(members.len());
    let mut nullable = false;
    for (name, value) in members {
        let name = match name.as_str() {
            "any_of" => "anyOf".to_owned(),
            "min_items" | "max_items" | "min_length" | "max_length" | "min_properties" | "max_properties" => {
                let (head, tail) = name.split_at(3);
                format!("{head}{}{}", tail[1..2].to_ascii_uppercase(), &tail[2..])
            }
            _ => name,
        };
        let value = match (name.as_str(), value) {
            ("nullable", Value::Bool(yes)) => {
                nullable = yes;
                continue;
            }
            ("type", Value::String(word)) => Value::String(word.to_ascii_lowercase()),
            ("properties" | "$defs" | "defs", Value::Object(inner)) => {
                inner.into_iter().map(|(name, schema)| (name, to_json_schema(schema))).collect()
            }
            ("items", inner) => to_json_schema(inner),
            ("anyOf", Value::Array(inner)) => inner.into_iter().map(to_json_schema).collect(),
            // 64 bits are texts in proto JSON.
            (
                "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties",
                Value::String(text),
            ) => text.parse::<u64>().map_or(Value::String(text), Value::from),
            (_, value) => value,
        };
        out.insert(name, value);
    }
    if nullable {
        make_nullable(&mut out);
    }
    Value::Object(out)
}

fn make_nullable(schema: &mut Map<String, Value>) {
    match schema.get("type").cloned() {
        Some(Value::String(word)) => {
            schema.insert("type".to_owned(), json!([word, "null"]));
            if let Some(Value::Array(values)) = schema.get_mut("enum") {
                values.push(Value::Null);
            }
        }
        _ => {
            if let Some(Value::Array(any)) = schema.get_mut("anyOf") {
                any.push(json!({"type": "null"}));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{to_json_schema, to_openapi};
    use serde_json::{Value, json};

    // wire.md, trap 14: everything that `parameters` is known to refuse.
    #[test]
    fn what_parameters_refuse_is_said_in_another_way() {
        for (schema, expected, is_weaker) in [
            (
                json!({"$schema": "x", "type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "required": ["a", "gone"],
                       "additionalProperties": false, "$defs": {"A": {"type": "integer", "exclusiveMinimum": 0}}}),
                json!({"type": "OBJECT", "properties": {"a": {"type": "INTEGER", "minimum": 1}}, "required": ["a"]}),
                true,
            ),
            (json!({"const": "x"}), json!({"enum": ["x"], "type": "STRING"}), false),
            (json!({"type": ["string", "null"]}), json!({"nullable": true, "type": "STRING"}), false),
            (
                json!({"type": ["string", "integer"]}),
                json!({"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}),
                false,
            ),
            (
                json!({"type": ["object", "array"], "properties": {"a": {"type": "string"}}, "required": ["a"], "items": {"type": "string"}}),
                json!({"anyOf": [
                    {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a"]},
                    {"type": "ARRAY", "items": {"type": "STRING"}},
                ]}),
                false,
            ),
            (json!({"enum": [1, 2]}), json!({"description": "One of: 1, 2", "type": "NUMBER"}), true),
            (
                json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}]}),
                json!({"type": "ARRAY", "items": {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]}}),
                true,
            ),
            (json!({"type": "array"}), json!({"type": "ARRAY", "items": {"type": "STRING"}}), false),
            (
                json!({"anyOf": [{"type": "null"}, {"type": "string", "format": "uuid"}]}),
                json!({"nullable": true, "type": "STRING"}),
                true,
            ),
            (
                json!({"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "boolean"}}, "type": "object"}]}),
                json!({"type": "OBJECT", "properties": {"a": {"type": "STRING"}, "b": {"type": "BOOLEAN"}}}),
                false,
            ),
            (
                json!({"type": "number", "exclusiveMaximum": 1.5}),
                json!({"type": "NUMBER", "maximum": 1.5}),
                true,
            ),
            (json!({"$ref": "https://elsewhere"}), json!({"type": "OBJECT"}), true),
            (json!(true), json!({"type": "OBJECT"}), true),
        ] {
            assert_eq!(to_openapi(&schema), (expected, is_weaker), "{schema}");
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({"$defs": {"N": {"type": "object", "properties": {"l": {"$ref": "#/$defs/N"}, "r": {"$ref": "#/$defs/N"}}}},
                            "$ref": "#/$defs/N"});
        let (value, is_weaker) = to_openapi(&schema);
        assert!(is_weaker && value.to_string().len() < 1_000_000);
        let round = json!({"$ref": "#"});
        assert!(to_openapi(&round).1);
    }

    #[test]
    fn references_do_not_blow_a_schema_up() {
        let properties: serde_json::Map<String, Value> =
            (0..2000).map(|n| (n.to_string(), json!({"$ref": "#/$defs/L"}))).collect();
        let long = json!({"type": "string", "description": "x".repeat(100_000)});
        let schema = json!({"type": "object", "properties": properties, "$defs": {"L": long}});
        let (value, is_weaker) = to_openapi(&schema);
        assert!(is_weaker && value.to_string().len() < 500_000);
        let mut nested = json!({"type": "string", "description": "x".repeat(1000)});
        for _ in 0..24 {
            nested = json!({"type": ["object", "array"], "properties": {"a": nested}});
        }
        assert!(to_openapi(&nested).0.to_string().len() < 10_000, "nothing is written twice");
        assert_eq!(value["properties"]["0"]["description"], long["description"], "as long as there is room");
    }

    #[test]
    fn the_subset_is_read_as_json_schema() {
        let read = to_json_schema(json!({
            "type": "OBJECT", "nullable": true, "required": ["a"],
            "properties": {"a": {"type": "ARRAY", "items": {"type": "STRING", "enum": ["x"], "nullable": true}, "min_items": "1"},
                           "any_of": {"any_of": [{"type": "INTEGER"}], "nullable": true}},
        }));
        let expected = json!({
            "type": ["object", "null"], "required": ["a"],
            "properties": {"a": {"type": "array", "items": {"type": ["string", "null"], "enum": ["x", null]}, "minItems": 1},
                           "any_of": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        });
        assert_eq!(read, expected);
        assert_eq!(to_json_schema(json!([1])), json!([1]));
    }

    #[test]
    fn whatever_a_client_calls_a_schema_is_no_panic() {
        for schema in [
            json!(null),
            json!({"type": 7, "properties": [], "required": "x", "enum": {}, "anyOf": 1}),
            json!({"type": [], "items": [1], "const": null, "allOf": [7]}),
        ] {
            let (value, _) = to_openapi(&schema);
            assert!(value.is_object());
            let _: Value = to_json_schema(schema);
        }
    }
}
