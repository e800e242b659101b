//! Reads a JSON object field by field and collects everything that is wrong with it, each with its pointer.

use serde_json::{Map, Value};

use super::problem::{FieldError, Problem};

/// An object that is being read. Every field that is not asked for is an error at the end.
pub(crate) struct Fields {
    pointer: String,
    left: Map<String, Value>,
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// Starts with the body.
    pub(crate) fn body(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Object(left) => Ok(Self::object(String::new(), left)),
            other => Err(Problem::invalid(vec![FieldError::at("", wrong_type("an object", &other))])),
        }
    }

    fn object(pointer: String, left: Map<String, Value>) -> Self {
        Self { pointer, left, known: Vec::new(), errors: Vec::new() }
    }

    /// Adds an error about a field.
    pub(crate) fn error(&mut self, name: &str, detail: impl Into<String>) {
        self.errors.push(FieldError::at(format!("{}/{}", self.pointer, escape(name)), detail));
    }

    /// Takes a field; `null` is a value of its own.
    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.remove(name)
    }

    /// A string that has to be there.
    pub(crate) fn required_string(&mut self, name: &'static str) -> Option<String> {
        match self.take(name) {
            Some(Value::String(text)) => return Some(text),
            Some(other) => self.error(name, wrong_type("a string", &other)),
            None => self.error(name, format!("{name} is missing")),
        }
        None
    }

    /// A string that may be missing or `null`.
    pub(crate) fn string(&mut self, name: &'static str) -> Option<String> {
        match self.take(name) {
            Some(Value::String(text)) => return Some(text),
            None | Some(Value::Null) => {}
            Some(other) => self.error(name, wrong_type("a string or null", &other)),
        }
        None
    }

    /// A whole number within bounds. Outer `None`: missing or wrong; inner `None`: `null`.
    pub(crate) fn number(&mut self, name: &'static str, min: u64, max: u64) -> Option<Option<u64>> {
        let value = match self.take(name)? {
            Value::Null => return Some(None),
            value => value,
        };
        match value.as_u64().filter(|number| (min..=max).contains(number)) {
            Some(number) => Some(Some(number)),
            None => {
                self.error(
                    name,
                    format!("{name} is {value}; expected null or a whole number from {min} to {max}"),
                );
                None
            }
        }
    }

    /// A list of strings. Outer `None`: missing or wrong; inner `None`: `null`.
    pub(crate) fn strings(&mut self, name: &'static str, len_max: usize) -> Option<Option<Vec<String>>> {
        let list = match self.take(name)? {
            Value::Null => return Some(None),
            Value::Array(list) if list.len() <= len_max => list,
            Value::Array(list) => {
                self.error(name, format!("{name} has {} entries; expected at most {len_max}", list.len()));
                return None;
            }
            other => {
                self.error(name, wrong_type("null or a list of strings", &other));
                return None;
            }
        };
        let mut strings = Vec::with_capacity(list.len());
        for (at, entry) in list.into_iter().enumerate() {
            match entry {
                Value::String(text) => strings.push(text),
                other => {
                    let pointer = format!("{}/{name}/{at}", self.pointer);
                    self.errors.push(FieldError::at(pointer, wrong_type("a string", &other)));
                }
            }
        }
        Some(Some(strings))
    }

    /// A nested object, read by `read`. Missing gives `None`; `null` reads an empty object that is marked as cleared.
    pub(crate) fn nested<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self, bool) -> T,
    ) -> Option<T> {
        let (fields, cleared) = match self.take(name)? {
            Value::Object(fields) => (fields, false),
            Value::Null => (Map::new(), true),
            other => {
                self.error(name, wrong_type("an object or null", &other));
                return None;
            }
        };
        let mut inner = Self::object(format!("{}/{name}", self.pointer), fields);
        let value = read(&mut inner, cleared);
        inner.report_unknown();
        self.errors.append(&mut inner.errors);
        Some(value)
    }

    /// Everything that was wrong, unknown fields included.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        self.report_unknown();
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }

    fn report_unknown(&mut self) {
        let known = self.known.join(", ");
        let expected = if known.is_empty() { "no fields".to_owned() } else { known };
        for name in std::mem::take(&mut self.left).keys() {
            self.error(name, format!("there is no field {name:?}; expected {expected}"));
        }
    }
}

/// RFC 6901 section 3.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn wrong_type(expected: &str, got: &Value) -> String {
    let got = match got {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("this is {got}; expected {expected}")
}
