//! What `${VAR}` and `${file:path}` stand for. The crate itself reads neither environment nor files.

use std::collections::BTreeMap;

use crate::overrides::is_override;

/// Answers `${VAR}` and `${file:path}`.
pub trait Lookup {
    /// The variable's text, or `None` when it is not set.
    fn variable(&self, name: &str) -> Option<String>;

    /// Variables that stand for values of the configuration ([`crate::overrides::is_override`]), with their text.
    fn overrides(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The file's text. A relative path is relative to the configuration file; that is for the implementor to do.
    ///
    /// # Errors
    /// What went wrong, in words for a person: "no such file".
    fn file(&self, path: &str) -> Result<String, String>;
}

/// A fixed set of variables and files: for tests and for text that is not from this machine.
#[derive(Debug, Clone, Default)]
pub struct Fixed {
    /// Variables by name.
    pub variables: BTreeMap<String, String>,
    /// Files by path.
    pub files: BTreeMap<String, String>,
}

impl Lookup for Fixed {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn overrides(&self) -> Vec<(String, String)> {
        let all = self.variables.iter().filter(|(name, _)| is_override(name));
        all.map(|(name, text)| (name.clone(), text.clone())).collect()
    }

    fn file(&self, path: &str) -> Result<String, String> {
        self.files.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }
}
