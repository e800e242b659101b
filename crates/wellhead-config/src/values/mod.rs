//! The single values of the language: each knows how it is parsed, written back and described.

mod address;
mod base_url;
mod choice;
mod collections;
mod header;
mod key_entry;
mod names;
mod number;
mod price;
mod provider_key;
mod quantity;
mod text;

pub use address::Address;
pub use base_url::Url;
pub(crate) use base_url::{is_host_name, text_of as url_text};
pub use choice::{
    AccessLogChoice, ApiAuth, AwsSourceChoice, AzureSourceChoice, CacheScopeChoice, DeferUnknown, DeferWhen,
    GcpSourceChoice, HedgeChoice, PrefillChoice, PriorityChoice, ProtocolChoice, Rescue, StreamMode,
};
pub use collections::{Entry, List, Named};
pub use header::HeaderValue;
pub use key_entry::{KeyEntry, KeyFields};
pub use names::{
    ApiName, AppName, CatalogName, HeaderName, ModelName, NameRule, ProviderName, QueryName, TagName,
    TeamName,
};
pub use number::{Dollars, Int, Switch};
pub use price::ListPrice;
pub use provider_key::{AwsFields, AzureFields, GcpFields, ProviderKeyEntry, ProviderKeyFields};
pub(crate) use quantity::time_text;
pub use quantity::{Bytes, Time};
pub use text::{SecretText, Text};

use serde_json::{Value as Json, json};

use crate::read::{Element, Reader, Written};
use crate::tree::{Node, Value};

/// Why a text is not a value of the type.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Goes behind the value: "has no unit".
    pub(crate) message: String,
    /// What would be right, if more is known than the type says.
    pub(crate) expected: Option<String>,
    /// The nearest right value.
    pub(crate) suggestion: Option<String>,
    /// The text may hold a secret (a password in a URL) and must not be shown.
    pub(crate) hide: bool,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), expected: None, suggestion: None, hide: false }
    }

    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(crate) fn suggest(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    pub(crate) fn hide(mut self) -> Self {
        self.hide = true;
        self
    }
}

/// A value that is written as one scalar.
pub(crate) trait Leaf: Sized {
    /// Never repeated in messages and excerpts.
    const SECRET: bool = false;
    /// The type it has when written literally.
    const WRITTEN: Written;

    /// What is expected, for messages.
    fn expected() -> String;

    /// What to write instead of a scalar of another type, if one can guess.
    fn hint(_text: &str) -> Option<String> {
        None
    }

    /// Parses the text.
    fn parse(text: &str) -> Result<Self, Problem>;

    /// As JSON; text is escaped by [`text_json`].
    fn to_json(&self) -> Json;

    /// Its schema when written literally.
    fn schema() -> Json;
}

impl<T: Leaf> Element for T {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if T::SECRET {
            return reader.quietly(|reader| read_leaf(node, reader));
        }
        read_leaf(node, reader)
    }

    fn write(&self) -> Json {
        self.to_json()
    }

    fn schema() -> Json {
        let schema = T::schema();
        let plain_text = schema.get("type").is_some_and(|t| t == "string") && schema.get("pattern").is_none();
        if plain_text && schema.get("enum").is_none() {
            return schema;
        }
        json!({ "anyOf": [schema, { "type": "string", "pattern": "\\$\\{", "description": "A substitution." }] })
    }
}

fn read_leaf<T: Leaf>(node: &Node, reader: &mut Reader<'_>) -> Option<T> {
    let Value::Scalar(scalar) = &node.value else {
        reader.wrong_type(node, T::expected());
        return None;
    };
    // Substituted text has no type of its own: `${RPM}` is a number where a number belongs.
    if !scalar.substituted && scalar.written() != T::WRITTEN {
        reader.show(&node.range);
        let hint = if T::SECRET { None } else { T::hint(&scalar.text) };
        let only_quotes = hint.as_ref() == Some(&scalar.text);
        let expected = if only_quotes {
            format!("{}, without quotes", T::expected())
        } else if T::WRITTEN == Written::Text && scalar.written() != Written::Null && hint.is_none() {
            format!("{}, in quotes", T::expected())
        } else {
            T::expected()
        };
        let got = quoted_got(reader, node);
        reader.error(node.at, got).expected(expected).suggest(hint.filter(|_| !only_quotes));
        return None;
    }
    match T::parse(&scalar.text) {
        Ok(value) => {
            reader.show(&node.range);
            Some(value)
        }
        Err(problem) => {
            let subject = if problem.hide { None } else { reader.quotable(scalar) };
            if !problem.hide {
                reader.show(&node.range);
            }
            // A suggestion is made of the text, so it may be shown where the text may.
            let suggestion = if subject.is_some() { problem.suggestion } else { None };
            let subject = subject.unwrap_or_else(|| "the value".to_owned());
            let expected = problem.expected.unwrap_or_else(T::expected);
            reader
                .error(node.at, format!("{subject} {}", problem.message))
                .expected(expected)
                .suggest(suggestion);
            None
        }
    }
}

fn quoted_got(reader: &Reader<'_>, node: &Node) -> String {
    format!("got {}", reader.describe(node))
}

/// Text as canonical JSON: `${` is escaped, so that reading it back substitutes nothing.
pub(crate) fn text_json(text: &str) -> Json {
    Json::String(text.replace("${", "$${"))
}
