//! A credential in a list: the key alone, or the key with an id.

use serde_json::{Value as Json, json};

use super::{SecretText, Text};
use crate::read::{Element, Reader, Spanned};
use crate::section::section;
use crate::tree::{Node, Value};

section! {
    /// A key with an id of one's own choice.
    KeyFields {
        /// The key itself.
        Must secret: SecretText,
        /// Name of the key in records and metrics. Default: part of a keyed hash.
        May id: Text,
    }
}

/// A key, alone or with an id.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyEntry {
    /// The key itself.
    pub secret: SecretText,
    /// Its id, if it was given one.
    pub id: Option<Spanned<Text>>,
}

impl Element for KeyEntry {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if !matches!(node.value, Value::Map(_)) {
            return SecretText::read(node, reader).map(|secret| Self { secret, id: None });
        }
        // `keys: [{sk-…}]` makes the key itself a key of the mapping: nothing in here is repeated.
        let fields = reader.quietly(|reader| KeyFields::read(node, reader))?;
        fields.secret.map(|secret| Self { secret: secret.value, id: fields.id })
    }

    fn write(&self) -> Json {
        match &self.id {
            None => self.secret.write(),
            Some(id) => json!({ "secret": self.secret.write(), "id": id.value.write() }),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [SecretText::schema(), KeyFields::schema()] })
    }
}
