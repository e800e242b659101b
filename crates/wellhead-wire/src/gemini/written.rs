//! What is written, in the order in which Google writes it: contents and parts for both sides.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A turn.
#[derive(Debug, Serialize)]
pub(super) struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<Piece<'a>>,
    #[serde(flatten)]
    pub(super) rest: Option<&'a Map<String, Value>>,
}

/// A part: of ours, or as it was read.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Piece<'a> {
    Ours(Box<Ours<'a>>),
    Theirs(&'a Value),
}

impl<'a> From<Ours<'a>> for Piece<'a> {
    fn from(ours: Ours<'a>) -> Self {
        Self::Ours(Box::new(ours))
    }
}

/// A part that is made from the canonical model.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ours<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) thought: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inline_data: Option<Blob<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_data: Option<File<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<Call<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_response: Option<Response<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) media_resolution: Option<Resolution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thought_signature: Option<Cow<'a, str>>,
}

impl<'a> Ours<'a> {
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    pub(super) const fn is_medium(&self) -> bool {
        self.inline_data.is_some() || self.file_data.is_some()
    }
}

/// Bytes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mime_type: Option<Cow<'a, str>>,
    pub(super) data: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<&'a str>,
}

/// A place where bytes are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mime_type: Option<Cow<'a, str>>,
    pub(super) file_uri: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<&'a str>,
}

/// How closely a medium is looked at.
#[derive(Debug, Serialize)]
pub(super) struct Resolution {
    pub(super) level: &'static str,
}

/// A call.
#[derive(Debug, Serialize)]
pub(super) struct Call<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) name: Cow<'a, str>,
    pub(super) args: Args<'a>,
}

/// A call's arguments.
#[derive(Debug)]
pub(super) enum Args<'a> {
    /// An object, as the model wrote it.
    Object(&'a RawValue),
    /// None.
    Empty,
    /// A text that is no object: what a model wrote that was cut off, or for a tool that takes text.
    Text(Cow<'a, str>),
}

impl<'a> Args<'a> {
    /// From a call's text.
    pub(super) fn of(arguments: &'a str) -> Self {
        let text = arguments.trim();
        if text.is_empty() {
            return Self::Empty;
        }
        match serde_json::from_str::<&RawValue>(text) {
            Ok(raw) if text.starts_with('{') => Self::Object(raw),
            _ => Self::Text(Cow::Borrowed(arguments)),
        }
    }
}

impl Serialize for Args<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(raw) => raw.serialize(serializer),
            Self::Empty => serializer.serialize_map(Some(0))?.end(),
            Self::Text(text) => named(serializer, "input", text),
        }
    }
}

/// What a tool answered.
#[derive(Debug, Serialize)]
pub(super) struct Response<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) response: Answered<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<Piece<'a>>,
}

/// The object of a response.
#[derive(Debug)]
pub(super) enum Answered<'a> {
    Nothing,
    /// Checked before: a text, and whether it is a failure.
    Text(Cow<'a, str>, bool),
}

impl Serialize for Answered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use super::result::{Said, said};
        let Self::Text(text, is_error) = self else { return serializer.serialize_map(Some(0))?.end() };
        match said(text, *is_error) {
            Said::Object(raw) => raw.serialize(serializer),
            Said::Named(name, text) => named(serializer, name, text),
            Said::Within(name, raw) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(name, raw)?;
                map.end()
            }
        }
    }
}

fn named<S: Serializer>(serializer: S, name: &str, text: &str) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, text)?;
    map.end()
}

/// A request's body.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    pub(super) contents: Vec<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) system_instruction: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) tool_config: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) generation_config: Map<String, Value>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// The bytes of something that can always be written.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    // Maps have texts as keys and numbers are finite: there is nothing that serde_json refuses.
    serde_json::to_vec(value).unwrap_or_default()
}
