//! The set of all kinds, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;

use crate::check;
use crate::error::CatalogError;
use crate::kind::{Auth, Dialect, Kind, Quirks};

/// The files that the binary carries: name and content.
pub const BUILTIN: [(&str, &str); 4] = [
    ("catalog/openai.toml", include_str!("../../../catalog/openai.toml")),
    ("catalog/local.toml", include_str!("../../../catalog/local.toml")),
    ("catalog/vendors.toml", include_str!("../../../catalog/vendors.toml")),
    ("catalog/other-dialects.toml", include_str!("../../../catalog/other-dialects.toml")),
];

/// All provider kinds, by name. Cheap to look up, immutable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    kinds: BTreeMap<Arc<str>, Arc<Kind>>,
}

/// A kind as it is written: its name is the table's.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    dialect: Dialect,
    base_url: Option<String>,
    auth: Auth,
    #[serde(default)]
    key_env: Vec<String>,
    #[serde(default)]
    quirks: Quirks,
    otel_name: String,
    #[serde(default)]
    models: Vec<String>,
    source: String,
}

impl Catalog {
    /// The kinds that this build carries.
    ///
    /// # Errors
    /// Only if the embedded files are wrong, which the tests of this crate rule out for every build that passed them.
    pub fn builtin() -> Result<Self, CatalogError> {
        Self::parse(BUILTIN)
    }

    /// Reads catalog files, given as (name, content).
    ///
    /// # Errors
    /// The first thing that is wrong, with file and line: a syntax error, an unknown or missing field, a value out of
    /// its range, or a kind that was already declared, in the same file or an earlier one.
    pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, CatalogError> {
        let mut kinds = BTreeMap::new();
        for (file, text) in files {
            for kind in parse_file(file, text)? {
                let (offset, kind) = kind;
                if kinds.contains_key(&kind.name) {
                    let message = format!("kind \"{}\" is declared twice; remove one", kind.name);
                    return Err(CatalogError::at(file, text, offset, message));
                }
                kinds.insert(Arc::clone(&kind.name), Arc::new(kind));
            }
        }
        Ok(Self { kinds })
    }

    /// The kind of this name, if there is one. Names are exact: no case folding, no aliases.
    pub fn kind(&self, name: &str) -> Option<Arc<Kind>> {
        self.kinds.get(name).map(Arc::clone)
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(AsRef::as_ref)
    }

    /// All kinds, sorted by name.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.kinds.values()
    }
}

/// The kinds of one file in order of name, each with the offset of its name.
fn parse_file(file: &str, text: &str) -> Result<Vec<(usize, Kind)>, CatalogError> {
    let written: BTreeMap<Spanned<String>, Written> = toml::from_str(text).map_err(|error| {
        CatalogError::at(file, text, error.span().map_or(0, |span| span.start), error.message().trim_end())
    })?;
    let mut kinds = Vec::with_capacity(written.len());
    for (name, written) in written {
        let offset = name.span().start;
        let kind = Kind {
            name: name.into_inner().into(),
            title: written.title,
            dialect: written.dialect,
            base_url: written.base_url,
            auth: written.auth,
            key_env: written.key_env,
            quirks: written.quirks,
            otel_name: written.otel_name,
            models: written.models,
            source: written.source,
        };
        if let Err(problem) = check::kind(&kind) {
            let message = format!("kind \"{}\": {problem}", kind.name);
            return Err(CatalogError::at(file, text, offset, message));
        }
        kinds.push((offset, kind));
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests;
