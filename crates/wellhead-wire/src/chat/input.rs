//! What a call hands to its tool, where a vendor wants an object and not a text.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// What a call hands to its tool: an object.
#[derive(Debug)]
pub(crate) enum Input<'a> {
    Json(&'a RawValue),
    /// Nothing was said.
    Empty,
    /// No JSON object: the text of a tool that takes free text, or what a model wrote by mistake. It stays readable.
    Wrapped(&'a str),
}

impl<'a> Input<'a> {
    pub(crate) fn new(arguments: &'a str, is_custom: bool) -> Self {
        if is_custom {
            return Input::Wrapped(arguments);
        }
        if arguments.trim().is_empty() {
            return Input::Empty;
        }
        match serde_json::from_str::<&RawValue>(arguments) {
            Ok(json) if json.get().starts_with('{') => Input::Json(json),
            _ => Input::Wrapped(arguments),
        }
    }
}

impl Serialize for Input<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Input::Json(json) => json.serialize(serializer),
            Input::Empty => serializer.collect_map(std::iter::empty::<(&str, &str)>()),
            Input::Wrapped(text) => serializer.collect_map([("input", text)]),
        }
    }
}
