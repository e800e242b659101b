//! From JSON Schema to the subset, with as little lost as possible.

use serde_json::{Map, Value, json};

/// Deepest place where a reference is still followed: a schema that refers to itself would never end.
const DEPTH_MAX: usize = 24;

/// Most pieces that references may grow a schema to.
const PIECES_MAX: usize = 4096;

/// Most bytes that references may add: a long description that is referred to a thousand times is sent once or twice.
const REFERRED_BYTES_MAX: usize = 256 * 1024;

/// To the subset. The second says that it allows more than the schema did.
pub(in crate::gemini) fn to_openapi(schema: &Value) -> (Value, bool) {
    let mut down = Down { root: schema, pieces: 0, room: Room(REFERRED_BYTES_MAX), is_weaker: false };
    let value = down.schema(schema, 0);
    (value, down.is_weaker)
}

struct Down<'a> {
    root: &'a Value,
    pieces: usize,
    room: Room,
    is_weaker: bool,
}

/// What only objects and only lists have.
const OF_ONE_TYPE: [&str; 5] = ["properties", "required", "items", "minItems", "maxItems"];

/// Bytes that are left.
struct Room(usize);

impl Room {
    /// Whether a value still fits; takes its bytes if so.
    fn takes(&mut self, value: &Value) -> bool {
        let mut room = Self(self.0);
        let fits = serde_json::to_writer(&mut room, value).is_ok();
        self.0 = room.0;
        fits
    }
}

impl std::io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> Down<'a> {
    fn schema(&mut self, schema: &'a Value, depth: usize) -> Value {
        self.pieces += 1;
        let Value::Object(members) = schema else { return self.anything() };
        if depth > DEPTH_MAX || self.pieces > PIECES_MAX {
            return self.anything();
        }
        if let Some(found) = members.get("$ref").and_then(Value::as_str) {
            let Some(found) = self.find(found).filter(|found| self.room.takes(found)) else {
                return self.anything();
            };
            let mut value = self.schema(found, depth + 1);
            if let (Value::Object(value), Some(text)) = (&mut value, members.get("description")) {
                value.insert("description".to_owned(), text.clone());
            }
            return value;
        }
        let mut out = Map::new();
        self.types(members, depth, &mut out);
        // A choice of types has taken what belongs to each of them.
        let is_split = out.contains_key("anyOf");
        for (name, value) in members {
            if !(is_split && OF_ONE_TYPE.contains(&name.as_str())) {
                self.member(name, value, depth, &mut out);
            }
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
                drop(out.insert("type".to_owned(), word.to_ascii_uppercase().into()));
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
                        there.extend(more);
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
