//! What is wrong with a catalog file, and where.

/// A catalog file that cannot be used. Displays as `FILE:LINE: MESSAGE`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct CatalogError {
    /// File as it was named to the loader.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// What was found, what was expected, and how to fix it.
    pub message: String,
}

impl CatalogError {
    /// An error at a byte offset of `text`, the content of `file`.
    pub(crate) fn at(file: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
        let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
        Self { file: file.to_owned(), line, message: message.into() }
    }
}
