//! Lists, and mappings from names that people choose.

use std::marker::PhantomData;

use serde_json::{Value as Json, json};

use super::{NameRule, text_json};
use crate::read::{Element, Reader, Spanned};
use crate::tree::{Node, Value};

/// `MIN` to `MAX` values in order.
#[derive(Debug, Clone, PartialEq)]
pub struct List<T, const MIN: usize, const MAX: usize>(pub Vec<Spanned<T>>);

impl<T: Element, const MIN: usize, const MAX: usize> Element for List<T, MIN, MAX> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::List(items) = &node.value else {
            reader.wrong_type(node, expected_list(MIN, MAX));
            return None;
        };
        if items.len() < MIN || items.len() > MAX {
            let message = match items.len() {
                0 => "the list is empty".to_owned(),
                length => format!("the list has {length} entries"),
            };
            reader.error(node.at, message).expected(expected_list(MIN, MAX));
        }
        let numbered = items.iter().take(MAX).enumerate();
        let read = |(index, item)| reader.within_index(index, |reader| reader.spanned(item));
        Some(Self(numbered.filter_map(read).collect()))
    }

    fn write(&self) -> Json {
        self.0.iter().map(|item| item.value.write()).collect()
    }

    fn schema() -> Json {
        json!({ "type": "array", "items": T::schema(), "minItems": MIN, "maxItems": MAX })
    }
}

fn expected_list(min: usize, max: usize) -> String {
    format!("a list of {min} to {max} entries")
}

/// One entry of a [`Named`].
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<T> {
    /// The name.
    pub name: Spanned<String>,
    /// What it names; `None` only in a document that has been refused.
    pub value: Option<T>,
    /// Something within it was reported while it was read: what seems to be missing may only be misspelt.
    pub(crate) flawed: bool,
}

/// A mapping from names of one rule, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<N, T> {
    /// The entries.
    pub entries: Vec<Entry<T>>,
    rule: PhantomData<N>,
}

impl<N, T> Named<N, T> {
    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.value.as_str())
    }

    /// The entry of that name.
    pub fn get(&self, name: &str) -> Option<&Entry<T>> {
        self.entries.iter().find(|entry| entry.name.value == name)
    }

    /// Names with what they name.
    pub fn iter(&self) -> impl Iterator<Item = (&Spanned<String>, &T)> {
        self.entries.iter().filter_map(|entry| entry.value.as_ref().map(|value| (&entry.name, value)))
    }
}

impl<N: NameRule, T: Element> Element for Named<N, T> {
    const NAMED: bool = true;

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let what = N::WHAT;
        let entries = reader.mapping(node, &format!("a mapping from {what} names to their settings"))?;
        if entries.len() > N::ENTRIES_MAX {
            let message = format!("{} {what} entries", entries.len());
            reader.error(node.at, message).expected(format!("at most {}", N::ENTRIES_MAX));
        }
        let mut named =
            Self { entries: Vec::with_capacity(entries.len().min(N::ENTRIES_MAX)), rule: PhantomData };
        for (key, node) in entries.iter().take(N::ENTRIES_MAX) {
            reader.show(&key.range);
            let entry = reader.within_key(&key.text, |reader| {
                if let Err(problem) = N::check(&key.text) {
                    let message = format!("the {what} name {:?} {}", key.text, problem.message);
                    let expected = problem.expected.unwrap_or_else(|| format!("a {what} name"));
                    reader.error(key.at, message).expected(expected);
                }
                let name = Spanned { value: key.text.clone(), place: reader.place(key.at) };
                let flaws = reader.flaws();
                let value = T::read(node, reader);
                Entry { name, value, flawed: reader.flaws() > flaws }
            });
            named.entries.push(entry);
        }
        Some(named)
    }

    fn write(&self) -> Json {
        let pair = |(name, value): (&Spanned<String>, &T)| match text_json(&name.value) {
            Json::String(name) => (name, value.write()),
            other => (other.to_string(), value.write()),
        };
        Json::Object(self.iter().map(pair).collect())
    }

    fn schema() -> Json {
        json!({
            "type": "object",
            "propertyNames": { "pattern": N::PATTERN },
            "maxProperties": N::ENTRIES_MAX,
            "additionalProperties": T::schema(),
        })
    }
}
