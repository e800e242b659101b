//! What is said about a document: where, what, what was expected, and the nearest match. Never a secret's value.

use std::fmt;

use serde::Serialize;

use crate::nearest::nearest;

/// Diagnostics that are kept per load: a person reads tens, a tool hundreds; the rest is counted.
pub(crate) const DIAGNOSTICS_MAX: usize = 1_000;

/// Whether the document can be used in spite of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document is refused.
    Error,
    /// The document is used; something in it is not.
    Warning,
}

impl Severity {
    /// The word in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing to say about one place. `Display` is one line; [`Diagnostic::render`] adds the source line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether the document can be used in spite of it.
    pub severity: Severity,
    /// The file's name as it was given.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The field: `models.chat.targets[0].provider`. Empty for the document as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The nearest match among what exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// The source line with everything that might be a secret blacked out.
    #[serde(skip)]
    pub(crate) excerpt: Option<String>,
}

impl Diagnostic {
    /// Adds what would be right.
    pub(crate) fn expected(&mut self, expected: impl Into<String>) -> &mut Self {
        self.expected = Some(expected.into());
        self
    }

    /// Adds the nearest match, if there is one.
    pub(crate) fn suggest(&mut self, suggestion: Option<String>) -> &mut Self {
        self.suggestion = suggestion;
        self
    }

    /// The message with its source line and a caret below the place. Secrets in the line are blacked out.
    pub fn render(&self) -> String {
        let Some(excerpt) = &self.excerpt else { return format!("{self}\n") };
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let caret = " ".repeat(self.column.saturating_sub(1) as usize);
        format!("{self}\n{margin} |\n{number} | {excerpt}\n{margin} | {caret}^\n")
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, .. } = self;
        write!(f, "{file}:{line}:{column}: {}: ", self.severity.as_str())?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(expected) = &self.expected {
            write!(f, "; expected {expected}")?;
        }
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; did you mean {suggestion:?}?")?;
        }
        Ok(())
    }
}

/// All of them for people, each with its source line.
pub fn render(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(Diagnostic::render).collect()
}

/// A place in the source: line and column from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl At {
    /// The beginning of the file: for what concerns all of it.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// No place of the file: the variable with this number among those that stand for values ([`crate::overrides`]).
    pub(crate) fn override_number(number: usize) -> Self {
        Self { line: 0, column: u32::try_from(number).unwrap_or(u32::MAX) }
    }
}

/// Collects diagnostics up to [`DIAGNOSTICS_MAX`] and counts the rest.
#[derive(Debug)]
pub(crate) struct Report {
    file: String,
    kept: Vec<Diagnostic>,
    /// Takes the additions to what is no longer kept.
    spare: Diagnostic,
    errors: usize,
    dropped: usize,
    /// Top-level sections that were written but could not be read.
    unreadable: Vec<Box<str>>,
    /// Variables that stand for values, by number.
    environment: Vec<String>,
}

impl Report {
    /// An empty report about a file.
    pub(crate) fn new(file: &str) -> Self {
        let spare = diagnostic(file, Severity::Error, At::START, "", String::new());
        Self {
            file: file.to_owned(),
            kept: Vec::new(),
            spare,
            errors: 0,
            dropped: 0,
            unreadable: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Some values come from these variables instead of the file.
    pub(crate) fn read_environment(&mut self, names: &[String]) {
        self.environment = names.to_vec();
    }

    /// Something that refuses the document.
    pub(crate) fn error(&mut self, at: At, path: &str, message: impl Into<String>) -> &mut Diagnostic {
        self.errors += 1;
        self.push(Severity::Error, at, path, message.into())
    }

    /// Something worth knowing.
    pub(crate) fn warning(&mut self, at: At, path: &str, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Severity::Warning, at, path, message.into())
    }

    /// How many errors there are, kept or not.
    pub(crate) const fn errors(&self) -> usize {
        self.errors
    }

    /// The nearest of `names`, as long as somebody will read it: a flood of errors is not worth the search.
    pub(crate) fn nearest<'a>(
        &self,
        wrong: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Option<String> {
        if self.errors < DIAGNOSTICS_MAX { nearest(wrong, names) } else { None }
    }

    /// Whether anything refuses the document.
    pub(crate) const fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Notes that a field was written but could not be read; only top-level sections are remembered.
    pub(crate) fn note_unreadable(&mut self, path: &str) {
        if !path.contains(['.', '[']) {
            self.unreadable.push(path.into());
        }
    }

    /// Whether a top-level section was written but could not be read, so that nothing is known of what it holds.
    pub(crate) fn is_unreadable(&self, section: &str) -> bool {
        self.unreadable.iter().any(|path| &**path == section)
    }

    /// Everything that was kept, errors and warnings, in the order of the file.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.kept.sort_by_key(|d| (d.line, d.column));
        if self.dropped > 0 {
            let severity = if self.errors > 0 { Severity::Error } else { Severity::Warning };
            let message = format!("and {} more; the first {DIAGNOSTICS_MAX} are shown", self.dropped);
            self.kept.push(diagnostic(&self.file, severity, At::START, "", message));
        }
        self.kept
    }

    fn push(&mut self, severity: Severity, at: At, path: &str, message: String) -> &mut Diagnostic {
        let variable = self.environment.get(at.column as usize).filter(|_| at.line == 0);
        let new = match variable {
            Some(name) => diagnostic(&format!("${name}"), severity, At::START, path, message),
            None => diagnostic(&self.file, severity, at, path, message),
        };
        // A document must never be accepted because warnings crowded its errors out: errors replace them.
        if self.kept.len() >= DIAGNOSTICS_MAX {
            self.dropped += 1;
            let slot = (severity == Severity::Error)
                .then(|| self.kept.iter().position(|d| d.severity == Severity::Warning))
                .flatten();
            let Some(slot) = slot else {
                self.spare = new;
                return &mut self.spare;
            };
            self.kept[slot] = new;
            return &mut self.kept[slot];
        }
        self.kept.push(new);
        let last = self.kept.len() - 1;
        &mut self.kept[last]
    }
}

fn diagnostic(file: &str, severity: Severity, at: At, path: &str, message: String) -> Diagnostic {
    Diagnostic {
        severity,
        file: file.to_owned(),
        line: at.line,
        column: at.column,
        path: path.to_owned(),
        message,
        expected: None,
        suggestion: None,
        excerpt: None,
    }
}
