//! What `${VAR}` and `${file:path}` stand for. The crate itself reads neither environment nor files.

use std::collections::BTreeMap;

/// Answers `${VAR}` and `${file:path}`.
pub trait Lookup {
    /// The variable's text, or `None` when it is not set.
    fn variable(&self, name: &str) -> Option<String>;

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

    fn file(&self, path: &str) -> Result<String, String> {
        self.files.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }
}
