//! Between JSON Schema, which everybody else speaks, and the subset of OpenAPI 3.0 that Gemini's `parameters` and
//! `responseSchema` hold (wire.md, trap 14).

use serde_json::{Map, Value, json};

/// Deepest place where a reference is still followed: a schema that refers to itself would never end.
const DEPTH_MAX: usize = 24;

/// Most pieces that references may grow a schema to.
const PIECES_MAX: usize = 4096;

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

/// To the subset. The second says that it allows more than the schema did.
pub(super) fn to_openapi(schema: &Value) -> (Value, bool) {
    let mut down = Down { root: schema, pieces: 0, is_weaker: false };
    let value = down.schema(schema, 0);
    (value, down.is_weaker)
}

struct Down<'a> {
    root: &'a Value,
    pieces: usize,
    is_weaker: bool,
}

impl<'a> Down<'a> {
    fn schema(&mut self, schema: &'a Value, depth: usize) -> Value {
        self.pieces += 1;
        let Value::Object(members) = schema else { return self.anything() };
        if depth > DEPTH_MAX || self.pieces > PIECES_MAX {
            return self.anything();
        }
        if let Some(found) = members.get("$ref").and_then(Value::as_str) {
            let Some(found) = self.find(found) else { return self.anything() };
            let mut value = self.schema(found, depth + 1);
            if let (Value::Object(value), Some(text)) = (&mut value, members.get("description")) {
                value.insert("description".to_owned(), text.clone());
            }
            return value;
        }
        let mut out = Map::new();
        self.types(members, depth, &mut out);
        for (name, value) in members {
            self.member(name, value, depth, &mut out);
        }
        finish(&mut out);
        Value::Object(out)
    }

    /// What a schema says that the subset cannot: anything goes.
    fn anything(&mut self) -> Value {
        self.is_weaker = true;
        json!({"type": "OBJECT"})
    }

    fn find(&self, reference: &str) -> Option<&'a Value> {
        let path = reference.strip_prefix('#')?;
        // JSON Pointer, percent signs aside: `#/$defs/Name`.
        self.root.pointer(path)
    }

    /// A list of types becomes one type that may be null, or a choice.
    fn types(&mut self, members: &'a Map<String, Value>, depth: usize, out: &mut Map<String, Value>) {
        match members.get("type") {
            Some(Value::String(word)) if word == "null" => {
                out.insert("type".to_owned(), "STRING".into());
                out.insert("nullable".to_owned(), true.into());
            }
            Some(Value::String(word)) => {
                drop(out.insert("type".to_owned(), word.to_ascii_uppercase().into()))
            }
            Some(Value::Array(words)) => {
                let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
                let types: Vec<&str> = words.iter().copied().filter(|word| *word != "null").collect();
                if types.len() < words.len() {
                    out.insert("nullable".to_owned(), true.into());
                }
                match types[..] {
                    [] => drop(out.insert("type".to_owned(), "STRING".into())),
                    [word] => drop(out.insert("type".to_owned(), word.to_ascii_uppercase().into())),
                    _ => {
                        let any = types.iter().map(|word| self.one_type(word, members, depth)).collect();
                        out.insert("anyOf".to_owned(), Value::Array(any));
                    }
                }
            }
            _ => {}
        }
    }

    fn one_type(&mut self, word: &str, members: &'a Map<String, Value>, depth: usize) -> Value {
        let mut out = Map::new();
        out.insert("type".to_owned(), word.to_ascii_uppercase().into());
        let fits: &[&str] = match word {
            "object" => &["properties", "required"],
            "array" => &["items", "minItems", "maxItems"],
            _ => &[],
        };
        for name in fits {
            if let Some(value) = members.get(*name) {
                self.member(name, value, depth, &mut out);
            }
        }
        finish(&mut out);
        Value::Object(out)
    }

    fn member(&mut self, name: &str, value: &'a Value, depth: usize, out: &mut Map<String, Value>) {
        match name {
            "type" | "$defs" | "definitions" | "$schema" | "$id" | "$comment" | "$anchor" | "examples"
            | "deprecated" | "readOnly" | "writeOnly" | "strict" => {}
            "nullable" | "title" | "description" | "required" | "default" | "example" | "minItems"
            | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties" | "pattern"
            | "minimum" | "maximum" | "propertyOrdering" => drop(out.insert(name.to_owned(), value.clone())),
            "format" if is_format(value) => drop(out.insert(name.to_owned(), value.clone())),
            "properties" => {
                let Value::Object(properties) = value else { return };
                let each =
                    properties.iter().map(|(name, value)| (name.clone(), self.schema(value, depth + 1)));
                let each: Map<String, Value> = each.collect();
                out.insert(name.to_owned(), each.into());
            }
            "items" => drop(out.insert(name.to_owned(), self.schema(value, depth + 1))),
            "prefixItems" => self.choice("items", value, depth, out),
            "anyOf" => self.choice("anyOf", value, depth, out),
            "oneOf" => {
                self.is_weaker = true;
                self.choice("anyOf", value, depth, out);
            }
            "allOf" => self.all(value, depth, out),
            "enum" => self.texts(value.as_array().map_or(&[], Vec::as_slice), out),
            "const" => self.texts(std::slice::from_ref(value), out),
            "exclusiveMinimum" | "exclusiveMaximum" => self.exclusive(name, value, out),
            // Closed objects, conditions, patterns of names: the subset has nothing like it.
            _ => self.is_weaker = true,
        }
    }

    /// `anyOf`; a choice with only one member besides null is that member.
    fn choice(&mut self, name: &str, value: &'a Value, depth: usize, out: &mut Map<String, Value>) {
        let Value::Array(each) = value else { return };
        let is_null = |schema: &&Value| schema.get("type").and_then(Value::as_str) == Some("null");
        let mut any: Vec<Value> = each
            .iter()
            .filter(|schema| !is_null(schema))
            .map(|schema| self.schema(schema, depth + 1))
            .collect();
        if name == "items" {
            self.is_weaker = true;
            out.insert(name.to_owned(), json!({"anyOf": any}));
            return;
        }
        if any.len() < each.len() {
            out.insert("nullable".to_owned(), true.into());
        }
        match (any.len(), any.pop()) {
            (1, Some(Value::Object(only))) => {
                for (name, value) in only {
                    out.entry(name).or_insert(value);
                }
            }
            (_, Some(last)) => {
                any.push(last);
                out.insert("anyOf".to_owned(), any.into());
            }
            (_, None) => {}
        }
    }

    /// All of them at once: their members side by side.
    fn all(&mut self, value: &'a Value, depth: usize, out: &mut Map<String, Value>) {
        for schema in value.as_array().into_iter().flatten() {
            let Value::Object(schema) = self.schema(schema, depth + 1) else { continue };
            for (name, value) in schema {
                match (out.get_mut(&name), value) {
                    (None, value) => drop(out.insert(name, value)),
                    (Some(Value::Object(there)), Value::Object(more)) => there.extend(more),
                    (Some(Value::Array(there)), Value::Array(more)) if name == "required" => {
                        there.extend(more)
                    }
                    (Some(there), value) => self.is_weaker |= *there != value,
                }
            }
        }
    }

    /// Values to choose from: only texts can be listed. Others are told to the model in words.
    fn texts(&mut self, values: &[Value], out: &mut Map<String, Value>) {
        let all_texts = values.iter().all(|value| value.is_string() || value.is_null());
        let texts: Vec<Value> = values.iter().filter(|value| value.is_string()).cloned().collect();
        if all_texts && !texts.is_empty() {
            if texts.len() < values.len() {
                out.insert("nullable".to_owned(), true.into());
            }
            out.insert("enum".to_owned(), texts.into());
            out.entry("type").or_insert_with(|| "STRING".into());
            return;
        }
        self.is_weaker = true;
        let listed: Vec<String> = values.iter().map(Value::to_string).collect();
        let told = format!("One of: {}", listed.join(", "));
        let text = match out.get("description").and_then(Value::as_str) {
            Some(text) => format!("{text} {told}"),
            None => told,
        };
        out.insert("description".to_owned(), text.into());
        if !out.contains_key("type")
            && let Some(word) = values.first().and_then(type_of)
        {
            out.insert("type".to_owned(), word.into());
        }
    }

    /// Whole numbers have a next one; others lose their end.
    fn exclusive(&mut self, name: &str, value: &Value, out: &mut Map<String, Value>) {
        let is_whole = out.get("type").and_then(Value::as_str) == Some("INTEGER");
        let (bound, step) = if name == "exclusiveMinimum" { ("minimum", 1) } else { ("maximum", -1) };
        let next = value.as_i64().filter(|_| is_whole).and_then(|number| number.checked_add(step));
        match next {
            Some(next) => drop(out.insert(bound.to_owned(), next.into())),
            None if value.is_number() => {
                self.is_weaker = true;
                out.insert(bound.to_owned(), value.clone());
            }
            None => self.is_weaker = true,
        }
    }
}

/// The formats that both services know.
fn is_format(value: &Value) -> bool {
    matches!(value.as_str(), Some("enum" | "date-time" | "int32" | "int64" | "float" | "double"))
}

const fn type_of(value: &Value) -> Option<&'static str> {
    match value {
        Value::Bool(_) => Some("BOOLEAN"),
        Value::Number(_) => Some("NUMBER"),
        Value::String(_) => Some("STRING"),
        Value::Array(_) => Some("ARRAY"),
        Value::Object(_) => Some("OBJECT"),
        Value::Null => None,
    }
}

/// What Google demands: a type, and a schema for a list's items; `required` names only what is there.
fn finish(out: &mut Map<String, Value>) {
    if !out.contains_key("type") && !out.contains_key("anyOf") {
        let word = if out.contains_key("items") {
            "ARRAY"
        } else if out.contains_key("properties") {
            "OBJECT"
        } else {
            "STRING"
        };
        out.insert("type".to_owned(), word.into());
    }
    if out.get("type").and_then(Value::as_str) == Some("ARRAY") {
        out.entry("items").or_insert_with(|| json!({"type": "STRING"}));
    }
    let names: Option<Vec<String>> = out
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().cloned().collect());
    if let Some(Value::Array(required)) = out.get_mut("required") {
        let names = names.unwrap_or_default();
        required.retain(|name| name.as_str().is_some_and(|name| names.iter().any(|known| known == name)));
        if required.is_empty() {
            out.shift_remove("required");
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
