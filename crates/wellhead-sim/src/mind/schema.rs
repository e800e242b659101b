//! A valid instance of a JSON Schema: what a model answers that is held to one.

use serde_json::{Map, Value, json};

use super::rng::Rng;

/// Depth from which only what is required is made; recursive schemas end there.
const DEPTH_OPTIONAL_MAX: usize = 4;
/// Depth at which a schema that demands infinite values is given up with null.
const DEPTH_MAX: usize = 24;
/// Values of one instance: a schema of a few lines can ask for millions.
const VALUES_MAX: usize = 5_000;

const WORDS: [&str; 10] =
    ["amber", "birch", "cobalt", "delta", "ember", "fjord", "granite", "harbour", "indigo", "juniper"];
const CITIES: [&str; 6] = ["Lisbon", "Oslo", "Kyoto", "Nairobi", "Quito", "Zürich"];
const NAMES: [&str; 6] = ["Ada", "Bashir", "Chen", "Dana", "Emre", "Freya"];

/// Makes instances of one schema document.
pub(crate) struct Maker<'a> {
    root: &'a Value,
    rng: Rng,
    values: usize,
}

impl<'a> Maker<'a> {
    pub(crate) const fn new(root: &'a Value, rng: Rng) -> Self {
        Self { root, rng, values: 0 }
    }

    /// An instance of the whole document.
    pub(crate) fn make(mut self) -> Value {
        self.value(self.root, "", 0)
    }

    fn value(&mut self, schema: &'a Value, name: &str, depth: usize) -> Value {
        self.values += 1;
        if depth > DEPTH_MAX || self.values > VALUES_MAX {
            return Value::Null;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return match self.resolve(target) {
                Some(schema) => self.value(schema, name, depth + 1),
                None => Value::Null,
            };
        }
        if let Some(fixed) = schema.get("const") {
            return fixed.clone();
        }
        if let Some(choices) = schema.get("enum").and_then(Value::as_array).filter(|list| !list.is_empty()) {
            return choices[self.rng.below(choices.len())].clone();
        }
        if let Some(branch) = self.branch(schema, depth) {
            return self.value(branch, name, depth + 1);
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.merged(schema, parts, name, depth);
        }
        match kind(schema, depth) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, name, depth),
            "integer" => json!(self.number(schema, 1.0).round()).as_f64().map_or(Value::Null, whole),
            "number" => json!((self.number(schema, 0.01) * 100.0).round() / 100.0),
            "boolean" => json!(self.rng.below(2) == 1),
            "null" => Value::Null,
            _ => Value::String(self.text(schema, name)),
        }
    }

    /// The branch of `anyOf` or `oneOf` to follow: null where the way is getting deep.
    fn branch(&mut self, schema: &'a Value, depth: usize) -> Option<&'a Value> {
        let branches = schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array()?;
        let empty = branches.iter().find(|branch| branch.get("type").and_then(Value::as_str) == Some("null"));
        match empty {
            Some(empty) if depth >= DEPTH_OPTIONAL_MAX => Some(empty),
            _ => branches.get(self.rng.below(branches.len())),
        }
    }

    fn merged(&mut self, schema: &'a Value, parts: &'a [Value], name: &str, depth: usize) -> Value {
        let mut all = Map::new();
        let mut last = Value::Null;
        for part in parts {
            match self.value(part, name, depth + 1) {
                Value::Object(object) => all.extend(object),
                other => last = other,
            }
        }
        if schema.get("properties").is_some()
            && let Value::Object(object) = self.object(schema, depth)
        {
            all.extend(object);
        }
        if all.is_empty() && !last.is_null() { last } else { Value::Object(all) }
    }

    fn object(&mut self, schema: &'a Value, depth: usize) -> Value {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let mut object = Map::new();
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                if depth < DEPTH_OPTIONAL_MAX || required.contains(&name.as_str()) {
                    object.insert(name.clone(), self.value(property, name, depth + 1));
                }
            }
        }
        for name in required {
            // Required, but described nowhere: any value will do.
            object.entry(name).or_insert_with(|| Value::String(WORDS[name.len() % WORDS.len()].to_owned()));
        }
        Value::Object(object)
    }

    fn array(&mut self, schema: &'a Value, name: &str, depth: usize) -> Value {
        let size =
            |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
        let least = size("minItems").unwrap_or(0);
        let wanted = if depth < DEPTH_OPTIONAL_MAX { 1 + self.rng.below(3) } else { 0 };
        let length = wanted.max(least).min(size("maxItems").unwrap_or(usize::MAX)).min(VALUES_MAX);
        if let Some(parts) = schema.get("prefixItems").and_then(Value::as_array) {
            return parts.iter().map(|part| self.value(part, name, depth + 1)).collect();
        }
        let any = &Value::Null;
        let items = schema.get("items").unwrap_or(any);
        let unique = schema.get("uniqueItems").and_then(Value::as_bool).unwrap_or(false);
        let mut list = Vec::new();
        for _ in 0..length {
            let item = self.value(items, name, depth + 1);
            if !unique || !list.contains(&item) {
                list.push(item);
            }
        }
        Value::Array(list)
    }

    /// A number within the bounds; an exclusive bound is moved inwards by `step`.
    fn number(&mut self, schema: &Value, step: f64) -> f64 {
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        let low = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|low| low + step));
        let high = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|high| high - step));
        let (low, high) = match (low, high) {
            (Some(low), Some(high)) => (low, high.max(low)),
            (Some(low), None) => (low, low + 100.0),
            (None, Some(high)) => (high - 100.0, high),
            (None, None) => (0.0, 100.0),
        };
        let (low, high) = if step < 1.0 { (low, high) } else { (low.ceil(), high.floor()) };
        let value = (low + self.rng.unit() * (high - low)).clamp(low, high.max(low));
        match bound("multipleOf") {
            Some(unit) if unit > 0.0 => ((value / unit).floor() * unit).max((low / unit).ceil() * unit),
            _ => value,
        }
    }

    fn text(&mut self, schema: &Value, name: &str) -> String {
        let text = match schema.get("format").and_then(Value::as_str) {
            Some("date-time") => "2026-03-14T09:26:53Z".to_owned(),
            Some("date") => "2026-03-14".to_owned(),
            Some("time") => "09:26:53Z".to_owned(),
            Some("email") => "ada@example.com".to_owned(),
            Some("uri" | "url") => "https://example.com/page".to_owned(),
            Some("uuid") => format!("{:08x}-1234-4abc-8def-0123456789ab", self.rng.next() >> 32),
            Some("ipv4") => "192.0.2.7".to_owned(),
            _ => self.word(&name.to_lowercase()),
        };
        let size =
            |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
        let mut text: String = text.chars().take(size("maxLength").unwrap_or(usize::MAX)).collect();
        let least = size("minLength").unwrap_or(0).min(VALUES_MAX);
        text.extend(std::iter::repeat_n('x', least.saturating_sub(text.chars().count())));
        text
    }

    /// A text that suits the member's name.
    fn word(&mut self, name: &str) -> String {
        match name {
            _ if name.contains("city") || name.contains("location") || name.contains("place") => {
                self.rng.pick(&CITIES)
            }
            _ if name.contains("name") || name.contains("author") => self.rng.pick(&NAMES),
            _ if name.contains("email") => "ada@example.com",
            _ if name.contains("date") => "2026-03-14",
            _ if name.contains("unit") => "celsius",
            _ => self.rng.pick(&WORDS),
        }
        .to_owned()
    }

    /// Follows a JSON pointer within the document.
    fn resolve(&self, target: &str) -> Option<&'a Value> {
        let pointer = target.strip_prefix('#')?;
        self.root.pointer(pointer)
    }
}

/// The type to make: the first that is not null of a list, unless the way is getting deep.
fn kind(schema: &Value, depth: usize) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str);
            let deep = depth >= DEPTH_OPTIONAL_MAX;
            kinds.clone().find(|kind| (*kind == "null") == deep).or_else(|| kinds.next()).unwrap_or("null")
        }
        _ if schema.get("properties").is_some() || schema.get("required").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

/// A float that is whole, as JSON integer.
#[expect(clippy::cast_possible_truncation, reason = "the value was rounded and saturates")]
fn whole(value: f64) -> Value {
    json!(value as i64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
    use super::*;

    fn make(schema: &Value, seed: u64) -> Value {
        Maker::new(schema, Rng::new(seed)).make()
    }

    #[test]
    fn the_instance_has_what_the_schema_demands() {
        let schema = json!({
            "type": "object", "additionalProperties": false,
            "required": ["city", "level", "tags", "state", "ratio", "inner", "maybe", "kind"],
            "properties": {
                "city": {"type": "string", "maxLength": 4},
                "level": {"type": "integer", "minimum": 3, "maximum": 5},
                "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 3},
                "state": {"enum": ["on", "off"]},
                "ratio": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
                "inner": {"$ref": "#/$defs/inner"},
                "maybe": {"type": ["string", "null"]},
                "kind": {"const": "report"},
            },
            "$defs": {"inner": {"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"]}},
        });
        for seed in 0..200 {
            let made = make(&schema, seed);
            assert!(made["city"].as_str().unwrap().chars().count() <= 4);
            assert!((3..=5).contains(&made["level"].as_i64().unwrap()));
            assert!((2..=3).contains(&made["tags"].as_array().unwrap().len()));
            assert!(["on", "off"].contains(&made["state"].as_str().unwrap()));
            let ratio = made["ratio"].as_f64().unwrap();
            assert!(ratio > 0.0 && ratio < 1.0, "{ratio}");
            assert!(made["inner"]["yes"].is_boolean());
            assert!(made["maybe"].is_string());
            assert_eq!(made["kind"], "report");
            assert_eq!(made.as_object().unwrap().len(), 8);
            assert_eq!(made, make(&schema, seed));
        }
    }

    #[test]
    fn recursion_ends() {
        let tree = json!({
            "$ref": "#/$defs/node",
            "$defs": {"node": {"type": "object", "required": ["value", "next", "children"], "properties": {
                "value": {"type": "integer"},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            }}},
        });
        for seed in 0..50 {
            assert!(make(&tree, seed)["value"].is_i64());
        }
        let endless = json!({"$ref": "#"});
        assert_eq!(make(&endless, 1), Value::Null);
        let wide = json!({"type": "array", "minItems": 1_000_000_000, "items": {"type": "integer"}});
        assert!(make(&wide, 1).as_array().unwrap().len() <= VALUES_MAX);
    }
}
