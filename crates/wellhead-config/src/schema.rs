//! The JSON Schema of the language, for editors. It is made of the tables that the reader uses.

use serde_json::{Value, json};

use crate::document::Root;
use crate::read::Element;

/// JSON Schema 2020-12 of a configuration file.
pub fn json_schema() -> Value {
    let mut schema = Root::schema();
    let mut head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Wellhead configuration",
    });
    if let (Value::Object(head), Value::Object(body)) = (&mut head, &mut schema) {
        head.append(body);
    }
    head
}
