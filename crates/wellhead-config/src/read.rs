//! Reads a tree by the tables of [`crate::section`]: shapes, types, unknown keys, missing fields. It never stops at
//! the first error: what cannot be read is reported and left out.

use std::ops::{Deref, Range};

use serde_json::Value as Json;

use crate::diagnostic::{At, Diagnostic, Report};
use crate::path::Path;
use crate::section::{Field, Mode};
use crate::tree::{Key, Node, Scalar, Value};

/// Letters of a wrong value that a message quotes.
const QUOTE_CHARS_MAX: usize = 60;

/// A value with the place that it was written at.
#[derive(Debug, Clone)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    pub(crate) place: Place,
}

/// Line, column and path of a value.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) at: At,
    pub(crate) path: Box<str>,
}

impl<T> Spanned<T> {
    /// Line in the file, from 1.
    pub const fn line(&self) -> u32 {
        self.place.at.line
    }

    /// Column in characters, from 1.
    pub const fn column(&self) -> u32 {
        self.place.at.column
    }

    /// The field: `models.chat.targets[0].provider`.
    pub fn path(&self) -> &str {
        &self.place.path
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Two values are equal wherever they stand.
impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// Something that a document can hold: how it is read, written back, and described to editors.
pub(crate) trait Element: Sized {
    /// A mapping from names that people choose.
    const NAMED: bool = false;

    /// Reads it, or reports why not.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// As canonical JSON that reads back to an equal value.
    fn write(&self) -> Json;

    /// As JSON Schema.
    fn schema() -> Json;
}

/// The walk over a tree.
pub(crate) struct Reader<'a> {
    pub(crate) report: &'a mut Report,
    visible: &'a mut Vec<Range<usize>>,
    path: Path,
    /// Within something that may be a secret: nothing that was written is repeated.
    quiet: bool,
    /// Values seen that could not be substituted.
    broken: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(report: &'a mut Report, visible: &'a mut Vec<Range<usize>>) -> Self {
        Self { report, visible, path: Path::default(), quiet: false, broken: 0 }
    }

    /// The place of a node at the current path.
    pub(crate) fn place(&self, at: At) -> Place {
        Place { at, path: self.path.text().into() }
    }

    /// Reports an error at a node.
    pub(crate) fn error(&mut self, at: At, message: impl Into<String>) -> &mut Diagnostic {
        self.report.error(at, self.path.text(), message)
    }

    /// Marks a node's text as harmless: excerpts may show it.
    pub(crate) fn show(&mut self, range: &Range<usize>) {
        if !self.quiet {
            self.visible.push(range.clone());
        }
    }

    /// Runs `f` one step down at a named member.
    pub(crate) fn within_key<T>(&mut self, key: &str, f: impl FnOnce(&mut Self) -> T) -> T {
        self.path.enter_key(key);
        let result = f(self);
        self.path.leave();
        result
    }

    /// Runs `f` one step down at a list item.
    pub(crate) fn within_index<T>(&mut self, index: usize, f: impl FnOnce(&mut Self) -> T) -> T {
        self.path.enter_index(index);
        let result = f(self);
        self.path.leave();
        result
    }

    /// Runs `f` where whatever was written may be a secret.
    pub(crate) fn quietly<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.quiet, true);
        let result = f(self);
        self.quiet = before;
        result
    }

    /// Says what a node is instead of the list, mapping or single value that was expected. Its text is not repeated:
    /// `keys: sk-…` and `dev: wh-…` are easily written.
    pub(crate) fn wrong_type(&mut self, node: &Node, expected: impl Into<String>) {
        match &node.value {
            Value::Broken => self.broken += 1,
            _ => {
                let got = self.quietly(|reader| format!("got {}", reader.describe(node)));
                self.error(node.at, got).expected(expected);
            }
        }
    }

    /// Grows with every error and every value that could not be substituted.
    pub(crate) const fn flaws(&self) -> usize {
        self.report.errors() + self.broken
    }

    /// What a node is, in words; its text only where it cannot be a secret.
    pub(crate) fn describe(&self, node: &Node) -> String {
        match &node.value {
            Value::Scalar(scalar) => match scalar.written() {
                Written::Null => "nothing".to_owned(),
                Written::Text if scalar.text.is_empty() => "empty text".to_owned(),
                written => match self.quotable(scalar) {
                    Some(text) => format!("{} {text}", written.words()),
                    None => written.words().to_owned(),
                },
            },
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
            Value::Broken => "something unreadable".to_owned(),
        }
    }

    /// A value's text for a message: shortened, and only if it was written in the file for all to see.
    pub(crate) fn quotable(&self, scalar: &Scalar) -> Option<String> {
        if self.quiet || scalar.substituted {
            return None;
        }
        let mut text: String = scalar.text.chars().take(QUOTE_CHARS_MAX).collect();
        if text.len() < scalar.text.len() {
            text.push('…');
        }
        Some(if scalar.plain && scalar.written() != Written::Text { text } else { format!("{text:?}") })
    }

    /// The entries of a mapping; anything else is reported.
    pub(crate) fn mapping<'n>(&mut self, node: &'n Node, expected: &str) -> Option<&'n [(Key, Node)]> {
        let Value::Map(entries) = &node.value else {
            self.wrong_type(node, expected);
            return None;
        };
        Some(entries)
    }

    /// Reports every key that is not one of `fields`, with the nearest that is.
    pub(crate) fn check_keys(&mut self, entries: &[(Key, Node)], fields: &[Field]) {
        for (key, _) in entries {
            if fields.iter().any(|field| field.name == key.text) {
                self.visible.push(key.range.clone());
                continue;
            }
            self.show(&key.range);
            let names = || fields.iter().map(|field| field.name);
            let near = self.report.nearest(&key.text, names());
            let list = names().collect::<Vec<_>>().join(", ");
            let message = if self.quiet && near.is_none() {
                "unknown key (not shown: it may be a secret)".to_owned()
            } else {
                format!("unknown key {:?}", key.text)
            };
            self.error(key.at, message).expected(format!("one of {list}")).suggest(near);
        }
    }

    /// Reads one field of a section.
    pub(crate) fn field<T: Element>(
        &mut self,
        section: &Node,
        entries: &[(Key, Node)],
        field: &Field,
    ) -> Option<Spanned<T>> {
        let Some((key, node)) = entries.iter().find(|(key, _)| key.text == field.name) else {
            // A misspelt key has been reported as such already.
            let misspelt = |(key, _): &(Key, Node)| self.report.nearest(&key.text, [field.name]).is_some();
            if field.mode == Mode::Must && !entries.iter().any(misspelt) {
                self.error(section.at, format!("the field {:?} is missing", field.name))
                    .expected(field.purpose());
            }
            return None;
        };
        self.within_key(field.name, |reader| {
            if field.mode == Mode::Later {
                reader.warn_no_effect::<T>(key, node);
            }
            let value = reader.spanned(node);
            if value.is_none() {
                reader.report.note_unreadable(reader.path.text());
            }
            value
        })
    }

    /// Reads a value with its place.
    pub(crate) fn spanned<T: Element>(&mut self, node: &Node) -> Option<Spanned<T>> {
        let place = self.place(node.at);
        T::read(node, self).map(|value| Spanned { value, place })
    }

    /// A field that is accepted but has no effect yet says so, once per named object.
    fn warn_no_effect<T: Element>(&mut self, key: &Key, node: &Node) {
        const MESSAGE: &str = "accepted, no effect yet";
        match &node.value {
            Value::Map(entries) if T::NAMED => {
                for (name, _) in entries {
                    self.within_key(&name.text, |reader| {
                        reader.report.warning(name.at, reader.path.text(), MESSAGE);
                    });
                }
            }
            _ => {
                self.report.warning(key.at, self.path.text(), MESSAGE);
            }
        }
    }
}

/// The type that YAML's core schema gives a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Null,
    Bool,
    Number,
    Text,
}

impl Written {
    const fn words(self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool => "the boolean",
            Self::Number => "the number",
            Self::Text => "the text",
        }
    }
}

impl Scalar {
    /// Its type as written (YAML 1.2 core schema, section 10.3.2).
    pub(crate) fn written(&self) -> Written {
        if !self.plain {
            return Written::Text;
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Written::Null,
            "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Written::Bool,
            text if is_number(text) => Written::Number,
            _ => Written::Text,
        }
    }
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let radix = |prefix: &str, digits: fn(&char) -> bool| {
        text.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| digits(&c)))
    };
    radix("0x", char::is_ascii_hexdigit)
        || radix("0o", |c| ('0'..='7').contains(c))
        || matches!(unsigned, ".inf" | ".Inf" | ".INF")
        || matches!(text, ".nan" | ".NaN" | ".NAN")
        || (unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && unsigned.contains(|c: char| c.is_ascii_digit())
            && unsigned.parse::<f64>().is_ok())
}
