//! `section!`: one table per mapping of the language. The struct, the reader, the canonical text and the JSON
//! Schema are made of the same table, so they cannot drift apart.

use serde_json::Value as Json;

/// Whether a field has to be there, and whether it does anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It must be written.
    Must,
    /// It may be written.
    May,
    /// It may be written and is checked, but has no effect yet: a warning says so.
    Later,
}

/// One field of a section.
pub(crate) struct Field {
    /// The key.
    pub(crate) name: &'static str,
    /// Whether it must be there.
    pub(crate) mode: Mode,
    /// What it is for.
    pub(crate) about: &'static str,
    /// Its schema.
    pub(crate) schema: fn() -> Json,
}

impl Field {
    /// What it is for, as the end of a sentence.
    pub(crate) fn purpose(&self) -> String {
        let about = self.about.trim().trim_end_matches('.');
        let mut letters = about.chars();
        let first = letters.next().map_or_else(String::new, |first| first.to_lowercase().to_string());
        format!("`{}:`, {first}{}", self.name, letters.as_str())
    }
}

/// The schema of a section.
pub(crate) fn object_schema(about: &str, fields: &[Field]) -> Json {
    let properties: serde_json::Map<String, Json> =
        fields.iter().map(|field| (field.name.to_owned(), described(field))).collect();
    let required: Vec<&str> = fields.iter().filter(|f| f.mode == Mode::Must).map(|f| f.name).collect();
    let mut schema = serde_json::json!({
        "type": "object",
        "description": about.trim(),
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = serde_json::json!(required);
    }
    schema
}

fn described(field: &Field) -> Json {
    let mut schema = (field.schema)();
    let later = if field.mode == Mode::Later { " Accepted, no effect yet." } else { "" };
    schema["description"] = Json::String(format!("{}{later}", field.about.trim()));
    schema
}

macro_rules! section {
    ($(#[doc = $about:literal])* $name:ident {
        $( $(#[doc = $doc:literal])* $mode:ident $field:ident $(as $key:literal)? : $type:ty ),* $(,)?
    }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $name {
            $( $(#[doc = $doc])* pub $field: Option<$crate::read::Spanned<$type>>, )*
        }

        impl $name {
            /// The table.
            pub(crate) const FIELDS: &'static [$crate::section::Field] = &[$(
                $crate::section::Field {
                    name: $crate::section::key_of!($field $($key)?),
                    mode: $crate::section::Mode::$mode,
                    about: concat!($($doc),*),
                    schema: <$type as $crate::read::Element>::schema,
                },
            )*];
        }

        impl $crate::read::Element for $name {
            fn read(node: &$crate::tree::Node, reader: &mut $crate::read::Reader<'_>) -> Option<Self> {
                let expected = || {
                    let keys: Vec<&str> = Self::FIELDS.iter().map(|field| field.name).collect();
                    format!("a mapping with {}", keys.join(", "))
                };
                let entries = reader.mapping(node, &expected())?;
                reader.check_keys(entries, Self::FIELDS);
                let mut fields = Self::FIELDS.iter();
                Some(Self { $(
                    $field: fields.next().and_then(|field| reader.field::<$type>(node, entries, field)),
                )* })
            }

            fn write(&self) -> serde_json::Value {
                let mut map = serde_json::Map::new();
                $(
                    if let Some(field) = &self.$field {
                        let key = $crate::section::key_of!($field $($key)?);
                        map.insert(key.to_owned(), <$type as $crate::read::Element>::write(&field.value));
                    }
                )*
                serde_json::Value::Object(map)
            }

            fn schema() -> serde_json::Value {
                $crate::section::object_schema(concat!($($about),*), Self::FIELDS)
            }
        }
    };
}

/// The key of a field: its name, unless the table gives another because the name is a word of Rust.
macro_rules! key_of {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}

pub(crate) use {key_of, section};
